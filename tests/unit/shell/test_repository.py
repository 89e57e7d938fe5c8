"""Finding the repository of a folder from files alone, in every layout that git makes."""

from pathlib import Path

import pytest

from cockpit.errors import CannotAnswer
from cockpit.repository import find_repository, is_bare
from tests.git import git


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "acme api"
    (folder / "src" / "deep").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "start")
    return folder


@pytest.mark.parametrize("below", [".", "src/deep", ".git", ".git/refs/heads"])
def test_any_folder_inside_belongs_to_it(repo: Path, below: str) -> None:
    found = find_repository(repo / below)
    assert (found.root, found.git_dir, found.common_dir) == (repo, repo / ".git", repo / ".git")
    assert (found.main_root, found.name) == (repo, "acme api")


def test_a_link_is_the_repository_that_it_leads_to(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "whole").symlink_to(repo)
    (tmp_path / "part").symlink_to(repo / "src")
    assert find_repository(tmp_path / "whole") == find_repository(tmp_path / "part" / "deep") == find_repository(repo)


def test_a_worktree_knows_the_main_one(repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "-q", str(tmp_path / "tree"))
    found = find_repository(tmp_path / "tree")
    assert (found.root, found.common_dir) == (tmp_path / "tree", repo / ".git")
    assert found.git_dir == repo / ".git" / "worktrees" / "tree"
    assert (found.main_root, found.name) == (repo, "acme api")


def test_a_separate_git_folder(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--separate-git-dir", str(tmp_path / "stored"), "work")
    found = find_repository(tmp_path / "work")
    assert (found.root, found.git_dir) == (tmp_path / "work", tmp_path / "stored")
    assert (found.main_root, found.name) == (tmp_path / "work", "work")


def test_a_submodule_is_a_repository_of_its_own(repo: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    git(tmp_path, "init", "-q", "outer")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repo), "inner")
    found = find_repository(outer / "inner")
    assert (found.root, found.main_root, found.name) == (outer / "inner", outer / "inner", "inner")
    git(outer / "inner", "worktree", "add", "-q", str(tmp_path / "tree"), "-b", "x")
    assert find_repository(tmp_path / "tree").main_root == outer / "inner"


def test_bare_repositories_are_refused_but_their_worktrees_are_not(repo: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    git(tmp_path, "clone", "-q", "--bare", str(repo), str(project / ".bare"))
    (project / ".git").write_text("gitdir: ./.bare\n")
    git(project, "worktree", "add", "-q", "main")
    for folder in (project, project / ".bare"):
        with pytest.raises(CannotAnswer, match="is a bare repository"):
            find_repository(folder)
    found = find_repository(project / "main")
    assert found.root == project / "main"
    assert is_bare(found.common_dir)
    assert found.main_root == found.common_dir


@pytest.mark.parametrize(
    ("content", "message"),
    [("rubbish", "does not point at a git folder"), ("gitdir: /nowhere/at/all", "which is gone"), ("", "does not")],
)
def test_a_broken_pointer_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / ".git").write_text(content)
    with pytest.raises(CannotAnswer, match=message) as raised:
        find_repository(tmp_path)
    assert "git worktree repair" in raised.value.hint


@pytest.mark.parametrize(("name", "said"), [(".", "not in a git repository"), ("nowhere", "is not a folder")])
def test_no_repository_and_no_folder(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(CannotAnswer, match=said):
        find_repository(tmp_path / name)


@pytest.mark.parametrize(
    ("config", "bare"),
    [
        ("[core]\n\tbare = true\n", True),
        ('[CORE]\n  Bare="yes"\n', True),
        ("[core]\nbare\n", True),
        ("[core]\nbare = true\nbare = false\n", False),
        ('[other]\nbare = true\n[remote "bare"]\n', False),
        ("", False),
    ],
)
def test_bare_is_read_as_git_reads_it(tmp_path: Path, config: str, bare: bool) -> None:
    (tmp_path / "config").write_text(config)
    assert is_bare(tmp_path) is bare
