"""How far a figure lies from the others: robust deviations, by the median of the absolute deviations."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

LIMIT = 3.5
LEAST = 5  # fewer values say nothing about what is usual
_MEDIAN_FACTOR = 1.4826  # makes the median deviation comparable to a standard deviation
_MEAN_FACTOR = 1.2533


@dataclass(frozen=True, slots=True)
class Usual:
    """The median of some values and their robust deviation, None where they do not tell one (few, or all alike)."""

    count: int
    middle: float
    deviation: float | None

    def away(self, value: float) -> float | None:
        """How many robust deviations `value` lies above (below: negative) the median; None where unknown."""
        return None if not self.deviation else (value - self.middle) / self.deviation

    def unusual(self, value: float) -> bool:
        """Whether `value` lies more than 3.5 robust deviations above the median."""
        away = self.away(value)
        return away is not None and away > LIMIT


def usual(values: Sequence[float]) -> Usual:
    """What is usual among `values`. Where more than half are equal, the mean deviation stands in for the median one."""
    if not values:
        return Usual(0, 0.0, None)
    middle = median(values)
    away = [abs(value - middle) for value in values]
    deviation = _MEDIAN_FACTOR * median(away) or _MEAN_FACTOR * fmean(away)
    return Usual(len(values), middle, deviation if len(values) >= LEAST and deviation > 0 else None)
