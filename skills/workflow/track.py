"""The day's own track: start, research, plan, build, secure, ship, end (workflow orchestrator), from evidence alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

DayStep = Literal["start", "research", "plan", "build", "secure", "ship", "end"]
STEPS: tuple[DayStep, ...] = ("start", "research", "plan", "build", "secure", "ship", "end")


@dataclass(frozen=True, slots=True)
class Sign:
    """What proves a step today, and when that was."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class TrackStep:
    """A step of the day: `current` is that of the newest sign, the others with a sign are `done`."""

    name: DayStep
    status: Literal["done", "current", "pending"]
    evidence: str = ""
    at: datetime | None = None


def day_track(signs: Mapping[DayStep, Sign | None]) -> tuple[TrackStep, ...]:
    """The seven steps. A step without a sign is pending, also where later ones have theirs: nothing is assumed."""
    seen = {name: sign for name in STEPS if (sign := signs.get(name)) is not None}
    newest = max(seen, key=lambda name: (seen[name].at, STEPS.index(name)), default=None)
    return tuple(
        TrackStep(name, "current" if name == newest else "done", seen[name].words, seen[name].at)
        if name in seen
        else TrackStep(name, "pending")
        for name in STEPS
    )
