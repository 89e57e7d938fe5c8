"""Whether skills are offered, called for and really loaded, from what sessions show (skill activation)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import median

from skills.orchestrator.planning import called_skills
from skills.orchestrator.words import WORD, WRITE_VERBS
from skills.routing.lanes import LaneEvidence
from skills.routing.route import SPOKES, route_task

FEWEST_WORDS = 2
"""So many different words of a description must stand in a prompt, before it calls for a skill that no rule knows."""

_KEYWORD_SKILLS = frozenset(
    [
        *("multi-tenant-guardian", "django-architecture-enforcer", "django-query-optimizer", "postgresql-performance"),
        *("django-testing-patterns", "drf-serializer-patterns", "code-style-enforcer", "openapi-contract-validator"),
    ]
)
_ROUTED = frozenset(
    [
        *(name for lanes in SPOKES.values() for stage in lanes.values() for name in stage),
        *("django-celery", "recsys-pipeline-architect"),
    ]
)
_COMMON = frozenset(
    [
        *("about", "adds", "after", "also", "answer", "asked", "backend", "before", "between", "build", "building"),
        *("change", "changed", "changes", "changing", "check", "code", "comes", "design", "every", "file", "files"),
        *("first", "from", "have", "help", "into", "looks", "make", "need", "needed", "only", "other", "project"),
        *("python", "review", "reviewing", "should", "skill", "somebody", "such", "tests", "that", "their", "them"),
        *("then", "there", "these", "this", "those", "used", "user", "using", "what", "when", "whenever", "where"),
        *("which", "while", "with", "without", "work", "writing", "written", "your"),
    ]
)


@dataclass(frozen=True, slots=True)
class Load:
    """A skill was loaded. `tokens` are what the context gained by it, None where other things came with it.

    `typed`: the person called it by its slash, which may as well have been a command.
    """

    name: str
    tokens: int | None = None
    typed: bool = False


@dataclass(frozen=True, slots=True)
class SessionUse:
    """One session: the prompts of the person, the skills loaded, and those in the list that the agent was given.

    `offered` is None where the transcript holds no list; `began` in seconds since 1970, 0 where unknown. `agent` is
    whose session it is.
    """

    prompts: tuple[str, ...] = ()
    loads: tuple[Load, ...] = ()
    offered: frozenset[str] | None = None
    began: float = 0.0
    agent: str = "claude"


@dataclass(slots=True)
class Figures:
    """Sums of one skill; `estimated` while any session had to be guessed from when the skill was installed."""

    offered: int = 0
    estimated: bool = False
    eligible: int = 0
    missed: int = 0
    loaded: int = 0
    sizes: list[int] = field(default_factory=list)

    @property
    def body_tokens(self) -> int | None:
        """The median of what its loads added, None where none shows it alone."""
        return round(median(self.sizes)) if self.sizes else None


def count_uses(
    sessions: Iterable[SessionUse],
    descriptions: Mapping[str, str],
    installed: Mapping[tuple[str, str], float],
    evidence: Iterable[LaneEvidence] = (),
) -> dict[str, Figures]:
    """The figures of every skill in `descriptions` (name → description), and of any other that was loaded.

    `installed` says since when an agent has a skill, by (agent, name), in seconds since 1970. A prompt that calls for a
    skill is missed where its session was offered the skill and did not load it.
    """
    known = tuple(evidence)
    found = {name: Figures() for name in descriptions}
    for session in sessions:
        loads = [load for load in session.loads if not load.typed or load.name in found]
        loaded = [load.name for load in loads]
        for load in loads:
            figures = found.setdefault(load.name, Figures())
            figures.loaded += 1
            figures.sizes += [] if load.tokens is None else [load.tokens]
        wanted = [called_for(prompt, descriptions, known) for prompt in session.prompts]
        for name, figures in found.items():
            offered = _offered(name, session, installed, loaded)
            figures.offered += offered
            figures.estimated |= session.offered is None
            eligible = sum(name in names for names in wanted)
            figures.eligible += eligible
            figures.missed += eligible if offered and name not in loaded else 0
    return found


def _offered(name: str, session: SessionUse, installed: Mapping[tuple[str, str], float], loaded: list[str]) -> bool:
    if name in loaded:
        return True
    if session.offered is not None:
        return name in session.offered
    key = (session.agent, name)
    return key in installed and session.began >= installed[key]


def called_for(prompt: str, descriptions: Mapping[str, str], evidence: tuple[LaneEvidence, ...] = ()) -> frozenset[str]:
    """The skills whose keywords stand in a prompt: by their own rules, by the route, else by their description."""
    found = {skill.name for skill in called_skills(prompt)} & _KEYWORD_SKILLS
    spoken = [word.lower() for word in WORD.findall(prompt[:20_000])]
    if len(spoken) > 3 and WRITE_VERBS.intersection(spoken[:40]):
        found.update(route_task(prompt[:2000], evidence).spokes)
    stems = {_stem(word) for word in spoken}
    for name, description in descriptions.items():
        bare = name.rpartition(":")[2]
        if bare in found or (
            bare not in _KEYWORD_SKILLS
            and bare not in _ROUTED
            and len(_keywords(bare, description) & stems) >= FEWEST_WORDS
        ):
            found.add(name)
    return frozenset(found)


@lru_cache(maxsize=512)
def _keywords(name: str, description: str) -> frozenset[str]:
    words = re.findall(r"[^\W\d_]{4,}", f"{name.replace('-', ' ')} {description}".lower())
    return frozenset(_stem(word) for word in words if word not in _COMMON)


def _stem(word: str) -> str:
    for ending in ("ing", "ions", "ion", "ies", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word
