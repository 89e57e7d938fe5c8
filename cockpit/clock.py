"""The one clock. `COCKPIT_NOW=<ISO time>` fixes it, for tests and recordings."""

import os
from datetime import UTC, datetime, time

from cockpit.errors import CannotAnswer

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR, _LAST_YEAR = 1000, 9990  # days and months before and after it still have dates, of four digits


def now() -> datetime:
    """The current time, in UTC.

    Raises `CannotAnswer` where `COCKPIT_NOW` is set to something that is not an ISO 8601 time, or to one at the very
    edge of what the calendar can count.
    """
    fixed = os.environ.get("COCKPIT_NOW")
    if not fixed:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(fixed)
        if not _within_the_calendar(moment):
            raise CannotAnswer(f"COCKPIT_NOW lies outside the years {_FIRST_YEAR} to {_LAST_YEAR}: {fixed[:40]!r}")
    except ValueError:
        raise CannotAnswer(
            f"COCKPIT_NOW is not an ISO 8601 time: {fixed[:40]!r}", "e.g. 2026-11-20T12:00:00Z"
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _within_the_calendar(moment: datetime) -> bool:
    """Whether time zones, days and months around the moment can be counted: at the edges Python cannot."""
    return _FIRST_YEAR <= moment.year <= _LAST_YEAR


def at_seconds(seconds: float) -> datetime | None:
    """The moment so many seconds after 1970 UTC; None where it is none that can be counted with: the times of commits,
    files and transcripts are what somebody wrote there."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return moment if _within_the_calendar(moment) else None


def utc(moment: datetime) -> datetime | None:
    """A moment in UTC, which it is where it names no time zone; None where it is none that can be counted with."""
    if not _within_the_calendar(moment):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def local_midnight(now: datetime) -> datetime:
    """The beginning of the local day that holds `now`, also on a day when the clocks change."""
    return datetime.combine(now.astimezone().date(), time.min).astimezone()


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with seconds, e.g. `2026-11-20T12:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_iso(text: object) -> datetime | None:
    """The moment that an ISO 8601 text with a time zone names; None where it names none that can be counted with."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and _within_the_calendar(moment) else None
