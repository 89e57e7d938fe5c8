"""The ledger: every response with its price, and sums of them by time, model, session, branch or repository.

Amounts are whole picodollars, so that each grouping sums to the same total; rows are rounded to microdollars
so that they still do.
"""

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeVar

from cockpit.agents.claude_line import Record
from cockpit.agents.claude_usage import ClaudeUsage
from cockpit.spend.models import Billed, SpendRow, Tokens
from cockpit.spend.places import UNATTRIBUTED, Places
from cockpit.spend.prices import PICO, Prices

K = TypeVar("K", bound=Hashable)
KeyOf = Callable[[Record, str], K]

TIME_GROUPS = ("hour", "day", "week", "month")
GROUPS = ("total", *TIME_GROUPS, "model", "agent", "session", "branch", "repo")
_BILLED_GROUPS = ("total", "agent", "session")
_MICRO = PICO // 10**6
_QUARTER_MS = 900_000
AGENT = "claude"


class Labels(NamedTuple):
    """The local hour, day, ISO week and month of a moment, as keys that sort by time."""

    hour: str
    day: str
    week: str
    month: str


UNKNOWN_TIME = Labels("unknown", "unknown", "unknown", "unknown")


class Calendar:
    """Local time labels of moments in milliseconds since 1970 UTC, remembered by quarter of an hour."""

    def __init__(self) -> None:
        self._known: dict[int, Labels] = {}

    def labels(self, at: int | None) -> Labels:
        """The labels of `at`; all `unknown` where there is no time."""
        if at is None:
            return UNKNOWN_TIME
        quarter = at // _QUARTER_MS  # every zone's offset is a multiple of it
        known = self._known.get(quarter)
        if known is None:
            try:
                local = time.localtime(quarter * 900)
                known = _labels(local)
            except (OverflowError, ValueError, OSError):
                known = UNKNOWN_TIME
            self._known[quarter] = known
        return known


def _labels(local: time.struct_time) -> Labels:
    day = f"{local.tm_year:04d}-{local.tm_mon:02d}-{local.tm_mday:02d}"
    year, week, _ = datetime(local.tm_year, local.tm_mon, local.tm_mday).isocalendar()
    return Labels(f"{day}T{local.tm_hour:02d}:00", day, f"{year:04d}-W{week:02d}", day[:7])


@dataclass(frozen=True, slots=True)
class Scope:
    """Which responses count: those made in `places`, from `since` and before `until` (ms since 1970 UTC)."""

    places: Places
    since: int | None = None
    until: int | None = None

    def holds(self, record: Record) -> bool:
        if self.since is not None and (record.at is None or record.at < self.since):
            return False
        if self.until is not None and (record.at is None or record.at >= self.until):
            return False
        return self.places.inside(record.cwd)


@dataclass(slots=True)
class Sum:
    """Counts and picodollars of some responses. `floors` counts those whose usage never became final."""

    requests: int = 0
    input: int = 0
    output: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    cache_read: int = 0
    reasoning: int = 0
    pico: int = 0
    unpriced_tokens: int = 0
    floors: int = 0

    def add(self, other: "Sum") -> None:
        self.requests += other.requests
        self.input += other.input
        self.output += other.output
        self.cache_write_5m += other.cache_write_5m
        self.cache_write_1h += other.cache_write_1h
        self.cache_read += other.cache_read
        self.reasoning += other.reasoning
        self.pico += other.pico
        self.unpriced_tokens += other.unpriced_tokens
        self.floors += other.floors

    def row(self, key: str, *, micro: int | None = None, billed: Billed | None = None) -> SpendRow:
        """The row of these sums; `micro`: its amount in microdollars where it was rounded with others."""
        tokens = Tokens(
            self.input, self.output, self.cache_write_5m, self.cache_write_1h, self.cache_read, self.reasoning
        )
        amount = _rounded(self.pico) if micro is None else micro
        return SpendRow(
            key,
            self.requests,
            tokens,
            amount / 10**6,
            "computed",
            self.unpriced_tokens,
            self.floors > 0,
            billed,
        )


