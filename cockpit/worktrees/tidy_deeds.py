"""What `cockpit worktree` says about all worktrees: clean, adopt, reconcile, sync, stale."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json, say
from cockpit.columns import aligned
from cockpit.plain_text import plain_text
from skills.counted import counted

if TYPE_CHECKING:
    from cockpit.worktrees.models import Worktree
    from cockpit.worktrees.tidy import RegistryRow


def clean(call: Call) -> int:
    """Say what can go, or with `--apply` move it into the trash."""
    from cockpit.worktrees import tidy
    from cockpit.worktrees.registry import place_of

    repository, config = call.repository(), call.config()
    plan = tidy.plan_clean(repository, config)
    done = tidy.clean(repository, config) if call.args.apply else None
    if call.args.json:
        print_json(
            {
                "applied": done is not None,
                "remove": [_reason(tree, why) for tree, why in plan.remove],
                "keep": [_reason(tree, why) for tree, why in plan.keep],
                "forget": [plain_text(place_of(entry)) for entry in plan.forget],
                "removed": [plain_text(thing.key) for thing in done.removed] if done else [],
                "meta": {},
            }
        )
        return 1 if done and done.kept else 0
    word = "remove" if done is None else "removed"
    stay = {name for name, _ in done.kept} if done else set()
    lines = [(word, name, why) for tree, why in plan.remove if (name := tree.label) not in stay]
    lines += [("keep", tree.label, why) for tree, why in plan.keep]
    forget = "forget" if done is None else "forgotten"
    lines += [(forget, str(entry.get("branch") or ""), "its folder is gone") for entry in plan.forget]
    if not lines and not stay:
        print("there is no worktree but the main one, and nothing to forget")
    _table(lines)
    if done is None and (plan.remove or plan.forget):
        say("nothing was changed: cockpit worktree clean --apply does it, undo takes it back")
    for name, why in done.kept if done else ():
        say(f"cockpit: {name} stays: {why}")
    return 1 if done and done.kept else 0


def adopt(call: Call) -> int:
    """Register a worktree that was made without cockpit."""
    from cockpit.worktrees.tidy import adopt as adopt_one

    entry, new = adopt_one(call.repository(), call.config(), call.args.name, task=call.args.task)
    ports = [port for port in entry.get("ports", []) if isinstance(port, int)]
    if call.args.json:
        row = {"branch": plain_text(entry.get("branch")), "path": plain_text(entry.get("worktreePath")), "ports": ports}
        print_json({"done": True, "new": new, "worktree": row, "meta": {}})
    else:
        shown = f"ports {ports[0]}–{ports[-1]}" if ports else "no ports"
        _table([(str(entry.get("branch") or ""), "adopted" if new else "was registered already", shown)])
    return 0


def reconcile(call: Call) -> int:
    """The registry beside git; `--apply` adopts what is not in it."""
    from cockpit.worktrees.tidy import reconcile as reconcile_all

    found = reconcile_all(call.repository(), call.config(), adopt_all=call.args.apply)
    if call.args.json:
        waiting = [{"path": plain_text(p.path), "branch": plain_text(p.branch or "")} for p in found.unregistered]
        print_json(
            {
                "entries": [_entry(row) for row in found.rows],
                "unregistered": waiting,
                "adopted": list(found.adopted),
                "notes": list(found.notes),
                "meta": {},
            }
        )
        return 0
    for note in found.notes:
        say(f"cockpit: {note}")
    head = ("PROJECT", "BRANCH", "PORTS", "PR", "STATUS", "TASK")
    lines = [(r.project, r.branch, _ports(r), r.pull_request, r.status, r.task) for r in found.rows]
    lines += [("", plain_text(p.label), "", "", "unregistered", "") for p in found.unregistered]
    _table([head, *lines] if lines else [("the registry is empty",)])
    if found.unregistered:
        say("cockpit worktree adopt NAME registers one, reconcile --apply all of them")
    return 0


def sync(call: Call) -> int:
    """How far each worktree is."""
    from cockpit.phases.store import read_sessions
    from cockpit.worktrees.feed import read_worktrees, with_presence
    from cockpit.worktrees.progress import read_progress
    from cockpit.worktrees.told import progress_row

    repository, config = call.repository(), call.config()
    sessions = read_sessions(repository)
    trees = with_presence(read_worktrees(repository, config, forecast=True), sessions).worktrees
    progress = read_progress(trees, sessions)
    if call.args.json:
        rows = [{"name": t.name, "branch": t.branch, **progress_row(progress[t.path])} for t in trees]
        print_json({"worktrees": rows, "meta": {}})
        return 0
    lines = []
    for tree in trees:
        row = progress[tree.path]
        todos = "–" if row.sheet.todos is None else f"{row.sheet.done}/{row.sheet.total} ({row.sheet.todos} %)"
        commits = "" if row.commits is None else str(row.commits)
        changes = "?" if row.changes is None else str(row.changes)
        tests = {"pass": "pass", "fail": "fail", "not_run": "not run"}[row.tests]
        lines.append((tree.label, commits, changes, tests, todos, "; ".join(row.blockers)))
    _table([("BRANCH", "COMMITS", "CHANGES", "TESTS", "TODOS", "BLOCKERS"), *lines])
    return 0


def stale(call: Call) -> int:
    """Worktrees whose last commit is more than a week old, with what to do about each."""
    from cockpit.worktrees.feed import read_worktrees
    from cockpit.worktrees.told import worktree_row
    from skills.workflow.worktrees import STALE_AFTER_DAYS, is_stale

    trees = [
        tree
        for tree in read_worktrees(call.repository(), call.config()).worktrees
        if not tree.main and is_stale(tree.stale_days)
    ]
    if call.args.json:
        print_json({"worktrees": [worktree_row(tree) for tree in trees], "meta": {}})
    else:
        none = [(f"no worktree is stale: each has a commit of the last {STALE_AFTER_DAYS} days",)]
        _table([(tree.label, counted(tree.stale_days or 0, "day"), tree.advice) for tree in trees] or none)
    return 0


def _reason(tree: "Worktree", why: str) -> dict[str, Any]:
    return {"name": tree.name, "branch": tree.branch, "path": plain_text(tree.path), "why": why}


def _entry(row: "RegistryRow") -> dict[str, Any]:
    return {
        "project": row.project,
        "branch": row.branch,
        "path": row.path,
        "ports": list(row.ports),
        "listening": list(row.listening),
        "status": row.status,
        "task": row.task or None,
        "ours": row.ours,
    }


def _ports(row: "RegistryRow") -> str:
    return ",".join(f"{port}*" if port in row.listening else str(port) for port in row.ports)


def _table(rows: Sequence[tuple[str, ...]]) -> None:
    for line in aligned([tuple(plain_text(cell, 200) for cell in row) for row in rows]):
        print(line)
