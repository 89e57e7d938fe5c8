"""The responses of one agent in the ledger: each counted once, whatever the order of files, lines and reads.

The record with the most output tokens wins; what remains equal is decided by the content of the records alone.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from cockpit.agents.record import Advisor, Record, Values, values_of
from cockpit.spend.price_table import PICO
from cockpit.spend.prices import Prices
from cockpit.spend.schema import OtherForm
from cockpit.spend.store import Store

_LATEST = 1 << 62

_WRITE = """INSERT INTO responses (domain, key, part, origin, at, input, output, cache_write_5m, cache_write_1h,
    cache_read, reasoning, web_searches, contested, dollars, pico, advisors, usd)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (domain, key, part) DO UPDATE SET origin = excluded.origin, at = excluded.at, input = excluded.input,
    output = excluded.output, cache_write_5m = excluded.cache_write_5m, cache_write_1h = excluded.cache_write_1h,
    cache_read = excluded.cache_read, reasoning = excluded.reasoning, web_searches = excluded.web_searches,
    contested = excluded.contested, dollars = excluded.dollars, pico = excluded.pico, advisors = excluded.advisors,
    usd = excluded.usd"""
_READ = """SELECT session, cwd, branch, at, model, input, output, cache_write_5m, cache_write_1h, cache_read, reasoning,
    web_searches, fast, sidechain, forked, advisors, provider, usd, subagent, open, contested, origin
    FROM responses JOIN origins ON origins.id = origin WHERE responses.domain = ? AND key = ? AND part = 0"""
_OWN = """SELECT MIN(COALESCE(at, ?)) FROM origins JOIN responses ON origin = origins.id
    WHERE origins.domain = ? AND session = ? AND contested = 0 AND part = 0"""
UNKNOWN_QUARTER = -(1 << 40)
_QUARTER = "(at - (at % 900000 + 900000) % 900000) / 900000"  # rounded down, also before 1970
CELLS = f"""SELECT origin, COALESCE({_QUARTER}, {UNKNOWN_QUARTER}), SUM(part = 0), SUM(input), SUM(output),
    SUM(cache_write_5m), SUM(cache_write_1h), SUM(cache_read), SUM(reasoning), SUM(COALESCE(dollars, 0)),
    SUM(COALESCE(pico, 0)), SUM(CASE WHEN pico IS NULL THEN
        input + output + cache_write_5m + cache_write_1h + cache_read ELSE 0 END)
    FROM responses"""

EACH = f"""SELECT origin, COALESCE({_QUARTER}, {UNKNOWN_QUARTER}), part = 0, input, output, cache_write_5m,
    cache_write_1h, cache_read, reasoning, COALESCE(dollars, 0), COALESCE(pico, 0), CASE WHEN pico IS NULL THEN
        input + output + cache_write_5m + cache_write_1h + cache_read ELSE 0 END, at FROM responses"""

Origin = tuple[str, str, str, str, str, bool, bool, bool, bool, bool, str]


class _Known(NamedTuple):
    """What the ledger holds of a response: its record, and the origin that it was counted in."""

    record: Record
    origin: int


class Book:
    """Takes the records of one domain, and writes what changed when it is told to. One transaction long."""

    def __init__(self, store: Store, domain: int, prices: Prices) -> None:
        self._database = store.connection
        self._domain = domain
        self._prices = prices
        self._records: dict[str, Record] = {}
        self._final: set[str] = set()
        self._rivals: dict[str, dict[str, Record]] = {}
        self._stored: dict[str, _Known] = {}
        self._changed: set[str] = set()
        self._gone: set[str] = set()
        self._names: dict[str, str] = {}
        self._origins: dict[Origin, int] = {}
        # what the ledger holds, where all of it is known: it began empty
        empty = not self._one("SELECT 1 FROM origins WHERE domain = ? LIMIT 1", domain)
        self._written: set[str] | None = set() if empty else None
        self._next_origin = (self._one("SELECT MAX(id) FROM origins") or 0) + 1
        self._sessions: set[str] = set()  # whose origins in the ledger are known

    def __len__(self) -> int:
        return len(self._records)

    def take(self, key: str, record: Record, *, final: bool = True, replace: bool = False) -> None:
        """Add what was read of a response: merged into what is known of it, or in its place with `replace`.

        `final`: its usage will not change any more.
        """
        known = self._records.get(key)
        if known is None:
            known = self._from_store(key)
        if final and key not in self._final:
            self._final.add(key)
            self._changed.add(key)
        if known is None:
            self._gone.discard(key)
            self._put(key, record)
        elif replace:
            if record != known:
                self._put(key, record)
        else:
            self._merge(key, known, record)

    def discard(self, key: str) -> None:
        """Forget a response, in the ledger too with the next `flush`."""
        if self._records.get(key) is None and self._from_store(key) is None:
            return
        del self._records[key]
        self._rivals.pop(key, None)
        self._final.discard(key)
        self._changed.discard(key)
        self._gone.add(key)

    def stored(self, key: str) -> tuple[Record, bool]:
        """The record of a response in the ledger, and whether its usage is final. Raises `KeyError`."""
        if self._from_store(key) is None:
            raise KeyError(key)
        return self._records[key], key in self._final

    def flush(self) -> set[str]:
        """Write what changed. Returns the keys of the responses that did."""
        touched: set[int] = set()
        sessions = self._write(touched)
        changed = self._changed | {key for key in self._gone if key in self._stored}
        contested = {key for key in self._rivals if key in self._changed}
        for held in (self._records, self._final, self._stored, self._rivals):
            held.clear()
        self._changed, self._gone = set(), set()
        if self._written is not None:
            self._written |= changed
        changed |= self._settle_rivals(contested, sessions, touched)
        self._sum_cells(touched)
        return changed

    def _merge(self, key: str, known: Record, record: Record) -> None:
        if record.output != known.output:  # most output wins, whatever else
            if record.output > known.output:
                self._rivals.pop(key, None)
                self._put(key, record)
            return
        old, new = _rank(known), _rank(record)
        if new > old:
            return
        if new == old and record.session != known.session:
            self._add_rival(key, known)
            self._add_rival(key, record)
            return
        if new < old:
            self._rivals.pop(key, None)
        elif key in self._rivals:
            self._add_rival(key, record)
            return
        elif _place(record) >= _place(known):
            return
        self._put(key, record)

    def _put(self, key: str, record: Record) -> None:
        self._records[key] = self._interned(record)
        self._changed.add(key)

    def _add_rival(self, key: str, record: Record) -> None:
        rivals = self._rivals.setdefault(key, {})
        known = rivals.get(record.session)
        if known is None or _place(record) < _place(known):
            rivals[record.session] = self._interned(record)
            self._changed.add(key)

    def _interned(self, record: Record) -> Record:
        name = self._names.setdefault
        record.session = name(record.session, record.session)
        record.cwd = name(record.cwd, record.cwd)
        record.branch = name(record.branch, record.branch)
        record.model = name(record.model, record.model)
        return record

    def _one(self, words: str, *values: object) -> int | None:
        found = self._database.execute(words, values).fetchone()
        return found[0] if found else None

    def _from_store(self, key: str) -> Record | None:
        if key in self._gone or (self._written is not None and key not in self._written):
            return None
        found = self._database.execute(_READ, (self._domain, key)).fetchone()
        if found is None:
            return None
        session, cwd, branch, at, model, fresh, out, short, hour, read, reasoning, searches, *more = found
        fast, side, forked, advisors, provider, usd, subagent, still_open, contested, origin = more
        record = Record(
            *(session, cwd, branch, at, model, fresh, out, short, hour, read, reasoning, searches),
            *(
                bool(fast),
                bool(side),
                bool(forked),
                _unpacked(advisors, tuple[Advisor, ...]) if advisors is not None else (),
            ),
            provider,
            usd,
            subagent,
        )
        self._stored[key] = _Known(record, origin)
        self._records[key] = record
        if not still_open:
            self._final.add(key)
        if contested:
            self._rivals[key] = self._stored_rivals(key)
        return record

    def _stored_rivals(self, key: str) -> dict[str, Record]:
        words = "SELECT session, record FROM rivals WHERE domain = ? AND key = ?"
        rows = self._database.execute(words, (self._domain, key))
        return {session: Record(*_unpacked(blob, Values)) for session, blob in rows}

    def _write(self, touched: set[int]) -> set[str]:
        """Write changed and drop discarded responses. Returns the sessions that gained or lost some."""
        sessions: set[str] = set()
        rows: list[tuple[object, ...]] = []
        cleared = [key for key in self._gone if key in self._stored]
        for key in sorted(self._changed):
            record, stored = self._records[key], self._stored.get(key)
            sessions.add(record.session)
            if stored is not None:
                touched.add(stored.origin)
                sessions.add(stored.record.session)
                if stored.record.advisors:
                    cleared.append(key)
            rows.append(self._row(key, record, key not in self._final, key in self._rivals, touched))
            if record.advisors:
                rows += self._advisor_rows(key, record, key in self._rivals, touched)
        for key in cleared:
            stored = self._stored[key]
            parts = "SELECT origin FROM responses WHERE domain = ? AND key = ?"
            touched.update(origin for (origin,) in self._database.execute(parts, (self._domain, key)))
            sessions.add(stored.record.session)
            self._database.execute("DELETE FROM responses WHERE domain = ? AND key = ?", (self._domain, key))
        self._database.executemany(_WRITE, rows)
        self._write_rivals()
        return sessions

    def _write_rivals(self) -> None:
        known = {key for key in self._changed | self._gone if key in self._stored}
        self._database.executemany(
            "DELETE FROM rivals WHERE domain = ? AND key = ?", ((self._domain, key) for key in sorted(known))
        )
        self._database.executemany(
            "INSERT INTO rivals VALUES (?, ?, ?, ?)",
            (
                (self._domain, key, session, _packed(values_of(record)))
                for key in sorted(self._changed & self._rivals.keys())
                for session, record in self._rivals[key].items()
            ),
        )

    def _row(
        self, key: str, record: Record, still_open: bool, contested: bool, touched: set[int]
    ) -> tuple[object, ...]:
        origin = self._origin(record, record.model, still_open)
        touched.add(origin)
        dollars, pico = split(self._prices.cost(record))
        return (
            self._domain, key, 0, origin, record.at, record.input, record.output, record.cache_write_5m,
            record.cache_write_1h, record.cache_read, record.reasoning, record.web_searches, contested,
            dollars, pico, _packed(record.advisors) if record.advisors else None, record.usd,
        )  # fmt: skip

    def _advisor_rows(
        self, key: str, record: Record, contested: bool, touched: set[int]
    ) -> Iterator[tuple[object, ...]]:
        for number, (model, *counts) in enumerate(record.advisors, 1):
            origin = self._origin(record, model, False)
            touched.add(origin)
            fresh, out, short, hour, read = counts
            dollars, pico = split(self._prices.tokens_cost(model, record.at, (fresh, out, short, hour, read)))
            yield (
                self._domain, key, number, origin, record.at, *counts, 0, 0, contested, dollars, pico, None, None
            )  # fmt: skip

    def _origin(self, record: Record, model: str, still_open: bool) -> int:
        origin = (
            record.session, record.cwd, record.branch, model, record.provider, record.fast, record.sidechain,
            record.forked, still_open, record.usd is not None, record.subagent,
        )  # fmt: skip
        known = self._origins.get(origin)
        if known is None and self._written is None and record.session not in self._sessions:
            self._sessions.add(record.session)
            words = """SELECT session, cwd, branch, model, provider, fast, sidechain, forked, open, billed, subagent,
                id FROM origins WHERE domain = ? AND session = ?"""
            for *values, found in self._database.execute(words, (self._domain, record.session)):
                self._origins[tuple(values)] = found
            known = self._origins.get(origin)
        if known is None:
            known = self._origins[origin] = self._next_origin
            self._next_origin += 1
            values_of = ", ".join("?" * 13)
            self._database.execute(f"INSERT INTO origins VALUES ({values_of})", (known, self._domain, *origin))
        return known

    def _settle_rivals(self, contested: set[str], sessions: set[str], touched: set[int]) -> set[str]:
        """Give each response that several sessions hold (forks) to the session that went its own way first.

        A fork goes on where its original ended, so its own first response is later; an original that was
        copied whole has none of its own.
        """
        words = "SELECT DISTINCT key FROM rivals WHERE domain = ? AND session = ?"
        keys = set(contested)
        for session in sessions:
            keys.update(key for (key,) in self._database.execute(words, (self._domain, session)))
        own: dict[str, int] = {}
        changed: set[str] = set()
        for key in sorted(keys):
            rivals = self._stored_rivals(key)
            for session in rivals:
                if session not in own:
                    first = self._one(_OWN, _LATEST, self._domain, session)
                    own[session] = -1 if first is None else first
            chosen = rivals[min(rivals, key=lambda session: (own[session], session))]
            record = self._from_store(key)
            if record is not None and record != chosen:
                self._put(key, chosen)
                self._rivals[key] = rivals
                changed.add(key)
        self._write(touched)
        for held in (self._records, self._final, self._stored, self._rivals, self._changed):
            held.clear()
        return changed

    def _sum_cells(self, touched: set[int]) -> None:
        database = self._database
        database.execute("CREATE TEMP TABLE IF NOT EXISTS touched (id INTEGER PRIMARY KEY)")
        database.execute("DELETE FROM touched")
        database.executemany("INSERT INTO touched VALUES (?)", ((origin,) for origin in sorted(touched)))
        database.execute("DELETE FROM cells WHERE origin IN (SELECT id FROM touched)")
        database.execute(f"INSERT INTO cells {CELLS} WHERE origin IN (SELECT id FROM touched) GROUP BY 1, 2")


def _packed(values: tuple[Any, ...]) -> bytes:
    import msgspec  # few responses have advisors or rivals

    return msgspec.msgpack.encode(values)


def _unpacked(blob: bytes, kind: Any) -> Any:
    import msgspec

    try:
        return msgspec.msgpack.decode(blob, type=kind)
    except msgspec.MsgspecError as problem:
        raise OtherForm() from problem


def split(pico: int | None) -> tuple[int | None, int | None]:
    """An amount as the ledger holds it: dollars, and the picodollars beyond them."""
    return (None, None) if pico is None else divmod(pico, PICO)


def _rank(record: Record) -> tuple[object, ...]:
    """Smaller wins: most output, then the larger usage, then the original before a fork or a replay of it."""
    return (
        -record.output,
        -record.input,
        -record.cache_write_5m,
        -record.cache_write_1h,
        -record.cache_read,
        -record.reasoning,
        -record.web_searches,
        not record.fast,
        -len(record.advisors),
        record.advisors,
        record.model,
        record.provider,
        -(record.usd or 0.0),
        record.forked,
        record.sidechain,
        _LATEST if record.at is None else record.at,
    )


def _place(record: Record) -> tuple[str, str, str, bool, str]:
    return (record.session, record.cwd, record.branch, not record.subagent, record.subagent)
