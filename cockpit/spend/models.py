"""Tokens and dollars as the budget pane and `cockpit spend` show them."""

from datetime import datetime
from typing import Literal

from skills.record import record
from skills.spending.amount import Amount
from skills.spending.limits import Level, Limits, WindowName

Basis = Literal["computed", "estimated", "billed"]


@record
class Tokens:
    """Token counts by kind. Reasoning is a part of output and not in the total."""

    input: int = 0
    output: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    cache_read: int = 0
    reasoning: int = 0

    @property
    def total(self) -> int:
        """Tokens of all kinds; reasoning is a part of output."""
        return self.input + self.output + self.cache_write_5m + self.cache_write_1h + self.cache_read

    @property
    def kinds(self) -> tuple[int, int, int, int, int]:
        """The kinds that a price list has a price for each of, in its order."""
        return (self.input, self.output, self.cache_write_5m, self.cache_write_1h, self.cache_read)

    @property
    def prompt(self) -> int:
        """What was sent: fresh, written to a cache, or read from one."""
        return self.input + self.cache_write_5m + self.cache_write_1h + self.cache_read

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(
            self.input + other.input,
            self.output + other.output,
            self.cache_write_5m + other.cache_write_5m,
            self.cache_write_1h + other.cache_write_1h,
            self.cache_read + other.cache_read,
            self.reasoning + other.reasoning,
        )


NO_TOKENS = Tokens()


@record
class Billed:
    """What the agents themselves say they were billed, for `sessions` of `of` sessions."""

    usd: float
    sessions: int
    of: int


@record
class SpendRow:
    """One row of `cockpit spend`. `floor` is True where some usage never became final (show `≥`)."""

    key: str
    requests: int
    tokens: Tokens
    usd: float
    basis: Basis
    unpriced_tokens: int
    floor: bool
    billed: Billed | None

    @property
    def amount(self) -> Amount:
        """Its dollars; a floor too where some of its tokens have no price."""
        return Amount(self.usd, self.floor or self.unpriced_tokens > 0)


@record
class BudgetWindow:
    """Spent against a budget. `percent` is of `counted`; None where there is no limit. `floor`: at least so much,
    as some usage never became final or has no price."""

    window: WindowName
    spent: float
    soft: float | None
    hard: float | None
    percent: float | None
    level: Level
    projected: float | None = None
    breach_at: datetime | None = None
    floor: bool = False

    @property
    def limits(self) -> Limits:
        """Its limits."""
        return Limits(self.soft, self.hard)

    @property
    def counted(self) -> float | None:
        """As `Limits.counted`."""
        return self.limits.counted


@record
class UsageLimit:
    """A usage window of a vendor's plan: its share used as the vendor stated it `at` that time, or a computed block.

    `percent` is None for what is computed: what the plan allows is not known then. `model` where only it counts.
    """

    agent: str
    window: str
    percent: float | None
    resets_at: datetime
    at: datetime
    source: str
    basis: Literal["vendor", "computed"] = "vendor"
    model: str | None = None
    usd: float | None = None
    tokens: int | None = None


@record
class ContextPace:
    """How a session goes on, computed from its last requests.

    `tokens_per_turn` is what a request adds to the context. The cache lives until `cache_until` if nothing is asked;
    `next_usd` is what the next request costs before that, `next_usd_cold` after it. None where it is not known.
    """

    session: str
    tokens_per_turn: float | None = None
    cache_until: datetime | None = None
    cache_kind: Literal["5m", "1h"] | None = None
    next_usd: float | None = None
    next_usd_cold: float | None = None


@record
class SpendSnapshot:
    """Everything that the budget pane shows, for one repository (or all, by `scope`).

    `by_model` is this month's, dearest first. `burn_per_hour` is dollars an hour over the last 60 minutes,
    None where nothing was spent in them. `daily` is the last 14 days, oldest first. `by_session` leaves out
    sessions that used only models without a known price. `loading` is the share read while the first read
    runs, None once it is done. `note` says what a person should know (polling, for example).
    `limits` are what vendors stated of their usage windows. `by_branch` is this month's, without what has no price.
    `periods` is the period that each budget window stands for.
    """

    today: SpendRow | None = None
    month: SpendRow | None = None
    windows: tuple[BudgetWindow, ...] = ()
    by_model: tuple[SpendRow, ...] = ()
    daily: tuple[tuple[str, float], ...] = ()
    burn_per_hour: float | None = None
    by_session: tuple[tuple[str, Amount], ...] = ()
    scope: str = ""
    at: datetime | None = None
    loading: float | None = None
    unread: tuple[str, ...] = ()
    unpriced_models: tuple[str, ...] = ()
    note: str = ""
    limits: tuple[UsageLimit, ...] = ()
    paces: tuple[ContextPace, ...] = ()
    by_branch: tuple[tuple[str, Amount], ...] = ()
    periods: tuple[tuple[str, str], ...] = ()

    @property
    def daily_total(self) -> float:
        """Dollars of the last 14 days."""
        return sum(usd for _, usd in self.daily)
