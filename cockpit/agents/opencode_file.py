"""A session of OpenCode: in its database or, of older versions, in files of its own."""

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cockpit import paths
from cockpit.agents.lenient import document, mapping, text
from cockpit.agents.opencode_told import OpenCodeTelling
from cockpit.agents.source import Stamp, stamp_of
from cockpit.agents.told import Told
from cockpit.agents.transcript_file import TranscriptFile
from cockpit.agents.transcript_models import Place
from cockpit.files import read_regular

_HEAD = 1 << 16


class OpenCodeFile(TranscriptFile):
    """A session in OpenCode's database or, of older versions, in its files: each message counts as a line."""

    def __init__(self, path: Path, session: str, label: str = "", *, cwd: str = "") -> None:
        super().__init__(path, "opencode", session, label)
        self._cwd = cwd
        self._stamp: tuple[Stamp, ...] | None = None
        self._telling: OpenCodeTelling = OpenCodeTelling(session, cwd)

    @property
    def key(self) -> str:
        return f"{self.path}#{self.session}"

    def fresh(self) -> "OpenCodeFile":
        return OpenCodeFile(self.path, self.session, self.label, cwd=self._cwd)

    def changed(self) -> bool:
        return self._look() != self._stamp

    def _look(self) -> tuple[Stamp, ...]:
        places = [self.path, Path(f"{self.path}-wal")]
        if self.path.is_dir():
            places = [self.path / "message" / self.session]
            with contextlib.suppress(OSError):
                places += [self.path / "part" / Path(name).stem for name in os.listdir(places[0])]  # noqa: PTH208
        found = []
        for place in places:
            with contextlib.suppress(OSError):
                found.append(stamp_of(place.stat()))
        return tuple(found)

    def read(self) -> Iterator[tuple[Place, list[Told]]]:
        self.restarted, stamp = self._stamp is not None, self._look()
        self._telling = OpenCodeTelling(self.session, self._cwd)
        yield Place(1), [Told("place", None, self._cwd)] if self._cwd else []
        messages = self._from_folder() if self.path.is_dir() else self._from_database()
        for number, (name, message, parts) in enumerate(messages, 1):
            yield Place(number), list(self._telling.told(name, message, parts))
        self._stamp = stamp

    def _from_database(self) -> Iterable[tuple[str, dict[str, Any], list[dict[str, Any]]]]:
        uri = f"{self.path.resolve().as_uri()}?mode=ro"
        try:
            with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=2)) as base:
                parts: dict[str, list[dict[str, Any]]] = {}
                for name, data in base.execute(
                    "SELECT message_id, data FROM part WHERE session_id = ? ORDER BY id", (self.session,)
                ):
                    parts.setdefault(name, []).append(self._row(data))
                rows = base.execute("SELECT id, data FROM message WHERE session_id = ? ORDER BY id", (self.session,))
                return [(name, self._row(data), parts.get(name, [])) for name, data in rows]
        except sqlite3.Error as problem:
            raise OSError(5, f"database: {problem}") from None

    def _row(self, data: object) -> dict[str, Any]:
        raw = data.encode("utf-8", "replace") if isinstance(data, str) else data
        found = document(raw) if isinstance(raw, bytes) else None
        self._telling.unread += found is None
        return found or {}

    def _from_folder(self) -> Iterator[tuple[str, dict[str, Any], list[dict[str, Any]]]]:
        for path in sorted((self.path / "message" / self.session).glob("*.json")):
            parts = [self._row(read_regular(part)) for part in sorted((self.path / "part" / path.stem).glob("*.json"))]
            yield path.stem, self._row(read_regular(path)), parts


def opencode_files(session: str) -> list[TranscriptFile]:
    """The files of a session, its sub-agents' after it."""
    root = paths.opencode_root()
    for path in sorted(root.glob("opencode*.db")):
        listed = opencode_sessions(path)
        if session in listed:
            helpers = [name for name, (_, parent, _) in listed.items() if parent == session]
            own = OpenCodeFile(path, session, cwd=listed[session][0])
            return [own, *(OpenCodeFile(path, name, name, cwd=listed[name][0]) for name in helpers)]
    storage = root / "storage"
    if (storage / "message" / session).is_dir():
        return [OpenCodeFile(storage, session, cwd=folder_session(storage, session)[0])]
    return []


def opencode_sessions(path: Path) -> dict[str, tuple[str, str, int]]:
    """(folder, parent, time of the last change in ms) of each session in a database; empty where it cannot be read."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=2)) as base:
            known = {column[1] for column in base.execute("PRAGMA table_info(session)")}
            if not known:
                return {}
            wanted = ("directory", "parent_id", "time_updated")
            columns = ", ".join(name if name in known else "NULL" for name in wanted)
            rows = base.execute(f"SELECT id, {columns} FROM session").fetchall()
    except sqlite3.Error:
        return {}
    return {
        name: (text(folder) or "", text(parent) or "", updated if isinstance(updated, int) else 0)
        for name, folder, parent, updated in rows
        if isinstance(name, str)
    }


def folder_session(storage: Path, session: str) -> tuple[str, str]:
    """(folder, parent) of a session that an older version wrote."""
    for path in (storage / "session").glob(f"*/{session}.json"):
        with contextlib.suppress(OSError):
            said = mapping(document(read_regular(path, _HEAD)))
            return text(said.get("directory")) or "", text(said.get("parentID")) or ""
    return "", ""
