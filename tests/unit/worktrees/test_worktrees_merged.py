"""Whether a worktree's branch is merged: by an ancestor, by a squash, or not at all."""

import json
import shutil
from pathlib import Path

import pytest

from cockpit.worktrees import measure
from tests.unit.trees import add, commit, git, read, row, squash


def test_a_new_branch_is_not_merged_and_stays(repo: Path) -> None:
    add(repo, "fresh")
    commit(repo, "later.txt", "x")
    found = row(repo, "fresh")
    assert (found.ahead, found.behind, found.merged) == (0, 1, "no")
    assert not found.safe_to_remove


@pytest.mark.parametrize("how", ["--ff-only", "--no-ff"])
def test_a_merged_branch_is_an_ancestor_and_may_go(repo: Path, how: str) -> None:
    tree = add(repo, "api")
    commit(tree, "b.txt", "b")
    git(repo, "merge", "-q", how, "-m", "merge", "feature/api")
    found = row(repo, "api")
    assert (found.merged, found.ahead) == ("ancestor", 0)
    assert found.safe_to_remove
    assert found.advice == "merged, safe to remove"
    (tree / "b.txt").write_text("changed after the merge")
    assert not row(repo, "api").safe_to_remove


def test_a_branch_that_only_followed_the_base_was_never_merged(repo: Path) -> None:
    tree = add(repo, "api")
    commit(repo, "later.txt", "x")
    git(tree, "merge", "-q", "--ff-only", "main")
    commit(repo, "later still.txt", "x")
    assert row(repo, "api").merged == "no"


def test_a_branch_whose_work_was_reset_was_never_merged(repo: Path) -> None:
    tree = add(repo, "api")
    commit(tree, "b.txt", "b")
    git(tree, "reset", "-q", "--hard", "main")
    assert row(repo, "api").merged == "no"


def test_a_merged_branch_without_its_reflog_is_still_known_by_the_merge(repo: Path) -> None:
    tree = add(repo, "api")
    commit(tree, "b.txt", "b")
    commit(repo, "c.txt", "c")
    git(repo, "merge", "-q", "-m", "merge", "feature/api")
    shutil.rmtree(repo / ".git" / "logs" / "refs" / "heads" / "feature")
    assert row(repo, "api").merged == "ancestor"


def test_many_worktrees_are_tried_in_one_process_and_each_gets_its_own_answer(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("squashed", "open", "clashing", "unrelated"):
        commit(add(repo, name), "a.txt" if name == "clashing" else f"{name}.txt", f"{name}\n")
    git(repo.parent / "unrelated", "checkout", "-q", "--orphan", "feature/alone")
    git(repo.parent / "unrelated", "commit", "-qm", "alone")
    squash(repo, "feature/squashed")
    commit(repo, "a.txt", "main\n")
    merged = {tree.name: tree.merged for tree in read(repo).worktrees}
    shutil.rmtree(repo.parent / "unrelated")
    git(repo, "worktree", "prune")
    trace = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE2_EVENT", str(trace))
    without_it = {tree.name: tree.merged for tree in read(repo).worktrees}
    started = [json.loads(line) for line in trace.read_text().splitlines()]
    tries = [one["argv"] for one in started if one["event"] == "start" and "merge-tree" in one["argv"]]

    answers = {"acme-api": "no", "squashed": "squash", "open": "no", "clashing": "no"}
    assert merged == {**answers, "unrelated": None}
    assert without_it == answers
    assert len(tries) == 1


def test_where_branches_left_their_base_is_where_git_says(repo: Path) -> None:
    first = git(repo, "rev-parse", "HEAD")
    git(repo, "branch", "early")
    commit(repo, "b.txt", "b")
    git(repo, "branch", "late")
    for branch in ("early", "late"):
        git(repo, "checkout", "-q", branch)
        commit(repo, f"{branch}.txt", "1")
        commit(repo, f"{branch}.txt", "2")
    git(repo, "checkout", "-q", "-b", "both", "early")
    git(repo, "merge", "-q", "--no-edit", "late")
    git(repo, "checkout", "-q", "-b", "taken", "early")
    git(repo, "merge", "-q", "--no-edit", "main")
    commit(repo, "taken.txt", "1")
    git(repo, "checkout", "-q", "main")
    commit(repo, "c.txt", "c")
    base, *heads = (git(repo, "rev-parse", name) for name in ("main", "early", "late", "both", "taken", "main~1"))
    found = measure.divergences(repo, base, heads)
    for head in heads:
        ahead, behind, start = found[head]
        assert (ahead, behind) == measure.divergence(repo, base, head)
        assert start in ("", git(repo, "merge-base", base, head))
    starts = [found[head][2] for head in heads]
    assert starts == [first, git(repo, "rev-parse", "main~1"), "", "", ""]


def test_a_squash_merge_is_found(repo: Path) -> None:
    tree = add(repo, "api")
    commit(tree, "b.txt", "b")
    commit(tree, "c.txt", "c")
    commit(repo, "other.txt", "x")
    squash(repo, "feature/api")
    found = row(repo, "api")
    assert (found.merged, found.ahead) == ("squash", 2)
    assert found.advice == "merged (squash), safe to remove"


def test_a_squash_merge_is_found_where_the_base_changed_the_same_lines_later(repo: Path) -> None:
    tree = add(repo, "api")
    commit(tree, "a.txt", "one\nTWO\nthree\n")
    commit(tree, "b.txt", "b")
    squash(repo, "feature/api")
    commit(repo, "a.txt", "one\n2\nthree\n")
    assert row(repo, "api").merged == "squash"


def test_a_squash_merge_that_was_reverted_is_not_merged(repo: Path) -> None:
    tree = add(repo, "api")
    commit(tree, "b.txt", "b")
    squash(repo, "feature/api")
    git(repo, "revert", "--no-edit", "HEAD")
    assert row(repo, "api").merged == "no"


def test_a_conflicting_branch_is_not_merged(repo: Path) -> None:
    tree = add(repo, "api")
    commit(tree, "a.txt", "theirs\n")
    commit(repo, "a.txt", "ours\n")
    found = row(repo, "api")
    assert (found.merged, found.ahead, found.behind) == ("no", 1, 1)
    assert found.advice == "rebase on main"


def test_a_branch_with_nothing_but_an_empty_commit_is_not_squashed(repo: Path) -> None:
    tree = add(repo, "api")
    git(tree, "commit", "-q", "--allow-empty", "-m", "start")
    commit(repo, "later.txt", "x")
    assert row(repo, "api").merged == "no"
