"""`cockpit spend report`: the cost report as Markdown, or as one JSON document."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json
from cockpit.plain_text import plain_text
from skills.spending.amount import Amount, dollars, percent

if TYPE_CHECKING:
    from cockpit.spend.meter import Meter
    from cockpit.spend.models import BudgetWindow, SpendRow
    from cockpit.spend.report import Report
    from cockpit.spend.sums import Scope

_BARS = " ▁▂▃▄▅▆▇█"
_ROWS = 12


def run(call: Call, meter: "Meter", scope: "Scope") -> int:
    """Print the report of the requests in `scope`."""
    from cockpit import clock
    from cockpit.spend.report import make_report

    tiers = {tier: tuple(names) for tier, names in call.config().tiers.items()}
    now = clock.now()
    report = make_report(meter, scope, tiers, now)
    meta = {
        "at": clock.iso(now),
        "scope": meter.name,
        "since": call.args.since or ("30d" if not call.args.until else None),
        "until": call.args.until,
    }
    if call.args.json:
        print_json({**document(report), "meta": meta})
    else:
        period = f"{meta['since'] or 'the first request'} to {meta['until'] or 'now'}"
        print("\n".join(markdown(report, meter.name, f"{now.astimezone():%Y-%m-%d %H:%M}", period)))
    return 0


def document(report: "Report") -> dict[str, Any]:
    """The report as JSON tells it."""
    from cockpit import clock
    from cockpit.spend.answers.suggest import as_document

    summary = {window.window: _window(window) for window in report.windows}
    low, high = report.projected or (None, None)
    trend = report.trend
    return {
        "summary": {
            **summary,
            "projected": {"usd": summary["month"]["projected"], "low": low, "high": high, "basis": "estimated"},
            "burning": report.burning,
        },
        "total": row(report.total),
        "by_model": [row(part) for part in report.by_model],
        "by_task_type": [row(part) for part in report.by_work],
        "by_category": [row(part) for part in report.by_category],
        "by_feature": [row(part) for part in report.by_feature],
        "by_hour": [row(part) for part in report.by_hour],
        "operations": [
            {**asdict(part), "at": None if part.at is None else clock.iso(part.at)} for part in report.operations
        ],
        "anomalies": [asdict(part) for part in report.anomalies],
        "more_anomalies": report.more_anomalies,
        "anomaly_rule": {
            "limit": 3.5,
            "measure": "median absolute deviation of the last 30 days",
            "judged": {
                name: {"count": part.count, "median": round(part.middle, 6), "enough": part.deviation is not None}
                for name, part in report.judged
            },
        },
        "trends": {
            "daily": [[label, amount.usd] for label, amount in report.daily],
            "week": {"last": trend.last.usd, "before": trend.before.usd, "percent": trend.percent},
            "floor": {"last": trend.last.floor, "before": trend.before.floor},
        },
        "opportunities": as_document(report.advice),
    }


def row(part: "SpendRow") -> dict[str, Any]:
    """A row with calls and the average of one; None where nothing was asked."""
    average = round(part.usd / part.requests, 6) if part.requests else None
    return {
        "key": part.key,
        "usd": part.usd,
        "calls": part.requests,
        "average": average,
        "tokens": part.tokens.total,
        "unpriced_tokens": part.unpriced_tokens,
        "floor": part.floor,
        "basis": part.basis,
    }


def _window(window: "BudgetWindow") -> dict[str, Any]:
    from cockpit import clock

    at = None if window.breach_at is None else clock.iso(window.breach_at)
    return {
        "usd": window.spent,
        "floor": window.floor,
        "percent": None if window.percent is None else round(window.percent, 2),
        "level": window.level,
        "projected": window.projected,
        "breach_at": at,
    }


def markdown(report: "Report", scope: str, at: str, period: str) -> list[str]:
    """The report's lines."""
    lines = [f"# Cost report: {_cell(scope)}", "", f"{at} · {period}", "", "## Summary", ""]
    lines += _summary(report)
    tables = (
        ("Cost by model", report.by_model),
        ("Cost by task type", report.by_work),
        ("Cost by category", report.by_category),
        ("Cost by feature", report.by_feature),
        ("Cost by hour", report.by_hour),
    )
    for title, rows in tables:
        lines += ["", f"## {title}", "", *_table(rows, report.total.usd)]
    lines += ["", "## Top operations", ""]
    for part in report.operations:
        when = "unknown time" if part.at is None else f"{part.at.astimezone():%Y-%m-%d %H:%M}"
        who = "sub-agent" if part.subagent else "main"
        usd = dollars(part.usd, floor=part.floor, digits=4)
        lines.append(f"- {usd}  {when}  {_cell(part.model)}  {_cell(part.branch or '-')}  {who}")
    lines += ["", "## Anomalies", "", *_anomalies(report)]
    lines += ["", "## Optimization opportunities", ""]
    from cockpit.spend.answers.suggest import in_words

    lines += [f"- {line.strip()}" for line in in_words(report.advice, {})]
    return [*lines, "", "## Projections", "", *_projections(report), "", "## Trends", "", *_trends(report)]


