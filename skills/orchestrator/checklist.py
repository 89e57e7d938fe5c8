"""The twelve-item checklist of a change (performance orchestrator, gates): three of P0, five of P1, four of P2.

Nine of them are answered by the gates, three by the transcript; what nobody looked at is `[?]`, never `[x]`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from skills.gates.model import Status
from skills.orchestrator.model import Check, Phase


@dataclass(frozen=True, slots=True)
class RuleReading:
    """What the gates say of one rule: `place` is the first finding (`path:line`) in the files that count, `here` how
    many there are in them, `elsewhere` how many in the other files."""

    status: Status
    here: int = 0
    elsewhere: int = 0
    place: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One line of the list. `holds` is None where it is not known; `evidence` is the line that proves it."""

    id: str
    gate: Literal["P0", "P1", "P2"]
    text: str
    holds: bool | None
    evidence: str


_RULES: dict[str, tuple[Literal["P0", "P1", "P2"], str, tuple[str, ...]]] = {
    "S1": ("P0", "no manual tenant filter", ("manual-tenant-filter", "unscoped-tenant-query")),
    "S2": ("P0", "business logic in services only", ("logic-in-view", "logic-in-serializer", "logic-in-router")),
    "S3": ("P0", "no bare mocks", ("bare-mock",)),
    "S4": ("P1", "type hints on parameters and returns", ("missing-type-hints",)),
    "S5": (
        "P1",
        "queries are optimised",
        ("n-plus-one", "unordered-queryset", "filter-in-python", "exists-then-create"),
    ),
    "S6": ("P1", "coverage, arrange-act-assert", ("missing-coverage", "test-not-aaa", "test-without-assertion")),
    "S10": ("P1", "the model fits complexity and risk", ()),
    "S11": ("P1", "documentation server before the web", ()),
    "S7": ("P2", "few comments, in English", ("noisy-comment", "non-english-comment")),
    "S7b": ("P2", "tests without docstrings", ("test-docstring",)),
    "S9": ("P2", "the OpenAPI contract holds", ("openapi-undocumented", "openapi-drift", "undeclared-path-parameter")),
    "S12": ("P2", "independent reads run in parallel", ()),
}
_IN_TRANSCRIPT = {"S10": (2, 2), "S11": (4, 0), "S12": (4, 1)}  # phase and place of the auto-check that answers it


def checklist(
    phases: Sequence[Phase], rules: Mapping[str, RuleReading] | None, why_not: str = "the gates were not asked"
) -> tuple[ChecklistItem, ...]:
    """The twelve lines. `rules` is what the gates say of the work tree, None where nobody asked them (`why_not`)."""
    items = []
    for name, (gate, text, wanted) in _RULES.items():
        if name in _IN_TRANSCRIPT:
            found = _auto_check(phases, *_IN_TRANSCRIPT[name])
            items.append(ChecklistItem(name, gate, text, found.holds, found.evidence))
        elif rules is None:
            items.append(ChecklistItem(name, gate, text, None, why_not))
        else:
            items.append(ChecklistItem(name, gate, text, *_judged(wanted, rules)))
    return tuple(items)


def _auto_check(phases: Sequence[Phase], number: int, place: int) -> Check:
    phase = next((phase for phase in phases if phase.number == number), None)
    if phase is None or place >= len(phase.checks):
        return Check("", None, "no task was seen")
    return phase.checks[place]


def _judged(wanted: Sequence[str], rules: Mapping[str, RuleReading]) -> tuple[bool | None, str]:
    """Whether all of `wanted` hold, and what proves that. One that finds something decides; one that did not run
    leaves it open."""
    readings = [(name, rules[name]) for name in wanted if name in rules]
    failed = [(name, one) for name, one in readings if one.status == "fail" and one.here]
    if failed:
        more = sum(one.here for _, one in failed) - 1
        name, first = failed[0]
        return False, f"{first.place} {name}" + (f" and {more} more" if more else "")
    silent = [(name, one) for name, one in readings if one.status == "not_run"]
    if silent:
        name, one = silent[0]
        return None, f"{name} was not run" + (f": {one.reason}" if one.reason else "")
    applied = [(name, one) for name, one in readings if one.status in ("pass", "fail")]
    if not applied:
        reason = next((one.reason for _, one in readings if one.reason), "")
        return None, "not applicable" + (f": {reason}" if reason else "")
    elsewhere = sum(one.elsewhere for _, one in applied)
    names = ", ".join(name for name, _ in applied)
    return True, f"{names}: nothing found" + (f" here, {elsewhere} in files it did not touch" if elsewhere else "")
