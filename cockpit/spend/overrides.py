"""Prices that a person set for models, in the configuration: used before those of the packaged table."""

from collections.abc import Mapping
from datetime import date
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cockpit.errors import cannot_read
from cockpit.paths import user_config_file
from skills.record import record

if TYPE_CHECKING:
    from cockpit.config import PriceConfig

PICO_PER_MTOK = 10**6  # picodollars for one token, where a million tokens cost a dollar
_EPOCH = date(1970, 1, 1).toordinal()


@record
class Override:
    """Picodollars for a token of each kind, of the models that `pattern` names, from `first_day` (since 1970) on."""

    pattern: str
    input: int
    output: int
    cache_write_5m: int
    cache_write_1h: int
    cache_read: int
    first_day: int | None = None

    def holds(self, model: str, day: int) -> bool:
        """Whether it is the price of `model` on that day since 1970 (-1: now)."""
        return (self.first_day is None or day < 0 or day >= self.first_day) and fnmatchcase(model, self.pattern)


class Overrides:
    """The prices of a person: a pattern without wildcards before others, then the longest, then the latest."""

    def __init__(self, prices: Mapping[str, "PriceConfig"] | None = None) -> None:
        found = [_override(pattern, price) for pattern, price in (prices or {}).items()]
        self._all = tuple(sorted(found, key=_order))

    def __bool__(self) -> bool:
        return bool(self._all)

    def of(self, model: str, day: int) -> Override | None:
        """The price of `model` on that day since 1970 (-1: now), None where the person set none."""
        return next((override for override in self._all if override.holds(model, day)), None)

    @property
    def version(self) -> str:
        """What tells that the prices are others; empty where there are none."""
        if not self._all:
            return ""
        import hashlib  # a warm start does not pay for it

        return hashlib.sha256(repr(self._all).encode()).hexdigest()[:16]


def read_overrides() -> Overrides:
    """The prices in the person's own configuration file. Raises `CannotAnswer` where they mean nothing."""
    path = user_config_file()
    try:
        if b"prices" not in path.read_bytes():
            return Overrides()
    except FileNotFoundError:
        return Overrides()
    except OSError as problem:
        raise cannot_read(path, problem) from None
    from cockpit.config import load_config

    return Overrides(load_config(None).prices)


def _override(pattern: str, price: "PriceConfig") -> Override:
    from decimal import Decimal  # few have prices of their own

    fresh = Decimal(repr(float(price.input)))

    def pico(dollars: float | None, times: str) -> int:
        rate = fresh * Decimal(times) if dollars is None else Decimal(repr(float(dollars)))
        return int(rate * PICO_PER_MTOK)

    first = None if price.effective_from is None else price.effective_from.toordinal() - _EPOCH
    return Override(
        pattern,
        pico(price.input, "1"),
        pico(price.output, "1"),
        pico(price.cache_write_5m, "1.25"),
        pico(price.cache_write_1h, "2"),
        pico(price.cache_read, "0.1"),
        first,
    )


def _order(override: Override) -> tuple[bool, int, int, str]:
    wild = any(sign in override.pattern for sign in "*?[")
    return (wild, -len(override.pattern), -(override.first_day or 0), override.pattern)
