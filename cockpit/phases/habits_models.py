"""Habits and measures as their screen shows them."""

from dataclasses import dataclass

from cockpit.agents.models import Agent
from skills.orchestrator.habit_models import HabitRow, Week
from skills.orchestrator.measures import Measure


@dataclass(frozen=True, slots=True)
class HabitsView:
    """Habits of `sessions` transcripts with their weeks; `measures` is None until they were taken, `agents` are
    those whose sessions were read."""

    rows: tuple[HabitRow, ...]
    weeks: tuple[Week, ...]
    sessions: int
    problems: tuple[str, ...] = ()
    measures: tuple[Measure, ...] | None = None
    agents: tuple[Agent, ...] = ()
