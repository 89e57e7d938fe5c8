"""What a feature may cost (workflow orchestrator, cost estimation): hours × calls an hour × dollars a call.

Calls an hour and dollars a call are those of past features where enough is recorded, else the table's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

DEV_CALLS, TEST_CALLS = 50.0, 30.0  # calls an hour
DEV_USD, TEST_USD = 0.003, 0.00014  # dollars a call, where nothing was recorded
LEAST_CALLS = 20  # of a feature, before its average counts
LEAST_HOURS, LEAST_ALL = 4.0, 100  # hours and calls, before the recorded pace counts


@dataclass(frozen=True, slots=True)
class Past:
    """What a feature took: calls, their dollars, and the hours in which calls were made."""

    feature: str
    calls: int
    usd: float
    hours: float

    @property
    def average(self) -> float:
        """Dollars a call."""
        return self.usd / self.calls if self.calls else 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """Calls and dollars, with the range that past features span; `low` and `high` are None with fewer than two.

    `calls_an_hour` and `usd_a_call` are those of development; `calibrated` names what of them was recorded.
    """

    calls: float
    usd: float
    low: float | None
    high: float | None
    calls_an_hour: float
    usd_a_call: float
    calibrated: tuple[str, ...]
    features: int


def estimate(dev_hours: float, test_hours: float, past: Sequence[Past]) -> Estimate:
    """The estimate for that many hours of development and of tests."""
    calls, hours = sum(each.calls for each in past), sum(each.hours for each in past)
    paced = calls >= LEAST_ALL and hours >= LEAST_HOURS
    pace = calls / hours if paced else DEV_CALLS
    whole = dev_hours * pace, test_hours * pace * TEST_CALLS / DEV_CALLS
    known = [each for each in past if each.calls >= LEAST_CALLS]
    counted = sum(whole)
    said = tuple(name for name, recorded in (("calls_an_hour", paced), ("usd_a_call", bool(known))) if recorded)
    if not known:
        usd = whole[0] * DEV_USD + whole[1] * TEST_USD
        return Estimate(counted, usd, None, None, pace, DEV_USD, said, 0)
    average = sum(each.usd for each in known) / sum(each.calls for each in known)
    each_average = [each.average for each in known]
    low, high = (counted * min(each_average), counted * max(each_average)) if len(known) > 1 else (None, None)
    return Estimate(counted, counted * average, low, high, pace, average, said, len(known))
