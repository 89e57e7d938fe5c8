"""Sums of the ledger's cells by one of their columns, worked out where they lie: only the sums leave the database."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from cockpit.spend.book import UNKNOWN_QUARTER
from cockpit.spend.calendar import QUARTER_MS, TIME_GROUPS, Calendar
from cockpit.spend.places import UNATTRIBUTED, Places
from cockpit.spend.prices import PICO
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


def aggregated(
    database: sqlite3.Connection, domains: Sequence[int], columns: str, scope: Scope
) -> list[tuple[Any, ...]] | None:
    """Sums of the cells of `domains` in `scope` by `columns`; None where the scope cuts a quarter of an hour in two."""
    since, until = scope.since, scope.until
    if (since or 0) % QUARTER_MS or (until or 0) % QUARTER_MS:
        return None
    first = -_ENDS if since is None else since // QUARTER_MS
    end = _ENDS if until is None else until // QUARTER_MS
    if since is not None or until is not None:
        first = max(first, UNKNOWN_QUARTER + 1)
    places = [cwd for (cwd,) in database.execute("SELECT DISTINCT cwd FROM origins") if scope.places.inside(cwd)]
    words = f"""SELECT {columns}, SUM(requests), SUM(input), SUM(output), SUM(cache_write_5m), SUM(cache_write_1h),
        SUM(cache_read), SUM(reasoning), SUM(dollars), SUM(pico), SUM(unpriced), SUM(requests * open), SUM(1 - billed)
        FROM origins JOIN cells ON origin = origins.id WHERE domain IN (SELECT value FROM json_each(?))
        AND cwd IN (SELECT value FROM json_each(?)) AND quarter >= ? AND quarter < ? GROUP BY {columns}"""
    return database.execute(words, (json.dumps(list(domains)), json.dumps(places), first, end)).fetchall()


def sum_of(counts: Sequence[int]) -> Sum:
    """What `aggregated` says after its columns, as a sum."""
    requests, fresh, out, short, hour, read, reasoning, dollars, pico, unpriced, floors, computed = counts
    amount = dollars * PICO + pico
    return Sum(requests, fresh, out, short, hour, read, reasoning, amount, unpriced, floors, computed)


def column_of(database: sqlite3.Connection, by: str, calendar: Calendar) -> str:
    """What cells are grouped by for the rows of `by`: never one value for several rows."""
    if by not in TIME_GROUPS:
        return _COLUMNS.get(by, "domain")
    index = TIME_GROUPS.index(by)

    def label(quarter: int) -> str:
        return calendar.of_quarter(None if quarter == UNKNOWN_QUARTER else quarter)[index]

    database.create_function("label", 1, label, deterministic=True)
    return "label(quarter)"


def name_of(by: str, value: Any, agents: Mapping[int, str], places: Places) -> str:
    """The row that a value of `column_of` belongs to."""
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


def feature_of(branch: str) -> str:
    """The feature that work on `branch` belongs to: the branch itself; a detached head belongs to none."""
    return UNATTRIBUTED if branch in ("", "HEAD") else branch
