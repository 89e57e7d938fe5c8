"""The mouse: a drag picks text and copies it, a click on a hint presses its key, a second click is enter."""

import re

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from cockpit.app import CockpitApp
from cockpit.themes import NAMES
from cockpit.worktrees.models import WorktreesSnapshot
from tests.pilot.conftest import settled, until
from widgets.hints import keys_in
from widgets.line_view import LineView
from widgets.lines import plain
from widgets.screens.ask import AskScreen
from widgets.screens.habits import HabitsScreen
from widgets.screens.maps import MapsScreen
from widgets.screens.report import ReportScreen
from widgets.screens.spend import SpendScreen


async def drag(pilot: Pilot[int], view: LineView, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Move the mouse with its button down from one cell of the content to another, and let go."""
    left, top = view.gutter.left, view.gutter.top
    await pilot.mouse_down(view, offset=(start[0] + left, start[1] + top))
    for x, y in (start, (start[0] + 1, start[1]), end):
        await pilot._post_mouse_events([_moved()], view, offset=(x + left, y + top), button=1)
    await pilot.mouse_up(view, offset=(end[0] + left, end[1] + top))
    await pilot.pause()


def _moved() -> type:
    from textual.events import MouseMove

    return MouseMove


def at_hint(view: Widget, words: str) -> tuple[int, int]:
    """Where the words stand in the lower border of a widget."""
    row = view.region.bottom - 1
    strip = "".join(segment.text for segment in view.screen._compositor.render_strips()[row])
    return strip.index(words), row


async def test_a_drag_over_rows_copies_them(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(app)
        copied: list[str] = []
        app.copy_out = copied.append  # type: ignore[method-assign]
        view = app.findings_pane
        before = view.cursor
        first, second = view.text_at(1), view.text_at(2)
        rows = f"{first[6:].rstrip()}\n{second[:21].rstrip()}"
        await drag(pilot, view, (6, 1), (20, 2))
        dragged = list(copied), view.picked, view.cursor, len(app.screen_stack)
        await pilot.click(view, offset=(8, 4))

        assert dragged == ([rows], rows, before, 1)
        assert view.picked == "" and len(copied) == 1


async def test_a_drag_upwards_and_in_one_row_and_wide_characters(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(app)
        copied: list[str] = []
        app.copy_out = copied.append  # type: ignore[method-assign]
        await pilot.press("question_mark")
        view = app.screen.query_one("#report", LineView)
        await drag(pilot, view, (9, 3), (2, 3))
        assert copied == [view.text_at(3)[2:10].rstrip()]


async def test_a_marked_cell_is_shown_so_in_every_theme(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(app)
        view = app.findings_pane
        await drag(pilot, view, (0, 1), (20, 3))
        for name in NAMES:
            app.theme = name
            await pilot.pause()
            style = view.style_of("picked")
            assert style.reverse or style.bgcolor != view.style_of("text").bgcolor, name


async def test_hints_in_a_border_are_keys(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(app)
        await pilot.press("question_mark")
        report = app.screen
        await pilot.click(offset=at_hint(report.query_one("#report"), "esc close"))
        await until(lambda: len(app.screen_stack) == 1, "the panes")
        await pilot.press("c")
        screen = await _spend(app)
        before = screen.period
        await pilot.click(offset=at_hint(screen.query_one("#frame"), "p period"))

        assert isinstance(report, ReportScreen)
        await until(lambda: screen.period != before, "another period")


async def _spend(app: CockpitApp) -> SpendScreen:
    await until(lambda: isinstance(app.screen, SpendScreen) and app.screen.dashboard is not None, "the figures")
    screen = app.screen
    assert isinstance(screen, SpendScreen)
    return screen


def at_word(view: LineView, word: str) -> tuple[int, int]:
    """Where a word stands in a view, from its corner."""
    row = next(y for y in range(view.line_count()) if word in view.text_at(y))
    return view.text_at(row).index(word) + view.gutter.left, row + view.gutter.top


async def test_a_click_on_the_name_of_a_tab_shows_it(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(app)
        await pilot.press("c")
        spend = await _spend(app)
        head = spend.query_one("#spend-head", LineView)
        await pilot.click(head, offset=at_word(head, spend.names[2]))
        await until(lambda: spend.active == 2, "the third table")
        await pilot.press("escape", "H")
        await until(lambda: isinstance(app.screen, HabitsScreen) and app.screen.is_there, "habits")
        head = app.screen.query_one("#habits-head", LineView)
        await pilot.click(head, offset=at_word(head, "measures"))
        assert isinstance(app.screen, HabitsScreen) and app.screen.active == 1


async def test_a_click_on_the_name_of_a_map_shows_it(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(app)
        await pilot.press("M")
        await until(lambda: isinstance(app.screen, MapsScreen) and app.screen.is_there, "maps")
        head = app.screen.query_one("#maps-tabs", LineView)
        await pilot.click(head, offset=at_word(head, "decision trees"))
        assert isinstance(app.screen, MapsScreen) and app.screen.active == 2


async def test_a_key_in_the_last_line_and_in_a_sentence_is_pressed(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(app)
        bar = app.query_one("#keys", LineView)
        await pilot.click(bar, offset=(plain(bar.line_at(0, 120)).index("? help"), 0))
        await until(lambda: isinstance(app.screen, ReportScreen), "the help")
        report = app.screen.query_one("#report", LineView)
        row = next(y for y in range(report.line_count()) if "End day" in report.text_at(y))
        column = report.text_at(row).index("e ")
        await pilot.click(report, offset=(column + report.gutter.left, row + report.gutter.top))
        assert isinstance(app.screen, ReportScreen)  # `e` does nothing in the help


async def test_a_click_on_a_title_focuses_and_a_second_click_is_enter(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(app)
        pane = app.worktrees_pane
        await pilot.click(pane, offset=(4, 0))
        on_title = app.focused is pane, pane.cursor
        await pilot.click(pane, offset=(6, 2))
        on_row = pane.cursor, len(app.screen_stack)
        chosen = pane.current
        await pilot.click(pane, offset=(6, 2), times=2)
        await until(lambda: chosen is not None and str(app.watched) == chosen.path, "the other worktree")
        await pilot.click(app.budget_pane, offset=(6, 1), times=2)
        await until(lambda: isinstance(app.screen, SpendScreen), "the spend screen")

        assert on_title == (True, 0)
        assert on_row == (1, 1)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("enter merge · esc leave", ["enter", "escape"]),
        (
            "enter · / n N · [ ] · esc",
            ["enter", "slash", "n", "N", "left_square_bracket", "right_square_bracket", "escape"],
        ),
        ("enter a x space w esc", ["enter", "a", "x", "space", "w", "escape"]),
        ("tab to the map, then 1 a life 2 agents", ["tab", "1", "2"]),
        ("esc leaves; what is saved stays saved", ["escape"]),
        ("it comes to its end by itself", []),
    ],
)
def test_the_keys_of_a_hint(text: str, keys: list[str]) -> None:
    assert [key for *_, key in keys_in(text)] == keys
    assert all(start < end <= words <= len(text) for start, end, words, _ in keys_in(text))


async def test_at_forty_columns_the_tabs_fit_and_the_last_one_can_be_clicked(app: CockpitApp) -> None:
    async with app.run_test(size=(40, 12)) as pilot:
        await settled(app)
        tabs = app.query_one("#tabs", LineView)
        said = tabs.text_at(0).rstrip()
        assert "…" not in said and re.search(r"✖\d+ !\d+$", said)
        await pilot.click(tabs, offset=(said.index("2 $"), 0))
        assert app.panes.active == "budget"
        await pilot.click(tabs, offset=(len(said) - 1, 0))
        assert app.panes.active == "findings"


async def test_a_lone_worktree_tells_the_key_that_adds_one_where_it_does_and_it_can_be_clicked(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(app)
        app.workers.cancel_all()
        pane = app.worktrees_pane
        pane.show(WorktreesSnapshot(worktrees=app.trees.worktrees[:1]), str(app.watched))
        await pilot.pause()
        assert pane.border_subtitle is None  # the findings have the focus: there n is another key
        await pilot.press("1")
        await until(lambda: pane.border_subtitle is not None, "the hint")
        await pilot.click(offset=at_hint(pane, "n adds one"))
        await until(lambda: isinstance(app.screen, AskScreen), "the question")
