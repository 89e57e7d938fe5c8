"""A narrow terminal: figures with their words, the tabs, and hints that give way before they are cut."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cockpit.agents.models import ContextUse, Session
from cockpit.findings.models import FileCounts, FindingsSnapshot, GateResult
from cockpit.spend.dashboard_models import Cost, CostTable
from cockpit.spend.models import BudgetWindow, SpendSnapshot
from tests.unit.test_attention import session
from tests.unit.test_spend_screen_lines import row
from widgets.bindings import filled, with_keys
from widgets.budget_pane import budget_lines, context_row, level_of_tightest, window_row
from widgets.findings_pane import Filters, counts_line
from widgets.lines import fit, line, plain
from widgets.spend_lines import name_of


@pytest.mark.parametrize("width", [38, 44, 45, 60])
def test_the_level_is_never_cut(width: int) -> None:
    window = BudgetWindow("month", 62.44, 100.0, 150.0, 62.4, "info")
    told = plain(fit(window_row(window, width, floor=False), width))
    assert "$62.44 of $100" in told and told.endswith("62 % info")
    far = plain(fit(window_row(replace(window, percent=1340.2, level="exceeded"), width, floor=False), width))
    assert far.endswith("13 × exceeded" if width > 38 else "13 × exceed…")
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


def test_a_low_pane_leaves_out_the_week_only_where_it_has_no_room() -> None:
    windows = tuple(BudgetWindow(name, 9.0, 5.0, None, 180.0, "exceeded") for name in ("day", "week", "month"))
    today = row("today", 9.0)
    known = SpendSnapshot(today=today, month=today, windows=windows, by_model=(row("claude-opus-4-7", 9.0),))
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def names(height: int, *live: Session) -> list[str]:
        return [plain(one).split()[0] for one in budget_lines(known, live, now, 100, height)]

    assert names(4) == ["day", "week", "month", "opus-4-7"] and names(3) == ["day", "month", "opus-4-7"]
    busy = replace(session("a", "busy", 1), context=ContextUse(156_000, 200_000, 78.0, "warn", "its model"))
    assert names(4, busy) == ["day", "month", "fix/login", "opus-4-7"]


def test_counts_are_written_as_the_files_are() -> None:
    gates = (GateResult("P0", "fail", 42), GateResult("P1", "fail", 3692))
    told = plain(counts_line(FindingsSnapshot(gates=gates, files=FileCounts(1220, 1220, 0, 0)), 1500, Filters()))
    assert told == "4 Findings · 42 P0 · 3,692 P1 · 1,220 files"


def test_keys_are_filled_in_only_where_keys_stand() -> None:
    spans = line(("{recheck}", "key"), (" reads {recheck} again", "text"))
    assert plain(filled(spans, {"recheck": "f5"})) == "f5 reads {recheck} again"
    assert with_keys("{nothing} there", {"recheck": "f5"}) == "{nothing} there"


def test_a_request_leaves_out_its_model_before_its_branch_is_cut() -> None:
    at = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
    total = row("r", 1.0)
    cost = Cost(total, at=at, session="f5fb6287aaaa", branch="main", model="claude-opus-4-5")
    table = CostTable("top", "", (cost,), total)
    assert name_of(table, cost, 11) == "20 Nov 14:30  f5fb6287  main         opus-4-5"
    assert name_of(table, cost, 11, 30) == "20 Nov 14:30  f5fb6287  main"
