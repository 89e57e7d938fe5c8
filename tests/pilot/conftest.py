"""The app on the demo repository: real git, real transcripts, real findings, a fixed clock."""

import argparse
import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from cockpit.app import CockpitApp
from cockpit.call import Call
from cockpit.demo import Demo, make_demo
from widgets.lines import plain

NOW = datetime.fromisoformat("2026-11-20T14:32:00+00:00")


def call_on(root: Path, **options: object) -> Call:
    """A call without a command, as `cockpit --repo ROOT` makes it."""
    known: dict[str, object] = {
        "repo": str(root),
        "config": None,
        "theme": "dark",
        "no_color": False,
        "all_repos": False,
    }
    return Call(argparse.Namespace(**{**known, **options}))


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Demo]:
    """A fresh demo repository with its agents alive."""
    monkeypatch.setenv("COCKPIT_NOW", NOW.isoformat())
    monkeypatch.setenv("TZ", "UTC")
    made = make_demo(tmp_path / "demo", now=NOW)
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    yield made
    made.close()


@pytest.fixture
def app(demo: Demo) -> CockpitApp:
    """The app on the demo, not yet running."""
    return CockpitApp(call_on(demo.root))


async def until(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Wait for something that a feed brings; fails with `what` after `seconds`."""
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"never came: {what}")


async def settled(app: CockpitApp) -> None:
    """All four panes have what the feeds tell about the demo at rest."""
    await until(lambda: bool(app.spend.today) and app.spend.loading is None, "spend")
    await until(lambda: len(app.sessions.sessions) >= 3, "sessions")
    await until(
        lambda: app.found.phase == "ready" and app.found.progress is None and app.found.files.seen > 0, "findings"
    )
    await until(lambda: len(app.trees.worktrees) == 6, "worktrees")
    await until(lambda: all(tree.counts and not tree.stale for tree in app.trees.worktrees), "counts")
    await until(lambda: all(tree.merged or tree.main or tree.branch is None for tree in app.trees.worktrees), "merges")
    await until(lambda: sum(1 for tree in app.trees.worktrees if tree.agent) == 3, "agents")
    await until(lambda: any(tree.clashes for tree in app.trees.worktrees), "the forecast of conflicts")
    await until(lambda: app.costs_shown or not app.panes.shown("findings"), "costs of steps")
    await until(lambda: bool(app._track), "the day")


def text_of(app: CockpitApp, pane: str) -> str:
    """What a pane shows, line by line."""
    view = app.pane(pane)
    width = view.scrollable_content_region.width
    return "\n".join(plain(view.line_at(y, width)) for y in range(view.line_count()))
