"""One worker process: reads files, judges them, answers. It starts nothing, writes nothing and ends with its parent.

A frame is four bytes of length (big endian) and MessagePack. The worker reads requests until its input ends.
"""

import errno
import gc
import os
import signal
import struct
import time
import warnings
from typing import Any

import msgspec

from cockpit.files import open_regular
from cockpit.findings.digest import digest_of, hash_quickly
from cockpit.findings.discovery import LARGEST, FileMark, is_generated
from skills.gates import analyse
from skills.gates.model import TENANT_FIELDS, FileReport, SyntaxProblem

_LENGTH = struct.Struct(">I")
COLLECT_EVERY = 24
_PAUSES = (0.0, 0.01, 0.05, 0.1)
"""Seconds to wait before a file that was written while it was read is read again."""


class Task(msgspec.Struct, array_like=True, frozen=True):
    """One file to judge: its name (bytes, relative to the root), its size, the digest that is already known (or none),
    its content where that is not the file's own (the index of git), whether every rule is asked about it or those
    that run unasked, and what the relation of a row to its tenant is called."""

    name: bytes
    size: int
    known: bytes = b""
    source: bytes | None = None
    every: bool = True
    tenant_fields: tuple[str, ...] = TENANT_FIELDS


class Judged(msgspec.Struct, array_like=True, frozen=True):
    """The answer for one file. `report` is None where the content is the known one or the file is left out (`skip`)
    or gone (`gone`). `mark` was taken before the content was read, at `read_ns` (nanoseconds since the epoch)."""

    name: bytes
    digest: bytes = b""
    report: FileReport | None = None
    mark: FileMark | None = None
    read_ns: int = 0
    skip: str = ""
    gone: bool = False


class Request(msgspec.Struct, array_like=True, frozen=True):
    """Files of one root to judge; whether its models have `tenants` is known better with every answer."""

    root: bytes
    tasks: list[Task]
    tenants: bool = True


def judge(root: bytes, task: Task, *, tenants: bool = True) -> Judged:
    """Read and judge one file. Never raises for what the file holds. For `tenants` see `analyse`."""
    mark, read_ns, source = None, 0, task.source
    if source is None:
        read_ns = time.time_ns()
        try:
            mark, source = _read(os.path.join(root, task.name))  # noqa: PTH118 - names are bytes
        except FileNotFoundError:
            return Judged(task.name, gone=True)
        except OSError as problem:
            return Judged(task.name, report=unjudged(task.name, f"cannot be read ({problem.strerror})"))
    digest = digest_of(source)
    if digest == task.known:
        return Judged(task.name, digest, None, mark, read_ns)
    if is_generated(source):
        return Judged(task.name, digest, None, mark, read_ns, skip="generated")
    name = shown(task.name)
    report = analyse(name, source, every=task.every, tenant_fields=task.tenant_fields, tenants=tenants)
    return Judged(task.name, digest, report, mark, read_ns)


def _read(path: bytes) -> tuple[FileMark, bytes]:
    """The mark of a file and what it holds. A file that is written meanwhile is read again, so that half of it is not
    judged as the whole; raises `OSError` where it does not come to rest, or is not there any more."""
    for pause in _PAUSES:
        with open_regular(path) as stream:
            found = os.fstat(stream.fileno())
            if found.st_size > LARGEST:
                raise OSError(errno.EFBIG, "larger than 2 MB")
            source = stream.readall()
            after = os.fstat(stream.fileno())
        whole = len(source) == after.st_size or not after.st_size  # some file systems do not say sizes
        if whole and found.st_size == after.st_size and found.st_mtime_ns == after.st_mtime_ns:
            return FileMark(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino), source
        time.sleep(pause)
    raise OSError(errno.EBUSY, "it changes while it is read")


def shown(name: bytes) -> str:
    """A file's name as text; bytes that are no UTF-8 become replacement characters."""
    return name.decode("utf-8", "replace")


def unjudged(name: bytes, why: str) -> FileReport:
    """The report of a file that could not be judged."""
    return FileReport(path=shown(name), problem=SyntaxProblem(1, why), parsed=False)


def encode_judged(judged: list[Judged]) -> bytes:
    """The answers as MessagePack. Lone surrogates, which a string literal may hold, are replaced."""
    try:
        return msgspec.msgpack.encode(judged)
    except UnicodeEncodeError:
        return msgspec.msgpack.encode(
            [msgspec.structs.replace(one, report=_clean(one.report)) if one.report else one for one in judged]
        )


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, tuple):
        return tuple(_clean(part) for part in value)
    if hasattr(type(value), "__match_args__"):  # a struct or a record
        return type(value)(*(_clean(getattr(value, name)) for name in type(value).__match_args__))
    return value


def read_frame(handle: int) -> bytes | None:
    """The next frame, None where the other side is gone."""
    head = _exactly(handle, _LENGTH.size)
    return None if head is None else _exactly(handle, _LENGTH.unpack(head)[0])


def write_frame(handle: int, data: bytes) -> None:
    """Write one frame. Raises `OSError` (`BrokenPipeError`) where the other side is gone."""
    rest = memoryview(_LENGTH.pack(len(data)) + data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _exactly(handle: int, count: int) -> bytes | None:
    parts: list[bytes] = []
    while count:
        try:
            part = os.read(handle, min(count, 1 << 20))
        except OSError:
            return None
        if not part:
            return None
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def serve(incoming: int, outgoing: int, *, every: bool = False) -> None:
    """Answer requests until the input ends. The rules that `every` stands for (see `Task`) are ready before the first
    request; the others are loaded with the first task that asks for them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl+c is the parent's to answer; its end closes our input
    warnings.simplefilter("ignore")  # of the code that is parsed; here once, not for each file
    gc.disable()
    hash_quickly()
    analyse("", b"", every=every)
    gc.freeze()
    decoder = msgspec.msgpack.Decoder(Request)
    served = 0
    while (frame := read_frame(incoming)) is not None:
        request = decoder.decode(frame)
        try:
            judged = [judge(request.root, task, tenants=request.tenants) for task in request.tasks]
            write_frame(outgoing, encode_judged(judged))
        except BrokenPipeError:
            return
        served += 1
        if served % COLLECT_EVERY == 0:
            gc.collect()


def main() -> None:
    """The entry point of a started worker: requests on stdin, answers on the stdout it was given."""
    outgoing = os.dup(1)
    os.dup2(2, 1)  # whatever prints by accident must not tear a frame
    serve(0, outgoing)
