"""The ledger's file: SQLite in the state folder, one writer at a time, never in the way.

Where the folder cannot be written, another cockpit keeps it busy or the disk is full, a copy in memory takes its
place: every answer is the same, only the next start is slower. A damaged file is moved aside and built anew from
what the agents left on disk.
"""

import contextlib
import sqlite3
import time
import weakref
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from cockpit.files import locked
from cockpit.spend.schema import CHECKS, MIGRATIONS

NAME = "ledger.db"
_LEFT = ".left"
_WAIT = 5.0  # seconds that a writer waits for another
_SHORT_LOG = 1 << 20  # bytes that are read at the next start
_last_left: "deque[Store]" = deque(maxlen=1)


class Store:
    """A connection to the ledger's file (or to its copy in memory, where `path` is None).

    `notice` says what a person should know about it. Not for several threads at once.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None, notice: str = "") -> None:
        self.connection = connection
        self.path = path
        self.notice = notice
        self._let_go = weakref.finalize(self, _closed, connection, path)

    @classmethod
    def open(cls, folder: Path | None) -> "Store":
        """The ledger in `folder`, made or mended as needed; without a folder, an empty one in memory."""
        if folder is None:
            return _in_memory()
        path = folder / NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _lock(path) as alone:
                if not alone:
                    return _copied(path, "another cockpit is writing the ledger: this one works on a copy")
                try:
                    return cls(_connected(path), path)
                except _Newer:
                    return _in_memory("the ledger was written by a newer cockpit: this one works without it")
                except sqlite3.OperationalError as problem:
                    return _copied(path, f"the ledger cannot be written ({problem}): it is kept in memory")
                except sqlite3.DatabaseError:
                    notice = _moved_aside(path)
                    return cls(_connected(path), path, notice)
        except OSError as problem:
            why = problem.strerror or "it fails"
            return _copied(path, f"the state folder cannot be written ({why}): the ledger is kept in memory")
        except sqlite3.Error as problem:
            return _in_memory(f"the ledger cannot be made ({problem}): it is kept in memory")

    def close(self) -> None:
        """Let go of the file; done at the end of the process as well."""
        self._let_go()

    def leave(self) -> None:
        """As `close`, by a process that ends at once: what it wrote may stay in the log beside the file.

        To bring it into the file takes longer than all that a small read does; a later cockpit does it for many.
        """
        if self.path is not None:
            try:
                log = self.path.with_name(self.path.name + "-wal").stat().st_size
                if log <= _SHORT_LOG and _stamp(self.path) == _left(self.path):
                    _last_left.append(self)  # SQLite closes what nobody holds any more
                    return
            except OSError:
                pass
        self.close()

    def version(self) -> int:
        """A number that changes when another connection has written."""
        found: int = self.connection.execute("PRAGMA data_version").fetchone()[0]
        return found

    @contextlib.contextmanager
    def writing(self) -> Iterator[bool]:
        """A transaction, the only one of all cockpits; False, and none, where another one keeps the ledger busy."""
        if self.path is None:
            with _transaction(self.connection):
                yield True
            return
        with _lock(self.path) as alone:
            if not alone:
                yield False
                return
            with _transaction(self.connection):
                yield True

    def copy(self, notice: str) -> "Store":
        """The same ledger in memory."""
        made = _in_memory(notice)
        with contextlib.suppress(sqlite3.Error):
            self.connection.backup(made.connection)
        self.close()
        return made

    def without(self) -> "Store":
        """An empty ledger in memory, where the file's rows are of another version; the file stays as it is."""
        self.close()
        return _in_memory("the ledger was written by another version of cockpit: this one works without it")

    def rebuilt(self) -> "Store":
        """The damaged file moved aside, and an empty ledger in its place."""
        self.close()
        if self.path is None:
            return _in_memory(self.notice)
        with _lock(self.path) as alone:
            if not alone:
                return _in_memory("the ledger is damaged and another cockpit holds it: this one works without it")
            try:
                _connected(self.path).close()
            except (sqlite3.DatabaseError, _Newer):
                notice = _moved_aside(self.path)
            else:
                notice = ""  # another cockpit has mended it
        mended = Store.open(self.path.parent)
        mended.notice = mended.notice or notice
        return mended


class _Newer(Exception):
    """The file's schema is of a later version."""


def _connected(path: Path) -> sqlite3.Connection:
    connection = _configured(sqlite3.connect(path, timeout=_WAIT, isolation_level=None, check_same_thread=False))
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        if _stamp(path) == _left(path):  # the log beside it has checksums of its own
            _migrate(connection)
        else:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()
            if found != ("ok",):
                raise sqlite3.DatabaseError(str(found))
            _migrate(connection)
            responses, cells = (connection.execute(words).fetchone() for words in CHECKS)
            if responses != cells:
                raise sqlite3.DatabaseError("the sums are not those of the responses")
    except BaseException:
        connection.close()
        raise
    return connection


def _closed(connection: sqlite3.Connection, path: Path | None) -> None:
    """Close, and note what the file looks like: as it was left it need not be checked again."""
    connection.close()
    if path is not None:
        with contextlib.suppress(OSError):
            stamp = _stamp(path)
            if stamp != _left(path):
                path.with_suffix(_LEFT).write_text(stamp, "utf-8")


def _stamp(path: Path) -> str:
    found = path.stat()
    return f"{found.st_ino} {found.st_size} {found.st_mtime_ns}"


def _left(path: Path) -> str:
    """What the file looked like when a cockpit let go of it."""
    try:
        return path.with_suffix(_LEFT).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _configured(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA cache_size = -8000")
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise _Newer
    for number in range(version, len(MIGRATIONS)):
        with _transaction(connection):
            for statement in MIGRATIONS[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")


def _in_memory(notice: str = "") -> Store:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _migrate(_configured(connection))
    return Store(connection, None, notice)


def _copied(path: Path, notice: str) -> Store:
    """A copy in memory of what can be read of the file."""
    for options in ("mode=ro", "mode=ro&immutable=1"):
        try:
            with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?{options}", uri=True)) as found:
                version = found.execute("PRAGMA user_version").fetchone()[0]
                sound = found.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
                if sound and version == len(MIGRATIONS):
                    made = _in_memory(notice)
                    found.backup(made.connection)
                    return made
        except (sqlite3.Error, OSError):
            continue
    return _in_memory(notice)


def _moved_aside(path: Path) -> str:
    aside = path.with_name(f"{path.stem}.damaged-{time.strftime('%Y%m%dT%H%M%S')}{path.suffix}")
    path.replace(aside)
    for ending in ("-wal", "-shm"):
        with contextlib.suppress(OSError):
            path.with_name(path.name + ending).replace(aside.with_name(aside.name + ending))
    return f"the ledger was damaged: it is now {aside.name}, and a new one is built from the agents' files"


def _lock(path: Path) -> contextlib.AbstractContextManager[bool]:
    """The writers' lock, waited for a while. False: another process still holds it. Raises `OSError`."""
    return locked(path.with_suffix(".lock"), _WAIT)


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