class Ledger:
    """The responses of all transcripts with their prices. `read` takes in what is new."""

    def __init__(self, usage: ClaudeUsage, prices: Prices | None = None) -> None:
        self.usage = usage
        self.prices = prices or Prices()
        self.calendar = Calendar()
        self._costs: dict[str, int | None] = {}

    def read(self, paths: Iterable[str] | None = None) -> bool:
        """Read what is new in `paths` (default: in every transcript). True where some response changed."""
        changed = self.usage.read_all() if paths is None else self.usage.read(paths)
        for key in changed:
            self._costs.pop(key, None)
        return bool(changed)

    def selected(self, scope: Scope) -> Iterator[tuple[str, Record]]:
        """The responses in `scope`, with their keys."""
        holds = scope.holds
        return ((key, record) for key, record in self.usage.records.items() if holds(record))

    def cost(self, key: str, record: Record) -> int | None:
        """Picodollars of the response without its advisors; None: its model has no known price."""
        try:
            return self._costs[key]
        except KeyError:
            found = self._costs[key] = self.prices.cost(record)
            return found

    def sums(self, scope: Scope, key_of: KeyOf[K]) -> dict[K, Sum]:
        """Sums of the responses in `scope` by `key_of(record, model)`."""
        found: dict[K, Sum] = {}
        final, cost_of = self.usage.final, self.cost
        for key, record in self.selected(scope):
            group = key_of(record, record.model)
            into = found.get(group)
            if into is None:
                into = found[group] = Sum()
            into.requests += 1
            into.input += record.input
            into.output += record.output
            into.cache_write_5m += record.cache_write_5m
            into.cache_write_1h += record.cache_write_1h
            into.cache_read += record.cache_read
            into.reasoning += record.reasoning
            into.floors += key not in final
            cost = cost_of(key, record)
            if cost is None:
                into.unpriced_tokens += _tokens(record)
            else:
                into.pico += cost
            if record.advisors:
                self._add_advisors(record, key_of, found)
        return found

    def _add_advisors(self, record: Record, key_of: KeyOf[K], found: dict[K, Sum]) -> None:
        for model, *counts in record.advisors:
            into = found.setdefault(key_of(record, model), Sum())
            fresh, out, write_5m, write_1h, read = counts
            cost = self.prices.tokens_cost(model, record.at, (fresh, out, write_5m, write_1h, read))
            into.add(Sum(0, fresh, out, write_5m, write_1h, read, 0, cost or 0, sum(counts) if cost is None else 0))

    def rows(self, by: str, scope: Scope) -> tuple[list[SpendRow], SpendRow]:
        """Rows of `cockpit spend --by BY` and their total: times in order, everything else dearest first."""
        groups = self.sums(scope, self._key_of(by, scope.places))
        whole = Sum()
        for part in groups.values():
            whole.add(part)
        billed, said_by, of = self._billed(scope)
        total = whole.row("total", billed=_billed_row(billed, said_by, of))
        micro = _apportioned({key: part.pico for key, part in groups.items()})
        rows = []
        for key, part in groups.items():
            own = total.billed if by in ("total", "agent") else None
            if by == "session":
                own = _billed_row(billed, said_by & {key}, 1)
            rows.append(part.row(key, micro=micro[key], billed=own))
        if by in TIME_GROUPS:
            rows.sort(key=lambda row: (row.key == "unknown", row.key))
        else:
            rows.sort(key=lambda row: (-row.usd, -row.tokens.total, row.key))
        return rows, total

    def _key_of(self, by: str, places: Places) -> KeyOf[str]:
        labels = self.calendar.labels
        if by in TIME_GROUPS:
            index = TIME_GROUPS.index(by)
            return lambda record, _: labels(record.at)[index]
        makers: dict[str, KeyOf[str]] = {
            "total": lambda _record, _model: "total",
            "agent": lambda _record, _model: AGENT,
            "model": lambda _record, model: model,
            "session": lambda record, _: record.session or UNATTRIBUTED,
            "branch": lambda record, _: record.branch or UNATTRIBUTED,
            "repo": lambda record, _: places.name_of(record.cwd),
        }
        return makers[by]

    def _billed(self, scope: Scope) -> tuple[dict[str, int], set[str], int]:
        """Billed picodollars by session, the sessions of `scope` that have such a figure, of how many.

        A billed figure has no times and no places in it: a session counts only where all of it is in the scope.
        """
        inside = Counter(record.session for _, record in self.selected(scope))
        billed = self.billed_by_session()
        whole = Counter(record.session for record in self.usage.records.values() if record.session in billed)
        return billed, {name for name in billed if inside[name] and inside[name] == whole[name]}, len(inside)

    def billed_by_session(self) -> dict[str, int]:
        """What each session says it was billed (its last cost-state), plus the price of what came later."""
        found: dict[str, int] = {}
        for transcript in self.usage.files.values():
            if transcript.billed is not None:
                amount = round(transcript.billed * 10**6) * _MICRO
                amount += sum(self._cost_with_advisors(key) for key in transcript.after)
                amount += self._later_subagents(transcript.billed_session, transcript.before, transcript.after)
                name = transcript.billed_session
                found[name] = max(amount, found.get(name, 0))
        return found

    def _later_subagents(self, session: str, before: set[str], after: dict[str, int | None]) -> int:
        start = next(iter(after.values()), None)
        if start is None:
            return 0
        return sum(
            self._cost_with_advisors(key)
            for key, record in self.usage.records.items()
            if record.session == session
            and record.at is not None
            and record.at > start
            and key not in before
            and key not in after
        )

    def _cost_with_advisors(self, key: str) -> int:
        record = self.usage.records.get(key)
        if record is None:
            return 0
        advisors = (
            self.prices.tokens_cost(model, record.at, (fresh, out, short, hour, read)) or 0
            for model, fresh, out, short, hour, read in record.advisors
        )
        return (self.cost(key, record) or 0) + sum(advisors)


def _tokens(record: Record) -> int:
    writes = record.cache_write_5m + record.cache_write_1h
    return record.input + record.output + writes + record.cache_read


def _rounded(pico: int) -> int:
    return (pico + _MICRO // 2) // _MICRO


def _apportioned(parts: dict[str, int]) -> dict[str, int]:
    """Picodollars as microdollars whose sum is the rounded sum: the largest remainders are rounded up."""
    floors = {key: pico // _MICRO for key, pico in parts.items()}
    missing = _rounded(sum(parts.values())) - sum(floors.values())
    for key in sorted(parts, key=lambda key: (-(parts[key] % _MICRO), key))[:missing]:
        floors[key] += 1
    return floors


def _billed_row(billed: dict[str, int], said_by: set[str], of: int) -> Billed | None:
    if not said_by:
        return None
    return Billed(_rounded(sum(billed[name] for name in said_by)) / 10**6, len(said_by), of)
