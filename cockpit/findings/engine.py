"""The findings engine: one core for the pane, `cockpit check` and `cockpit watch`."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from cockpit.clock import now
from cockpit.config import Config
from cockpit.findings.baseline import DEFAULT, Baseline, read_baseline
from cockpit.findings.discovery import discover
from cockpit.findings.models import FindingsSnapshot
from cockpit.findings.outcome import Narrow, Outcome
from cockpit.findings.pool import Pool
from cockpit.findings.project import Project
from cockpit.findings.revisions import added_since, read_staged
from skills.gates.model import GateOptions

STREAM_EVERY = 0.15


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What one check is asked. `paths` are relative to the root (empty: everything).

    With `only_paths` nothing else is read (outside git, where the root may be any folder).
    `baseline` is the file of accepted findings: a path, "" for the default (read where it exists), None for none.
    """

    options: GateOptions | None = None
    paths: tuple[str, ...] = ()
    only_paths: bool = False
    staged: bool = False
    since: str | None = None
    baseline: str | None = ""
    use_cache: bool = True


class Engine:
    """Judges projects, in worker processes that stay warm until `close`."""

    def __init__(self, workers: int = 2) -> None:
        self.pool = Pool(workers)

    def project(self, root: Path, config: Config, request: CheckRequest | None = None) -> Project:
        """The (empty) state of a root. Raises `CannotAnswer` where its baseline cannot be read."""
        return _project(root, config, request or CheckRequest(), self.pool, in_process=False)

    async def check(
        self, root: Path, config: Config, request: CheckRequest | None = None
    ) -> AsyncGenerator[FindingsSnapshot, None]:
        """Check everything once: snapshots with a progress while it runs, the last one with `progress` None."""
        project = await asyncio.to_thread(self.project, root, config, request)
        async with aclosing(stream(project)) as snapshots:
            async for snapshot in snapshots:
                yield snapshot

    def close(self) -> None:
        """End the worker processes."""
        self.pool.close()

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def check_now(root: Path, config: Config, request: CheckRequest) -> tuple[Outcome, Project]:
    """One check, to the end, in this thread: the command line's way. The workers are forked and ended.

    Raises `CannotAnswer` (unknown revision, unreadable index or baseline).
    """
    pool = Pool(start="fork")
    try:
        project = _project(root, config, request, pool, in_process=True)
        narrow = _prepared(project, request)
        for _ in project.scan(sources=project.sources, only_sources=request.staged):
            pass
    finally:
        pool.close()
    project.ask_ruff(None if narrow is None else [name for name in project.scope.files if narrow.covers(name)])
    return project.outcome(narrow), project


async def stream(project: Project) -> AsyncGenerator[FindingsSnapshot, None]:
    """Scan a project, with a snapshot at most every 150 ms, and ruff's findings with the last one."""
    started = time.monotonic()
    shares = project.scan()
    shown, step = 0.0, None
    try:
        while True:
            step = asyncio.ensure_future(asyncio.to_thread(next, shares, None))
            share = await asyncio.shield(step)
            if share is None:
                break
            if time.monotonic() - shown >= STREAM_EVERY:
                yield await asyncio.to_thread(_partial, project, share)
                shown = time.monotonic()
    finally:
        if step is not None and not step.done():
            await asyncio.wait({step})  # a generator that runs cannot be closed
        shares.close()
    await asyncio.to_thread(project.ask_ruff)
    yield await asyncio.to_thread(finished, project, started)


def finished(project: Project, started: float, **more: object) -> FindingsSnapshot:
    """The snapshot of a project as it is now; `started` is the monotonic time at which the work began."""
    outcome = project.outcome()
    return outcome.snapshot(
        str(project.root),
        phase="ready",
        progress=None,
        at=now(),
        duration_ms=round((time.monotonic() - started) * 1000, 1),
        **more,
    )


def fingerprints(snapshot: FindingsSnapshot) -> frozenset[str]:
    return frozenset(finding.fingerprint for finding in snapshot.findings)


def _partial(project: Project, share: float) -> FindingsSnapshot:
    return project.outcome().snapshot(str(project.root), phase="checking", progress=share, at=now())


def _project(root: Path, config: Config, request: CheckRequest, pool: Pool, *, in_process: bool) -> Project:
    project = Project(
        root,
        config,
        pool,
        options=request.options,
        use_cache=request.use_cache,
        in_process=in_process,
        only=request.paths if request.only_paths else None,
    )
    if request.baseline is not None:
        path = Path(request.baseline) if request.baseline else root / DEFAULT
        project.baseline = read_baseline(path, required=bool(request.baseline))
    else:
        project.baseline = Baseline()
    return project


def _prepared(project: Project, request: CheckRequest) -> Narrow | None:
    """The part of the project that the request names; for the index the files and sources are set as well."""
    paths = request.paths or None
    if request.staged:
        staged = read_staged(project.root)
        found = discover(project.root, project.config.checks.exclude, sources=staged.sources)
        project.sources = staged.sources
        project.scope = replace(found, files={name: found.files[name] for name in found.files if name in staged.names})
        return Narrow(paths, staged.added)
    if request.since is not None:
        return Narrow(paths, added_since(project.root, request.since))
    return None if paths is None else Narrow(paths)
