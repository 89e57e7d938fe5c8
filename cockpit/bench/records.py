"""The state of a process: one JSON file each in the state folder of its repository, replaced whole or not at all."""

import json
import os
from hashlib import blake2b
from pathlib import Path
from typing import Any

from cockpit.errors import cannot_write
from cockpit.files import read_regular, readable_json, write_atomically
from cockpit.paths import state_dir

_LARGEST = 8_000_000


def records_folder(common_dir: Path, kind: str) -> Path:
    """Where the records of a kind lie for a repository; every worktree of it has the same. It may not exist."""
    name = blake2b(os.fsencode(os.path.realpath(common_dir)), digest_size=12).hexdigest()
    return state_dir() / "bench" / name / kind


def read_records(common_dir: Path, kind: str) -> dict[str, dict[str, Any]]:
    """The records by id, the oldest first. One that is broken is left out, and stays where it is."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(records_folder(common_dir, kind).glob("*.json")):
        try:
            row = json.loads(read_regular(path, _LARGEST))
        except (OSError, ValueError):
            continue
        if isinstance(row, dict):
            found[path.stem] = row
    return found


def write_record(common_dir: Path, kind: str, name: str, row: dict[str, Any]) -> Path:
    """Write a record. Raises `CannotAnswer` where the state folder cannot be written."""
    path = records_folder(common_dir, kind) / f"{name}.json"
    try:
        write_atomically(path, readable_json(row, 1), mode=0o600)
    except OSError as problem:
        raise cannot_write(path, problem) from None
    return path


def add_line(common_dir: Path, kind: str, row: dict[str, Any]) -> None:
    """Add one line to the log of a kind (`KIND.jsonl`), in one write. Raises `CannotAnswer`."""
    path = records_folder(common_dir, kind).with_suffix(".jsonl")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("ab") as stream:
            stream.write(readable_json(row, None).encode())
    except OSError as problem:
        raise cannot_write(path, problem) from None


def read_lines(common_dir: Path, kind: str) -> list[dict[str, Any]]:
    """The lines of a log; torn and strange ones are left out."""
    path = records_folder(common_dir, kind).with_suffix(".jsonl")
    found = []
    try:
        for line in read_regular(path, _LARGEST).splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                found.append(row)
    except OSError:
        return []
    return found
