"""Which agent a task goes to: the role first, then what is installed of it (workflow orchestrator, agent routing)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from skills.orchestrator.words import WORD, WRITE_VERBS
from skills.routing.catalogue import (
    DOMAINS,
    FALLBACK,
    LEAVES,
    ROLES,
    SPANISH,
    TASK_TYPES,
    WEAK,
    Lane,
    Leaf,
    Role,
    TaskType,
)

LEAST = 40
NEUTRAL = 10.0
FEWEST_RUNS = 3

Origin = Literal["project", "user", "plugin", "built-in"]
_ORIGINS: tuple[Origin, ...] = ("project", "user", "plugin", "built-in")
_SMALL = frozenset(
    [
        *("about", "after", "agent", "agents", "also", "before", "code", "expert", "from", "help", "into", "must"),
        *("only", "other", "should", "specialist", "task", "tasks", "that", "their", "them", "then", "this", "tool"),
        *("tools", "used", "user", "uses", "using", "what", "when", "where", "which", "with", "work", "your"),
    ]
)


@dataclass(frozen=True, slots=True)
class Installed:
    """An agent that exists here. `name` is as it is called (`plugin:agent` for a plugin's)."""

    name: str
    origin: Origin
    description: str = ""

    @property
    def role(self) -> str:
        """Its name without the plugin's."""
        return self.name.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class Record:
    """How often an agent of a role ran, and how often it did not fail.

    `seconds` is the median run, `tokens` all that its runs took, each None where none says it; `tasks` are the types of
    task that it got, the most frequent first.
    """

    runs: int
    successes: int
    seconds: float | None = None
    tokens: int | None = None
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A role with its score (0-100) and the points that make it; `instance`: what is installed of it, None: nothing."""

    name: str
    score: float
    terms: tuple[tuple[str, float], ...]
    instance: str | None
    derived: bool
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """The best role. `fallback` is what to use where it is not installed; `confidence` is best minus second."""

    best: Candidate
    confidence: float
    alternatives: tuple[Candidate, ...]
    task_type: TaskType | None
    fallback: str | None
    leaf: str


def select_agent(
    task: str, lane: Lane | None, installed: Iterable[Installed] = (), history: Mapping[str, Record] | None = None
) -> Selection:
    """The agent for a task. Below 40 points it is the general one."""
    have = _instances(installed)
    words = _spoken(task)
    kind = task_type(task)
    roles = [*ROLES.values(), *_own_roles(have)]
    if lane in ("django", "fastapi", "ml") and WRITE_VERBS.intersection(words.lower().split()):
        words += f" {lane}"  # the repository says it as plainly as a word would
    scored = [_candidate(role, words, kind, lane, have, history or {}) for role in roles if role.name != FALLBACK]
    leaf = _leaf(words)
    preferred = leaf.role if leaf else ""
    scored.sort(key=lambda one: (-one.score, one.name != preferred, not _named(one.name, kind), one.name))
    first, second = scored[0], scored[1]
    if first.score < LEAST:
        general = Candidate(FALLBACK, 0.0, (), FALLBACK, True)
        return Selection(general, 0.0, tuple(scored[:3]), kind, None, "")
    fallback = None
    if first.instance is None:
        fallback = next((one.instance for one in scored if one.instance and one.score >= LEAST), None) or FALLBACK
    said = leaf.question if leaf and leaf.role == first.name else ""
    return Selection(first, first.score - second.score, tuple(scored[1:4]), kind, fallback, said)


@dataclass(frozen=True, slots=True)
class AgentRow:
    """One role of the catalogue, or one that is installed and in no catalogue. `instance`: None, nothing installed."""

    name: str
    category: str
    specialty: TaskType | None
    instance: str | None
    derived: bool
    record: Record | None


def agent_rows(installed: Iterable[Installed], history: Mapping[str, Record]) -> tuple[AgentRow, ...]:
    """Both the catalogue and what else is installed, by category, with what is installed and how its runs went."""
    have = _instances(installed)
    rows = []
    for role in [*ROLES.values(), *_own_roles(have)]:
        there = have[role.name].name if role.name in have else None
        built_in = role.name if not role.plugins and role.name in ROLES else None
        record = history.get(role.name)
        rows.append(AgentRow(role.name, role.category, role.specialty, there or built_in, role.derived, record))
    return tuple(rows)


def task_type(task: str) -> TaskType | None:
    """The type of a task by its keywords; the first of equals in the order of the source. None: no keyword."""
    words = _spoken(task)
    points = {kind: _said(kind, words) for kind in TASK_TYPES}
    best = max(points, key=lambda kind: points[kind])
    return best if points[best] else None


def _said(kind: TaskType, words: str) -> float:
    """How much the keywords of a type say in a task: 1 a keyword, half where it is a weak one."""
    return sum(_weight(word) for word in _found(TASK_TYPES[kind], words))


def _candidate(
    role: Role,
    words: str,
    kind: TaskType | None,
    lane: Lane | None,
    have: Mapping[str, Installed],
    history: Mapping[str, Record],
) -> Candidate:
    keywords = min(40.0, sum(10 * _weight(word) for word in _found(role.keywords, words)))
    fits = 15.0 if _capable(role.name, words) else 0.0
    if kind is not None and role.specialty == kind:
        # One weak word is half a reason for a role that nothing in the task names.
        fits = 30.0 if keywords or fits or _said(kind, words) >= 1 else 15.0
    record = history.get(role.name)
    past = NEUTRAL
    if record is not None and record.runs >= FEWEST_RUNS:
        past = 20 * (record.successes + 1) / (record.runs + 2)
    context = 10.0 if lane is not None and lane in role.lanes else 0.0
    terms = (("keywords", keywords), ("task type", fits), ("past", round(past, 1)), ("context", context))
    instance = role.name if not role.plugins and role.name in ROLES else None
    if role.name in have:
        instance = have[role.name].name
    return Candidate(role.name, round(sum(points for _, points in terms), 1), terms, instance, role.derived, record)


def _capable(name: str, words: str) -> bool:
    """Whether the name of the role, or a domain that is its own, stands in the task."""
    if any(role == name and _found((domain,), words) for domain, role in DOMAINS.items() if domain not in WEAK):
        return True
    stems = [part for part in re.split(r"[-_]", name.lower()) if part not in _TITLES]
    return bool(_found(tuple(stems), words))


_TITLES = frozenset(
    [
        *("pro", "engineer", "architect", "developer", "specialist", "expert", "builder", "coder", "manager"),
        *("responder", "reviewer", "orchestrator", "optimizer", "verifier", "review", "general", "purpose", "sdk"),
        *("agent", "code", "backend", "claude", "guide"),
    ]
)


def _named(name: str, kind: TaskType | None) -> bool:
    return kind is not None and kind.partition("_")[0].removesuffix("ing")[:6] in name


def _instances(installed: Iterable[Installed]) -> dict[str, Installed]:
    """The instance to use of each role: a project's before the person's before a plugin's, then by name."""
    order = sorted(installed, key=lambda one: (_ORIGINS.index(one.origin), one.name))
    found: dict[str, Installed] = {}
    for one in order:
        found.setdefault(one.role, one)
    return found


def _own_roles(have: Mapping[str, Installed]) -> list[Role]:
    """Agents that are installed and in no catalogue, with keywords from their own description."""
    own = []
    for name, one in have.items():
        if name not in ROLES:
            words = [word.lower() for word in WORD.findall(f"{name} {one.description[:300]}")]
            keywords = tuple(dict.fromkeys(word for word in words if len(word) > 3 and word not in _SMALL))[:12]
            own.append(Role(name, "Installed here", None, (one.origin,), keywords, True))
    return own


def _leaf(words: str) -> Leaf | None:
    return next((leaf for leaf in LEAVES if all(_found(group, words) for group in leaf.words)), None)


def _spoken(task: str) -> str:
    """The task with the keywords that its Spanish words stand for."""
    extra = [SPANISH[word] for word in (found.lower() for found in WORD.findall(task)) if word in SPANISH]
    return f"{task} {' '.join(extra)}" if extra else task


def _weight(word: str) -> float:
    return 0.5 if word in WEAK else 1.0


def _found(keywords: Iterable[str], words: str) -> list[str]:
    return [word for word in dict.fromkeys(keywords) if word and _word(word).search(words)]


@lru_cache(maxsize=1024)
def _word(word: str) -> re.Pattern[str]:
    """A keyword as a whole word, also inflected (deploys, deployment, caching for cache)."""
    stem = word[:-1] if word.endswith(("e", "y")) else word.removesuffix("s") if len(word) > 4 else word
    ending = r"(?:e|y|ies|es|s|ed|d|ing|er|ment|ments|ication|ization|s)?"
    return re.compile(rf"(?<![\w-]){re.escape(stem)}{ending}(?![\w-])", re.IGNORECASE)
