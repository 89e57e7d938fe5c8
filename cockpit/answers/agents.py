"""Answers about agents: sessions, prompts, tasks, skills, habits, blame, status, and the events of watch."""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from cockpit.agents.models import Agent, ContextLevel, State
from cockpit.answers.base import Answer, Basis, MoneyBasis, Object, Status
from skills.orchestrator.enhance import Pattern
from skills.orchestrator.habits import PatternId
from skills.orchestrator.measures import MeasureId, MeasureStatus
from skills.orchestrator.model import PhaseStatus
from skills.orchestrator.planning import Complexity, Tier
from skills.orchestrator.risk import RiskLevel
from skills.orchestrator.score import Band
from skills.orchestrator.task_class import Task
from skills.routing.catalogue import Lane
from skills.routing.route import Stage


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


class BreakdownRow(TypedDict):
    """One part of a prompt's score."""

    item: str
    points: int
    max: int
    why: str
    dimension: str


class RiskKeyword(TypedDict):
    """A word that says risk, and where it stands in the prompt."""

    keyword: str
    level: RiskLevel
    offset: int


class Risk(TypedDict):
    """The highest level, and what says so."""

    level: RiskLevel
    keywords: list[RiskKeyword]


class ModelChoice(TypedDict):
    """The model that the task asks for."""

    tier: Tier
    id: str | None
    thinking_tokens: int


class SkillChoice(TypedDict):
    """A skill that the task asks for."""

    name: str
    priority: str


class ToolChoice(TypedDict):
    """What is needed, and with what it is done."""

    need: str
    first: str
    fallback: str
    available: bool | None


class Estimate(TypedDict):
    """How much work it looks like."""

    files: int
    minutes: int


class Analyze(Answer):
    """`cockpit analyze PROMPT --json`."""

    score: int
    raw: int
    band: Band
    breakdown: list[BreakdownRow]
    missing: list[str]
    risk: Risk
    task: Task
    complexity: Complexity
    model: ModelChoice
    skills: list[SkillChoice]
    agents: list[str]
    commands: list[str]
    pattern: Pattern
    enhanced: str
    enhanced_score: int
    flow: list[str]
    confidence: float
    estimate: Estimate
    tools: list[ToolChoice]
    questions: list[str]
    complexity_why: str
    task_why: str


class AgentTerm(TypedDict):
    """One term of an agent's score."""

    why: str
    points: float


class AgentRow(TypedDict):
    """An agent and its score for the task."""

    name: str
    score: float
    installed: str | None
    derived: bool
    history: Object | None
    terms: list[AgentTerm]


class AgentChoice(AgentRow):
    """The agent that is chosen, and those after it."""

    confidence: float
    alternatives: list[AgentRow]
    fallback: str | None
    task_type: str | None
    leaf: str | None


class Route(Answer):
    """`cockpit route TASK --json`."""

    lane: Lane
    stage: Stage
    spokes: list[str]
    core: bool
    test_implications: list[str]
    security_implications: list[str]
    next_action: str
    reasons: list[str]
    agent: AgentChoice
    stages: list[Stage]
    ambiguous: list[Any]


class LaneEvidence(TypedDict):
    """What lights a lane here."""

    lane: Lane
    folder: str
    why: str
    firm: bool


class MapAgent(TypedDict):
    """An agent of the map, with how its runs went."""

    name: str
    category: str
    specialty: str | None
    installed: str | None
    derived: bool
    history: Object | None


class TreeLeaf(TypedDict):
    """A question of a decision tree, and the agent that it leads to."""

    tree: Literal["debugging", "development"]
    question: str
    agent: str


class RouteMap(Answer):
    """`cockpit route --map --json`."""

    lanes: dict[Lane, dict[Stage, list[str]]]
    evidence: list[LaneEvidence]
    agents: list[MapAgent]
    trees: list[TreeLeaf]


class FrameworkPoints(TypedDict):
    """How many answers speak for each."""

    django: int
    fastapi: int


class FrameworkQuestion(TypedDict):
    """A question and its answer."""

    id: str
    side: Literal["django", "fastapi"]
    question: str
    answer: bool


class RouteDecide(Answer):
    """`cockpit route --decide --json`."""

    framework: Literal["django", "fastapi"]
    points: FrameworkPoints
    why: str
    questions: list[FrameworkQuestion]
    adr: str | None


class BodyTokens(TypedDict):
    """What a skill's text costs in context."""

    body: int
    basis: Basis


class SkillTokens(BodyTokens):
    """With its line in the list of skills."""

    listing: int
    total: int


class SkillRow(TypedDict):
    """A skill: whether it is offered, called for and used."""

    name: str
    origin: str
    priority: str | None
    description: str
    installed: list[str]
    offered: int
    offered_basis: Basis
    eligible: int
    used: int
    missed: int
    tokens: SkillTokens
    listed: str | None
    errors: int


class SkillListing(TypedDict):
    """The room that an agent gives to its list of skills."""

    budget: int
    used: int
    unit: str
    lost: list[str]


class SkillsList(Answer):
    """`cockpit skills list --json`."""

    skills: list[SkillRow]
    listing: SkillListing
    commands: list[str]
    sessions: int
    prompts: int
    notes: list[str]


class SkillText(TypedDict):
    """A skill in full."""

    name: str
    place: str
    places: list[str]
    fields: Object
    text: str
    tokens: BodyTokens


class SkillsShow(Answer):
    """`cockpit skills show NAME --json`."""

    skills: list[SkillText]


class LintedSkill(TypedDict):
    """A skill against the standard."""

    name: str
    path: str
    status: Status
    tokens: BodyTokens
    listed: str | None
    problems: list[Object]


class SkillsLint(Answer):
    """`cockpit skills lint PATH --json`."""

    skills: list[LintedSkill]
    duplicates: list[Any]
    listing: SkillListing


class InstalledSkill(TypedDict):
    """What is done, or would be, with one file."""

    name: str
    kind: str
    agent: str
    path: str
    action: str
    changed: bool
    why: str | None
    diff: str | None


class SkillsInstall(Answer):
    """`cockpit skills install NAME --json`."""

    skills: list[InstalledSkill]
    dry_run: bool


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


class HabitRow(TypedDict):
    """A habit, what it cost, and where it happened."""

    id: PatternId
    count: int
    seconds: float | None
    tokens: int | None
    usd: float | None
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
