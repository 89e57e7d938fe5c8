"""The spend screen's lines: plots and tables keep to their width, say what is not known, and never take markup."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.spend.dashboard_models import Cost, CostTable, SpendDashboard, Trend
from cockpit.spend.models import Billed, BudgetWindow, SpendRow, Tokens
from skills.spending.amount import Amount
from widgets.lines import plain, width_of
from widgets.spend_lines import (
    change,
    cost_row,
    dollars,
    empty_lines,
    layout_of,
    notes,
    projection,
    tab_line,
    table_head,
    warnings,
    window_lines,
)
from widgets.spend_more import more_lines
from widgets.spend_plot import axis_label, day_plot, heat_line, nice_top

DAYS = [((date(2026, 11, 20) - timedelta(days=back)).isoformat(), float(back % 7)) for back in reversed(range(30))]
amounts = st.floats(0, 1e6, allow_nan=False)


def row(key: str, usd: float, *, unpriced: int = 0, floor: bool = False, billed: Billed | None = None) -> SpendRow:
    return SpendRow(key, 3, Tokens(100, 200, 300, 0, 4_000), usd, "computed", unpriced, floor, billed)


def table(*rows: SpendRow, name: str = "branch", unattributed: Amount | None = None) -> CostTable:
    total = row("total", sum(each.usd for each in rows), unpriced=sum(each.unpriced_tokens for each in rows))
    return CostTable(name, name, tuple(Cost(each) for each in rows), total, unattributed)


def board(total: SpendRow, **changes: object) -> SpendDashboard:
    window = BudgetWindow(
        "month", 60.0, 100.0, 150.0, 60.0, "info", 90.0, datetime(2026, 11, 28, tzinfo=UTC), floor=True
    )
    day = BudgetWindow("day", 4.0, 5.0, 7.5, 80.0, "warn")
    known: dict[str, object] = {
        "scope": "app",
        "at": datetime(2026, 11, 20, 14, tzinfo=UTC),
        "period": "30 days",
        "options": " --since 2026-10-22 --until 2026-11-20",
        "windows": (day, window),
        "month_range": (80.0, 110.0),
        "burns_too_fast": True,
        "daily": tuple((label, Amount(usd, usd > 3)) for label, usd in DAYS),
        "tables": (),
        "total": total,
        "hours": (0.0,) * 24,
        "trends": (),
        "trend_total": Trend("total", Amount(0.0), Amount(0.0), Amount(0.0)),
        "ever": True,
        "agents": ("claude",),
        "files": 2,
    }
    return SpendDashboard(**{**known, **changes})  # type: ignore[arg-type]


@given(amounts)
def test_the_top_of_an_axis_is_round_and_not_below(value: float) -> None:
    top = nice_top(value)
    assert top >= value * (1 - 1e-6) and top <= max(0.01, value * 2.01)


@pytest.mark.parametrize(
    ("value", "top"),
    [
        (0.0, 0.01),
        (0.9, 1),
        (1, 1),
        (1.5, 2),
        (2.1, 3),
        (3.1, 4),
        (4.5, 6),
        (6.1, 8),
        (8.1, 10),
        (25, 30),
        (0.07, 0.08),
    ],
)
def test_the_top_of_an_axis_is_the_least_step(value: float, top: float) -> None:
    assert nice_top(value) == top


def test_axis_labels_have_cents_only_where_they_matter() -> None:
    assert [axis_label(value) for value in (6.0, 0.5, 2_000.0)] == ["$6", "$0.50", "$2,000"]


@given(st.lists(amounts, min_size=1, max_size=40), st.integers(20, 200), st.integers(2, 12))
def test_a_plot_keeps_to_its_cells(values: list[float], width: int, height: int) -> None:
    days = [(f"2026-10-{place % 28 + 1:02d}", usd) for place, usd in enumerate(values)]
    lines = day_plot(days, width, height, 5.0, 10.0)
    assert len(lines) == height
    assert all(width_of(each) <= max(width, 20) for each in lines)


@pytest.mark.parametrize(("width", "bar"), [(36, 1), (40, 1), (64, 1), (100, 2), (190, 5)])
def test_thirty_days_fit_from_36_cells_on(width: int, bar: int) -> None:
    days = [(label, 4.0) for label, _ in DAYS]
    lowest = plain(day_plot(days, width, 6)[-2])
    assert lowest.count("█") == 30 * bar
    assert plain(day_plot(days, width, 6)[-1]).rstrip().endswith("today")


def test_a_bar_is_as_high_as_its_day_in_eighths_of_a_row() -> None:
    days = [("2026-11-17", 8.0), ("2026-11-18", 4.0), ("2026-11-19", 4.5), ("2026-11-20", 2.0)]
    assert [plain(each).rstrip() for each in day_plot(days, 20, 3)[:2]] == [
        "$8 ███     ▁▁▁",
        "   ███ ███ ███ ▄▄▄",
    ]


def test_a_day_past_its_budget_has_the_token_of_its_level() -> None:
    days = [("2026-11-17", 1.0), ("2026-11-18", 6.0), ("2026-11-19", 9.0), ("2026-11-20", 0.0)]
    tokens = [token for text, token in day_plot(days, 40, 3, 5.0, 7.5)[-2] if text.strip()]
    assert tokens == ["accent", "warn", "bad", "faint"]


def test_the_least_cost_is_seen_and_none_is_a_dot() -> None:
    lowest = plain(day_plot([("2026-11-18", 1000.0), ("2026-11-19", 0.01), ("2026-11-20", 0.0)], 40, 5)[-2])
    assert "▁" in lowest and "·" in lowest


@given(st.lists(amounts, min_size=24, max_size=24), st.integers(26, 200))
def test_the_heat_line_names_the_hours_under_their_cells(hours: list[float], width: int) -> None:
    heat, names = heat_line(hours, width)
    assert width_of(heat) == width_of(names) <= width
    slot = (width_of(heat) - 1) // 24
    assert plain(names)[18 * slot + 1 :].startswith("18")
    assert all((plain(heat)[place * slot + 1] == "·") == (usd <= 0) for place, usd in enumerate(hours))


@given(st.integers(0, 10), st.integers(12, 200))
def test_tabs_keep_to_the_width_and_show_the_active_one(active: int, width: int) -> None:
    names = ["model", "agent", "branch", "feature", "session", "commit", "category", "task", "hour", "top", "trends"]
    tabs = tab_line(names, active, width)
    assert names[active] in plain(tabs)
    assert width_of(tabs) <= max(width, len(names[active]) + 6)
    assert [text for text, token in tabs if token == "accent"][-1] == names[active]


@given(st.lists(st.tuples(st.text(max_size=50), amounts), min_size=1, max_size=8), st.integers(20, 220))
def test_rows_head_and_total_stand_in_the_same_columns(parts: list[tuple[str, float]], width: int) -> None:
    shown = table(*(row(name, usd) for name, usd in parts))
    layout = layout_of(shown, width)
    lines = [cost_row(shown, cost, layout, width) for cost in shown.rows] + [cost_row(shown, None, layout, width)]
    ends = set()
    for each in lines:
        assert width_of(each) <= width
        place = next((n for n, (_, token) in enumerate(each) if token == "strong"), None)
        if place is not None and width >= 40:
            ends.add(width_of(each[: place + 1]))
    assert len(ends) <= 1
    assert width_of(table_head(shown, layout, width)) <= width


def test_what_has_no_price_is_never_zero_dollars() -> None:
    assert dollars(row("local", 0.0, unpriced=4_600)) == ("unpriced", "bad")
    assert dollars(row("mixed", 2.0, unpriced=10))[0] == "≥ $2.00"
    assert dollars(row("open", 2.0, floor=True))[0] == "≥ $2.00"
    shown = table(row("main", 2.0), row("local", 0.0, unpriced=4_600))
    for width in (36, 60, 120):
        assert "unpriced" in plain(cost_row(shown, shown.rows[1], layout_of(shown, width), width))


def test_billed_stands_beside_computed_where_it_is_known() -> None:
    shown = table(row("s1", 2.0, billed=Billed(1.5, 1, 1)), row("s2", 1.0, billed=Billed(0.5, 1, 2)), name="agent")
    text = plain(cost_row(shown, shown.rows[0], layout_of(shown, 120), 120))
    assert "$1.50" in text and "computed" in text and "$2.00" in text and "67 %" in text
    assert "$0.50 1/2" in plain(cost_row(shown, shown.rows[1], layout_of(shown, 120), 120))


def test_names_from_outside_are_cleaned_and_kept_as_text() -> None:
    shown = table(row("\x1b[31m[bold]evil\u202e", 1.0))
    text = plain(cost_row(shown, shown.rows[0], layout_of(shown, 80), 80))
    assert "[bold]evil" in text and "\x1b" not in text and "\u202e" not in text


def test_notes_tell_billed_unattributed_and_the_command() -> None:
    shown = table(row("main", 9.0), row("unattributed", 1.0), unattributed=Amount(1.0))
    dash = board(row("total", 10.0, billed=Billed(8.0, 1, 2)))
    told = "\n".join(plain(each) for each in notes(dash, shown, 200))
    assert "billed $8.00 in 1 of 2 sessions" in told and "$1.00 unattributed (10.0 %)" in told
    assert "= cockpit spend --by branch --since 2026-10-22 --until 2026-11-20" in told
    narrow = [plain(each) for each in notes(dash, shown, 36)]
    assert max(map(len, narrow)) <= 36 and "…" not in "".join(narrow)  # what does not fit is left out whole


def test_warnings_come_loudest_first() -> None:
    dash = board(row("total", 10.0, unpriced=4_600, floor=True), unpriced=("qwen",), unread=("claude: x",), notice="!")
    told = warnings(dash)
    assert [each[0][1] for each in told] == ["bad", "warn", "warn", "warn"]
    assert "4.6K tokens of qwen" in plain(told[0]) and plain(told[1]).startswith("≥")


def test_windows_give_way_and_the_floor_is_marked() -> None:
    dash = board(row("total", 1.0))
    assert [plain(each)[:5].strip() for each in window_lines(dash, 38, 3)] == ["day", "month", "→ $90"]
    assert "≥ $60.00" in plain(window_lines(dash, 38, 3)[1]) and "info" in plain(window_lines(dash, 38, 3)[1])
    text = plain(projection(dash, 200))
    assert "$80–$110" in text and "past the budget on" in text and "burns too fast" in text
    assert plain(projection(dash, 30)) == "→ $90 by month's end"
    assert len(window_lines(dash, 120, 1)) == 1


def test_a_limit_and_its_level_are_apart_where_it_is_narrow() -> None:
    month = BudgetWindow("month", 102.7, 100.0, 150.0, 102.7, "exceeded", floor=True)
    assert (
        plain(window_lines(board(row("total", 1.0), windows=(month,)), 35, 2)[0])
        == "month   ≥ $102.70 of $100 103% over"
    )
    unused = board(row("total", 0.0), windows=(BudgetWindow("month", 0.0, 100.0, 150.0, 0.0, "ok", 0.0),))
    assert plain(projection(unused, 60)) == "→ nothing was spent this month"


@pytest.mark.parametrize(
    ("trend", "word"),
    [
        (Trend("m", Amount(3.0), Amount(2.0), Amount(4.0)), "+50 %"),
        (Trend("m", Amount(1.0), Amount(2.0), Amount(4.0)), "−50 %"),
        (Trend("m", Amount(2.0), Amount(2.0), Amount(4.0)), "same"),
        (Trend("m", Amount(2.0), Amount(0.0), Amount(0.0)), "new"),
        (Trend("m", Amount(2.0), Amount(0.0), Amount(4.0)), "–"),
    ],
)
def test_changes_are_against_the_same_part_of_last_week(trend: Trend, word: str) -> None:
    assert change(trend)[0] == word


def test_nothing_to_show_says_what_to_do() -> None:
    nothing = row("total", 0.0)
    told = [
        "\n".join(map(plain, empty_lines(board(nothing, **changes))))
        for changes in ({"ever": True}, {"ever": False}, {"ever": False, "agents": ()})
    ]
    assert "{spend-period} shows another period" in told[0]
    assert "No usage in app yet" in told[1] and "cockpit doctor" in told[1]
    assert "No transcripts" in told[2]


def test_days_without_costs_have_no_axis_that_says_the_same_twice() -> None:
    text = "\n".join(plain(row) for row in day_plot([("2026-11-19", 0.0), ("2026-11-20", 0.0)], 40, 9))
    assert text.count("$0.01") == 1


@given(
    st.integers(0, 9), st.integers(20, 220), st.integers(0, 40), st.lists(st.integers(0, 30), min_size=1, max_size=10)
)
def test_what_stands_below_a_short_table_keeps_to_its_room(
    active: int, width: int, room: int, sizes: list[int]
) -> None:
    tables = tuple(
        table(*(row(f"name-{each}", 1.0) for each in range(size)), name=f"t{place}") for place, size in enumerate(sizes)
    )
    lines = more_lines(board(row("total", 9.0), tables=tables), active, width, room)
    assert len(lines) <= room and all(width_of(each) <= width for each in lines)


def test_the_other_tables_begin_below_a_short_one_with_their_keys() -> None:
    models = table(row("opus", 3.0), row("sonnet", 1.0), name="model")
    branches = table(row("main", 3.5), row("[/x]", 0.5), name="branch")
    days = table(*(row(f"day-{number}", 0.5) for number in range(8)), name="day")
    lines = more_lines(board(row("total", 4.0), tables=(models, branches, days)), 1, 120, 6)
    assert [" ".join(plain(each).split()) for each in lines] == [
        "",
        "3 day · 4 of 8 1 model",
        "day-0 $0.50 12 % opus $3.00 75 %",
        "day-1 $0.50 12 % sonnet $1.00 25 %",
        "day-2 $0.50 12 %",
        "day-3 $0.50 12 %",
    ]


def test_a_narrow_foot_says_less_and_cuts_nothing() -> None:
    shown = board(row("total", 66.0, floor=True, billed=Billed(66.23, 17, 34)))
    for width in (35, 60):
        rows = [*warnings(shown, width), *notes(shown, None, width)][:2]
        assert all(width_of(each) <= width and "…" not in plain(each) for each in rows)
    assert plain(warnings(shown, 60)[0]).endswith("the truth is higher")
