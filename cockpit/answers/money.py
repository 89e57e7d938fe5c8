"""Answers about money: spend and what stands beside it, budget, limits."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from cockpit.agents.models import Agent
from cockpit.answers.base import Answer, MoneyBasis, Object
from cockpit.spend.entries import Category
from skills.spending.budget import Priority
from skills.spending.limits import Level, WindowName


class Tokens(TypedDict):
    """`total` is the sum of the five kinds before it; reasoning is inside output."""

    input: int
    output: int
    cache_write_5m: int
    cache_write_1h: int
    cache_read: int
    total: int
    reasoning: int


class Billed(TypedDict):
    """What the agents themselves say was billed, and how many sessions say so."""

    usd: float
    sessions: int
    of: int


class SpendRow(TypedDict):
    """One key's tokens and dollars; `floor`: usage that never became final."""

    key: str
    requests: int
    tokens: Tokens
    usd: float
    basis: MoneyBasis
    unpriced_tokens: int
    floor: bool
    billed: Billed | None


class Unattributed(TypedDict):
    """What no key can be named for."""

    usd: float
    share: float


class Spend(Answer):
    """`cockpit spend --by … --json`; every grouping sums to the same total."""

    rows: list[SpendRow]
    total: SpendRow
    unattributed: Unattributed | None
    agents: list[Agent]
    unread: list[str]


class SpendBranch(TypedDict):
    """A session or sub-agent; `usd` with, `own_usd` without its children."""

    name: str
    kind: str
    about: str
    requests: int
    tokens: int
    usd: float
    floor: bool
    own_usd: float
    unpriced_tokens: int
    seconds: float
    children: "list[SpendBranch]"


class SpendTree(Answer):
    """`cockpit spend --tree --json`."""

    sessions: list[SpendBranch]
    usd: float
    floor: bool


class Saves(TypedDict):
    """Dollars that it would have saved."""

    low: float
    high: float


class Suggestion(TypedDict):
    """What could be cheaper."""

    rule: str
    priority: Literal["HIGH", "MEDIUM", "LOW"]
    finding: str
    action: str
    saves: Saves | None
    basis: MoneyBasis


class NotJudged(TypedDict):
    """A rule without what it needs."""

    rule: str
    why: str


class Opportunities(TypedDict):
    """What could be cheaper, and what it would have saved."""

    requests: int
    usd: float
    suggestions: list[Suggestion]
    degradation: Object | None
    saves: dict[str, Saves]
    unknown_models: list[str]
    cache: Object | None
    not_judged: list[NotJudged]


class SpendSuggest(Answer, Opportunities):
    """`cockpit spend suggest --json`."""

    routes: list[Object]
    roi: Object | None
    tables: Object


class ReportRow(TypedDict):
    """One key's dollars in the report."""

    key: str
    usd: float
    calls: int
    average: float | None
    tokens: int
    unpriced_tokens: int
    floor: bool
    basis: MoneyBasis


class ReportWindow(TypedDict):
    """One budget window in the report."""

    usd: float
    floor: bool
    percent: float | None
    level: Level
    projected: float | None
    breach_at: str | None


class ReportProjection(TypedDict):
    """What the month will cost."""

    usd: float | None
    low: float | None
    high: float | None
    basis: MoneyBasis


class ReportSummary(TypedDict):
    """The four windows and the month's projection."""

    day: ReportWindow
    week: ReportWindow
    month: ReportWindow
    session: NotRequired[ReportWindow]
    projected: ReportProjection | None
    burning: bool


class SpendReport(Answer):
    """`cockpit spend report --json`."""

    summary: ReportSummary
    total: ReportRow
    by_model: list[ReportRow]
    by_task_type: list[ReportRow]
    by_category: list[ReportRow]
    by_feature: list[ReportRow]
    by_hour: list[ReportRow]
    operations: list[Object]
    anomalies: list[Object]
    more_anomalies: int
    anomaly_rule: Object
    trends: Object
    opportunities: Opportunities


class SpendEstimate(Answer):
    """`cockpit spend estimate --json`."""

    calls: int
    usd: float
    low: float | None
    high: float | None
    basis: MoneyBasis
    calls_an_hour: float
    usd_a_call: float
    calibrated: list[str]
    features: int
    actual: Object | None


class Explained(TypedDict):
    """Lines or requests of one kind, and why they count as they do."""

    name: str
    count: int
    why: str
    tokens: int | None
    usd: float | None


class SpendExplain(Answer):
    """`cockpit spend explain --json`."""

    files: int
    lines: int
    requests: int
    merged: int
    why_merged: str
    dropped: list[Explained]
    unpriced: list[Explained]
    floors: list[Explained]
    odd: Explained
    without_time: Explained
    own_prices: list[Explained]
    unread: list[str]


class SpendAdd(Answer):
    """`cockpit spend add CATEGORY USD --json`."""

    category: Category
    usd: float
    at: str
    path: str


class SpendExport(Answer):
    """`cockpit spend --export DIR --json`."""

    files: list[str]


class BudgetWindow(TypedDict):
    """A window against its limits, in dollars; None where there is none."""

    window: WindowName
    spent: float
    floor: bool
    soft: float | None
    hard: float | None
    percent: float | None
    level: Level
    projected: float | None
    projected_low: float | None
    projected_high: float | None
    breach_at: str | None
    burning: bool


class BudgetAlert(TypedDict):
    """A threshold that was passed: once a period."""

    window: WindowName
    level: Level
    period: str
    first_seen: str


class Budget(Answer):
    """`cockpit budget --json`."""

    windows: list[BudgetWindow]
    alerts: list[BudgetAlert]
    level: Level


class BudgetSet(Answer):
    """`cockpit budget set WINDOW USD --json`."""

    window: WindowName
    soft: float
    hard: float | None
    block_on_limit: bool
    path: str


class BudgetCheck(Answer):
    """`cockpit budget check --cost USD --json`."""

    fits: bool
    cost: float
    priority: Priority
    refused: list[str]
    warned: list[str]


class BudgetNotify(Answer):
    """`cockpit budget notify --json`."""

    to: str | None
    payload: Object
    sent: bool


class Limit(TypedDict):
    """A vendor's own usage window, with its source and age."""

    agent: Agent
    window: str
    model: str | None
    percent: float | None
    resets_at: str | None
    basis: Literal["vendor", "computed"]
    source: str
    at: str | None
    age_seconds: int
    usd: float | None
    tokens: int | None


class Limits(Answer):
    """`cockpit limits --json`."""

    limits: list[Limit]
