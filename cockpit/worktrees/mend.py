"""Mends what an interrupted change left: a new worktree that is not whole goes, a removal is taken back, an undo is
brought to its end.
"""

import contextlib
import os
import re
import shutil
from pathlib import Path

from cockpit.errors import CannotAnswer
from cockpit.files import read_regular
from cockpit.git_command import GitFailed
from cockpit.worktrees.registry import OWN, changed_registry
from cockpit.worktrees.room import Journal, Room
from cockpit.worktrees.trash import mend_trash

_TEMPORARY = re.compile(r"(?:^|/)\.[^/]+\.\d+-[0-9a-f]{12}\.tmp$")  # of an atomic write that was killed


def mend(room: Room) -> None:
    """Bring the worktrees back to before, or to after, what the journal says was begun."""
    journal = room.noted()
    if journal is None:
        room.done()
        return
    if journal.get("deed") == "new":
        take_back(room, journal)
    elif journal.get("deed") in ("remove", "undo"):
        mend_trash(room, journal)
    room.done()


def take_back(room: Room, journal: Journal, *, at_once: bool = False) -> None:
    """Undo a new worktree that was begun: its folder, git's entry, its branch, its ports.

    Where somebody has worked there meanwhile (never `at_once`) it stays, and only the registry is put right.
    """
    path = Path(str(journal.get("path") or ""))
    kept = False
    if journal.get("path"):
        admin = admin_of(room.common_dir, path)
        head = _head(room, admin) if admin is not None else None
        kept = head is not None and (head != journal.get("start") or not (at_once or _untouched(room, path, journal)))
        if not kept:
            if admin is not None:
                shutil.rmtree(admin)
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            _drop_branch(room, journal)
    identity = str(journal.get("entry") or "")
    with contextlib.suppress(CannotAnswer), changed_registry() as registry:
        entry = registry.by_id(identity)
        if entry is not None and kept:
            entry.pop(OWN, None)
        elif entry is not None:
            registry.remove(entry)


def admin_of(common_dir: Path, path: Path) -> Path | None:
    """The folder below `.git/worktrees` that belongs to the work tree at `path`."""
    real = os.path.realpath(path)
    with contextlib.suppress(OSError), os.scandir(common_dir / "worktrees") as entries:
        for entry in entries:
            try:
                text = read_regular(Path(entry.path, "gitdir"), 65536).decode("utf-8", "surrogateescape").strip()
            except OSError:
                continue
            if os.path.realpath(Path(entry.path, text).parent) == real:
                return Path(entry.path)
    return None


def _head(room: Room, admin: Path) -> str | None:
    try:
        return room.git(f"--git-dir={admin}", "rev-parse", "--verify", "--quiet", "HEAD^{commit}").strip()
    except GitFailed:
        return None


def _untouched(room: Room, path: Path, journal: Journal) -> bool:
    """Whether the work tree holds nothing but a checkout, whole or not, and what was copied into it."""
    ours = {str(name) for name in journal.get("files") or ()}
    try:
        found = room.git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", folder=path)
    except GitFailed:
        return not path.is_dir() or not any(one.name != ".git" for one in path.iterdir())
    paths = [(one[:2], one[3:]) for one in found.split("\0") if one]
    return all(state in (" D", "D ", "DD") or path in ours or _TEMPORARY.search(path) for state, path in paths)


def _drop_branch(room: Room, journal: Journal) -> None:
    """Delete the branch that was made, while it still points where it was made."""
    branch, start = str(journal.get("branch") or ""), str(journal.get("start") or "")
    if not (journal.get("made_branch") and branch and start):
        return
    with contextlib.suppress(GitFailed):
        room.git("update-ref", "-d", f"refs/heads/{branch}", start)
    try:
        room.git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}")
    except GitFailed:  # gone, and its settings with it
        with contextlib.suppress(GitFailed):
            room.git("config", "--remove-section", f"branch.{branch}")
