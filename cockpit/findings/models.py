"""What the findings engine streams to the pane, to `cockpit check` and to `cockpit watch`."""

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from typing import Literal

from skills.gates.model import Check, Finding, Gate, Status, Tenancy
from skills.record import record

__all__ = ["Check", "CheckProblem", "FileCounts", "Finding", "FindingsSnapshot", "GateResult", "Tenancy", "TrendPoint"]


@record
class FileCounts:
    """How many files were seen, parsed anew, taken from the cache, and skipped (vendored, generated, unreadable)."""

    seen: int = 0
    parsed: int = 0
    cached: int = 0
    skipped: int = 0


@record
class CheckProblem:
    """A file that could not be judged, in one line."""

    path: str
    line: int
    message: str


@record
class GateResult:
    """What a gate says of the whole, and how many findings count against it."""

    gate: Gate
    status: Status
    count: int


@record
class TrendPoint:
    """One day of a repository: the places (functions, classes, module levels) that were checked by P1, and how many of
    them hold. `broken` are the places with a finding by rule; None where the day was noted without them."""

    date: date
    places: int
    holding: int
    broken: Mapping[str, int] | None = None

    @property
    def share(self) -> float:
        """From 0 to 1; 1 where nothing was checked."""
        return self.holding / self.places if self.places else 1.0


@record
class FindingsSnapshot:
    """The state of the findings after a check or a save.

    `findings` are unsuppressed, P0 first, then by path and line. `progress` is the share of files judged while a first
    check runs, None once done. `new` and `resolved` are the fingerprints that came and went with the last save
    (`saved` are its paths, `saves` its number: a second snapshot of one save has the same). `phase` says what runs;
    `note` what a person should know (polling, a missing tool). `trend` is the share of P1 by day, oldest first, today's
    last; the goal is 95 %.
    """

    root: str = ""
    findings: tuple[Finding, ...] = ()
    gates: tuple[GateResult, ...] = ()
    checks: tuple[Check, ...] = ()
    problems: tuple[CheckProblem, ...] = ()
    files: FileCounts = field(default_factory=FileCounts)
    tenancy: Tenancy | None = None
    progress: float | None = None
    new: frozenset[str] = frozenset()
    resolved: int = 0
    saved: tuple[str, ...] = ()
    saves: int = 0
    suppressed: int = 0
    at: datetime | None = None
    duration_ms: float = 0.0
    note: str = ""
    phase: Literal["checking", "ready"] = "checking"
    trend: tuple[TrendPoint, ...] = ()
