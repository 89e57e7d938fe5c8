"""Task class, complexity, skills and model tier of a prompt (performance orchestrator, workflow planning)."""

import re
from typing import Literal

from skills.orchestrator import words
from skills.orchestrator.risk import Risk, RiskLevel, assess_risk
from skills.orchestrator.score import PromptScore, Vocabulary, named_targets, score_prompt
from skills.orchestrator.task_class import Task, classify_task
from skills.record import record

Complexity = Literal["low", "medium", "high"]
Tier = Literal["fast", "standard", "premium"]

FLOWS: dict[Task, tuple[str, ...]] = {
    "bug": ("symptom", "diagnosis", "fix", "test"),
    "feature": ("requirements", "design", "implement", "test"),
    "refactor": ("audit", "plan", "refactor", "validate"),
    "question": ("research", "synthesise", "answer with examples"),
}
CONFIDENCE: dict[Complexity, float] = {"low": 0.95, "medium": 0.8, "high": 0.6}


@record
class SkillCall:
    """A skill that the prompt's keywords call for, with its priority."""

    name: str
    priority: Literal["P0", "P1", "P2", "P3"]


@record
class Plan:
    """What a prompt asks for. `task_word` is the word that decided the class, empty where nothing did."""

    score: PromptScore
    risk: Risk
    task: Task
    task_word: str
    complexity: Complexity
    complexity_why: str
    tier: Tier
    thinking_tokens: int
    skills: tuple[SkillCall, ...]

    @property
    def flow(self) -> tuple[str, ...]:
        """The steps that a task of its kind goes through."""
        return FLOWS[self.task]

    @property
    def confidence(self) -> float:
        """How sure the plan is (0–1): the less, the more complex the task."""
        return CONFIDENCE[self.complexity]


_SKILLS: tuple[tuple[SkillCall, re.Pattern[str]], ...] = tuple(
    (SkillCall(name, priority), re.compile(pattern, re.IGNORECASE))  # type: ignore[arg-type]
    for name, priority, pattern in (
        ("multi-tenant-guardian", "P0", r"\bbinora\b|multi-?tenan|\btenant(?:_id)?s?\b|\bcompany_id\b"),
        ("django-architecture-enforcer", "P0", r"\w*ViewSets?\b|\bdef create\b|\bserializer\.save\b"),
        (
            "django-query-optimizer",
            "P1",
            r"\.objects\.|\bselect_related\b|\bprefetch_related\b|\bN\+1\b|\bquerysets?\b",
        ),
        (
            "postgresql-performance",
            "P1",
            r"\bindex(?:es)?\b|\bmigrations?\b|\bslow quer(?:y|ies)\b|\bEXPLAIN\s+(?:ANALYZE|SELECT)",
        ),
        ("django-testing-patterns", "P1", r"\btest(?:s|ing)?\b|\bpytest\b|\bmocker\b|\bcoverage\b"),
        ("drf-serializer-patterns", "P2", r"\w*serializers?\b"),
        ("code-style-enforcer", "P2", r"\btype[ -]hints?\b|\bimports?\b|\bcomments?\b|__all__"),
        ("openapi-contract-validator", "P3", r"\bopenapi\b|\bcontracts?\b|\bschemas?\b"),
    )
)
_WIDE = re.compile(
    r"(?<![\w.])(?:(?<!at )all(?!\(|\s+(?:the\s+|unit\s+)*tests?\s+(?:\w+\s+)?pass)|every(?! (?:single )?"
    r"(?:night|day|hour|minute|second|week|month|time|morning|evening|monday|friday|\d))|across|"
    r"architecture|architectural|"
    r"redesign|re-?architect|migration|migrate|todos los|todas las|"
    r"cada(?! (?:noche|día|hora|minuto|segundo|semana|mes|vez|mañana|\d))|"
    r"arquitectura|rediseña\w*|migración|migra\w*)(?!\w)",
    re.IGNORECASE,
)
_RANK: dict[Complexity, int] = {"low": 0, "medium": 1, "high": 2}


def plan_prompt(text: str, vocabulary: Vocabulary | None = None) -> Plan:
    """Everything that can be said of a prompt before the work starts."""
    risk = assess_risk(text)
    text = words.readable(text)
    task, word = classify_task(text)
    skills = called_skills(text)
    complexity, why = estimate_complexity(text, len(skills))
    tier, thinking = choose_tier(complexity, risk.level)
    return Plan(score_prompt(text, vocabulary), risk, task, word, complexity, why, tier, thinking, skills)


def called_skills(text: str) -> tuple[SkillCall, ...]:
    """The skills that the words of a prompt call for, the most important first."""
    return tuple(skill for skill, pattern in _SKILLS if pattern.search(text))


def estimate_complexity(text: str, skills: int) -> tuple[Complexity, str]:
    """Complexity before the work: targets named, skills called for, words of breadth; the highest wins."""
    named = len(named_targets(text))
    axes: list[tuple[Complexity, str]] = [
        ("low" if named <= 1 else "medium" if named <= 3 else "high", f"{named} named"),
        ("low" if skills <= 1 else "medium" if skills <= 3 else "high", f"{skills} skills"),
    ]
    if wide := _WIDE.search(text):
        axes.append(("high", wide.group().lower()))
    return max(axes, key=lambda axis: _RANK[axis[0]])


def choose_tier(complexity: Complexity, risk: RiskLevel) -> tuple[Tier, int]:
    """Model tier and thinking tokens by complexity and risk; the first row that fits wins."""
    if risk == "CRITICAL" or complexity == "high":
        return "standard", 8192
    if complexity == "medium":
        return "standard", 4096 if risk == "HIGH" else 2048
    return "fast", 0


def tier_of_model(model: str | None) -> Tier | None:
    """The tier of a model by its family name, None where that does not tell."""
    name = (model or "").lower()
    if "haiku" in name:
        return "fast"
    if "sonnet" in name:
        return "standard"
    return "premium" if "opus" in name else None
