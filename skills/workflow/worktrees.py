"""Worktree policy: what to do next with a worktree, and whether removing it can lose anything.

Source: workflow orchestrator, worktrees and cleanup. Whoever does not know says so: an unknown is never safe.
"""

from typing import Literal

from skills.counted import counted
from skills.record import record

STALE_AFTER_DAYS = 7
ARCHIVE_AFTER_DAYS = 14


@record
class WorktreeState:
    """What is known of one worktree; None is "not known".

    `own_base` is True for the worktree that holds the base branch itself. `changed` counts staged and
    unstaged paths. `ahead` and `behind` are commits against `base`. `unpushed` counts the commits that are on
    no remote and not in the base (HEAD detached: on no branch or tag either). `ignored` names ignored files
    that are nowhere else and that no tool makes again. `stale` is True while all this is being measured again.
    """

    main: bool = False
    own_base: bool = False
    branch: str | None = None
    base: str | None = None
    missing: bool = False
    problem: str | None = None
    locked: bool = False
    lock_reason: str | None = None
    operation: str | None = None
    changed: int | None = None
    untracked: int | None = None
    conflicts: int | None = None
    ahead: int | None = None
    behind: int | None = None
    merged: Literal["no", "ancestor", "squash"] | None = None
    unpushed: int | None = None
    ignored: tuple[str, ...] | None = ()
    stale: bool = False
    stale_days: int | None = None
    agent: str | None = None
    agent_state: str | None = None


@record
class Judgement:
    """The next sensible step ("" where there is none), whether removal loses nothing, and the reason for that
    answer.
    """

    advice: str
    safe_to_remove: bool
    why: str


def is_stale(days: int | None) -> bool:
    """Whether the last commit is more than seven days old (workflow orchestrator, stale worktrees; rule
    WO-W-6).
    """
    return days is not None and days > STALE_AFTER_DAYS


def judge(state: WorktreeState) -> Judgement:
    """Advice and removal decision for one worktree (rules WO-W-6 and WO-W-7)."""
    obstacle = _obstacle(state)
    why = obstacle or _harmless(state)
    return Judgement(advice=_advice(state, safe=obstacle is None), safe_to_remove=obstacle is None, why=why)


def _obstacle(state: WorktreeState) -> str | None:
    """Why the worktree must stay; None where nothing can be lost."""
    return _standing(state) or _work_in_files(state) or _work_in_commits(state) or _work_in_ignored(state)


def _standing(state: WorktreeState) -> str | None:
    if state.main:
        return "the main work tree"
    if state.problem:
        return f"not known: {state.problem}"
    if state.missing:
        return "its folder is gone"
    if state.own_base:
        return "holds the base branch"
    if state.locked:
        return f"locked: {state.lock_reason}" if state.lock_reason else "locked"
    if state.operation:
        return f"{state.operation} in progress"
    if state.agent:
        return f"{state.agent} is {state.agent_state or 'here'}"
    return None


def _work_in_files(state: WorktreeState) -> str | None:
    if state.changed is None or state.untracked is None or state.conflicts is None:
        return "changes not counted yet"
    if state.stale:
        return "being measured again"
    parts = ((state.conflicts, "in conflict"), (state.changed, "changed"), (state.untracked, "untracked"))
    return ", ".join(f"{number} {word}" for number, word in parts if number) or None


def _work_in_ignored(state: WorktreeState) -> str | None:
    if state.ignored is None:
        return "not known whether its ignored files matter"
    if not state.ignored:
        return None
    shown = ", ".join(state.ignored[:2]) + (" and more" if len(state.ignored) > 2 else "")
    return f"{counted(len(state.ignored), 'ignored file')} only here: {shown}"


def _work_in_commits(state: WorktreeState) -> str | None:
    if state.branch is None:
        if state.unpushed is None:
            return "not known whether its commits are on a branch"
        return f"{counted(state.unpushed, 'commit')} on no branch" if state.unpushed else None
    if state.merged is None:
        return "not known whether it is merged"
    if state.merged != "no":
        return None
    if state.ahead == 0:
        return "new: no commits of its own yet"
    if state.ahead is None:
        return "no base to compare it with"
    return f"{counted(state.ahead, 'commit')} not in {state.base or 'the base'}"


def _harmless(state: WorktreeState) -> str:
    if state.branch is None:
        return "clean, every commit is on a branch"
    return "clean, merged" if state.merged == "ancestor" else f"clean, merged ({state.merged})"


def _advice(state: WorktreeState, *, safe: bool) -> str:
    if state.problem:
        return state.problem
    if state.missing:
        return "folder is gone: git worktree repair or prune"
    if state.conflicts:
        return f"resolve {counted(state.conflicts, 'conflict')}"
    if state.operation:
        return f"finish or abort the {state.operation.split(' ')[0]}"
    if state.changed or state.untracked:
        return "commit or stash"
    if state.changed is None:
        return ""
    return _advice_when_clean(state, safe=safe)


def _advice_when_clean(state: WorktreeState, *, safe: bool) -> str:
    if state.merged in ("ancestor", "squash"):
        found = "merged" if state.merged == "ancestor" else f"merged ({state.merged})"
        return f"{found}, safe to remove" if safe else found
    if safe:
        return "nothing of its own, safe to remove"
    if state.branch is None:
        return "put its commits on a branch" if state.unpushed else ""
    if state.unpushed:
        return "push"
    if state.main or state.own_base:
        return "pull" if state.behind else ""
    if state.stale_days is not None and state.stale_days > ARCHIVE_AFTER_DAYS and state.ahead != 0:
        return "archive or remove"  # without commits of its own the days are those of its base
    if state.behind:
        return f"rebase on {state.base}" if state.base else "rebase"
    return "review and merge" if state.ahead else ""
