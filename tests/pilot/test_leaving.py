"""Keys that are typed faster than screens come and go."""

from typing import Any

from textual import events
from textual.command import CommandList

from cockpit.app import CockpitApp
from tests.pilot.conftest import settled, until
from widgets.lines import line
from widgets.screens.confirm import ConfirmScreen
from widgets.screens.palette import Palette
from widgets.screens.pick import PickScreen
from widgets.screens.tour import TourScreen


async def test_a_screen_is_left_once_however_many_keys_come(app: CockpitApp) -> None:
    answers: list[str | None] = []
    async with app.run_test() as pilot:
        tour = TourScreen(["one hint"])
        app.push_screen(tour, answers.append)
        await pilot.pause()
        for key in ("f1", "f2", "escape", "enter"):
            tour.post_message(events.Key(key, None))
        await pilot.pause()
        assert answers == ["f1"] and len(app.screen_stack) == 1


async def test_a_key_pressed_again_before_its_screen_is_there_opens_one(app: CockpitApp) -> None:
    async with app.run_test() as pilot:
        await settled(app)
        for pane, name in (("findings", "view"), ("worktrees", "worktree-detail"), ("worktrees", "clean-worktrees")):
            app.do_pane(pane)
            for _ in range(3):
                app.action_do(name)
            await until(lambda: len(app.screen_stack) > 1, name)
            await pilot.pause(0.3)
            assert len(app.screen_stack) == 2, name
            await pilot.press("escape")
            assert len(app.screen_stack) == 1, name


async def test_what_is_typed_and_pasted_while_a_screen_opens_is_for_that_screen(app: CockpitApp) -> None:
    def typed(text: str) -> None:
        for letter in text:
            app.post_message(events.Key(NAMES.get(letter, letter), letter))

    async with app.run_test():
        await settled(app)
        app.do_pane("findings")
        typed("/bare-mock\r")
        await until(lambda: app.findings_pane.filters.text == "bare-mock", "the filter")
        typed("\x1bm/")
        app.post_message(events.Paste("view"))
        typed("s.py\r")
        await until(lambda: app.findings_pane.filters.text == "views.py", "the pasted filter")
        typed("?\x1b?\x1bj")
        await until(lambda: app.findings_pane.cursor == 1, "the key behind two screens that came and went")
        assert len(app.screen_stack) == 1 and app.findings_pane.filters.text == "views.py"


NAMES = {"/": "slash", "-": "minus", ".": "full_stop", "\r": "enter", "\x1b": "escape", "?": "question_mark"}
SCREENS = ("habits", "maps", "skills", "bench", "spend", "composer", "audit", "verify", "start_day", "end_day")


async def test_what_comes_for_a_screen_that_was_left_is_for_nobody(app: CockpitApp) -> None:
    async with app.run_test() as pilot:
        for name in SCREENS:
            getattr(app, f"do_{name}")()
            await until(lambda: len(app.screen_stack) == 2, name)
            await pilot.pause()
            screen: Any = app.screen
            await screen.dismiss(None)
            screen.fail("the answer came too late")
            assert len(app.screen_stack) == 1


async def test_a_page_key_before_the_first_command_is_drawn_ends_nothing(app: CockpitApp) -> None:
    async with app.run_test() as pilot:
        app.action_command_palette()
        palette = app.screen
        assert isinstance(palette, Palette)
        for key in ("down", "pagedown", "pageup", "up", "pagedown"):
            app.post_message(events.Key(key, None))
        await until(lambda: any(one.option_count > 20 for one in palette.query(CommandList)), "the commands")
        commands = palette.query_one(CommandList)
        await pilot.pause(0.5)  # the list is filled in batches
        commands.highlighted = 0
        await pilot.press("pagedown")
        first = commands.highlighted
        assert first and first >= commands.size.height // 2  # a line each
        await pilot.press("pagedown")
        assert commands.highlighted is not None and commands.highlighted > first
        await pilot.press("pageup", "pageup", "pageup")
        assert commands.highlighted == 0
        palette.dismiss()
        palette.dismiss()
        await until(lambda: len(app.screen_stack) == 1, "the panes")


async def test_a_screen_behind_another_takes_nothing_away(app: CockpitApp) -> None:
    answers: list[str | None] = []
    async with app.run_test() as pilot:
        behind = PickScreen("which?", [("a", line("A"))], hint="", empty="")
        app.push_screen(behind, answers.append)
        front = ConfirmScreen("sure?", [])
        app.push_screen(front)
        await pilot.pause()
        behind.dismiss(None)
        await pilot.pause()
        assert app.screen is front and answers == []
        await front.dismiss(False)
        await behind.dismiss("a")
        assert answers == ["a"] and len(app.screen_stack) == 1
