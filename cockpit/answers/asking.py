"""Answers about a task before it begins: prompts, routes, the lanes and agents that there are."""

from typing import Literal

from typing_extensions import TypedDict

from cockpit.answers.base import Answer, Object
from skills.orchestrator.enhance import Pattern
from skills.orchestrator.planning import Complexity, Tier
from skills.orchestrator.risk import RiskLevel
from skills.orchestrator.score import Band
from skills.orchestrator.task_class import Task
from skills.routing.catalogue import Lane
from skills.routing.route import Stage


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
    ambiguous: list[Lane]


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
