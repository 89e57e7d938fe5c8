"""Writes budgets into the user's configuration file: the one value that changes, every comment kept."""

import contextlib
import re
import tomllib
from pathlib import Path

from cockpit.config import load_config
from cockpit.errors import CannotAnswer, cannot_read, cannot_write
from cockpit.files import only_one, write_atomically
from cockpit.paths import user_config_file
from cockpit.spend.budget_words import BudgetWish, in_file

_PATIENCE_SECONDS = 2.0
_HEADER = re.compile(r"\s*\[")


def set_budget(wish: BudgetWish) -> Path:
    """Write a budget. Returns the file. Raises `CannotAnswer` where it cannot be done."""
    path = user_config_file()
    with only_one(path.with_suffix(".lock"), f"another cockpit changes {path}", patience=_PATIENCE_SECONDS):
        return _set(path, wish)


def _set(path: Path, wish: BudgetWish) -> Path:
    load_config(None)
    before = _read(path)
    text = _with(before, f"budget.{wish.window}", "soft", in_file(wish.soft))
    if wish.hard is not None:
        text = _with(text, f"budget.{wish.window}", "hard", in_file(wish.hard))
    if wish.block:
        text = _with(text, "budget", "block_on_limit", "true")
    expected = {"soft": wish.soft} | ({} if wish.hard is None else {"hard": wish.hard})
    try:
        budget = tomllib.loads(text).get("budget", {})
    except tomllib.TOMLDecodeError:
        budget = {}
    if not expected.items() <= budget.get(wish.window, {}).items() or (
        wish.block and budget.get("block_on_limit") is not True
    ):
        raise CannotAnswer(f"{path}: the budget is written in a form that cannot be edited here", "edit it by hand")
    try:
        write_atomically(path, text)
    except OSError as problem:
        raise cannot_write(path, problem) from None
    try:
        load_config(None)
    except CannotAnswer:
        with contextlib.suppress(OSError):
            write_atomically(path, before)
        raise
    return path


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as problem:
        raise cannot_read(path, problem) from None


def _with(text: str, table: str, key: str, value: str) -> str:
    """`text` with `key = value` in `[table]`: the line replaced, added to the table, or a new table at the end."""
    ending = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    parts = r"\s*\.\s*".join(re.escape(part) for part in table.split("."))
    head = re.compile(rf"\s*\[\s*{parts}\s*\]\s*(#.*)?$")
    start = next((number for number, line in enumerate(lines) if head.match(line.rstrip("\r\n"))), None)
    if start is None:
        gap = "" if not text else ending if text.endswith("\n") else ending * 2
        return f"{text}{gap}[{table}]{ending}{key} = {value}{ending}"
    end = next((number for number in range(start + 1, len(lines)) if _HEADER.match(lines[number])), len(lines))
    for number in range(start + 1, end):
        found = re.match(rf"(\s*{key}\s*=\s*)[^#\r\n]*?(\s*(?:#[^\r\n]*)?)(\r?\n|$)", lines[number])
        if found:
            lines[number] = f"{found[1]}{value}{found[2]}{found[3]}"
            return "".join(lines)
    if not lines[start].endswith("\n"):
        lines[start] += ending
    lines.insert(start + 1, f"{key} = {value}{ending}")
    return "".join(lines)
