"""The live worktrees: stage one at once, counts as they come, then whatever changes, when it changes.

Events come from the git folders, from `Hints` and from the folders that hold tracked files; an edit elsewhere makes no
event, so that every work tree is also counted again now and then: seldom where nothing happens, and never for more
than a sliver of the time.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.git_command import GitFailed
from cockpit.repository import Repository
from cockpit.stream import came
from cockpit.worktrees.cheap import Cheap, Place
from cockpit.worktrees.judgement import holders, with_presence
from cockpit.worktrees.models import Clash, WorktreesSnapshot
from cockpit.worktrees.reader import THREADS, Reader, read_worktrees
from cockpit.worktrees.rows import Measured, Survey
from cockpit.worktrees.watch import EditWatch, FolderWatch, folders_to_watch

__all__ = ["Hints", "follow_worktrees", "read_worktrees", "with_presence"]

# seconds
LOOK_EVERY = 10.0
LOOK_EVERY_UNWATCHED = 2.0
EMIT_EVERY = 0.1
STALE_AFTER = 0.08  # a new value that comes sooner needs no "being measured" before it
BUSY_FOR = 120.0
COUNT_BUSY_EVERY = 5.0
COUNT_QUIET_EVERY = 30.0
HINT_GAP = 0.15
EDIT_GAP = 0.8
MANY_FOLDERS = 200
# shares of the time that counting may take: 1/50 for a row where work goes on, 1/200 for all others, 1/3 for hints,
# 1/20 for edits
BUSY_SHARE, QUIET_SHARE, HINT_SHARE, EDIT_SHARE = 50, 200, 3, 20


class Hints:
    """How the app tells the feed that files changed: `touch` a path, and the worktree that holds it is
    counted again.

    `touch` may be called from any thread; one feed listens.
    """

    def __init__(self) -> None:
        self._touched: set[str] = set()
        self._wake: Callable[[], None] | None = None
        self.covered = ""
        """The worktree whose edits are all told of here: the feed need not watch it too."""

    def touch(self, path: str | os.PathLike[str]) -> None:
        """Something at or below `path` was written."""
        self._touched.add(os.fspath(path))
        if self._wake is not None:
            self._wake()

    def listen(self, wake: Callable[[], None] | None) -> None:
        """Call `wake` on every touch from now on."""
        self._wake = wake

    def take(self) -> set[str]:
        """The paths touched since the last call."""
        taken, self._touched = self._touched, set()
        return taken


async def follow_worktrees(
    repository: Repository, config: Config, *, hints: Hints | None = None, edits: bool = True
) -> AsyncIterator[WorktreesSnapshot]:
    """Snapshots of all worktrees: the first from files alone, then one whenever something changed, at most
    ten a second.

    While a value is measured again the last one stays, marked `stale`. `note` says when changes are polled
    for. Without `edits` the folders of the work trees are not watched.
    """
    following = _Following(repository, config, hints or Hints(), edits=edits)
    watching = [asyncio.create_task(watch.run()) for watch in (following.watcher, following.edits)]
    try:
        await following.look()
        yield following.keep(following.take())
        while True:
            await following.something()
            snapshot = following.take()
            if following.differs(snapshot):
                yield following.keep(snapshot)
    finally:
        following.close()
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


class _Following:
    """What the feed knows between two snapshots."""

    def __init__(self, repository: Repository, config: Config, hints: Hints, *, edits: bool) -> None:
        self.repository = repository
        self.reader = Reader(repository, config)
        self.hints = hints
        self.watcher = FolderWatch(lambda _: self._look_soon(), self._watching_failed)
        self.edits = EditWatch(self._edited)
        self.follows_edits = edits
        self.cheap = Cheap((), (), None)
        self.survey: Survey | None = None
        self.measured: dict[str, Measured] = {}
        self.started: dict[str, float] = {}  # rows being measured, since when (monotonic seconds)
        self.ended: dict[str, float] = {}
        self.active: dict[str, float] = {}  # when something last happened in a row
        self.recount: set[str] = set()  # rows that were hinted at
        self.edited: set[str] = set()  # rows with files that were written since they were counted
        self.edited_at: dict[str, float] = {}
        self.in_vain: set[str] = set()  # rows whose last count brought nothing new
        self.outdated: set[str] = set()  # rows whose shown value is known to be old
        self.clashes: dict[str, tuple[Clash, ...]] = {}
        self.foreseen: tuple[object, ...] | None = None  # what the forecast was made for
        self.foreseeing = False
        self.note = ""
        self.look_due = 0.0
        self.emitted: tuple[float, WorktreesSnapshot | None] = (0.0, None)
        self.unseen = False
        self._loop = asyncio.get_running_loop()
        self._awake = asyncio.Event()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="worktrees")
        hints.listen(self._wake_from_anywhere)

    def close(self) -> None:
        self.hints.listen(None)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.reader.close()

    def _wake_from_anywhere(self) -> None:
        self._loop.call_soon_threadsafe(self._awake.set)

    def _look_soon(self) -> None:
        self.look_due = 0.0
        self._awake.set()

    def _edited(self, path: str) -> None:
        now = time.monotonic()
        if now - self.edited_at.get(path, -BUSY_FOR) > COUNT_BUSY_EVERY:
            self.in_vain.discard(path)
        self.edited_at[path] = now
        self.edited.add(path)
        self._awake.set()

    def _watching_failed(self, note: str) -> None:
        self.note = note
        self.unseen = True
        self._look_soon()

    async def look(self) -> None:
        """Read the cheap facts again and watch what they name. The first time nothing slower happens."""
        first = not self.cheap.places
        self.cheap = await asyncio.to_thread(self.reader.scan)
        if not first or not self.cheap.places:
            self.survey = await asyncio.to_thread(self.reader.survey, self.cheap)
            self.look_due = time.monotonic() + (LOOK_EVERY_UNWATCHED if self.note else LOOK_EVERY)
        folders = await asyncio.to_thread(folders_to_watch, self.repository.common_dir, self.cheap)
        self.watcher.watch(folders)
        known = {place.path for place in self.cheap.places}
        for gone in set(self.measured) - known:
            del self.measured[gone]
        self.unseen = True

    async def something(self) -> None:
        """Wait until there may be something new to show."""
        while True:
            now = time.monotonic()
            if now >= self.look_due:
                await self.look()
            self._take_hints()
            self._launch(time.monotonic())
            now = time.monotonic()
            if self.unseen and now >= self._may_emit():
                self.unseen = False
                return
            self._awake.clear()
            wait = max(0.0, self._next_due() - now)
            await came(self._awake, wait)

    def _take_hints(self) -> None:
        touched = self.hints.take()
        if not touched:
            return
        paths = tuple(place.path for place in self.cheap.places)
        folders = {os.path.dirname(path) for path in touched}  # noqa: PTH120 - thousands at once after a checkout
        if len(folders) > MANY_FOLDERS:
            hinted = set(paths)
        else:
            hinted = holders(folders if len(touched) > MANY_FOLDERS else folders | touched, paths)
        self.recount |= hinted
        self.active.update(dict.fromkeys(hinted, time.monotonic()))

    def _launch(self, now: float) -> None:
        """Start measuring every row whose value is out of date or due."""
        if self.survey is None:
            return
        for place in self.cheap.places:
            if place.path in self.started:
                continue
            changed = self._changed(place)
            due = now >= self._count_due(place)
            if not (changed or due):
                continue
            hinted = place.path in self.recount
            self.recount.discard(place.path)
            self.edited.discard(place.path)
            if changed and self.measured.get(place.path):
                self.active[place.path] = now
            if changed or hinted:
                self.outdated.add(place.path)
                self.unseen = True
            self.started[place.path] = now
            last = self.measured.get(place.path)
            work = partial(self.reader.measure, self.cheap, self.survey, place, last, due or hinted)
            self._loop.run_in_executor(self._pool, work).add_done_callback(partial(self._done, place.path))
        self._foresee()
        self._follow_edits()

    def _follow_edits(self) -> None:
        """Watch for edits once the rows are measured, so that the first counts do not wait for it."""
        if not self.started and self.follows_edits:
            places = [place for place in self.cheap.places if not place.missing and place.path != self.hints.covered]
            self.edits.follow({place.path: place.key for place in places})

    def _foresee(self) -> None:
        """Forecast the conflicts once the rows are measured, where other commits are to be merged than before."""
        if self.survey is None or self.started or self.foreseeing:
            return
        key = self.reader.to_merge(self.cheap, self.survey, self.measured)
        if key != self.foreseen:
            self.foreseen, self.foreseeing = key, True
            work = partial(self.reader.forecast, key)
            self._loop.run_in_executor(self._pool, work).add_done_callback(self._foreseen)

    def _foreseen(self, future: "asyncio.Future[dict[str, tuple[Clash, ...]]]") -> None:
        self.foreseeing = False
        if future.cancelled():
            return
        problem = future.exception()
        self.clashes = {} if problem is not None else future.result()
        if problem is not None and not isinstance(problem, GitFailed | CannotAnswer | OSError):
            raise problem
        self.unseen = True
        self._awake.set()

    def _done(self, path: str, future: "asyncio.Future[Measured]") -> None:
        now = time.monotonic()
        self.started.pop(path, None)
        if future.cancelled():
            return
        last, found = self.measured.get(path), future.result()
        if last is not None and found.counts == last.counts:
            self.in_vain.add(path)
        elif last is not None:
            self.active[path] = now
            self.in_vain.discard(path)
        self.measured[path] = found
        self.ended[path] = now
        self.outdated.discard(path)
        self.unseen = True
        self._awake.set()

    def _changed(self, place: Place) -> bool:
        last = self.measured.get(place.path)
        return last is None or (self.survey is not None and last.key != self.reader.key(self.cheap, self.survey, place))

    def _count_due(self, place: Place) -> float:
        """When the status of a row should run again although git's own files did not change."""
        last = self.measured.get(place.path)
        if last is None:
            return 0.0
        ended = self.ended.get(place.path, 0.0)
        if place.path in self.recount:
            return ended + max(HINT_GAP, HINT_SHARE * last.seconds)
        if place.path in self.edited:
            gap = COUNT_BUSY_EVERY if place.path in self.in_vain else EDIT_GAP
            return ended + max(gap, EDIT_SHARE * last.seconds)
        if place.missing:
            return ended + COUNT_QUIET_EVERY
        if time.monotonic() - self.active.get(place.path, -BUSY_FOR) < BUSY_FOR:
            return ended + max(COUNT_BUSY_EVERY, BUSY_SHARE * last.seconds)
        return ended + max(COUNT_QUIET_EVERY, QUIET_SHARE * len(self.cheap.places) * last.seconds)

    def _may_emit(self) -> float:
        soonest = self.emitted[0] + EMIT_EVERY
        if self.started and not self._news():
            soonest = max(soonest, min(self.started.values()) + STALE_AFTER)
        return soonest

    def _news(self) -> bool:
        """Whether anything but "being measured" is new since the last snapshot."""
        return any(self.ended.get(path, 0.0) > self.emitted[0] for path in self.measured)

    def _next_due(self) -> float:
        due = [self.look_due]
        due += [self._count_due(place) for place in self.cheap.places if place.path not in self.started]
        if self.unseen:
            due.append(self._may_emit())
        return min(due)

    def take(self) -> WorktreesSnapshot:
        """The snapshot of this moment."""
        slow = time.monotonic() - STALE_AFTER
        stale = frozenset(path for path in self.outdated if self.started.get(path, slow) <= slow)
        return self.reader.snapshot(self.cheap, self.survey, self.measured, stale, self.note, self.clashes)

    def differs(self, snapshot: WorktreesSnapshot) -> bool:
        """Whether it says anything that the last one did not. When something was counted is no news by
        itself.
        """
        last = self.emitted[1]
        return last is None or _lasting(last) != _lasting(snapshot)

    def keep(self, snapshot: WorktreesSnapshot) -> WorktreesSnapshot:
        """Remember what was shown, and when."""
        self.emitted = (time.monotonic(), snapshot)
        return snapshot


def _lasting(snapshot: WorktreesSnapshot) -> WorktreesSnapshot:
    trees = tuple(replace(tree, counted_at=None) for tree in snapshot.worktrees)
    return replace(snapshot, worktrees=trees, at=None)
