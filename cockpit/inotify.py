"""Linux's own word on changed files, through one descriptor: nothing wakes while nothing happens."""

import ctypes
import errno
import functools
import os
import struct
import threading
from collections.abc import Iterable

_MODIFY, _ATTRIB, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x2, 0x4, 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF, _OVERFLOW, _IGNORED, _IS_FOLDER = 0x400, 0x800, 0x4000, 0x8000, 0x40000000
_WANTED = _MODIFY | _ATTRIB | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF
_HEAD = struct.Struct("iIII")  # watch, what happened, cookie, bytes of the name after it
_AT_ONCE = 1 << 16


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, path: str | None = None) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return result


class Inotify:
    """Watches on folders. `take` answers what changed in them since the last call and never waits; `fileno` can be
    read from when there is something to take.

    With `recursive` folders below are watched too, later ones as well; what such a folder holds by then is told with
    it. Raises `OSError` where the system gives no descriptor.
    """

    def __init__(self, *, recursive: bool) -> None:
        self._recursive = recursive
        self._paths: dict[int, str] = {}
        self._roots: tuple[str, ...] = ()
        self._setting = threading.Lock()
        self._descriptor = _checked(_libc().inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._descriptor

    def close(self) -> None:
        """Give everything back; waits for a `watch` that another thread is in."""
        with self._setting:
            os.close(self._descriptor)

    def watch(self, folders: Iterable[str]) -> None:
        """Watch these folders. Raises `OSError` where one of them is not there or the system has no watch left."""
        self._roots = tuple(folders)
        with self._setting:
            for folder in self._roots:
                self._add(folder)
                if self._recursive:
                    self._add_below(folder)

    def take(self) -> set[str]:
        """Paths of what changed, came or went. Where the system dropped some, all the folders are named. Raises
        `OSError`."""
        try:
            data = os.read(self._descriptor, _AT_ONCE)
        except BlockingIOError:
            return set()
        found: set[str] = set()
        place = 0
        while place < len(data):
            number, what, _, size = _HEAD.unpack_from(data, place)
            place += _HEAD.size + size
            if what & _OVERFLOW:
                found.update(self._roots)
            elif what & _IGNORED:
                self._paths.pop(number, None)
            elif (folder := self._paths.get(number)) is not None:
                name = data[place - size : place].rstrip(b"\0")
                path = f"{folder}/{os.fsdecode(name)}" if name else folder
                found.add(path)
                if self._recursive and what & _IS_FOLDER:
                    if what & (_CREATE | _MOVED_TO):
                        found.update(self._add_late(path))
                    elif what & _MOVED_FROM:
                        self._forget(path)
        return found

    def _add(self, folder: str) -> bool:
        """Whether the folder was not watched under another name already."""
        number = _checked(_libc().inotify_add_watch(self._descriptor, os.fsencode(folder), _WANTED), folder)
        known = number in self._paths
        self._paths.setdefault(number, folder)
        return not known

    def _add_below(self, folder: str) -> list[str]:
        """Watch every folder below, links followed, and name all that is there. One that goes meanwhile, or that this
        person may not read, is left out."""
        found: list[str] = []
        pending = [folder]
        while pending:
            try:
                with os.scandir(pending.pop()) as listed:
                    entries = list(listed)
            except OSError:
                continue
            for entry in entries:
                found.append(entry.path)
                try:
                    if entry.is_dir() and self._add(entry.path):
                        pending.append(entry.path)
                except OSError as problem:
                    if problem.errno == errno.ENOSPC:
                        raise
        return found

    def _add_late(self, folder: str) -> list[str]:
        try:
            return self._add_below(folder) if self._add(folder) else []
        except OSError as problem:
            if problem.errno == errno.ENOSPC:
                raise
            return []

    def _forget(self, folder: str) -> None:
        """A folder was moved: where it is now it is another one."""
        below = folder + "/"
        for number in [one for one, path in self._paths.items() if path == folder or path.startswith(below)]:
            del self._paths[number]
            _libc().inotify_rm_watch(self._descriptor, number)
