"""Which repositories may run programs: those that a person has trusted, as their configuration was then.

What counts is the folder of git that all worktrees share, and every table of the repository's own files that starts
programs. A changed table asks for trust again, in every worktree that has it.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cockpit.clock import iso, now
from cockpit.config import named_tools
from cockpit.config_files import repository_tables
from cockpit.errors import cannot_write
from cockpit.files import digest_of, only_one, write_atomically
from cockpit.paths import state_dir
from cockpit.plain_text import plain_text
from cockpit.worktrees.project_hooks import SETUP_FILE, setup_commands

NOT_TRUSTED = "not trusted: run cockpit trust"
_MOST_TABLES = 50
_PATIENCE = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class Trust:
    """Whether a repository may run programs. `changed` is True where it was trusted with other tables than it has now;
    `programs` are those that its files name, as (file: key, words)."""

    trusted: bool
    changed: bool
    programs: tuple[tuple[str, str], ...]

    @property
    def reason(self) -> str:
        """Why programs do not run, "" where they may."""
        if self.trusted:
            return ""
        return "its checks changed since it was trusted: run cockpit trust" if self.changed else NOT_TRUSTED


def read_trust(root: Path, common_dir: Path | None = None) -> Trust:
    """The trust of the repository whose work tree is `root`. `common_dir` is its shared git folder, if it has one.

    Raises `CannotAnswer` where its configuration is no TOML.
    """
    tables = _tables(root)
    known = _read().get(_place(root, common_dir), {}).get("tables", [])
    return Trust(_digest(tables) in known, bool(known), _programs(tables))


def trust(root: Path, common_dir: Path | None = None) -> Trust:
    """Trust the repository as it is now. Raises `CannotAnswer` where the state cannot be written."""
    digest = _digest(_tables(root))

    def added(rows: dict[str, Any]) -> None:
        row = rows.setdefault(_place(root, common_dir), {"tables": []})
        kept = [one for one in row["tables"] if one != digest]
        row.update(tables=[*kept, digest][-_MOST_TABLES:], at=iso(now()))

    _change(added)
    return read_trust(root, common_dir)


def revoke(root: Path, common_dir: Path | None = None) -> bool:
    """Take the trust back. Answers whether there was any."""
    place = _place(root, common_dir)
    had = place in _read()
    if had:
        _change(lambda rows: rows.pop(place, None))
    return had


def _tables(root: Path) -> dict[str, Any]:
    """What starts programs, by file."""
    found: dict[str, Any] = {}
    for name, table in repository_tables(root).items():
        part = {"checks": named_tools(table), "editor": table.get("editor")}
        if any(part.values()):
            found[name] = part
    if commands := setup_commands(root):
        found[SETUP_FILE] = {"checks": {}, "editor": None, "commands": commands}
    return found


def _programs(tables: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    found = []
    for file, part in tables.items():
        if part["editor"]:
            found.append((f"{file}: editor", plain_text(part["editor"], 200)))
        for name, words in part.get("commands", {}).items():
            found.append((f"{file}: {name}", plain_text(words, 300)))
        for name, tool in part["checks"].items():
            command = tool.get("command")
            words = " ".join(map(str, command)) if isinstance(command, list) else name
            found.append((f"{file}: checks.{plain_text(name, 60)}", plain_text(words, 300)))
    return tuple(found)


def _digest(tables: dict[str, Any]) -> str:
    text = json.dumps(tables, sort_keys=True, default=str)
    return digest_of(text.encode("utf-8", "surrogatepass"))


def _place(root: Path, common_dir: Path | None) -> str:
    return os.path.realpath(common_dir or root)


def _path() -> Path:
    return state_dir() / "trust.json"


def _read() -> dict[str, Any]:
    """The rows by place; a broken file trusts nobody."""
    try:
        rows = json.loads(_path().read_bytes())["repositories"]
        return {
            place: row for place, row in rows.items() if isinstance(row, dict) and isinstance(row.get("tables"), list)
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _change(change: Callable[[dict[str, Any]], object]) -> None:
    path = _path()
    with only_one(path.with_suffix(".lock"), f"{path} is held by another process", patience=_PATIENCE):
        rows = _read()
        change(rows)
        text = json.dumps({"version": 1, "repositories": rows}, indent=1) + "\n"
        try:
            write_atomically(path, text, mode=0o600)
        except OSError as problem:
            raise cannot_write(path, problem) from None
