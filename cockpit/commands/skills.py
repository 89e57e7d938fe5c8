"""`cockpit skills`: the catalogue, what skills cost and whether they are used, the linter, and installing."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json
from cockpit.errors import CannotAnswer, cannot_read
from skills.counted import counted

if TYPE_CHECKING:
    from cockpit.catalogue.models import SkillRow, SkillsReport, Step
    from skills.standard.document import SkillDocument
    from skills.standard.listing import Listing, Twins
    from skills.standard.problem import Problem

EXAMPLES = """examples:
  cockpit skills list                             offered, called for, used, and what each costs in context
  cockpit skills show django-celery
  cockpit skills lint .claude/skills              one skill or a folder of them; exit 1 where one breaks the standard
  cockpit skills install django-celery --dry-run  the plan: what is written where
  cockpit skills install --all --user             every skill and slash command, for all repositories
  cockpit skills install django-celery --remove   only what nobody changed since; --force keeps a copy
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The deeds and their options."""
    parser.add_argument("deed", choices=("list", "show", "lint", "install"))
    parser.add_argument(
        "names", nargs="*", metavar="NAME|PATH", help="skills or slash commands; lint: files or folders"
    )
    parser.add_argument(
        "--agent",
        action="append",
        choices=("claude", "codex", "gemini", "opencode"),
        help="install: for this agent, may be repeated (default: those found here)",
    )
    parser.add_argument("--user", action="store_true", help="install: for all repositories of this person")
    parser.add_argument("--project", action="store_true", help="install: in this repository (the default)")
    parser.add_argument("--all", action="store_true", help="install: every skill and slash command")
    parser.add_argument("--dry-run", action="store_true", help="install: show the plan, write nothing")
    parser.add_argument(
        "--force", action="store_true", help="install: also files that somebody changed; a copy is kept"
    )
    parser.add_argument("--remove", action="store_true", help="install: take them out again")
    parser.add_argument(
        "--client", choices=("standard", "claude"), default="standard", help="lint: claude allows its own fields"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(call: Call) -> int:
    """List, show, lint or install. Exit 1 where a skill breaks the standard or a file was not touched."""
    if call.args.user and call.args.project:
        raise CannotAnswer("--user and --project exclude each other")
    deeds = {"list": _list, "show": _show, "lint": _lint, "install": _install}
    return deeds[call.args.deed](call)


def _root(call: Call) -> "Path | None":
    try:
        return call.repository().root
    except CannotAnswer:
        if call.args.repo:
            raise
        return None


# -- list --


def _list(call: Call) -> int:
    from cockpit.catalogue.report import read_skills
    from cockpit.clock import now

    repository = call.repository() if _root(call) is not None else None
    report = read_skills(repository, now())
    if call.args.json:
        print_json(list_document(report))
    else:
        print("\n".join(_table(report)))
    return 0


def list_document(report: "SkillsReport") -> dict[str, Any]:
    """The list as one JSON object."""
    from cockpit.catalogue.files import slash_commands

    return {
        "skills": [_row_document(row) for row in report.rows],
        "listing": {"budget": report.budget, "used": report.used, "unit": "characters", "lost": list(report.lost)},
        "commands": list(slash_commands()),
        "sessions": report.sessions,
        "prompts": report.prompts,
        "notes": list(report.notes),
        "meta": {},
    }


def _row_document(row: "SkillRow") -> dict[str, Any]:
    return {
        "name": row.name,
        "origin": row.origin,
        "priority": row.priority or None,
        "description": row.description,
        "installed": list(row.installed),
        "offered": row.use.offered,
        "offered_basis": row.use.offered_basis,
        "eligible": row.use.eligible,
        "used": row.use.loaded,
        "missed": row.use.missed,
        "tokens": {
            "body": row.body_tokens,
            "basis": row.body_basis,
            "listing": row.listing_tokens,
            "total": row.total_tokens,
        },
        "listed": row.shown or None,
        "errors": row.problems,
    }


def _table(report: "SkillsReport") -> list[str]:
    from cockpit.agents.models import named
    from cockpit.catalogue.files import slash_commands
    from cockpit.columns import aligned, on_paper, output_width

    of = f" of {named(report.agents)}" if report.agents else ""
    width = output_width()
    installed = "installed" if any(row.installed for row in report.rows) else ""
    heads = ("skill", installed, "offered", "eligible", "used", "missed", "body", "list")
    lines = aligned([heads, *map(_cells, report.rows)], right=range(2, len(heads)), width=width)
    told = [
        f"{counted(report.sessions, 'session')} and {counted(report.prompts, 'prompt')}{of} in 90 days",
        "offered: sessions · eligible: prompts that call for it · used: loads · missed: eligible, offered, not loaded",
        "body, list: tokens each load and each session costs; ~ estimated, else measured",
        f"list of descriptions: {report.used:,} of {report.budget:,} characters"
        + (f"; without description: {', '.join(report.lost)}" if report.lost else ""),
    ]
    told += [*report.notes, f"slash commands: {' '.join(f'/{name}' for name in slash_commands())}"]
    return [*lines, "", on_paper(told)]


def _cells(row: "SkillRow") -> tuple[str, ...]:
    mark = "" if row.body_basis == "measured" else "~"
    counts = (row.use.offered, row.use.eligible, row.use.loaded, row.use.missed)
    where = ", ".join(dict.fromkeys(row.installed))
    return (row.name, where, *map(str, counts), f"{mark}{row.body_tokens}", f"~{row.listing_tokens}")


# -- show --


def _show(call: Call) -> int:
    from cockpit.catalogue.files import catalogue, installed_skills, slash_commands

    if len(call.args.names) != 1:
        raise CannotAnswer("name one skill", "cockpit skills list shows them")
    name = call.args.names[0].removeprefix("/")
    texts = {"catalogue": catalogue().get(name) or slash_commands().get(name)}
    texts |= {one.place: one.text for one in installed_skills(_root(call)) if one.name == name}
    found = {place: text for place, text in texts.items() if text is not None}
    if not found:
        raise CannotAnswer(f"there is no skill {name[:60]!r}", "cockpit skills list shows them")
    from cockpit.plain_text import plain_text
    from skills.standard.document import parse_skill

    place, text = next(iter(found.items()))
    if call.args.json:
        document = parse_skill(text, name)
        row = {
            "name": name,
            "place": place,
            "places": list(found),
            "fields": {one.name: one.value for one in document.fields},
            "text": text,
            "tokens": {"body": document.tokens, "basis": "estimated"},
        }
        print_json({"skills": [row], "meta": {}})
    else:
        sys.stdout.write(plain_text(text, multiline=True).rstrip() + "\n")
    return 0


# -- lint --


def _lint(call: Call) -> int:
    from cockpit.catalogue.files import skill_folders

    paths = [Path(name) for name in call.args.names] or _own_folders(call)
    for path in paths:
        if not path.exists():
            raise CannotAnswer(f"{path} does not exist", "give a SKILL.md, its folder, or a folder of skills")
    places = list(dict.fromkeys(place for path in paths for place in skill_folders(path)))
    if not places:
        raise CannotAnswer(f"there is no SKILL.md below {paths[0]}")
    documents, problems = _linted(call, places)
    twins, listing = _together(documents)
    errors = sum(problem.severity == "error" for found in problems.values() for problem in found)
    if call.args.json:
        print_json(_lint_document(documents, problems, twins, listing))
    else:
        print("\n".join(_lint_lines(documents, problems, twins, listing)))
    return 1 if errors else 0


def _own_folders(call: Call) -> list[Path]:
    from cockpit.catalogue.files import project_folders

    root = _root(call)
    found = [folder for _, folder in project_folders(root) if folder.is_dir()] if root is not None else []
    if not found:
        raise CannotAnswer("name the skill to look at", "cockpit skills lint PATH")
    return found


def _linted(call: Call, places: list[Path]) -> "tuple[dict[str, SkillDocument], dict[str, tuple[Problem, ...]]]":
    from cockpit.catalogue.files import skill_at
    from skills.standard.lint import Surroundings, lint_skill

    read = {}
    for place in places:
        try:
            read[str(place)] = skill_at(place)
        except OSError as problem:
            raise cannot_read(place, problem) from None
    known = _known(call) | {document.folder for document, _, _ in read.values()}
    measured = _measured(call)
    documents = {place: document for place, (document, _, _) in read.items()}
    problems = {
        place: lint_skill(document, Surroundings(files, others, known, measured.get(document.folder)), call.args.client)
        for place, (document, files, others) in read.items()
    }
    return documents, problems


def _known(call: Call) -> frozenset[str]:
    """Every name that a table of skills, agents or commands may hold."""
    from cockpit.agents.installed import installed_agents
    from cockpit.catalogue.files import catalogue, installed_skills, slash_commands
    from skills.routing.catalogue import ROLES

    root = _root(call)
    names = {one.name for one in installed_skills(root)} | {one.name for one in installed_agents(root)}
    return frozenset(names | set(catalogue()) | set(slash_commands()) | set(ROLES))


def _measured(call: Call) -> dict[str, int]:
    """What loading each skill took in the transcripts of this repository."""
    if _root(call) is None:
        return {}
    from cockpit.catalogue.usage import read_uses
    from cockpit.clock import now
    from skills.standard.usage import count_uses

    figures = count_uses(read_uses(call.repository(), now()), {}, {})
    return {name: one.body_tokens for name, one in figures.items() if one.body_tokens is not None}


def _together(documents: "dict[str, SkillDocument]") -> "tuple[tuple[Twins, ...], Listing]":
    from cockpit.catalogue.report import budget_of_listing
    from skills.standard.listing import near_duplicates, simulate_listing

    described = [(one.words("name") or one.folder, one.words("description"), one.body) for one in documents.values()]
    listing = simulate_listing([(name, text, 0) for name, text, _ in described], budget_of_listing())
    return near_duplicates(described), listing


def _lint_document(
    documents: "dict[str, SkillDocument]",
    problems: "dict[str, tuple[Problem, ...]]",
    twins: "tuple[Twins, ...]",
    listing: "Listing",
) -> dict[str, Any]:
    shown = {one.name: one.shown for one in listing.skills}
    return {
        "skills": [
            {
                "name": document.words("name") or document.folder,
                "path": place,
                "status": "fail" if any(one.severity == "error" for one in problems[place]) else "pass",
                "tokens": {"body": document.tokens, "basis": "estimated"},
                "listed": shown.get(document.words("name") or document.folder),
                "problems": [
                    {"rule": one.rule, "severity": one.severity, "line": one.line, "message": one.message}
                    for one in problems[place]
                ],
            }
            for place, document in documents.items()
        ],
        "duplicates": [
            {"first": one.first, "second": one.second, "likeness": one.likeness, "what": one.what} for one in twins
        ],
        "listing": {"budget": listing.budget, "used": listing.used, "unit": "characters", "lost": list(listing.lost)},
        "meta": {},
    }


def _lint_lines(
    documents: "dict[str, SkillDocument]",
    problems: "dict[str, tuple[Problem, ...]]",
    twins: "tuple[Twins, ...]",
    listing: "Listing",
) -> list[str]:
    from cockpit.plain_text import plain_text
    from skills.spending.amount import percent

    lines = []
    for place, found in problems.items():
        file = Path(place) / "SKILL.md" if Path(place).is_dir() else Path(place)
        lines += [
            f"{plain_text(file)}:{one.line}: {one.severity} {one.rule}: {plain_text(one.message, 300)}" for one in found
        ]
    lines += [
        plain_text(f"{one.first} and {one.second}: {percent(one.likeness)} of the {one.what} is the same")
        for one in twins
    ]
    if listing.lost:
        used = f"{listing.budget:,} characters are too few for all descriptions"
        lines.append(plain_text(f"{used}; an agent would see the bare name of {', '.join(listing.lost)}"))
    counts = {
        severity: sum(one.severity == severity for found in problems.values() for one in found)
        for severity in ("error", "warning")
    }
    tokens = sum(document.tokens for document in documents.values())
    wrong = f"{counted(counts['error'], 'error')}, {counted(counts['warning'], 'warning')}"
    told = f"{counted(len(documents), 'skill')}: {wrong}"
    return [
        *lines,
        f"{told}; bodies about {tokens:,} tokens, descriptions {listing.used:,} of {listing.budget:,} characters",
    ]


# -- install --


def _install(call: Call) -> int:
    from cockpit.catalogue.files import catalogue, slash_commands
    from cockpit.catalogue.install import agents_here, apply, plan_install

    args = call.args
    names = [*catalogue(), *(f"/{name}" for name in slash_commands())] if args.all else args.names
    if not names:
        raise CannotAnswer("name what to install", "cockpit skills install NAME…, or --all")
    root = _root(call)
    steps = plan_install(
        names,
        args.agent or agents_here(),
        "user" if args.user else "project",
        root,
        remove=args.remove,
        force=args.force,
    )
    if not args.dry_run:
        apply(steps)
    if args.json:
        print_json(
            {"skills": [_step_document(step, args.dry_run) for step in steps], "dry_run": args.dry_run, "meta": {}}
        )
    else:
        print("\n".join(plan_lines(steps, dry_run=args.dry_run)))
    return 1 if any(step.deed == "refuse" for step in steps) else 0


def _step_document(step: "Step", dry_run: bool) -> dict[str, Any]:
    changes = step.deed in ("create", "update", "remove")
    return {
        "name": step.name,
        "kind": step.kind,
        "agent": step.agent,
        "path": step.path,
        "action": step.deed,
        "changed": changes and not dry_run,
        "why": step.why,
        "diff": step.diff or None,
    }


def plan_lines(steps: "tuple[Step, ...]", *, dry_run: bool) -> list[str]:
    """The plan, one line a file, with the diffs of what changes."""
    from cockpit.plain_text import plain_text

    if not steps:
        return ["nothing to do: these agents have no place for it in a repository (--user)"]
    lines = []
    for step in steps:
        if step.diff and step.deed in ("update", "refuse"):
            lines.append(step.diff.rstrip("\n"))
    lines += [f"{step.deed:<7} {step.name:<32} {step.agent:<9} {plain_text(step.path)}  {step.why}" for step in steps]
    return [*lines, *(["nothing was written"] if dry_run else [])]
