"""Feeds, tamed: the newest value wins, at most ten a second."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TypeVar

Value = TypeVar("Value")


INTERVAL = 0.1
"""Seconds between two values."""


async def newest(source: AsyncIterator[Value]) -> AsyncIterator[Value]:
    """The values of `source`, never more often than every `INTERVAL` seconds; what came in between is passed over.

    The last value always arrives. An error of the source is raised after the values before it; the source is closed
    with this generator.
    """
    latest: list[Value] = []
    arrived = asyncio.Event()

    async def drain() -> None:
        try:
            async for value in source:
                latest[:] = [value]
                arrived.set()
        finally:
            arrived.set()

    task = asyncio.create_task(drain())
    try:
        while True:
            await arrived.wait()
            arrived.clear()
            if latest:
                yield latest.pop()
                await asyncio.sleep(INTERVAL)
            elif task.done():
                await task
                return
            if task.done() and not arrived.is_set():
                arrived.set()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task


async def came(event: asyncio.Event, seconds: float | None) -> bool:
    """Whether an event comes within `seconds` (None: it is waited for).

    A cancel always ends the wait: with `asyncio.wait_for` in Python 3.11 it is lost where the event comes just then,
    and whoever cancelled waits for ever.
    """
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
