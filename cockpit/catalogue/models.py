"""What is known of a skill: where it comes from, where it is installed, how it was used and what it costs."""

from dataclasses import dataclass
from typing import Literal

from cockpit.agents.models import Agent

Origin = Literal["catalogue", "project", "user", "plugin"]
Basis = Literal["measured", "estimated"]


@dataclass(frozen=True, slots=True)
class SkillFile:
    """A skill as it lies somewhere. `place` is its file as a person would name it, `text` the whole file."""

    name: str
    origin: Origin
    agent: str
    place: str
    description: str
    text: str
    body_tokens: int


@dataclass(frozen=True, slots=True)
class SkillUse:
    """Figures of one skill in the transcripts that were read.

    `offered` are sessions that had it to choose from, `eligible` prompts whose words call for it, `loaded` the times
    it was loaded. `body_tokens` are what loading it added to the context: measured, None where no load shows it alone.
    """

    offered: int = 0
    offered_basis: Basis = "estimated"
    eligible: int = 0
    loaded: int = 0
    missed: int = 0
    body_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class SkillRow:
    """One skill with everything that is known of it; `installed` names agents and places."""

    name: str
    origin: Origin
    priority: str
    description: str
    installed: tuple[str, ...]
    use: SkillUse
    body_tokens: int
    body_basis: Basis
    listing_tokens: int
    shown: str
    problems: int

    @property
    def total_tokens(self) -> int:
        """What its body took in all sessions that were read."""
        return self.body_tokens * self.use.loaded


@dataclass(frozen=True, slots=True)
class SkillsReport:
    """All skills, how much was read for their figures and of whom, and the simulated list (in characters)."""

    rows: tuple[SkillRow, ...]
    sessions: int = 0
    prompts: int = 0
    budget: int = 0
    used: int = 0
    lost: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    agents: tuple[Agent, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One file that installing would write or take away. `diff` is unified, empty where nothing would change."""

    name: str
    kind: Literal["skill", "command"]
    agent: str
    path: str
    deed: Literal["create", "update", "keep", "remove", "refuse", "absent"]
    why: str
    before: bytes | None = None
    after: bytes | None = None
    diff: str = ""
