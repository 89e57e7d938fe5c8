"""Everything that is said of a prompt before the work starts, in one value (performance orchestrator)."""

from dataclasses import dataclass

from skills.orchestrator.delegates import ToolAdvice, called_agents, called_commands, called_tools
from skills.orchestrator.enhance import PATTERNS, Enhanced, Pattern, ProjectFacts, enhance
from skills.orchestrator.planning import Complexity, Plan, Tier, plan_prompt
from skills.orchestrator.score import named_targets
from skills.orchestrator.words import readable

MODELS: dict[Tier, str] = {
    "fast": "claude-haiku-4-5",
    "standard": "claude-sonnet-4-5",
    "premium": "claude-opus-4-5",
}
"""The model of each tier, as of 2026-11."""

_MINUTES: dict[Complexity, int] = {"low": 10, "medium": 30, "high": 60}
_FILES: dict[Complexity, int] = {"low": 1, "medium": 2, "high": 4}


@dataclass(frozen=True, slots=True)
class Estimate:
    """Files that will change and minutes that it will take, estimated; the middle of the complexity's class."""

    files: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """A plan with the enhanced prompt, whom to ask and what to expect."""

    plan: Plan
    model: str
    pattern: Pattern
    enhanced: Enhanced
    estimate: Estimate
    agents: tuple[str, ...]
    commands: tuple[str, ...]
    tools: tuple[ToolAdvice, ...]


def analyze_prompt(text: str, project: ProjectFacts | None = None) -> Analysis:
    """The analysis of a prompt against what is known of its project."""
    project = project or ProjectFacts()
    plan = plan_prompt(text, project.vocabulary)
    read = readable(text)
    estimate = estimate_work(read, plan)
    return Analysis(
        plan,
        MODELS[plan.tier],
        PATTERNS[plan.score.band],
        enhance(text, plan, project),
        estimate,
        called_agents(read, plan, estimate.minutes),
        called_commands(read),
        called_tools(read, project.servers),
    )


def estimate_work(text: str, plan: Plan) -> Estimate:
    """What a prompt lets expect, before the work."""
    if plan.task == "question":
        return Estimate(0, _MINUTES[plan.complexity] // 2)
    return Estimate(max(_FILES[plan.complexity], len(named_targets(text))), _MINUTES[plan.complexity])
