"""Costs that a person adds: infrastructure, storage, APIs. One line each in the state folder, never rewritten."""

import json
import math
import os
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from cockpit.agents.lenient import document, number, text, when
from cockpit.errors import cannot_write
from cockpit.files import locked
from cockpit.paths import state_dir
from cockpit.spend.calendar import QUARTER_MS
from cockpit.spend.models import NO_TOKENS
from cockpit.spend.sums import MICRO, PERSON, Cell, Origin

Category = Literal["compute", "storage", "api"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
MOST_USD = 1e6
_PATIENCE = 5.0  # seconds; after them the line is added all the same: it is one write


def add_entry(
    category: Category,
    usd: float,
    at: datetime,
    root: Path | None,
    *,
    feature: str = "",
    task: str = "",
    note: str = "",
) -> Path:
    """Add an amount in dollars that was spent `at` that time, for the repository at `root`. Returns the file.

    Raises `CannotAnswer` where it cannot be written.
    """
    path = _file()
    entry = {
        "at": at.isoformat(),
        "category": category,
        "usd": usd,
        "root": "" if root is None else str(root),
        "feature": feature,
        "task": task,
        "note": note,
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_suffix(".lock"), _PATIENCE), path.open("ab+") as stream:
            size = stream.seek(0, os.SEEK_END)
            if size:
                stream.seek(size - 1)
                torn = stream.read(1) != b"\n"
            stream.write((b"\n" if size and torn else b"") + json.dumps(entry).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as problem:
        raise cannot_write(path, problem) from None
    return path


def read_entries() -> tuple[Cell, ...]:
    """The amounts that were added; lines that cannot be read are passed over."""
    try:
        raw = _file().read_bytes()
    except OSError:
        return ()
    return tuple(cell for line in raw.splitlines() if (cell := _cell(document(line) or {})) is not None)


def _cell(entry: dict[str, Any]) -> Cell | None:
    category, usd, at = entry.get("category"), number(entry.get("usd")), when(entry.get("at"))
    if category not in CATEGORIES or usd is None or not math.isfinite(usd) or abs(usd) > MOST_USD:
        return None
    origin = Origin(
        PERSON,
        "",
        text(entry.get("root")) or "",
        text(entry.get("feature")) or "",
        category,
        billed=True,
        category=category,
        task=text(entry.get("task")) or "",
    )
    quarter = None if at is None else at // QUARTER_MS
    return Cell(origin, quarter, 0, NO_TOKENS, round(usd * 10**6) * MICRO, 0, at)


def _file() -> Path:
    return state_dir() / "entries.jsonl"
