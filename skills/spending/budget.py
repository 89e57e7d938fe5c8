"""Budget ladder, burn rate and projection (workflow orchestrator, cost tracking): arithmetic over sums."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from skills.record import record
from skills.spending.limits import Level, Limits, WindowName

Priority = Literal["critical", "high", "normal", "low"]
Fit = Literal["yes", "warn", "no"]

LEVELS: tuple[Level, ...] = ("ok", "info", "warn", "critical", "exceeded", "blocked")
LADDER: tuple[tuple[float, Level], ...] = (
    (100.0, "exceeded"),
    (95.0, "critical"),
    (80.0, "warn"),
    (50.0, "info"),
)
NOISY_DAYS = 3  # before that a straight line over the month says more about the first days than about the month
CLEAR_PERCENT = 5.0  # unless this much of the budget is gone already


@record
class Window:
    """Dollars spent in one window against its limit. `percent` is None where there is no limit.

    `projected` is the straight line to the window's end, None while it would be noise; `breach_at` is when
    that line crosses the next limit inside the window, None where it does not.
    """

    name: WindowName
    spent: float
    limit: Limits
    percent: float | None
    level: Level
    projected: float | None = None
    breach_at: datetime | None = None


def percent_of(spent: float, limit: float | None) -> float | None:
    """`spent` in per cent of `limit`; None without a limit. A limit of zero is used up by the first cent."""
    if limit is None:
        return None
    if limit <= 0:
        return 100.0 if spent > 0 else 0.0
    return spent / limit * 100


def level_of(spent: float, limit: Limits, *, block: bool = False) -> Level:
    """The ladder: 50 % info, 80 warn, 95 critical, 100 exceeded; past the hard limit blocked if `block`."""
    if limit.hard is not None and spent >= limit.hard and spent > 0:
        return "blocked" if block else "exceeded"
    percent = percent_of(spent, limit.counted)
    if percent is None:
        return "ok"
    return next((level for floor, level in LADDER if percent >= floor), "ok")


def worst(levels: list[Level]) -> Level:
    """The highest rung among `levels`; ok where there is none."""
    return max(levels, key=LEVELS.index, default="ok")


def straight_line(spent: float, start: datetime, now: datetime, end: datetime) -> float | None:
    """Dollars at `end` if the window goes on as it went since `start`; None where no time has passed."""
    passed, whole = now - start, end - start
    if passed <= timedelta(0) or whole <= timedelta(0):
        return None
    return spent * (whole / passed) if passed < whole else spent


def breach_at(spent: float, limit: Limits, start: datetime, now: datetime, end: datetime) -> datetime | None:
    """When the straight line crosses the next limit that is not reached yet; None: not before `end`."""
    ahead = [bar for bar in (limit.soft, limit.hard) if bar is not None and bar > spent]
    if not ahead or spent <= 0 or now <= start:
        return None
    needed = (now - start) / timedelta(seconds=1) * (min(ahead) / spent)
    if needed > (end - start) / timedelta(seconds=1):
        return None
    return start + timedelta(seconds=needed)


def clear_enough(spent: float, limit: Limits, start: datetime, now: datetime) -> bool:
    """Whether a projection is more than the noise of a month's first days."""
    percent = percent_of(spent, limit.counted)
    return now - start >= timedelta(days=NOISY_DAYS) or (percent is not None and percent > CLEAR_PERCENT)


def burns_too_fast(spent: float, limit: Limits, start: datetime, now: datetime, end: datetime) -> bool:
    """Burn-rate warning: the share spent is more than 1.5 times the share of the window that has passed."""
    percent = percent_of(spent, limit.counted)
    if percent is None or now <= start or end <= start or not clear_enough(spent, limit, start, now):
        return False
    return percent > 1.5 * 100 * ((now - start) / (end - start))


def projected_range(
    spent: float, daily: Sequence[float], start: datetime, now: datetime, end: datetime
) -> tuple[float, float] | None:
    """What `end` may see, low and high: the straight line since `start` ± what the days differ by.

    `daily` holds dollars of whole days. Their standard deviation grows with the square root of the days that are
    left. Never below what is spent. None with fewer than three whole days, or where no time has passed.
    """
    line = straight_line(spent, start, now, end)
    if line is None or len(daily) < NOISY_DAYS:
        return None
    left = max(timedelta(0), end - now) / timedelta(days=1)
    from statistics import pstdev  # here: it takes longer to load than all the rest

    away = pstdev(daily) * math.sqrt(left)
    return max(spent, line - away), line + away


def fits(cost: float, spent: float, limit: Limits, priority: Priority) -> Fit:
    """Whether a request of `cost` dollars may be made: not past a hard limit, unless it is critical.

    `warn`: it may, but it goes past the soft limit (or, where it is critical, past the hard one).
    """
    after = spent + cost
    if limit.hard is not None and after > limit.hard:
        return "warn" if priority == "critical" else "no"
    return "warn" if limit.soft is not None and after > limit.soft else "yes"


def burn_per_hour(spent: float, minutes: float) -> float | None:
    """Dollars an hour where `spent` went in the last `minutes`; None where nothing did."""
    return spent * 60 / minutes if spent > 0 and minutes > 0 else None


def bounds(name: WindowName, now: datetime) -> tuple[datetime, datetime]:
    """Start and end of the calendar window that holds `now` (in its own time zone; weeks begin on Monday)."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if name == "week":
        start = midnight - timedelta(days=midnight.weekday())
        return start, start + timedelta(days=7)
    if name == "month":
        start = midnight.replace(day=1)
        return start, (start + timedelta(days=32)).replace(day=1)
    return midnight, midnight + timedelta(days=1)


def windows(
    spent: Mapping[WindowName, float],
    limits: Mapping[WindowName, Limits],
    now: datetime,
    *,
    block: bool = False,
) -> tuple[Window, ...]:
    """Each window of `spent` against its limit at `now` (local time).

    Weeks and months get a projection; a day's straight line is a matter of office hours and is left out.
    """
    found: list[Window] = []
    for name, amount in spent.items():
        limit = limits.get(name, Limits())
        projected = breach = None
        start, end = bounds(name, now)
        if name in ("week", "month") and clear_enough(amount, limit, start, now):
            projected = straight_line(amount, start, now, end)
            breach = breach_at(amount, limit, start, now, end)
        percent, level = percent_of(amount, limit.counted), level_of(amount, limit, block=block)
        found.append(Window(name, amount, limit, percent, level, projected, breach))
    return tuple(found)
