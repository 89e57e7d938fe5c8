"""Budget alerts: each rung of the ladder once for each window and period, remembered in the state folder."""

import contextlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cockpit import clock
from cockpit.files import locked, write_atomically
from cockpit.paths import state_dir
from cockpit.spend.models import BudgetWindow
from skills.spending.budget import LEVELS

_KEPT = timedelta(days=62)
_PATIENCE = 2.0  # seconds for another cockpit that notes its alerts
_PASSED = "passed "  # before the time of a rung that was jumped over


@dataclass(frozen=True, slots=True)
class Alert:
    """A rung that a window's spending reached in `period` (a day, week, month or session)."""

    window: str
    level: str
    period: str
    first_seen: str


def note_alerts(
    scope: str, windows: Iterable[BudgetWindow], periods: dict[str, str], now: datetime
) -> tuple[tuple[Alert, ...], tuple[Alert, ...]]:
    """The alerts that were given for these `periods` (by window) in `scope`, and those of them that are new.

    Rungs that were jumped over between two looks give none: the highest one says it all. Where the state folder
    cannot be written, an alert is new each time.
    """
    reached = [
        (window.window, level, periods[window.window])
        for window in windows
        for level in LEVELS[1 : LEVELS.index(window.level) + 1]
        if periods.get(window.window) and (level != "blocked" or window.level == "blocked")
    ]
    path = state_dir() / "alerts.json"
    fresh: list[Alert] = []
    with contextlib.ExitStack() as stack:
        alone = False
        with contextlib.suppress(OSError):
            alone = stack.enter_context(locked(path.with_suffix(".lock"), _PATIENCE))
        document = _document(path)
        known = document.setdefault(scope, {})
        for window, level, period in reached:
            name = f"{window} {period} {level}"
            if name not in known:
                known[name] = clock.iso(now)
                fresh.append(Alert(window, level, period, known[name]))
        told = {alert.window: alert for alert in fresh}  # the highest of each window comes last
        for alert in fresh:
            if alert is not told[alert.window]:
                known[f"{alert.window} {alert.period} {alert.level}"] = _PASSED + alert.first_seen
        fresh = list(told.values())
        if fresh and alone:
            with contextlib.suppress(OSError):
                write_atomically(path, json.dumps(_recent(document, now), indent=1) + "\n")
    alerts = [Alert(window, level, period, known[f"{window} {period} {level}"]) for window, level, period in reached]
    return tuple(alert for alert in alerts if not alert.first_seen.startswith(_PASSED)), tuple(fresh)


def as_dict(alert: Alert) -> dict[str, str]:
    """The alert as JSON tells it."""
    return asdict(alert)


def _document(path: Path) -> dict[str, dict[str, str]]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        scope: {str(name): at for name, at in entries.items() if isinstance(at, str)}
        for scope, entries in found.items()
        if isinstance(entries, dict)
    }


def _recent(document: dict[str, dict[str, str]], now: datetime) -> dict[str, dict[str, str]]:
    oldest = clock.iso(now - _KEPT)
    kept = {
        scope: {name: at for name, at in entries.items() if at.removeprefix(_PASSED) >= oldest}
        for scope, entries in document.items()
    }
    return {scope: entries for scope, entries in sorted(kept.items()) if entries}
