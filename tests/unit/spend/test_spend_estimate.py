"""Feature estimates: the table's figures where nothing is recorded, past features where enough is, and the actual."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.cli import main
from skills.spending.estimate import Past, estimate
from tests.answers import answer
from tests.unit.session_places import NOW

hours = st.floats(0, 1e4)
cents = st.integers(0, 10**8).map(lambda count: count / 100)
pasts = st.builds(Past, st.just("f"), st.integers(0, 10**6), cents, st.floats(0.25, 1e5))


def test_without_a_past_the_table_holds() -> None:
    found = estimate(2, 1, [])
    assert (found.calls, found.usd) == (130, pytest.approx(100 * 0.003 + 30 * 0.00014))
    assert (found.low, found.high, found.calibrated) == (None, None, ())


def test_past_features_give_price_pace_and_range() -> None:
    found = estimate(10, 5, [Past("a", 100, 10.0, 4.0), Past("b", 60, 18.0, 4.0), Past("tiny", 19, 1e6, 0.25)])
    pace = 179 / 8.25
    calls = 10 * pace + 5 * pace * 0.6
    assert found.calibrated == ("calls_an_hour", "usd_a_call")
    assert (found.calls, found.usd) == (pytest.approx(calls), pytest.approx(calls * 28 / 160))
    assert (found.low, found.high) == (pytest.approx(calls * 0.1), pytest.approx(calls * 0.3))
    assert found.features == 2


def test_one_feature_has_no_range_and_few_calls_no_pace() -> None:
    found = estimate(1, 0, [Past("a", 50, 5.0, 1.0)])
    assert (found.usd, found.low, found.calibrated) == (pytest.approx(5.0), None, ("usd_a_call",))


@given(hours, hours, st.lists(pasts, max_size=6))
def test_an_estimate_lies_in_its_range(dev: float, test: float, past: list[Past]) -> None:
    found = estimate(dev, test, past)
    assert found.usd >= 0 and found.calls >= 0
    if found.low is not None and found.high is not None:
        assert found.low <= found.usd * (1 + 1e-9) and found.usd <= found.high * (1 + 1e-9)


def works(home: Path, app: Path, branch: str, calls: int, usd: float) -> None:
    path = home / "claude" / "projects" / "-app" / "s1.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        for number in range(calls):
            usage = {"input_tokens": 0, "output_tokens": round(usd * 40_000)}
            name = f"{branch}-{number}"
            body = {"id": name, "model": "claude-opus-4-7", "stop_reason": "end_turn", "usage": usage}
            at = (NOW - timedelta(days=40, minutes=number)).isoformat()
            where = {"sessionId": "s1", "cwd": str(app), "gitBranch": branch, "timestamp": at}
            stream.write(json.dumps({"type": "assistant", **where, "message": body}) + "\n")


def test_the_feature_itself_is_compared_and_not_a_part_of_its_estimate(
    own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    works(own_home, app, "feature/a", 20, 0.1)
    works(own_home, app, "feature/b", 20, 0.3)
    works(own_home, app, "feature/c", 30, 1.0)
    works(own_home, app, "HEAD", 30, 5.0)
    found = answer(capsys, app, "spend", "estimate", "--dev-hours", "1", "--feature", "feature/c")
    assert (found["calls"], found["usd"], found["low"], found["high"]) == (50, 10.0, 5.0, 15.0)
    assert found["actual"] == {"feature": "feature/c", "calls": 30, "usd": 30.0, "percent": 300.0}
    assert (found["basis"], found["calibrated"]) == ("estimated", ["usd_a_call"])
    assert answer(capsys, app, "spend", "estimate", "--dev-hours", "1")["actual"] is None
    assert main(["--repo", str(app), "spend", "estimate", "--dev-hours", "1", "--feature", "feature/c"]) == 0
    assert "300.0 % of the estimate" in capsys.readouterr().out


def test_hours_are_needed(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--repo", str(app), "spend", "estimate"]) == 2
    assert "hours" in capsys.readouterr().err
