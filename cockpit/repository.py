"""Which repository a folder belongs to, read from the file system alone (no git process, so that start-up
stays fast).
"""

import os
from pathlib import Path

from cockpit.errors import CannotAnswer, cannot_read
from skills.record import record


@record
class Repository:
    """A work tree and the git folders behind it.

    `root` is the work tree that was asked for, `git_dir` its own git folder, `common_dir` the one that all
    worktrees share. `name` is the folder name of the main work tree.
    """

    root: Path
    git_dir: Path
    common_dir: Path

    @property
    def main_root(self) -> Path:
        """The main work tree; the shared git folder itself where there is none (a bare repository) or none is
        known.
        """
        if self.git_dir == self.common_dir:
            return self.root
        if is_bare(self.common_dir):
            return self.common_dir.parent if self.common_dir.name == ".git" else self.common_dir
        configured = _core_setting(self.common_dir, "worktree")
        if configured:
            return Path(os.path.normpath(self.common_dir / configured))
        return self.common_dir.parent if self.common_dir.name == ".git" else self.common_dir

    @property
    def name(self) -> str:
        """What a person calls it: the folder of its main work tree."""
        root = self.main_root
        named = root.parent if root.name in (".bare", ".git") else root  # worktrees around a hidden bare repository
        return named.name.removesuffix(".git") or "repository"


def find_repository(folder: Path) -> Repository:
    """The repository whose work tree holds `folder`, under the name that git gives it: links are followed.

    Raises `CannotAnswer` where there is none, where it is bare, or where `.git` cannot be read.
    """
    start = Path(os.path.realpath(folder.expanduser()))
    if not start.is_dir():
        raise CannotAnswer(f"{folder} is not a folder", "give --repo the folder of a git work tree")
    for place in (start, *start.parents):
        marker = place / ".git"
        if marker.is_dir() and (marker / "HEAD").exists():
            return _with_files(place, marker)
        if marker.is_file():
            return _with_files(place, _pointed_at(marker))
        if _looks_bare(place):
            raise _bare(place)
    raise CannotAnswer(
        f"{start} is not in a git repository",
        "run cockpit in one, make one with git init, or try cockpit demo",
    )


def is_bare(common_dir: Path) -> bool:
    """Whether the repository has no main work tree (`core.bare`)."""
    return (_core_setting(common_dir, "bare") or "false").lower() in ("true", "yes", "on", "1")


def _with_files(place: Path, git_dir: Path) -> Repository:
    common = _common(git_dir)
    if common == git_dir and is_bare(common):
        raise _bare(place)
    return Repository(place, git_dir, common)


def _bare(place: Path) -> CannotAnswer:
    return CannotAnswer(
        f"{place} is a bare repository: it has no files to look at",
        "run cockpit in one of its worktrees (git worktree list)",
    )


def _pointed_at(marker: Path) -> Path:
    try:
        text = marker.read_text("utf-8", "surrogateescape").strip()
    except OSError as problem:
        raise cannot_read(marker, problem) from None
    if not text.startswith("gitdir:"):
        raise CannotAnswer(
            f"{marker} does not point at a git folder",
            "git worktree repair, in the main repository; or move that file away and clone again",
        )
    git_dir = Path(os.path.normpath(marker.parent / text.removeprefix("gitdir:").strip()))
    if not git_dir.is_dir():
        raise CannotAnswer(
            f"{marker} points at {git_dir}, which is gone", "git worktree repair, in the main repository"
        )
    return git_dir


def _common(git_dir: Path) -> Path:
    try:
        text = (git_dir / "commondir").read_text("utf-8", "surrogateescape").strip()
    except OSError:
        return git_dir
    return Path(os.path.normpath(git_dir / text))


def _looks_bare(place: Path) -> bool:
    if place.name == ".git":  # inside the git folder of a work tree, which is one level up
        return False
    return (place / "HEAD").is_file() and (place / "objects").is_dir() and (place / "refs").is_dir()


def _core_setting(common_dir: Path, key: str) -> str | None:
    """A value of the section `[core]`; the last file and line win, as in git. Includes are not followed."""
    value: str | None = None
    for name in ("config", "config.worktree"):
        try:
            lines = (common_dir / name).read_text("utf-8", "surrogateescape").splitlines()
        except OSError:
            continue
        section = ""
        for line in lines:
            text = line.strip()
            if text.startswith("["):
                section = text.lower()
            elif section.startswith("[core]") and text.partition("=")[0].strip().lower() == key:
                value = text.partition("=")[2].strip().strip('"') if "=" in text else "true"
    return value
