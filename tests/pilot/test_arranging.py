"""What a person arranges stays arranged: panes, zoom, theme; keys by preset; the tour, copies, clicks, ASCII."""

from textual.geometry import Region

from cockpit.app import CockpitApp
from cockpit.demo import Demo
from cockpit.paths import state_dir, tour_file, user_config_file
from tests.pilot.conftest import call_on, settled, until
from widgets.bars import KeyBar, Tabs
from widgets.panes import PANES
from widgets.screens.report import ReportScreen
from widgets.screens.tour import TourScreen
from widgets.screens.transcript import TranscriptScreen


async def test_panes_put_away_and_moved_come_back_with_the_repository(demo: Demo) -> None:
    app = CockpitApp(call_on(demo.root, theme=None))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("2", "minus")
        put_away = app.panes.shown("budget"), app.panes.active
        await pilot.press("3", "less_than_sign")
        moved = app.panes.arrangement.order
        await pilot.press("t")
        theme = app.theme
        await pilot.press("z")
        await until(lambda: '"phase"' in _saved(), "the saved layout")
    again = CockpitApp(call_on(demo.root, theme=None))
    async with again.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        come_back = again.panes.zoomed, again.panes.active, again.theme
        await pilot.press("z")
        still_away = not again.panes.shown("budget")
        await pilot.press("2")
        await pilot.pause()
        looked_at = again.panes.shown("budget")
        await pilot.press("minus")
        hidden = again.panes.arrangement.hidden
        await pilot.press("equals_sign")

        assert put_away == (False, "findings")
        assert moved.index("phase") < moved.index("worktrees")
        assert come_back[0] and come_back[1:] == ("phase", theme)
        assert still_away
        assert looked_at, "a pane that was put away can be looked at"
        assert "budget" not in hidden
        assert again.panes.arrangement.order == PANES


def _saved() -> str:
    return "".join(path.read_text() for path in (state_dir() / "layouts").glob("*.json"))


async def test_the_last_pane_stays(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(*["minus"] * 6)
        await pilot.pause()
        assert app.panes.places(app.panes.size) == {app.panes.active: Region(0, 0, *app.panes.size)}


async def test_a_preset_s_keys_move_in_panes_and_screens(demo: Demo) -> None:
    user_config_file().write_text('[keys]\npreset = "emacs"\n')
    app = CockpitApp(call_on(demo.root))
    async with app.run_test(size=(120, 16)) as pilot:
        await settled(app)
        await pilot.press("ctrl+n", "ctrl+n", "ctrl+p")
        in_pane = app.findings_pane.cursor
        await pilot.press("question_mark")
        await pilot.press("ctrl+n", "ctrl+n")

        assert in_pane == 1
        assert isinstance(app.screen, ReportScreen)
        assert app.screen.moving.scroll_offset.y == 2


async def test_the_tour_is_shown_once_and_a_key_leaves_it_and_works(demo: Demo) -> None:
    tour_file().unlink()
    app = CockpitApp(call_on(demo.root))
    async with app.run_test(size=(40, 12)) as pilot:
        await until(lambda: isinstance(app.screen, TourScreen), "the tour")
        screen = app.screen
        assert isinstance(screen, TourScreen) and len(screen.hints) == 6
        assert not any("{" in hint for hint in screen.hints)
        await pilot.press("enter")
        assert screen.place == 1
        await pilot.press("1")
        await until(lambda: app.panes.active == "worktrees", "the key's own work")
        assert len(app.screen_stack) == 1 and tour_file().exists()
    again = CockpitApp(call_on(demo.root))
    async with again.run_test(size=(40, 12)) as pilot:
        await pilot.pause(0.2)
        assert len(again.screen_stack) == 1


async def test_rows_are_copied(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: app.findings_pane.finding is not None and len(app.trees.worktrees) == 6, "rows")
        finding = app.findings_pane.finding
        await pilot.press("y")
        await until(lambda: app.clipboard != "" or (state_dir() / "copied.txt").exists(), "the copy")
        copied = app.clipboard or (state_dir() / "copied.txt").read_text()
        assert finding is not None and copied == f"{finding.path}:{finding.line}"


async def test_screens_copy_what_a_person_would_paste(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: any(session.state == "waiting" for session in app.sessions.sessions), "who waits")
        held = next(session for session in app.sessions.sessions if session.state == "waiting")
        copied: list[str] = []
        app.copy_out = copied.append  # type: ignore[method-assign]
        await pilot.press("W", "y")
        await until(lambda: copied == [held.session], "the session's id")
        await pilot.press("space")
        await until(lambda: isinstance(app.screen, TranscriptScreen) and bool(app.screen.view.items), "the transcript")
        await pilot.press("g", "y")
        await until(lambda: len(copied) == 2, "the prompt")
        assert copied[1].strip() and copied[1].splitlines()[0][:20] in held.prompt
        await pilot.press("escape", "escape", "question_mark", "y")
        await until(lambda: len(copied) == 3, "the report")
        assert "Start day" in copied[2] and "\n" in copied[2]


async def test_the_mouse_presses_keys_and_tabs(app: CockpitApp) -> None:
    async with app.run_test(size=(50, 16)) as pilot:
        await pilot.pause()
        await pilot.click(Tabs, offset=(2, 0))
        await until(lambda: app.panes.active == "worktrees", "the first pane")
        bar = app.query_one(KeyBar)
        await pilot.click(KeyBar, offset=(bar._ends[-1][0] - 3, 0))
        await until(lambda: isinstance(app.screen, ReportScreen), "help")


async def test_ascii_leaves_nothing_else_on_screen(demo: Demo) -> None:
    user_config_file().write_text("ascii = true\n")
    app = CockpitApp(call_on(demo.root))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: app.findings_pane.finding is not None and bool(app.sessions.sessions), "rows")
        await pilot.pause()
        drawn = app.export_screenshot()
        assert not [glyph for glyph in "✖●◐›·╭━↑" if glyph in drawn] and "worktrees" in drawn.lower()
