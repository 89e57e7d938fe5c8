"""The one clock. `COCKPIT_NOW=<ISO time>` fixes it, for tests and recordings."""

import os
from datetime import UTC, datetime

from cockpit.errors import CannotAnswer


def now() -> datetime:
    """The current time, in UTC.

    Raises `CannotAnswer` where `COCKPIT_NOW` is set to something that is not an ISO 8601 time.
    """
    fixed = os.environ.get("COCKPIT_NOW")
    if not fixed:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(fixed)
    except ValueError:
        raise CannotAnswer(
            f"COCKPIT_NOW is not an ISO 8601 time: {fixed[:40]!r}", "e.g. 2026-11-20T12:00:00Z"
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with seconds, e.g. `2026-11-20T12:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
