"""Sums of responses: what is added up, from where, and how it becomes rows that agree to the microdollar."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from cockpit.spend.calendar import QUARTER_MS
from cockpit.spend.models import NO_TOKENS, Billed, SpendRow, Tokens
from cockpit.spend.places import Places
from cockpit.spend.price_table import PICO
from skills.record import record
from skills.spending.amount import Amount

MICRO = PICO // 10**6
PERSON = "person"  # the agent of amounts that a person added


class Origin(NamedTuple):
    """What responses share: who made them, where, with which model.

    `open`: their usage never became final; `billed`: the amount is what was billed, not computed.
    """

    agent: str
    session: str
    cwd: str
    branch: str
    model: str
    sidechain: bool = False
    open: bool = False
    billed: bool = False
    category: str = "llm"
    task: str = ""
    provider: str = ""
    fast: bool = False


class Cell(NamedTuple):
    """The responses of one origin in one quarter of an hour (its number since 1970 UTC, None where unknown).

    Where the cell is a single response, `at` is its time in milliseconds since 1970 UTC.
    """

    origin: Origin
    quarter: int | None
    requests: int
    tokens: Tokens
    pico: int
    unpriced: int
    at: int | None = None


@record
class Scope:
    """Which responses count: those made in `places`, from `since` and before `until` (ms since 1970 UTC)."""

    places: Places
    since: int | None = None
    until: int | None = None


@dataclass(slots=True, eq=False, repr=False)
class Sum:
    """Counts and picodollars of some responses. `floors` counts those whose usage never became final."""

    requests: int = 0
    tokens: Tokens = NO_TOKENS
    pico: int = 0
    unpriced_tokens: int = 0
    floors: int = 0
    computed: int = 0

    def add_cell(self, cell: Cell) -> None:
        """Add the responses of a cell."""
        self.requests += cell.requests
        self.tokens += cell.tokens
        self.pico += cell.pico
        self.unpriced_tokens += cell.unpriced
        if cell.origin.open:
            self.floors += cell.requests
        if not cell.origin.billed:
            self.computed += 1

    def add(self, other: "Sum") -> None:
        """Add another sum."""
        self.requests += other.requests
        self.tokens += other.tokens
        self.pico += other.pico
        self.unpriced_tokens += other.unpriced_tokens
        self.floors += other.floors
        self.computed += other.computed

    @classmethod
    def of(cls, cells: Iterable[Cell]) -> "Sum":
        """The sum of some cells."""
        whole = cls()
        for cell in cells:
            whole.add_cell(cell)
        return whole

    @property
    def amount(self) -> Amount:
        """Dollars to the microdollar; a floor too where some tokens have no price."""
        return Amount(rounded(self.pico) / 10**6, self.floors > 0 or self.unpriced_tokens > 0)

    def row(self, key: str, *, micro: int | None = None, billed: Billed | None = None) -> SpendRow:
        """The row of these sums; `micro`: its amount in microdollars where it was rounded with others."""
        return SpendRow(
            key,
            self.requests,
            self.tokens,
            (rounded(self.pico) if micro is None else micro) / 10**6,
            "billed" if self.pico and not self.computed else "computed",
            self.unpriced_tokens,
            self.floors > 0,
            billed,
        )


def rounded(pico: int) -> int:
    """Picodollars as whole microdollars."""
    return (pico + MICRO // 2) // MICRO


def apportioned(parts: Mapping[str, int], whole: int | None = None) -> dict[str, int]:
    """Picodollars as microdollars whose sum is the rounded sum (or `whole`, where that was rounded with others): the
    largest remainders are rounded up."""
    floors = {key: pico // MICRO for key, pico in parts.items()}
    missing = (rounded(sum(parts.values())) if whole is None else whole) - sum(floors.values())
    for key in sorted(parts, key=lambda key: (-(parts[key] % MICRO), key))[:missing]:
        floors[key] += 1
    return floors


def rows_of(groups: Mapping[str, Sum]) -> list[SpendRow]:
    """Rows whose microdollars sum to those of the whole, dearest first: the one way from sums to what is shown."""
    micro = apportioned({key: part.pico for key, part in groups.items()})
    rows = (part.row(key, micro=micro[key]) for key, part in groups.items())
    return sorted(rows, key=lambda row: (-row.usd, -row.tokens.total, row.key))


def within(entries: Iterable[Cell], scope: Scope) -> Iterator[Cell]:
    """Those of `entries` whose time is in `scope`."""
    for entry in entries:
        at = None if entry.quarter is None else entry.quarter * QUARTER_MS
        early = scope.since is not None and (at is None or at < scope.since)
        late = scope.until is not None and (at is None or at >= scope.until)
        if not early and not late:
            yield entry


def inside(cells: Iterable[Cell], places: Places) -> Iterator[Cell]:
    """Those of `cells` that were made in `places`."""
    known: dict[str, bool] = {}
    for cell in cells:
        cwd = cell.origin.cwd
        held = known.get(cwd)
        if held is None:
            held = known[cwd] = places.inside(cwd)
        if held:
            yield cell
