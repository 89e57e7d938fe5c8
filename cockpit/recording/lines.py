"""The lines of a recording: a heading, then one snapshot a line, each with its time and its pane.

A snapshot is written where it differs from the last one of its pane in more than its age. Lines that cannot be read are
counted and passed over; a torn last line is no error.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import msgspec

from cockpit import __version__
from cockpit.agents.models import SessionsSnapshot
from cockpit.clock import iso, now, read_iso
from cockpit.errors import CannotAnswer, cannot_read
from cockpit.files import LONGEST_LINE
from cockpit.findings.models import FindingsSnapshot
from cockpit.plain_text import plain_text
from cockpit.recording.redaction import redacted
from cockpit.spend.models import SpendSnapshot
from cockpit.worktrees.models import WorktreesSnapshot
from skills.record import record

VERSION = 1
SNAPSHOTS: dict[str, Any] = {
    "worktrees": WorktreesSnapshot,
    "budget": SpendSnapshot,
    "phase": SessionsSnapshot,
    "findings": FindingsSnapshot,
}
_AGES = ("at", "duration_ms")


@record
class Recorded:
    """One snapshot of a recording."""

    at: datetime
    pane: str
    snapshot: object


@record
class Recording:
    """A whole recording. `unread` counts the lines that could not be read."""

    repository: str
    root: str
    events: tuple[Recorded, ...]
    unread: int


class Recorder:
    """Writes what feeds yield, redacted, to a stream of text."""

    def __init__(self, stream: IO[str], repository: str, root: Path, home: str) -> None:
        self._stream, self._home = stream, home
        self._last: dict[str, Any] = {}
        self.written = 0
        heading = {"cockpit": __version__, "version": VERSION, "repository": repository, "root": str(root)}
        self._write({"kind": "recording", "at": iso(now()), **redacted(heading, home)})

    def take(self, pane: str, snapshot: object) -> bytes | None:
        """Write a snapshot, where it says something new. Answers the line. Raises `OSError`."""
        document = redacted(msgspec.to_builtins(snapshot), self._home)
        told = {name: value for name, value in document.items() if name not in _AGES}
        if self._last.get(pane) == told:
            return None
        self._last[pane] = told
        self.written += 1
        return self._write({"at": iso(now()), "pane": pane, "snapshot": document})

    def _write(self, row: dict[str, Any]) -> bytes:
        line = msgspec.json.encode(row)
        self._stream.write(line.decode() + "\n")
        self._stream.flush()
        return line


def read_recording(path: Path) -> Recording:
    """Read a recording. Raises `CannotAnswer` where the file cannot be read or is none."""
    try:
        with path.open("rb") as stream:
            heading = _heading(stream.readline(LONGEST_LINE), path)
            events, unread = [], 0
            for line in stream:
                event = _event(line)
                if event is None:
                    unread += 1
                else:
                    events.append(event)
    except OSError as problem:
        raise cannot_read(path, problem) from None
    if not events:
        raise CannotAnswer(f"{plain_text(path, 200)} holds no snapshot", "record one with cockpit record FILE")
    return Recording(heading[0], heading[1], tuple(events), unread)


def _heading(line: bytes, path: Path) -> tuple[str, str]:
    try:
        row = msgspec.json.decode(line)
        if row["kind"] != "recording" or row["version"] != VERSION:
            raise ValueError
        return plain_text(row["repository"], 100), plain_text(row["root"], 300)
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError):
        where = plain_text(path, 200)
        raise CannotAnswer(f"{where} is no recording of this version", "record one with cockpit record FILE") from None


def _event(line: bytes) -> Recorded | None:
    try:
        row = msgspec.json.decode(line)
        kind, at = SNAPSHOTS[row["pane"]], read_iso(row["at"])
        return Recorded(at, row["pane"], msgspec.convert(row["snapshot"], kind)) if at is not None else None
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, RecursionError):
        return None


def pauses(events: tuple[Recorded, ...], speed: float, longest: float) -> Iterator[tuple[float, Recorded]]:
    """Each event with the seconds to wait before it. `speed` 0 waits for nothing; no pause is over `longest`."""
    before: datetime | None = None
    for event in events:
        gap = (event.at - before).total_seconds() if before is not None and speed > 0 else 0.0
        yield max(0.0, min(gap / speed if speed > 0 else 0.0, longest)), event
        before = event.at
