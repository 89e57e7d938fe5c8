"""Feeds, tamed: the newest value wins, the last always arrives, errors and ends come through."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from cockpit.stream import came, newest


async def numbers(count: int, pause: float = 0.0) -> AsyncIterator[int]:
    for number in range(count):
        yield number
        await asyncio.sleep(pause)


async def test_a_flood_is_thinned_and_the_last_value_arrives() -> None:
    seen = [value async for value in newest(numbers(1000))]
    assert seen[-1] == 999 and len(seen) < 100


async def test_slow_values_all_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cockpit.stream.INTERVAL", 0.001)
    assert [value async for value in newest(numbers(4, 0.03))] == [0, 1, 2, 3]


async def test_an_error_comes_after_the_values() -> None:
    async def failing() -> AsyncIterator[int]:
        yield 1
        raise OSError("gone")

    seen = []
    with pytest.raises(OSError, match="gone"):
        async for value in newest(failing()):
            seen.append(value)
    assert seen == [1]


async def test_closing_it_closes_the_source() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
                await asyncio.sleep(0.01)
        finally:
            closed.set()

    stream = newest(endless())
    assert await anext(stream) == 1
    await stream.aclose()  # type: ignore[attr-defined]
    await asyncio.wait_for(closed.wait(), 2)


@pytest.mark.parametrize("turns", range(5))
def test_a_cancel_ends_the_wait_also_in_the_moment_in_which_the_event_comes(turns: int) -> None:
    async def scenario() -> tuple[bool, bool]:
        event = asyncio.Event()
        waiting = asyncio.create_task(came(event, 60.0))
        await asyncio.sleep(0.01)
        event.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        ended = waiting.done()
        waiting.cancel()
        await asyncio.wait([waiting])
        return ended, waiting.cancelled()

    ended, cancelled = asyncio.run(scenario())
    assert cancelled is not ended


def test_an_event_that_does_not_come_is_not_waited_for_longer() -> None:
    async def scenario() -> tuple[bool, bool]:
        event = asyncio.Event()
        late = await came(event, 0.0)
        event.set()
        return late, await came(event, 0.0)

    assert asyncio.run(scenario()) == (False, True)
