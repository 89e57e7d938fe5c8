"""A process that reads a part of an agent's files: to parse them is most of the work, and another core can do it.

It is given files that were never read before and answers for each, once it has read them all, with what its reader
handed on and where it stopped. Where the process fails, the files are read here.
"""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from cockpit.agents.record import Record, Values, values_of
from cockpit.agents.source import Reader, Sink, Source
from cockpit.spend.own_process import OwnProcess
from cockpit.spend.shelf import Row, row_of, source_of

_START = "import sys; sys.path.insert(0, sys.argv[1]); from cockpit.spend.reading_process import serve; serve()"


class _Task(msgspec.Struct, array_like=True, gc=False):
    """What is to be read: `module` and `name` are those of the reader's class."""

    module: str
    name: str
    roots: list[str]
    paths: list[str]


class _Taken(msgspec.Struct, array_like=True, gc=False):
    """One call of a sink: the values of a record that was taken, or a key that was discarded."""

    key: str
    values: Values | None
    final: bool = True
    replace: bool = False


class _Answer(msgspec.Struct, array_like=True, gc=False):
    """A file, read as far as it goes (None: it could not be, for the reason `unreadable`, or was gone)."""

    path: str
    row: Row | None
    taken: list[_Taken]
    unreadable: dict[str, str]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Answer).decode


class ReadingProcess(OwnProcess):
    """Reads `paths` of `reader`."""

    def __init__(self, reader: Reader, paths: Iterable[str]) -> None:
        super().__init__(_START)
        self._reader, self._paths = reader, sorted(paths)
        kind = type(reader)
        task = _Task(kind.__module__, kind.__name__, [str(root) for root in reader.roots], self._paths)
        with contextlib.suppress(OSError):
            self.input.write(_encode(task))
            self.input.close()

    def results(self, sink: Sink) -> Iterator[tuple[str, Source | None]]:
        """Each file and how far it was read, once `sink` has what it told; None: it must be read here."""
        left = dict.fromkeys(self._paths)
        for answer in self._answers():
            del left[answer.path]
            for taken in answer.taken:
                if taken.values is None:
                    sink.discard(taken.key)
                else:
                    sink.take(taken.key, Record(*taken.values), final=taken.final, replace=taken.replace)
            self._reader.unreadable.update(answer.unreadable)
            if answer.row is not None:
                yield answer.path, source_of(answer.row)
        for path in left:
            yield path, None

    def _answers(self) -> Iterator[_Answer]:
        while len(head := self.output.read(4)) == 4:
            size = int.from_bytes(head, "big")
            data = self.output.read(size)
            if len(data) < size:
                return
            yield _decode(data)


class _Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.taken: list[_Taken] = []

    def take(self, key: str, record: Record, *, final: bool = True, replace: bool = False) -> None:
        self.taken.append(_Taken(key, values_of(record), final, replace))

    def discard(self, key: str) -> None:
        self.taken.append(_Taken(key, None))


def serve() -> None:
    """Read what standard input tells, and answer on standard output."""
    import gc

    gc.disable()  # nothing here is garbage before the end
    answers = answered(sys.stdin.buffer)
    for data in list(answers):  # who asked reads a part itself, and takes nothing before that is done
        sys.stdout.buffer.write(len(data).to_bytes(4, "big") + data)
    sys.stdout.buffer.flush()
    os._exit(0)


def answered(asked: BinaryIO) -> Iterator[bytes]:
    """The answer for each file of the task, in their order."""
    task = msgspec.msgpack.decode(asked.read(), type=_Task)
    reader: Reader = getattr(importlib.import_module(task.module), task.name)(map(Path, task.roots))
    for path in task.paths:
        source, kept = reader.opened(path), _Kept()
        reader.unreadable.clear()
        read = reader.read_or_say(source, kept)
        yield _encode(_Answer(path, row_of(source) if read else None, kept.taken, reader.unreadable))
