"""Merging touches no work tree, says conflicts before it does anything, and can be taken back; the forecast agrees."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.repository import find_repository
from cockpit.worktrees.feed import follow_worktrees, read_worktrees
from cockpit.worktrees.merge import Conflicted, Merged, merge_worktree
from cockpit.worktrees.models import Clash, Worktree
from cockpit.worktrees.new import make_new
from cockpit.worktrees.refused import Refused
from cockpit.worktrees.trials import one_by_one, trial_merges
from cockpit.worktrees.undo import undo_last
from tests.unit.trees import commit, git, print_of


def add(repo: Path, branch: str, **files: str) -> Path:
    tree = make_new(find_repository(repo), Config(max_worktrees=99), branch).path
    for name, text in files.items():
        commit(tree, f"{name}.txt", text)
    return tree


def merge(repo: Path, name: str, into: str | None = None) -> Merged | None:
    return merge_worktree(find_repository(repo), Config(), name, into)


def rows(repo: Path) -> dict[str, Worktree]:
    return {
        tree.branch or tree.name: tree
        for tree in read_worktrees(find_repository(repo), Config(), forecast=True).worktrees
    }


def test_a_merge_makes_an_integration_branch_and_touches_no_work_tree(repo: Path) -> None:
    tree = add(repo, "feature/api", b="b\n")
    (repo / "a.txt").write_text("the developer works here\n")
    before = print_of(repo / "a.txt"), git(repo, "status", "--porcelain"), (repo / ".git" / "index").read_bytes()
    done = merge(repo, "feature/api")
    assert done is not None
    assert done.into == "integration/feature-api"
    parents = git(repo, "rev-list", "--parents", "-1", done.into).split()[1:]
    assert parents == [git(repo, "rev-parse", "main"), git(tree, "rev-parse", "HEAD")]
    assert git(repo, "show", f"{done.into}:b.txt") == "b"
    assert git(repo, "log", "-1", "--format=%s", done.into) == "Merge branch 'feature/api' into integration/feature-api"
    assert before == (
        print_of(repo / "a.txt"),
        git(repo, "status", "--porcelain"),
        (repo / ".git" / "index").read_bytes(),
    )
    assert merge(repo, "feature/api") is None


def test_several_go_into_one_branch_and_a_conflict_changes_nothing(repo: Path) -> None:
    add(repo, "one", a="1\n")
    add(repo, "two", b="2\n")
    add(repo, "three", a="3\n")
    merge(repo, "one", "integration/all")
    merge(repo, "two", "integration/all")
    refs = git(repo, "for-each-ref")
    with pytest.raises(Conflicted) as conflicted:
        merge(repo, "three", "integration/all")
    assert conflicted.value.files == ("a.txt",)
    assert git(repo, "for-each-ref") == refs
    assert git(repo, "ls-tree", "--name-only", "integration/all").split() == [".gitignore", "a.txt", "b.txt"]


@pytest.mark.parametrize(
    ("into", "error", "said"),
    [
        ("main", Refused, "main is checked out in"),
        ("develop", CannotAnswer, "there is no branch 'develop'"),
        ("feature/api", CannotAnswer, "branch of that worktree itself"),
    ],
)
def test_a_merge_that_would_disturb_or_has_no_aim_is_refused(
    repo: Path, into: str, error: type[Exception], said: str
) -> None:
    add(repo, "feature/api", b="b\n")

    with pytest.raises(error, match=said):
        merge(repo, "feature/api", into)


def test_what_would_be_left_out_is_refused(repo: Path) -> None:
    tree = add(repo, "feature/api", b="b\n")
    (tree / "new.txt").write_text("x")

    with pytest.raises(Refused, match="1 untracked there would be left out"):
        merge(repo, "feature/api")


def test_a_branch_may_be_named_in_full(repo: Path) -> None:
    add(repo, "feature/api", b="b\n")
    git(repo, "branch", "develop")

    assert merge(repo, "feature/api", "refs/heads/develop") is not None


def test_without_an_author_git_makes_nothing(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(repo, "feature/api", b="b\n")
    for role in ("AUTHOR", "COMMITTER"):
        for what in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{role}_{what}")
    git(repo, "config", "user.useConfigOnly", "true")
    with pytest.raises(CannotAnswer, match=r"set user\.name and user\.email"):
        merge(repo, "feature/api")
    assert git(repo, "for-each-ref", "refs/heads/integration") == ""


def test_a_merge_is_taken_back_unless_the_branch_went_on(repo: Path) -> None:
    add(repo, "one", b="1\n")
    two = add(repo, "two", c="2\n")
    merge(repo, "one", "integration/all")
    first = git(repo, "rev-parse", "integration/all")
    merge(repo, "two", "integration/all")
    undone = undo_last(find_repository(repo))
    assert undone.merge is not None
    assert git(repo, "rev-parse", "integration/all") == first
    undo_last(find_repository(repo), "integration/all")
    assert git(repo, "for-each-ref", "refs/heads/integration") == ""
    assert "integration" not in (repo / ".git" / "config").read_text()
    merge(repo, "two", "integration/all")
    git(repo, "update-ref", "refs/heads/integration/all", git(two, "rev-parse", "HEAD"))
    with pytest.raises(Refused, match="went on since"):
        undo_last(find_repository(repo))


def test_the_forecast_names_base_and_others(repo: Path) -> None:
    add(repo, "one", a="1\n")
    add(repo, "two", a="2\n", b="2\n")
    add(repo, "three", b="3\n", c="3\n")
    git(repo, "commit", "-q", "--allow-empty", "-m", "main goes on")
    found = rows(repo)
    assert found["one"].clashes == (Clash("two", ("a.txt",)),)
    assert found["two"].clashes == (Clash("one", ("a.txt",)), Clash("three", ("b.txt",)))
    assert found["main"].clashes == ()
    commit(repo, "a.txt", "main\n")
    assert rows(repo)["one"].clashes[0] == Clash("main", ("a.txt",))
    assert rows(repo)["one"].clashes[0].line == "would conflict with main in 1 file"


def test_the_forecast_writes_no_object_into_the_repository(repo: Path) -> None:
    add(repo, "one", a="1\n")
    add(repo, "two", a="2\n")
    before = sorted(print_of(repo / ".git" / "objects"))
    assert rows(repo)["one"].clashes
    assert sorted(print_of(repo / ".git" / "objects")) == before


def test_one_process_and_one_a_pair_answer_alike(repo: Path, tmp_path: Path) -> None:
    heads = [git(add(repo, name, a=f"{name}\n", b="b\n"), "rev-parse", "HEAD") for name in ("one", "two", "ünë")]
    (repo / "x").mkdir()
    pairs = [(heads[0], heads[1]), (heads[1], heads[2]), (git(repo, "rev-parse", "main"), heads[0])]
    environment = dict(os.environ)
    found = trial_merges(repo, pairs, environment)
    assert found == one_by_one(repo, pairs, environment)
    assert [found[pair].files for pair in pairs] == [("a.txt",), ("a.txt",), ()]
    assert [found[pair].clean for pair in pairs] == [False, False, True]
    assert found[pairs[2]].tree == git(repo, "rev-parse", f"{heads[0]}^{{tree}}")


async def test_the_feed_forecasts_again_when_a_commit_comes(repo: Path) -> None:
    one = add(repo, "one", a="1\n")
    add(repo, "two", a="2\n")
    feed = follow_worktrees(find_repository(repo), Config())

    async def until(wanted: int) -> None:
        async for snapshot in feed:
            found = next((tree for tree in snapshot.worktrees if tree.branch == "one"), None)
            if found is not None and len(found.clashes) == wanted:
                return

    try:
        await asyncio.wait_for(until(1), 20)
        git(one, "reset", "-q", "--hard", "main")
        commit(one, "z.txt", "no conflict\n")
        await asyncio.wait_for(until(0), 20)
    finally:
        await feed.aclose()


def test_the_command_answers_with_files_and_exit_1(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(repo, "one", a="1\n")
    commit(repo, "a.txt", "main\n")
    assert main(["--repo", str(repo), "worktree", "merge", "one", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["done"], document["conflicts"]) == (False, ["a.txt"])
    assert main(["--repo", str(repo), "worktree", "forecast"]) == 1
    assert "one  would conflict with main in 1 file\n  a.txt" in capsys.readouterr().out
    assert main(["--repo", str(repo), "worktree", "list", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["worktrees"][1]
    assert row["conflicts_with"] == [{"with": "main", "files": ["a.txt"]}]


def test_what_a_new_worktree_was_given_is_nothing_to_commit_until_it_is_changed(repo: Path) -> None:
    (repo / ".claude").mkdir()
    (repo / ".claude" / "context.json").write_text("{}\n")
    tree = add(repo, "feature/given", b="b\n")
    assert (tree / ".claude" / "context.json").is_file()
    row = rows(repo)["feature/given"]
    assert row.counts is not None and row.counts.clean
    (tree / ".claude" / "context.json").write_text("{1}\n")
    row = rows(repo)["feature/given"]
    assert row.counts is not None and row.counts.untracked == 1
    (tree / ".claude" / "context.json").write_text("{}\n")
    assert merge(repo, "feature/given") is not None


def test_what_a_worktree_was_given_stays_given_when_the_day_ends(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repo / ".claude").mkdir()
    (repo / ".claude" / "context.json").write_text("{}\n")
    (repo / ".env").write_text("PORT=3000\nKEY=1\n")
    (repo / ".git" / "info" / "exclude").write_text(".env\n")
    tree = add(repo, "feature/given", b="b\n")
    git(repo, "merge", "-q", "--no-ff", "-m", "merged", "feature/given")
    assert main(["--repo", str(repo), "end-day"]) in (0, 2)
    capsys.readouterr()
    (repo / ".env").write_text("PORT=3000\nKEY=2\n")
    assert (repo / ".claude" / "context.json").read_text() != "{}\n"
    row = rows(repo)["feature/given"]
    assert row.counts is not None and row.counts.clean and row.safe_to_remove and not row.ignored
    (tree / ".env").write_text("PORT=8100\nKEY=3\n")
    assert rows(repo)["feature/given"].ignored == (".env",)
    (tree / ".claude" / "context.json").write_text("{1}\n")
    row = rows(repo)["feature/given"]
    assert row.counts is not None and row.counts.untracked == 1
