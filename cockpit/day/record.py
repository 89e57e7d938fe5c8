"""When the present working session began and the last one ended, in cockpit's own state, and the lock of a day's end.

Times are instants: a change of the clocks to or from summer time changes nothing. A clock that was set back makes the
record void, which is said.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

from cockpit.clock import iso, read_iso
from cockpit.errors import cannot_write
from cockpit.files import only_one, read_regular, write_atomically
from cockpit.paths import state_dir
from cockpit.repository import Repository
from skills.record import record

_AHEAD = timedelta(minutes=5)


@record
class DayRecord:
    """The session's beginning and end (None while it runs), the commit it began at, and when the one before was last
    known of. `note` says what was wrong with what was kept."""

    started: datetime | None = None
    ended: datetime | None = None
    before: datetime | None = None
    head: str = ""
    note: str = ""

    @property
    def last(self) -> datetime | None:
        """The last moment that is known of the session."""
        return self.ended or self.started


def read_record(repository: Repository, now: datetime) -> DayRecord:
    """What was kept; an empty record where there is nothing, or nothing that can be used."""
    path = _path(repository)
    try:
        document = json.loads(read_regular(path))
    except FileNotFoundError:
        return DayRecord()
    except (OSError, ValueError, RecursionError):
        return DayRecord(note="the record of the last session could not be read: it begins anew")
    if not isinstance(document, dict):
        return DayRecord(note="the record of the last session could not be read: it begins anew")
    record = DayRecord(
        read_iso(document.get("started")),
        read_iso(document.get("ended")),
        read_iso(document.get("before")),
        str(document.get("head", ""))[:64],
    )
    if any(moment and moment > now + _AHEAD for moment in (record.started, record.ended)):
        return DayRecord(note="the clock was set back since the last session: its times are not used")
    return record


def begun(record: DayRecord, now: datetime, head: str) -> DayRecord:
    """The record after a start: a session of the same local day that did not end goes on, else a new one begins."""
    same_day = record.started is not None and record.started.astimezone().date() == now.astimezone().date()
    if same_day and record.ended is None:
        return record
    return DayRecord(now, None, record.last, head)


def ended(record: DayRecord, now: datetime) -> DayRecord:
    """The record after an end of the day. A beginning that nobody noted stays unknown."""
    return replace(record, ended=now, note="")


def write_record(repository: Repository, record: DayRecord) -> Path:
    """Keep the record. Raises `CannotAnswer` where the state folder cannot be written."""
    path = _path(repository)
    row: dict[str, Any] = {"version": 1, "head": record.head}
    for name in ("started", "ended", "before"):
        moment = getattr(record, name)
        row[name] = iso(moment) if moment is not None else None
    try:
        write_atomically(path, json.dumps(row) + "\n", mode=0o600)
    except OSError as problem:
        raise cannot_write(path, problem) from None
    return path


@contextlib.contextmanager
def one_end_at_a_time(repository: Repository) -> Iterator[None]:
    """Hold the lock of this repository's end of day. Raises `CannotAnswer` where another one is being written."""
    lock = _path(repository).with_name("end-day.lock")
    with only_one(lock, "another end of day of this repository is running", "wait for it, then try again"):
        yield


def state_folder(repository: Repository) -> Path:
    """The folder of this repository's day in cockpit's state: one for all its worktrees."""
    return _path(repository).parent


def _path(repository: Repository) -> Path:
    place = os.fsencode(os.path.realpath(repository.common_dir))
    return state_dir() / "day" / blake2b(place, digest_size=12).hexdigest() / "session.json"
