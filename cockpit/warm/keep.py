"""Keeps the warm process of a repository running for as long as its caller runs, and tells it what is shown."""

import asyncio
import contextlib
import os

from cockpit.hooks.drain import drain, is_waiting
from cockpit.repository import Repository
from cockpit.warm.host import WarmProcess
from cockpit.warm.telling import Latest, write_snapshot

FIRST_CHECK_SECONDS = 20.0  # the first check has the processor to itself for at most so long
LOOK_EVERY = 0.5


async def keep_warm(repository: Repository, latest: Latest) -> None:
    """Run the warm process from the end of the first check until cancelled; write what is shown whenever that changes,
    and take up the events that hooks left.

    `COCKPIT_WARM=0` says that there shall be none. Raises `OSError` where it cannot be started: hooks then work by
    themselves.
    """
    if os.environ.get("COCKPIT_WARM") == "0":
        return
    loop = asyncio.get_running_loop()
    until = loop.time() + FIRST_CHECK_SECONDS
    warm = WarmProcess(repository)
    told: list[object] = []
    try:
        while True:
            now = [latest.trees, latest.spend, latest.sessions, latest.found]
            if len(told) != len(now) or any(new is not old for new, old in zip(now, told, strict=True)):
                told = now
                await asyncio.to_thread(write_snapshot, repository, latest)
            if is_waiting():  # one look into an empty folder takes less than the way to a thread
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(drain)
            if not warm.started and (latest.found.phase == "ready" or loop.time() > until):
                await asyncio.to_thread(warm.start)
            await asyncio.sleep(LOOK_EVERY)
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(asyncio.to_thread(warm.close))
