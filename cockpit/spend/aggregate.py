"""Sums of the ledger's cells by one of their columns, worked out where they lie: only the sums leave the database."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cockpit.spend.book import UNKNOWN_QUARTER
from cockpit.spend.calendar import QUARTER_MS, TIME_GROUPS, Calendar
from cockpit.spend.groups import feature_of
from cockpit.spend.models import Tokens
from cockpit.spend.places import UNATTRIBUTED, Places
from cockpit.spend.price_table import PICO
from cockpit.spend.sums import Scope, Sum
from skills.spending.work import work_of

_ENDS = 1 << 60
_COLUMNS = {
    "model": "model",
    "session": "session",
    "branch": "branch",
    "repo": "cwd",
    "feature": "branch",
    "task": "branch",
}
_UNNAMED = ("session", "branch")  # an empty value of theirs belongs to nothing
_QUARTERS = {"hour": 4, "day": 96, "week": 96, "month": 96}  # of one row or less
_POSITIVE = 10**8  # days, or hours: before them the database would round up
_SUMS = """SUM(requests), SUM(input), SUM(output), SUM(cache_write_5m), SUM(cache_write_1h), SUM(cache_read),
    SUM(reasoning), SUM(dollars), SUM(pico), SUM(unpriced), SUM(requests * open), SUM(1 - billed)"""


class Column(NamedTuple):
    """What cells are grouped by, never one value for several rows, and what says which row the value belongs to."""

    group: str
    value: str


def aggregated(
    database: sqlite3.Connection, domains: Sequence[int], column: Column, scope: Scope, sums: str = _SUMS
) -> list[tuple[Any, ...]] | None:
    """`sums` of the cells of `domains` in `scope`; None where the scope cuts a quarter of an hour in two."""
    since, until = scope.since, scope.until
    if (since or 0) % QUARTER_MS or (until or 0) % QUARTER_MS:
        return None
    first = -_ENDS if since is None else since // QUARTER_MS
    end = _ENDS if until is None else until // QUARTER_MS
    if since is not None or until is not None:
        first = max(first, UNKNOWN_QUARTER + 1)
    places = [cwd for (cwd,) in database.execute("SELECT DISTINCT cwd FROM origins") if scope.places.inside(cwd)]
    # cockpit: ignore[raw-sql-interpolation] columns and sums are written by the callers, never by a person
    words = f"""SELECT {column.value}, {sums} FROM origins JOIN cells ON origin = origins.id
        WHERE domain IN (SELECT value FROM json_each(?)) AND cwd IN (SELECT value FROM json_each(?))
        AND quarter >= ? AND quarter < ? GROUP BY {column.group}"""
    return database.execute(words, (json.dumps(list(domains)), json.dumps(places), first, end)).fetchall()


def counted(database: sqlite3.Connection, domains: Sequence[int], scope: Scope) -> list[tuple[Any, ...]] | None:
    """Domain, session and how many responses it has in `scope`; None as `aggregated`."""
    return aggregated(database, domains, Column("domain, session", "domain, session"), scope, "SUM(requests)")


def sum_of(counts: Sequence[int]) -> Sum:
    """What `aggregated` says after its value, as a sum."""
    requests, fresh, out, short, hour, read, reasoning, dollars, pico, unpriced, floors, computed = counts
    tokens = Tokens(fresh, out, short, hour, read, reasoning)
    return Sum(requests, tokens, dollars * PICO + pico, unpriced, floors, computed)


def column_of(database: sqlite3.Connection, by: str, calendar: Calendar) -> Column:
    """What cells are grouped by for the rows of `by`."""
    if by not in TIME_GROUPS:
        column = _COLUMNS.get(by, "domain")
        return Column(column, column)
    words = "SELECT MIN(quarter), MAX(quarter) FROM cells WHERE quarter > ?"
    first, last = database.execute(words, (UNKNOWN_QUARTER,)).fetchone()
    ahead = None if first is None else calendar.ahead(first, last)
    if ahead is None:
        return Column("quarter", "quarter")
    (_, shift), *later = ahead
    local = f"quarter + {shift}"
    for start, shift in later:
        local = f"CASE WHEN quarter < {start} THEN {local} ELSE quarter + {shift} END"
    length = _QUARTERS[by]
    return Column(f"({local} + {_POSITIVE * length}) / {length}", "MIN(quarter)")


def row_of(by: str, value: Any, agents: Mapping[int, str], places: Places, calendar: Calendar) -> str:
    """The row that a value of `column_of` belongs to."""
    if by in TIME_GROUPS:
        return calendar.of_quarter(None if value == UNKNOWN_QUARTER else value)[TIME_GROUPS.index(by)]
    if by == "agent":
        return agents[value]
    if by == "feature":
        return feature_of(value)
    if by == "task":
        return work_of(value)
    if by == "repo":
        return places.name_of(value)
    if by in _UNNAMED:
        return value or UNATTRIBUTED
    return {"total": "total", "category": "llm"}.get(by) or str(value)
