"""Which framework a task is in: what the repository shows before what the words say (Python backend orchestrator)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from skills.routing import words
from skills.routing.catalogue import Lane
from skills.routing.decide import decide, words_answers

LANES: tuple[Lane, ...] = ("foundation", "django", "fastapi", "ml")


@dataclass(frozen=True, slots=True)
class LaneEvidence:
    """Something in the repository that shows a lane. `folder` is what it holds for ("" for all of it).

    `firm`: it speaks for the folder and not only for `file`, which is the file that it stands in ("" for manifests).
    """

    lane: Lane
    folder: str
    why: str
    firm: bool = True
    file: str = ""


@dataclass(frozen=True, slots=True)
class LaneChoice:
    """The lane, why, and the lanes between which a person should choose (empty where it is clear).

    `decided`: nobody has named a framework, and it was chosen by what the task needs.
    """

    lane: Lane
    reasons: tuple[str, ...]
    ambiguous: tuple[Lane, ...] = ()
    decided: bool = False


def choose_lane(task: str, evidence: Iterable[LaneEvidence]) -> LaneChoice:
    """The lane of a task; a path that it names decides in a repository with several."""
    known = tuple(evidence)
    for path in words.PATH.findall(task):
        if found := _at(path.removeprefix("./"), known):
            return _among(found, task, f"{path} lies where ")
    firm = [one for one in known if one.firm]
    if not firm:
        return _by_words(task)
    return _among(firm, task, "")


def _at(path: str, known: tuple[LaneEvidence, ...]) -> list[LaneEvidence]:
    """The evidence nearest to a path: the file's own, else that of the innermost folder that has any."""
    if own := [one for one in known if one.file == path]:
        return own
    folder = path.rstrip("/") if path.endswith("/") or "." not in path.rpartition("/")[2] else path.rpartition("/")[0]
    while folder:
        if found := [one for one in known if one.folder == folder]:
            return [one for one in found if one.firm] or found
        folder = folder.rpartition("/")[0]
    return []


def _among(found: list[LaneEvidence], task: str, place: str) -> LaneChoice:
    lanes = [lane for lane in LANES if any(one.lane == lane for one in found)]
    if len(lanes) == 1:
        return LaneChoice(lanes[0], (place + _first(found, lanes[0]), *_contradiction(task, lanes[0])))
    spoken = _spoken(task)
    said = [lane for lane in lanes if lane in spoken]
    if len(said) == 1:
        return LaneChoice(said[0], (_first(found, said[0]), f"several lanes here, the words say {said[0]}"))
    if lanes == ["django", "ml"] or lanes == ["fastapi", "ml"]:
        lane: Lane = "ml" if "ml" in spoken else lanes[0]
        return LaneChoice(
            lane, (_first(found, lane), "several lanes here, nothing in the words is about models to train")
        )
    reasons = tuple(_first(found, lane) for lane in lanes)
    return LaneChoice(lanes[0], (*reasons, "several lanes here: name a path"), tuple(lanes))


def _first(found: list[LaneEvidence], lane: Lane) -> str:
    return next(one.why for one in found if one.lane == lane)


def _contradiction(task: str, lane: Lane) -> tuple[str, ...]:
    said = [other for other in ("django", "fastapi") if other != lane and other in _spoken(task)]
    return (f"the words say {said[0]}; the repository decides: choose once per service",) if said else ()


_WORDS: dict[Lane, re.Pattern[str]] = {"django": words.DJANGO, "fastapi": words.FASTAPI, "ml": words.ML}


def _spoken(task: str) -> list[Lane]:
    return [lane for lane, pattern in _WORDS.items() if pattern.search(task)]


def _by_words(task: str) -> LaneChoice:
    spoken = _spoken(task)
    answers = words_answers(task)
    if "django" in spoken and "fastapi" in spoken:
        chosen = decide(answers, ()).framework
        if chosen is not None:
            why = f"the words name both frameworks and speak of {', '.join(answers)}"
            return LaneChoice(chosen, (why,), decided=True)
        return LaneChoice("foundation", ("the words name both frameworks",), ("django", "fastapi"))
    if spoken:
        match = _WORDS[spoken[0]].search(task)
        return LaneChoice(spoken[0], (f"the words say it: {match.group() if match else spoken[0]}",))
    if not answers or not (words.WEB.search(task) or words.BUILT.search(task)):  # nothing is built that needs one
        if words.WEB.search(task):
            return LaneChoice(
                "foundation", ("no framework here yet, and the words choose none",), ("django", "fastapi")
            )
        return LaneChoice("foundation", ("no framework in the repository or in the words",))
    decision = decide(answers, ())
    why = f"no framework here yet; the words speak of {', '.join(answers)}"
    if decision.framework is None:
        return LaneChoice("foundation", (why,), ("django", "fastapi"))
    return LaneChoice(decision.framework, (why,), decided=True)
