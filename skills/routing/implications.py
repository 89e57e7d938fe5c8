"""What a route means for tests and security, and what to do next (Python backend orchestrator, standard flow)."""

import re
from collections.abc import Sequence

from skills.routing.catalogue import Lane

CELERY_ELSEWHERE = "Celery outside of Django: the same advice holds, without Django's transaction hooks"

_TESTS: dict[Lane, tuple[str, ...]] = {
    "foundation": ("unit tests with pytest; run each case of a table as a parameter",),
    "django": ("pytest-django with factories; one test for each status code and permission of an endpoint",),
    "fastapi": ("an httpx client against the application, with dependencies overridden instead of patched",),
    "ml": ("a seed for every run, a test of the data contract, and a tiny run that must overfit",),
}
_SECURITY: dict[Lane, tuple[str, ...]] = {
    "foundation": ("ruff's S rules or bandit, and pip-audit for the dependencies",),
    "django": ("permission classes on every view; `check --deploy` on the production settings",),
    "fastapi": ("a dependency that authenticates on every router; request models that forbid extra fields",),
    "ml": ("no pickle from outside, no personal data in artifacts, safe loading of weights",),
}
_TEST_TOPICS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), text)
    for pattern, text in (
        (
            r"celery|background|queue|job|segundo plano|cola",
            "run tasks eagerly in unit tests; test the retry and running twice",
        ),
        (r"migrat|migraci", "test the migration forwards and backwards on a copy with rows"),
        (r"quer|n\+1|slow|consulta|lent[oa]", "count the queries in a test, so that the number cannot grow back"),
        (r"tenant|compan|inquilino", "test that one tenant cannot see another's rows"),
        (
            r"refactor|rename|extract|renombra|extrae",
            "the same tests pass before and after; write them first where none exist",
        ),
        (r"upload|file|fichero|archivo", "test an empty, a huge and a mislabelled file"),
    )
)
_SECURITY_TOPICS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), text)
    for pattern, text in (
        (
            r"endpoint|\bapi\b|view|router|form|vista|ruta",
            "validate every input at the boundary; say who may call it",
        ),
        (r"auth|login|password|token|jwt|contraseña|sesi", "limit attempts, expire tokens, and log neither"),
        (r"upload|file|fichero|archivo", "check type and size on the server; store outside of the web root"),
        (r"\bsql\b|raw|cursor", "parameters, never text put together"),
        (r"tenant|compan|inquilino", "the scope comes from the middleware, never from the request"),
        (
            r"webhook|external|third[- ]party|externo",
            "a new call to the outside is a change to state: time-out and signature",
        ),
        (r"deploy|ship|release|producci|desplieg|production", "no secret and no DEBUG goes out"),
        (
            r"celery|queue|job|cola|segundo plano",
            "pass ids to tasks, not rows; check permissions where the task starts",
        ),
    )
)
_NEXT = {
    "design": "write down layers, data and failure cases before any code",
    "implement": "write the test that fails, then the change",
    "test": "write the first test and see it fail for the right reason",
    "secure": "list what can be reached without permission, then close it with a test each",
    "verify": "run `cockpit verify`; nothing ships on a check that did not run",
}


def test_implications(lane: Lane, stages: Sequence[str], task: str) -> tuple[str, ...]:
    """What has to be tested, the lane's own habit first."""
    topics = tuple(text for pattern, text in _TEST_TOPICS if pattern.search(task))
    gate = ("every test of the change runs before it ships",) if "verify" in stages else ()
    return (*_TESTS[lane], *topics, *gate)


def security_implications(lane: Lane, stages: Sequence[str], task: str) -> tuple[str, ...]:
    """What has to be secured: the topics of the task, and the lane's own checks where it secures or ships."""
    topics = tuple(text for pattern, text in _SECURITY_TOPICS if pattern.search(task))
    return (*_SECURITY[lane], *topics) if topics or {"secure", "verify"} & set(stages) else _SECURITY[lane]


def next_action(stage: str, spokes: Sequence[str], ambiguous: Sequence[str], *, new: bool) -> str:
    """The one thing to do now."""
    if ambiguous and new:
        return "choose the framework: cockpit route --decide"
    if ambiguous:
        return f"name a path, so that it is clear whether this is {' or '.join(ambiguous)}"
    loaded = f"load {spokes[0]}; " if spokes else ""
    return f"{loaded}{_NEXT[stage]}"
