"""Advice: the tables whole, each rule on either side of its line, the path by what remains, and real savings."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.cli import main
from cockpit.config import load_config
from cockpit.errors import CannotAnswer
from cockpit.spend.price_table import PICO
from cockpit.spend.prices import Prices
from skills.spending.advice import (
    BATCH_MOST,
    Call,
    Range,
    batching,
    bulk_average,
    concentrated_hours,
    moves,
    premium_share,
    return_on,
    route,
    saved,
    sensitivity,
    step_of,
)
from skills.spending.tables import (
    EMERGENCY,
    MATRIX,
    PATHS,
    TASKS,
    Quality,
    Sensitivity,
    Tier,
    model_of,
    tier_of,
)
from skills.spending.work import work_of
from tests.unit.session_places import NOW

OPUS, SONNET, HAIKU = "claude-opus-4-7", "claude-sonnet-4-5", "claude-haiku-4-5"
TIERS = {OPUS: "premium", SONNET: "standard", HAIKU: "fast"}


def call(model: str = OPUS, usd: float = 1.0, **more: Any) -> Call:
    known = {"kind": "feature", "subagent": False, "prompt": 100, "output": 1000, "hour": 9, "slot": "2026-11-20T09:00"}
    return Call(model=model, usd=usd, **{**known, **more})


def test_the_matrix_has_every_cell_and_the_paths_every_step() -> None:
    assert set(MATRIX) == {(quality, cell) for quality in get_args(Quality) for cell in get_args(Sensitivity)}
    assert len(MATRIX) == 12
    assert [MATRIX["critical", cell].tier for cell in ("low", "medium", "high")] == ["premium", "standard", "fast"]
    assert [MATRIX["low", cell].tier for cell in ("low", "medium", "high")] == ["cheap", "cheap", "local"]
    assert {name: len(path) for name, path in PATHS.items()} == dict.fromkeys(PATHS, 4)
    assert {path[-1].tier for path in PATHS.values()} == {"local"}
    assert {choice.tier for choice in EMERGENCY.values()} == {"local"}


@pytest.mark.parametrize(
    ("model", "tier"),
    [
        ("claude-opus-4-5-20251101", "premium"),
        ("claude-3-5-sonnet-20241022", "standard"),
        ("gpt-5.1-codex-mini", "fast"),
        ("gemini-2.5-flash-lite", "cheap"),
        ("ollama-llama3", "local"),
        ("house-model", None),
    ],
)
def test_models_have_the_tier_of_their_name(model: str, tier: str | None) -> None:
    assert tier_of(model) == tier


def test_every_tier_but_local_names_a_model_that_has_a_price() -> None:
    prices = Prices()
    for tier in (tier for tier in get_args(Tier) if tier != "local"):
        for vendor in ("anthropic", "openai", "google"):
            model = model_of(tier, vendor)
            assert model is not None and tier_of(model) == tier
            assert prices.tokens_cost(model, None, (1, 1, 0, 0, 0)), model


@pytest.mark.parametrize(
    ("remaining", "step"), [(100, 0), (50.1, 0), (50, 1), (30.1, 1), (30, 2), (15, 3), (5.1, 3), (5, 4), (0, 4)]
)
def test_the_path_is_walked_by_what_remains(remaining: float, step: int) -> None:
    assert step_of(remaining) == step
    found = moves({OPUS: 2.0, HAIKU: 3.0, "house-model": 9.0}, remaining, TIERS)
    assert [move.model for move in found] == [HAIKU, OPUS]
    expected = None if step == 0 else PATHS["premium"][step - 1]
    assert found[1].to == expected


def test_another_vendors_premium_has_a_path_of_its_own() -> None:
    (move,) = moves({"gpt-4-turbo": 1.0}, 40, {"gpt-4-turbo": "premium"})
    assert move.to is not None and (move.to.tier, move.to.example) == ("fast", "gpt-3.5-turbo")


@pytest.mark.parametrize(
    ("task", "how", "tier"),
    [
        ("complex_reasoning", {"complexity": "high"}, "standard"),
        ("complex_reasoning", {"quality": "critical"}, "standard"),
        ("complex_reasoning", {"remaining_usd": 20.01}, "fast"),
        ("complex_reasoning", {"remaining_usd": 20.0}, "cheap"),
        ("code_generation", {"complexity": "low"}, "local"),
        ("code_generation", {"complexity": "medium"}, "cheap"),
        ("bulk_processing", {"urgency": "high"}, "cheap"),
        ("embeddings", {}, "cheap"),
        ("summarization", {"quality": "high", "percent_used": 49}, "standard"),
        ("summarization", {"quality": "high", "percent_used": 50}, "fast"),
        ("something else", {"quality": "low", "percent_used": 99}, "local"),
        ("code_generation", {"complexity": "high", "remaining_usd": 4.99}, "local"),
    ],
)
def test_tasks_are_routed_by_their_rows_then_by_the_matrix(task: str, how: dict[str, Any], tier: str) -> None:
    choice, why = route(task, **how)
    assert choice.tier == tier and why


@given(
    st.sampled_from((*TASKS, "other")),
    st.sampled_from(("high", "medium", "low")),
    st.sampled_from(("critical", "high", "medium", "low")),
    st.none() | st.floats(0, 1000),
    st.none() | st.floats(0, 200),
)
def test_every_task_has_an_answer(task: str, complexity: Any, quality: Any, left: Any, used: Any) -> None:
    choice, why = route(task, complexity=complexity, quality=quality, remaining_usd=left, percent_used=used)
    assert choice.tier in get_args(Tier) and why
    assert sensitivity(used) in ("low", "medium", "high")


def test_a_premium_share_of_half_is_still_silent() -> None:
    even = [call(OPUS, 1.0), call(SONNET, 1.0)]
    assert premium_share(even, {}, TIERS) is None
    found = premium_share([*even, call(OPUS, 0.1)], {}, TIERS)
    assert found is not None and (found.priority, found.saves) == ("HIGH", None)
    assert "stricter" not in found.finding
    strict = premium_share([call(OPUS, 8.0), call(SONNET, 2.0)], {}, TIERS)
    assert strict is not None and "stricter" in strict.finding
    assert premium_share([], {}, TIERS) is None


def test_savings_are_a_range_from_sub_agents_to_short_answers() -> None:
    calls = [
        call(usd=1.0, subagent=True, moved={SONNET: 0.6}),
        call(usd=2.0, output=300, moved={SONNET: 1.5}),
        call(usd=4.0, output=301, moved={SONNET: 1.0}),
        call(usd=1.0, subagent=True, moved={SONNET: 3.0}),
        call(usd=1.0, subagent=True),
    ]
    amount = saved(calls, {OPUS: SONNET})
    assert amount is not None and (amount.low, amount.high) == (pytest.approx(0.4), pytest.approx(0.9))
    assert saved(calls, {}) is None


def test_bulk_is_dear_above_a_cent_a_call() -> None:
    assert bulk_average([call(usd=0.01, subagent=True)] * 2, {}) is None
    assert bulk_average([call(usd=0.011, subagent=True)], {}) is None
    assert bulk_average([call(usd=5.0)] * 3, {}) is None
    found = bulk_average([call(usd=0.02, subagent=True)] * 2, {})
    assert found is not None and "$0.0200" in found.finding


def test_hours_are_concentrated_only_against_enough_others() -> None:
    three = [call(usd=10, hour=hour) for hour in (9, 10, 11)]
    assert concentrated_hours(three) is None
    found = concentrated_hours([*three, *(call(usd=1, hour=hour) for hour in (1, 2, 3))])
    assert found is not None and "09:00, 10:00, 11:00" in found.finding
    assert concentrated_hours([call(usd=1, hour=hour) for hour in range(24)]) is None


def test_alike_calls_become_batches_above_a_thousand() -> None:
    alike = [call(subagent=True, prompt_usd=0.5)] * 1001
    found = batching(alike)
    assert found is not None and found.saves == Range(0.0, 0.5 * (1001 - 51))
    assert str(BATCH_MOST) in found.action and " 51;" in found.action
    assert batching(alike[:1000]) is None
    assert batching([call(subagent=True, slot=str(number)) for number in range(2000)]) is None


@pytest.mark.parametrize(
    ("total", "revenue", "users", "roi", "each", "verdict"),
    [
        (10, 5, None, -50.0, None, "worth less"),
        (10, 5, 10, -50.0, 1.0, "worth less"),
        (10, 50, 10, 400.0, 1.0, "dear"),
        (10, 50, 1000, 400.0, 0.01, "healthy"),
        (0, 50, 0, "n/a", "n/a", "n/a"),
        (0, 50, 5, "n/a", 0.0, "healthy"),
        (10, None, 0, None, "n/a", "n/a"),
    ],
)
def test_returns_come_only_from_given_figures(
    total: float, revenue: Any, users: Any, roi: Any, each: Any, verdict: str
) -> None:
    found = return_on(total, revenue, users)
    assert (found["roi_percent"], found["cost_per_user"]) == (roi, each)
    assert str(found["verdict"]).startswith(verdict)
    assert return_on(total, None, None) == {}


@pytest.mark.parametrize(
    ("branch", "work"),
    [("feature/api", "feature"), ("FIX/x", "bug"), ("hotfix-9", "bug"), ("main", "unattributed"), ("", "unattributed")],
)
def test_branches_name_their_work(branch: str, work: str) -> None:
    assert work_of(branch) == work


def asks(home: Path, app: Path, name: str, model: str, *, side: bool = False, ago: int = 60, **usage: int) -> None:
    counts = {"input_tokens": 10, "output_tokens": 1000, **usage}
    body = {"id": name, "model": model, "stop_reason": "end_turn", "usage": counts}
    at = (NOW - timedelta(minutes=ago)).isoformat()
    where = {"sessionId": "s1", "cwd": str(app), "gitBranch": "feature/api", "timestamp": at, "isSidechain": side}
    path = home / "claude" / "projects" / "-app" / "s1.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        stream.write(json.dumps({"type": "assistant", **where, "message": body}) + "\n")


def suggest(capsys: pytest.CaptureFixture[str], app: Path, *words: str) -> dict[str, Any]:
    assert main(["--repo", str(app), "spend", "suggest", *words, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_suggest_prices_the_recorded_tokens_anew(own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asks(own_home, app, "a", OPUS, side=True, output_tokens=100_000, cache_read_input_tokens=50_000)
    asks(own_home, app, "b", OPUS, output_tokens=100_000)
    document = suggest(capsys, app)
    prices = Prices()
    at = int((NOW - timedelta(minutes=60)).timestamp() * 1000)
    counts = (10, 100_000, 0, 0, 50_000)
    dear, cheap = (prices.tokens_cost(model, at, counts) for model in (OPUS, SONNET))
    assert dear is not None and cheap is not None
    first = document["suggestions"][0]
    gain = round((dear - cheap) / PICO, 6)
    assert (first["rule"], first["priority"], first["basis"]) == ("premium-share", "HIGH", "estimated")
    assert first["saves"] == {"low": gain, "high": gain} and gain > 0
    assert document["saves"] == {OPUS: {"low": gain, "high": gain}}
    fresh, read = prices.tokens_cost(OPUS, at, (50_000, 0, 0, 0, 0)), prices.tokens_cost(OPUS, at, (0, 0, 0, 0, 50_000))
    assert fresh is not None and read is not None
    assert document["cache"]["saved"] == round((fresh - read) / PICO, 6)
    assert document["cache"]["hit_rate"] == round(50_000 / 50_020, 4)
    assert document["roi"] is None
    tables = document["tables"]
    assert (len(tables["matrix"]), len(tables["paths"]), len(tables["providers"])) == (12, 4, 5)
    assert tables["rates"]["compute_usd_hour"]["a6000"] == 0.79
    assert {entry["rule"] for entry in document["not_judged"]} == {"compute-idle", "prompt-tokens"}


def test_the_path_follows_the_tightest_budget(own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (own_home / "config" / "config.toml").write_text("[budget.day]\nsoft = 10\nhard = 20\n")
    asks(own_home, app, "a", OPUS, output_tokens=240_000)
    found = suggest(capsys, app)["degradation"]
    assert (found["window"], found["remaining"]) == ("day", 40.0)
    assert [(move["model"], move["to_tier"], move["to_model"]) for move in found["moves"]] == [
        (OPUS, "standard", SONNET)
    ]


def test_a_person_says_which_models_a_tier_means(own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asks(own_home, app, "a", "house-model")
    assert suggest(capsys, app)["unknown_models"] == ["house-model"]
    (own_home / "config" / "config.toml").write_text('[tiers]\npremium = ["house-*"]\nstandard = ["mid-model"]\n')
    found = suggest(capsys, app)
    assert found["unknown_models"] == []
    assert found["degradation"]["moves"][0]["tier"] == "premium"
    (own_home / "config" / "config.toml").write_text('[tiers]\nbest = ["house-*"]\n')
    with pytest.raises(CannotAnswer, match="tiers"):
        load_config(None)


def test_tasks_are_routed_as_hard_and_as_good_as_they_are_said_to_be(
    own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def tier(*words: str) -> str:
        return next(row["tier"] for row in suggest(capsys, app, *words)["routes"] if row["task"] == "code_generation")

    assert tier() == "cheap"
    assert tier("--complexity", "low") == "local"
    assert tier("--complexity", "low", "--quality", "critical", "--urgency", "high") == "standard"


def test_returns_are_of_the_feature_that_is_named(
    own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asks(own_home, app, "a", OPUS, input_tokens=0, output_tokens=40_000)
    words = ("--revenue", "3", "--users", "4")
    assert suggest(capsys, app, "--feature", "feature/api", *words)["roi"] == {
        "feature": "feature/api",
        "total": 1.0,
        "roi_percent": 200.0,
        "cost_per_user": 0.25,
        "verdict": "dear for each user: make it cheaper",
    }
    assert suggest(capsys, app, "--feature", "gone", *words)["roi"]["roi_percent"] == "n/a"
    with pytest.raises(SystemExit, match="2"):
        main(["--repo", str(app), "spend", "suggest", "--revenue", "nan"])


def test_suggest_says_in_words_what_could_have_been_saved(
    own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--repo", str(app), "spend", "suggest"]) == 0
    assert "no request" in capsys.readouterr().err
    asks(own_home, app, "a", OPUS, side=True, output_tokens=100_000)
    assert main(["--repo", str(app), "spend", "suggest", "--revenue", "0", "--users", "10"]) == 0
    assert re.search(r"-100\.00 %; \$\d+\.\d\d a user$", capsys.readouterr().out, re.MULTILINE)
    assert main(["--repo", str(app), "spend", "suggest", "--users", "0"]) == 0
    said = capsys.readouterr().out
    assert "HIGH" in said and "would have saved $1.00 (estimated)" in said and "n/a" in said
