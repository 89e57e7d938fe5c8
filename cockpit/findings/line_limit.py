"""How long a project lets its lines be: what ruff's configuration, else black's, says for a file."""

import tomllib
from pathlib import Path, PurePosixPath
from typing import Any

from cockpit.files import read_regular

_LARGEST = 1_000_000


def line_limit(root: Path, path: str) -> int | None:
    """The characters that a line of a file may have, None where the project states no number.

    The nearest configuration of ruff above the file holds, as ruff itself has it; what it extends is not followed.
    Where it states no number, black's holds.
    """
    for folder in PurePosixPath(path).parents:
        for name in (".ruff.toml", "ruff.toml"):
            if (found := _document(root / folder / name)) is not None:
                return _limit(found) or _of_black(root)
        ruff = _tool(root / folder / "pyproject.toml").get("ruff")
        if isinstance(ruff, dict):
            return _limit(ruff) or _of_black(root)
    return _of_black(root)


def _of_black(root: Path) -> int | None:
    return _limit(_tool(root / "pyproject.toml").get("black"))


def _limit(table: object) -> int | None:
    given = table.get("line-length") if isinstance(table, dict) else None
    return given if isinstance(given, int) and not isinstance(given, bool) and given > 0 else None


def _tool(path: Path) -> dict[str, Any]:
    tool = (_document(path) or {}).get("tool")
    return tool if isinstance(tool, dict) else {}


def _document(path: Path) -> dict[str, Any] | None:
    """A TOML file, None where there is none that can be read."""
    try:
        return tomllib.loads(read_regular(path, _LARGEST).decode("utf-8-sig"))
    except (OSError, ValueError):
        return None
