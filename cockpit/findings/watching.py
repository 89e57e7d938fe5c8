"""Which files below a root changed: watches on the folders that hold files git does not ignore, or polling."""

import asyncio
import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from cockpit.stream import came
from cockpit.watch_folders import is_noise, watch_folders, why_not_watched

SETTLE_SECONDS = 0.025
POLL_SECONDS = 1.5

_GIT_FILES = frozenset(("HEAD", "index"))


class TreeWatch:
    """Collects the names of changed files (relative to `root`; git's own as `.git/HEAD` and `.git/index`).

    The name "" means that anything may have changed. `set_folders` says what to watch, `wait` answers what changed
    since. Where the system has no watches left, marks are compared every 1.5 s instead, and `note` says so.
    """

    def __init__(self, root: Path, git_dir: Path | None) -> None:
        self.root = str(root)
        self.git_dir = str(git_dir) if git_dir is not None else ""
        self.note = ""
        self.changed = asyncio.Event()
        self._polling = False
        self._names: set[str] = set()
        self._folders: frozenset[str] = frozenset()
        self._files: frozenset[str] = frozenset()
        self._task: asyncio.Task[None] | None = None
        self._stop: asyncio.Event | None = None

    async def set_folders(self, folders: Iterable[str], files: Iterable[str]) -> None:
        """Watch these folders from now on. `files` are what polling looks at. What changes meanwhile is not lost."""
        self._files = frozenset(files)
        wanted = frozenset(folders)
        if wanted == self._folders and self._task is not None and not self._task.done():
            return
        self._folders = wanted
        old, stop = self._task, self._stop
        await self._start()
        if old is not None and stop is not None:
            stop.set()
            await _ended(old)
            self._anything()  # what the old watch held back is gone with it

    async def wait(self) -> frozenset[str]:
        """What changed since the last call; waits until something has."""
        await self.changed.wait()
        self.changed.clear()
        names, self._names = frozenset(self._names), set()
        return names

    async def close(self) -> None:
        """Stop watching, and wait until it has stopped."""
        if self._stop is not None:
            self._stop.set()
        if self._task is not None:
            self._task.cancel()
            await _ended(self._task)

    async def _start(self) -> None:
        self._stop = asyncio.Event()
        if self._polling:
            self.note = f"changes are polled every {POLL_SECONDS} s"
            before = await asyncio.to_thread(self._marks)
            self._task = asyncio.create_task(self._poll(self._stop, before))
            return
        stands = asyncio.Event()
        self._task = asyncio.create_task(self._watch(self._stop, stands))
        self._task.add_done_callback(lambda _: stands.set())
        await stands.wait()

    def _paths(self) -> list[str]:
        paths = [os.path.join(self.root, folder) if folder else self.root for folder in self._folders]  # noqa: PTH118
        return [path for path in [*paths, self.git_dir] if path and Path(path).is_dir()]

    async def _watch(self, stop: asyncio.Event, stands: asyncio.Event) -> None:
        """`stands` is set once what changes from then on will be seen."""
        while True:
            paths = self._paths()
            changes = watch_folders(*paths, matters=self._matters, settle=SETTLE_SECONDS, stop=stop, recursive=False)
            try:
                async with contextlib.aclosing(changes):
                    async for batch in changes:
                        stands.set()
                        self._add(batch)
                return
            except (OSError, RuntimeError) as raised:
                if stop.is_set():
                    return
                if self._paths() == paths:
                    self.note = f"changes are polled every {POLL_SECONDS} s: {why_not_watched(raised)}"
                    break
            self._anything()  # a folder went while it was to be watched
        self._polling = True
        before = await asyncio.to_thread(self._marks)
        self._anything()
        stands.set()
        await self._poll(stop, before)

    def _anything(self) -> None:
        """Say that anything may have changed."""
        self._names.add("")
        self.changed.set()

    def _matters(self, path: str) -> bool:
        folder, _, last = path.rpartition("/")
        if self.git_dir and folder == self.git_dir:
            return last in _GIT_FILES
        return not is_noise(last)

    def _add(self, paths: Iterable[str]) -> None:
        for path in paths:
            folder, _, last = path.rpartition("/")
            if self.git_dir and folder == self.git_dir:
                self._names.add(f".git/{last}")
            elif path.startswith(self.root + "/"):
                self._names.add(path[len(self.root) + 1 :])
            elif path == self.root:  # polling: something came or went directly below it
                self._names.add("")
        if self._names:
            self.changed.set()

    async def _poll(self, stop: asyncio.Event, before: dict[str, tuple[int, ...]]) -> None:
        while not stop.is_set():
            if await came(stop, POLL_SECONDS):
                return
            after = await asyncio.to_thread(self._marks)
            self._add(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
            before = after

    def _marks(self) -> dict[str, tuple[int, ...]]:
        names = [*self._folders, *self._files]
        paths = [os.path.join(self.root, name) if name else self.root for name in names]  # noqa: PTH118
        paths += [f"{self.git_dir}/{name}" for name in _GIT_FILES if self.git_dir]
        found: dict[str, tuple[int, ...]] = {}
        for path in paths:
            with contextlib.suppress(OSError):
                mark = Path(path).stat()
                size = 0 if stat.S_ISDIR(mark.st_mode) else mark.st_size
                found[path] = (mark.st_mtime_ns, size, mark.st_ino)
        return found


async def _ended(task: "asyncio.Task[None]") -> None:
    with contextlib.suppress(asyncio.CancelledError, OSError, RuntimeError):
        await task
