"""What is new in the files of one agent, taken into the ledger."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cockpit.agents.source import Reader, Source, Stamp
from cockpit.spend.book import Book
from cockpit.spend.prices import Prices
from cockpit.spend.shelf import Shelf
from cockpit.spend.store import Store

if TYPE_CHECKING:
    from cockpit.spend.reading_process import ReadingProcess

_MOST_HELD = 50_000  # responses that are held in memory before they are written
_LONG = 256 << 10  # bytes that are worth the import of what decodes them fast
_MUCH = 32 << 20  # bytes of files never read before that a second process is worth its start for


@dataclass(slots=True, eq=False, repr=False)
class AgentFiles:
    """A reader, its number in the ledger, and what its files looked like when they were last read."""

    reader: Reader
    domain: int
    stamps: dict[str, Stamp] = field(default_factory=dict)


def take_in(files: AgentFiles, chosen: Sequence[tuple[str, int]], store: Store, prices: Prices) -> set[str]:
    """Read what is new in the files `chosen` (path, bytes, 0 where that is not known). Returns the keys of the
    responses that changed.
    """
    reader = files.reader
    if not files.domain:
        words = "INSERT INTO domains (agent, roots) VALUES (?, ?) RETURNING id"
        files.domain = store.connection.execute(words, (reader.agent, name_of(reader))).fetchone()[0]
    if sum(size or _LONG for _, size in chosen) >= _LONG:
        import msgspec  # noqa: F401 - the readers use it where it is there
    shelf, book = Shelf(store, files.domain), Book(store, files.domain, prices)
    changed: set[str] = set()
    read: list[Source] = []
    for source in _read(files, chosen, shelf, book, changed):
        read.append(source)
        if len(book) > _MOST_HELD:
            changed |= book.flush()
    shelf.save(read)
    shelf.name_sub_agents(filter(None, map(reader.about, read)))
    shelf.save(reader.settle(read, shelf, book))
    changed |= book.flush()
    files.stamps.update((source.path, source.stamp) for source in read)
    return changed


def name_of(reader: Reader) -> str:
    """The data roots of a reader, as the ledger knows them."""
    return os.pathsep.join(os.path.realpath(root) for root in reader.roots)


def _read(
    files: AgentFiles, chosen: Sequence[tuple[str, int]], shelf: Shelf, book: Book, changed: set[str]
) -> Iterator[Source]:
    """Those of the files `chosen` that could be read, once they are."""
    reader, there = files.reader, _for_another_process(files, chosen)
    with _reading(reader, there) as process:
        for path, _ in chosen:
            if path not in there:
                source = shelf.get(path, reader) if path in files.stamps else shelf.fresh(path, reader)
                if reader.read_or_say(source, book):
                    yield source
        if process is None:
            return
        changed |= book.flush()  # while the other process still reads
        for path, found in process.results(book):
            source = shelf.fresh(path, reader) if found is None else shelf.put(found)
            if found is not None or reader.read_or_say(source, book):
                yield source


@contextlib.contextmanager
def _reading(reader: Reader, paths: frozenset[str]) -> Iterator["ReadingProcess | None"]:
    """A process that reads `paths`, None where there are none."""
    if not paths:
        yield None
        return
    from cockpit.spend.reading_process import ReadingProcess

    with contextlib.closing(ReadingProcess(reader, paths)) as process:
        yield process


def _for_another_process(files: AgentFiles, chosen: Sequence[tuple[str, int]]) -> frozenset[str]:
    """Half of what was never read, by bytes, where that is much and another core can read it."""
    fresh = [(size, path) for path, size in chosen if path not in files.stamps]
    if sum(size for size, _ in fresh) < _MUCH or (os.cpu_count() or 1) < 2:
        return frozenset()
    here = there = 0
    found: list[str] = []
    for size, path in sorted(fresh, reverse=True):
        if there < here:
            found.append(path)
            there += size
        else:
            here += size
    return frozenset(found)
