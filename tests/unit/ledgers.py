"""A ledger of one reader, with the responses that it holds, for tests."""

from cockpit.agents.record import Record
from cockpit.agents.source import Reader, Source
from cockpit.spend.book import Book
from cockpit.spend.ledger import Ledger
from cockpit.spend.store import Store


class Usage:
    """What one reader found, read through the ledger."""

    def __init__(self, reader: Reader, store: Store | None = None) -> None:
        self.reader = reader
        self.ledger = Ledger([reader], store)

    def read_all(self) -> set[str]:
        return self.ledger.read()

    def read(self, paths: list[str]) -> set[str]:
        return self.ledger.read(paths)

    @property
    def records(self) -> dict[str, Record]:
        return {key: record for key, (record, _) in self._all().items()}

    @property
    def final(self) -> set[str]:
        return {key for key, (_, final) in self._all().items() if final}

    @property
    def files(self) -> dict[str, Source]:
        return {source.path: source for source in self.ledger.files()}

    @property
    def unreadable(self) -> dict[str, str]:
        return self.reader.unreadable

    def _all(self) -> dict[str, tuple[Record, bool]]:
        database = self.ledger.store.connection
        found: dict[str, tuple[Record, bool]] = {}
        for _, domain, _ in self.ledger.shelves():
            book = Book(self.ledger.store, domain, self.ledger.prices)
            words = "SELECT key FROM responses WHERE domain = ? AND part = 0 ORDER BY key"
            for (key,) in database.execute(words, (domain,)).fetchall():
                found[key] = book.stored(key)
        return found
