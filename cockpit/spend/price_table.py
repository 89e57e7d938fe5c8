"""The dated price table that is packaged with genai-prices (no network): its rates for a model, a day and a speed."""

import importlib.util
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from decimal import Decimal  # only where a price is looked up, which the table then loads

    from genai_prices.types import ModelPrice, PriceCalculation


PICO = 10**12  # picodollars in a dollar: every published rate is a whole number of them for one token
_EPOCH = date(1970, 1, 1).toordinal()
RULES = 2  # raised when the arithmetic here changes, so that stored amounts are worked out again
_FAST_FACTOR = {"claude-opus-4-6": 6, "claude-opus-4-7": 6}  # fast mode that the table has no own rates for
RateKey = tuple[str, int, bool, str]  # model, day since 1970 (-1: now; below: see `_from`), fast, provider


class Rates(NamedTuple):
    """Picodollars for one token of each kind, for prompts above `start` tokens."""

    start: int
    input: int
    output: int
    cache_write_5m: int
    cache_write_1h: int
    cache_read: int


Standing = tuple[int | None, tuple[Rates, ...]]


def _lasting_since(name: str, provider: str) -> int | None:
    """The day (since 1970) from which the table has one price for the model; None: it depends on the hour."""
    found = _calculated(name, datetime.now(UTC), provider, None)
    prices = None if found is None else found.model.prices
    if not isinstance(prices, list):
        return 0  # one price for all days, or none at all
    starts = [getattr(entry.constraint, "start_date", None) for entry in prices if entry.constraint is not None]
    days = [start.toordinal() - _EPOCH for start in starts if start is not None]
    return max(0, *days) if len(days) == len(starts) else None


def table_version() -> str:
    """What tells that the packaged price table is another one; the package itself is not imported."""
    spec = importlib.util.find_spec("genai_prices")
    if spec is None or spec.origin is None:
        return "none"
    try:
        found = Path(spec.origin).with_name("data.py").stat()
    except OSError:
        found = Path(spec.origin).stat()
    return f"{RULES}:{found.st_size}:{found.st_mtime_ns}"


def base_model(model: str) -> str:
    """The model's name as price tables know it: without the suffix that asks for the large context window."""
    return model.removesuffix("[1m]")


def look_up(key: RateKey) -> Standing:
    """The day since which the table has one price for a model (None: it has none), and its rates on the key's day.

    Rates are by prompt size, smallest first; empty where the model has no known price.
    """
    model, day, fast, provider = key
    return _lasting_since(base_model(model), provider), _rates_on(model, day, fast, provider)


def _rates_on(model: str, day: int, fast: bool, provider: str) -> tuple[Rates, ...]:
    name = base_model(model)
    standard = _price_row(name, day, provider, fast=False)
    if standard is None:
        return ()
    row, factor = standard, 1
    if fast:
        row = _price_row(name, day, provider, fast=True) or standard
        if _at(row.input_mtok, 0) == _at(standard.input_mtok, 0):
            factor = next((times for start, times in _FAST_FACTOR.items() if start in name), 1)
    starts = {0}
    for price in (row.input_mtok, row.output_mtok, row.cache_read_mtok, row.cache_write_mtok):
        starts.update(tier.start for tier in getattr(price, "tiers", ()))
    return tuple(rates for start in sorted(starts) if (rates := _rates(row, start, factor)) is not None)


def fast_times(name: str, day: int, provider: str) -> "Decimal | int":
    """How many times the standard price a request in fast mode costs; 1 where nothing says so."""
    standard, fast = (_price_row(name, day, provider, fast=speed) for speed in (False, True))
    before = None if standard is None else _at(standard.input_mtok, 0)
    after = None if fast is None else _at(fast.input_mtok, 0)
    if before and after and before != after:
        return after / before
    return next((times for start, times in _FAST_FACTOR.items() if start in name), 1)


def _price_row(name: str, day: int, provider: str, *, fast: bool) -> "ModelPrice | None":
    try:
        moment = datetime.now(UTC) if day < 0 else datetime.fromtimestamp(day * 86_400 + 43_200, UTC)
    except (ValueError, OverflowError, OSError):  # no calendar has this day: the newest rates hold
        moment = datetime.now(UTC)
    found = _calculated(name, moment, provider, {"speed": "fast"} if fast else None)
    return None if found is None else found.model_price


def _calculated(
    name: str, moment: datetime, provider: str, context: dict[str, str] | None
) -> "PriceCalculation | None":
    from genai_prices import Usage, calc_price

    likely = (None, "aws") if "anthropic." in name else (None,)
    for whose in (provider, *likely) if provider else likely:
        try:
            return calc_price(
                Usage(input_tokens=0),
                name,
                provider_id=whose,
                genai_request_timestamp=moment,
                price_context=context,
            )
        except (LookupError, ValueError):
            continue
    return None


def _rates(row: "ModelPrice", start: int, factor: int) -> Rates | None:
    fresh, out = _at(row.input_mtok, start), _at(row.output_mtok, start)
    if fresh is None or out is None:
        return None
    short, hour, read = (
        _at(price, start) for price in (row.cache_write_mtok, row.cache_write_1h_mtok, row.cache_read_mtok)
    )
    dollars = (
        fresh,
        out,
        fresh * 5 / 4 if short is None else short,
        fresh * 2 if hour is None else hour,
        fresh / 10 if read is None else read,
    )
    return Rates(start, *(int(rate * factor * (PICO // 10**6)) for rate in dollars))


def _at(price: Any, start: int) -> "Decimal | None":
    """The price for a prompt just above `start` tokens, of a flat or a tiered price."""
    if not hasattr(price, "tiers"):
        flat: Decimal | None = price
        return flat
    found: Decimal = price.base
    for tier in price.tiers:
        if tier.start <= start and start > 0:
            found = tier.price
    return found
