"""The cost report: the same total everywhere, what is unusual and what is not, and the document in words."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.cli import main
from skills.spending.spread import LEAST, Usual, usual
from tests.unit.session_places import NOW


def spends(home: Path, app: Path, usd: float, *, days: int = 0, branch: str = "feature/api", **more: Any) -> None:
    path = home / "claude" / "projects" / "-app" / "s1.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    count = path.read_text().count("\n") if path.exists() else 0
    usage = {"input_tokens": 0, "output_tokens": round(usd * 40_000)}
    body = {"id": f"m{count}", "model": more.pop("model", "claude-opus-4-7"), "stop_reason": "end_turn", "usage": usage}
    at = (NOW - timedelta(days=days, minutes=count)).isoformat()
    line = {"type": "assistant", "sessionId": "s1", "cwd": str(app), "gitBranch": branch, "timestamp": at}
    with path.open("a") as stream:
        stream.write(json.dumps({**line, "message": body, **more}) + "\n")


def report(capsys: pytest.CaptureFixture[str], app: Path, *words: str) -> dict[str, Any]:
    assert main(["--repo", str(app), "spend", "report", *words, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@given(st.lists(st.floats(0, 1e6), max_size=60))
def test_what_is_usual_is_never_unusual(values: list[float]) -> None:
    found = usual(values)
    assert found.count == len(values)
    assert not found.unusual(found.middle)
    assert (found.deviation is None) or len(values) >= LEAST


def test_a_value_beyond_three_and_a_half_deviations_is_unusual() -> None:
    found = usual([9.0, 10.0, 11.0, 10.0, 9.0, 11.0, 10.0])
    assert (found.middle, found.deviation) == (10.0, pytest.approx(1.4826))
    assert not found.unusual(10 + 3.5 * 1.48) and found.unusual(10 + 3.51 * 1.4826)
    assert not Usual(7, 10.0, 2.0).unusual(17.0) and Usual(7, 10.0, 2.0).unusual(17.01)
    assert usual([5.0] * 20).away(9.0) is None
    assert usual([5.0] * 19 + [9.0]).unusual(9.0)


def test_every_table_sums_to_the_same_total(own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, branch in enumerate(["feature/api", "fix/login", "main", "HEAD"]):
        spends(own_home, app, 0.3 + number, days=number, branch=branch)
    document = report(capsys, app)
    tables = ("by_model", "by_task_type", "by_category", "by_feature", "by_hour")
    assert (
        {round(sum(row["usd"] for row in document[name]), 6) for name in tables} == {document["total"]["usd"]} == {7.2}
    )
    assert {row["key"]: row["usd"] for row in document["by_task_type"]} == {
        "feature": 0.3,
        "bug": 1.3,
        "unattributed": 5.6,
    }
    (model,) = document["by_model"]
    assert (model["calls"], model["average"]) == (4, 1.8)
    assert [part["usd"] for part in document["operations"]] == [3.3, 2.3, 1.3, 0.3]
    assert document["summary"]["day"]["usd"] == 0.3
    assert document["summary"]["month"]["usd"] == 7.2


def test_unusual_days_and_requests_are_named(own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for day in range(1, 9):
        spends(own_home, app, 1 + day / 100, days=day)
    assert report(capsys, app)["anomalies"] == []
    spends(own_home, app, 9.0, model="claude-opus-4-7")
    found = report(capsys, app)
    assert [(part["what"], part["usd"]) for part in found["anomalies"]] == [("day", 9.0), ("request", 9.0)]
    assert found["anomalies"][0]["key"] == "2026-11-20"
    assert found["anomalies"][0]["deviations"] > 3.5
    assert found["anomaly_rule"]["judged"]["day"] == {"count": 9, "median": 1.05, "enough": True}


def test_few_days_are_not_judged_and_it_says_so(own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spends(own_home, app, 50)
    assert report(capsys, app)["anomaly_rule"]["judged"]["day"]["enough"] is False
    assert main(["--repo", str(app), "spend", "report"]) == 0
    assert "days: not judged" in capsys.readouterr().out


def test_trends_compare_two_weeks(own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spends(own_home, app, 3, days=1)
    spends(own_home, app, 2, days=8)
    spends(own_home, app, 64, days=40)
    found = report(capsys, app)["trends"]
    assert found["week"] == {"last": 3.0, "before": 2.0, "percent": 50.0}
    assert (len(found["daily"]), sum(usd for _, usd in found["daily"])) == (30, 5.0)


def test_the_report_in_words_has_every_heading(own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for day in range(6):
        spends(own_home, app, 1 + day, days=day, branch="feature/a|b")
    assert main(["--repo", str(app), "spend", "report"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[3:] for line in lines if line.startswith("## ")] == [
        "Summary",
        "Cost by model",
        "Cost by task type",
        "Cost by category",
        "Cost by feature",
        "Cost by hour",
        "Top operations",
        "Anomalies",
        "Optimization opportunities",
        "Projections",
        "Trends",
    ]
    assert "| feature/a/b | 21.00 | 100.0 % | 6 | 3.5000 |" in lines
    assert any(line.startswith("- Projected month: $3") for line in lines)


def test_an_empty_repository_has_a_report(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = report(capsys, app)
    assert (document["total"]["usd"], document["by_model"], document["trends"]["week"]["percent"]) == (0, [], None)
    assert main(["--repo", str(app), "spend", "report"]) == 0
    assert "nothing" in capsys.readouterr().out
