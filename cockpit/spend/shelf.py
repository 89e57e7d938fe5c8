"""The files of one agent as the ledger remembers them: where reading goes on, and what was counted in each."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from cockpit.agents.lenient import loaded_msgspec
from cockpit.agents.source import Reader, Source, Stamp, SubAgent
from cockpit.files import Tail
from cockpit.spend.schema import OtherForm
from cockpit.spend.store import Store

# path, inode, size, time; session, parent, billed, of which session, lines too long; where reading goes on
Row = tuple[str, int, int, int, str, str, float | None, str, int, bytes]


_PARTS = 9  # of a state
_COLUMNS = "path, inode, size, mtime_ns, session, parent, billed, billed_session, too_long, state"


class Shelf:
    """The files of the domain `domain`. What was taken from it and changed is written by `save`."""

    def __init__(self, store: Store, domain: int) -> None:
        self._database = store.connection
        self._domain = domain
        self._open: dict[str, Source] = {}

    def stamps(self) -> dict[str, Stamp]:
        """What each file looked like when it was last read."""
        words = "SELECT path, inode, size, mtime_ns FROM files WHERE domain = ?"
        return {path: Stamp(*stamp) for path, *stamp in self._database.execute(words, (self._domain,))}

    def get(self, path: str, reader: Reader) -> Source:
        """The file as it was left, or one that was never read."""
        known = self._open.get(path)
        if known is None:
            found = list(self._where("path = ?", path))
            known = found[0] if found else self.fresh(path, reader)
        return known

    def fresh(self, path: str, reader: Reader) -> Source:
        """A file that was never read."""
        return self._open.setdefault(path, reader.opened(path))

    def put(self, source: Source) -> Source:
        """A file that was read elsewhere."""
        return self._open.setdefault(source.path, source)

    def all(self) -> Iterator[Source]:
        """Every file that was ever read."""
        return self._where("1")

    def billed(self) -> list[tuple[str, str, float, int]]:
        """The files that state what was billed: path, session, dollars, and how many responses came later."""
        words = "SELECT path, billed_session, billed, later FROM files WHERE domain = ? AND billed IS NOT NULL"
        return self._database.execute(words, (self._domain,)).fetchall()

    def too_long(self) -> int:
        """How many lines were too long to be read."""
        words = "SELECT COALESCE(SUM(too_long), 0) FROM files WHERE domain = ?"
        found: int = self._database.execute(words, (self._domain,)).fetchone()[0]
        return found

    def newest(self, most: int) -> list[Source]:
        """The files that were written last, the newest first."""
        words = "SELECT path FROM files WHERE domain = ? ORDER BY mtime_ns DESC, path LIMIT ?"
        paths = [path for (path,) in self._database.execute(words, (self._domain, most)).fetchall()]
        return [source for path in paths for source in self._where("path = ?", path)]

    def of_session(self, session: str) -> list[Source]:
        """The files of a session, those of this batch as they are now."""
        return self._related(session, lambda source: source.session, "session = ?")

    def children_of(self, session: str) -> list[Source]:
        """The files of sessions that were forked from `session`."""
        return self._related(session, lambda source: source.parent, "parent = ?")

    def save(self, sources: list[Source]) -> None:
        """Remember `sources` as they are now."""
        self._database.executemany(
            f"INSERT OR REPLACE INTO files VALUES ({', '.join('?' * 12)})",
            [
                (self._domain, *row[:-2], len(source.after), *row[-2:])
                for source in sorted(sources, key=lambda source: source.path)
                for row in (row_of(source),)
            ],
        )

    def name_sub_agents(self, found: Iterable[SubAgent]) -> None:
        """Remember sub-agents; what is no longer known of one stays as it was."""
        words = """INSERT INTO subagents VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (domain, session, name) DO UPDATE SET
            kind = COALESCE(NULLIF(excluded.kind, ''), kind), about = COALESCE(NULLIF(excluded.about, ''), about),
            workflow = excluded.workflow"""
        self._database.executemany(words, ((self._domain, *one) for one in found))

    def sub_agents(self) -> dict[tuple[str, str], SubAgent]:
        """Every sub-agent by session and name."""
        words = "SELECT session, name, kind, about, workflow FROM subagents WHERE domain = ?"
        return {row[:2]: SubAgent(*row) for row in self._database.execute(words, (self._domain,))}

    def _related(self, session: str, of: Callable[[Source], str], where: str) -> list[Source]:
        if not session:
            return []
        list(self._where(where, session))
        return [source for _, source in sorted(self._open.items()) if of(source) == session]

    def _where(self, where: str, *values: str) -> Iterator[Source]:
        words = f"SELECT {_COLUMNS} FROM files WHERE domain = ? AND {where} ORDER BY path"
        for row in self._database.execute(words, (self._domain, *values)).fetchall():
            if row[0] not in self._open:
                self._open[row[0]] = source_of(row)
            yield self._open[row[0]]


def row_of(source: Source) -> Row:
    """A file as it is stored, and as it is told to another process."""
    state = (
        source.tail.offset,
        source.tail.ending.decode("latin-1"),
        source.main,
        source.records,
        [(reason, cwd, count) for (reason, cwd), count in source.dropped.items()],
        source.odd,
        sorted(source.before),
        source.after,
        source.notes,
    )
    msgspec = loaded_msgspec()
    blob = json.dumps(state).encode() if msgspec is None else msgspec.json.encode(state)
    told = (source.session, source.parent, source.billed, source.billed_session, source.tail.too_long)
    return (source.path, *source.stamp, *told, blob)


def source_of(row: Row) -> Source:
    """The file that `row_of` was made of."""
    path, inode, size, mtime_ns, session, parent, billed, billed_session, too_long, blob = row
    offset, ending, main, records, dropped, odd, before, after, notes = _state(blob)
    tail = Tail(Path(path), inode, offset, size, mtime_ns, too_long=too_long, counting=False)
    tail.ending = ending
    return Source(
        tail,
        session,
        main,
        Counter(records),
        Counter({(reason, cwd): count for reason, cwd, count in dropped}),
        odd,
        billed,
        billed_session,
        set(before),
        after,
        parent,
        notes,
    )


def _state(blob: bytes) -> list[Any]:
    """What is stored of a source: JSON, and MessagePack where an earlier version wrote it. Raises `OtherForm`."""
    try:
        found = _decoded(blob)
    except Exception as problem:  # msgspec's own and json's, whatever the form is
        raise OtherForm() from problem
    if not isinstance(found, list) or len(found) != _PARTS:
        raise OtherForm()
    return found


def _decoded(blob: bytes) -> list[Any]:
    if blob[:1] != b"[":
        import msgspec

        found: list[Any] = msgspec.msgpack.decode(blob)
        return found
    fast = loaded_msgspec()
    found = json.loads(blob) if fast is None else fast.json.decode(blob)
    found[1] = found[1].encode("latin-1")
    return found
