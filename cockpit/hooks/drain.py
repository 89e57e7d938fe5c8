"""Turns the events that hooks left into lines of a short log, without prompts and contents.

One process at a time does so; every reader of sessions looks at the log.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cockpit.agents.lenient import document, mapping, text
from cockpit.files import locked, read_regular, write_atomically
from cockpit.hooks.edits import NAMED_EVENTS, is_event
from cockpit.hooks.spool import AGENTS, spool_folder
from cockpit.paths import state_dir
from cockpit.plain_text import plain_text
from skills.record import record

LARGEST_EVENT = 4 << 20
MOST_AT_ONCE = 500
MOST_WAITING = 5000  # files; what is older goes, counted
LOG_BYTES = 2 << 20
OLDEST_SECONDS = 2 * 86_400.0


@record
class HookEvent:
    """One event. `at` is in seconds since 1970, `event` in Claude Code's words, `about` what it was about in a line."""

    at: float
    agent: str
    session: str
    event: str
    cwd: str = ""
    kind: str = ""
    about: str = ""


@record
class Drained:
    """How many events were taken, how many files were no event, how many were too many or too old."""

    taken: int = 0
    garbage: int = 0
    dropped: int = 0


def log_path() -> Path:
    """The log of events."""
    return state_dir() / "hooks" / "events.jsonl"


def make_log_folder() -> None:
    """Make the folder of the log, so that it can be watched. Never raises."""
    with contextlib.suppress(OSError):
        log_path().parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def open_spool() -> Path:
    """Make the folder, for as long as the caller runs. Raises `OSError`."""
    folder = spool_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


@contextlib.contextmanager
def spool_opened() -> Iterator[None]:
    """Have the folder there. Who is the last to leave takes it away; where it cannot be made, hooks stay silent."""
    lock = -1
    with contextlib.suppress(OSError):
        state_dir().mkdir(parents=True, exist_ok=True)
        lock = os.open(state_dir() / "spool.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_SH)  # waits for one that is just taking the folder away
        open_spool()
    try:
        yield
    finally:
        if lock >= 0:
            with contextlib.suppress(OSError):  # another cockpit runs
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                close_spool()
            os.close(lock)


def close_spool() -> None:
    """Take the folder away after a last look: hooks fall silent."""
    with contextlib.suppress(OSError):
        drain()
        for entry in os.scandir(spool_folder()):
            os.unlink(entry.path)  # noqa: PTH108
        spool_folder().rmdir()


def is_waiting() -> bool:
    """Whether there is anything to drain."""
    return waiting_files() > 0


def drain() -> Drained:
    """Turn the waiting files into lines of the log, the oldest first; one process at a time. Raises `OSError`."""
    with locked(log_path().with_suffix(".lock")) as mine:
        if not mine:
            return Drained()
        waiting, dropped = _waiting()
        events: list[HookEvent] = []
        garbage = 0
        for path, at in waiting:
            event = _event(path, at)
            garbage += event is None
            events += [event] if event is not None else []
        if events:
            _append(events)
        for path, _ in waiting:
            path.unlink(missing_ok=True)
        found = Drained(len(events), garbage, dropped)
        if garbage or dropped:
            _count(found)
        return found


def lost_so_far() -> Drained:
    """How many files were no event and how many were thrown away, since ever."""
    import msgspec  # as below: a session of which no hook told anything is read without it

    try:
        return msgspec.json.decode(read_regular(_counts_path(), 4096), type=Drained)
    except (OSError, msgspec.MsgspecError, ValueError):
        return Drained()


def waiting_files() -> int:
    """How many events wait in the spool."""
    try:
        with os.scandir(spool_folder()) as entries:
            return sum(not entry.name.startswith(".") for entry in entries)
    except OSError:
        return 0


def _counts_path() -> Path:
    return log_path().with_name("lost.json")


def _count(found: Drained) -> None:
    import msgspec

    before = lost_so_far()
    now = Drained(0, before.garbage + found.garbage, before.dropped + found.dropped)
    write_atomically(_counts_path(), msgspec.json.encode(now), mode=0o600)


def _waiting() -> tuple[list[tuple[Path, float]], int]:
    """The oldest waiting files with their times, and how many were thrown away."""
    found: list[tuple[float, str]] = []
    dropped = 0
    oldest = time.time() - OLDEST_SECONDS
    try:
        with os.scandir(spool_folder()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    if not entry.name.startswith("."):
                        found.append((status.st_mtime, entry.path))
                    elif status.st_mtime < time.time() - 60:  # its writer was killed
                        os.unlink(entry.path)  # noqa: PTH108
                        dropped += 1
    except FileNotFoundError:
        return [], 0
    found.sort()
    old = [path for at, path in found if at < oldest]
    many = [path for at, path in found if at >= oldest][: max(0, len(found) - len(old) - MOST_WAITING)]
    gone = {*old, *many}
    for path in gone:
        Path(path).unlink(missing_ok=True)
    kept = [(Path(path), at) for at, path in found if path not in gone]
    return kept[:MOST_AT_ONCE], dropped + len(gone)


def _event(path: Path, at: float) -> HookEvent | None:
    try:
        raw = read_regular(path, LARGEST_EVENT)
    except OSError:
        return None
    agent = path.name.partition(".")[0]
    return read_event(agent if agent in AGENTS else "claude", raw, at)


def read_event(agent: str, raw: bytes, at: float) -> HookEvent | None:
    """The event that an agent's JSON tells, None where it is none. Prompts and contents are left out."""
    said = document(raw)
    if said is None:
        return None
    name, session = text(said.get("hook_event_name")), text(said.get("session_id"))
    if not name or not session or not is_event(name):
        return None
    kind = text(said.get("notification_type")) or text(said.get("reason")) or text(said.get("source")) or ""
    return HookEvent(
        round(at, 3),
        agent,
        plain_text(session, 120),
        NAMED_EVENTS.get(name, name),
        plain_text(text(said.get("cwd")) or "", 400),
        plain_text(kind, 60),
        _about(said),
    )


def _about(said: dict[str, Any]) -> str:
    tool = text(said.get("tool_name"))
    if not tool:
        return plain_text(text(said.get("message")) or text(said.get("agent_type")) or "", 160)
    given = mapping(said.get("tool_input"))
    target = next((word for key in ("command", "file_path", "url", "pattern") if (word := text(given.get(key)))), "")
    if tool in ("Bash", "shell", "run_shell_command") and target:
        return plain_text(f'run "{plain_text(target, 120)}"?', 160)
    return plain_text(f"use {tool} {plain_text(target, 120)}".rstrip() + "?", 160)


def _append(events: list[HookEvent]) -> None:
    import msgspec

    path = log_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = b"".join(msgspec.json.encode(event) + b"\n" for event in events)
    try:
        size = path.stat().st_size
    except OSError:
        size = 0
    if size + len(lines) > LOG_BYTES:
        kept = path.read_bytes()[-LOG_BYTES // 2 :] if size else b""
        write_atomically(path, kept[kept.find(b"\n") + 1 :] + lines, mode=0o600)
        return
    handle = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, lines)
    finally:
        os.close(handle)


def log_events(blocks: Iterator[bytes] | list[bytes]) -> Iterator[HookEvent]:
    """The events of blocks of whole lines; a line that is none is passed over."""
    decoder = None
    for block in blocks:
        if decoder is None:
            import msgspec

            decoder = msgspec.json.Decoder(HookEvent)
        for line in block.split(b"\n"):
            if line:
                with contextlib.suppress(msgspec.MsgspecError, ValueError):
                    yield decoder.decode(line)
