"""Keeps the warm process of a repository running for as long as its caller runs, and tells it what is shown."""

import asyncio
import contextlib
import os

from cockpit.hooks.drain import drain, is_waiting
from cockpit.hooks.spool import spool_folder
from cockpit.repository import Repository
from cockpit.stream import came
from cockpit.warm.host import WarmProcess
from cockpit.warm.telling import Latest, write_snapshot
from cockpit.watch_folders import watch_folders

FIRST_CHECK_SECONDS = 20.0  # the first check has the processor to itself for at most so long
LOOK_EVERY = 0.5  # seconds, at most as often


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
    spool = asyncio.create_task(_tell_of_events(latest.news))
    told: list[object] = []
    try:
        while True:
            latest.news.clear()
            now = [latest.trees, latest.spend, latest.sessions, latest.found]
            if len(told) != len(now) or any(new is not old for new, old in zip(now, told, strict=True)):
                told = now
                await asyncio.to_thread(write_snapshot, repository, latest)
            if is_waiting():  # one look into an empty folder takes less than the way to a thread
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(drain)
                if is_waiting():  # more than it takes at once
                    latest.news.set()
            if not warm.started and (latest.found.phase == "ready" or loop.time() >= until):
                await asyncio.to_thread(warm.start)
            await asyncio.sleep(LOOK_EVERY)
            await came(latest.news, None if warm.started else max(0.0, until - loop.time()))
    finally:
        spool.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await spool
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(asyncio.to_thread(warm.close))


async def _tell_of_events(news: asyncio.Event) -> None:
    """Set `news` when hooks leave something. While their folder is not there, or cannot be watched, look for it."""
    folder = spool_folder()
    while True:
        if folder.is_dir():
            watching = watch_folders(folder, settle=0.0, recursive=False)
            with contextlib.suppress(OSError, RuntimeError):
                async with contextlib.aclosing(watching):
                    async for changed in watching:
                        news.set()
                        if str(folder) in changed:  # the last of those that kept it has left
                            break
        if is_waiting():
            news.set()
        await asyncio.sleep(LOOK_EVERY)
