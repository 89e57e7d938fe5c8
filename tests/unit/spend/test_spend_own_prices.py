"""Prices of a person's own: which one holds, from when, and who may set them."""

import json
from datetime import date
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.config import PriceConfig, load_config
from cockpit.errors import CannotAnswer
from cockpit.spend.overrides import Overrides
from cockpit.spend.prices import Prices
from tests.answers import answer

DAY = date(2026, 11, 20).toordinal() - date(1970, 1, 1).toordinal()
AT = DAY * 86_400_000


def uses(home: Path, app: Path, model: str, name: str = "m1", at: str = "2026-11-20T10:00:00Z") -> None:
    usage = {"input_tokens": 1_000_000, "output_tokens": 100_000}
    body = {"id": name, "model": model, "stop_reason": "end_turn", "usage": usage}
    line = {"type": "assistant", "sessionId": "s1", "cwd": str(app), "timestamp": at, "message": body}
    path = home / "claude" / "projects" / "-app" / "s1.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        stream.write(json.dumps(line) + "\n")


def configure(home: Path, text: str) -> None:
    (home / "config" / "config.toml").write_text(text)


def test_an_exact_name_wins_over_a_pattern_and_a_longer_pattern_over_a_shorter() -> None:
    own = Overrides(
        {"claude-*": PriceConfig(1, 1), "claude-opus-*": PriceConfig(2, 2), "claude-opus-4-7": PriceConfig(3, 3)}
    )
    found = [own.of(model, DAY) for model in ("claude-haiku-4-5", "claude-opus-4-6", "claude-opus-4-7", "gpt-5")]
    assert [override and override.input for override in found] == [1_000_000, 2_000_000, 3_000_000, None]


def test_kinds_that_are_not_set_follow_from_the_input() -> None:
    prices = Prices(overrides=Overrides({"m": PriceConfig(4.0, 20.0)}))
    kinds = [tuple(int(kind == other) for other in range(5)) for kind in range(5)]
    found = [prices.tokens_cost("m", AT, counts) for counts in kinds]  # type: ignore[arg-type]
    assert found == [4_000_000, 20_000_000, 5_000_000, 8_000_000, 400_000]


def test_a_price_holds_from_its_day_on_and_the_table_before_it() -> None:
    own = Prices(overrides=Overrides({"claude-opus-4-7": PriceConfig(1.0, 1.0, effective_from=date(2026, 11, 20))}))
    before, table = AT - 1, Prices()
    assert own.tokens_cost("claude-opus-4-7", AT, (1, 0, 0, 0, 0)) == 1_000_000
    assert own.tokens_cost("claude-opus-4-7[1m]", AT, (1, 0, 0, 0, 0)) == 1_000_000
    assert own.tokens_cost("claude-opus-4-7", before, (1, 0, 0, 0, 0)) == table.tokens_cost(
        "claude-opus-4-7", before, (1, 0, 0, 0, 0)
    )


def test_fast_mode_keeps_its_factor() -> None:
    own = Prices(overrides=Overrides({"claude-opus-4-6": PriceConfig(1.0, 1.0)}))
    table = Prices()
    counts = (1000, 0, 0, 0, 0)
    standard, fast = (table.tokens_cost("claude-opus-4-6", AT, counts, fast=speed) for speed in (False, True))
    assert standard is not None and fast is not None
    assert own.tokens_cost("claude-opus-4-6", AT, counts, fast=True) == 1000 * 1_000_000 * fast // standard


def test_the_ledger_works_its_amounts_out_anew_when_prices_change(
    own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    uses(own_home, app, "house-model")
    first = answer(capsys, app, "spend", "--by", "total")["total"]
    assert (first["usd"], first["unpriced_tokens"]) == (0, 1_100_000)
    configure(own_home, '[prices."house-*"]\ninput = 2\noutput = 10.5\neffective_from = 2026-11-01\n')
    second = answer(capsys, app, "spend", "--by", "total")["total"]
    assert (second["usd"], second["unpriced_tokens"]) == (3.05, 0)
    explained = answer(capsys, app, "spend", "explain")["own_prices"]
    assert [(part["name"], part["count"], part["usd"]) for part in explained] == [("house-model", 1, 3.05)]
    assert "'house-*' since 2026-11-01: $2 in, $10.5 out" in explained[0]["why"]
    configure(own_home, "")
    assert answer(capsys, app, "spend", "--by", "total")["total"] == first
    assert answer(capsys, app, "spend", "explain")["own_prices"] == []


def test_explain_says_own_prices_in_words(own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    uses(own_home, app, "house-model")
    configure(own_home, '[prices."house-model"]\ninput = 1\noutput = 1\n')
    assert main(["--repo", str(app), "spend", "explain"]) == 0
    assert "own price" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["cockpit.toml", "pyproject.toml"])
def test_a_repository_cannot_set_prices(app: Path, name: str) -> None:
    table = "tool.cockpit.prices" if name == "pyproject.toml" else "prices"
    (app / name).write_text(f"[{table}.claude]\ninput = 0\noutput = 0\n")
    with pytest.raises(CannotAnswer, match="every repository"):
        load_config(app)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("input = -1\noutput = 1", r"config.toml:2: prices.m.input"),
        ("input = 1", "output"),
        ('input = "much"\noutput = 1', "config.toml:2"),
        ("input = 1\noutput = nan", "prices.m.output"),
        ("input = 1\noutput = 1\ncached = 1", "cached"),
        ('input = 1\noutput = 1\neffective_from = "soon"', "effective_from"),
    ],
)
def test_prices_that_mean_nothing_are_named_with_their_line(own_home: Path, text: str, says: str) -> None:
    configure(own_home, f'[prices."m"]\n{text}\n')
    with pytest.raises(CannotAnswer, match=says):
        load_config(None)


def test_numbers_and_days_in_quotes_are_read(own_home: Path) -> None:
    configure(own_home, '[prices."m"]\ninput = "1.5"\noutput = 2\neffective_from = "2026-11-01"\n')
    assert load_config(None).prices == {"m": PriceConfig(1.5, 2.0, effective_from=date(2026, 11, 1))}
