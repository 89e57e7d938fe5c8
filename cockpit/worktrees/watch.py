"""Watches on folders, none of them recursive: the few below `.git` whose changes mean that a row changed, and those of
the work trees that hold tracked files."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from pathlib import Path

from cockpit.errors import CannotAnswer
from cockpit.git_command import GitFailed, git_bytes
from cockpit.watch_folders import is_noise, watch_folders, why_not_watched
from cockpit.worktrees.cheap import Cheap

SETTLE_SECONDS = 0.1
EDITS_SETTLE_SECONDS = 0.3
LIST_EVERY = 5.0  # seconds between two looks at which folders there are
MOST_FOLDERS = 10_000  # and never more than an eighth of the system's watches: editors need theirs
_LIMIT = Path("/proc/sys/fs/inotify/max_user_watches")

# fetches are seen by the remote's refs; the others say nothing that HEAD, index and refs do not say
_NOISE = frozenset({"FETCH_HEAD", "COMMIT_EDITMSG", "ORIG_HEAD", "AUTO_MERGE", "gc.pid", "fsmonitor--daemon.ipc"})


def folders_to_watch(common_dir: Path, cheap: Cheap) -> frozenset[str]:
    """The shared git folder, each worktree's own, and the folders of the branches in use and of the remotes'
    branches.

    A branch that is packed has no file: its nearest existing folder is watched, where its file will appear.
    """
    wanted = [common_dir, common_dir / "worktrees", common_dir / "reftable", common_dir / "refs" / "heads"]
    wanted += [place.git_dir for place in cheap.places]
    refs = [place.ref for place in cheap.places if place.ref]
    refs += [base.ref for base in cheap.bases]
    refs += [
        ref.replace("refs/heads/", f"refs/remotes/{remote}/", 1) for remote in _remotes(common_dir) for ref in refs
    ]
    for ref in refs:
        folder = (common_dir / ref).parent
        while not folder.is_dir() and folder != common_dir:
            folder = folder.parent
        wanted.append(folder)
    return frozenset(str(folder) for folder in wanted if folder.is_dir())


def _remotes(common_dir: Path) -> list[str]:
    try:
        with os.scandir(common_dir / "refs" / "remotes") as entries:
            return [entry.name for entry in entries if entry.is_dir()]
    except OSError:
        return []


def _matters(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name not in _NOISE and not name.endswith((".lock", ".tmp")) and not name.startswith("tmp_")


class FolderWatch:
    """Calls `changed` soon after something in the watched folders changed, with the paths, none where anything may
    have; `failed`, once, where watching is impossible. `matters` leaves paths out.
    """

    def __init__(
        self,
        changed: Callable[[set[str]], None],
        failed: Callable[[str], None],
        *,
        matters: Callable[[str], bool] = _matters,
        settle: float = SETTLE_SECONDS,
    ) -> None:
        self._changed = changed
        self._failed = failed
        self._matters = matters
        self._settle = settle
        self._folders: frozenset[str] = frozenset()
        self._again = asyncio.Event()

    def watch(self, folders: Iterable[str]) -> None:
        """Watch these folders from now on."""
        wanted = frozenset(folders)
        if wanted != self._folders:
            self._folders = wanted
            self._again.set()

    async def run(self) -> None:
        """Watch until cancelled, or until the system has no watch left to give."""
        while True:
            if not self._folders:
                await self._again.wait()
            self._again = again = asyncio.Event()
            try:
                await self._follow(again)
            except FileNotFoundError:  # a worktree went away in this moment: look, then watch what is left
                await asyncio.sleep(0.2)
                self._folders = await asyncio.to_thread(_existing, self._folders)
                self._changed(set())
            except (OSError, RuntimeError) as problem:
                self._failed(f"polling every 2 s: {why_not_watched(problem)}")
                return

    async def _follow(self, again: asyncio.Event) -> None:
        changes = watch_folders(
            *sorted(self._folders), matters=self._matters, settle=self._settle, stop=again, recursive=False
        )
        async with aclosing(changes):
            async for paths in changes:  # the first time too: what changed before the folders were watched was not told
                self._changed(paths)


def _existing(folders: frozenset[str]) -> frozenset[str]:
    return frozenset(folder for folder in folders if Path(folder).is_dir())


class EditWatch:
    """Calls `edited` with the path of a worktree soon after a file in it was written.

    What is not watched shows when its row is counted again: folders without tracked files, worktrees beyond the
    watches that may be used, everything on systems other than Linux.
    """

    def __init__(self, edited: Callable[[str], None]) -> None:
        self._edited = edited
        self._watch = FolderWatch(self._told, lambda _: None, matters=_is_edit, settle=EDITS_SETTLE_SECONDS)
        self._wanted: Mapping[str, object] = {}
        self._listed: dict[str, tuple[object, frozenset[str]]] = {}
        self._tree_of: dict[str, str] = {}
        self._again = asyncio.Event()

    def follow(self, trees: Mapping[str, object]) -> None:
        """Watch these worktrees from now on. The value of each is another one where its folders may be others."""
        if trees != self._wanted:
            self._wanted = trees
            self._again.set()

    async def run(self) -> None:
        """Watch until cancelled, or until the system has no watch left to give."""
        if sys.platform == "linux":
            async with asyncio.TaskGroup() as group:
                listing = group.create_task(self._list())
                await self._watch.run()
                listing.cancel()

    async def _list(self) -> None:
        while True:
            await self._again.wait()
            self._again.clear()
            wanted = self._wanted
            listed = {tree: mark for tree, mark in self._listed.items() if tree in wanted}
            for tree, mark in wanted.items():
                if tree not in listed or listed[tree][0] != mark:
                    listed[tree] = mark, await asyncio.to_thread(_tracked_folders, tree)
            self._listed, self._tree_of = listed, {}
            for tree, (_, folders) in listed.items():
                if len(self._tree_of) + len(folders) <= _most_folders():
                    self._tree_of |= dict.fromkeys(folders, tree)
            self._watch.watch(self._tree_of)
            await asyncio.sleep(LIST_EVERY)

    def _told(self, paths: set[str]) -> None:
        found = {self._tree_of.get(path.rpartition("/")[0]) or self._tree_of.get(path) for path in paths}
        for tree in found - {None}:
            self._edited(str(tree))


def _is_edit(path: str) -> bool:
    return not is_noise(path.rpartition("/")[2])


def _most_folders() -> int:
    try:
        return min(MOST_FOLDERS, int(_LIMIT.read_text()) // 8)
    except (OSError, ValueError):
        return 0


def _tracked_folders(tree: str) -> frozenset[str]:
    """The folders of a worktree that hold tracked files or such folders; none where git cannot tell."""
    try:
        names = git_bytes(tree, "ls-files", "-z").split(b"\0")
    except (GitFailed, CannotAnswer, OSError):
        return frozenset()
    found, pending = set[str](), {os.fsdecode(name).rpartition("/")[0] for name in names}
    while pending:
        found |= pending
        pending = {folder.rpartition("/")[0] for folder in pending} - found
    paths = (f"{tree}/{folder}" if folder else tree for folder in found)
    return frozenset(path for path in paths if os.access(path, os.R_OK))
