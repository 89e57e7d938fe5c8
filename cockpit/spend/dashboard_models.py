"""What the spend screen shows: where the money of one period goes, by everything that it can be told by."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from cockpit.spend.models import BudgetWindow, SpendRow
from skills.spending.amount import Amount

Period = Literal["30 days", "today", "week", "month", "all"]
PERIODS: tuple[Period, ...] = get_args(Period)
DAYS_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Cost:
    """A row of a table. A session has its dearest `branch` and `at` its last use; a request has all four."""

    row: SpendRow
    at: datetime | None = None
    model: str = ""
    branch: str = ""
    session: str = ""


@dataclass(frozen=True, slots=True)
class CostTable:
    """Costs by `name`, dearest first. `by` is the same for `cockpit spend --by`, empty where that has no such group.

    `total` is that of the period, also where the table holds only the dearest. `unattributed` is what belongs to no
    row with a name, None where everything has one. `note` says why there are no rows, where that is not plain.
    """

    name: str
    by: str
    rows: tuple[Cost, ...]
    total: SpendRow
    unattributed: Amount | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Trend:
    """A model's dollars this week so far, last week up to the same moment, and in the whole of last week."""

    key: str
    week: Amount
    before: Amount
    whole: Amount


@dataclass(frozen=True, slots=True)
class SpendDashboard:
    """The spend of one repository (or all, by `scope`) `at` a moment.

    `windows` are day, week and month against the budgets; `month_range` is what the month may come to, low and high
    (estimated). `daily` is the last 30 days, oldest first. `tables` and `total` are of `period`; `cockpit spend` with
    `options` answers the same. `hours` are the dollars of the period by local hour of the day. `trends` are by model,
    with `trend_total` of them all. `ever` is False where nothing was ever spent. `unread` and `notice` say what is
    missing, `unpriced` names models without a price.
    """

    scope: str
    at: datetime
    period: Period
    options: str
    windows: tuple[BudgetWindow, ...]
    month_range: tuple[float, float] | None
    burns_too_fast: bool
    daily: tuple[tuple[str, Amount], ...]
    tables: tuple[CostTable, ...]
    total: SpendRow
    hours: tuple[float, ...]
    trends: tuple[Trend, ...]
    trend_total: Trend
    ever: bool
    agents: tuple[str, ...] = ()
    files: int = 0
    unpriced: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    notice: str = ""
