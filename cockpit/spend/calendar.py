"""Local time labels of moments: the hour, day, week and month that a sum is shown under."""

import time
from datetime import datetime
from typing import NamedTuple

_DAY = 96  # quarters
_LONGEST = 4000 * _DAY
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

    def ahead(self, first: int, last: int) -> list[tuple[int, int]] | None:
        """From which quarter on local time is how many quarters ahead of UTC, in those from `first` to `last`.

        None where that is too long to be looked through, or where no calendar has some of it.
        """
        if last - first > _LONGEST:
            return None
        try:
            found, at = [(first, _offset(first))], first
            while at < last:
                low, high = at, min(at + _DAY, last)
                if _offset(high) == found[-1][1]:
                    at = high
                    continue
                while high - low > 1:
                    middle = (low + high) // 2
                    low, high = (middle, high) if _offset(middle) == found[-1][1] else (low, middle)
                found.append((high, _offset(high)))
                at = high
        except (OverflowError, ValueError, OSError):
            return None
        return found

    def _labels(self, local: time.struct_time) -> Labels:
        of = (local.tm_year, local.tm_yday)
        known = self._days.get(of)
        if known is None:
            day = f"{local.tm_year:04d}-{local.tm_mon:02d}-{local.tm_mday:02d}"
            year, week, _ = datetime(local.tm_year, local.tm_mon, local.tm_mday).isocalendar()
            known = self._days[of] = (day, f"{year:04d}-W{week:02d}", day[:7])
        return Labels(f"{known[0]}T{local.tm_hour:02d}:00", *known)


def _offset(quarter: int) -> int:
    """How many quarters local time is ahead of UTC then."""
    return time.localtime(quarter * 900).tm_gmtoff // 900
