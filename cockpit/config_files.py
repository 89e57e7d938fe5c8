"""The files that configuration is written in, found and parsed; what they may say is known to `cockpit.config`."""

from pathlib import Path
from typing import Any

from cockpit.errors import CannotAnswer, cannot_read
from cockpit.files import read_regular
from cockpit.paths import user_config_file
from cockpit.plain_text import plain_text

Sources = list[tuple[Path, bytes]]
"""Configuration files with their content, in the order in which they are read."""


def config_sources(root: Path | None, extra: Path | None) -> Sources:
    """The files that may say something, with their content; `extra` is read last. Raises `CannotAnswer`."""
    candidates = [user_config_file()]
    if root is not None:
        candidates += [root / "pyproject.toml", root / "cockpit.toml"]
    candidates = [path for path in candidates if path.is_file()]
    if extra is not None:
        if not extra.is_file():
            raise CannotAnswer(f"{extra}: no such configuration file")
        candidates.append(extra)
    found = [(path, _content(path)) for path in candidates]
    return [(path, raw) for path, raw in found if raw and (path.name != "pyproject.toml" or b"tool.cockpit" in raw)]


def _content(path: Path) -> bytes:
    try:
        return read_regular(path)
    except OSError as problem:
        raise cannot_read(path, problem) from None


def table_of(path: Path, raw: bytes) -> dict[str, Any]:
    """What a configuration file says to cockpit. Raises `CannotAnswer` where it is no TOML."""
    import tomllib

    try:
        document = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise CannotAnswer(f"{path}: not valid TOML: {plain_text(problem, 160)}") from None
    if path.name != "pyproject.toml":
        return document
    tool = document.get("tool")
    table = tool.get("cockpit") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else {}


def repository_tables(root: Path) -> dict[str, dict[str, Any]]:
    """The tables of the repository's own configuration files by name. Raises `CannotAnswer` where one is no TOML."""
    paths = [path for name in ("pyproject.toml", "cockpit.toml") if (path := root / name).is_file()]
    return {path.name: table for path in paths if (table := table_of(path, _content(path)))}
