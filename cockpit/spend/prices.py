"""What a response costs: by the person's own prices, else by the price table.

Rates are looked up once for each model, day and speed, then multiplied; a model that the table does not know
is *unpriced* and never $0.
"""

from collections.abc import Callable, Mapping

from cockpit.agents.record import Record
from cockpit.spend.overrides import Overrides
from cockpit.spend.price_table import PICO, RateKey, Rates, Standing, base_model, fast_times, table_version

_WEB_SEARCH = PICO // 100
_DAY_MS = 86_400_000


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
        times = 1 if not fast else fast_times(base_model(model), day, provider)
        rates = (found.input, found.output, found.cache_write_5m, found.cache_write_1h, found.cache_read)
        return (Rates(0, *(int(rate * times) for rate in rates)),)


def _stated(key: RateKey) -> Standing:
    from cockpit.spend.usual_rates import stated  # only where some price is not known yet

    return stated(key)


def _from(day: int) -> int:
    """A day that rates hold from as a key's day, and back."""
    return -2 - day
