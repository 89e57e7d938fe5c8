"""The sweep's full answers in `.security/`, one file a tool and day: redacted, and ignored by git by its own rule."""

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from cockpit import clock
from cockpit.errors import CannotAnswer, cannot_write
from cockpit.files import clear_leftovers, write_atomically
from skills.workflow.sweep import SweepCheck

FOLDER = ".security"


def write_reports(root: Path, checks: Iterable[SweepCheck], now: datetime) -> list[Path]:
    """Write `.security/<tool>-<date>.json`. Returns the files. Raises `CannotAnswer` where one cannot be written."""
    folder = root / FOLDER
    if folder.is_symlink():
        raise CannotAnswer(f"{folder} is a link: no report is written through it")
    by_tool: dict[str, list[dict[str, Any]]] = {}
    for check in checks:
        for tool in (check.tool or check.check).split(", "):
            name = tool.replace(" ", "-") if check.tool not in ("git log", "git diff", "git ls-files") else check.check
            by_tool.setdefault(name, []).append(check.row())
    written = []
    day = now.astimezone().strftime("%Y-%m-%d")
    try:
        ignore = folder / ".gitignore"
        if not ignore.exists():
            write_atomically(ignore, "*\n", mode=0o644)
        for tool, rows in by_tool.items():
            path = folder / f"{tool}-{day}.json"
            document = {"version": 1, "tool": tool, "checks": rows, "meta": {"at": clock.iso(now)}}
            clear_leftovers(path)
            write_atomically(path, json.dumps(document, indent=1) + "\n", mode=0o600)
            written.append(path)
    except OSError as problem:
        raise cannot_write(folder, problem) from None
    return written
