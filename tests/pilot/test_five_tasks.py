"""Five tasks as a new user would try them, from the start screen and without the docs: at most six keys each.

A typed name is no key: what counts are the keys that a person has to know or find.
"""

from pathlib import Path

from textual.pilot import Pilot

from cockpit.app import CockpitApp
from cockpit.demo import Demo
from tests.pilot.conftest import settled, until
from widgets.lines import plain
from widgets.screens.attention import AttentionScreen
from widgets.screens.confirm import ConfirmScreen
from widgets.screens.end_day import EndDayScreen
from widgets.screens.spend import CostList, SpendScreen

MOST = 6


class Keys:
    """Presses keys and counts them."""

    def __init__(self, pilot: Pilot[int]) -> None:
        self.pilot, self.pressed = pilot, 0

    async def press(self, *keys: str) -> None:
        self.pressed += len(keys)
        assert self.pressed <= MOST
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self.pilot.press(*text)


async def test_find_the_most_expensive_branch(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(app)
        keys = Keys(pilot)
        await keys.press("c")
        await until(lambda: isinstance(app.screen, SpendScreen) and app.screen.dashboard is not None, "the figures")
        screen = app.screen
        assert isinstance(screen, SpendScreen) and screen.dashboard is not None
        for _ in range(MOST - 1):
            if screen.names[screen.active] == "branch":
                break
            await keys.press("tab")
        assert screen.names[screen.active] == "branch"
        rows = screen.query_one(CostList)
        first = plain(rows.line_at(0, rows.size.width))
        dearest = max(app.spend.by_branch, key=lambda pair: pair[1])[0]
        assert dearest in first


async def test_jump_to_the_newest_p0(app: CockpitApp, demo: Demo) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(app)
        culprit = demo.root / "tests" / "test_zzz_newest.py"
        culprit.write_text("from unittest.mock import Mock\n\n\ndef test_planted():\n    assert Mock()\n")
        await until(
            lambda: any(
                found.path == "tests/test_zzz_newest.py" and found.gate == "P0" for found in app.found.findings
            ),
            "the finding",
        )
        await pilot.pause()
        keys = Keys(pilot)
        await keys.press("g")
        finding = app.findings_pane.finding
        assert finding is not None and finding.path == "tests/test_zzz_newest.py" and finding.gate == "P0"
        await keys.press("y")
        await until(lambda: any("test_zzz_newest.py:" in note.message for note in app._notifications), "the copy")


async def test_make_and_remove_a_worktree(app: CockpitApp, demo: Demo) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(app)
        keys = Keys(pilot)
        await keys.press("1", "n")
        await keys.type("fix/tax")
        await keys.press("enter")
        await until(lambda: isinstance(app.screen, ConfirmScreen), "the plan")
        await keys.press("enter")
        await until(lambda: len(app.screen_stack) == 1 and app.worktrees_pane.current is not None, "the panes")
        current = app.worktrees_pane
        await until(lambda: current.current is not None and current.current.branch == "fix/tax", "the row")
        folder = Path(current.current.path)  # type: ignore[union-attr]
        await until(lambda: any("is ready" in note.message for note in app._notifications), "its notice")
        await keys.press("x")
        await until(lambda: isinstance(app.screen, ConfirmScreen), "what goes")
        await keys.press("enter")
        await until(lambda: all(tree.branch != "fix/tax" for tree in app.trees.worktrees), "the removal")
        assert not folder.exists() and keys.pressed == MOST


async def test_see_why_an_agent_waits(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(app)
        keys = Keys(pilot)
        await keys.press("w")
        tree = app.worktrees_pane.current
        assert tree is not None and tree.agent is not None and tree.agent.state == "waiting"
        assert "git push" in tree.agent.waiting_for
        await keys.press("W")
        await until(lambda: isinstance(app.screen, AttentionScreen), "all who wait")


async def test_end_the_day(app: CockpitApp, demo: Demo) -> None:
    before = (demo.root / "PROJECT_CONTEXT.md").read_text()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(app)
        keys = Keys(pilot)
        await keys.press("e")
        await until(lambda: isinstance(app.screen, EndDayScreen) and app.screen.handover is not None, "the draft")
        screen = app.screen
        assert isinstance(screen, EndDayScreen)
        await keys.press("w")
        await until(lambda: screen.done, "the end", seconds=60)
        assert (demo.root / "PROJECT_CONTEXT.md").read_text() != before
        await keys.press("escape")
        assert len(app.screen_stack) == 1 and keys.pressed <= MOST
