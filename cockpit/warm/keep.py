"""Keeps the warm process of a repository running for as long as its caller runs."""

import asyncio
import contextlib
import os
from collections.abc import Callable

from cockpit.repository import Repository
from cockpit.warm.host import WarmProcess

FIRST_CHECK_SECONDS = 20.0  # the first check has the processor to itself for at most so long
LOOK_EVERY = 0.5


async def keep_warm(repository: Repository, ready: Callable[[], bool]) -> None:
    """Start it once `ready` (the first check is done) and end it when cancelled. Without it, hooks work by themselves.

    `COCKPIT_WARM=0` says that there shall be none. Raises `OSError` where it cannot be started.
    """
    if os.environ.get("COCKPIT_WARM") == "0":
        return
    loop = asyncio.get_running_loop()
    until = loop.time() + FIRST_CHECK_SECONDS
    while not ready() and loop.time() < until:  # noqa: ASYNC110 - asked twice a second, for a short while
        await asyncio.sleep(LOOK_EVERY)
    warm = WarmProcess(repository)
    try:
        await asyncio.to_thread(warm.start)
        await asyncio.Event().wait()
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(asyncio.to_thread(warm.close))
