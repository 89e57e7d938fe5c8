"""In which state a session is, and from what that was read: the best evidence wins, and is named."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from cockpit.agents.models import State
from cockpit.agents.registry import Registered
from skills.orchestrator.events import ContextPoint, Event, SessionExit, Text
from skills.orchestrator.task import TaskFacts
from skills.orchestrator.tool_use import ToolUse
from skills.record import record

QUIET = timedelta(minutes=30)  # a call without an answer for longer is not taken for work any more
SILENT = timedelta(minutes=10)  # nothing at all after a prompt or a result
SAID = timedelta(minutes=2)  # older transcripts do not mark the end of a turn: a last word, then nothing
ENDED = timedelta(hours=24)

_GENERIC = re.compile(r"(?:approve|permission|input|dialog|worker|sandbox|tool)\b", re.IGNORECASE)
_QUESTIONS = frozenset({"AskUserQuestion", "ExitPlanMode", "exit_plan_mode"})


@record
class StateReading:
    """A state, since when, for what it waits, and what it was read from."""

    state: State
    since: datetime | None
    waiting_for: str | None
    evidence: str


@record
class Activity:
    """What the transcript says: the task's facts and events, whether the program was left, the last sign of life."""

    facts: TaskFacts
    events: list[Event]
    exited: bool
    last_at: datetime | None


@record
class Sign:
    """What something else than registry and transcript says of a session, e.g. an event of a hook, and when."""

    at: datetime
    reading: StateReading


def read_state(
    entry: Registered | None,
    activity: Activity,
    now: datetime,
    *,
    registry_in_use: bool,
    process: int | None = None,
    signs: Iterable[Sign] = (),
) -> StateReading:
    """The state of a session, by the best evidence that there is: a process that is gone, what the registry says, the
    newest of `signs` that is not older than the transcript, the transcript.

    `registry_in_use` says that the program keeps a registry here, so that a session without an entry has no process.
    `process` is the agent's process in the session's folder where no registry is kept (0: there is none, None: the
    system does not tell).
    """
    if entry is not None and not entry.alive:
        return StateReading("ended", activity.last_at, None, f"session registry: process {entry.pid} is gone")
    if entry is not None and entry.status is not None:
        return _registered(entry, activity)
    reading = _newest_sign(signs, activity) or _from_transcript(activity, now)
    if process is not None:
        return _with_process(process, reading, activity)
    if entry is not None:
        if reading.state == "ended":
            reading = StateReading("idle", reading.since, None, reading.evidence)
        return StateReading(
            reading.state,
            reading.since,
            reading.waiting_for,
            f"process {entry.pid} lives, it names no state; {reading.evidence}",
        )
    quiet = activity.last_at is None or now - activity.last_at > QUIET
    if registry_in_use and quiet and reading.state != "ended":
        return StateReading("ended", activity.last_at, None, f"no process is registered; {reading.evidence}")
    return reading


def _newest_sign(signs: Iterable[Sign], activity: Activity) -> StateReading | None:
    told = [sign for sign in signs if activity.last_at is None or sign.at >= activity.last_at]
    return max(told, key=lambda sign: sign.at).reading if told else None


def _with_process(process: int, reading: StateReading, activity: Activity) -> StateReading:
    """What the transcript says, corrected by whether the agent still runs in the folder."""
    if not process and reading.state != "ended":
        return StateReading("ended", activity.last_at, None, f"no process in its folder; {reading.evidence}")
    if process and reading.state == "ended":
        return StateReading("idle", reading.since, None, f"process {process} lives; {reading.evidence}")
    told = f"process {process} lives; " if process else ""
    return StateReading(reading.state, reading.since, reading.waiting_for, told + reading.evidence)


def _registered(entry: Registered, activity: Activity) -> StateReading:
    since = entry.status_since or entry.updated_at
    told = f"session registry: {entry.status}, process {entry.pid}"
    if entry.status == "waiting":
        return StateReading("waiting", since, _asks(entry.waiting_for, activity.facts), told)
    if entry.status == "idle":
        return StateReading("idle", since, None, told)
    return StateReading("busy", since, None, told)


def _asks(said: str | None, facts: TaskFacts) -> str:
    """For what it waits: the pending call says it more exactly than the registry's own general words."""
    if facts.pending and (said is None or _GENERIC.match(said)):
        return wanted(facts.pending[-1])
    return said or "an answer"


def wanted(made: ToolUse) -> str:
    """What a call that waits for a person wants, e.g. `run "git push"?`."""
    call = made.call
    if call.name == "AskUserQuestion":
        return call.target
    if call.name in _QUESTIONS:
        return "approve the plan?"
    if call.name == "Bash":
        return f'run "{call.target}"?'
    if made.role == "change":
        return f"change {call.target}?"
    return f"use {call.name} {call.target}".rstrip() + "?"


def _from_transcript(activity: Activity, now: datetime) -> StateReading:
    facts, last = activity.facts, activity.last_at
    age = now - last if last is not None else None
    if activity.exited:
        return StateReading("ended", last, None, "transcript: the program was left")
    if age is None:
        return StateReading("idle", None, None, "transcript: no time in it")
    if age > ENDED:
        return StateReading("ended", last, None, f"transcript: nothing for {_spoken(age)}")
    if facts.turn_end is not None:
        how = {"interrupted": "was interrupted", "error": "ended with an error"}.get(
            facts.turn_end.stop_reason, "ended"
        )
        return StateReading("idle", facts.turn_end.at or last, None, f"transcript: the turn {how}")
    if age > QUIET:
        return StateReading("idle", last, None, f"transcript: nothing for {_spoken(age)}")
    if facts.pending:
        return _pending(facts.pending, activity)
    newest = _newest(activity.events)
    if age > (SAID if isinstance(newest, Text) else SILENT):
        return StateReading("idle", last, None, f"transcript: nothing for {_spoken(age)}")
    return StateReading("busy", _began(activity), None, "transcript: the turn goes on")


def _pending(pending: list[ToolUse], activity: Activity) -> StateReading:
    question = next((made for made in pending if made.call.name in _QUESTIONS), None)
    if question is not None:
        return StateReading(
            "waiting", question.at, wanted(question), f"transcript: {question.call.name} has no answer yet"
        )
    return StateReading("busy", _began(activity), None, f"transcript: {pending[-1].call.name} has no result yet")


def _newest(events: list[Event]) -> Event | None:
    return next((event for event in reversed(events) if not isinstance(event, ContextPoint | SessionExit)), None)


def _began(activity: Activity) -> datetime | None:
    return next((event.at for event in activity.events if event.at is not None), activity.last_at)


def _spoken(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} days"
