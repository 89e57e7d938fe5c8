"""`cockpit worktree`: every worktree with its changes, its distance from the base, its agent, and what to do
next.
"""

import argparse
from typing import TYPE_CHECKING

from cockpit.given_number import LONGEST_DAYS, number

if TYPE_CHECKING:
    from datetime import datetime

    from cockpit.call import Call
    from cockpit.worktrees.models import Worktree, WorktreesSnapshot

EXAMPLES = """examples:
  cockpit worktree list
  cockpit --all-repos worktree list                   those of every repository that is known
  cockpit worktree list --json | jq -r '.worktrees[] | select(.safe_to_remove) | .path'
  cockpit worktree new feature/login                  from the base branch, with ports, .env and a task sheet
  cockpit worktree remove feature/login               exit 1 and why, where something could be lost
  cockpit worktree merge feature/login                exit 1 and the files, where it would conflict
  cockpit worktree undo                               byte for byte as it was
  cockpit worktree new fix/totals --base release/2 --task "Round totals to cents"
"""

_DEEDS = {
    "list": "one line a worktree",
    "new": "make one, for a new or an existing branch",
    "merge": "merge its commits into integration/NAME, or --into BRANCH; no work tree is touched",
    "remove": "move one into the trash, where nothing is lost",
    "undo": "take the last removal or merge back, or that of NAME",
    "forecast": "which worktrees would conflict with their base, and with each other",
    "clean": "say which can go without loss and why the others stay; --apply does it",
    "adopt": "register a worktree that git knows and the registry does not",
    "reconcile": "the registry beside git's worktrees; --apply adopts all that are missing in it",
    "sync": "progress of each: commits, changes, tests, todos, blockers",
    "stale": "those without a commit for more than a week, and what to do",
    "trash": "what was removed; --older-than DAYS --apply throws it away for good",
}
_NAMED = ("new", "merge", "remove", "adopt")  # deeds that need a name
_FREE = ("list", "forecast", "trash", "clean", "reconcile", "sync", "stale")
_TIDY = ("clean", "adopt", "reconcile", "sync", "stale")  # deeds that take none


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, with which worktree, and how to print it."""
    width = max(map(len, _DEEDS))
    parser.description = "\n".join(f"{name:<{width}}  {what}" for name, what in _DEEDS.items())
    parser.add_argument("deed", choices=list(_DEEDS), metavar="DEED", help="list, new, … (above)")
    parser.add_argument("name", nargs="?", metavar="NAME", help="a worktree by name, branch or path; new: the branch")
    parser.add_argument("--base", metavar="REV", help="new: the branch to begin with (default: the base branch)")
    parser.add_argument("--task", metavar="TEXT", help="new: what it is for, in WORKTREE_TASK.md and the registry")
    parser.add_argument(
        "--into", metavar="BRANCH", help="merge: the target (default: integration/NAME, made if missing)"
    )
    parser.add_argument("--force", action="store_true", help="remove: also where it is not safe; undo takes it back")
    parser.add_argument(
        "--apply", action="store_true", help="clean, reconcile, trash: do it, not only say what would be done"
    )
    parser.add_argument(
        "--older-than", metavar="DAYS", type=number(LONGEST_DAYS), help="trash: what was removed longer ago"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document; paths are absolute")


def run(call: "Call") -> int:
    """Exit 0 yes or done, 1 not safe or not possible without loss; raises `CannotAnswer` where git cannot tell."""
    from cockpit.errors import CannotAnswer

    deed, name = call.args.deed, call.args.name
    if deed in _NAMED and not name:
        hint = "e.g. cockpit worktree new feature/login" if deed == "new" else "cockpit worktree list shows them"
        raise CannotAnswer(f"worktree {deed}: a name is missing", hint)
    if deed in _FREE and name:
        raise CannotAnswer(f"worktree {deed} takes no name", "cockpit worktree --help")
    if deed == "list":
        return _list(call)
    from cockpit.worktrees import deeds, tidy_deeds
    from cockpit.worktrees.refused import Refused

    try:
        result: int = getattr(tidy_deeds if deed in _TIDY else deeds, deed)(call)
    except Refused as problem:
        return deeds.refuse(call, problem)
    return result


def _list(call: "Call") -> int:
    from cockpit.call import print_json, say
    from cockpit.clock import iso
    from cockpit.phases.store import read_sessions
    from cockpit.plain_text import plain_text
    from cockpit.worktrees.feed import read_worktrees, with_presence
    from cockpit.worktrees.progress import read_progress
    from cockpit.worktrees.told import progress_row, worktree_row

    repository, config = call.repository(), call.config()
    everywhere, missing = bool(call.args.all_repos), None
    sessions = read_sessions(repository, all_repos=everywhere)
    if everywhere:
        from cockpit.worktrees.everywhere import read_everywhere

        trees, known = read_everywhere(repository, config)
        missing = [plain_text(place) for place in known.missing]
    else:
        trees = read_worktrees(repository, config, forecast=True)
    snapshot = with_presence(trees, sessions)
    if snapshot.note:
        say(f"cockpit: {snapshot.note}")
    if call.args.json:
        progress = read_progress(snapshot.worktrees, sessions)
        rows = [{**worktree_row(tree), "progress": progress_row(progress[tree.path])} for tree in snapshot.worktrees]
        meta = {"at": iso(snapshot.at) if snapshot.at else None, "note": snapshot.note or None}
        root = plain_text(repository.root)
        gone = {} if missing is None else {"missing": missing}
        print_json({"root": root, "default_branch": snapshot.default_branch, "worktrees": rows, **gone, "meta": meta})
    elif everywhere:
        print("\n".join(_grouped(snapshot)))
    else:
        print("\n".join(line for row in _table(snapshot) for line in row))
    return 0


def _grouped(snapshot: "WorktreesSnapshot") -> list[str]:
    """The table with a line above the worktrees of each repository."""
    from cockpit.plain_text import plain_text

    lines: list[str] = []
    before = ""
    for tree, row in zip(snapshot.worktrees, _table(snapshot), strict=True):
        if tree.repository != before:
            before = tree.repository
            lines += [*([""] if lines else []), plain_text(before)]
        lines += [f"  {line}" for line in row]
    return lines


def _table(snapshot: "WorktreesSnapshot") -> list[list[str]]:
    """The lines of each worktree, aligned: name, branch, changes, distance, age of the last commit, agent, ports, what
    stands out.
    """
    from cockpit.columns import aligned, cell_width, hanging, output_width

    width, trees = output_width(), snapshot.worktrees
    cells, said = [_cells(tree, snapshot.at) for tree in trees], list(map(_remarks, trees))
    if width and max(map(cell_width, aligned(cells)), default=0) + _REMARK > width:
        said = [" · ".join(filter(None, (row[_AGENT], words))) for row, words in zip(cells, said, strict=True)]
        cells = [row[:_AGENT] for row in cells]
    heads = aligned(cells)
    size = max(map(cell_width, heads), default=0) + 2
    rows = zip(heads, said, strict=True)
    return [hanging(head + " " * (size - cell_width(head)), words, width) for head, words in rows]


_AGENT, _REMARK = 5, 20
"""Where `_cells` has the agent, and the cells that remarks need: where there are fewer the agent stands among them, the
ports nowhere."""


def _cells(tree: "Worktree", now: "datetime | None") -> tuple[str, ...]:
    from cockpit.plain_text import plain_text
    from skills.ages import age

    distance = " ".join(f"{sign}{number}" for sign, number in (("↑", tree.ahead), ("↓", tree.behind)) if number)
    agent = f"{tree.agent.agent} {tree.agent.state}" if tree.agent else ""
    if tree.agent and tree.agent.waiting_for:
        agent += f": {tree.agent.waiting_for}"
    ports = ",".join(f":{port}" for port in tree.ports)
    old = age(tree.committed_at, now) if now else ""
    return (tree.name, tree.checked_out, _changes(tree), distance, old, plain_text(agent, 48), ports)


def _remarks(tree: "Worktree") -> str:
    """What stands out about a worktree."""
    clash = tree.clashes[0].line if tree.clashes else ""
    remarks = [tree.operation, _lock(tree), tree.advice, clash]
    return " · ".join(remark for remark in remarks if remark)


def _lock(tree: "Worktree") -> str:
    return f"locked: {tree.lock_reason}" if tree.lock_reason else "locked" if tree.locked else ""


def _changes(tree: "Worktree") -> str:
    counts = tree.counts
    if counts is None:
        return "?"
    kinds = (
        (counts.conflicts, "in conflict"),
        (counts.staged, "staged"),
        (counts.unstaged, "changed"),
        (counts.untracked, "new"),
    )
    return ", ".join(f"{number} {word}" for number, word in kinds if number) or "clean"
