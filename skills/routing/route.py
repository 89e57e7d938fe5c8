"""The route of a task: lane, stage, specialists in lifecycle order, what follows (Python backend orchestrator)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from skills.orchestrator.words import WORD, WRITE_VERBS
from skills.routing import words
from skills.routing.catalogue import Lane
from skills.routing.implications import CELERY_ELSEWHERE, next_action, security_implications, test_implications
from skills.routing.lanes import LaneEvidence, choose_lane

Stage = Literal["design", "implement", "test", "secure", "verify"]
STAGES: tuple[Stage, ...] = ("design", "implement", "test", "secure", "verify")

SPOKES: dict[Lane, dict[Stage, tuple[str, ...]]] = {
    "foundation": {
        "design": ("python-patterns",),
        "implement": ("python-patterns", "python-testing"),
        "test": ("python-testing",),
        "secure": (),
        "verify": ("python-testing",),
    },
    "django": {
        "design": ("django-patterns",),
        "implement": ("django-patterns",),
        "test": ("django-tdd",),
        "secure": ("django-security",),
        "verify": ("django-verification",),
    },
    "fastapi": {
        "design": ("fastapi-patterns",),
        "implement": ("fastapi-patterns",),
        "test": ("fastapi-patterns", "python-testing"),
        "secure": ("fastapi-patterns",),
        "verify": ("python-testing", "django-verification"),
    },
    "ml": {
        "design": ("mle-workflow",),
        "implement": ("pytorch-patterns",),
        "test": ("python-testing", "mle-workflow"),
        "secure": ("mle-workflow",),
        "verify": ("mle-workflow",),
    },
}
"""The framework × lifecycle map. Plain Python has no specialist for security: bandit, ruff and pip-audit answer."""

BESIDE: dict[tuple[Lane, Stage], tuple[str, ...]] = {
    ("django", "implement"): ("django-celery",),
    ("ml", "design"): ("recsys-pipeline-architect",),
    ("ml", "implement"): ("recsys-pipeline-architect",),
}
"""Specialists that a lane has beside those that every task of a stage takes."""


def spokes_at(lane: Lane, stage: Stage) -> tuple[str, ...]:
    """Every specialist of a lane at a stage."""
    return (*SPOKES[lane][stage], *BESIDE.get((lane, stage), ()))


@dataclass(frozen=True, slots=True)
class Route:
    """Where a task goes. `stages` are all that it asks for, `stage` the first of them in the lifecycle.

    `core`: it touches framework choice, validation at the boundary, persistence or the gate. `ambiguous` are lanes
    between which the repository does not decide.
    """

    lane: Lane
    stage: Stage
    stages: tuple[Stage, ...]
    spokes: tuple[str, ...]
    core: bool
    test_implications: tuple[str, ...]
    security_implications: tuple[str, ...]
    next_action: str
    reasons: tuple[str, ...]
    ambiguous: tuple[Lane, ...]


def route_task(task: str, evidence: Iterable[LaneEvidence] = ()) -> Route:
    """The route of a task, from what the repository shows and, where that is silent, from its words."""
    known = tuple(evidence)
    choice = choose_lane(task, known)
    stages, why = read_stages(task)
    if _from_notebook(task, choice.lane):
        stages, why = ("design", *(stage for stage in stages if stage not in ("implement", "verify"))), "a notebook"
    spokes, notes = _spokes(task, choice.lane, stages)
    core = bool(words.CORE.search(task)) or "verify" in stages or bool(choice.ambiguous) or choice.decided
    return Route(
        choice.lane,
        stages[0],
        stages,
        spokes,
        core,
        test_implications(choice.lane, stages, task),
        security_implications(choice.lane, stages, task),
        next_action(stages[0], spokes, choice.ambiguous, new=not known),
        (*choice.reasons, f"stage {_shown(stages[0])}: {why}", *notes),
        choice.ambiguous,
    )


def read_stages(task: str) -> tuple[tuple[Stage, ...], str]:
    """The lifecycle stages that a task asks for, in order, and the words that say so.

    What stands after `for`, `of`, `to` … is what the work is about, not the work: it counts only where nothing else
    does. Who builds and ships asks for everything between as well.
    """
    found: dict[Stage, str] = {}
    asked = words.HARMLESS.sub("", words.SINCE.sub("", words.ADDRESS.sub("it", task)))
    for clause in words.CLAUSE.split(words.FILLER.sub("", asked)):
        if words.BACK.match(clause):
            continue  # `write them` says nothing new
        head, _, tail = _cut(clause)
        stage, word = _stage_of(head)
        if stage is None and tail and not _acts(head):
            stage, word = _stage_of(tail)
        if stage is None and (_acts(head) or words.BUILT.search(head)):
            stage, word = "implement", " ".join(head.split())[:40]
        if stage is not None:
            found.setdefault(stage, word)
    if not found:
        return ("implement",), "nothing in the words says another"
    if "verify" in found and ("implement" in found or "design" in found):
        for between in STAGES[2 if "design" in found else 1 : 4]:
            found.setdefault(between, "between building and shipping")
    stages = tuple(stage for stage in STAGES if stage in found)
    return stages, found[stages[0]]


def _cut(clause: str) -> tuple[str, str, str]:
    match = words.SCOPE.search(clause)
    return (clause[: match.start()], match.group(), clause[match.end() :]) if match else (clause, "", "")


_PATTERNS: tuple[tuple[Stage, re.Pattern[str]], ...] = (
    ("verify", words.VERIFY),
    ("secure", words.SECURE),
    ("test", words.TEST),
    ("design", words.DESIGN),
)


def _stage_of(text: str) -> tuple[Stage | None, str]:
    """The stage whose word stands first."""
    hits = [(match.start(), stage, match.group()) for stage, pattern in _PATTERNS if (match := pattern.search(text))]
    if not hits:
        return None, ""
    _, stage, word = min(hits, key=lambda hit: hit[0])
    return stage, word


def _acts(text: str) -> bool:
    return any(word.lower() in WRITE_VERBS for word in WORD.findall(text)[:4])


def _from_notebook(task: str, lane: Lane) -> bool:
    return lane in ("ml", "foundation") and bool(words.NOTEBOOK.search(task) and words.PRODUCTION.search(task))


def _spokes(task: str, lane: Lane, stages: tuple[Stage, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if _from_notebook(task, lane):
        return ("mle-workflow", "python-patterns", "pytorch-patterns", "python-testing"), ()
    found: list[str] = []
    notes: list[str] = []
    for stage in stages:
        if stage == "implement":
            found += _implementing(task, lane, notes)
        else:
            found += SPOKES[lane][stage]
    if lane != "ml" and words.STRONG_ML.search(task):
        found = [*_learning(task), *(spoke for spoke in found if stages != ("implement",) or lane == "foundation")]
        notes.append("the words are about training or ranking")
    return tuple(dict.fromkeys(found)), tuple(notes)


def _implementing(task: str, lane: Lane, notes: list[str]) -> tuple[str, ...]:
    if lane == "ml":
        return _learning(task)
    background = words.BACKGROUND.search(task)
    if not background or (lane != "django" and not words.CELERY.search(task)):
        return SPOKES[lane]["implement"]
    if lane == "fastapi" and words.OWN_BACKGROUND.search(task):
        notes.append("work after the response, by the framework itself")
        return SPOKES[lane]["implement"]
    notes.append(f"work outside of the request: {background.group()}")
    if lane != "django":
        notes.append(CELERY_ELSEWHERE)
    heads = " ".join(_cut(clause)[0] for clause in words.CLAUSE.split(task))
    also = words.BUILT.search(heads) if lane == "django" else None
    return (*SPOKES[lane]["implement"], "django-celery") if also else ("django-celery",)


def _learning(task: str) -> tuple[str, ...]:
    ranks, trains = words.RECSYS.search(task), words.TRAIN.search(task)
    found = ["recsys-pipeline-architect"] if ranks else []
    return tuple([*found, "pytorch-patterns"] if trains or not ranks else found)


def _shown(stage: Stage) -> str:
    return "ship" if stage == "verify" else stage
