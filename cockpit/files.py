"""Files that survive a kill: atomic replacement, a lock between processes, and a tail by (inode, offset)."""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from cockpit.errors import CannotAnswer, cannot_write

CHUNK = 1 << 16  # more would be given back to the system after each, and taken from it again
LONGEST_LINE = 16 << 20
ENDING = 64


def open_regular(path: Path | str | bytes) -> FileIO:
    """`path` opened for reading, without a buffer.

    Raises `OSError`, also where it is no regular file: a pipe or a device may never answer, or never end.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - may be a plain str; opening a pipe would wake its writer
        raise _not_regular(path)
    stream = FileIO(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):  # replaced since it was looked at
        stream.close()
        raise _not_regular(path)
    return stream


def read_regular(path: Path | str | bytes, most: int = -1) -> bytes:
    """What the file holds, at most its first `most` bytes. Raises `OSError` as `open_regular` does."""
    with open_regular(path) as stream:
        if most < 0:
            return stream.readall()
        parts: list[bytes] = []
        while most > 0 and (part := stream.read(most)):
            parts.append(part)
            most -= len(part)
        return b"".join(parts)


def digest_of(content: bytes) -> str:
    """What tells one content from another: 128 bits of BLAKE2b, in hexadecimal."""
    from hashlib import blake2b  # a hook feels the import

    return blake2b(content, digest_size=16).hexdigest()


def source_lines(source: bytes) -> list[str]:
    """The lines of a source as Python and git count them, without their ends: a form feed or a separator of Unicode,
    at which `str.splitlines` cuts too, ends none. Bytes that are no UTF-8 are replaced."""
    return [line.decode("utf-8", "replace") for line in source.splitlines()]


def readable_json(document: object, indent: int | None) -> str:
    """`document` with a line end after it: every letter as it is where that can be written as UTF-8, else escaped."""
    import json  # a pre-commit hook that writes none feels the import

    text = json.dumps(document, indent=indent, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(document, indent=indent)
    return text + "\n"


def _not_regular(path: Path | str | bytes) -> OSError:
    return OSError(errno.EINVAL, "not a regular file", os.fspath(path))


def write_atomically(path: Path, data: bytes | str, *, mode: int | None = None, durable: bool = True) -> None:
    """Replace `path` with `data`: a kill at any moment leaves the old file or the new one.

    The permissions of an existing file are kept; a symbolic link is written through. Without `durable` a loss of power
    may leave neither, which is for what can be worked out again. Raises `OSError`.
    """
    target = Path(os.path.realpath(path))
    content = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    if mode is None:
        with contextlib.suppress(OSError):
            mode = target.stat().st_mode & 0o7777
    target.parent.mkdir(parents=True, exist_ok=True)
    # tempfile would do as well, at the price of an import that every pre-commit hook feels
    temporary = str(target.parent / f".{target.name[:40]}.{os.getpid()}-{os.urandom(6).hex()}.tmp")
    handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        Path(temporary).chmod(0o600 if mode is None else mode)
        Path(temporary).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def clear_leftovers(path: Path) -> None:
    """Take away what writers of `path` left beside it when they were killed. Raises nothing."""
    target = Path(os.path.realpath(path))
    start = f".{target.name[:40]}."
    with contextlib.suppress(OSError):
        for left in target.parent.iterdir():
            pid, _, rest = left.name.removeprefix(start).partition("-")
            ours = left.name.startswith(start) and pid.isdigit() and len(rest) == 16 and rest.endswith(".tmp")
            if ours and not _lives(int(pid)):
                with contextlib.suppress(OSError):
                    left.unlink()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def create_atomically(path: Path, data: str) -> None:
    """Write a file that must not exist yet: it appears whole or not at all.

    Raises `FileExistsError` where it exists, also where somebody else was faster, and `OSError`.
    """
    temporary = path.parent / f".{path.name[:40]}.{os.getpid()}-{os.urandom(6).hex()}.tmp"
    write_atomically(temporary, data, mode=0o644)
    try:
        os.link(temporary, path)
    finally:
        temporary.unlink()


@contextlib.contextmanager
def locked(path: Path, patience: float = 0.0) -> Iterator[bool]:
    """Hold the lock file `path`. Yields False where another process holds it for longer than `patience` seconds."""
    import fcntl
    import time

    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + patience
    with path.open("ab") as stream:
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() >= until:
                    yield False
                    return
                time.sleep(0.005)
        try:
            yield True
        finally:
            fcntl.flock(stream, fcntl.LOCK_UN)


@dataclass(slots=True, eq=False, repr=False)
class Tail:
    """Reads the complete lines that a growing file has gained since the last call.

    `offset` is that of the last newline read. A file that shrank, was rewritten in place or has a new inode
    is read again from its start and `restarted` is True for that call. Lines above `LONGEST_LINE` bytes are
    skipped and counted in `too_long`; `line` counts the lines passed (where `counting`).
    """

    path: Path
    inode: int = 0
    offset: int = 0
    size: int = 0
    mtime_ns: int = 0
    line: int = 0
    too_long: int = 0
    restarted: bool = False
    counting: bool = True
    ending: bytes = b""

    def changed(self) -> bool:
        """Whether the file differs from what was last read. Raises `OSError` where it cannot be looked at."""
        found = self.path.stat()
        return (found.st_ino, found.st_size, found.st_mtime_ns) != (self.inode, self.size, self.mtime_ns)

    def blocks(self) -> Iterator[bytes]:
        """New complete lines, as blocks of bytes that each end with a newline. Raises `OSError`."""
        with open_regular(self.path) as stream:
            found = os.fstat(stream.fileno())
            self.restarted = bool(self.inode) and not self._continues(stream, found)
            if self.restarted:
                self.offset = self.line = 0
                self.ending = b""
            self.inode, self.size, self.mtime_ns = found.st_ino, found.st_size, found.st_mtime_ns
            stream.seek(self.offset)
            rest: list[bytes] = []  # of a line that is longer than a chunk
            held = 0
            while chunk := stream.read(CHUNK):
                cut = chunk.rfind(b"\n") + 1
                if not cut:
                    held += len(chunk)
                    rest = [*rest, chunk] if held <= LONGEST_LINE else []
                    continue
                if cut < len(chunk):  # the line that is cut is read again: cheaper than to join it to all that follows
                    stream.seek(cut - len(chunk), os.SEEK_CUR)
                    chunk = chunk[:cut]
                yield from self._whole(rest, held, chunk)
                rest, held = [], 0

    def _continues(self, stream: FileIO, found: os.stat_result) -> bool:
        """Whether what was read is still there: same inode, not shorter, its last bytes in place."""
        if found.st_ino != self.inode or found.st_size < self.offset:
            return False
        stream.seek(self.offset - len(self.ending))
        return stream.read(len(self.ending)) == self.ending

    def _whole(self, rest: list[bytes], held: int, block: bytes) -> Iterator[bytes]:
        first = block.index(b"\n") + 1
        if held + first - 1 > LONGEST_LINE:
            self.too_long += 1
            self.line += 1
            self.offset += held + first
            self.ending = block[max(0, first - ENDING) : first]
            block = block[first:]
        elif rest:
            block = b"".join((*rest, block))
        if block:
            yield block
            self.offset += len(block)
            self.line += block.count(b"\n") if self.counting else 0
            self.ending = block[-ENDING:]


@contextlib.contextmanager
def only_one(path: Path, busy: str, advice: str = "try again", patience: float = 0.0) -> Iterator[None]:
    """Hold the lock file `path`, as `locked` does. Raises `CannotAnswer` where it cannot be written, and with `busy`
    where another process holds it; what goes wrong in the block itself passes."""
    with contextlib.ExitStack() as held:
        try:
            mine = held.enter_context(locked(path, patience))
        except OSError as problem:
            raise cannot_write(path, problem) from None
        if not mine:
            raise CannotAnswer(busy, advice)
        yield


def only_newest(folder: Path, pattern: str, most: int) -> tuple[list[Path], list[Path]]:
    """Remove all but the newest `most` files of a folder. Returns what is left and what went. Raises `OSError`."""
    files = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[most:]:
        path.unlink(missing_ok=True)
    return files[:most], files[most:]


def read_tail(path: Path, most: int) -> bytes:
    """What the file holds, at most its last `most` bytes. Raises `OSError` as `open_regular` does."""
    with open_regular(path) as stream:
        stream.seek(max(0, os.fstat(stream.fileno()).st_size - most))
        return stream.readall()
