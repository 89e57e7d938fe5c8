"""What a feed yields, and what keeps it from watching."""

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from typing import NoReturn, TypeVar

Value = TypeVar("Value")


async def first_that(feed: AsyncIterator[Value], holds: Callable[[Value], object], seconds: float = 30.0) -> Value:
    """The first value of a feed for which `holds` is true."""
    async with asyncio.timeout(seconds):
        async for value in feed:
            if holds(value):
                return value
    raise AssertionError("the feed ended")


def no_space(*_: object, **__: object) -> NoReturn:
    """What the system says where a disk, or its table of watches, is full."""
    raise OSError(errno.ENOSPC, "No space left on device")
