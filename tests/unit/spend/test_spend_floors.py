"""Usage that never became final is a floor in every view, and what is final is not."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from cockpit.clock import iso
from cockpit.config import BudgetConfig, Config
from cockpit.day.gather import Costs
from cockpit.repository import Repository
from cockpit.spend.dashboard import read_dashboard
from cockpit.spend.feed import read_spend
from skills.spending.limits import Limits
from tests.unit.session_places import NOW
from widgets.lines import plain
from widgets.spend_lines import day_lines, notes, trend_row

OPEN, FINAL = "open", "final"


@pytest.fixture
def spent(claude: Path, repository: Repository) -> Repository:
    """A session of today whose last response was cut off, and a whole one of three days ago."""
    _said(claude, repository, OPEN, None, timedelta(minutes=5))
    _said(claude, repository, FINAL, "end_turn", timedelta(days=3))
    return repository


def _said(home: Path, repository: Repository, name: str, stop: str | None, ago: timedelta) -> None:
    usage = {"input_tokens": 10_000, "output_tokens": 40_000}
    line = {
        "type": "assistant",
        "sessionId": name,
        "cwd": str(repository.root),
        "gitBranch": name,
        "isSidechain": True,
        "timestamp": iso(NOW - ago),
        "message": {"id": name, "model": "claude-opus-4-7", "stop_reason": stop, "usage": usage},
    }
    path = home / "projects" / "-app" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(line) + "\n", "utf-8")


def _told(capsys: pytest.CaptureFixture[str], repository: Repository, *words: str) -> str:
    assert main(["--repo", str(repository.root), *words]) == 0
    return capsys.readouterr().out


def _json(capsys: pytest.CaptureFixture[str], repository: Repository, *words: str) -> Any:
    return json.loads(_told(capsys, repository, *words, "--json"))


def test_panes_get_the_floor_with_the_amount(spent: Repository) -> None:
    shown = read_spend(spent, Config(budget=BudgetConfig(session=Limits(100.0, None))))
    usd = shown.today.usd if shown.today else 0.0
    assert dict(shown.by_session) == {OPEN: (usd, True), FINAL: (usd, False)}
    assert dict(shown.by_branch) == {OPEN: (usd, True), FINAL: (usd, False)}
    assert [(window.window, window.floor) for window in shown.windows] == [
        ("day", True),
        ("week", True),
        ("month", True),
        ("session", True),
    ]


def test_the_spend_screen_marks_days_and_weeks(spent: Repository) -> None:
    board = read_dashboard(spent, Config())
    assert [amount.floor for _, amount in board.daily if amount.usd] == [False, True]
    days = [plain(row) for row in day_lines(board)]
    assert days[0].count("≥ $") == 2 and "≥ $" in days[0]
    trend = board.trend_total
    assert (trend.week.floor, trend.before.floor, trend.whole.floor) == (True, False, False)
    assert plain(trend_row(trend, 80)).count("≥") == 1
    branches = next(table for table in board.tables if table.name == "branch")
    assert "unattributed" not in "".join(plain(row) for row in notes(board, branches, 80))


def test_commands_mark_usage_that_never_became_final(spent: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    windows = {row["window"]: row["floor"] for row in _json(capsys, spent, "budget")["windows"]}
    assert windows == {"day": True, "week": True, "month": True, "session": True}
    assert _told(capsys, spent, "budget").count("≥ $") == 4
    tree = _json(capsys, spent, "spend", "--tree")
    assert ({node["name"]: node["floor"] for node in tree["sessions"]}, tree["floor"]) == (
        {OPEN: True, FINAL: False},
        True,
    )
    assert _told(capsys, spent, "spend", "--tree").splitlines()[-1].startswith("2 sessions, ≥ $")
    report = _json(capsys, spent, "spend", "report")
    assert report["summary"]["day"]["floor"] and report["trends"]["floor"] == {"last": True, "before": False}
    told = [line for line in _told(capsys, spent, "spend", "report").splitlines() if "≥" in line]
    assert any(line.startswith("- Today: ≥ $") for line in told)
    assert any(line.startswith("- last seven days ≥ $") for line in told)


def test_the_day_marks_usage_that_never_became_final(spent: Repository) -> None:
    costs = Costs(spent, Config())
    assert costs.since(NOW - timedelta(hours=1)).floor and costs.by_model(NOW - timedelta(hours=1))[0].floor
    assert not costs.since(NOW + timedelta(hours=1)).floor
    costs.close()
