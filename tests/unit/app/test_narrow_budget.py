"""A narrow budget pane: levels, figures and their words stay whole, what is calm gives way."""

from dataclasses import replace

import pytest
from msgspec import structs

from cockpit.agents.models import ContextUse, Session
from cockpit.findings.models import FindingsSnapshot, GateResult
from cockpit.spend.dashboard_models import Cost, CostTable
from cockpit.spend.models import BudgetWindow, Level, SpendRow, SpendSnapshot, Tokens
from tests.unit.agents.test_attention import session
from tests.unit.agents.test_watch import finding
from tests.unit.spend.test_spend_screen_lines import row
from widgets.budget_pane import (
    budget_lines,
    context_row,
    level_in,
    level_of_tightest,
    model_split,
    outlook,
    short_models,
    window_row,
)
from widgets.finding_lines import worst
from widgets.lines import fit, plain
from widgets.spend_lines import name_of


@pytest.mark.parametrize("width", [38, 44, 45, 60])
def test_the_level_is_never_cut(width: int) -> None:
    window = BudgetWindow("month", 62.44, 100.0, 150.0, 62.4, "info")
    told = plain(fit(window_row(window, width), width))
    far = plain(fit(window_row(replace(window, percent=1340.2, level="exceeded"), width), width))
    assert "$62.44 of $100" in told and told.endswith("62 % info")
    assert far.endswith("13 × exceeded")


@pytest.mark.parametrize("width", [38, 44, 45, 60])
def test_the_level_of_a_context_is_never_cut(width: int) -> None:
    one = replace(session("a", "busy", 1), context=ContextUse(156_000, 200_000, 78.0, "warn", "its model"))
    told = plain(fit(context_row(one, width), width))
    assert "156K of 200K" in told and told.endswith("78 % warn")
    assert told.startswith(("fix/log… ", "fix/login "))


def test_the_tab_tells_the_budget_that_most_is_spent_of() -> None:
    day = BudgetWindow("day", 0.0, 5.0, None, 0.0, "ok")
    month = BudgetWindow("month", 1340.2, 100.0, None, 1340.2, "exceeded")
    assert level_of_tightest(SpendSnapshot(windows=(day, month)))[0] == "13×"
    assert level_of_tightest(SpendSnapshot(windows=(day,))) == ("0%", "good")
    assert level_of_tightest(SpendSnapshot()) == ("", "muted")


@pytest.mark.parametrize("width", [38, 60])
def test_a_hard_limit_alone_is_a_budget(width: int) -> None:
    told = plain(fit(window_row(BudgetWindow("day", 4.5, None, 7.5, 60.0, "info"), width), width))
    assert " of $7.50" in told and "60" in told and told.rstrip().endswith("info")


@pytest.mark.parametrize("width", [38, 45, 60])
@pytest.mark.parametrize("floor", [False, True])
@pytest.mark.parametrize("spent", [8.96, 180.05, 999.99, 1_234.5, 12_345.6, 123_456.7])
def test_dollars_are_never_cut(spent: float, floor: bool, width: int) -> None:
    window = BudgetWindow("month", spent, 100.0, None, spent, "exceeded", floor=floor)
    told = plain(fit(window_row(window, width), width))
    figures = told.partition(" of $100")[0].removeprefix("month").strip()
    assert "…" not in figures and figures.startswith("≥ $" if floor else "$") and " of $100" in told
    shown = figures.removeprefix("≥ ").removeprefix("$").replace(",", "")
    number = float(shown.removesuffix("K")) * (1000 if shown.endswith("K") else 1)
    assert number <= spent and spent - number < max(1.0, spent * 0.06 if shown.endswith("K") else 1.0)


