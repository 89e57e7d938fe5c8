"""The cost report (workflow orchestrator, cost tracking): where the money goes, what is unusual, how it moves."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cockpit.clock import at_seconds
from cockpit.spend.groups import feature_of
from cockpit.spend.ledger import Ledger
from cockpit.spend.meter import Meter
from cockpit.spend.models import BudgetWindow, SpendRow
from cockpit.spend.price_table import PICO
from cockpit.spend.suggest import Advice, advise
from cockpit.spend.sums import PERSON, Cell, Scope, Sum, rounded, rows_of
from skills.spending.amount import Amount
from skills.spending.spread import Usual, usual
from skills.spending.tables import Tier
from skills.spending.work import work_of

DAYS = 30
_TOP = 10
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Operation:
    """One request: when, where, with which model, and what it cost in dollars."""

    at: datetime | None
    session: str
    branch: str
    model: str
    subagent: bool
    tokens: int
    usd: float
    floor: bool


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A day or request that cost more than 3.5 robust deviations above the median of the last 30 days."""

    what: str
    key: str
    usd: float
    median: float
    deviations: float


@dataclass(frozen=True, slots=True)
class Trend:
    """Dollars of the last seven days and of the seven before; `percent` is None where there were none before."""

    last: Amount
    before: Amount
    percent: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the cost report tells of one scope. `projected` is the month's straight line with its range."""

    windows: tuple[BudgetWindow, ...]
    projected: tuple[float, float] | None
    burning: bool
    total: SpendRow
    by_model: tuple[SpendRow, ...]
    by_work: tuple[SpendRow, ...]
    by_category: tuple[SpendRow, ...]
    by_feature: tuple[SpendRow, ...]
    by_hour: tuple[SpendRow, ...]
    operations: tuple[Operation, ...]
    anomalies: tuple[Anomaly, ...]
    more_anomalies: int
    judged: tuple[tuple[str, Usual], ...]
    daily: tuple[tuple[str, Amount], ...]
    trend: Trend
    advice: Advice


def make_report(meter: Meter, scope: Scope, own_tiers: dict[Tier, tuple[str, ...]] | None, now: datetime) -> Report:
    """The report of the requests in `scope`; budgets, anomalies and trends are as of `now`."""
    ledger = meter.ledger
    windows, _ = meter.budget()
    month = next(window for window in windows if window.window == "month")
    cells = list(ledger.cells(scope))
    made = list(ledger.responses(replace(scope, since=_ms(now - DAYS * _DAY), until=_ms(now) + 1)))
    daily = _daily(ledger, scope, now)
    anomalies, judged = _anomalies(daily, made)
    return Report(
        windows=windows,
        projected=meter.range_of(month),
        burning=meter.burns_too_fast(month),
        total=Sum.of(cells).row("total"),
        by_model=_rows(cells, lambda cell: cell.origin.model),
        by_work=_rows(cells, lambda cell: cell.origin.task or work_of(cell.origin.branch)),
        by_category=_rows(cells, lambda cell: cell.origin.category),
        by_feature=_rows(cells, lambda cell: feature_of(cell.origin.branch)),
        by_hour=_hours(cells, ledger),
        operations=_top(ledger.responses(scope)),
        anomalies=tuple(anomalies[:_TOP]),
        more_anomalies=max(0, len(anomalies) - _TOP),
        judged=judged,
        daily=daily,
        trend=_trend(daily),
        advice=advise(ledger, scope, windows, own_tiers),
    )


def _rows(cells: Iterable[Cell], key_of: Callable[[Cell], str]) -> tuple[SpendRow, ...]:
    """Dearest first; their dollars sum to the same total however they are grouped."""
    groups: dict[str, Sum] = {}
    for cell in cells:
        groups.setdefault(key_of(cell), Sum()).add_cell(cell)
    return tuple(rows_of(groups))


def _hours(cells: Iterable[Cell], ledger: Ledger) -> tuple[SpendRow, ...]:
    labels = ledger.calendar.of_quarter
    rows = _rows(cells, lambda cell: labels(cell.quarter).hour.partition("T")[2] or "unknown")
    return tuple(sorted(rows, key=lambda row: (row.key == "unknown", row.key)))


def _top(cells: Iterable[Cell]) -> tuple[Operation, ...]:
    import heapq

    named = (cell for cell in cells if cell.origin.agent != PERSON and cell.pico > 0)
    dearest = heapq.nlargest(_TOP, named, key=lambda cell: (cell.pico, -(cell.at or 0), cell.origin.session))
    return tuple(_operation(cell) for cell in dearest)


def _operation(cell: Cell) -> Operation:
    origin = cell.origin
    at = None if cell.at is None else at_seconds(cell.at / 1000)
    usd = rounded(cell.pico) / 10**6
    return Operation(
        at, origin.session, origin.branch, origin.model, origin.sidechain, cell.tokens.total, usd, origin.open
    )


def _daily(ledger: Ledger, scope: Scope, now: datetime) -> tuple[tuple[str, Amount], ...]:
    """Dollars of each of the last 30 local days, today included, oldest first."""
    sums = ledger.sums(Scope(scope.places), lambda cell: ledger.calendar.of_quarter(cell.quarter).day)
    today = now.astimezone().date()
    labels = [(today - back * _DAY).isoformat() for back in reversed(range(DAYS))]
    return tuple((label, sums[label].amount if label in sums else Amount(0.0)) for label in labels)


def _anomalies(
    daily: Iterable[tuple[str, Amount]], made: Iterable[Cell]
) -> tuple[list[Anomaly], tuple[tuple[str, Usual], ...]]:
    """What is unusual, days first, and what it was measured by. Days without spending are no measure of a day."""
    spent = [(label, amount.usd) for label, amount in daily if amount.usd > 0]
    days = usual([usd for _, usd in spent])
    found = [
        Anomaly("day", label, usd, days.middle, round(days.away(usd) or 0.0, 1))
        for label, usd in spent
        if days.unusual(usd)
    ]
    priced = [cell for cell in made if cell.origin.agent != PERSON and cell.pico > 0]
    each = usual([cell.pico / PICO for cell in priced])
    dear = sorted(
        (cell for cell in priced if each.unusual(cell.pico / PICO)), key=lambda cell: (-cell.pico, cell.at or 0)
    )
    for cell in dear:
        usd = cell.pico / PICO
        operation = _operation(cell)
        when = "unknown time" if operation.at is None else f"{operation.at.astimezone():%Y-%m-%d %H:%M}"
        key = f"{when} {operation.model} {operation.session}".strip()
        found.append(Anomaly("request", key, operation.usd, round(each.middle, 6), round(each.away(usd) or 0.0, 1)))
    return found, (("day", days), ("request", each))


def _trend(daily: tuple[tuple[str, Amount], ...]) -> Trend:
    last, before = _whole(daily[-7:]), _whole(daily[-14:-7])
    return Trend(last, before, round((last.usd - before.usd) / before.usd * 100, 1) if before.usd > 0 else None)


def _whole(days: Sequence[tuple[str, Amount]]) -> Amount:
    return Amount(round(sum(amount.usd for _, amount in days), 6), any(amount.floor for _, amount in days))


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
