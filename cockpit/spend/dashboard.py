"""The spend screen's figures, from the same ledger and by the same sums as `cockpit spend`."""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from cockpit.clock import at_seconds
from cockpit.config import Config
from cockpit.repository import Repository
from cockpit.spend.calendar import QUARTER_MS
from cockpit.spend.dashboard_models import DAYS_SHOWN, Cost, CostTable, Period, SpendDashboard, Trend
from cockpit.spend.groups import SHARED, key_of
from cockpit.spend.ledger import Ledger
from cockpit.spend.meter import Meter
from cockpit.spend.models import SpendRow
from cockpit.spend.places import UNATTRIBUTED
from cockpit.spend.rows import spend_rows
from cockpit.spend.sources import unread
from cockpit.spend.sums import PERSON, Cell, Scope, Sum, rows_of
from skills.spending.amount import Amount
from skills.spending.budget import bounds

_GROUPS = ("model", "agent", "branch", "feature", "session", "commit", "category", "task")
_ASKED = ("agent", "session", "commit")  # what is billed beside them, or their own sums, costs a second look
_DEAREST = 100  # requests that are named
_UNKNOWN_HOUR = "unknown"


def read_dashboard(
    repository: Repository | None,
    config: Config,
    *,
    all_repos: bool = False,
    period: Period = "30 days",
    tell: Callable[[float], None] = lambda _share: None,
) -> SpendDashboard:
    """Read what is new, then sum it all up for `period`. `tell` gets the share (0–1) that is read, now and then."""
    meter = Meter(repository, config, all_repos=all_repos)
    for share in meter.read_slices():
        tell(share)
    snapshot = meter.snapshot()
    ledger = meter.ledger
    now = (snapshot.at or datetime.now(UTC)).astimezone()
    scope, options = _scope_of(meter.scope, period, now.replace(tzinfo=None))
    if all_repos:
        options += " --all-repos"
    whole = Scope(meter.places)
    groups = [name if name != "commit" or meter.places.repository else "repo" for name in _GROUPS]
    _, total = spend_rows(ledger, "total", scope)
    tables = [_table(ledger, scope, by, total) for by in groups]
    hours, hour_table = _hours(ledger, scope, total)
    trends, trend_total = _trends(ledger, whole, now.replace(tzinfo=None))
    month = next((window for window in snapshot.windows if window.window == "month"), None)
    return SpendDashboard(
        scope=meter.name,
        at=now,
        period=period,
        options=options,
        windows=snapshot.windows,
        month_range=meter.range_of(month) if month else None,
        burns_too_fast=meter.burns_too_fast(month) if month else False,
        daily=_daily(ledger, whole, now.date()),
        tables=(*tables, hour_table, _requests(ledger, scope, total)),
        total=total,
        hours=hours,
        trends=trends,
        trend_total=trend_total,
        ever=next(iter(ledger.cells(whole)), None) is not None,
        agents=tuple(ledger.agents()),
        files=ledger.count_files(),
        unpriced=tuple(cost.row.key for cost in tables[0].rows if cost.row.unpriced_tokens),
        unread=unread(ledger),
        notice=ledger.store.notice,
    )


def _scope_of(scope: Scope, period: Period, now: datetime) -> tuple[Scope, str]:
    """The period up to the end of today at the local time `now`, and the options that ask for the same."""
    if period == "all":
        return scope, ""
    today = now.date()
    first = {
        "30 days": today - timedelta(days=DAYS_SHOWN - 1),
        "today": today,
        "week": bounds("week", now)[0].date(),
        "month": today.replace(day=1),
    }[period]
    last = today + timedelta(days=1)
    return (
        replace(scope, since=_midnight(first), until=_midnight(last)),
        f" --since {first} --until {today}",
    )


def _midnight(day: date) -> int:
    return _moment(datetime.combine(day, time()))


def _moment(local: datetime) -> int:
    return int(local.astimezone().timestamp() * 1000)


def _table(ledger: Ledger, scope: Scope, by: str, total: SpendRow) -> CostTable:
    if by in _ASKED:
        rows, _ = spend_rows(ledger, by, scope)
    else:
        rows = rows_of(ledger.sums(scope, key_of(by, ledger.calendar, scope.places)))
    costs = [Cost(row) for row in rows]
    if by == "session":
        seen = _sessions(ledger, scope)
        costs = [replace(cost, branch=seen[cost.row.key][0], at=seen[cost.row.key][1]) for cost in costs]
    loose = None
    if by in SHARED:
        loose = next((row.amount for row in rows if row.key == UNATTRIBUTED), Amount(0.0))
    named = [cost for cost in costs if cost.row.key != UNATTRIBUTED]
    note = ""
    if by == "task" and not named:
        note = "No branch says what kind of work it is for, as feature/… or fix/… do."
    return CostTable(by, by, () if note else tuple(costs), total, loose, note)


