"""The spend screen on the demo repository: the figures of `cockpit spend`, every table, every size."""

import csv
import json
from pathlib import Path

import pytest
from textual.widgets import Input, Label

from cockpit.app import CockpitApp
from cockpit.cli import main
from cockpit.config import load_config
from cockpit.demo import Demo
from cockpit.paths import tour_file
from cockpit.spend.models import SpendSnapshot
from tests.pilot.conftest import settled, until
from widgets.lines import plain
from widgets.screens.ask import AskScreen
from widgets.screens.spend import CostList, SpendScreen


def screen_of(app: CockpitApp) -> SpendScreen:
    assert isinstance(app.screen, SpendScreen)
    return app.screen


async def opened(app: CockpitApp) -> SpendScreen:
    await until(lambda: isinstance(app.screen, SpendScreen) and app.screen.dashboard is not None, "the figures")
    return screen_of(app)


def text_of(app: CockpitApp) -> str:
    lines: list[str] = []
    for name in ("head", "rows", "total", "foot"):
        view = app.screen.query_one(f"#spend-{name}")
        width = view.scrollable_content_region.width
        if view.display:
            lines += [plain(view.line_at(y, width)) for y in range(view.line_count())]  # type: ignore[attr-defined]
    return "\n".join(lines)


async def test_every_table_sums_to_what_the_command_says(
    app: CockpitApp, demo: Demo, capsys: pytest.CaptureFixture[str]
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("c")
        screen = await opened(app)
        board = screen.dashboard
        assert board is not None and board.total.usd > 0
        assert round(sum(board.hours), 6) == board.total.usd
        assert round(sum(amount.usd for _, amount in board.daily), 4) == round(board.total.usd, 4)
        assert f"${board.total.usd:,.2f}" in text_of(app)
    for table in board.tables:
        if table.by:
            words = ["--repo", str(demo.root), "spend", "--by", table.by, *board.options.split(), "--json"]
            assert main(words) == 0
            told = json.loads(capsys.readouterr().out)
            assert told["total"]["usd"] == board.total.usd
            if not table.note:
                assert [(row["key"], row["usd"]) for row in told["rows"]] == [
                    (cost.row.key, cost.row.usd) for cost in table.rows
                ]


async def test_the_windows_are_those_of_the_pane(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        await pilot.press("c")
        screen = await opened(app)
        assert screen.dashboard is not None
        shown = [(window.window, window.spent, window.level) for window in screen.dashboard.windows]
        assert shown == [(window.window, window.spent, window.level) for window in app.spend.windows]
        assert "by month's end" in text_of(app) and "85 % warn" in text_of(app)


async def test_tables_are_chosen_by_digits_and_turned_with_tab_and_arrows(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("c")
        screen = await opened(app)
        seen = []
        for _ in screen.names:
            seen.append(screen.table.name if screen.table else "trends")
            await pilot.press("tab")
        assert seen == screen.names and screen.active == 0
        await pilot.press("left")
        assert screen.table is None and "last by now" in text_of(app)
        await pilot.press("3")
        assert "feature/api" in text_of(app) and screen.query_one(CostList).cursor == 0
        await pilot.press("9")
        assert "░" in text_of(app) or "█" in text_of(app)
        await pilot.press("0", "G")
        rows = screen.query_one(CostList)
        assert rows.cursor == len(rows.items) - 1 > 5


async def test_the_period_goes_round_and_its_figures_follow(app: CockpitApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c")
        screen = await opened(app)
        totals = {}
        for _ in range(5):
            await until(lambda: bool(screen.dashboard) and screen.dashboard.period == screen.period, "the period")  # type: ignore[union-attr]
            assert screen.dashboard is not None
            totals[screen.period] = screen.dashboard.total.usd
            await pilot.press("p")
        assert totals["today"] < totals["week"] < totals["month"] <= totals["30 days"] <= totals["all"]
        windows = {window.window: window.spent for window in screen.dashboard.windows}  # type: ignore[union-attr]
        assert (totals["today"], totals["week"], totals["month"]) == (windows["day"], windows["week"], windows["month"])


async def test_x_writes_csv_and_json_where_it_is_told_to(app: CockpitApp, tmp_path: Path) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c")
        screen = await opened(app)
        await pilot.press("x")
        await until(lambda: isinstance(app.screen, AskScreen), "the question")
        app.screen.query_one(Input).value = str(tmp_path / "costs")
        await pilot.press("enter")
        target = tmp_path / "costs" / "spend.json"
        await until(target.is_file, "the files")
        board = screen.dashboard
        assert board is not None
        assert json.loads(target.read_text())["total"]["usd"] == board.total.usd
        await until((tmp_path / "costs" / "mtd.json").is_file, "the files of days")
        month = json.loads((tmp_path / "costs" / "mtd.json").read_text())
        assert round(month["total"], 4) == round(next(one.spent for one in board.windows if one.window == "month"), 4)
        with (tmp_path / "costs" / "spend-by-model.csv").open() as stream:
            rows = list(csv.DictReader(stream))
        assert round(sum(float(row["usd"]) for row in rows), 6) == board.total.usd


async def test_a_budget_is_set_in_the_app_as_by_the_command(app: CockpitApp, own_home: Path) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(app)
        await pilot.press("2", "b")
        await until(lambda: isinstance(app.screen, AskScreen), "the question")
        note, field = app.screen.query_one("#note", Label), app.screen.query_one(Input)
        assert field.value == "day 5 --hard 7.5"
        assert str(note.content).endswith("config.toml: [budget.day] soft = 5.0, hard = 7.5")
        field.value = "day 9"
        await pilot.press("enter")
        assert "$7.5, is below $9; give --hard" in str(note.content) and note.has_class("-wrong")
        field.value = "day 9 --hard 12"
        await pilot.press("enter")
        await until(lambda: app.spend.windows[0].soft == 9, "the pane's budget")
        app.show_spend(SpendSnapshot(scope=app.spend.scope, loading=0.5))
        assert app.spend.windows[0].soft == 9  # what is read anew stands there until it was
        written = (own_home / "config" / "config.toml").read_text()
        await pilot.press("c")
        screen = await opened(app)
        await pilot.press("b")
        await until(lambda: isinstance(app.screen, AskScreen), "the question")
        app.screen.query_one(Input).value = "week $40 --hard 50 --block"
        await pilot.press("enter")
        await until(lambda: bool(screen.dashboard) and screen.dashboard.windows[1].soft == 40, "the screen's budget")  # type: ignore[union-attr]
    assert written == "[budget.day]\nhard = 12.0\nsoft = 9.0\n"
    assert main(["budget", "set", "day", "9", "--hard", "12"]) == 0
    assert (own_home / "config" / "config.toml").read_text().startswith(written)
    assert load_config(None).budget.block_on_limit


async def test_a_budget_that_the_project_overrules_says_so(app: CockpitApp, demo: Demo) -> None:
    (demo.root / "cockpit.toml").write_text("[budget.month]\nsoft = 3\nhard = 4\n")
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await settled(app)
        await pilot.press("2", "b")
        await until(lambda: isinstance(app.screen, AskScreen), "the question")
        app.screen.query_one(Input).value = "month 200 --hard 300"
        await pilot.press("enter")
        await until(lambda: any("configuration says month 3 --hard 4" in one.text for one in app._standing), "why not")


@pytest.mark.parametrize("key", ["c", "escape", "q"])
async def test_the_screen_closes(app: CockpitApp, key: str) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c")
        await opened(app)
        await pilot.press(key)
        await until(lambda: not isinstance(app.screen, SpendScreen), "the panes")


@pytest.mark.parametrize("size", [(24, 6), (40, 12), (60, 20), (80, 24), (120, 36), (200, 50)])
async def test_every_size_has_windows_tabs_rows_and_the_total(app: CockpitApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=size) as pilot:
        await pilot.press("c")
        screen = await opened(app)
        for _ in screen.names:
            await pilot.pause()
            rows = screen.query_one(CostList)
            assert rows.size.height >= 1
            assert rows.region.bottom <= size[1]
            foot = screen.query_one("#spend-foot")
            assert not foot.display or foot.region.bottom <= size[1]
            await pilot.press("tab")
        if size[1] >= 12:
            assert "$4.26 of $5" in text_of(app) and "total" in text_of(app) and "today" in text_of(app)


async def test_without_usage_it_says_what_is_missing(
    app: CockpitApp, demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "nothing"))
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(tmp_path / "state"))
    tour_file().parent.mkdir()
    tour_file().write_text("seen\n")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c")
        await opened(app)
        assert "No transcripts were found" in text_of(app) and "cockpit doctor" in text_of(app)


@pytest.mark.parametrize(
    ("key", "shown", "left_out"), [("3", ["4 feature", "1 model"], "3 branch"), ("1", ["3 branch"], "1 model")]
)
async def test_a_large_screen_shows_the_beginnings_of_the_other_tables(
    app: CockpitApp, key: str, shown: list[str], left_out: str
) -> None:
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.press("c")
        screen = await opened(app)

        await pilot.press(key)

        gap = screen.query_one("#spend-gap")
        told = "\n".join(plain(gap.line_at(y, 195)) for y in range(gap.line_count()))  # type: ignore[attr-defined]
        assert all(word in told for word in shown) and left_out not in told


async def test_the_foot_of_a_small_screen_is_in_sight_after_a_large_one(app: CockpitApp) -> None:
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.press("c")
        screen = await opened(app)
        await pilot.press("1")

        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert screen.query_one("#spend-foot").region.bottom <= 24
