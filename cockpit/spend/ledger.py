"""The ledger: every response with its price, and sums of them by time, model, session, branch or repository.

Amounts are whole picodollars, so that each grouping sums to the same total; rows are rounded to microdollars
so that they still do.
"""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from cockpit.agents.source import Reader, Source
from cockpit.clock import at_seconds
from cockpit.spend.aggregate import aggregated, column_of, counted, row_of, sum_of
from cockpit.spend.amounts import are_current, remember, remembered, work_out_again
from cockpit.spend.book import CELLS, EACH, UNKNOWN_QUARTER
from cockpit.spend.calendar import QUARTER_MS, Calendar
from cockpit.spend.groups import K, KeyOf, key_of
from cockpit.spend.intake import AgentFiles, name_of, take_in
from cockpit.spend.models import Tokens
from cockpit.spend.overrides import Overrides
from cockpit.spend.price_table import PICO
from cockpit.spend.prices import Prices
from cockpit.spend.schema import OtherForm
from cockpit.spend.shelf import Shelf
from cockpit.spend.store import Store
from cockpit.spend.sums import PERSON, Cell, Origin, Scope, Sum, inside, within

Answer = TypeVar("Answer")

_MANY = 32  # files that make a long read
_FULL = ("full", "readonly", "read-only", "disk i/o", "unable to open")


