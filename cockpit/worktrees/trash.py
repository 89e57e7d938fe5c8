"""Removed worktrees: folder and git folder lie side by side in the trash, exactly as they were, until they are wanted
again or thrown away on request.
"""

import contextlib
import errno
import json
import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cockpit.clock import iso, now, read_iso
from cockpit.errors import CannotAnswer
from cockpit.files import read_regular, write_atomically
from cockpit.git_command import GitFailed
from cockpit.plain_text import plain_text
from cockpit.worktrees.cheap import read_cheap
from cockpit.worktrees.refused import Refused
from cockpit.worktrees.registry import changed_registry
from cockpit.worktrees.rescue import TRASH_REFS, write_rescue
from cockpit.worktrees.room import Journal, Room
from skills.workflow.worktree_setup import slug_of

_RECORD, _TREE, _ADMIN = "record.json", "tree", "admin"


@dataclass(frozen=True, slots=True)
class Trashed:
    """A worktree in the trash. `key` names it there; `path` is where it was, `ref` what was checked out (None:
    detached)."""

    key: str
    name: str
    path: str
    ref: str | None
    head: str | None
    at: datetime | None
    why: str
    entry: dict[str, Any] | None = None
    folder: Path = Path()

    @property
    def branch(self) -> str | None:
        """The branch that was checked out, None where HEAD was detached."""
        return self.ref.removeprefix("refs/heads/") if self.ref else None


def read_trash(common_dir: Path) -> list[Trashed]:
    """What lies in the trash, the last one first."""
    found = []
    with contextlib.suppress(OSError):
        for folder in (common_dir / "cockpit" / "trash").iterdir():
            record = _record(folder)
            if record is not None and record.get("state") == "removed":
                found.append(_trashed(folder, record))
    return sorted(found, key=lambda one: (one.at is not None, one.at, one.key), reverse=True)


def throw_into(room: Room, name: str, path: Path, admin: Path, ref: str | None, head: str | None, why: str) -> Trashed:
    """Move a worktree into the trash. Raises `GitFailed` and `OSError`; then it is where it was."""
    key = _free_key(room, slug_of(name))
    folder = room.trash / key
    record: dict[str, Any] = {
        "version": 1,
        "state": "removing",
        "key": key,
        "name": name,
        "path": str(path),
        "admin": admin.name,
        "ref": ref,
        "head": head,
        "at": iso(now()),
        "why": why,
        "copied": False,
    }
    room.note({"deed": "remove", "key": key})
    folder.mkdir(parents=True)
    try:
        _write(folder, record)
        record["rescue"] = write_rescue(room, key, admin, head)
        _write(folder, record)
        admin.rename(folder / _ADMIN)
        if path.is_dir():
            found = path.stat()
            record["inode"] = [found.st_dev, found.st_ino]
            record["copied"] = _move(path, folder / _TREE)
        with changed_registry() as registry:
            entry = registry.at(path)
            record["entry"] = entry
            record["state"] = "removed"
            _write(folder, record)
            if entry is not None:
                registry.remove(entry)
    except BaseException:
        _take_back(room, folder)
        room.done()
        raise
    _finish_removal(folder, record)
    room.done()
    return _trashed(folder, record)


def bring_back(room: Room, thing: Trashed) -> tuple[str, ...]:
    """Put a removed worktree back where it was. Answers what a person should know about it.

    Raises `Refused` where something else is there now, `GitFailed` and `OSError` where it cannot be done.
    """
    path, admin = Path(thing.path), room.common_dir / "worktrees" / _admin_name(thing)
    if os.path.lexists(path):
        raise Refused(f"{plain_text(path)} is there again: move it away first")
    if os.path.lexists(admin):
        raise Refused(f"another worktree is called {plain_text(admin.name)} in git now: remove that one first")
    if thing.ref:
        held = next((p for p in read_cheap(room.repository, None).places if p.ref == thing.ref), None)
        if held is not None:
            raise Refused(f"{plain_text(thing.branch)} is checked out in {plain_text(held.path)} now")
    notes = []
    if thing.ref and thing.head:
        try:
            there = room.git("rev-parse", "--verify", "--quiet", thing.ref).strip()
            if there != thing.head:
                notes.append(f"{plain_text(thing.branch)} moved since it was removed: the difference shows as staged")
        except GitFailed:
            room.git("update-ref", "-m", "cockpit: undo", thing.ref, thing.head, "")
            notes.append(f"the branch {plain_text(thing.branch)} was gone: it is back too")
    room.note({"deed": "undo", "key": thing.key})
    notes += _put_back(room, thing.folder)
    room.done()
    return tuple(notes)


def throw_away(room: Room, thing: Trashed) -> None:
    """Delete a removed worktree for good: its files and its rescue ref. Raises `GitFailed` and `OSError`."""
    room.git("update-ref", "-d", f"{TRASH_REFS}{thing.key}")
    _delete(thing.folder)


def mend_trash(room: Room, journal: Journal) -> None:
    """End what was interrupted: a removal that was not whole is taken back, an undo is brought to its end."""
    folder = room.trash / str(journal.get("key") or "-")
    record = _record(folder)
    if record is None:
        if folder.is_dir() and not any((folder / part).exists() for part in (_TREE, _ADMIN)):
            shutil.rmtree(folder)
        return
    if journal.get("deed") == "undo":
        _put_back(room, folder)
    elif record.get("state") == "removed":
        with changed_registry() as registry:
            entry = registry.at(str(record["path"]))
            if entry is not None and record.get("entry") == entry:
                registry.remove(entry)
        _finish_removal(folder, record)
    else:
        _take_back(room, folder)


