"""The live findings of one work tree: the first check streams in, then every save re-checks what it touched."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path

from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.findings.baseline import DEFAULT, read_baseline
from cockpit.findings.coverage import NAMES as COVERAGE
from cockpit.findings.discovery import discover, is_manifest
from cockpit.findings.engine import Engine, fingerprints, finished, stream
from cockpit.findings.models import FindingsSnapshot
from cockpit.findings.project import Project
from cockpit.findings.ruff import RuffRun, not_asked
from cockpit.findings.tool_feed import ToolFeed, ToolKey
from cockpit.findings.watching import TreeWatch
from cockpit.git_command import GitFailed, git
from cockpit.repository import Repository

FLOOD = 200
SETTLE_SECONDS = 0.06
RUFF_SECONDS = 0.05
LOCK_SECONDS = 3.0
SWEEP_SECONDS = 1.0
_UNWATCHED = frozenset(("__pycache__", "node_modules", ".git", ".venv", "site-packages"))

OnSaved = Callable[[frozenset[str]], None]


async def follow_findings(
    engine: Engine,
    repository: Repository | None,
    config: Config,
    *,
    root: Path,
    on_saved: OnSaved | None = None,
    tools: ToolKey | None = None,
) -> AsyncGenerator[FindingsSnapshot, None]:
    """The findings below `root`, a snapshot whenever they may have changed, for ever.

    `on_saved` is called in the event loop with the relative names of everything that changed (Python or not), before it
    is judged. `tools` is where a key asks for other tools; those that run on every save do so unasked. Raises
    `CannotAnswer` where the baseline cannot be read.
    """
    project = await asyncio.to_thread(engine.project, root, config)
    watch = TreeWatch(root, repository.git_dir if repository is not None else None)
    follower = _Follower(project, watch, on_saved)
    follower.tools = ToolFeed(project, repository.common_dir if repository is not None else None, tools)
    if tools is not None:
        tools.connect(follower.tools.asked)
    try:
        async with aclosing(follower.snapshots()) as snapshots:
            async for snapshot in snapshots:
                yield snapshot
    finally:
        if tools is not None:
            tools.disconnect(follower.tools.asked)
        follower.ruff.cancel()
        await watch.close()
        await follower.tools.close()
        await asyncio.shield(asyncio.to_thread(project.cache.save))
        await asyncio.shield(asyncio.to_thread(project.save_trend))


class _Follower:
    """The loop of one feed: waits for changes, tells a save from a flood, keeps what the last snapshot said.

    `calm` is the snapshot that news are counted from: the last one before the changes that came in one go.
    """

    def __init__(self, project: Project, watch: TreeWatch, on_saved: OnSaved | None) -> None:
        self.project = project
        self.watch = watch
        self.on_saved = on_saved
        self.ruff = RuffRun(project.root)
        self.tools = ToolFeed(project, None)
        self.owed: set[str] = set()
        self.fresh_folders: set[str] = set()
        self.following = False
        self.saves = 0
        self.last = self.calm = FindingsSnapshot(root=str(project.root))
        self.head = self._head()

    async def snapshots(self) -> AsyncGenerator[FindingsSnapshot, None]:
        scope = await asyncio.to_thread(discover, self.project.root, self.project.config.checks.exclude)
        await self.watch.set_folders(scope.folders, (*scope.files, *scope.manifests))
        self.tools.recall(scope.files)
        async for snapshot in self._all(saved=()):
            yield snapshot
        await asyncio.to_thread(self.project.pool.warm if self.project.pool else lambda: None)
        flooded = False
        while True:
            names, told = await self._next(SWEEP_SECONDS if flooded else None)
            if told:
                snapshot = await asyncio.to_thread(finished, self.project, time.monotonic())
                before = self.calm if self.calm.phase == "ready" else self.last
                yield self._remembered(snapshot, before, self.last.saved)
            if names is None:
                continue
            flooded = flooded and bool(names)  # after a flood one more look: an event may have been dropped
            if not (flooded or self.following):
                self.calm = self.last
            self.saves += 1
            async for snapshot in self._changed(names, again=not names):
                yield snapshot
            flooded = flooded or len(names) > FLOOD
            self.following = self.watch.changed.is_set()  # it came while this was judged: one save, or one checkout

    async def _next(self, seconds: float | None) -> tuple[frozenset[str] | None, bool]:
        """What changed (nothing where `seconds` passed, None where nothing is to be looked at), and whether a tool has
        told something."""
        waiting = [asyncio.create_task(self.watch.wait()), asyncio.create_task(self.tools.news.wait())]
        try:
            done, _ = await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        told = self.tools.news.is_set()
        self.tools.news.clear()
        changed = waiting[0]
        if not changed.cancelled():
            result = changed.result()
            assert isinstance(result, frozenset)
            return result, told
        return (None if done else frozenset()), told

    async def _changed(self, names: frozenset[str], *, again: bool) -> AsyncGenerator[FindingsSnapshot, None]:
        files = frozenset(name for name in names if not name.startswith(".git/"))
        if self.on_saved is not None and (named := files - {""}):
            self.on_saved(named)
        head = await asyncio.to_thread(self._head)
        moved, self.head = head != self.head, head
        structural = await asyncio.to_thread(self._is_structural, files)
        if moved or len(files) > FLOOD:
            await self._until_unlocked()
            async for snapshot in self._all(saved=tuple(sorted(files - {""}))[:FLOOD]):
                yield snapshot
        elif structural or again or ".git/index" in names:
            async for snapshot in self._swept(files):
                yield snapshot
        elif files:
            async for snapshot in self._saved(files):
                yield snapshot

    async def _all(self, saved: tuple[str, ...]) -> AsyncGenerator[FindingsSnapshot, None]:
        """Everything again, streamed. What did not change comes from the cache."""
        before = self.calm if self.calm.phase == "ready" else None
        await asyncio.to_thread(self._read_baseline)
        async with aclosing(stream(self.project)) as snapshots:
            async for snapshot in snapshots:
                yield self._remembered(snapshot, before, saved)
        self.owed.clear()
        await self._watch_current()
        self.tools.saved()

    async def _swept(self, files: frozenset[str]) -> AsyncGenerator[FindingsSnapshot, None]:
        """Everything again, quietly: a snapshot only where the answer is another one or Python files were saved."""
        before, reports = self.last, dict(self.project.reports)
        await asyncio.to_thread(self._read_baseline)
        async with aclosing(stream(self.project)) as snapshots:
            latest = [snapshot async for snapshot in snapshots][-1]
        now = self.project.reports
        changed = {name for name in now.keys() | reports.keys() if now.get(name) is not reports.get(name)}
        python = tuple(sorted(changed | {name for name in files if name.endswith(".py")}))
        await self._watch_current()
        if python or _said(latest) != _said(before):
            yield self._remembered(latest, self.calm, python)
        if python:
            self.tools.saved()

    async def _saved(self, files: frozenset[str]) -> AsyncGenerator[FindingsSnapshot, None]:
        started = time.monotonic()
        python = {name for name in files if name.endswith(".py")}
        others = any(is_manifest(name) or name in (DEFAULT, *COVERAGE) for name in files)
        if not python and not others:
            return
        before = self.calm
        if others:
            await asyncio.to_thread(self._read_again, files)
        known = python & self.project.reports.keys()
        changed = await asyncio.to_thread(self.project.update, python)
        if self._half_written(known & changed):
            await asyncio.sleep(SETTLE_SECONDS)
            changed |= await asyncio.to_thread(self.project.update, python)
        judged = {name for name in python if name in self.project.reports} | changed
        if not judged and not others:
            return
        self.owed |= judged
        async for snapshot in self._with_ruff(started, before, tuple(sorted(judged)), everything=others):
            yield snapshot
        self.tools.saved()

    async def _with_ruff(
        self, started: float, before: FindingsSnapshot, saved: tuple[str, ...], *, everything: bool
    ) -> AsyncGenerator[FindingsSnapshot, None]:
        """The snapshot of a save; a second one where ruff takes longer than the eye forgives."""
        project = self.project
        refused = not_asked(project.root, project.options, project.config.checks.ruff, project.manifests.ruff)
        if refused is not None:
            project.ruff_check, project.ruff_findings = refused, {}
            yield self._remembered(await asyncio.to_thread(finished, project, started), before, saved)
            return
        self.ruff = RuffRun(project.root, project.kept_by_ruff())
        everything = everything or self.ruff.kept != project.ruff_modules  # what others import is the project's own now
        asked = None if everything else {name for name in self.owed if name in project.scope.files}
        answering = asyncio.create_task(asyncio.to_thread(self.ruff.answer, asked))
        try:
            snapshot = await asyncio.to_thread(finished, project, started)
            await asyncio.wait({answering}, timeout=RUFF_SECONDS)
            if not answering.done():
                yield self._remembered(snapshot, before, saved)
                await self._done_or_outdated(answering)
            if answering.done():
                project.take_ruff(asked, answering.result())
                self.owed.clear()
                yield self._remembered(await asyncio.to_thread(finished, project, started), before, saved)
        finally:
            self.ruff.cancel()
            await asyncio.wait({answering})

    async def _done_or_outdated(self, answering: "asyncio.Task[object]") -> None:
        outdated = asyncio.create_task(self.watch.changed.wait())
        try:
            await asyncio.wait({answering, outdated}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            outdated.cancel()
            with suppress(asyncio.CancelledError):
                await outdated

    def _remembered(
        self, snapshot: FindingsSnapshot, before: FindingsSnapshot | None, saved: tuple[str, ...]
    ) -> FindingsSnapshot:
        """The snapshot with what came and went since `before`, and the watch's own note."""
        now, then = fingerprints(snapshot), frozenset[str]() if before is None else fingerprints(before)
        ready = before is not None and snapshot.phase == "ready"
        note = "; ".join(text for text in (self.watch.note, snapshot.note) if text)
        told = replace(
            snapshot,
            saved=saved,
            saves=self.saves,
            note=note,
            new=now - then - _first_told(snapshot, before) if before is not None and ready else frozenset(),
            resolved=len(then - now) if ready else 0,
        )
        if told.phase == "ready":
            self.last = told
        return told

    def _half_written(self, names: set[str]) -> bool:
        """Whether a save looks like the middle of a write: what could be parsed before is now broken or empty."""
        for name in names:
            report = self.project.reports.get(name)
            if report is None or report.problem is not None or self.project.scope.files[name].size == 0:
                return True
        return False

    def _read_again(self, files: frozenset[str]) -> None:
        found = discover(self.project.root, self.project.config.checks.exclude, tuple(files))
        manifests = {*self.project.scope.manifests, *found.manifests}
        self.project.scope = replace(
            self.project.scope,
            manifests=tuple(sorted(name for name in manifests if (self.project.root / name).is_file())),
        )
        self.project.read_manifests()
        if DEFAULT in files:
            self._read_baseline()

    def _read_baseline(self) -> None:
        """Take the baseline that is there now; nobody tells of one in a folder that is as new as itself."""
        with suppress(CannotAnswer):  # half-written or broken: the last good one stays in force
            self.project.baseline = read_baseline(self.project.root / DEFAULT)

    def _is_structural(self, files: frozenset[str]) -> bool:
        """Whether folders came or went, or what git ignores changed; new folders are noted, empty or not."""
        found = False
        for name in files:
            if name.rpartition("/")[2] == ".gitignore" or name in self.project.scope.folders:
                found = True
            elif (self.project.root / name).is_dir() and not self._ignored(name):
                found = True
                self.fresh_folders.update(_folders_below(self.project.root, name))
        return found

    def _ignored(self, name: str) -> bool:
        if name.rpartition("/")[2] in _UNWATCHED:
            return True
        try:
            git(self.project.root, "check-ignore", "-q", "--", name)
        except GitFailed:
            return False
        return True

    async def _watch_current(self) -> None:
        self.fresh_folders = {name for name in self.fresh_folders if (self.project.root / name).is_dir()}
        scope = self.project.scope
        await self.watch.set_folders(scope.folders | self.fresh_folders, (*scope.files, *scope.manifests))

    async def _until_unlocked(self) -> None:
        """Wait while git is in the middle of writing the work tree, but not for ever: a lock may be a dead one."""
        if not self.watch.git_dir:
            return
        lock = Path(self.watch.git_dir) / "index.lock"
        until = time.monotonic() + LOCK_SECONDS
        while time.monotonic() < until and await asyncio.to_thread(lock.exists):  # noqa: ASYNC110 - git tells nobody
            await asyncio.sleep(0.05)

    def _head(self) -> bytes:
        if not self.watch.git_dir:
            return b""
        try:
            return (Path(self.watch.git_dir) / "HEAD").read_bytes()
        except OSError:
            return b""


def _first_told(snapshot: FindingsSnapshot, before: FindingsSnapshot) -> frozenset[str]:
    """What tools say that had not told anything before: it is there since anyone knows when."""
    known = {check.rule for check in before.checks}
    tools = {check.rule for check in snapshot.checks} - known
    if not tools:
        return frozenset()
    return frozenset(finding.fingerprint for finding in snapshot.findings if finding.skill in tools)


def _said(snapshot: FindingsSnapshot) -> tuple[object, ...]:
    return (snapshot.findings, snapshot.checks, snapshot.problems, snapshot.suppressed, snapshot.files.seen)


def _folders_below(root: Path, name: str) -> list[str]:
    """A folder and those below it, at most a thousand."""
    found = []
    for folder, folders, _ in os.walk(root / name, followlinks=False):
        folders[:] = [below for below in folders if below not in _UNWATCHED]
        found.append(os.path.relpath(folder, root).replace(os.sep, "/"))
        if len(found) >= 1000:
            break
    return found