class Ledger:
    """The responses of all agents with their prices. `read` takes in what is new. Not for several threads at once.

    `entries` are amounts that a person added: they are summed with the rest. `others` counts how often another cockpit
    was seen to have written.
    """

    def __init__(
        self,
        readers: Sequence[Reader],
        store: Store | None = None,
        entries: Sequence[Cell] = (),
        overrides: Overrides | None = None,
    ) -> None:
        self.readers = tuple(readers)
        self.store = store or Store.open(None)
        self.entries = tuple(entries)
        self.overrides = overrides or Overrides()
        self.calendar = Calendar()
        self._agents: list[AgentFiles] = []
        self.others = 0
        self._version = -1
        self._cells: list[Cell] | None = None
        self._origins: dict[int, Origin] = {}
        self._prices: Prices | None = None
        self._priced = False

    def close(self) -> None:
        """Let go of the file; done at the end of the process as well."""
        self.store.close()

    def leave(self) -> None:
        """As `close`, by a process that ends at once."""
        self.store.leave()

    @property
    def unreadable(self) -> dict[str, tuple[str, str]]:
        """Files that could not be read: the agent and why."""
        return {path: (reader.agent, why) for reader in self.readers for path, why in sorted(reader.unreadable.items())}

    def pending(self) -> list[tuple[str, int]]:
        """Files that have something new, and how many bytes: the most recently written first."""
        return self._guarded(self._pending)

    def read(self, paths: Iterable[str] | None = None) -> set[str]:
        """Read what is new in `paths` (default: in every file). Returns the keys of the responses that changed."""
        chosen = None if paths is None else list(paths)
        return self._guarded(lambda: self._read(chosen))

    def files(self, agent: str | None = None) -> Iterator[Source]:
        """Every file that was read, of all agents or of one."""
        try:
            found = self._files(agent)
        except OtherForm:
            self._go_without()
            self._read(None)
            found = self._files(agent)
        yield from found

    def _files(self, agent: str | None) -> list[Source]:
        return [
            source for reader, _, shelf in self.shelves() if agent in (None, reader.agent) for source in shelf.all()
        ]

    def agents(self) -> list[str]:
        """The agents that have files in the ledger."""
        self._enter()
        return sorted(entry.reader.agent for entry in self._agents if entry.stamps)

    def count_files(self) -> int:
        """How many files were read."""
        self._enter()
        return sum(len(entry.stamps) for entry in self._agents)

    def folders(self) -> dict[str, datetime | None]:
        """The folders in which responses were made, and when the last one was (to a quarter of an hour)."""
        self._enter()
        words = """SELECT cwd, MAX(quarter) FROM origins JOIN cells ON origin = origins.id
            WHERE domain IN (SELECT value FROM json_each(?)) AND cwd != '' GROUP BY cwd"""
        rows = self._rows(words, json.dumps(list(self._domains())))
        return {cwd: _time_of(quarter) for cwd, quarter in rows}

    def shelves(self) -> Iterator[tuple[Reader, int, Shelf]]:
        """The files of each agent that has some, with the agent's reader and number in the ledger."""
        self._enter()
        for agent in self._agents:
            if agent.domain:
                yield agent.reader, agent.domain, Shelf(self.store, agent.domain)

    def _guarded(self, answer: Callable[[], Answer]) -> Answer:
        try:
            return answer()
        except sqlite3.DatabaseError as problem:
            full = isinstance(problem, sqlite3.OperationalError) and any(word in str(problem) for word in _FULL)
            if full and self.store.path is not None:
                self.store = self.store.copy(f"the ledger cannot be written ({problem}): it is kept in memory")
            elif self.store.path is not None:
                self.store = self.store.rebuilt()
            else:
                raise
        except OtherForm:
            self._go_without()
        self._version, self._cells, self._prices = -1, None, None
        return answer()

    def _go_without(self) -> None:
        """From now on without the file, whose rows are of another version."""
        self.store = self.store.without()
        self._version, self._cells, self._prices = -1, None, None

    def _enter(self) -> bool:
        """Look whether another cockpit has written, and forget what is no longer so. True where one has."""
        version = self.store.version()
        if version == self._version:
            return False
        self._version = version
        self.others += 1
        self._cells = None
        self._priced = False
        self._prices = None
        self._origins.clear()
        known = {(agent, roots): number for number, agent, roots in self._rows("SELECT id, agent, roots FROM domains")}
        self._agents = []
        for reader in self.readers:
            number = known.get((reader.agent, name_of(reader)), 0)
            self._agents.append(AgentFiles(reader, number, Shelf(self.store, number).stamps() if number else {}))
        return True

    def _rows(self, words: str, *values: object) -> list[tuple[Any, ...]]:
        return self.store.connection.execute(words, values).fetchall()

    def _pending(self) -> list[tuple[str, int]]:
        self._enter()
        return [(path, size) for _, path, size, _ in self._new_files()]

    def _new_files(self) -> list[tuple[int, str, int, AgentFiles]]:
        found: list[tuple[int, str, int, AgentFiles]] = []
        for agent in self._agents:
            agent.reader.unreadable.clear()
            for path, stamp in agent.reader.sources():
                known = agent.stamps.get(path)
                if known != stamp:
                    size = stamp.size - (known.size if known and known.inode == stamp.inode else 0)
                    found.append((stamp.mtime_ns, path, max(0, size), agent))
        return sorted(found, key=lambda entry: (-entry[0], entry[1]))

    def _read(self, paths: list[str] | None) -> set[str]:
        self._enter()
        chosen = self._chosen(paths)
        if not chosen and self._are_priced():
            return set()
        with self.store.writing() as alone:
            if alone:
                return self._take_in(paths, chosen)
        self.store = self.store.copy("another cockpit is writing the ledger: this one works on a copy")
        self._version = -1
        with self.store.writing():
            return self._take_in(paths, chosen)

    def _chosen(self, paths: list[str] | None) -> list[tuple[AgentFiles, str, int]]:
        """The files to be read, with what is new in them in bytes where that was looked up."""
        if paths is None:
            return [(agent, path, size) for _, path, size, agent in self._new_files()]
        return [(agent, path, 0) for path in paths for agent in self._agents if agent.reader.owns(path)]

    def _take_in(self, paths: list[str] | None, chosen: list[tuple[AgentFiles, str, int]]) -> set[str]:
        """Read inside of a transaction: what other cockpits wrote before it is seen."""
        if self._enter():
            chosen = self._chosen(paths)
        if not self._are_priced():
            self._prices = work_out_again(self.store.connection, self.overrides)
            self._priced, self._cells = True, None
        changed: set[str] = set()
        with self._price_table(len(chosen)):
            for agent in self._agents:
                mine = [(path, size) for other, path, size in chosen if other is agent]
                if mine:
                    changed |= take_in(agent, mine, self.store, self.prices)
        remember(self.store.connection, self.prices)
        if chosen:
            self._cells = None
            self._origins.clear()
        return changed

    @property
    def prices(self) -> Prices:
        """The price table with the rates that the ledger remembers."""
        if self._prices is None:
            self._prices = remembered(self.store.connection, self.overrides)
        return self._prices

    def _price_table(self, files: int) -> contextlib.AbstractContextManager[None]:
        """Where much is read and no price is known yet, the table is imported meanwhile."""
        if self.prices.known or files < _MANY:
            return contextlib.nullcontext()
        from cockpit.spend.price_process import imported_meanwhile

        return imported_meanwhile(self.prices)

    def _are_priced(self) -> bool:
        self._priced = self._priced or are_current(self.store.connection, self.overrides)
        return self._priced

    def cells(self, scope: Scope) -> Iterator[Cell]:
        """The cells in `scope`, with what a person added."""
        self._enter()
        return inside((*self._selected(scope), *within(self.entries, scope)), scope.places)

    def responses(self, scope: Scope) -> Iterator[Cell]:
        """Every response in `scope` as a cell of its own, with its time, and what a person added."""
        self._enter()
        first = -(1 << 60) if scope.since is None else scope.since
        end = 1 << 60 if scope.until is None else scope.until
        timeless = "" if scope.since is not None or scope.until is not None else " OR at IS NULL"
        rows = self._rows(f"{EACH} WHERE at >= ? AND at < ?{timeless}", first, end)
        return inside((*self._made(rows), *within(self.entries, scope)), scope.places)

    def _selected(self, scope: Scope) -> list[Cell]:
        since, until = scope.since, scope.until
        if since is None and until is None:
            if self._cells is None:
                self._cells = self._made(self._rows("SELECT * FROM cells"))
            return self._cells
        first = -(1 << 60) if since is None else since
        end = 1 << 60 if until is None else until
        if (since is None or since % QUARTER_MS == 0) and (until is None or until % QUARTER_MS == 0):
            whole = self._selected(Scope(scope.places))
            return [cell for cell in whole if cell.quarter is not None and first <= cell.quarter * QUARTER_MS < end]
        near = "SELECT origin FROM cells WHERE quarter BETWEEN ? AND ?"
        words = f"{CELLS} WHERE at >= ? AND at < ? AND origin IN ({near}) GROUP BY 1, 2"
        return self._made(self._rows(words, first, end, first // QUARTER_MS, end // QUARTER_MS))

    def _made(self, rows: list[tuple[Any, ...]]) -> list[Cell]:
        if rows and not self._origins:
            self._load_origins()
        origins = self._origins
        made: list[Cell] = []
        for number, quarter, requests, fresh, out, short, hour, read, reasoning, dollars, pico, *more in rows:
            origin = origins.get(number)
            if origin is not None:
                at = None if quarter == UNKNOWN_QUARTER else quarter
                tokens = Tokens(fresh, out, short, hour, read, reasoning)
                made.append(Cell(origin, at, requests, tokens, dollars * PICO + pico, *more))
        return made

    def _load_origins(self) -> None:
        agents = {agent.domain: agent.reader.agent for agent in self._agents if agent.domain}
        words = "SELECT id, domain, session, cwd, branch, model, sidechain, open, billed, provider, fast FROM origins"
        for number, domain, session, cwd, branch, model, side, still_open, billed, provider, fast in self._rows(words):
            if domain in agents:
                self._origins[number] = Origin(
                    *(agents[domain], session, cwd, branch, model, bool(side), bool(still_open), bool(billed)),
                    *("llm", "", provider, bool(fast)),
                )

    def sums(self, scope: Scope, group_of: KeyOf[K]) -> dict[K, Sum]:
        """Sums of the responses in `scope` by `group_of(cell)`."""
        found: dict[K, Sum] = {}
        for cell in self.cells(scope):
            group = group_of(cell)
            into = found.get(group)
            if into is None:
                into = found[group] = Sum()
            into.add_cell(cell)
        return found

    def requests(self, scope: Scope) -> dict[tuple[str, str], int]:
        """How many responses in `scope` each session of an agent has, by both names."""
        self._enter()
        agents = self._domains()
        rows = counted(self.store.connection, list(agents), scope)
        if rows is None:
            groups = self.sums(scope, lambda cell: (cell.origin.agent, cell.origin.session))
            return {key: part.requests for key, part in groups.items() if key[0] != PERSON}
        return {(agents[domain], session): requests for domain, session, requests in rows}

    def total(self, scope: Scope) -> Sum:
        """The sum of everything in `scope`."""
        return self.sums_by("total", scope).get("total") or Sum()

    def _domains(self) -> dict[int, str]:
        return {agent.domain: agent.reader.agent for agent in self._agents if agent.domain}

    def sums_by(self, by: str, scope: Scope) -> dict[str, Sum]:
        """As `sums` by the key of `by` (any but commits, which `commit_sums` tells), summed where the cells lie."""
        self._enter()
        database, agents = self.store.connection, self._domains()
        column = column_of(database, by, self.calendar)
        rows = aggregated(database, list(agents), column, scope)
        if rows is None:
            return self.sums(scope, key_of(by, self.calendar, scope.places))
        found: dict[str, Sum] = {}
        for value, *counts in rows:
            found.setdefault(row_of(by, value, agents, scope.places, self.calendar), Sum()).add(sum_of(counts))
        name = key_of(by, self.calendar, scope.places)
        for cell in inside(within(self.entries, scope), scope.places):
            found.setdefault(name(cell), Sum()).add_cell(cell)
        return found


def _time_of(quarter: int) -> datetime | None:
    return at_seconds(quarter * QUARTER_MS / 1000) if quarter != UNKNOWN_QUARTER else None
