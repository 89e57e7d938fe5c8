"""Answers about the skills that agents can load."""

from typing import Literal

from typing_extensions import TypedDict

from cockpit.answers.base import Answer, Basis, Object
from skills.gates.model import Status


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


class AlikeSkills(TypedDict):
    """Two skills whose `what` (body or description) is alike; `likeness` is 1 where it is the same."""

    first: str
    second: str
    likeness: float
    what: Literal["body", "description"]


class SkillsLint(Answer):
    """`cockpit skills lint PATH --json`."""

    skills: list[LintedSkill]
    duplicates: list[AlikeSkills]
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
