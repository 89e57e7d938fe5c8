"""Answers of the verification gate and what follows from them (Python backend orchestrator, verification gate)."""

from collections.abc import Iterable
from dataclasses import field

from skills.counted import counted
from skills.gates.model import Status
from skills.record import record
from skills.routing.catalogue import Lane

PHASES: tuple[str, ...] = (
    "Environment",
    "Code quality",
    "Migrations",
    "Tests and coverage",
    "Security",
    "Commands",
    "Performance",
    "Static assets",
    "Configuration",
    "Logging",
    "API schema",
    "Diff review",
)
"""Titles of the phases 1 to 12, in order."""
QUICK = (1, 2, 12)
"""The phases of a quick verification: what needs neither tests nor a database."""
_MOST_STEPS = 6


@record
class Answer:
    """What one check of a phase answers. `phase` starts at 1; phase 13 holds what belongs to the lane alone.

    `detail` is one line: what was found, or why it could not look. `command` is what was run ("" where nothing was).
    An answer that is not `required` is shown and blocks nothing.
    """

    phase: int
    check: str
    title: str
    status: Status
    detail: str = ""
    count: int = 0
    required: bool = True
    command: str = ""
    places: tuple[str, ...] = ()


@record
class Verification:
    """All answers about one lane."""

    lane: Lane
    answers: tuple[Answer, ...]
    quick: bool = False
    guardrails: tuple[Answer, ...] = field(default=())

    @property
    def status(self) -> Status:
        """`fail` where a required check failed, `not_run` where one could not look, else `pass`."""
        return worst(answer for answer in (*self.answers, *self.guardrails) if answer.required)


def worst(answers: Iterable[Answer]) -> Status:
    """The status that several answers have together."""
    known = list(answers)
    required = {answer.status for answer in known if answer.required}
    if "fail" in required:
        return "fail"
    if "not_run" in required:
        return "not_run"
    others = {answer.status for answer in known}
    # what does not block still shows, where nothing else has an answer
    return next((status for status in ("pass", "fail", "not_run") if status in others), "not_applicable")


def phase_answers(verification: Verification, phase: int) -> tuple[Answer, ...]:
    """The answers of one phase."""
    return tuple(answer for answer in verification.answers if answer.phase == phase)


def next_steps(verification: Verification) -> list[str]:
    """What to do next: the failures in the order of the phases, then what could not look."""
    known = (*verification.answers, *verification.guardrails)
    failed = [answer for answer in known if answer.status == "fail" and answer.required]
    blind = [answer for answer in known if answer.status == "not_run" and answer.required]
    seen: dict[str, str] = {}
    for answer in (*failed, *blind):
        deed = f"Fix “{answer.title}”" if answer.status == "fail" else f"Have “{answer.title}” judged"
        line = deed + (f": {answer.detail}" if answer.detail else "")
        seen.setdefault(answer.detail or line, line)
    steps = list(seen.values())
    return steps[:_MOST_STEPS] + ([f"and {len(steps) - _MOST_STEPS} more"] if len(steps) > _MOST_STEPS else [])


def recommendation(verification: Verification) -> str:
    """One line: whether this may be deployed."""
    status = verification.status
    if status == "fail":
        count = sum(1 for a in (*verification.answers, *verification.guardrails) if a.status == "fail" and a.required)
        return f"Do not deploy: {counted(count, 'required check')} failed."
    if status == "not_run":
        return "Not known: a required check could not look."
    if verification.quick:
        return "The quick phases passed; run the whole gate before a deployment."
    return "Ready, as far as these checks see."
