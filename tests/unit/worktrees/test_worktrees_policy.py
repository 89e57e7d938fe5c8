"""The worktree policy: what is advised, and what may be removed without loss."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cockpit.agents.models import Session, SessionsSnapshot
from cockpit.worktrees.judgement import holders, with_last, with_presence
from cockpit.worktrees.models import Counts, Worktree, WorktreesSnapshot
from skills.workflow.worktrees import WorktreeState, is_stale, judge

MERGED = WorktreeState(
    branch="feature", base="main", changed=0, untracked=0, conflicts=0, ahead=2, behind=1, merged="squash", stale_days=1
)
OPEN = replace(MERGED, merged="no", unpushed=None)


def test_a_clean_merged_worktree_may_go() -> None:
    verdict = judge(MERGED)
    assert verdict.safe_to_remove
    assert verdict.advice == "merged (squash), safe to remove"
    assert judge(replace(MERGED, merged="ancestor", ahead=0)).advice == "merged, safe to remove"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"main": True}, "main work tree"),
        ({"own_base": True}, "base branch"),
        ({"locked": True, "lock_reason": "on a stick"}, "on a stick"),
        ({"operation": "rebase 2/5"}, "rebase 2/5"),
        ({"agent": "claude", "agent_state": "idle"}, "claude is idle"),
        ({"changed": 1}, "1 changed"),
        ({"untracked": 3}, "3 untracked"),
        ({"conflicts": 1}, "1 in conflict"),
        ({"changed": None}, "not counted"),
        ({"merged": None}, "not known"),
        ({"missing": True}, "gone"),
        ({"problem": "bad object HEAD"}, "bad object"),
        ({"stale": True}, "measured again"),
        ({"merged": "no"}, "2 commits not in main"),
        ({"merged": "no", "ahead": 0}, "no commits of its own"),
        ({"branch": None, "unpushed": 1}, "1 commit on no branch"),
        ({"branch": None, "unpushed": None}, "not known"),
    ],
)
def test_one_doubt_keeps_the_worktree(change: dict[str, object], why: str) -> None:
    verdict = judge(replace(MERGED, **change))  # type: ignore[arg-type]
    assert not verdict.safe_to_remove
    assert why in verdict.why


def test_a_detached_head_whose_commits_are_on_a_branch_may_go() -> None:
    assert judge(replace(MERGED, branch=None, merged=None, unpushed=0)).safe_to_remove


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"conflicts": 2, "changed": 1}, "resolve 2 conflicts"),
        ({"operation": "rebase 2/5"}, "finish or abort the rebase"),
        ({"changed": 1, "unpushed": 2, "stale_days": 20}, "commit or stash"),
        ({"unpushed": 2, "stale_days": 20, "behind": 1}, "push"),
        ({"stale_days": 15, "behind": 1}, "archive or remove"),
        ({"stale_days": 14, "behind": 1}, "rebase on main"),
        ({"stale_days": 100, "behind": 0, "ahead": 0}, ""),
        ({"stale_days": 100, "behind": 1, "ahead": 0}, "rebase on main"),
        ({"behind": 0}, "review and merge"),
        ({"behind": 0, "ahead": 0}, ""),
        ({"main": True, "behind": 3}, "pull"),
        ({"changed": None, "untracked": None, "conflicts": None}, ""),
    ],
)
def test_advice_follows_the_order_of_the_workflow(change: dict[str, object], advice: str) -> None:
    assert judge(replace(OPEN, **change)).advice == advice  # type: ignore[arg-type]


@pytest.mark.parametrize(("days", "stale"), [(None, False), (0, False), (7, False), (8, True)])
def test_stale_means_more_than_seven_days(days: int | None, stale: bool) -> None:
    assert is_stale(days) is stale


_maybe = some.none() | some.integers(0, 3)


@given(
    some.builds(
        WorktreeState,
        changed=_maybe,
        untracked=_maybe,
        conflicts=_maybe,
        ahead=_maybe,
        unpushed=_maybe,
        stale_days=some.none() | some.integers(0, 40),
    )
)
def test_nothing_unknown_or_unsaved_is_ever_safe(state: WorktreeState) -> None:
    verdict = judge(state)
    assert verdict.why
    if verdict.safe_to_remove:
        assert (state.changed, state.untracked, state.conflicts) == (0, 0, 0)
        assert not (state.main or state.locked or state.operation or state.agent or state.problem or state.stale)
        assert state.merged in ("ancestor", "squash") if state.branch is not None else state.unpushed == 0


NOW = datetime(2026, 11, 20, tzinfo=UTC)


def _session(cwd: str, state: str, name: str, minutes: int = 0) -> Session:
    return Session(
        agent="claude",
        session=name,
        cwd=cwd,
        branch=None,
        state=state,  # type: ignore[arg-type]
        waiting_for="run \x1b[31mgit push?" if state == "waiting" else None,
        since=NOW,
        phase=0,
        phase_name="",
        phases=(),
        context=None,
        usd=None,
        prompt="",
        evidence="",
        last_event_at=NOW + timedelta(minutes=minutes),
    )


def test_agents_are_joined_to_the_innermost_worktree_and_the_most_urgent_is_shown() -> None:
    clean = Worktree("tree", "/r/tree", "f", "1" * 40, counts=Counts(), merged="squash", ahead=1, behind=1)
    snapshot = WorktreesSnapshot((Worktree("r", "/r", "main", "1" * 40, main=True), clean))
    sessions = SessionsSnapshot(
        (
            _session("/r/tree/src", "busy", "b", 5),
            _session("/r/tree", "waiting", "w", 1),
            _session("/r", "ended", "gone"),
            _session("/elsewhere", "busy", "other"),
        )
    )
    main, tree = with_presence(snapshot, sessions).worktrees
    assert main.agent is None
    assert tree.agent is not None
    assert (tree.agent.session, tree.agent.state, tree.agent.waiting_for) == ("w", "waiting", "run git push?")
    assert not tree.safe_to_remove
    assert "claude is waiting" in tree.why


def test_presence_goes_when_the_session_ends() -> None:
    clean = Worktree("tree", "/r/tree", "f", "1" * 40, counts=Counts(), merged="squash", ahead=1, behind=1)
    snapshot = WorktreesSnapshot((clean,))
    busy = with_presence(snapshot, SessionsSnapshot((_session("/r/tree", "busy", "b"),)))
    ended = with_presence(busy, SessionsSnapshot((_session("/r/tree", "ended", "b"),)))
    assert ended.worktrees[0].agent is None
    assert ended.worktrees[0].safe_to_remove


def test_of_two_alike_the_one_that_spoke_last_is_shown() -> None:
    snapshot = WorktreesSnapshot((Worktree("tree", "/r/tree", "f", "1" * 40),))
    sessions = SessionsSnapshot((_session("/r/tree", "busy", "old", 1), _session("/r/tree", "busy", "new", 9)))
    agent = with_presence(snapshot, sessions).worktrees[0].agent
    assert agent is not None
    assert agent.session == "new"


def test_paths_are_held_by_the_innermost_worktree() -> None:
    trees = ("/r", "/r/.worktrees/a")
    assert holders(["/r/x.py"], trees) == {"/r"}
    assert holders(["/r/.worktrees/a/deep/x.py", "/r/.worktrees/a"], trees) == {"/r/.worktrees/a"}
    assert holders(["/other/x.py", "/"], trees) == set()


def test_a_row_that_is_read_again_stays_as_an_older_value() -> None:
    counted = Worktree("a", "/r/a", "main", "1" * 40, counts=Counts(unstaged=2), behind=3)
    last = WorktreesSnapshot((counted,))
    reading = replace(counted, counts=None, behind=None)

    def now(tree: Worktree) -> Worktree:
        return with_last(WorktreesSnapshot((tree,)), last).worktrees[0]

    assert now(reading) == replace(counted, stale=True)
    for other in (
        replace(reading, head="2" * 40),
        replace(reading, missing=True),
        replace(reading, problem="unreadable"),
    ):
        assert now(other) == other
