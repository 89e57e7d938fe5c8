"""How it feels: a key → the screen at rest and while 10,000 findings stream in, and a list of a million rows."""

import asyncio
import os
import tempfile
import time
from argparse import Namespace
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import structs
from textual import events
from textual.app import App, ComposeResult

from cockpit.app import CockpitApp
from cockpit.call import Call
from cockpit.demo import make_demo
from cockpit.findings.models import FindingsSnapshot
from widgets.lines import Line, line
from widgets.virtual_list import VirtualList

_FINDINGS, _BLOCKS, _KEYS, _ROWS, _PAGES = 10_000, 5, 30, 1_000_000, 200


class _Million(VirtualList[int]):
    def row(self, item: int, index: int, width: int) -> Line:
        return line((f"{item:>8}  ", "muted"), (f"row {item} with some words in it", "text"), ("  new", "accent"))


class _Long(App[None]):
    def compose(self) -> ComposeResult:
        yield _Million(id="rows")


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def _drawn(view: VirtualList[Any]) -> asyncio.Event:
    """An event for when the row under the cursor is drawn."""
    event = asyncio.Event()
    draw = view.render_line

    def render_line(y: int) -> Any:
        strip = draw(y)
        if y + view.scroll_offset.y == view.cursor:
            event.set()
        return strip

    view.render_line = render_line  # type: ignore[method-assign]
    return event


async def _seconds(
    begin: Callable[[], object], drawn: asyncio.Event, clock: Callable[[], float] = time.perf_counter
) -> float:
    drawn.clear()
    begun = clock()
    begin()
    await asyncio.wait_for(drawn.wait(), 10)
    return clock() - begun


def _snapshots(base: FindingsSnapshot) -> list[FindingsSnapshot]:
    first = base.findings[0]
    gates = sorted(("P0", "P1", "P2")[n % 3] for n in range(_FINDINGS))
    many = tuple(
        structs.replace(first, path=f"app{n % 500}/module{n}.py", line=n, fingerprint=f"{n:032x}", gate=gate)
        for n, gate in enumerate(gates)
    )
    return [replace(base, findings=many[: _FINDINGS * part // 10], progress=part / 11) for part in range(1, 11)]


@asynccontextmanager
async def _streaming(app: CockpitApp, snapshots: list[FindingsSnapshot]) -> AsyncIterator[None]:
    """Ten snapshots a second, each with more findings, for as long as the block lasts."""

    async def stream() -> None:
        while True:
            for snapshot in snapshots:
                app.show_findings(snapshot)
                await asyncio.sleep(0.1)

    task = asyncio.create_task(stream())
    yield
    task.cancel()


async def _keys(app: CockpitApp) -> dict[str, float]:
    rest: list[float] = []
    streamed: list[float] = []
    async with app.run_test(size=(120, 40)):
        while app.found.progress is not None or not app.found.findings or not app.sessions.sessions:
            await asyncio.sleep(0.1)
        await asyncio.sleep(3)
        snapshots = _snapshots(app.found)
        pane = app.findings_pane
        drawn = _drawn(pane)

        def press() -> None:
            key = "j" if pane.cursor < 8 else "g"
            app.post_message(events.Key(key, key))

        async def block(into: list[float]) -> None:
            for _ in range(_KEYS):
                into.append(await _seconds(press, drawn))
                await asyncio.sleep(0.037)

        for _ in range(_BLOCKS):
            app.show_findings(snapshots[-1])
            await block(rest)
            async with _streaming(app, snapshots):
                await block(streamed)
    return {
        "key_rest_ms": _p95(rest) * 1000,
        "key_streaming_ms": _p95(streamed) * 1000,
        "key_ratio": _p95(streamed) / _p95(rest),
    }


async def _scroll() -> float:
    app = _Long()
    async with app.run_test(size=(120, 40)) as pilot:
        view = app.query_one(_Million)
        view.show_items(range(_ROWS))
        await pilot.pause()
        drawn = _drawn(view)
        pages = [await _seconds(lambda: view.move("page-down"), drawn, time.process_time) for _ in range(_PAGES)]
        return _p95(pages) * 1000


def run() -> dict[str, float]:
    """95th percentiles: `key_rest_ms`, `key_streaming_ms`, their `key_ratio`, `scroll_p95_ms` (processor time)."""
    before = dict(os.environ)
    os.environ["COCKPIT_WARM"] = "0"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        demo = make_demo(Path(folder), now=datetime.now(UTC))
        os.environ.update(demo.env)
        words = {"repo": str(demo.root), "config": None, "theme": "dark", "no_color": False, "all_repos": False}
        try:
            answer = asyncio.run(_keys(CockpitApp(Call(Namespace(**words)))))
            return answer | {"scroll_p95_ms": asyncio.run(_scroll())}
        finally:
            demo.close()
            os.environ.clear()
            os.environ.update(before)


if __name__ == "__main__":
    print(run())