def _sessions(ledger: Ledger, scope: Scope) -> dict[str, tuple[str, datetime | None]]:
    """The dearest branch of each session, and when it was last at work (to a quarter of an hour)."""
    branches: dict[str, dict[str, int]] = {}
    last: dict[str, int] = {}
    for cell in ledger.cells(scope):
        name = cell.origin.session or UNATTRIBUTED
        of = branches.setdefault(name, {})
        of[cell.origin.branch] = of.get(cell.origin.branch, 0) + cell.pico
        if cell.quarter is not None:
            last[name] = max(cell.quarter, last.get(name, cell.quarter))
    return {
        name: (
            max(of, key=lambda branch: (of[branch], branch)),
            _time(last[name] * QUARTER_MS if name in last else None),
        )
        for name, of in branches.items()
    }


def _time(at: int | None) -> datetime | None:
    moment = None if at is None else at_seconds(at / 1000)
    return moment and moment.astimezone()


def _hours(ledger: Ledger, scope: Scope, total: SpendRow) -> tuple[tuple[float, ...], CostTable]:
    """Dollars by hour of the day in local time."""
    labels = ledger.calendar.of_quarter

    def hour(cell: Cell) -> str:
        return labels(cell.quarter).hour[11:13] or _UNKNOWN_HOUR

    rows = rows_of(ledger.sums(scope, hour))
    dollars = {row.key: row.usd for row in rows}
    costs = tuple(
        Cost(replace(row, key=row.key if row.key == _UNKNOWN_HOUR else f"{row.key}:00–{row.key}:59")) for row in rows
    )
    return tuple(dollars.get(f"{number:02d}", 0.0) for number in range(24)), CostTable("hour", "", costs, total)


def _requests(ledger: Ledger, scope: Scope, total: SpendRow) -> CostTable:
    """The dearest requests, one by one."""
    asked = (cell for cell in ledger.responses(scope) if cell.origin.agent != PERSON)
    costs = []
    for cell in heapq.nlargest(_DEAREST, asked, key=lambda cell: (cell.pico, -cell.unpriced)):
        origin = cell.origin
        costs.append(
            Cost(
                Sum.of([cell]).row(origin.agent),
                _time(cell.at),
                origin.model,
                origin.branch,
                origin.session or UNATTRIBUTED,
            )
        )
    return CostTable("top", "", tuple(costs), total)


def _daily(ledger: Ledger, scope: Scope, today: date) -> tuple[tuple[str, Amount], ...]:
    labels = ledger.calendar.of_quarter
    days = ledger.sums(scope, lambda cell: labels(cell.quarter).day)
    names = [(today - timedelta(days=back)).isoformat() for back in reversed(range(DAYS_SHOWN))]
    return tuple((name, days[name].amount if name in days else Amount(0.0)) for name in names)


def _trends(ledger: Ledger, scope: Scope, now: datetime) -> tuple[tuple[Trend, ...], Trend]:
    """Each model this week against last week, which counts up to the same moment and as a whole."""
    monday = bounds("week", now)[0]
    before, then = monday - timedelta(days=7), now - timedelta(days=7)
    spans = ((monday, monday + timedelta(days=7)), (before, then), (before, monday))
    weeks = [_by_model(ledger, replace(scope, since=_moment(start), until=_moment(end))) for start, end in spans]
    names = sorted(set().union(*weeks))
    found = [Trend(name, *(week.get(name, Sum()).amount for week in weeks)) for name in names]
    return (
        tuple(sorted(found, key=lambda trend: (-trend.week.usd, -trend.whole.usd, trend.key))),
        Trend("total", *(_together(week.values()).amount for week in weeks)),
    )


def _by_model(ledger: Ledger, scope: Scope) -> dict[str, Sum]:
    return ledger.sums(scope, lambda cell: cell.origin.model)


def _together(parts: Iterable[Sum]) -> Sum:
    whole = Sum()
    for part in parts:
        whole.add(part)
    return whole