def test_a_low_pane_shows_what_presses_and_leaves_out_what_is_calm() -> None:
    today = row("today", 9.0)
    levels: dict[str, tuple[Level, float]] = {"ok": ("ok", 20.0), "info": ("info", 60.0), "over": ("exceeded", 180.0)}

    def names(height: int, told: str, *live: Session) -> list[str]:
        windows = tuple(
            BudgetWindow(name, 9.0, 5.0, None, levels[word][1], levels[word][0])
            for name, word in zip(("day", "week", "month"), told.split(), strict=True)
        )
        known = SpendSnapshot(today=today, month=today, windows=windows, by_model=(row("claude-opus-4-7", 9.0),))
        return [plain(one).split()[0] for one in budget_lines(known, live, 100, height)]

    assert names(4, "ok ok ok") == ["day", "week", "month", "opus-4-7"]
    assert names(3, "ok ok ok") == ["day", "month", "opus-4-7"]
    assert names(3, "over over ok") == ["day", "week", "opus-4-7"]  # a week that is exceeded is no line below
    assert names(3, "ok over info") == ["week", "month", "opus-4-7"]
    assert names(3, "over over over") == ["day", "week", "month", "opus-4-7"]
    busy = replace(session("a", "busy", 1), context=ContextUse(20_000, 200_000, 10.0, "safe", "its model"))
    full = replace(busy, session="b", context=ContextUse(178_000, 200_000, 89.0, "alert", "its model"))
    assert names(4, "ok ok ok", busy) == ["day", "month", "fix/login", "opus-4-7"]
    assert names(3, "ok ok ok", busy) == ["day", "month", "opus-4-7", "fix/login"]  # a line below: never left out
    free = replace(busy, session="c", branch="main")
    assert names(4, "ok ok ok", free, full) == ["day", "month", "fix/login", "opus-4-7", "main"]  # the fuller one first
    assert names(3, "ok ok ok", busy, full) == ["day", "month", "fix/login", "opus-4-7", "fix/login"]
    rows = budget_lines(SpendSnapshot(today=today, month=today), (busy, full), 100, 1)
    assert "89 % alert" in plain(rows[0]) and "10 % safe" in plain(rows[-1])


@pytest.mark.parametrize(("level", "percent"), [("exceeded", 124.0), ("critical", 96.0), ("blocked", 160.0)])
def test_forty_columns_say_a_level_whole(level: Level, percent: float) -> None:
    window = BudgetWindow("week", 27.97, 25.0, None, percent, level, floor=True)
    pane = plain(fit(window_row(window, 38), 38))
    assert pane.endswith(level) and "…" not in pane
    assert level_in(percent, level, 10) in (f"{percent:.0f} % over", f"{percent:.0f} % crit", f"{percent:.0f}% {level}")


def test_models_of_one_short_name_are_told_apart() -> None:
    assert short_models(["claude-opus-4-5-20251101", "gpt-5"]) == ["opus-4-5", "gpt-5"]
    two = [row("claude-sonnet-4-5-20250929", 2.0), row("claude-sonnet-4-5", 1.0)]
    assert plain(model_split(two, 60)) == "sonnet-4-5-20250929 67 %  sonnet-4-5 33 %"
    assert plain(model_split(two, 38)) == "sonnet-4-5-20250929 67 %"  # whole, or not at all
    table = CostTable("model", "model", tuple(Cost(each) for each in two), row("all", 3.0))
    assert [name_of(table, cost) for cost in table.rows] == ["sonnet-4-5-20250929", "sonnet-4-5"]


def test_what_is_not_in_the_dollars_is_said_before_calm_sessions() -> None:
    today = row("today", 9.0)
    live = [
        replace(session(name, "idle", 1), context=ContextUse(9, 200_000, 1.0, "safe", "its model")) for name in "abcd"
    ]
    told = budget_lines(SpendSnapshot(today=today, month=today, unread=("claude: x",)), live, 60, 3)
    assert "! claude: x" in [plain(each) for each in told[:3]]


def test_a_tab_cuts_no_figure() -> None:
    many = tuple(structs.replace(finding(str(number)), gate="P1") for number in range(1_299))
    assert plain(worst(FindingsSnapshot(phase="ready", findings=(finding("a"), *many)))) in ("✖1 !1.3K", "✖1,300")

    nothing = tuple(GateResult(gate, "not_applicable", 0) for gate in ("P0", "P1", "P2"))
    assert plain(worst(FindingsSnapshot(phase="ready", gates=nothing))) == "–"


def test_a_floor_of_another_day_is_not_told_of_today() -> None:
    total = SpendRow("k", 1, Tokens(), 1.0, "computed", 0, False, None)
    names = ("day", "week", "month")
    windows = tuple(BudgetWindow(name, 1.0, 5.0, None, 20.0, "ok", floor=name == "month") for name in names)
    shown = SpendSnapshot(windows=windows, today=total, month=replace(total, floor=True))
    rows = [plain(row) for row in budget_lines(shown, (), 60, 9)]
    assert [row.split()[0] for row in rows if "≥" in row] == ["month"]


def test_the_month_is_told_without_the_rate_where_both_have_no_room() -> None:
    month = BudgetWindow("month", 62.0, 100.0, 150.0, 62.0, "info", projected=64.0)
    shown = SpendSnapshot(windows=(month,), burn_per_hour=4.03)
    assert plain(outlook(shown, 60)) == "→ $64 by month's end (estimated)   $4.03/h"
    assert plain(outlook(shown, 38)) == "→ $64 by month's end (estimated)"
