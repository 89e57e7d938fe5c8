"""What a response costs: the table of prices, its usual factors, and the process that reads it."""

from typing import Any

import pytest

from cockpit.agents.claude_line import Record
from cockpit.spend import usual_rates
from cockpit.spend.price_process import PriceProcess
from cockpit.spend.price_table import PICO, look_up
from cockpit.spend.prices import Prices

NOON = 1_795_176_000_000  # 2026-11-20T12:00:00Z


def record(model: str = "claude-opus-4-7", **counts: Any) -> Record:
    values = {"input": 0, "output": 0, "cache_write_5m": 0, "cache_write_1h": 0, "cache_read": 0, **counts}
    return Record(session="s", cwd="/p", branch="main", at=values.pop("at", NOON), model=model, **values)


def dollars(given: Record) -> float | None:
    cost = Prices().cost(given)
    return None if cost is None else cost / PICO


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (record(input=10**6), 5.0),
        (record(output=10**6), 25.0),
        (record(cache_write_5m=10**5), 0.625),
        (record(cache_write_1h=10**5), 1.0),
        (record(cache_read=10**5), 0.05),
        (record(output=10**6, fast=True), 150.0),
        (record("claude-opus-4-6", input=10**5, fast=True), 3.0),
        (record("claude-opus-5", output=10**6, fast=True), 50.0),
        (record("claude-sonnet-4-6", output=10**6, fast=True), 15.0),
        (record("claude-sonnet-4-5-20250929", input=200_000), 0.6),
        (record("claude-sonnet-4-5-20250929", input=200_001), 1.200006),
        (record("claude-sonnet-4-5-20250929", input=1, cache_read=200_000, output=1000), 0.142506),
        (record("claude-sonnet-4-5-20250929[1m]", input=1000), 0.003),
        (record("us.anthropic.claude-sonnet-4-5-20250929-v1:0", input=1000), 0.0033),
        (record(web_searches=3, output=0), 0.03),
        (record(output=1000, at=None), 0.025),
        (record("glm-4.6", output=5), None),
        (record("", output=5), None),
        (record("unknown", output=5), None),
    ],
)
def test_a_response_costs_what_the_price_of_its_model_and_day_says(given: Record, expected: float | None) -> None:
    assert dollars(given) == expected


def test_a_model_without_cache_rates_gets_the_usual_factors() -> None:
    prices = Prices()
    base = prices.tokens_cost("mistral-large-latest", NOON, (10**6, 0, 0, 0, 0))
    assert base
    kinds = [(0, 0, 10**6, 0, 0), (0, 0, 0, 10**6, 0)]
    assert [prices.tokens_cost("mistral-large-latest", NOON, kind) for kind in kinds] == [base * 5 // 4, base * 2]


def test_rates_that_hold_for_good_are_looked_up_once_for_all_days() -> None:
    prices = Prices()
    asked: list[Any] = []

    def table(key: Any) -> Any:
        asked.append(key)
        return look_up(key)

    prices.table = table
    days = range(NOON, NOON + 30 * 86_400_000, 86_400_000)
    costs = {prices.tokens_cost("claude-opus-4-7", at, (1, 2, 3, 4, 5)) for at in days}
    assert (len(costs), len(asked)) == (1, 1)
    again = Prices(prices.new)
    again.table = table
    assert again.tokens_cost("claude-opus-4-7", NOON + 90 * 86_400_000, (1, 2, 3, 4, 5)) in costs
    assert len(asked) == 1
    since, _ = look_up(("claude-opus-4-6", 20_800, False, ""))
    assert since  # the table has another price from that day on
    assert prices.tokens_cost("claude-opus-4-6", (since - 1) * 86_400_000, (10**6, 0, 0, 0, 0)) is not None
    assert ("claude-opus-4-6", since - 1, False, "") in prices.new


def test_what_was_worked_out_beforehand_is_what_the_table_says() -> None:
    """After a new genai-prices: `python -m cockpit.spend.usual_rates`."""
    assert usual_rates._FILE.read_text("ascii") == usual_rates.worked_out()
    known = usual_rates.usual()
    assert {name for name, _, _ in known} >= {"claude-opus-4-7", "gpt-5.4", "gemini-2.5-pro"}
    for (model, fast, provider), (since, tiers) in known.items():
        assert since is not None
        assert tiers
        for day in (since, since + 1, 30_000, -1):
            assert usual_rates.stated((model, day, fast, provider))[1] == look_up((model, day, fast, provider))[1]
        if since:
            before = (model, since - 1, fast, provider)
            assert usual_rates.stated(before) == look_up(before)


def test_another_table_makes_void_what_was_worked_out_from_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "claude-opus-4-7" in usual_rates._known()["windows"]
    assert usual_rates.window_of("claude-opus-4-7") == usual_rates._look_up_window("claude-opus-4-7") == 1_000_000
    monkeypatch.setattr(usual_rates, "_table", lambda: [1, 2, 3])
    usual_rates.usual.cache_clear()
    usual_rates._known.cache_clear()
    try:
        assert usual_rates.usual() == {}
        assert Prices().cost(record()) is not None
        assert usual_rates.window_of("claude-opus-4-7") == 1_000_000
        assert usual_rates.window_of("nobody-knows") is None
    finally:
        usual_rates.usual.cache_clear()
        usual_rates._known.cache_clear()


def test_the_price_process_says_what_the_table_says_and_its_death_changes_nothing() -> None:
    process = PriceProcess()
    keys = [("claude-opus-4-7", 20_000, True, ""), ("nonsense", 20_000, False, ""), ("gpt-5.4", -1, False, "openai")]
    try:
        assert [process.look_up(key) for key in keys] == [look_up(key) for key in keys]
        process._process.kill()
        process._process.wait()
        assert process.look_up(keys[0]) == look_up(keys[0])
    finally:
        process.close()
