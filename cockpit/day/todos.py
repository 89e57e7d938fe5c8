"""The to-do list that start day writes where a person asks for it."""

import json
from pathlib import Path
from typing import Any

from cockpit.errors import CannotAnswer, cannot_write
from cockpit.files import read_regular, readable_json, write_atomically
from cockpit.plain_text import plain_text
from skills.workflow.day import todos
from skills.workflow.tasks import Scored


def write_todos(root: Path, place: str, scored: tuple[Scored, ...]) -> Path:
    """Put the queue into the to-do list at `place`, below the root. Raises `CannotAnswer` and then changes nothing."""
    path = root / place
    if Path(place).is_absolute() or ".." in Path(place).parts or not _below(path, root):
        raise CannotAnswer(f"day.todos: {plain_text(place, 80)} does not lie in the repository", "name a file below it")
    known: list[dict[str, Any]] = []
    wrapped: dict[str, Any] | None = None
    try:
        document = json.loads(read_regular(path, 4_000_000))
        wrapped = document if isinstance(document, dict) else None
        listed = document.get("todos") if isinstance(document, dict) else document
        if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
            raise CannotAnswer(f"{plain_text(place, 80)} is no list of to-dos: it is left as it is")
        known = listed
    except FileNotFoundError:
        pass
    except (OSError, ValueError, RecursionError):
        raise CannotAnswer(f"{plain_text(place, 80)} is no JSON: it is left as it is") from None
    rows = todos(scored, known)
    if rows != known:
        whole: Any = {**wrapped, "todos": rows} if wrapped is not None else rows
        try:
            write_atomically(path, readable_json(whole, 1))
        except OSError as problem:
            raise cannot_write(place, problem) from None
    return path


def _below(path: Path, root: Path) -> bool:
    """Whether a file that may not exist yet lies below the root, links followed."""
    return path.resolve().is_relative_to(root.resolve())
