"""The spend screen's figures: the periods, what belongs to nobody, weeks compared, and the files they become."""

import csv
import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.repository import Repository, find_repository
from cockpit.spend.dashboard import read_dashboard
from cockpit.spend.dashboard_files import write_dashboard
from cockpit.spend.feed import read_spend
from cockpit.worktrees.models import Worktree
from skills.spending.amount import Amount
from widgets.lines import plain, width_of
from widgets.worktrees_pane import columns, worktree_row

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("COCKPIT_NOW", NOW.isoformat())
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "app").mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path / "app")], check=True)
    return find_repository(tmp_path / "app")


def spends(home: Path, app: Repository, name: str, usd: float, ago: timedelta, **changes: str) -> None:
    """`usd` dollars at the price of Opus 4.7's output."""
    known = {"model": "claude-opus-4-7", "branch": "main", "session": "s1", **changes}
    usage = {"input_tokens": 0, "output_tokens": round(usd * 40_000)}
    body = {"id": name, "model": known["model"], "stop_reason": "end_turn", "usage": usage}
    where = {"sessionId": known["session"], "cwd": str(app.root), "gitBranch": known["branch"]}
    entry = {"type": "assistant", **where, "timestamp": (NOW - ago).isoformat(), "message": body}
    path = home / "claude" / "projects" / "-app" / f"{known['session']}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        stream.write(json.dumps(entry) + "\n")


def test_periods_end_today_and_begin_at_local_midnight(own_home: Path, app: Repository) -> None:
    spends(own_home, app, "a", 1, timedelta(hours=1))
    spends(own_home, app, "b", 2, timedelta(hours=12, minutes=1))  # yesterday
    spends(own_home, app, "c", 4, timedelta(days=5))  # Sunday
    spends(own_home, app, "d", 8, timedelta(days=29))
    spends(own_home, app, "e", 16, timedelta(days=30))
    spends(own_home, app, "f", 32, timedelta(days=-1))  # a clock that went back
    totals = {
        period: read_dashboard(app, Config(), period=period).total.usd
        for period in ("today", "week", "month", "30 days", "all")
    }
    assert totals == {"today": 1, "week": 3, "month": 7, "30 days": 15, "all": 63}
    board = read_dashboard(app, Config())
    assert len(board.daily) == 30 and sum(amount.usd for _, amount in board.daily) == 15
    assert board.options == " --since 2026-10-22 --until 2026-11-20"
    assert board.hours[11] == 1 and board.hours[23] == 2


def test_sessions_have_their_dearest_branch_and_nobody_s_share_is_told(own_home: Path, app: Repository) -> None:
    spends(own_home, app, "a", 1, timedelta(hours=3), branch="fix/x")
    spends(own_home, app, "b", 5, timedelta(hours=2), branch="feature/y")
    spends(own_home, app, "c", 2, timedelta(hours=1), branch="", session="s2")
    board = read_dashboard(app, Config())
    tables = {table.name: table for table in board.tables}
    sessions = {cost.row.key: cost for cost in tables["session"].rows}
    assert sessions["s1"].branch == "feature/y" and sessions["s1"].at == NOW - timedelta(hours=2)
    assert tables["branch"].unattributed == (2, False) and tables["model"].unattributed is None
    assert {cost.row.key: cost.row.usd for cost in tables["task"].rows} == {"feature": 5, "bug": 1, "unattributed": 2}
    assert [(cost.row.usd, cost.branch) for cost in tables["top"].rows] == [(5, "feature/y"), (2, ""), (1, "fix/x")]
    assert sum(cost.row.usd for cost in tables["commit"].rows) == board.total.usd == 8
    assert dict(read_spend(app, Config()).by_branch) == {"fix/x": (1, False), "feature/y": (5, False), "": (2, False)}


def test_a_week_is_compared_with_the_same_part_of_the_last(own_home: Path, app: Repository) -> None:
    spends(own_home, app, "a", 3, timedelta(hours=1))
    spends(own_home, app, "b", 2, timedelta(days=7, hours=1))
    spends(own_home, app, "c", 4, timedelta(days=7, hours=-1))  # last Friday, later than now
    spends(own_home, app, "d", 8, timedelta(days=14))
    spends(own_home, app, "e", 1, timedelta(hours=1), model="claude-opus-4-6")
    trends = {trend.key: trend for trend in read_dashboard(app, Config()).trends}
    opus = trends["claude-opus-4-7"]
    assert (opus.week.usd, opus.before.usd, opus.whole.usd) == (3, 2, 6)
    assert (trends["claude-opus-4-6"].week.usd, trends["claude-opus-4-6"].before.usd) == (1, 0)


def test_what_has_no_price_is_named(own_home: Path, app: Repository) -> None:
    spends(own_home, app, "a", 1, timedelta(hours=1), model="home-grown-9")
    board = read_dashboard(app, Config())
    assert board.unpriced == ("home-grown-9",) and board.total.unpriced_tokens == 40_000 and board.total.usd == 0
    assert read_spend(app, Config()).by_branch == ()


def test_everywhere_there_are_repositories_and_no_commits(own_home: Path, app: Repository) -> None:
    spends(own_home, app, "a", 1, timedelta(hours=1))
    shares: list[float] = []
    board = read_dashboard(app, Config(), all_repos=True, tell=shares.append)
    names = [table.name for table in board.tables]
    assert "repo" in names and "commit" not in names
    assert board.options.endswith(" --all-repos") and all(0 <= share <= 1 for share in shares)


def test_nothing_at_all_is_no_error(own_home: Path, app: Repository) -> None:
    board = read_dashboard(app, Config())
    assert not board.ever and board.total.requests == 0 and set(board.hours) == {0.0}


def test_files_hold_every_table_and_no_formulas(own_home: Path, app: Repository, tmp_path: Path) -> None:
    spends(own_home, app, "a", 1, timedelta(hours=1), branch="=cmd|x")
    board = read_dashboard(app, Config())
    written = write_dashboard(board, tmp_path / "out")
    assert {path.name for path in written} >= {
        "spend.json",
        "spend-by-day.csv",
        "spend-by-hour.csv",
        "spend-trends.csv",
    }
    with (tmp_path / "out" / "spend-by-branch.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(each["key"], each["usd"]) for each in rows] == [("'=cmd|x", "1.000000")]
    document = json.loads((tmp_path / "out" / "spend.json").read_text())
    assert document["total"]["usd"] == 1 and document["meta"]["command"].startswith("cockpit spend --since")


def test_a_folder_that_cannot_be_is_one_line(own_home: Path, app: Repository, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotAnswer, match="cannot be written"):
        write_dashboard(read_dashboard(app, Config()), tmp_path / "file" / "out")


def test_wide_rows_of_worktrees_end_their_age_with_the_month_s_costs() -> None:
    tree = Worktree("api", "/r/api", "feature/api", "a" * 40, committed_at=NOW - timedelta(minutes=5), advice="push")
    trees, costs = [tree, replace(tree, branch=None)], {"feature/api": Amount(3.394606), "": Amount(9.0)}
    for width in (60, 79):
        assert columns(trees, NOW, width, costs).cost == 0
    for width in (80, 120):
        sizes = columns(trees, NOW, width, costs)
        rows = [plain(worktree_row(each, NOW, width, sizes, False, costs)) for each in trees]
        assert "5m  $3.39  push" in rows[0] and "$" not in rows[1]
        assert all(width_of(((each, ""),)) <= width for each in rows)
