"""What could have been cheaper, by the recorded requests of a scope: advice with real prices."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cockpit.spend.ledger import Ledger
from cockpit.spend.models import BudgetWindow
from cockpit.spend.price_table import PICO, base_model
from cockpit.spend.prices import Prices
from cockpit.spend.sums import PERSON, Cell, Scope
from skills.spending.advice import (
    Call,
    Move,
    Range,
    Suggestion,
    batching,
    bulk_average,
    concentrated_hours,
    moves,
    path_of,
    premium_share,
    saved,
    tiers_of,
)
from skills.spending.tables import Tier, model_of, vendor_of
from skills.spending.work import work_of

_NEVER_RECORDED = (
    ("compute-idle", "no agent records how long rented machines were idle"),
    ("prompt-tokens", "no prompt is rewritten: what could be left out of one is not recorded"),
)


@dataclass(frozen=True, slots=True)
class CacheSavings:
    """What cache reads saved against fresh input, and what cache writes cost more than it: dollars, `computed`."""

    hit_rate: float | None
    saved: float
    write_premium: float
    unpriced_tokens: int

    @property
    def net(self) -> float:
        """Dollars saved in the end; below zero where the cache cost more than it saved."""
        return self.saved - self.write_premium


@dataclass(frozen=True, slots=True)
class Advice:
    """Suggestions by priority, where the degradation path leads now, and what would have been saved by each model."""

    requests: int
    usd: float
    suggestions: tuple[Suggestion, ...]
    remaining: float | None
    window: str | None
    moves: tuple[Move, ...]
    models: Mapping[str, str]
    saves: Mapping[str, Range]
    unknown: tuple[str, ...]
    cache: CacheSavings
    not_judged: tuple[tuple[str, str], ...] = _NEVER_RECORDED


def advise(
    ledger: Ledger,
    scope: Scope,
    windows: Iterable[BudgetWindow],
    own_tiers: dict[Tier, tuple[str, ...]] | None = None,
) -> Advice:
    """Advice from every request in `scope`, and the budget as it stands in `windows`."""
    cells = [cell for cell in ledger.responses(scope) if cell.origin.agent != PERSON and cell.requests]
    tiers = tiers_of({cell.origin.model for cell in cells}, own_tiers)
    targets = _targets(tiers, own_tiers)
    calls = [_call(cell, ledger, targets) for cell in cells]
    spent: dict[str, float] = defaultdict(float)
    for call in calls:
        spent[call.model] += call.usd
    found = [
        premium_share(calls, targets, tiers),
        bulk_average(calls, targets),
        batching(calls),
        concentrated_hours(calls),
    ]
    window, remaining = _tightest(windows)
    kept = moves(spent, 100.0 if remaining is None else remaining, tiers)
    saves = {model: saved((call for call in calls if call.model == model), targets) for model in sorted(targets)}
    return Advice(
        len(calls),
        sum(spent.values()),
        tuple(suggestion for suggestion in found if suggestion is not None),
        remaining,
        window,
        kept,
        {
            move.model: name
            for move in kept
            if move.to and (name := model_of(move.to.tier, vendor_of(base_model(move.model)), own_tiers))
        },
        {model: amount for model, amount in saves.items() if amount is not None},
        tuple(sorted(model for model in spent if model not in tiers)),
        cache_savings(cells, ledger.prices),
    )


def cache_savings(cells: Iterable[Cell], prices: Prices) -> CacheSavings:
    """What the cache saved in these requests, each at its own day's price."""
    read = prompt = unpriced = 0
    less = more = 0
    for cell in cells:
        tokens = cell.tokens
        prompt += tokens.prompt
        read += tokens.cache_read
        writes = tokens.cache_write_5m + tokens.cache_write_1h
        if not tokens.cache_read + writes:
            continue
        fresh, cached = (
            _priced(prices, cell, (tokens.cache_read, 0, 0, 0, 0)),
            _priced(prices, cell, (0, 0, 0, 0, tokens.cache_read)),
        )
        plain = _priced(prices, cell, (writes, 0, 0, 0, 0))
        written = _priced(prices, cell, (0, 0, tokens.cache_write_5m, tokens.cache_write_1h, 0))
        if fresh is None or cached is None or plain is None or written is None:
            unpriced += tokens.cache_read + writes
            continue
        less += fresh - cached
        more += written - plain
    return CacheSavings(read / prompt if prompt else None, less / PICO, more / PICO, unpriced)


def _targets(tiers: Mapping[str, Tier], own: dict[Tier, tuple[str, ...]] | None) -> dict[str, str]:
    """The model one step down the path of each."""
    found: dict[str, str] = {}
    for model, tier in tiers.items():
        path = path_of(model, tier)
        target = model_of(path[0].tier, vendor_of(base_model(model)), own) if path else None
        if target is not None and target != model:
            found[model] = target
    return found


def _call(cell: Cell, ledger: Ledger, targets: Mapping[str, str]) -> Call:
    origin, at = cell.origin, cell.at
    tokens = cell.tokens
    target = targets.get(origin.model)
    price = None if target is None else ledger.prices.tokens_cost(target, at, tokens.kinds)
    prompt = (tokens.input, 0, tokens.cache_write_5m, tokens.cache_write_1h, tokens.cache_read)
    label = ledger.calendar.labels(at).hour
    return Call(
        origin.model,
        work_of(origin.branch),
        origin.sidechain,
        cell.pico / PICO,
        tokens.prompt - tokens.cache_read,
        tokens.output,
        None if label == "unknown" else int(label[11:13]),
        "" if label == "unknown" else label,
        None if target is None or price is None or cell.unpriced else {target: price / PICO},
        (_priced(ledger.prices, cell, prompt) or 0) / PICO,
    )


def _priced(prices: Prices, cell: Cell, counts: tuple[int, int, int, int, int]) -> int | None:
    origin = cell.origin
    return prices.tokens_cost(origin.model, cell.at, counts, fast=origin.fast, provider=origin.provider)


def _tightest(windows: Iterable[BudgetWindow]) -> tuple[str | None, float | None]:
    """The window with the least left, and how many per cent of it remain."""
    found = [(max(0.0, 100 - window.percent), window.window) for window in windows if window.percent is not None]
    remaining, name = min(found, default=(None, None))
    return name, None if remaining is None else round(remaining, 2)
