"""A person's own keys: they work, and every hint and sentence names them."""

import ast
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.screen import ModalScreen
from textual.widget import Widget

import widgets.screens
from cockpit.app import CockpitApp
from cockpit.app_parts.keys import KeyDeeds
from cockpit.demo import Demo
from cockpit.findings.models import FindingsSnapshot
from cockpit.paths import user_config_file
from tests.pilot.conftest import call_on, settled, until
from widgets.line_view import LineView
from widgets.screens.report import ReportScreen
from widgets.screens.spend import SpendScreen

OWN = """
[keys]
recheck = "f5"
close = "backspace,escape"
spend-period = "o"
pane-1 = "f6"
open-worktree = "O"
back = "backspace"
hidden = "ctrl+o"
down = "ctrl+e"
"""


@pytest.fixture
def own(demo: Demo) -> CockpitApp:
    path = user_config_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(OWN)
    return CockpitApp(call_on(demo.root))


def words(view: LineView) -> str:
    return "\n".join(view.text_at(y) for y in range(view.line_count()))


def hint_of(view: Widget) -> str:
    return view._border_subtitle.plain if view._border_subtitle else ""


async def test_a_screen_follows_own_keys_and_names_them(own: CockpitApp) -> None:
    async with own.run_test(size=(120, 36)) as pilot:
        await settled(own)
        assert not [note for note in own._notifications if note.severity == "error"]
        await pilot.press("c")
        await until(lambda: isinstance(own.screen, SpendScreen) and own.screen.dashboard is not None, "the figures")
        screen = own.screen
        assert isinstance(screen, SpendScreen)
        hint = hint_of(screen.query_one("#frame"))
        assert "o period" in hint and "f5 again" in hint and "backspace close" in hint
        before = screen.period
        await pilot.press("p")
        assert screen.period == before
        await pilot.press("o")
        assert screen.period != before
        await pilot.press("backspace")
        assert len(own.screen_stack) == 1


async def test_empty_sentences_follow_own_keys(own: CockpitApp) -> None:
    async with own.run_test(size=(120, 36)) as pilot:
        await settled(own)
        own.findings_pane.show(FindingsSnapshot(phase="ready"), frozenset())
        nothing_found = words(own.findings_pane)
        own.findings_pane.filter(type(own.findings_pane.filters)(text="x"))
        nothing_left = words(own.findings_pane)
        own.phase_pane.show([])
        no_session = words(own.phase_pane)
        await pilot.press("question_mark")
        hint = hint_of(own.screen.query_one("#report"))

        assert "Another worktree: f6, then enter" in nothing_found
        assert "backspace shows all" in nothing_left
        assert "f6 a worktree, O an agent in it" in no_session
        assert "j scroll" not in hint
        assert "backspace close · ctrl+e k scroll" in hint


async def test_help_and_palette_work_in_screens(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(app)
        await pilot.press("c")
        await until(lambda: isinstance(app.screen, SpendScreen) and app.screen.dashboard is not None, "the figures")
        screen = app.screen
        assert isinstance(screen, SpendScreen)
        titles = {command.title: command for command in KeyDeeds.get_system_commands(app, screen)}
        assert "Next period · p" in titles and any(title.startswith("Copy ") for title in titles)
        before = screen.period
        titles["Next period · p"].callback()
        await until(lambda: screen.period != before, "another period")
        await pilot.press("colon")
        assert isinstance(app.screen, CommandPalette)
        await pilot.press("escape")
        await pilot.press("question_mark")
        assert isinstance(app.screen, ReportScreen)
        told = words(app.screen.query_one("#report", LineView))
        assert "Export what is shown to files" in told and "Down" in told
        assert "ctrl+c" not in told and "super" not in told  # the toolkit's own
        await pilot.press("question_mark")
        assert app.screen is screen


def test_a_binding_of_a_screen_is_one_of_the_registry() -> None:
    """Only keys that cannot be anything else stand in a screen's own list: digits, the tour, a field's escape."""
    for path in Path(widgets.screens.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Binding":
                key = node.args[0].value if isinstance(node.args[0], ast.Constant) else ""
                plain = {"", "space", "escape", "enter", "left", "enter,space,right", "1", "2"}
                assert key in plain, f"{path.name}: {key} has no id"
    assert issubclass(SpendScreen, ModalScreen)
