"""Keys that are typed faster than screens come and go."""

from textual import events

from cockpit.app import CockpitApp
from widgets.lines import line
from widgets.screens.confirm import ConfirmScreen
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
