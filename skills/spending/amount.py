"""An amount of dollars as it is added up and shown: exact, or a floor where some usage never became final or has
no price."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from decimal import Decimal


class Amount(NamedTuple):
    """Dollars. `floor`: at least so many, because some usage in them never became final or has no price."""

    usd: float
    floor: bool = False

    def __str__(self) -> str:
        return dollars(self.usd, floor=self.floor)


def dollars(usd: "float | Decimal", *, floor: bool = False, most: bool = False, digits: int = 2) -> str:
    """Dollars with cents, e.g. `$4.12`; `≥` where it is a floor, `≤` where it is what a floor leaves at most. What one
    call or step costs takes four `digits`."""
    return f"{'≥ ' if floor else '≤ ' if most else ''}${usd:,.{digits}f}"


def percent(share: float, digits: int = 0) -> str:
    """A share of 1 as every sentence and column writes it: `82 %`, and `>99 %` where all but a little is no whole."""
    said = f"{100 * share:.{digits}f}"
    return f"{said} %" if share >= 1 or float(said) < 100 else f">{100 - 10**-digits:.{digits}f} %"
