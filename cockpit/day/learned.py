"""Learnings on disk: candidates in cockpit's own state until a person keeps them, then `docs/learnings/DATE.md`."""

import contextlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from cockpit.bench.shared import text_of
from cockpit.day.record import state_folder
from cockpit.errors import CannotAnswer, cannot_write
from cockpit.files import only_one, read_regular, write_atomically
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from skills.workflow.learnings import KINDS, Learning, added, marked_promoted, promoted, read_file

FOLDER = "docs/learnings"
_LARGEST = 4_000_000
_MOST = 200
_PATIENCE_SECONDS = 2.0


def candidates(repository: Repository) -> tuple[Learning, ...]:
    """What was found and not yet kept or dropped."""
    try:
        rows = json.loads(read_regular(_path(repository), _LARGEST))["candidates"]
        return tuple(
            Learning(row["kind"], str(row["text"]), str(row.get("source", ""))) for row in rows if row["kind"] in KINDS
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ()


def propose(repository: Repository, found: Iterable[Learning]) -> tuple[Learning, ...]:
    """Add candidates; one that was dropped or is kept already does not come again. Returns what is new.

    Raises `CannotAnswer` where the state cannot be written.
    """
    with _one_writer(repository):
        known = candidates(repository)
        dropped = _dropped(repository)
        have = {one.id for one in (*known, *(one for _, rows in kept(repository.root) for one in rows))} | dropped
        fresh = tuple(one for one in found if one.id not in have)
        if fresh:
            _write(repository, (*known, *fresh)[-_MOST:], dropped)
    return fresh


def settle(repository: Repository, ids: Iterable[str], *, dropped: bool) -> None:
    """Take candidates off the list; dropped ones are remembered. Raises `CannotAnswer`."""
    with _one_writer(repository):
        _settle(repository, set(ids), dropped=dropped)


def keep(repository: Repository, chosen: Iterable[Learning], now: datetime) -> Path | None:
    """Write learnings into today's file. Returns it, None where nothing was new. Raises `CannotAnswer`."""
    day = now.astimezone().strftime("%Y-%m-%d")
    path = repository.root / FOLDER / f"{day}.md"
    wanted = tuple(chosen)
    with _one_writer(repository):
        text = text_of(path.parent, path.name)
        new = added(text, wanted, day)
        if new != text:
            _save(path, new, repository.root)
        _settle(repository, {one.id for one in wanted}, dropped=False)
    return path if new != text else None


def kept(root: Path) -> list[tuple[Path, tuple[Learning, ...]]]:
    """What is kept, by file, the oldest first. Files that cannot be read are passed over."""
    found = []
    for path in sorted((root / FOLDER).glob("*.md")):
        try:
            found.append((path, read_file(read_regular(path, _LARGEST).decode("utf-8", "replace"))))
        except OSError:
            continue
    return found


def promote(repository: Repository, ids: Iterable[str], *, write: bool) -> tuple[str, str]:
    """(CLAUDE.md before, and with those learnings); written where `write` is set. Raises `CannotAnswer`."""
    with _one_writer(repository) if write else contextlib.nullcontext():
        return _promote(repository.root, set(ids), write=write)


def _promote(root: Path, wanted: set[str], *, write: bool) -> tuple[str, str]:
    files = [(path, [one for one in rows if one.id in wanted]) for path, rows in kept(root)]
    chosen = [one for _, rows in files for one in rows]
    missing = wanted - {one.id for one in chosen}
    if missing:
        raise CannotAnswer(
            f"no kept learning is called {plain_text(sorted(missing)[0], 40)}", "see cockpit learnings list"
        )
    path = root / "CLAUDE.md"
    before = text_of(root, path.name)
    after = promoted(before, chosen)
    if write:
        _save(path, after, root)
        for file, rows in files:
            if rows:
                _save(file, marked_promoted(text_of(file.parent, file.name), (one.id for one in rows)), root)
    return before, after


@contextlib.contextmanager
def _one_writer(repository: Repository) -> Iterator[None]:
    """Hold the learnings of a repository, so that two changes at once are both kept. Raises `CannotAnswer`."""
    lock = _path(repository).with_suffix(".lock")
    with only_one(lock, "another process changes the learnings", patience=_PATIENCE_SECONDS):
        yield


def _settle(repository: Repository, gone: set[str], *, dropped: bool) -> None:
    left = tuple(one for one in candidates(repository) if one.id not in gone)
    _write(repository, left, _dropped(repository) | (gone if dropped else set()))


def _save(path: Path, text: str, root: Path) -> None:
    if not path.resolve().is_relative_to(root.resolve()):
        raise CannotAnswer(f"{path} leads out of the repository: it is left as it is")
    try:
        write_atomically(path, text, mode=None if path.exists() else 0o644)
    except OSError as problem:
        raise cannot_write(path, problem) from None


def _path(repository: Repository) -> Path:
    return state_folder(repository) / "learnings.json"


def _dropped(repository: Repository) -> set[str]:
    try:
        return {str(one) for one in json.loads(read_regular(_path(repository), _LARGEST))["dropped"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()


def _write(repository: Repository, rows: tuple[Learning, ...], dropped: set[str]) -> None:
    path = _path(repository)
    listed = [{"kind": one.kind, "text": one.text, "source": one.source} for one in rows]
    document = {"version": 1, "candidates": listed, "dropped": sorted(dropped)}
    try:
        write_atomically(path, json.dumps(document, indent=1) + "\n", mode=0o600)
    except OSError as problem:
        raise cannot_write(path, problem) from None
