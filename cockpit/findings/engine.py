"""The findings engine: one core for the pane, `cockpit check` and `cockpit watch`."""

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path

from cockpit.clock import now
from cockpit.config import Config
from cockpit.findings.models import FindingsSnapshot
from cockpit.findings.once import CheckRequest, check_now, make_project
from cockpit.findings.outcome import outcome_of
from cockpit.findings.pool import Pool
from cockpit.findings.project import Project

__all__ = ["CheckRequest", "Engine", "check_now", "fingerprints", "finished", "stream"]

STREAM_EVERY = 0.15


class Engine:
    """Judges projects, in worker processes that stay warm until `close`."""

    def __init__(self) -> None:
        self.pool = Pool()

    def project(self, root: Path, config: Config) -> Project:
        """The (empty) state of a root. Raises `CannotAnswer` where its baseline cannot be read."""
        return make_project(root, config, CheckRequest(), self.pool, in_process=False)

    def close(self) -> None:
        """End the worker processes."""
        self.pool.close()

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def stream(project: Project) -> AsyncGenerator[FindingsSnapshot, None]:
    """Scan a project, with ruff's findings in the last snapshot.

    A snapshot comes at most every 150 ms, and on large projects more rarely: showing takes a tenth of the time at most.
    """
    started = time.monotonic()
    shares = project.scan()
    shown, every, step = 0.0, STREAM_EVERY, None
    try:
        while True:
            step = asyncio.ensure_future(asyncio.to_thread(next, shares, None))
            share = await asyncio.shield(step)
            if share is None:
                break
            if (begun := time.monotonic()) - shown >= every:
                yield await asyncio.to_thread(_partial, project, share)
                shown = time.monotonic()
                every = max(STREAM_EVERY, (shown - begun) * 10)
    finally:
        if step is not None and not step.done():
            await asyncio.wait({step})  # a generator that runs cannot be closed
        shares.close()
    await asyncio.to_thread(project.ask_ruff)
    yield await asyncio.to_thread(finished, project, started)


def finished(project: Project, started: float, **more: object) -> FindingsSnapshot:
    """The snapshot of a project as it is now; `started` is the monotonic time at which the work began."""
    outcome = outcome_of(project)
    project.record_trend(outcome.findings)
    return outcome.snapshot(
        str(project.root),
        trend=project.trend,
        phase="ready",
        progress=None,
        at=now(),
        duration_ms=round((time.monotonic() - started) * 1000, 1),
        **more,
    )


def fingerprints(snapshot: FindingsSnapshot) -> frozenset[str]:
    """The fingerprints of all findings of a snapshot."""
    return frozenset(finding.fingerprint for finding in snapshot.findings)


def _partial(project: Project, share: float) -> FindingsSnapshot:
    return outcome_of(project).snapshot(str(project.root), phase="checking", progress=share, at=now())
