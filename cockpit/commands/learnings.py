"""`cockpit learnings`: what sessions taught, proposed until you keep it, in CLAUDE.md only where you ask."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json
from cockpit.errors import CannotAnswer

if TYPE_CHECKING:
    from skills.workflow.learnings import Learning

EXAMPLES = """examples:
  cockpit learnings list                   what is proposed, and what is kept in docs/learnings/
  cockpit learnings keep 1a2b3c4d          write it into docs/learnings/ (--all: everything that is proposed)
  cockpit learnings drop 1a2b3c4d          never propose it again
  cockpit learnings promote 1a2b3c4d       show the change of CLAUDE.md; --write makes it
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("action", choices=("list", "keep", "drop", "promote"), nargs="?", default="list")
    parser.add_argument("ids", nargs="*", metavar="ID", help="as list shows it, or its beginning")
    parser.add_argument("--all", action="store_true", help="everything that is proposed")
    parser.add_argument("--write", action="store_true", help="promote: change CLAUDE.md")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(call: Call) -> int:
    """List, keep, drop or promote. Returns 0. Raises `CannotAnswer` for an id that nobody has."""
    from cockpit import clock
    from cockpit.day.learned import candidates, keep, kept, promote, settle

    args, repository = call.args, call.repository()
    proposed = candidates(repository)
    held = [one for _, rows in kept(repository.root) for one in rows]
    lines: list[str] = []
    changed: dict[str, Any] = {}
    if args.action in ("keep", "drop"):
        chosen = proposed if args.all else _chosen(proposed, args.ids)
        if args.action == "drop":
            settle(repository, (one.id for one in chosen), dropped=True)
            lines = [f"{len(chosen)} dropped"]
        else:
            path = keep(repository, chosen, clock.now())
            where = path.relative_to(repository.root).as_posix() if path else ""
            changed["files"] = [where] if where else []
            lines = [f"{len(chosen)} kept in {where}" if where else "nothing new to keep"]
    elif args.action == "promote":
        chosen = _chosen(tuple(held), args.ids)
        before, after = promote(repository, {one.id for one in chosen}, write=args.write)
        changed["diff"] = _diff(before, after)
        lines = [changed["diff"] or "CLAUDE.md has it already"]
        lines += ["written" if args.write else "nothing was changed: --write makes this change"]
    else:
        lines = _listed("proposed", proposed) + _listed("kept", held)
    if args.json:
        rows = [*(_row(one, "proposed") for one in proposed), *(_row(one, "kept") for one in held)]
        print_json({"learnings": rows, **changed, "meta": {}})
    else:
        sys.stdout.write("\n".join(lines or ["nothing is proposed and nothing is kept; cockpit end-day looks"]) + "\n")
    return 0


def _chosen(rows: "tuple[Learning, ...]", ids: list[str]) -> "tuple[Learning, ...]":
    if not ids:
        raise CannotAnswer("say which", "see cockpit learnings list")
    found = []
    for wanted in ids:
        fitting = [one for one in rows if one.id.startswith(wanted.lower())]
        if len({one.id for one in fitting}) != 1:
            why = "is the beginning of several" if fitting else "is none of them"
            raise CannotAnswer(f"{wanted[:40]!r} {why}", "see cockpit learnings list")
        found.append(fitting[0])
    return tuple(found)


def _listed(what: str, rows: "tuple[Learning, ...] | list[Learning]") -> list[str]:
    return [
        f"{one.id}  {'promoted' if one.promoted else what:<9} {one.kind:<14} {one.text}"
        + (f"  ({one.source})" if one.source else "")
        for one in rows
    ]


def _row(one: "Learning", state: str) -> dict[str, Any]:
    state = "promoted" if one.promoted else state
    return {"id": one.id, "kind": one.kind, "text": one.text, "source": one.source, "state": state}


def _diff(before: str, after: str) -> str:
    import difflib

    from cockpit.plain_text import plain_text

    old, new = ([plain_text(line) for line in text.splitlines()] for text in (before, after))
    return "\n".join(difflib.unified_diff(old, new, "CLAUDE.md", "CLAUDE.md", n=2, lineterm=""))