def _move(source: Path, target: Path) -> bool:
    """Rename a folder; on another file system copy it, and say so: then the original still stands."""
    try:
        source.rename(target)
        return False
    except OSError as problem:
        if problem.errno != errno.EXDEV:
            raise
    partial = target.with_name(target.name + ".partial")
    if partial.exists():
        _delete(partial)
    shutil.copytree(source, partial, symlinks=True)
    os.sync()
    partial.rename(target)
    return True


def _finish_removal(folder: Path, record: dict[str, Any]) -> None:
    """Where the folder was copied, the original goes now that the copy is whole."""
    path = Path(str(record["path"]))
    if not record.get("copied") or not (folder / _TREE).is_dir():
        return
    aside = path.with_name(f".{path.name}.removed-by-cockpit")
    if path.is_dir() and [path.stat().st_dev, path.stat().st_ino] == record.get("inode"):
        path.rename(aside)
    if aside.is_dir():
        _delete(aside)


def _take_back(room: Room, folder: Path) -> None:
    """Everything of a removal that was not whole goes back where it was."""
    record = _record(folder)
    if record is not None:
        path = Path(str(record["path"]))
        tree, admin = folder / _TREE, folder / _ADMIN
        if tree.is_dir() and not os.path.lexists(path):
            _move(tree, path)
        if admin.is_dir():
            target = room.common_dir / "worktrees" / str(record["admin"])
            target.parent.mkdir(exist_ok=True)
            admin.rename(target)
        with contextlib.suppress(GitFailed):
            room.git("update-ref", "-d", f"{TRASH_REFS}{record['key']}")
    _delete(folder)


def _put_back(room: Room, folder: Path) -> list[str]:
    """The steps of an undo, each of which may have been done already."""
    record = _record(folder) or {}
    path = Path(str(record["path"]))
    admin = room.common_dir / "worktrees" / str(record["admin"])
    tree = folder / _TREE
    if tree.is_dir() and os.path.lexists(path) and not _same_pointer(tree, path):
        return [f"{plain_text(path)} is taken: it stays in the trash"]
    if tree.is_dir() and not os.path.lexists(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.brought-back-by-cockpit")
        try:
            tree.rename(path)
        except OSError as problem:
            if problem.errno != errno.EXDEV:
                raise
            if beside.exists():
                _delete(beside)
            shutil.copytree(tree, beside, symlinks=True)
            beside.rename(path)
    if (folder / _ADMIN).is_dir():
        admin.parent.mkdir(exist_ok=True)
        (folder / _ADMIN).rename(admin)
    notes = _register_again(record)
    with contextlib.suppress(GitFailed):
        room.git("update-ref", "-d", f"{TRASH_REFS}{record['key']}")
    _delete(folder)
    return notes


def _same_pointer(one: Path, other: Path) -> bool:
    """Whether two work trees name the same git folder: then the one is a copy of the other."""
    try:
        return read_regular(one / ".git", 65536) == read_regular(other / ".git", 65536)
    except OSError:
        return False


def _register_again(record: dict[str, Any]) -> list[str]:
    entry = record.get("entry")
    if not isinstance(entry, dict):
        return []
    with changed_registry() as registry:
        if registry.at(str(record["path"])) is not None:
            return []
        ports = entry.get("ports")
        wanted = {port for port in ports if isinstance(port, int)} if isinstance(ports, list) else set()
        taken = wanted & registry.taken()
        registry.add(entry)
    return [f"its ports {', '.join(map(str, sorted(taken)))} were given out again meanwhile"] if taken else []


def _free_key(room: Room, slug: str) -> str:
    for number in range(1, 10_000):
        key = slug if number == 1 else f"{slug}-{number}"
        if os.path.lexists(room.trash / key):
            continue
        try:
            room.git("rev-parse", "--verify", "--quiet", f"{TRASH_REFS}{key}")
        except GitFailed:
            return key
    raise CannotAnswer("the trash is full", "cockpit worktree trash --older-than 30 --apply")


def _delete(folder: Path) -> None:
    """Remove a folder, read-only parts included."""

    def again(function: Any, path: str, _: Any) -> None:
        parent = Path(path).parent
        with contextlib.suppress(OSError):
            parent.chmod(parent.stat().st_mode | 0o700)
            Path(path).chmod(0o700)
        function(path)

    if folder.is_dir():
        shutil.rmtree(folder, onerror=again)


def _record(folder: Path) -> dict[str, Any] | None:
    try:
        record = json.loads(read_regular(folder / _RECORD, 4 << 20))
    except (OSError, ValueError):
        return None
    sound = isinstance(record, dict) and all(isinstance(record.get(key), str) for key in ("key", "path", "admin"))
    return record if sound and "/" not in record["admin"] else None


def _write(folder: Path, record: dict[str, Any]) -> None:
    write_atomically(folder / _RECORD, json.dumps(record, indent=1))


def _admin_name(thing: Trashed) -> str:
    return str((_record(thing.folder) or {}).get("admin") or "-")


def _trashed(folder: Path, record: dict[str, Any]) -> Trashed:
    entry = record.get("entry")
    return Trashed(
        key=folder.name,
        name=str(record.get("name") or folder.name),
        path=str(record["path"]),
        ref=record.get("ref") if isinstance(record.get("ref"), str) else None,
        head=record.get("head") if isinstance(record.get("head"), str) else None,
        at=read_iso(record.get("at")),
        why=str(record.get("why") or ""),
        entry=entry if isinstance(entry, dict) else None,
        folder=folder,
    )
