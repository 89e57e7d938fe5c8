"""Files for other tools, derived from the ledger and replaced as a whole (workflow orchestrator, cost tracking).

One file for each day, one for the month, one line for each feature and day, and a report for each day.
"""

import json
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from cockpit import clock
from cockpit.config import BudgetConfig, Config
from cockpit.errors import cannot_write
from cockpit.files import write_atomically
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from cockpit.spend.calendar import Labels
from cockpit.spend.groups import feature_of
from cockpit.spend.ledger import Ledger
from cockpit.spend.sums import Cell, Scope, Sum, apportioned
from skills.counted import counted
from skills.spending.amount import dollars, percent
from skills.spending.limits import Limits
from skills.spending.spread import Usual, usual
from skills.spending.work import work_of

LabelsOf = Callable[[int | None], Labels]
_USUAL_DAYS = 30
CATEGORIES = ("llm", "compute", "storage", "api")


def export(ledger: Ledger, scope: Scope, folder: Path, now: datetime, budget: BudgetConfig) -> list[Path]:
    """Write the files into `folder`. Returns them. Raises `CannotAnswer` where one cannot be written."""
    labels = ledger.calendar.of_quarter
    days: dict[str, list[Cell]] = {}
    for cell in ledger.cells(scope):
        days.setdefault(labels(cell.quarter).day, []).append(cell)
    days.pop("unknown", None)
    month = ledger.calendar.labels(int(now.timestamp() * 1000)).month
    files = {f"daily-{day}.json": _json(_daily(day, cells, now)) for day, cells in sorted(days.items())}
    files["mtd.json"] = _json(
        _month(month, (c for day, cells in days.items() if day[:7] == month for c in cells), budget.month, now)
    )
    lines = [row for day, cells in sorted(days.items()) for row in _features(day, cells)]
    files["by-feature.jsonl"] = "".join(json.dumps(row) + "\n" for row in lines)
    totals = {day: _total(cells) for day, cells in days.items()}
    for day, cells in sorted(days.items()):
        first = _days_before(day)
        near = [usd for other, usd in totals.items() if first <= other <= day]
        files[f"reports/daily-{day}.md"] = _report(day, cells, usual(near), budget, labels)
    written = []
    for name, content in files.items():
        path = folder / name
        try:
            if not path.is_file() or path.read_text("utf-8") != content:
                write_atomically(path, content)
        except (OSError, UnicodeDecodeError) as problem:
            raise cannot_write(path, problem) from None
        written.append(path)
    return written


def export_now(repository: Repository | None, config: Config, folder: Path, *, all_repos: bool = False) -> list[Path]:
    """`export` of everything in the ledger, with what is new read before."""
    from cockpit.spend.meter import Meter

    meter = Meter(repository, config, all_repos=all_repos)
    meter.read()
    return export(meter.ledger, meter.scope, folder, clock.now(), config.budget)


def _days_before(day: str) -> str:
    """The first of the 30 days that end with `day`; `day` itself where no calendar has it."""
    try:
        return (date.fromisoformat(day) - timedelta(days=_USUAL_DAYS - 1)).isoformat()
    except (ValueError, OverflowError):
        return day


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=1) + "\n"


def _by(cells: Iterable[Cell], key: Callable[[Cell], str]) -> dict[str, float]:
    found: dict[str, int] = {}
    for cell in cells:
        found[key(cell)] = found.get(key(cell), 0) + cell.pico
    return {name: micro / 10**6 for name, micro in sorted(apportioned(found).items())}


def _categories(cells: Iterable[Cell]) -> dict[str, float]:
    found = _by(cells, lambda cell: cell.origin.category)
    return {name: found.get(name, 0.0) for name in CATEGORIES}


def _total(cells: Iterable[Cell]) -> float:
    whole = Sum()
    for cell in cells:
        whole.add_cell(cell)
    return whole.row("").usd


def _daily(day: str, cells: list[Cell], now: datetime) -> dict[str, Any]:
    return {
        "date": day,
        "sessions": len({cell.origin.session for cell in cells if cell.requests}),
        "by_category": _categories(cells),
        "by_model": _by((cell for cell in cells if cell.origin.category == "llm"), lambda cell: cell.origin.model),
        "total": _total(cells),
        "last_updated": clock.iso(now),
    }


def _month(month: str, cells: Iterable[Cell], budget: Limits, now: datetime) -> dict[str, Any]:
    held = list(cells)
    total = _total(held)
    limit = budget.counted
    return {
        "month": month,
        "budget": limit,
        "categories": _categories(held),
        "total": total,
        "remaining": None if limit is None else round(limit - total, 6),
        "percent_used": None if not limit else round(total / limit * 100, 2),
        "last_updated": clock.iso(now),
    }


def _features(day: str, cells: list[Cell]) -> list[dict[str, Any]]:
    features: dict[str, list[Cell]] = {}
    for cell in cells:
        features.setdefault(feature_of(cell.origin.branch), []).append(cell)
    return [
        {
            "feature": feature,
            "date": day,
            "costs": {**_categories(held), "total": _total(held)},
            "tokens": sum(cell.tokens.total for cell in held),
            "branch": held[0].origin.branch,
            "roi_metrics": None,
        }
        for feature, held in sorted(features.items())
    ]


def _report(day: str, cells: list[Cell], usual_days: Usual, budget: BudgetConfig, labels: LabelsOf) -> str:
    """The daily report (workflow orchestrator, cost tracking)."""
    total = _total(cells)
    groups: tuple[tuple[str, Callable[[Cell], str]], ...] = (
        ("Cost by hour", lambda cell: labels(cell.quarter).hour[11:]),
        ("Model usage", lambda cell: cell.origin.model),
        ("Task types", lambda cell: cell.origin.task or work_of(cell.origin.branch)),
        ("Categories", lambda cell: cell.origin.category),
        ("Features", lambda cell: feature_of(cell.origin.branch)),
        ("Sessions", lambda cell: cell.origin.session or "unattributed"),
    )
    calls = sum(cell.requests for cell in cells)
    lines = [f"# Cost report {day}", "", "## Summary", "", f"Total: {dollars(total)} in {counted(calls, 'request')}"]
    for title, key in groups:
        lines += ["", f"## {title}", "", "| | dollars |", "|---|---:|"]
        found = _by(cells, key).items()
        ordered = sorted(found) if key is groups[0][1] else sorted(found, key=lambda entry: (-entry[1], entry[0]))
        lines += [f"| {plain_text(name, 80).replace('|', '/')} | {usd:,.2f} |" for name, usd in ordered]
    lines += ["", "## Anomalies", "", _anomaly(total, usual_days)]
    limit = budget.day.counted
    kept = "no budget for a day"
    if limit is not None:
        kept = f"{dollars(limit)}, of which this day took {_share(total, limit)}"
    return "\n".join([*lines, "", "## Tomorrow's budget", "", kept]) + "\n"


def _share(total: float, limit: float) -> str:
    return percent(total / limit) if limit else "all"


def _anomaly(total: float, days: Usual) -> str:
    if days.deviation is None:
        return "not judged: too few days, or all alike"
    away = days.away(total) or 0.0
    compared = f"{away:+.1f} robust deviations from the median of {dollars(days.middle)} ({days.count} days)"
    return f"unusual: {compared}" if days.unusual(total) else f"none: {compared}"
