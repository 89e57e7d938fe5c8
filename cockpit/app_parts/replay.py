"""The app on a recording: the same panes, fed from a file, at the recorded time."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cockpit.app import CockpitApp
from cockpit.call import Call
from cockpit.clock import iso
from cockpit.recording.lines import Recording, pauses
from cockpit.repository import Repository


class ReplayApp(CockpitApp):
    """Shows a recording. What a key would do to the repository finds none, and says so."""

    def __init__(self, call: Call, recording: Recording, *, speed: float, longest: float) -> None:
        super().__init__(call)
        self._recording, self._speed, self._longest = recording, speed, longest

    def restart_feeds(self) -> None:
        """Play it from its beginning."""
        self.run_worker(self._play(), group="start", exclusive=True, exit_on_error=False)

    def restart_spend(self) -> None:
        """What was spent stands in the recording, against the budgets of then."""

    def go_home(self, there: list[Path]) -> None:
        """No folder of a recording is there."""

    async def _play(self) -> None:
        shows: dict[str, Callable[[Any], None]] = {
            "worktrees": self.show_worktrees,
            "budget": self.show_spend,
            "phase": self.show_sessions,
            "findings": self.show_findings,
        }
        for pause, event in pauses(self._recording.events, self._speed, self._longest):
            await asyncio.sleep(pause)
            os.environ["COCKPIT_NOW"] = iso(event.at)
            shows[event.pane](event.snapshot)
            self.tick()
        self.tell(
            f"The recording is over: {len(self._recording.events)} snapshots · {self.labels['recheck']} plays it again"
        )


def open_replay(call: Call, recording: Recording, *, speed: float, longest: float) -> int:
    """Open the app on a recording. Returns its exit code."""
    root = Path(recording.root)
    call.use_repository(Repository(root, root / ".git", root / ".git"))
    return ReplayApp(call, recording, speed=speed, longest=longest).run() or 0
