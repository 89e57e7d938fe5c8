"""Where a context leads: its pace, what is left of the cache, the next request's price, and all of it per session."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.cli import main
from cockpit.spend.price_table import PICO
from cockpit.spend.prices import Prices
from skills.spending.context_forecast import Turn, cache_life, next_turn, since_compaction, tokens_per_turn, turns_left
from tests.unit.session_places import NOW


def turn(prompt: int, at: int | None = 0, **more: int) -> Turn:
    counts = {"output": 100, "cache_write_5m": 0, "cache_write_1h": 0, "cache_read": 0, **more}
    return Turn(at, prompt - counts["cache_write_5m"] - counts["cache_write_1h"] - counts["cache_read"], **counts)


counts = st.integers(0, 2**40)
turns = st.lists(st.builds(Turn, st.none() | counts, counts, counts, counts, counts, counts), max_size=40)


@given(turns, st.integers(0, 2**41), st.integers(-5, 10**6))
def test_any_history_has_a_forecast_or_none(history: list[Turn], used: int, window: int) -> None:
    each = tokens_per_turn(history)
    left = turns_left(used, window, each)
    assert each is None or each > 0
    assert left is None or left >= 0
    ahead = next_turn(history)
    assert (ahead is None) == (not history)
    if ahead is not None:
        warm, cold = ahead
        assert sum(warm) == sum(cold) and min(*warm, *cold) >= 0


def test_the_pace_is_the_median_growth_since_the_last_compaction() -> None:
    before = [turn(150_000), turn(180_000)]
    history = [*before, turn(20_000), turn(21_000), turn(23_000), turn(90_000)]
    assert [part.prompt for part in since_compaction(history)] == [20_000, 21_000, 23_000, 90_000]
    assert tokens_per_turn(history) == 2_000
    assert tokens_per_turn([turn(1), turn(2)]) is None
    assert tokens_per_turn([turn(10)] * 5) is None


@pytest.mark.parametrize(
    ("used", "window", "each", "left"),
    [(100_000, 200_000, 9_000.0, 10), (190_000, 200_000, 1.0, 0), (1, 200_000, None, None), (1, 0, 5.0, None)],
)
def test_turns_are_left_up_to_95_per_cent(used: int, window: int, each: float | None, left: int | None) -> None:
    assert turns_left(used, window, each) == left


def test_the_cache_lives_from_the_last_write() -> None:
    assert cache_life([turn(10, 1000, cache_write_5m=5), turn(10, 2000)]) == (301_000, "5m")
    assert cache_life([turn(10, 1000, cache_write_1h=5, cache_write_5m=1)]) == (3_601_000, "1h")
    assert cache_life([turn(10, None, cache_write_5m=5), turn(10, 2000)]) is None


def test_the_next_request_reads_the_context_or_writes_it_anew() -> None:
    history = [turn(1000 * number, number, cache_write_5m=1000) for number in range(1, 5)]
    assert next_turn(history) == ((0, 100, 1000, 0, 4000), (0, 100, 5000, 0, 0))
    assert next_turn([turn(7)]) == ((7, 100, 0, 0, 0), (7, 100, 0, 0, 0))


def talks(home: Path, app: Path, minutes: list[int]) -> None:
    path = home / "claude" / "projects" / "-app" / "s1.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for number, ago in enumerate(minutes):
        usage = {
            "input_tokens": 0,
            "output_tokens": 500,
            "cache_creation_input_tokens": 2000,
            "cache_read_input_tokens": 2000 * number + 40_000,
        }
        body = {"id": f"m{number}", "model": "claude-opus-4-5", "stop_reason": "end_turn", "usage": usage}
        at = (NOW - timedelta(minutes=ago)).isoformat()
        where = {"sessionId": "s1", "cwd": str(app), "gitBranch": "main", "isSidechain": False}
        lines.append({"type": "assistant", "uuid": f"u{number}", **where, "timestamp": at, "message": body})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def forecast(capsys: pytest.CaptureFixture[str], app: Path) -> dict[str, Any]:
    assert main(["--repo", str(app), "sessions", "--json"]) == 0
    (session,) = json.loads(capsys.readouterr().out)["sessions"]
    found: dict[str, Any] = session["forecast"]
    return found


def test_sessions_tell_where_their_context_leads(own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    talks(own_home, app, [9, 7, 5, 2])
    found = forecast(capsys, app)
    prices, at = Prices(), int((NOW - timedelta(minutes=2)).timestamp() * 1000)
    warm = prices.tokens_cost("claude-opus-4-5", at, (0, 500, 2000, 0, 48_000))
    cold = prices.tokens_cost("claude-opus-4-5", at, (0, 500, 50_000, 0, 0))
    assert warm is not None and cold is not None
    assert found == {
        "tokens_per_turn": 2000.0,
        "turns_left": 71,
        "cache": "5m",
        "cache_until": "2026-11-20T12:03:00Z",
        "cache_seconds_left": 180,
        "next_usd": round(warm / PICO, 6),
        "next_usd_cached": round(warm / PICO, 6),
        "next_usd_cold": round(cold / PICO, 6),
        "basis": "computed",
    }


def test_a_cache_that_is_gone_makes_the_next_request_dear(
    own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talks(own_home, app, [59, 57, 55, 52])
    found = forecast(capsys, app)
    assert (found["cache_seconds_left"], found["next_usd"]) == (0, found["next_usd_cold"])
    assert found["next_usd_cold"] > found["next_usd_cached"]
