"""The worktree policy applied to a row, and the agents of the repository joined to the worktrees that they
work in.
"""

import os
from collections.abc import Iterable
from dataclasses import replace

from cockpit.agents.models import Session, SessionsSnapshot
from cockpit.clock import EPOCH
from cockpit.plain_text import plain_text
from cockpit.worktrees.models import Presence, Worktree, WorktreesSnapshot
from skills.workflow.worktrees import WorktreeState, judge

_URGENCY = {"waiting": 0, "busy": 1, "idle": 2}


def judged(tree: Worktree) -> Worktree:
    """The row with its advice, and whether its removal loses nothing."""
    counts = tree.counts
    verdict = judge(
        WorktreeState(
            main=tree.main,
            own_base=tree.own_base,
            branch=tree.branch,
            base=tree.base,
            missing=tree.missing,
            problem=tree.problem,
            locked=tree.locked,
            lock_reason=tree.lock_reason,
            operation=tree.operation,
            changed=counts.staged + counts.unstaged if counts else None,
            untracked=counts.untracked if counts else None,
            conflicts=counts.conflicts if counts else None,
            ahead=tree.ahead,
            behind=tree.behind,
            merged=tree.merged,
            unpushed=tree.unpushed,
            ignored=tree.ignored,
            stale=tree.stale,
            stale_days=tree.stale_days,
            agent=tree.agent.agent if tree.agent else None,
            agent_state=tree.agent.state if tree.agent else None,
        )
    )
    return replace(tree, advice=verdict.advice, safe_to_remove=verdict.safe_to_remove, why=verdict.why)


def with_last(snapshot: WorktreesSnapshot, last: WorktreesSnapshot) -> WorktreesSnapshot:
    """The snapshot where a row that is not counted yet stays as it was in the one before, as an older value."""
    before = {(tree.path, tree.head): tree for tree in last.worktrees if tree.counts is not None}

    def kept(tree: Worktree) -> Worktree:
        known = before.get((tree.path, tree.head))
        reading = tree.counts is None and not (tree.missing or tree.problem)
        return replace(known, stale=True) if reading and known is not None else tree

    return replace(snapshot, worktrees=tuple(map(kept, snapshot.worktrees)))


def with_presence(snapshot: WorktreesSnapshot, sessions: SessionsSnapshot) -> WorktreesSnapshot:
    """Each worktree with the agent session that runs in it; of several, the one that needs a person most."""
    places = {os.path.realpath(tree.path): tree.path for tree in snapshot.worktrees}
    present: dict[str, Session] = {}
    for session in sessions.sessions:
        place = _holder(os.path.realpath(session.cwd), places) if session.state != "ended" and session.cwd else None
        if place is not None and (place not in present or _before(session, present[place])):
            present[place] = session
    trees = tuple(_joined(tree, present.get(tree.path)) for tree in snapshot.worktrees)
    return replace(snapshot, worktrees=trees)


def holders(paths: Iterable[str], worktrees: Iterable[str]) -> set[str]:
    """Which of `worktrees` hold any of `paths`; of nested ones the innermost."""
    places = {os.path.realpath(tree): tree for tree in worktrees}
    return {place for path in paths if (place := _holder(os.path.realpath(path), places)) is not None}


def _holder(real: str, places: dict[str, str]) -> str | None:
    while True:
        if real in places:
            return places[real]
        parent = os.path.dirname(real)  # noqa: PTH120 - a string all the way, called for every save
        if parent == real:
            return None
        real = parent


def _before(one: Session, other: Session) -> bool:
    """Waiting beats busy beats idle; of two alike the one that spoke last."""
    if one.state != other.state:
        return _URGENCY[one.state] < _URGENCY[other.state]
    return (one.last_event_at or one.since or EPOCH) > (other.last_event_at or other.since or EPOCH)


def _joined(tree: Worktree, session: Session | None) -> Worktree:
    if session is None or session.state == "ended":
        return judged(replace(tree, agent=None)) if tree.agent else tree
    waiting = plain_text(session.waiting_for, 200) if session.waiting_for else None
    agent = Presence(session.agent, session.state, waiting, session.since, session.session)
    return judged(replace(tree, agent=agent)) if agent != tree.agent else tree
