"""What `cockpit worktree` changes or plans: each deed answers with its exit code."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json, say
from cockpit.plain_text import plain_text
from cockpit.worktrees.refused import Refused

if TYPE_CHECKING:
    from cockpit.worktrees.trash import Trashed


def refuse(call: Call, problem: Refused) -> int:
    """Say why not. Exit code 1."""
    files = [plain_text(name) for name in getattr(problem, "files", ())]
    if call.args.json:
        why = plain_text(problem.why)
        print_json({"done": False, "why": why, "forceable": problem.forceable, "conflicts": files, "meta": {}})
    else:
        hint = "; --force does it all the same, and undo takes it back" if problem.forceable else ""
        say(f"cockpit: {problem.why}{hint}")
        for name in files:
            say(f"  {name}")
    return 1


def new(call: Call) -> int:
    """Make a worktree."""
    from cockpit.worktrees.new import make_new

    args = call.args
    made = make_new(call.repository(), call.config(), args.name, base=args.base, task=args.task, tell=_progress)
    for warning in made.warnings:
        say(f"cockpit: {warning}")
    if args.json:
        row = {
            "name": plain_text(made.name),
            "path": plain_text(made.path),
            "branch": plain_text(made.plan.branch),
            "base": plain_text(made.plan.base),
            "head": made.plan.start,
            "ports": list(made.ports),
        }
        copied = [plain_text(name) for name in made.copied]
        print_json({"done": True, "worktree": row, "copied": copied, "ran": list(made.ran), "meta": {}})
        return 0
    ports = f"  ports {'–'.join(str(port) for port in (made.ports[0], made.ports[-1]))}" if made.ports else ""
    _print(f"{made.plan.branch}  made from {made.plan.base}{ports}", _path(made.path))
    return 0


def _progress(what: str) -> None:
    """Steps on stderr, where somebody watches."""
    if sys.stderr.isatty():
        say(f"  {what}")


def _path(path: Path | str) -> str:
    return plain_text(path)


def _print(*lines: object) -> None:
    print("\n".join(plain_text(line, 600) for line in lines))


def remove(call: Call) -> int:
    """Move a worktree into the trash."""
    from cockpit.worktrees.remove import remove_worktree

    thing = remove_worktree(call.repository(), call.config(), call.args.name, force=call.args.force)
    if call.args.json:
        print_json({"done": True, "removed": _trashed(thing), "why": plain_text(thing.why), "meta": {}})
    else:
        _print(
            f"{thing.branch or thing.name}  removed: {thing.why}", f"cockpit worktree undo {thing.key}  brings it back"
        )
    return 0


def undo(call: Call) -> int:
    """Take a removal or a merge back."""
    from cockpit.worktrees.undo import undo_last

    done = undo_last(call.repository(), call.args.name)
    for note in done.notes:
        say(f"cockpit: {note}")
    thing, merge = done.removal, done.merge
    if call.args.json:
        merged = merge and {"into": plain_text(merge.into), "branch": plain_text(merge.branch), "head": merge.old}
        restored = _trashed(thing) if thing else None
        print_json({"done": True, "restored": restored, "unmerged": merged, "notes": list(done.notes), "meta": {}})
    elif thing is not None:
        _print(f"{thing.branch or thing.name}  is back", thing.path)
    elif merge is not None:
        where = f"back at {merge.old[:10]}" if merge.old else "gone again"
        _print(f"{merge.into}  without {merge.branch}: {where}")
    return 0


def merge(call: Call) -> int:
    """Merge a worktree's commits."""
    from cockpit.worktrees.merge import merge_worktree

    done = merge_worktree(call.repository(), call.config(), call.args.name, call.args.into)
    if call.args.json:
        row = done and {"into": plain_text(done.into), "old": done.old, "new": done.new}
        print_json({"done": done is not None, "merge": row, "conflicts": [], "meta": {}})
    elif done is None:
        _print(f"{call.args.name}  nothing to merge: all of it is there already")
    else:
        _print(f"{done.branch}  merged into {done.into} as {done.new[:10]}", "cockpit worktree undo  takes it back")
    return 0


def forecast(call: Call) -> int:
    """Which worktrees would be in conflict: exit code 1 where any would."""
    from cockpit.worktrees.feed import read_worktrees

    snapshot = read_worktrees(call.repository(), call.config(), forecast=True)
    clashing = [tree for tree in snapshot.worktrees if tree.clashes]
    if call.args.json:
        rows = [
            {
                "name": tree.name,
                "branch": tree.branch,
                "base": tree.base,
                "conflicts_with": [{"with": clash.other, "files": list(clash.files)} for clash in tree.clashes],
            }
            for tree in snapshot.worktrees
        ]
        print_json({"worktrees": rows, "meta": {"note": snapshot.note or None}})
        return 1 if clashing else 0
    if snapshot.note:
        say(f"cockpit: {snapshot.note}")
    lines = []
    for tree in clashing:
        for clash in tree.clashes:
            lines += [f"{tree.label}  {clash.line}", *(f"  {file}" for file in clash.files[:20])]
    _print(*(lines or ["no conflicts are to be expected; what is not committed yet does not count"]))
    return 1 if clashing else 0


def trash(call: Call) -> int:
    """List what was removed, or throw what is older away for good."""
    from datetime import timedelta

    from cockpit.clock import iso, now
    from cockpit.worktrees.remove import empty_trash
    from cockpit.worktrees.trash import read_trash

    args = call.args
    found = read_trash(call.repository().common_dir)
    if args.older_than is not None:
        limit = now() - timedelta(days=args.older_than)
        found = [thing for thing in found if thing.at is not None and thing.at <= limit]
        if args.apply:
            empty_trash(call.repository(), [thing.key for thing in found])
    elif args.apply:
        from cockpit.errors import CannotAnswer

        raise CannotAnswer("say how old it must be", "cockpit worktree trash --older-than 30 --apply")
    gone = args.older_than is not None and args.apply
    if args.json:
        print_json({"trash": [_trashed(thing) for thing in found], "deleted": gone, "meta": {"at": iso(now())}})
        return 0
    word = "deleted for good" if gone else "would be deleted for good" if args.older_than is not None else "removed"
    lines = [
        f"{thing.key}  {thing.branch or 'detached'}  {word} {iso(thing.at) if thing.at else ''}" for thing in found
    ]
    _print(*(lines or ["the trash is empty" if args.older_than is None else "nothing is that old"]))
    return 0


def _trashed(thing: "Trashed") -> dict[str, Any]:
    from cockpit.clock import iso

    return {
        "key": plain_text(thing.key),
        "name": plain_text(thing.name),
        "path": plain_text(thing.path),
        "branch": plain_text(thing.branch) if thing.branch else None,
        "head": thing.head,
        "rescue": f"refs/cockpit/trash/{plain_text(thing.key)}",
        "removed_at": iso(thing.at) if thing.at else None,
    }
