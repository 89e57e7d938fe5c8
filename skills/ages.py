"""How long ago something was, in one unit."""

from datetime import datetime, timedelta


def age(moment: datetime | None, now: datetime) -> str:
    """How long ago, in one unit: `<1m`, 3m, 5h, 2d, 7w. Empty where unknown; a future time is now."""
    if moment is None:
        return ""
    seconds = max(0, int((now - moment) / timedelta(seconds=1)))
    for size, unit in ((604_800 * 2, "w"), (86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // (604_800 if unit == 'w' else size)}{unit}"
    return "<1m"
