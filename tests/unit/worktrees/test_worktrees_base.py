"""What a worktree is compared with: the base, configured or found, and the remote that it follows."""

from pathlib import Path

import pytest

from tests.unit.trees import add, commit, git, read, row


@pytest.fixture
def clone(repo: Path) -> Path:
    git(repo.parent, "clone", "-q", str(repo), "clone")
    return repo.parent / "clone"


def test_the_base_itself_is_compared_with_what_it_follows(repo: Path, clone: Path) -> None:
    commit(clone, "b.txt", "b")
    main = row(clone, "clone")
    assert (main.base, main.ahead, main.behind, main.unpushed) == ("origin/main", 1, 0, 1)
    assert main.advice == "push"
    assert row(repo, "acme-api").base is None


def test_unpushed_commits_are_counted_where_there_is_a_remote(clone: Path) -> None:
    tree = add(clone, "api")
    commit(tree, "b.txt", "b")
    assert row(clone, "api").unpushed == 1
    assert row(clone, "api").advice == "push"
    git(tree, "push", "-q", "origin", "HEAD:refs/heads/feature/api")
    assert row(clone, "api").unpushed == 0
    assert row(clone, "api").advice == "review and merge"


def test_a_local_base_that_only_lags_gives_way_to_its_remote(repo: Path, clone: Path) -> None:
    tree = add(clone, "api")
    commit(tree, "b.txt", "b")
    commit(repo, "c.txt", "c")
    assert row(clone, "api").base == "main"
    git(clone, "fetch", "-q")
    found = row(clone, "api")
    assert (found.base, found.ahead, found.behind) == ("origin/main", 1, 1)


def test_the_configured_base_wins_and_a_wrong_one_is_said(repo: Path) -> None:
    git(repo, "branch", "develop")
    tree = add(repo, "api")
    commit(tree, "b.txt", "b")
    commit(repo, "c.txt", "c")
    assert (row(repo, "api", "develop").base, row(repo, "api", "develop").behind) == ("develop", 0)
    snapshot = read(repo, "nowhere")
    assert "'nowhere' was not found: using main" in snapshot.note


@pytest.mark.parametrize("name", ["master", "trunk"])
def test_without_main_the_next_best_branch_is_the_base(tmp_path: Path, name: str) -> None:
    git(tmp_path, "init", "-q", "-b", name, "r")
    commit(tmp_path / "r", "a", "a")
    add(tmp_path / "r", "api")
    assert row(tmp_path / "r", "api").base == name
