"""Answers about agents: sessions, prompts, tasks, skills, habits, blame, status, and the events of watch."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from cockpit.agents.models import Agent, ContextLevel, State
from cockpit.answers.base import Answer, Basis, MoneyBasis, Object
from skills.gates.model import Status
from skills.orchestrator.habit_models import PatternId
from skills.orchestrator.measures import MeasureId, MeasureStatus
from skills.orchestrator.model import PhaseStatus


class Context(TypedDict):
    """How full a session's context window is."""

    used: int
    window: int
    percent: float
    level: ContextLevel
    window_source: str


class PhaseCheck(TypedDict):
    """An automatic check of a phase; None: nobody can tell."""

    check: str
    holds: bool | None
    evidence: str


class PhaseRow(TypedDict):
    """One of the six phases of a session."""

    phase: int
    name: str
    status: PhaseStatus
    evidence: str
    checks: list[PhaseCheck]


class ChecklistItem(TypedDict):
    """An item of a change's checklist."""

    id: str
    gate: str
    check: str
    holds: bool | None
    evidence: str


class Session(TypedDict):
    """One agent session."""

    agent: Agent
    session: str
    cwd: str
    branch: str | None
    state: State
    waiting_for: str | None
    since: str | None
    phase: int | None
    phase_name: str | None
    context: Context | None
    usd: float | None
    floor: bool
    evidence: str
    prompt: str | None
    model: str | None
    pid: int | None
    last_event_at: str | None
    subagents: int
    subagents_active: int
    summary: str | None
    phases: list[PhaseRow]
    forecast: Object | None
    checklist: list[ChecklistItem]


class DayTrackStep(TypedDict):
    """A step of the day's own track."""

    step: str
    status: Literal["done", "current", "pending"]
    evidence: str
    at: str | None


class Sessions(Answer):
    """`cockpit sessions --json`."""

    sessions: list[Session]
    day: list[DayTrackStep]


class StatusContext(TypedDict):
    """The context of the session that this folder shows."""

    session: str
    percent: float
    level: ContextLevel


class StatusLine(Answer):
    """`cockpit status --json`; what is not known is null."""

    branch: str | None
    waiting: int | None
    busy: int | None
    context: StatusContext | None
    usd: float | None
    floor: bool
    p0: int | None
    p0_status: Status | None
    text: str


class HabitExample(TypedDict):
    """A case, with its line of the transcript."""

    agent: Agent
    session: str
    line: int
    text: str
    at: str | None
    seconds: float | None
    tokens: int | None
    usd: float | None
    floor: bool


class HabitRow(TypedDict):
    """A habit, what it cost, and where it happened."""

    id: PatternId
    count: int
    seconds: float | None
    tokens: int | None
    usd: float | None
    floor: bool
    status: Status
    basis: Basis
    reason: str | None
    examples: list[HabitExample]


class HabitWeek(TypedDict):
    """How often in a week."""

    week: str
    counts: dict[str, int]


class Measure(TypedDict):
    """One of the ten measures, with its denominator."""

    id: MeasureId
    title: str
    value: float | None
    floor: bool
    unit: str
    of: float | None
    of_what: str
    basis: Basis
    status: MeasureStatus
    detail: str
    parts: list[Object]
    weeks: list[Object]


class Habits(Answer):
    """`cockpit habits --json`."""

    patterns: list[HabitRow]
    weeks: list[HabitWeek]
    sessions: int
    measures: NotRequired[list[Measure]]


class BlameCommit(TypedDict):
    """The commit that a line is in."""

    sha: str
    author: str
    at: str
    subject: str


class Blame(Answer):
    """`cockpit blame PATH:LINE --json`; null where nobody's transcript says it."""

    path: str
    line: int
    text: str
    found: bool
    basis: Literal["edit", "commit", "none"]
    why: str
    sure: bool
    agent: Agent | None
    session: str | None
    subagent: str | None
    transcript_line: int | None
    prompt: str | None
    prompt_line: int | None
    step: str | None
    tool: str | None
    model: str | None
    at: str | None
    tokens: int | None
    usd: float | None
    floor: bool
    calls: int
    cost_basis: MoneyBasis | None
    commit: BlameCommit | None


class Event(TypedDict):
    """`cockpit watch --json`: one a line; `data` is as in the command's own rows."""

    event: Literal["finding.added", "finding.resolved", "check.done", "worktree", "spend", "phase", "session"]
    at: str
    data: Object


class RecordedLine(TypedDict):
    """One line of `cockpit record`: the heading with `kind`, then a snapshot of a `pane`."""

    at: str
    kind: NotRequired[Literal["recording"]]
    cockpit: NotRequired[str]
    version: NotRequired[Literal[1]]
    repository: NotRequired[str]
    root: NotRequired[str]
    pane: NotRequired[Literal["worktrees", "budget", "phase", "findings"]]
    snapshot: NotRequired[Object]
