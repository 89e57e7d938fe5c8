"""The app as a picture at four widths in three themes, on the demo repository; the README shows these pictures."""

import argparse
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from cockpit.app import CockpitApp
from cockpit.call import Call
from cockpit.demo import make_demo
from tests.pilot.conftest import settled

NOW = datetime.fromisoformat("2026-11-20T14:32:00+00:00")
SIZES = {40: (40, 16), 80: (80, 30), 120: (120, 36), 200: (200, 46)}


@pytest.mark.parametrize("theme", ["dark", "light", "mono"])
@pytest.mark.parametrize("width", sorted(SIZES))
def test_picture(width: int, theme: str, snap_compare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCKPIT_NOW", NOW.isoformat())
    monkeypatch.setenv("TZ", "UTC")
    demo = make_demo(tmp_path / "demo", now=NOW)
    for name, value in demo.env.items():
        monkeypatch.setenv(name, value)
    call = Call(argparse.Namespace(repo=str(demo.root), config=None, theme=theme, no_color=False, all_repos=False))

    async def at_rest(pilot: Pilot[int]) -> None:
        assert isinstance(pilot.app, CockpitApp)
        await settled(pilot.app)
        pilot.app.clear_notifications()  # a notice goes by itself, sooner or later
        await pilot.pause(0.5)

    try:
        assert snap_compare(CockpitApp(call), terminal_size=SIZES[width], run_before=at_rest)
    finally:
        demo.close()
