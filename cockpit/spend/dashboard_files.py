"""The spend screen as files: one CSV for each table, one JSON document with everything. Replaced as a whole."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from cockpit import clock
from cockpit.errors import cannot_write
from cockpit.files import write_atomically
from cockpit.plain_text import plain_text
from cockpit.spend.dashboard_models import Cost, SpendDashboard, Trend

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_HEAD = (
    *("key", "requests", "input", "output", "cache_write_5m", "cache_write_1h", "cache_read", "reasoning"),
    *("tokens", "usd", "basis", "unpriced_tokens", "floor", "billed_usd", "at", "model", "branch", "session"),
)


def write_dashboard(dashboard: SpendDashboard, folder: Path) -> list[Path]:
    """Write `spend-*.csv` and `spend.json` into `folder`. Returns them. Raises `CannotAnswer` where one cannot be."""
    files = {f"spend-by-{table.name}.csv": _csv(_HEAD, map(_cells, table.rows)) for table in dashboard.tables}
    files["spend-by-day.csv"] = _csv(("day", "usd", "floor"), [(day, *amount) for day, amount in dashboard.daily])
    trends = [_trend(trend) for trend in dashboard.trends]
    files["spend-trends.csv"] = _csv(
        ("model", "this_week", "last_week_to_now", "last_week", "floor"), [tuple(row.values()) for row in trends]
    )
    document = {
        **asdict(dashboard),
        "daily": [(day, *amount) for day, amount in dashboard.daily],
        "trends": trends,
        "trend_total": _trend(dashboard.trend_total),
        "meta": {"at": clock.iso(dashboard.at), "command": f"cockpit spend{dashboard.options}"},
    }
    files["spend.json"] = json.dumps(document, indent=1, default=str) + "\n"
    written = []
    for name, content in files.items():
        path = folder / name
        try:
            write_atomically(path, content)
        except OSError as problem:
            raise cannot_write(path, problem) from None
        written.append(path)
    return written


def _trend(trend: Trend) -> dict[str, object]:
    amounts = {"usd": trend.week, "before": trend.before, "whole": trend.whole}
    usd = {name: amount.usd for name, amount in amounts.items()}
    return {"key": trend.key, **usd, "floor": any(amount.floor for amount in amounts.values())}


def _cells(cost: Cost) -> Sequence[object]:
    row, tokens = cost.row, cost.row.tokens
    return (
        *(row.key, row.requests, tokens.input, tokens.output, tokens.cache_write_5m, tokens.cache_write_1h),
        *(tokens.cache_read, tokens.reasoning, tokens.total, f"{row.usd:.6f}", row.basis, row.unpriced_tokens),
        *(row.floor, "" if row.billed is None else f"{row.billed.usd:.6f}"),
        *("" if cost.at is None else clock.iso(cost.at), cost.model, cost.branch, cost.session),
    )


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return stream.getvalue()


def _safe(cell: object) -> object:
    """Text from outside never becomes a spreadsheet's formula."""
    if not isinstance(cell, str):
        return cell
    text = plain_text(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text
