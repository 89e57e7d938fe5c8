"""A recording of the demo, back in the panes."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from cockpit.app import CockpitApp
from cockpit.app_parts.replay import ReplayApp
from cockpit.recording.lines import Recorder, read_recording
from cockpit.repository import Repository
from tests.pilot.conftest import call_on, settled, until
from widgets.lines import plain
from widgets.screens.ask import AskScreen

Replayed = tuple[ReplayApp, Pilot[int], str]


def text_of(app: CockpitApp, pane: str) -> str:
    view = app.pane(pane)
    return "\n".join(plain(view.line_at(y, 100)) for y in range(view.line_count()))


async def recorded(app: CockpitApp, folder: Path) -> tuple[Path, str]:
    """What the panes show of the demo, written as a recording; and the text of the findings."""
    day = folder / "day.jsonl"
    async with app.run_test(size=(200, 50)):
        await settled(app)
        findings = text_of(app, "findings")
        with day.open("w", encoding="utf-8") as stream:
            recorder = Recorder(stream, "acme-api", app.repository.root, "/nowhere")
            for pane, value in (
                ("budget", app.spend),
                ("phase", app.sessions),
                ("worktrees", app.trees),
                ("findings", app.found),
            ):
                recorder.take(pane, value)
    return day, findings


@asynccontextmanager
async def replayed(app: CockpitApp, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Replayed]:
    """The demo's recording in the app, of a repository that is not there."""
    day, findings = await recorded(app, folder)
    monkeypatch.setenv("COCKPIT_NOW", os.environ["COCKPIT_NOW"])  # given back after the test
    call = call_on(folder)
    call.use_repository(Repository(Path("/no/acme-api"), Path("/no/acme-api/.git"), Path("/no/acme-api/.git")))
    replay = ReplayApp(call, read_recording(day), speed=0, longest=0)
    async with replay.run_test(size=(200, 50)) as pilot:
        await until(lambda: bool(replay.found.findings), "the findings")
        await pilot.pause()
        yield replay, pilot, findings


async def test_the_panes_show_again_what_they_showed(
    app: CockpitApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with replayed(app, tmp_path, monkeypatch) as (replay, _, findings):
        shown = {pane: text_of(replay, pane) for pane in ("findings", "worktrees", "budget")}

        assert shown["findings"] == findings
        assert "feature/api" in shown["worktrees"] and "of $5" in shown["budget"]


async def test_code_that_is_not_there_is_said_in_a_replay(
    app: CockpitApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with replayed(app, tmp_path, monkeypatch) as (replay, pilot, _):
        await pilot.press("4", "space")

        await until(lambda: "cannot be read" in str(getattr(replay.screen, "shown", "")), "the reason")


async def test_a_budget_that_is_set_leaves_what_a_recording_shows(
    app: CockpitApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with replayed(app, tmp_path, monkeypatch) as (replay, pilot, _):
        shown = text_of(replay, "budget")

        await pilot.press("2", "b")
        await until(lambda: isinstance(replay.screen, AskScreen), "the question")
        await pilot.press("enter")
        await until(lambda: any("Written into" in one.text for one in replay._standing), "the budget")
        await pilot.pause(0.5)

        assert text_of(replay, "budget") == shown
