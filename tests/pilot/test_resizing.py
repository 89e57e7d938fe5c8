"""What is built for a width fits into it: after another size, in a report, at the foot of a pane."""

from dataclasses import replace
from datetime import UTC, datetime

from cockpit.app import CockpitApp
from tests.pilot.conftest import settled, text_of, until
from widgets.bars import KeyBar
from widgets.line_view import LineView
from widgets.lines import plain
from widgets.screens.attention import AttentionScreen
from widgets.screens.listing import WrappedLines
from widgets.screens.report import ReportScreen
from widgets.virtual_list import VirtualList


async def test_the_frame_that_comes_with_more_room_costs_no_words(app: CockpitApp) -> None:
    """Panes have no sides in a narrow terminal: when they get them, what they show is made that much shorter."""
    async with app.run_test(size=(120, 34)) as pilot:
        await settled(app)
        await pilot.pause()
        before = {name: text_of(app, name) for name in ("budget", "phase")}
        await pilot.resize_terminal(40, 24)
        await pilot.pause()
        await pilot.resize_terminal(120, 34)
        await pilot.pause()
        for name, text in before.items():
            assert text_of(app, name) == text


async def test_a_rule_is_told_in_lines_that_are_not_broken_twice(app: CockpitApp) -> None:
    """What was made for the report's own width fits into it, bar or not."""
    async with app.run_test(size=(120, 34)) as pilot:
        await settled(app)
        await pilot.press("4", "g", "space")
        await until(lambda: isinstance(app.screen, ReportScreen), "the code and the rule")
        view = app.screen.query_one(WrappedLines)
        rows = [plain(view.line_at(y, 115)) for y in range(view.line_count())]
        assert any("Where it does not cover" in row for row in rows)
        assert not any(row.strip() == "model," for row in rows)


async def test_what_an_empty_list_says_is_read_whole(app: CockpitApp) -> None:
    async with app.run_test(size=(40, 16)) as pilot:
        await settled(app)
        app.workers.cancel_all()
        await app.push_screen(AttentionScreen((), datetime.now(UTC)))
        view = app.screen.query_one(VirtualList)

        def said() -> list[str]:
            width = view.scrollable_content_region.width
            return [plain(view.line_at(y, width)) for y in range(view.line_count())]

        await until(lambda: len(said()) == 3, "the sentence in two lines")
        assert not any("…" in row for row in said()) and said()[-1].endswith("a second.")
        await pilot.resize_terminal(120, 16)
        await until(lambda: len(said()) == 2, "the sentence in one line")


async def test_what_is_wrong_with_the_ledger_is_read_before_the_picture_of_the_days(app: CockpitApp) -> None:
    async with app.run_test(size=(100, 34)) as pilot:
        await settled(app)
        app.workers.cancel_all()
        app.show_spend(replace(app.spend, note="the state folder cannot be written (No space left)"))
        await pilot.pause()
        assert str(app.budget_pane.border_subtitle).startswith("the state folder cannot be written")


async def test_keys_are_offered_only_where_there_is_something_that_they_are_about(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 34)) as pilot:
        await settled(app)
        bar = app.query_one(KeyBar)
        assert "space code" in plain(bar.line_at(0, 120))
        await pilot.press("4", "slash", *"zzz", "enter")
        await until(lambda: not app.findings_pane.items, "nothing that matches")
        assert "space code" not in plain(bar.line_at(0, 120)) and "start day" in plain(bar.line_at(0, 120))


async def test_the_key_to_who_waits_is_offered_while_somebody_does(app: CockpitApp) -> None:
    async with app.run_test(size=(160, 40)) as pilot:
        await settled(app)
        bar = app.query_one(KeyBar)
        await pilot.press("3")
        await until(lambda: "next waiting" in plain(bar.line_at(0, 160)), "who waits")
        assert "l next" in plain(bar.line_at(0, 160))
        app.workers.cancel_all()
        app.trees = replace(app.trees, worktrees=tuple(replace(tree, agent=None) for tree in app.trees.worktrees))
        app.phase_pane.show(app.phase_pane.sessions[:1])
        app.show_keys()
        offered = plain(bar.line_at(0, 160))
        assert "waiting" not in offered and "l next" not in offered and "transcript" in offered
        await pilot.resize_terminal(160, 16)
        await until(lambda: "z zoom" not in plain(bar.line_at(0, 160)), "one pane, alone as it is")


async def test_the_share_of_p1_stands_once_after_the_frame_came_back(app: CockpitApp) -> None:
    async with app.run_test(size=(40, 16)) as pilot:
        await settled(app)
        pane = app.findings_pane
        assert "P1" in str(pane.border_title)
        assert "$4.26 today" in app.query_one("#top", LineView).text_at(0)  # without the week, which has no room
        await pilot.resize_terminal(160, 44)
        await until(lambda: "P1 holds" not in str(pane.border_title), "the title of a frame")
        assert "P1 holds" in str(pane.border_subtitle)
