"""Which repository a folder belongs to, read from the file system alone (no git process, so that start-up stays fast)."""

import os
from dataclasses import dataclass
from pathlib import Path

from cockpit.errors import CannotAnswer


@dataclass(frozen=True, slots=True)
class Repository:
    """A work tree and the git folders behind it.

    `root` is the work tree that was asked for, `git_dir` its own git folder, `common_dir` the one that all worktrees
    share. `name` is the folder name of the main work tree.
    """

    root: Path
    git_dir: Path
    common_dir: Path

    @property
    def main_root(self) -> Path:
        """The main work tree (for a worktree of a bare repository: the bare repository itself)."""
        return self.common_dir.parent if self.common_dir.name == ".git" else self.common_dir

    @property
    def name(self) -> str:
        return self.main_root.name.removesuffix(".git") or "repository"


def find_repository(folder: Path) -> Repository:
    """The repository whose work tree holds `folder`.

    Raises `CannotAnswer` where there is none, where it is bare, or where `.git` cannot be read.
    """
    start = Path(os.path.abspath(folder.expanduser()))
    if not start.is_dir():
        raise CannotAnswer(f"{folder} is not a folder", "give --repo the folder of a git work tree")
    for place in (start, *start.parents):
        marker = place / ".git"
        if marker.is_dir() and (marker / "HEAD").exists():
            return Repository(place, marker, _common(marker))
        if marker.is_file():
            git_dir = _pointed_at(marker)
            return Repository(place, git_dir, _common(git_dir))
        if _looks_bare(place):
            raise CannotAnswer(
                f"{place} is a bare repository: it has no files to look at",
                "run cockpit in one of its worktrees (git worktree list)",
            )
    raise CannotAnswer(f"{start} is not in a git repository", "run cockpit in one, make one with git init, or try cockpit demo")


def _pointed_at(marker: Path) -> Path:
    try:
        text = marker.read_text("utf-8", "surrogateescape").strip()
    except OSError as problem:
        raise CannotAnswer(f"{marker} cannot be read ({problem.strerror})") from None
    if not text.startswith("gitdir:"):
        raise CannotAnswer(f"{marker} does not point at a git folder")
    git_dir = Path(os.path.normpath(marker.parent / text.removeprefix("gitdir:").strip()))
    if not git_dir.is_dir():
        raise CannotAnswer(f"{marker} points at {git_dir}, which is gone", "git worktree repair, in the main repository")
    return git_dir


def _common(git_dir: Path) -> Path:
    try:
        text = (git_dir / "commondir").read_text("utf-8", "surrogateescape").strip()
    except OSError:
        return git_dir
    return Path(os.path.normpath(git_dir / text))


def _looks_bare(place: Path) -> bool:
    return (place / "HEAD").is_file() and (place / "objects").is_dir() and (place / "refs").is_dir()
