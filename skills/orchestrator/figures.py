"""What one session shows beside its habits: the denominators of the measures (performance orchestrator, measures)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from skills.orchestrator.analysis import estimate_work
from skills.orchestrator.events import Compaction, ContextPoint, Prompt, Text, TurnEnd
from skills.orchestrator.habit_models import SessionRecord
from skills.orchestrator.planning import plan_prompt
from skills.orchestrator.shell import check_kind, status_tells
from skills.orchestrator.tool_use import ToolUse


@dataclass(frozen=True, slots=True)
class TaskFigure:
    """One task: what was estimated from its prompt, and what was measured. Minutes are of the clock; dollars computed,
    None where a request has no known price."""

    at: datetime | None
    files_estimated: int
    files: int
    minutes_estimated: int
    minutes: float | None
    usd: float | None


@dataclass(frozen=True, slots=True)
class SessionFigures:
    """`worked` is the sum of seconds from each prompt to the last that came of it. Checks are runs of tests, linters,
    types and gates: passed, failed, and those whose status was not kept. Contexts are tokens, None where no
    request tells."""

    at: datetime | None
    calls: int
    worked: float
    claims: int
    passed: int
    failed: int
    unknown: int
    delegations: int
    context_start: int | None
    context_peak: int | None
    window: int
    compactions: int
    tasks: tuple[TaskFigure, ...]


def session_figures(record: SessionRecord, uses: list[ToolUse]) -> SessionFigures:
    """The figures of one session."""
    points = [event.used for _, event in record.events if isinstance(event, ContextPoint)]
    outcomes = [_outcome(use) for use in uses if use.role == "check" or _checks(use)]
    return SessionFigures(
        next((event.at for _, event in record.events if event.at is not None), None),
        len(uses),
        _worked(record),
        sum(len(event.claims) for _, event in record.events if isinstance(event, Text)),
        outcomes.count(True),
        outcomes.count(False),
        outcomes.count(None),
        sum(1 for use in uses if use.role == "agent"),
        points[0] if points else None,
        max(points, default=None),
        record.window,
        sum(1 for _, event in record.events if isinstance(event, Compaction)),
        tuple(_tasks(record, uses)),
    )


def _worked(record: SessionRecord) -> float:
    seconds, begun, last = 0.0, None, None
    for _, event in record.events:
        if isinstance(event, Prompt):
            seconds += (last - begun).total_seconds() if begun and last else 0.0
            begun = last = event.at
        elif event.at is not None and begun is not None:
            last = max(last or event.at, event.at)
    return max(0.0, seconds + ((last - begun).total_seconds() if begun and last else 0.0))


def _checks(use: ToolUse) -> bool:
    return use.call.name == "Bash" and check_kind(use.call.command) is not None


def _outcome(use: ToolUse) -> bool | None:
    """Whether a check passed; None while it runs or where its status is hidden."""
    if use.result is None or use.call.background:
        return None
    if use.result.failed:
        return False
    return True if status_tells(use.call.command) else None


def _tasks(record: SessionRecord, uses: list[ToolUse]) -> Iterator[TaskFigure]:
    """Every prompt after which files changed, with what its words let expect."""
    starts = [place for place, (_, event) in enumerate(record.events) if isinstance(event, Prompt)]
    for number, (start, end) in enumerate(pairwise([*starts, len(record.events)]), 1):
        prompt = record.events[start][1]
        own = [use for use in uses if use.prompt == number]
        changed = {use.call.target for use in own if use.changes}
        if not changed or not isinstance(prompt, Prompt):
            continue
        estimate = estimate_work(prompt.text, plan_prompt(prompt.text))
        within = [event for _, event in record.events[start:end]]
        last = max((event.at for event in within if event.at is not None), default=None)
        ended = next((event.at for event in reversed(within) if isinstance(event, TurnEnd)), None) or last
        minutes = (ended - prompt.at).total_seconds() / 60 if ended and prompt.at else None
        steps = {event.message_id for event in within if isinstance(event, ContextPoint)}
        prices = [record.requests[step].usd for step in steps if step in record.requests]
        known = [price for price in prices if price is not None]
        usd = sum(known) if known and len(known) == len(prices) else None
        yield TaskFigure(prompt.at, estimate.files, len(changed), estimate.minutes, minutes, usd)
