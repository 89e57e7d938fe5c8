"""Real repositories with worktrees, and what is compared of them."""

import hashlib
import os
from pathlib import Path

from cockpit.config import Config
from cockpit.repository import find_repository
from cockpit.worktrees.feed import read_worktrees
from cockpit.worktrees.models import Worktree, WorktreesSnapshot
from tests.git import git


def commit(folder: Path, name: str, text: str, message: str = "") -> str:
    """Commit one file."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    git(folder, "add", "--", name)
    git(folder, "commit", "-qm", message or name)
    return git(folder, "rev-parse", "HEAD")


def make_repository(folder: Path) -> Path:
    """A repository with one commit on main."""
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "a.txt", "one\ntwo\nthree\n")
    commit(folder, ".gitignore", ".env\n*.log\n.venv/\n")
    return folder


def print_of(folder: Path) -> dict[str, tuple[int, str]]:
    """Every file and folder below: its mode and a checksum of what it holds."""
    found = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            what = str(path.readlink()) if path.is_symlink() else "" if path.is_dir() else _sum(path)
            found[str(path.relative_to(folder))] = (path.lstat().st_mode, what)
    return found


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read(folder: Path, base: str | None = None) -> WorktreesSnapshot:
    """Every worktree as it is now."""
    return read_worktrees(find_repository(folder), Config(base=base))


def row(folder: Path, name: str, base: str | None = None) -> Worktree:
    """The worktree of a name as it is now."""
    return next(tree for tree in read(folder, base).worktrees if tree.name == name)


def add(repo: Path, name: str, *more: str) -> Path:
    """Add a worktree beside the repository, by git itself."""
    place = repo.parent / name
    git(repo, "worktree", "add", "-q", str(place), *(more or ("-b", f"feature/{name}")))
    return place


def squash(repo: Path, branch: str) -> None:
    """Take a branch into main as one commit."""
    git(repo, "merge", "-q", "--squash", branch)
    git(repo, "commit", "-qm", "squashed")
