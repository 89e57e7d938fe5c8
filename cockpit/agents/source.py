"""What every agent's reader shares: files that are followed, what was counted in them, and where records go."""

import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from cockpit.agents.record import Record
from cockpit.files import Tail

if TYPE_CHECKING:
    from cockpit.agents.models import Agent


class Stamp(NamedTuple):
    """What tells that a file changed."""

    inode: int
    size: int
    mtime_ns: int


class SubAgent(NamedTuple):
    """A sub-agent of a session: its kind, what it was asked for, and the workflow that it is a part of."""

    session: str
    name: str
    kind: str
    about: str
    workflow: str


@dataclass(slots=True, eq=False, repr=False)
class Source:
    """One file of an agent and what was counted in it.

    `records` counts usage lines by cwd, `dropped` other lines by (reason, cwd). `billed` is the last cost-state
    of a main file; `before` and `after` are the responses on either side of it. `parent` is the session that
    this one was forked from; `notes` is what the agent's reader keeps between two reads (JSON types only).
    """

    tail: Tail
    session: str = ""
    main: bool = True
    records: Counter[str] = field(default_factory=Counter)
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    odd: int = 0
    billed: float | None = None
    billed_session: str = ""
    before: set[str] = field(default_factory=set)
    after: dict[str, int | None] = field(default_factory=dict)
    parent: str = ""
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The absolute path of its file."""
        return str(self.tail.path)

    @property
    def stamp(self) -> Stamp:
        """What the file looked like when it was last read."""
        return Stamp(self.tail.inode, self.tail.size, self.tail.mtime_ns)

    def forget(self) -> None:
        """Start counting again: the file was rewritten."""
        for counted in (self.records, self.dropped, self.before, self.after, self.notes):
            counted.clear()
        self.odd = 0
        self.billed = None
        self.parent = ""
        self.tail.too_long = 0

    def was(self, stamp: Stamp) -> None:
        """Remember what the file looked like before it was read as a whole."""
        self.tail.inode, self.tail.size, self.tail.mtime_ns = stamp

    def blocks(self) -> Iterator[bytes]:
        """New complete lines in blocks; where the file was rewritten, counting starts again. Raises `OSError`."""
        started = False
        for block in self.tail.blocks():
            if not started and self.tail.restarted:
                self.forget()
            started = True
            yield block

    def lines(self) -> Iterator[bytes]:
        """New complete lines, one by one. Raises `OSError`."""
        for block in self.blocks():
            yield from block.split(b"\n")


class Sink(Protocol):
    """Where records go."""

    def take(self, key: str, record: Record, *, final: bool = True, replace: bool = False) -> None:
        """Take the record of the response `key`; `final`: its usage is complete.

        The record with the most output wins; with `replace`, the last one does.
        """

    def discard(self, key: str) -> None:
        """The response `key` is another's and does not count."""


class Library(Protocol):
    """The files of one agent that were read, now or before."""

    def of_session(self, session: str) -> list[Source]:
        """Those of a session."""

    def children_of(self, session: str) -> list[Source]:
        """Those whose parent is `session`."""


class Reader(ABC):
    """Reads one agent's files. `unreadable` says what could not be read, and why."""

    agent: "Agent"

    def __init__(self, roots: Iterable[Path]) -> None:
        self.roots = tuple(roots)
        self.unreadable: dict[str, str] = {}

    @abstractmethod
    def _places(self) -> Iterator[Path]:
        """The folders that hold the agent's files, where they exist."""

    def folders(self) -> tuple[Path, ...]:
        """The folders that exist and hold the agent's files, to be watched."""
        return tuple(folder for folder in self._places() if folder.is_dir())

    @abstractmethod
    def sources(self) -> Iterator[tuple[str, Stamp]]:
        """Every file that counts, and what it looks like now."""

    @abstractmethod
    def owns(self, path: str) -> bool:
        """Whether `path` is a file that this reader reads."""

    def opened(self, path: str) -> Source:
        """A file of this reader that was never read."""
        return Source(Tail(Path(path), counting=False))

    def stamp(self, path: str) -> Stamp:
        """What the file looks like now. Raises `OSError`."""
        return stamp_of(Path(path).stat())

    @abstractmethod
    def read(self, source: Source, sink: Sink) -> None:
        """Read what is new in `source`. Raises `OSError`."""

    def read_or_say(self, source: Source, sink: Sink) -> bool:
        """Read what is new in `source`. False where it is gone, or cannot be read, which `unreadable` tells then."""
        try:
            self.read(source, sink)
        except FileNotFoundError:
            return False
        except OSError as problem:
            self.unreadable[source.path] = problem.strerror or "cannot be read"
            return False
        self.unreadable.pop(source.path, None)
        return True

    def about(self, source: Source) -> SubAgent | None:
        """The sub-agent whose file `source` is, None where it is none's."""
        return None

    def settle(self, sources: list[Source], library: Library, sink: Sink) -> list[Source]:
        """After `sources` were read: what only several files together tell. Returns other sources that changed."""
        return []

    def walk(self, folders: Iterable[Path], wanted: Callable[[str], bool]) -> Iterator[os.DirEntry[str]]:
        """Files below `folders` by name; links to folders are not entered, so there is no loop."""
        waiting = [str(folder) for folder in folders]
        while waiting:
            place = waiting.pop()
            try:
                with os.scandir(place) as entries:
                    listed = list(entries)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as problem:
                self.unreadable[place] = problem.strerror or "cannot be read"
                continue
            for entry in listed:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif wanted(entry.name) and (entry.is_file(follow_symlinks=False) or self._is_file(entry)):
                    yield entry

    def _is_file(self, entry: os.DirEntry[str]) -> bool:
        try:
            return entry.is_file()
        except OSError as problem:  # a link that leads nowhere, or round in a circle
            self.unreadable[entry.path] = problem.strerror or "cannot be read"
            return False

    def stamped(self, entries: Iterable[os.DirEntry[str]]) -> Iterator[tuple[str, Stamp]]:
        """The entries with what they look like; those whose name is no text are no agent's and cannot be told."""
        for entry in entries:
            if not _is_text(entry.path):
                self.unreadable[entry.path] = "its name is no text"
                continue
            try:
                yield entry.path, stamp_of(entry.stat())
            except FileNotFoundError:
                continue
            except OSError as problem:
                self.unreadable[entry.path] = problem.strerror or "cannot be read"


def stamp_of(found: os.stat_result) -> Stamp:
    """The stamp of a file's status."""
    return Stamp(found.st_ino, found.st_size, found.st_mtime_ns)


def below(path: str, folders: Iterable[Path]) -> tuple[str, ...] | None:
    """The parts of `path` below the folder that holds it; None: none of `folders` does."""
    for folder in folders:
        base = str(folder) + os.sep
        if path.startswith(base) and _is_text(path):
            return tuple(filter(None, parts_of(path.removeprefix(base)))) or None
    return None


def _is_text(path: str) -> bool:
    """Whether the bytes of a path are UTF-8."""
    try:
        return path.isascii() or bool(path.encode())
    except UnicodeEncodeError:
        return False


def parts_of(path: str) -> list[str]:
    """The parts of a path: as `Path.parts`, which thousands of files feel."""
    return path.split(os.sep)  # noqa: PTH206
