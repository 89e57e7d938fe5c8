"""Watches the few folders below `.git` whose changes mean that a row changed; none of them recursively."""

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import aclosing
from pathlib import Path

from cockpit.watch_folders import watch_folders, why_not_watched
from cockpit.worktrees.cheap import Cheap

SETTLE_SECONDS = 0.1

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


class GitWatch:
    """Calls `changed` soon after something in the watched folders changed; `failed`, once, where watching is
    impossible.
    """

    def __init__(self, changed: Callable[[], None], failed: Callable[[str], None]) -> None:
        self._changed = changed
        self._failed = failed
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
                self._folders = _existing(self._folders)
                self._changed()
            except (OSError, RuntimeError) as problem:
                self._failed(f"polling every 2 s: {why_not_watched(problem)}")
                return

    async def _follow(self, again: asyncio.Event) -> None:
        changes = watch_folders(
            *sorted(self._folders), matters=_matters, settle=SETTLE_SECONDS, stop=again, recursive=False
        )
        async with aclosing(changes):
            async for _ in changes:  # the first time too: what changed before the folders were watched was not told
                self._changed()


def _existing(folders: frozenset[str]) -> frozenset[str]:
    return frozenset(folder for folder in folders if Path(folder).is_dir())
