"""Ports from the worktree registry, `worktree-registry.json` in Claude's data roots: read here, written by
`registry`.

Source: workflow orchestrator, port registry. Both layouts found in the field are read: `worktreePath` with
plain port numbers, and `path` with `{"service", "port"}` entries.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cockpit.files import read_regular
from cockpit.paths import claude_roots

_FILE = "worktree-registry.json"
LARGEST_REGISTRY = 8 << 20


@dataclass(slots=True)
class PortRegistry:
    """Ports by the real path of a worktree. Files are read again only when they changed."""

    _read: dict[Path, tuple[tuple[int, int], dict[str, tuple[int, ...]], str]] = field(default_factory=dict)

    def ports(self) -> tuple[dict[str, tuple[int, ...]], str]:
        """(ports by real path, a note on what had to be ignored or "")."""
        found: dict[str, tuple[int, ...]] = {}
        notes: list[str] = []
        for path in registry_files():
            try:
                status = path.stat()
            except OSError:
                continue
            stamp = (status.st_mtime_ns, status.st_size)
            if path not in self._read or self._read[path][0] != stamp:
                self._read[path] = (stamp, *_ports_in(path, status.st_size))
            _, ports, note = self._read[path]
            for place, numbers in ports.items():
                found[place] = tuple(dict.fromkeys((*found.get(place, ()), *numbers)))
            if note:
                notes.append(note)
        return found, "; ".join(notes)


def registry_files() -> list[Path]:
    """Where a registry may lie, there or not."""
    roots = {os.path.realpath(root): root for root in (*claude_roots(), Path.home() / ".claude")}
    return [root / _FILE for root in roots.values()]


def _ports_in(path: Path, size: int) -> tuple[dict[str, tuple[int, ...]], str]:
    if size > LARGEST_REGISTRY:
        return {}, f"{_FILE} ignored: larger than 8 MB"
    try:
        document = json.loads(read_regular(path))
    except OSError as problem:
        return {}, f"{_FILE} ignored: {problem.strerror}"
    except (ValueError, RecursionError):
        return {}, f"{_FILE} ignored: not valid JSON"
    entries = document.get("worktrees") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return {}, f"{_FILE} ignored: it has no list of worktrees"
    found = (entry for entry in entries if isinstance(entry, dict) and entry_path(entry))
    return {os.path.realpath(os.path.expanduser(entry_path(one) or "")): entry_ports(one) for one in found}, ""  # noqa: PTH111


def entry_path(entry: dict[str, Any]) -> str | None:
    """The path of an entry's worktree, in either layout."""
    place = entry.get("worktreePath") or entry.get("path")
    return place if isinstance(place, str) and place and "\0" not in place else None


def entry_ports(entry: dict[str, Any]) -> tuple[int, ...]:
    """The ports of an entry, in either layout."""
    listed = entry.get("ports")
    numbers = []
    for port in listed if isinstance(listed, list) else ():
        number = port.get("port") if isinstance(port, dict) else port
        if isinstance(number, int) and not isinstance(number, bool) and 0 < number < 65536:
            numbers.append(number)
    return tuple(numbers)
