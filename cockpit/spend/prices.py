"""What a response costs, from the dated price table that is packaged with genai-prices (no network).

Rates are looked up once for each model, day and speed, then multiplied; a model that the table does not know
is *unpriced* and never $0.
"""

import importlib.util
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cockpit.agents.record import Record
from cockpit.spend.overrides import Overrides

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice, PriceCalculation

PICO = 10**12  # picodollars in a dollar: every published rate is a whole number of them for one token
_WEB_SEARCH = PICO // 100
_DAY_MS = 86_400_000
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


class Prices:
    """The price table, with what was already looked up (`known`, and what is `new` since).

    `overrides` are the person's own prices: they hold before the table's.
    """

    def __init__(
        self, known: Mapping[RateKey, tuple[Rates, ...]] | None = None, overrides: Overrides | None = None
    ) -> None:
        self.overrides = overrides or Overrides()
        self.known = dict(known or {})
        self.new: dict[RateKey, tuple[Rates, ...]] = {}
        self.table: Callable[[RateKey], Standing] = _stated
        self._lasting = {
            (model, fast, provider): (_from(day), tiers)
            for (model, day, fast, provider), tiers in self.known.items()
            if day < -1
        }

    def cost(self, record: Record) -> int | None:
        """What the response cost in picodollars, without its advisors; None: its model has no known price.

        What the agent itself was billed holds where it says so.
        """
        if record.usd is not None:
            return round(record.usd * 10**9) * (PICO // 10**9)
        tokens = self.tokens_cost(record.model, record.at, record.kinds, fast=record.fast, provider=record.provider)
        return None if tokens is None else tokens + record.web_searches * _WEB_SEARCH

    def tokens_cost(
        self,
        model: str,
        at: int | None,
        counts: tuple[int, int, int, int, int],
        *,
        fast: bool = False,
        provider: str = "",
    ) -> int | None:
        """Picodollars for `counts` (input, output, 5-minute writes, 1-hour writes, reads) at the time `at`.

        `at` is in milliseconds since 1970 UTC; without one the newest rates hold. None: no known price.
        """
        key = (model, -1 if at is None else at // _DAY_MS, fast, provider)
        tiers = self.known.get(key)
        if tiers is None:
            tiers = self.known[key] = self._find(key)
        if not tiers:
            return None
        fresh, out, write_5m, write_1h, read = counts
        rates = tiers[0]
        if len(tiers) > 1:
            prompt = fresh + write_5m + write_1h + read
            for tier in tiers:
                if prompt > tier.start:
                    rates = tier
        return (
            fresh * rates.input
            + out * rates.output
            + write_5m * rates.cache_write_5m
            + write_1h * rates.cache_write_1h
            + read * rates.cache_read
        )

    def _find(self, key: RateKey) -> tuple[Rates, ...]:
        """The rates of a day. Those that hold for good are looked up once and not for each day."""
        model, day, fast, provider = key
        first, tiers = self._lasting.get((model, fast, provider), (0, ()))
        if day >= first and (model, fast, provider) in self._lasting:
            return tiers
        own = self._own(*key)
        since, tiers = (None, own) if own else self.table(key)
        if since is not None and day >= since and not self.overrides:
            self._lasting[model, fast, provider] = (since, tiers)
            self.new[model, _from(since), fast, provider] = tiers
        else:
            self.new[key] = tiers
        return tiers

    @property
    def version(self) -> str:
        """What tells that the table or the person's own prices are others."""
        own = self.overrides.version
        return f"{table_version()}:{own}" if own else table_version()

    def _own(self, model: str, day: int, fast: bool, provider: str) -> tuple[Rates, ...]:
        found = self.overrides.of(base_model(model), day)
        if found is None:
            return ()
        times = 1 if not fast else _fast_times(base_model(model), day, provider)
        rates = (found.input, found.output, found.cache_write_5m, found.cache_write_1h, found.cache_read)
        return (Rates(0, *(int(rate * times) for rate in rates)),)


def _stated(key: RateKey) -> Standing:
    from cockpit.spend.usual_rates import stated  # only where some price is not known yet

    return stated(key)


def _from(day: int) -> int:
    """A day that rates hold from as a key's day, and back."""
    return -2 - day


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


def _fast_times(name: str, day: int, provider: str) -> Decimal | int:
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
        fresh * Decimal("1.25") if short is None else short,
        fresh * 2 if hour is None else hour,
        fresh / 10 if read is None else read,
    )
    return Rates(start, *(int(rate * factor * (PICO // 10**6)) for rate in dollars))


def _at(price: Any, start: int) -> Decimal | None:
    """The price for a prompt just above `start` tokens, of a flat or a tiered price."""
    if price is None or isinstance(price, Decimal):
        return price
    found: Decimal = price.base
    for tier in price.tiers:
        if tier.start <= start and start > 0:
            found = tier.price
    return found
