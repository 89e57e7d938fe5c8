"""The sub-agents of a Codex CLI session: each has a rollout file, which names its parent and where its turns ended."""

import os
import time
from collections.abc import Iterator
from typing import Any

from cockpit import paths
from cockpit.agents.lenient import document, mapping, moment, text
from cockpit.files import LONGEST_LINE, open_regular
from skills.record import record

SILENT_SECONDS = 3600.0  # one that wrote nothing for longer was killed with its session
_DAYS = 7
_BLOCK = 1 << 18
_FORK_SECONDS = 2.0  # one that begins with its parent's history begins with the parent's turn broken off
_UNTOLD_SECONDS = 60.0  # versions that do not write down turns
_BEGUN, _BROKEN, _DONE = "task_started", "turn_aborted", ("task_complete", "turn_complete")
_MARKS = tuple(f'"{name}"'.encode() for name in (_BEGUN, _BROKEN, *_DONE))


@record
class Subagent:
    """`name` is its path in the team, "" where it has none; `born` in seconds since 1970."""

    id: str
    name: str
    born: float
    running: bool

    def is_called(self, target: str) -> bool:
        """Whether an agent means this one by `target`."""
        return bool(target) and (target in (self.id, self.name) or self.name.endswith(f"/{target}"))


def codex_subagents(session: str) -> list[Subagent]:
    """The sub-agents below a session, those of sub-agents too, as far as they wrote anything within the last hour."""
    now = time.time()
    found = {meta["id"]: (meta, path, at) for path, at in _recent(now) if (meta := _spawned(path))}
    parents = {name: meta["parent"] for name, (meta, _, _) in found.items()}
    return [
        Subagent(name, meta["name"], meta["born"], _runs(path, now - at))
        for name, (meta, path, at) in found.items()
        if session in (meta["session"], *_above(name, parents))
    ]


def _above(name: str, parents: dict[str, str]) -> Iterator[str]:
    for _ in range(len(parents)):
        if name not in parents:
            return
        name = parents[name]
        yield name


def _recent(now: float) -> Iterator[tuple[str, float]]:
    """The rollout files that were written to within the last hour, with when."""
    days = sorted((paths.codex_root() / "sessions").glob("[0-9]*/[0-9]*/[0-9]*"), reverse=True)[:_DAYS]
    for day in days:
        try:
            with os.scandir(day) as entries:
                for entry in entries:
                    if entry.name.startswith("rollout-") and entry.name.endswith(".jsonl"):
                        at = entry.stat().st_mtime
                        if at > now - SILENT_SECONDS:
                            yield entry.path, at
        except OSError:
            continue


def _spawned(path: str) -> dict[str, Any] | None:
    """What the first line of a sub-agent's file says of it, None for any other file."""
    value = document(_first_line(path))
    payload = mapping((value or {}).get("payload"))
    spawned = mapping(mapping(mapping(payload.get("source")).get("subagent")).get("thread_spawn"))
    name, parent = text(payload.get("id")), text(spawned.get("parent_thread_id"))
    born = moment(payload.get("timestamp"))
    if value is None or value.get("type") != "session_meta" or not name or not parent:
        return None
    return {
        "id": name,
        "parent": parent,
        "session": text(payload.get("session_id")),
        "name": text(spawned.get("agent_path")) or "",
        "born": born.timestamp() if born else 0.0,
    }


def _first_line(path: str) -> bytes:
    read = b""
    try:
        with open_regular(path) as stream:
            while b"\n" not in read and len(read) < LONGEST_LINE and (block := stream.read(_BLOCK)):
                read += block
    except OSError:
        return b""
    return read.partition(b"\n")[0]


def _runs(path: str, silent: float) -> bool:
    said = _last_turn(path)
    if said == _BROKEN:
        return silent < _FORK_SECONDS
    return said == _BEGUN or (said is None and silent < _UNTOLD_SECONDS)


def _last_turn(path: str) -> str | None:
    """What the file tells last of a turn, None where it tells nothing of one."""
    try:
        with open_regular(path) as stream:
            end, rest = stream.seek(0, os.SEEK_END), b""
            while end > 0:
                start = max(0, end - _BLOCK)
                stream.seek(start)
                first, *lines = (stream.read(end - start) + rest).split(b"\n")
                rest, end = (first, start) if start else (b"", 0)
                for line in reversed(lines if start else [first, *lines]):
                    if any(mark in line for mark in _MARKS) and (said := _turn(line)):
                        return said
    except OSError:
        return None
    return None


def _turn(line: bytes) -> str | None:
    value = document(line) or {}
    kind = text(mapping(value.get("payload")).get("type"))
    return kind if value.get("type") == "event_msg" and kind in (_BEGUN, _BROKEN, *_DONE) else None
