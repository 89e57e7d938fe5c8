"""The list of skills: offered, called for, loaded, and what each costs in context."""

import os
from collections.abc import Iterable
from datetime import datetime
from typing import get_args

from cockpit.agents.models import Agent
from cockpit.catalogue.files import catalogue, installed_skills
from cockpit.catalogue.models import SkillFile, SkillRow, SkillsReport, SkillUse
from cockpit.catalogue.usage import read_uses, since_when
from cockpit.phases.lanes import lane_evidence
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from skills.standard.document import parse_skill
from skills.standard.lint import lint_skill, listing_tokens
from skills.standard.listing import LONGEST_SHOWN, WINDOW, Listing, listing_budget, simulate_listing
from skills.standard.usage import Figures, count_uses


def read_skills(repository: Repository | None, now: datetime) -> SkillsReport:
    """Every skill of the catalogue and every one that is installed, with its figures in this repository."""
    files = [*_catalogue_files(), *installed_skills(repository.root if repository else None)]
    uses = read_uses(repository, now) if repository else ()
    evidence = lane_evidence(repository) if repository else ()
    figures = count_uses(uses, _descriptions(files), _since(files), evidence)
    names = dict.fromkeys([*(one.name for one in files), *figures])
    listing = _listing(files, figures)
    rows = [_row(name, [one for one in files if one.name == name], figures[name], listing) for name in names]
    rows.sort(key=lambda row: (not row.installed, -row.use.loaded, -row.use.eligible, row.priority or "P9", row.name))
    prompts = sum(len(use.prompts) for use in uses)
    agents = tuple(agent for agent in get_args(Agent) if any(use.agent == agent for use in uses))
    return SkillsReport(
        tuple(rows), len(uses), prompts, listing.budget, listing.used, listing.lost, _notes(repository, uses), agents
    )


def budget_of_listing() -> int:
    """Characters for all descriptions: `SLASH_COMMAND_TOOL_CHAR_BUDGET` where it is set, else one percent of 200K."""
    given = os.environ.get("SLASH_COMMAND_TOOL_CHAR_BUDGET", "").strip()
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else listing_budget(WINDOW)


def _catalogue_files() -> list[SkillFile]:
    found = []
    for name, text in catalogue().items():
        document = parse_skill(text, name)
        found.append(
            SkillFile(name, "catalogue", "", f"catalogue: {name}", document.words("description"), text, document.tokens)
        )
    return found


def _descriptions(files: Iterable[SkillFile]) -> dict[str, str]:
    """Name → description; what is installed speaks before the catalogue."""
    return {one.name: one.description for one in files}


def _since(files: Iterable[SkillFile]) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for one in files:
        if one.agent:
            when = since_when(one.place)
            found[one.agent, one.name] = min(when, found.get((one.agent, one.name), when))
    return found


def _listing(files: Iterable[SkillFile], figures: dict[str, Figures]) -> Listing:
    """The list that Claude Code would show now."""
    shown = {one.name: one.description for one in files if one.agent == "claude"}
    return simulate_listing([(name, text, figures[name].loaded) for name, text in shown.items()], budget_of_listing())


def _row(name: str, files: list[SkillFile], figures: Figures, listing: Listing) -> SkillRow:
    there = [one for one in files if one.origin != "catalogue"]
    first = next(iter([*there, *files]), None)
    document = parse_skill(first.text, name.rpartition(":")[2]) if first else None
    metadata = document.get("metadata") if document else None
    priority = metadata.value.get("priority", "") if metadata and isinstance(metadata.value, dict) else ""
    measured = figures.body_tokens
    description = plain_text(first.description if first else "", LONGEST_SHOWN)
    return SkillRow(
        name,
        first.origin if first else "user",
        plain_text(priority, 12),
        description,
        tuple(f"{one.agent} {one.origin}" for one in there),
        SkillUse(
            figures.offered,
            "estimated" if figures.estimated else "measured",
            figures.eligible,
            figures.loaded,
            figures.missed,
            measured,
        ),
        first.body_tokens if measured is None and first else measured or 0,
        "estimated" if measured is None else "measured",
        listing_tokens(name, description),
        next((one.shown for one in listing.skills if one.name == name), ""),
        sum(problem.severity == "error" for problem in lint_skill(document)) if document else 0,
    )


def _notes(repository: Repository | None, uses: tuple[object, ...]) -> tuple[str, ...]:
    if repository is None:
        return ("not in a repository: nothing is known of how skills were used",)
    if not uses:
        return ("no session of an agent in the last 90 days: offered, called for and loaded are not known",)
    return ()
