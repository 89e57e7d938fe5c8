"""Local time labels of moments: the hour, day, week and month that a sum is shown under."""

import time
from datetime import datetime
from typing import NamedTuple

QUARTER_MS = 900_000  # every time zone's offset is a multiple of a quarter of an hour


TIME_GROUPS = ("hour", "day", "week", "month")  # the labels of a moment, in their order


class Labels(NamedTuple):
    """The local hour, day, ISO week and month of a moment, as keys that sort by time."""

    hour: str
    day: str
    week: str
    month: str


UNKNOWN_TIME = Labels("unknown", "unknown", "unknown", "unknown")


class Calendar:
    """Local time labels of moments in milliseconds since 1970 UTC, remembered by quarter of an hour."""

    def __init__(self) -> None:
        self._known: dict[int, Labels] = {}
        self._days: dict[tuple[int, int], tuple[str, str, str]] = {}

    def labels(self, at: int | None) -> Labels:
        """The labels of `at`; all `unknown` where there is no time."""
        return UNKNOWN_TIME if at is None else self.of_quarter(at // QUARTER_MS)

    def of_quarter(self, quarter: int | None) -> Labels:
        """The labels of the quarter of an hour with that number since 1970 UTC."""
        if quarter is None:
            return UNKNOWN_TIME
        known = self._known.get(quarter)
        if known is None:
            try:
                known = self._labels(time.localtime(quarter * 900))
            except (OverflowError, ValueError, OSError):
                known = UNKNOWN_TIME
            self._known[quarter] = known
        return known

    def _labels(self, local: time.struct_time) -> Labels:
        of = (local.tm_year, local.tm_yday)
        known = self._days.get(of)
        if known is None:
            day = f"{local.tm_year:04d}-{local.tm_mon:02d}-{local.tm_mday:02d}"
            year, week, _ = datetime(local.tm_year, local.tm_mon, local.tm_mday).isocalendar()
            known = self._days[of] = (day, f"{year:04d}-W{week:02d}", day[:7])
        return Labels(f"{known[0]}T{local.tm_hour:02d}:00", *known)
