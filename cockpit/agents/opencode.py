"""What OpenCode used: its database, opened read-only, and the files that older versions wrote.

Where OpenCode says what a message cost, that is what was billed; else list prices hold.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.agents.lenient import count, document, is_count, mapping, number, text, when
from cockpit.agents.record import Record
from cockpit.agents.source import Reader, Sink, Source, Stamp, below, stamp_of
from cockpit.files import read_regular

if TYPE_CHECKING:
    from cockpit.agents.models import Agent

PROVIDERS = {"amazon-bedrock": "aws", "google-vertex": "google", "google-vertex-anthropic": "anthropic"}
_LARGEST = 16 << 20
_MOST_USD = 1e6


class OpenCodeReader(Reader):
    """Reads `opencode*.db` and `storage/message/**` below its root; a message in both is the database's."""

    agent: "Agent" = "opencode"

    def _places(self) -> Iterator[Path]:
        return iter(self.roots)

    def sources(self) -> Iterator[tuple[str, Stamp]]:
        for root in self.roots:
            messages = self.walk([root / "storage" / "message"], lambda name: name.endswith(".json"))
            yield from self.stamped(messages)
            for path in map(str, sorted(root.glob("opencode*.db"))):
                with contextlib.suppress(FileNotFoundError):
                    if self.owns(path):
                        yield path, self.stamp(path)

    def owns(self, path: str) -> bool:
        parts = below(path, self.roots)
        if parts is None or not Path(path).is_file():
            return False
        if parts[:2] == ("storage", "message"):
            return path.endswith(".json")
        return len(parts) == 1 and parts[0].startswith("opencode") and path.endswith(".db")

    def stamp(self, path: str) -> Stamp:
        found = stamp_of(Path(path).stat())
        if path.endswith(".db"):  # what was written last stands in the log beside it
            with contextlib.suppress(OSError):
                log = Path(path + "-wal").stat()
                return Stamp(found.inode, found.size + log.st_size, max(found.mtime_ns, log.st_mtime_ns))
        return found

    def read(self, source: Source, sink: Sink) -> None:
        stamp = self.stamp(source.path)
        if source.path.endswith(".db"):
            source.dropped.clear()
            try:
                _read_database(source, sink)
            except sqlite3.Error as problem:
                raise OSError(5, f"database: {problem}") from None
        else:
            self._read_file(source, stamp, sink)
        source.was(stamp)

    def _read_file(self, source: Source, stamp: Stamp, sink: Sink) -> None:
        if stamp.size > _LARGEST:
            raise OSError(27, "larger than a message can be")
        value = document(read_regular(source.path))
        source.forget()
        if value is None:
            source.dropped["malformed", ""] += 1
            return
        session = text(value.get("sessionID")) or Path(source.path).parent.name
        root = next(root for root in self.roots if source.path.startswith(str(root) + os.sep))
        _take(text(value.get("id")) or Path(source.path).stem, value, _session_file(root, session), source, sink)


class _Session:
    """What is known of a session: its id, the folder it works in, and whether it is a sub-agent's."""

    def __init__(self, name: str, cwd: str = "", parent: str = "") -> None:
        self.name, self.cwd, self.parent = name, cwd, parent


def _session_file(root: Path, session: str) -> _Session:
    for path in (root / "storage" / "session").glob(f"*/{session}.json") if "/" not in session else ():
        with contextlib.suppress(OSError):
            found = mapping(document(read_regular(path)))
            return _Session(session, text(found.get("directory")) or "", text(found.get("parentID")) or "")
    return _Session(session)


def _read_database(source: Source, sink: Sink) -> None:
    place = source.tail.path.resolve().as_uri()
    with contextlib.closing(sqlite3.connect(f"{place}?mode=ro", uri=True, timeout=2)) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        sessions = _sessions(database) if "session" in tables else {}
        known = {column[1] for column in database.execute("PRAGMA table_info(message)")}
        words, values = "SELECT id, session_id, data FROM message", []
        if "time_updated" in known:
            words = "SELECT id, session_id, data, time_updated FROM message WHERE time_updated >= ? ORDER BY 4"
            values.append(source.notes.get("updated", 0))
        for name, session, data, *updated in database.execute(words, values):
            raw = data.encode("utf-8", "replace") if isinstance(data, str) else data
            value = document(raw) if isinstance(raw, bytes) else None
            if value is None:
                source.dropped["malformed", ""] += 1
            else:
                own = sessions.get(session) or _Session(text(session) or "")
                _take(text(name) or "", value, own, source, sink, replace=True)
            if updated and isinstance(updated[0], int):
                source.notes["updated"] = max(source.notes.get("updated", 0), updated[0])


def _sessions(database: sqlite3.Connection) -> dict[str, _Session]:
    known = {column[1] for column in database.execute("PRAGMA table_info(session)")}
    columns = [name if name in known else "NULL" for name in ("directory", "parent_id")]
    found = database.execute(f"SELECT id, {', '.join(columns)} FROM session")
    return {name: _Session(name, text(folder) or "", text(parent) or "") for name, folder, parent in found}


def _take(
    name: str, value: dict[str, Any], session: _Session, source: Source, sink: Sink, *, replace: bool = False
) -> None:
    usage = mapping(value.get("tokens"))
    if value.get("role") != "assistant" or not usage:
        return
    cache, kinds = mapping(usage.get("cache")), ("input", "output", "reasoning")
    fresh, output, reasoning = (count(usage.get(kind)) for kind in kinds)
    source.odd += not all(is_count(usage.get(kind)) for kind in kinds)
    source.odd += not all(is_count(cache.get(kind)) for kind in ("read", "write"))
    usd = number(value.get("cost"))
    provider = text(value.get("providerID")) or ""
    record = Record(
        session.name or text(value.get("sessionID")) or "",
        text(mapping(value.get("path")).get("cwd")) or session.cwd,
        "",
        when(mapping(value.get("time")).get("created")),
        text(value.get("modelID")) or "unknown",
        fresh,
        output + reasoning,
        count(cache.get("write")),
        0,
        count(cache.get("read")),
        reasoning,
        sidechain=bool(session.parent),
        provider=PROVIDERS.get(provider, provider),
        usd=usd if usd is not None and 0 < usd < _MOST_USD else None,
    )
    if record.tokens or record.usd:
        source.records[record.cwd] += 1
        sink.take(f"opencode:{name}", record, replace=replace)
