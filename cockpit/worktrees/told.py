"""Worktrees as the JSON objects that commands and `watch` give."""

from typing import TYPE_CHECKING, Any

from cockpit.plain_text import plain_text

if TYPE_CHECKING:
    from cockpit.worktrees.models import Worktree
    from cockpit.worktrees.progress import TreeProgress


def worktree_row(tree: "Worktree") -> dict[str, Any]:
    """A worktree as one JSON object."""
    counts, agent = tree.counts, tree.agent
    return {
        "name": tree.name,
        "path": plain_text(tree.path),
        **({"repository": plain_text(tree.repository)} if tree.repository else {}),
        "main": tree.main,
        "branch": tree.branch,
        "head": tree.head,
        "base": tree.base,
        "ahead": tree.ahead,
        "behind": tree.behind,
        "staged": counts.staged if counts else None,
        "unstaged": counts.unstaged if counts else None,
        "untracked": counts.untracked if counts else None,
        "conflicts": counts.conflicts if counts else None,
        "unpushed": tree.unpushed,
        "ports": list(tree.ports),
        "merged": tree.merged,
        "stale_days": tree.stale_days,
        "operation": tree.operation,
        "rebasing": tree.rebasing,
        "locked": tree.locked,
        "lock_reason": tree.lock_reason,
        "missing": tree.missing,
        "agent": agent
        and {
            "agent": agent.agent,
            "state": agent.state,
            "waiting_for": agent.waiting_for,
            "session": agent.session,
        },
        "conflicts_with": [{"with": clash.other, "files": list(clash.files)} for clash in tree.clashes],
        "advice": tree.advice,
        "safe_to_remove": tree.safe_to_remove,
        "why": tree.why,
        "problem": tree.problem,
    }


def progress_row(row: "TreeProgress") -> dict[str, Any]:
    """A worktree's progress as one JSON object."""
    return {
        "commits": row.commits,
        "changes": row.changes,
        "tests": row.tests,
        "tests_reason": row.told,
        "todos": row.sheet.todos,
        "todos_done": row.sheet.done,
        "todos_total": row.sheet.total,
        "blockers": list(row.blockers),
    }
