"""The files beside the code that an audit reads: databases, decisions, the kanban board, the results log."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from cockpit.files import read_regular
from cockpit.plain_text import plain_text
from skills.audit.context_filter import Decision
from skills.audit.model import LogRow
from skills.audit.results_log import read_rows
from skills.gates.engine.roles import is_test_path

LOG = "docs/project/.audit/results_log.md"
BOARD = "docs/tasks/kanban_board.md"
STACK = "docs/project/tech_stack.md"
DECISIONS = ("docs/reference/adrs", "docs/decisions", "docs/adr", "docs/adrs")
_BESIDE = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml", "alembic.ini", ".env.example")
_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock")
_REQUIRE = ("pyproject.toml", "Pipfile", ".txt", ".in")
_STEMS = frozenset({"settings", "config", "database", "db", "conf", "base", "core", "session", "engine"})
_MOST_FILES, _MOST_BYTES, _MOST_OF_LOCK = 80, 64_000, 4_000_000
_ADR = re.compile(r"adr[-_ ]?\d+", re.I)
_DEAD = re.compile(r"^\W*status\W*\s*(superseded|rejected|deprecated)", re.I | re.M)


def texts_of(root: Path, names: Iterable[str], manifests: Iterable[str]) -> dict[str, str]:
    """The files that may say which database is used, by path."""
    folders = dict.fromkeys(["", *(name.rpartition("/")[0] for name in manifests)])
    beside = [f"{folder}/{name}" if folder else name for folder in folders for name in _BESIDE]
    code = [name for name in names if not is_test_path(name) and _may_configure(name)]
    code.sort(key=lambda name: (name.count("/"), name))
    found: dict[str, str] = {}
    for name in [STACK, *beside, *code[:_MOST_FILES]]:
        text = read_text(root / name)
        if text:
            found[plain_text(name, 300)] = text
    return found


def releases_in(root: Path, manifests: Iterable[str]) -> dict[str, str]:
    """The lock files and manifests that may say which release of a package is used, by path."""
    manifests = [name for name in manifests if name.endswith(_REQUIRE)]
    folders = dict.fromkeys(["", *(name.rpartition("/")[0] for name in manifests)])
    locks = [f"{folder}/{name}" if folder else name for folder in folders for name in _LOCKS]
    found = {name: read_text(root / name, _MOST_OF_LOCK) for name in (*locks, *manifests)}
    return {plain_text(name, 300): text for name, text in found.items() if text}


def _may_configure(name: str) -> bool:
    folder, _, last = name.rpartition("/")
    return last.removesuffix(".py") in _STEMS or folder.rpartition("/")[2] == "settings"


def read_text(path: Path, most: int = _MOST_BYTES) -> str:
    """The beginning of a file as text, "" where it cannot be read."""
    try:
        return read_regular(path, most).decode("utf-8", "replace")
    except OSError:
        return ""


def decisions_of(root: Path) -> list[Decision]:
    """The decisions that are in force."""
    return list(_decisions(root))


def _decisions(root: Path) -> Iterator[Decision]:
    for folder in DECISIONS:
        try:
            files = sorted(path for path in (root / folder).iterdir() if path.suffix == ".md")
        except OSError:
            continue
        for path in files[:200]:
            text = read_text(path)
            if text and not _DEAD.search(text):
                match = _ADR.search(path.stem)
                name = match[0].upper().replace("_", "-").replace(" ", "-") if match else plain_text(path.stem, 60)
                yield Decision(name, text.lower())


def rows_of(root: Path) -> tuple[list[LogRow], list[str]]:
    """(the rows of the results log, oldest first, the rows of others as they stand)."""
    return read_rows(read_text(root / LOG, 16_000_000))
