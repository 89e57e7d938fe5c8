"""Claude Code's registry of running sessions: one small file for each process, the best sign of a session's state.

Only `<pid>.json` is read; the key files beside it never are.
"""

import os
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Literal

from cockpit.agents.lenient import document, time_of
from cockpit.files import read_regular
from cockpit.plain_text import plain_text
from cockpit.processes import process_lives
from skills.record import record

Status = Literal["busy", "shell", "idle", "waiting"]

REGISTRY_FILE = re.compile(r"[1-9]\d{0,9}\.json")
_LARGEST = 65_536
_STATUSES: tuple[Status, ...] = ("waiting", "busy", "shell", "idle")


@record
class Registered:
    """One process of the registry. `status` is None where the file names none that is known."""

    pid: int
    session: str
    cwd: str
    status: Status | None
    waiting_for: str | None
    started_at: datetime | None
    updated_at: datetime | None
    status_since: datetime | None
    alive: bool


def read_registry(roots: Iterable[Path]) -> dict[str, Registered]:
    """The registered sessions below Claude Code's roots, by session id; files that cannot be read are passed over.

    Of several processes of one session the living one counts, of several living ones the one that waits.
    """
    found: dict[str, Registered] = {}
    for root in roots:
        for path in _files(root / "sessions"):
            entry = _read(path)
            if entry is not None:
                known = found.get(entry.session)
                found[entry.session] = entry if known is None else min(known, entry, key=_preference)
    return found


def _files(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.path for entry in entries if REGISTRY_FILE.fullmatch(entry.name))
    except OSError:
        return []


def _preference(entry: Registered) -> tuple[bool, int, float]:
    rank = _STATUSES.index(entry.status) if entry.status else len(_STATUSES)
    newest = entry.status_since or entry.updated_at
    return (not entry.alive, rank, -(newest.timestamp() if newest else 0.0))


def _read(path: str) -> Registered | None:
    try:
        value = document(read_regular(path, _LARGEST))
    except OSError:
        return None
    if value is None or not isinstance(session := value.get("sessionId"), str) or not session:
        return None
    pid = int(path.rpartition(os.sep)[2].removesuffix(".json"))
    status = next((known for known in _STATUSES if known == value.get("status")), None)
    waiting = value.get("waitingFor")
    start = value.get("procStart")
    process_start = str(start) if isinstance(start, str | int) else ""
    cwd = value.get("cwd")
    return Registered(
        pid,
        session,
        cwd.encode("utf-8", "replace").decode() if isinstance(cwd, str) else "",
        status,
        plain_text(waiting, 160) if isinstance(waiting, str) and waiting.strip() else None,
        time_of(value.get("startedAt")),
        time_of(value.get("updatedAt")),
        time_of(value.get("statusUpdatedAt")),
        process_lives(pid, process_start),
    )