def _summary(report: "Report") -> list[str]:
    names = {"day": "Today", "week": "This week", "month": "Month to date", "session": "Dearest session today"}
    lines = []
    for window in report.windows:
        share = "" if window.percent is None else f" ({window.percent:.1f} % of its budget, {window.level})"
        lines.append(f"- {names[window.window]}: {dollars(window.spent, floor=window.floor)}{share}")
    month = next(window for window in report.windows if window.window == "month")
    projected = "too early to tell" if month.projected is None else f"{dollars(month.projected)} (estimated)"
    return [*lines, f"- Projected month: {projected}"]


def _table(rows: Sequence["SpendRow"], total: float) -> list[str]:
    if not rows:
        return ["nothing"]
    lines = ["| | dollars | share | calls | average |", "|---|---:|---:|---:|---:|"]
    for part in rows[:_ROWS] if len(rows) > 24 else rows:
        share = percent(part.usd / total, 1) if total > 0 else "-"
        average = f"{part.usd / part.requests:,.4f}" if part.requests else "-"
        spent = f"{_mark(part.amount.floor)}{part.usd:,.2f}"
        lines.append(f"| {_cell(part.key)} | {spent} | {share} | {part.requests:,} | {average} |")
    if len(rows) > 24:
        rest, mark = sum(part.usd for part in rows[_ROWS:]), _mark(any(part.amount.floor for part in rows[_ROWS:]))
        lines.append(f"| {len(rows) - _ROWS} more | {mark}{rest:,.2f} | | | |")
    return lines


def _anomalies(report: "Report") -> Iterable[str]:
    few = [name for name, part in report.judged if part.deviation is None]
    for name in few:
        yield f"- {name}s: not judged, the last 30 days hold too few, or all alike"
    for part in report.anomalies:
        away = f"{part.deviations:.1f} robust deviations above the median of {dollars(part.median, digits=4)}"
        yield f"- {part.what} {_cell(part.key)}: {dollars(part.usd, digits=4)}, {away}"
    if report.more_anomalies:
        yield f"- and {report.more_anomalies} more"
    if not report.anomalies and len(few) < len(report.judged):
        yield "- none beyond 3.5 robust deviations of the last 30 days"


def _projections(report: "Report") -> Iterable[str]:
    month = next(window for window in report.windows if window.window == "month")
    if month.projected is None:
        yield "- too early in the month to tell"
        return
    spread = "" if report.projected is None else f", {dollars(report.projected[0])} to {dollars(report.projected[1])}"
    yield f"- straight line: {dollars(month.projected)}{spread} by what the days differ (estimated)"
    if month.breach_at is not None:
        yield f"- past the next limit on {month.breach_at.astimezone():%a %d %b %H:%M}"
    if report.burning:
        yield "- burning too fast for the part of the month that has passed"


def _trends(report: "Report") -> Iterable[str]:
    dearest = max((amount for _, amount in report.daily), default=Amount(0.0))
    if dearest.usd > 0:
        bars = "".join(_BARS[max(1, round(usd / dearest.usd * 8)) if usd > 0 else 0] for _, (usd, _) in report.daily)
        yield f"- last 30 days: `{bars}`, the dearest {dearest}"
    trend = report.trend
    change = "" if trend.percent is None else f" ({trend.percent:+.1f} %)"
    yield f"- last seven days {trend.last}, the seven before {trend.before}{change}"


def _mark(floor: bool) -> str:
    return "≥ " if floor else ""


def _cell(text: str) -> str:
    return plain_text(text, 60).replace("|", "/")
