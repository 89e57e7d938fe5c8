"""The predeploy list: nine items that checks answer, seven that a person confirms (Python backend orchestrator)."""

from collections.abc import Iterable, Mapping

from skills.gates.model import Status
from skills.record import record
from skills.verify.model import Answer, worst

AUTOMATIC: tuple[tuple[str, str, int, tuple[str, ...]], ...] = (
    ("tests", "All tests pass", 4, ("tests",)),
    ("coverage", "Coverage meets its targets", 4, ("coverage",)),
    ("vulnerabilities", "No known vulnerability", 5, ("dependencies",)),
    ("migrations", "No migration is missing", 3, ("makemigrations",)),
    ("debug", "DEBUG is off", 9, ("debug",)),
    ("secret-key", "SECRET_KEY is long and random", 9, ("secret-key",)),
    ("allowed-hosts", "ALLOWED_HOSTS names hosts", 9, ("allowed-hosts",)),
    ("https", "HTTPS settings are on", 9, ("ssl-redirect", "hsts")),
    ("environment", "The environment is documented", 1, ("env-names",)),
)
"""What each item asks: the phase and the checks that answer it."""

MANUAL: tuple[tuple[str, str], ...] = (
    ("backups", "Backups run, and one was restored"),
    ("static", "Static files are served"),
    ("logging", "Logs arrive where they are read"),
    ("errors", "Errors are reported (Sentry or alike)"),
    ("cdn", "The CDN is set up"),
    ("redis", "Redis is reachable"),
    ("celery", "Workers and beat run"),
)


@record
class Confirmation:
    """Who confirmed a manual item, when (ISO 8601), at which commit."""

    who: str
    at: str
    commit: str


@record
class Item:
    """One item of the list. `by` says who confirmed it, "" for what checks answer."""

    id: str
    title: str
    status: Status
    by: str = ""


def predeploy_items(answers: Iterable[Answer], confirmed: Mapping[str, Confirmation], head: str) -> list[Item]:
    """The sixteen items. A confirmation counts for the commit that it was given at. Without an answer an item is not
    run, or not applicable where its whole phase has none: the lane does not have it.
    """
    known: dict[str, list[Answer]] = {}
    phases = set()
    for answer in answers:
        known.setdefault(answer.check, []).append(answer)
        phases.add(answer.phase)
    items = []
    for name, title, phase, checks in AUTOMATIC:
        found = [answer for check in checks for answer in known.get(check, ())]
        items.append(Item(name, title, "not_run" if phase in phases and not found else worst(found)))
    for name, title in MANUAL:
        given = confirmed.get(name)
        status: Status = "pass" if given is not None and given.commit == head else "not_run"
        by = "" if given is None else f"{given.who}, {given.at}, at {given.commit[:9]}"
        items.append(Item(name, title, status, by))
    return items
