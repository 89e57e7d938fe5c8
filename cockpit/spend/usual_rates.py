"""The rates and windows of the models that agents use, worked out beforehand from the packaged price table.

To import the table takes as long as to read fifty megabytes of transcripts. What stands in `usual_rates.json` holds
for the very table that it was worked out from; with any other one, all rates are looked up there.
`python -m cockpit.spend.usual_rates` works it out anew.
"""

import importlib.util
import json
import time
import zlib
from functools import cache
from pathlib import Path
from typing import Any

from cockpit.spend.price_table import RULES, RateKey, Rates, Standing, look_up

_FILE = Path(__file__).with_name("usual_rates.json")
_NOW, _DAY = -1, 86_400

# as the agents' transcripts name them
_CLAUDE = (
    *("claude-opus-4-20250514", "claude-opus-4-1-20250805", "claude-opus-4-5-20251101", "claude-opus-4-5"),
    *("claude-opus-4-6", "claude-opus-4-7", "claude-opus-4-8", "claude-opus-5", "claude-opus-5-5"),
    *("claude-sonnet-4-20250514", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5", "claude-sonnet-4-6"),
    *("claude-sonnet-5", "claude-sonnet-5-5", "claude-haiku-4-5-20251001", "claude-haiku-4-5", "claude-haiku-5-5"),
    *("claude-3-7-sonnet-20250219", "claude-3-5-sonnet-20241022", "claude-3-5-haiku-20241022"),
    *("claude-fable-5", "claude-fable-5-1", "claude-fable-5-2"),
)
_CODEX = (
    *("gpt-5", "gpt-5-mini", "gpt-5-codex", "gpt-5.1", "gpt-5.1-codex", "gpt-5.1-codex-max", "gpt-5.1-codex-mini"),
    *("gpt-5.2", "gpt-5.2-codex", "gpt-5.3-codex", "gpt-5.4", "gpt-5.4-mini", "gpt-5.5", "gpt-5.6-luna"),
    *("gpt-5.6-sol", "gpt-5.6-terra", "gpt-6-luna", "gpt-6-sol", "gpt-6.1-sol", "gpt-6.1-terra"),
)
_GEMINI = (
    *("gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-3-pro-preview"),
    *("gemini-3-flash-preview", "gemini-3.1-pro-preview", "gemini-3.5-flash", "gemini-3.8-flash"),
)

Name = tuple[str, bool, str]  # model, fast, provider


def stated(key: RateKey) -> Standing:
    """As `look_up`, from what was worked out beforehand where that tells it."""
    model, day, fast, provider = key
    since, tiers = usual().get((model, fast, provider), (None, ()))
    on = time.time() // _DAY if day == _NOW else day
    return (since, tiers) if since is not None and on >= since else look_up(key)


def window_of(model: str) -> int | None:
    """The context window that the price table names for a model, in tokens; None where it names none."""
    known: dict[str, int | None] = _known().get("windows", {})
    return known[model] if model in known else _look_up_window(model)


def _look_up_window(model: str) -> int | None:
    from genai_prices import data_snapshot

    try:
        _, found = data_snapshot.get_snapshot().find_provider_model(model, None, "anthropic", None)
    except LookupError:
        return None
    return found.context_window


@cache
def usual() -> dict[Name, Standing]:
    """What was worked out beforehand; nothing where the installed table is another one."""
    return {
        (model, fast, provider): (since, tuple(Rates(*tier) for tier in tiers))
        for model, fast, provider, since, tiers in _known().get("rates", ())
    }


@cache
def _known() -> dict[str, Any]:
    try:
        known: dict[str, Any] = json.loads(_FILE.read_bytes())
    except (OSError, ValueError):
        return {}
    return known if known["table"] == _table() else {}


def _table() -> list[int]:
    """What tells the installed table from every other one, without its import."""
    found = importlib.util.find_spec("genai_prices")
    if found is None or found.origin is None:
        return []
    try:
        raw = Path(found.origin).with_name("data.py").read_bytes()
    except OSError:
        return []
    return [RULES, len(raw), zlib.crc32(raw)]


def worked_out() -> str:
    """The content of the file, for the installed table. A model whose price depends on the hour is left out."""
    names = [(model, fast, "") for model in _CLAUDE for fast in (False, True)]
    names += [(model, False, "openai") for model in _CODEX] + [(model, False, "google") for model in _GEMINI]
    rows = []
    for model, fast, provider in sorted(names):
        since, _ = look_up((model, _NOW, fast, provider))
        if since is not None:
            rows.append(json.dumps([model, fast, provider, *look_up((model, since, fast, provider))]))
    windows = json.dumps({model: _look_up_window(model) for model in (*_CLAUDE, *_CODEX, *_GEMINI)})
    return f'{{"table": {json.dumps(_table())}, "windows": {windows}, "rates": [\n' + ",\n".join(rows) + "\n]}\n"


if __name__ == "__main__":
    _FILE.write_text(worked_out(), "ascii")
