"""`cockpit budget` and `cockpit limits`: levels, exit codes, alerts once a period, the edited file, vendor windows."""

import json
import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from cockpit.config import load_config
from cockpit.errors import CannotAnswer
from cockpit.files import locked
from cockpit.paths import state_dir
from cockpit.spend.alerts import Alert, note_alerts
from cockpit.spend.budget_file import set_budget
from cockpit.spend.budget_words import BudgetWish, wish_of
from cockpit.spend.models import BudgetWindow
from skills.spending.budget import fits, projected_range
from skills.spending.limits import Limits
from tests.answers import answer
from tests.unit.session_places import NOW


def spends(home: Path, app: Path, message: str, usd: float, ago: timedelta = timedelta(), session: str = "s1") -> Path:
    usage = {"input_tokens": 0, "output_tokens": round(usd * 40_000)}
    body = {"id": message, "model": "claude-opus-4-7", "stop_reason": "end_turn", "usage": usage}
    at = (NOW - ago).isoformat()
    line = {"type": "assistant", "sessionId": session, "cwd": str(app), "timestamp": at, "message": body}
    path = home / "claude" / "projects" / "-app" / f"{session}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        stream.write(json.dumps(line) + "\n")
    return path


def test_each_window_against_its_budget(own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spends(own_home, app, "a", 4.5)
    spends(own_home, app, "b", 2.0, timedelta(days=1), session="s2")
    spends(own_home, app, "c", 1.0, timedelta(days=10))
    document = answer(capsys, app, "budget")
    assert list(document) == ["version", "windows", "alerts", "level", "meta"]
    found = {row["window"]: (row["spent"], row["level"], row["percent"]) for row in document["windows"]}
    assert found == {
        "day": (4.5, "warn", 90.0),
        "week": (6.5, "ok", 26.0),
        "month": (7.5, "ok", 7.5),
        "session": (5.5, "ok", None),
    }
    month = document["windows"][2]
    assert month["projected_low"] <= month["projected"] <= month["projected_high"]
    assert document["meta"]["periods"] == {"day": "2026-11-20", "week": "2026-W47", "month": "2026-11", "session": "s1"}


def test_what_tokens_without_a_price_leave_out_is_a_floor(
    own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = spends(own_home, app, "a", 1.0)
    path.write_text(path.read_text() + path.read_text().replace('"a"', '"b"').replace("claude-opus-4-7", "mystery-9"))
    document = answer(capsys, app, "budget")
    assert [(row["spent"], row["floor"]) for row in document["windows"]] == [(1.0, True)] * 4
    assert main(["--repo", str(app), "budget"]) == 0
    assert all("≥ $1.00" in line for line in capsys.readouterr().out.splitlines() if line[0] != " ")
    assert answer(capsys, app, "status")["text"].endswith("≥$1.00")
    report = answer(capsys, app, "start-day")["report"]
    assert "- Today: ≥ $1.00 " in report and "- Remaining: ≤ $99.00" in report
    assert answer(capsys, app, "sessions")["sessions"][0]["floor"] is True
    rows = answer(capsys, app, "spend")["rows"]
    assert [(row["floor"], row["unpriced_tokens"]) for row in rows] == [(False, 40_000)]


def test_a_percentage_is_rounded_once(own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spends(own_home, app, "a", 10.6524)
    assert answer(capsys, app, "budget")["windows"][0]["percent"] == 213.05
    assert main(["--repo", str(app), "budget"]) == 0
    assert "213.0 %" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("day 5", BudgetWish("day", 5)),
        (" month  $100 --hard 150 ", BudgetWish("month", 100, 150)),
        ("--block week 5 --hard 7.5", BudgetWish("week", 5, 7.5, block=True)),
        ("", "say which: day, week, month or session"),
        ("year 5", "say which"),
        ("day", "how many dollars a day?"),
        ("day five", "'five' is no amount of dollars"),
        ("day -1", "'-1' is no amount"),
        ("day nan", "'nan' is no amount"),
        ("day 5 --hard", "'--hard' is no amount"),
        ("day 5 7", "--hard before the other"),
        ("day 5 --hard 7 9", "'--hard' is no amount"),
    ],
)
def test_a_budget_is_written_in_the_words_of_the_command(text: str, means: BudgetWish | str) -> None:
    if isinstance(means, BudgetWish):
        assert wish_of(text) == means
    else:
        with pytest.raises(CannotAnswer, match=re.escape(means)):
            wish_of(text)


def test_blocked_only_where_it_is_asked_for(own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spends(own_home, app, "a", 8)
    assert answer(capsys, app, "budget")["level"] == "exceeded"
    assert answer(capsys, app, "budget", "--strict", code=1)["level"] == "blocked"
    answer(capsys, app, "budget", "set", "week", "25", "--block")
    assert answer(capsys, app, "budget", code=1)["windows"][0]["level"] == "blocked"


def test_an_alert_is_given_once_a_period(
    own_home: Path, app: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spends(own_home, app, "a", 4.5)
    first = answer(capsys, app, "budget")["alerts"]
    assert [(alert["window"], alert["level"], alert["period"]) for alert in first] == [("day", "warn", "2026-11-20")]
    monkeypatch.setenv("COCKPIT_NOW", (NOW + timedelta(hours=1)).isoformat())
    main(["--repo", str(app), "budget"])
    assert capsys.readouterr().err == ""
    assert answer(capsys, app, "budget")["alerts"] == first
    monkeypatch.setenv("COCKPIT_NOW", (NOW + timedelta(days=1)).isoformat())
    spends(own_home, app, "b", 3.0, -timedelta(days=1))
    main(["--repo", str(app), "budget"])
    assert capsys.readouterr().err == "day 2026-11-21: info\n"


def test_a_broken_alert_file_is_no_trouble(own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spends(own_home, app, "a", 4.5)
    (own_home / "state" / "alerts.json").write_text('{"x": [1], "y": {"a": 1}, ')
    assert len(answer(capsys, app, "budget")["alerts"]) == 1


def test_a_jump_over_several_rungs_is_one_alert(own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spends(own_home, app, "a", 3.5)
    assert [alert["level"] for alert in answer(capsys, app, "budget")["alerts"]] == ["info"]
    spends(own_home, app, "b", 2.0)
    main(["--repo", str(app), "budget"])
    assert capsys.readouterr().err == "day 2026-11-20: exceeded\n"
    main(["--repo", str(app), "budget"])
    assert capsys.readouterr().err == ""
    assert [alert["level"] for alert in answer(capsys, app, "budget")["alerts"]] == ["info", "exceeded"]


@pytest.mark.parametrize(
    ("spent", "words", "code", "warned"),
    [
        (1, ["--cost", "1"], 0, []),
        (4.5, ["--cost", "1"], 0, ["day"]),
        (7, ["--cost", "1"], 1, []),
        (7, ["--cost", "1", "--priority", "low"], 1, []),
        (7, ["--cost", "1", "--priority", "critical"], 0, ["day"]),
    ],
)
def test_whether_a_request_fits(
    own_home: Path,
    app: Path,
    capsys: pytest.CaptureFixture[str],
    spent: float,
    words: list[str],
    code: int,
    warned: Any,
) -> None:
    spends(own_home, app, "a", spent)
    document = answer(capsys, app, "budget", "check", *words, code=code)
    assert (document["fits"], document["warned"]) == (not code, warned)


def test_a_limit_that_is_not_set_never_refuses() -> None:
    assert fits(1e9, 1e9, Limits(), "low") == "yes"


def test_the_range_of_a_projection_is_the_line_and_what_the_days_differ_by() -> None:
    start, now = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 11, tzinfo=UTC)
    end = datetime(2026, 11, 20, tzinfo=UTC)
    assert projected_range(10, [1, 1, 1], start, now, end) == (19, 19)
    assert projected_range(10, [0, 2, 0, 2], start, now, end) == (pytest.approx(16), pytest.approx(22))
    assert projected_range(10, [0, 60, 0, 60], start, now, end) == (10, pytest.approx(109))
    assert projected_range(10, [1, 1], start, now, end) is None
    assert projected_range(10, [1, 1, 1], start, start, end) is None


CONFIG = """# mine
theme = "dark"  # night

[budget.month]   # the company pays
soft = 80.0      # was 60
# hard is high
hard = 200

[budget.day]
soft = 1
"""


def test_setting_a_budget_keeps_every_other_line(own_home: Path) -> None:
    path = own_home / "config" / "config.toml"
    path.write_text(CONFIG)
    set_budget(BudgetWish("month", 100))
    assert path.read_text() == CONFIG.replace("80.0 ", "100.0 ")
    set_budget(BudgetWish("day", 5, 7.5, block=True))
    text = path.read_text()
    assert text.startswith(CONFIG.replace("80.0 ", "100.0 ").partition("[budget.day]")[0])
    budget = load_config(None).budget
    assert (budget.month.soft, budget.month.hard, budget.day.soft, budget.day.hard) == (100, 200, 5, 7.5)
    assert budget.block_on_limit


@pytest.mark.parametrize(
    "text", ["", "# only a word", 'theme = "dark"', "[budget]\nblock_on_limit = false\n", "\ufeff"]
)
def test_a_budget_can_be_set_in_any_file(own_home: Path, text: str) -> None:
    path = own_home / "config" / "config.toml"
    path.write_text(text)
    if text == "\ufeff":
        with pytest.raises(CannotAnswer):
            set_budget(BudgetWish("week", 3, 4, block=True))
        return
    set_budget(BudgetWish("week", 3, 4, block=True))
    budget = load_config(None).budget
    assert (budget.week.soft, budget.week.hard, budget.block_on_limit) == (3, 4, True)
    assert path.read_text().startswith(text.removesuffix("block_on_limit = false\n"))


@pytest.mark.parametrize("text", ["[budget]\nmonth = { soft = 1.0 }\n", "budget.month.soft = 1.0\n", "month = = 1"])
def test_a_form_that_cannot_be_edited_is_left_alone(own_home: Path, text: str) -> None:
    path = own_home / "config" / "config.toml"
    path.write_text(text)
    with pytest.raises(CannotAnswer):
        set_budget(BudgetWish("month", 100, 150))
    assert path.read_text() == text


def test_what_was_set_says_whether_it_blocks(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--repo", str(app), "budget", "set", "day", "5", "--hard", "7.5"])
    assert capsys.readouterr().out.startswith("day: $5, hard $7.5, warns only (")
    main(["--repo", str(app), "budget", "set", "day", "5", "--block"])
    assert capsys.readouterr().out.startswith("day: $5, hard $7.5, blocks (")


@pytest.mark.parametrize("words", [["month", "200"], ["month", "-1"], ["month", "nan"], ["year", "1"], ["day"]])
def test_nonsense_is_refused(app: Path, words: list[str]) -> None:
    try:
        code: Any = main(["--repo", str(app), "budget", "set", *words])
    except SystemExit as end:
        code = end.code
    assert code == 2


def test_the_vendors_windows_with_source_and_age(own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fetched = NOW - timedelta(minutes=4)
    ahead, gone = (NOW + timedelta(hours=2)).isoformat(), (NOW - timedelta(hours=1)).isoformat()
    windows = {
        "five_hour": {"utilization": 90, "resets_at": gone},
        "seven_day": {"utilization": 41.5, "resets_at": ahead},
    }
    scoped = {"kind": "weekly", "percent": 12, "resets_at": ahead, "scope": {"model": {"display_name": "Opus\x1b[31m"}}}
    cached = {
        "fetchedAtMs": fetched.timestamp() * 1000,
        "utilization": windows,
        "limits": [scoped, None, {"percent": 1}],
    }
    (own_home / "claude" / ".claude.json").write_text(json.dumps({"cachedUsageUtilization": cached}))
    rollout = own_home / ".codex" / "sessions" / "rollout-x.jsonl"
    rollout.parent.mkdir(parents=True)
    said = {
        "primary": {"used_percent": 12.0, "window_minutes": 300, "resets_at": NOW.timestamp() + 60},
        "secondary": None,
    }
    payload = {"type": "token_count", "info": None, "rate_limits": said}
    rollout.write_text(json.dumps({"timestamp": fetched.isoformat(), "type": "event_msg", "payload": payload}) + "\n")
    spends(own_home, app, "a", 2.0, timedelta(minutes=70))
    limits = answer(capsys, app, "limits")["limits"]
    shown = [
        (row["agent"], row["window"], row["model"], row["percent"], row["basis"], row["age_seconds"]) for row in limits
    ]
    assert shown == [
        ("claude", "seven_day", None, 41.5, "vendor", 240),
        ("claude", "weekly", "Opus", 12.0, "vendor", 240),
        ("claude", "five_hour", None, None, "computed", 0),
        ("codex", "five_hour", None, 12.0, "vendor", 240),
    ]
    assert (limits[2]["resets_at"], limits[2]["usd"]) == ("2026-11-20T15:00:00Z", 2.0)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"cachedUsageUtilization": 5}', '{"cachedUsageUtilization": {"fetchedAtMs": "x"}}']
)
def test_no_window_is_no_error(own_home: Path, app: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (own_home / "claude" / ".claude.json").write_text(text)
    assert answer(capsys, app, "limits")["limits"] == []


def test_a_clock_that_goes_back_loses_nothing_and_alerts_once(
    own_home: Path, app: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spends(own_home, app, "a", 4.5)
    before = answer(capsys, app, "spend", "--by", "total")["total"]
    assert len(answer(capsys, app, "budget")["alerts"]) == 1
    for moment in (NOW - timedelta(days=2), NOW - timedelta(days=400), NOW):
        monkeypatch.setenv("COCKPIT_NOW", moment.isoformat())
        assert answer(capsys, app, "spend", "--by", "total")["total"] == before
        document = answer(capsys, app, "budget")
        assert document["windows"][0]["spent"] == (4.5 if moment == NOW else 0)
    main(["--repo", str(app), "budget"])
    assert capsys.readouterr().err == ""


def test_an_alert_that_another_cockpit_notes_at_this_moment_is_told_once(own_home: Path) -> None:
    windows = [BudgetWindow("day", 6.0, 5.0, None, 120.0, "exceeded")]
    periods = {"day": "2026-11-20"}
    told: list[tuple[Alert, ...]] = []
    other = threading.Thread(target=lambda: told.append(note_alerts("here", windows, periods, NOW)[1]))
    state_dir().mkdir(parents=True, exist_ok=True)
    with locked(state_dir() / "alerts.lock"):
        other.start()
        other.join(0.1)  # it waits
        known = {
            "here": {f"day 2026-11-20 {level}": NOW.isoformat() for level in ("info", "warn", "critical", "exceeded")}
        }
        (state_dir() / "alerts.json").write_text(json.dumps(known))
    other.join()
    assert told == [()]
