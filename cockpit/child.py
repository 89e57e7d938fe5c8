"""A program that is given bytes, answers with bytes and ends.

What `subprocess` does as well, but its import and its bookkeeping take a short command longer than half of the answers
that it waits for.
"""

import contextlib
import os
import select
import signal
import time
from collections.abc import Mapping, Sequence
from io import FileIO

_BLOCK = 1 << 16
_IGNORED_HERE = (signal.SIGPIPE, signal.SIGXFSZ)  # by Python itself; a child would inherit it


class Child:
    """Runs in a session of its own: it ends with its helpers, and none of them can ask the terminal."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start what `words` name, as `PATH` finds it. Raises `OSError`, `FileNotFoundError` where it is not there."""
        (given, self._given), (self._out, out), (self._err, err) = _pipe(), _pipe(), _pipe()
        ends = (given, out, err)  # the given one first: where our own input is closed, its number may be 0, 1 or 2
        wiring = [(os.POSIX_SPAWN_DUP2, end.fileno(), number) for number, end in enumerate(ends)]
        try:
            self._pid = os.posix_spawnp(
                words[0], list(words), environment, file_actions=wiring, setsid=True, setsigdef=_IGNORED_HERE
            )
        finally:
            for end in ends:
                end.close()
        self.status: int | None = None

    def answer(self, given: bytes = b"", timeout: float | None = None) -> tuple[bytes, bytes]:
        """What it prints on stdout and stderr until it ends; `status` is its exit code then, negative for a signal.

        Raises `TimeoutError` where it takes longer than `timeout` seconds; it runs on.
        """
        until = None if timeout is None else time.monotonic() + timeout
        found: dict[int, list[bytes]] = {self._out.fileno(): [], self._err.fileno(): []}
        open_ends = {end.fileno(): end for end in (self._out, self._err)}
        ready = select.poll()
        for number in open_ends:
            ready.register(number, select.POLLIN)
        left = memoryview(given)
        if left:
            open_ends[self._given.fileno()] = self._given
            os.set_blocking(self._given.fileno(), False)
            ready.register(self._given.fileno(), select.POLLOUT)
        else:
            self._given.close()
        while open_ends:
            wait = None if until is None else max(0.0, until - time.monotonic()) * 1000
            events = ready.poll(wait)
            if not events and until is not None and time.monotonic() >= until:
                raise TimeoutError
            for number, _ in events:
                if number in found:
                    done = not _read(number, found[number])
                else:
                    left = _rest(number, left)
                    done = not left
                if done:
                    ready.unregister(number)
                    open_ends.pop(number).close()
        self._reap()
        out, err = (b"".join(parts) for parts in found.values())
        return out, err

    def end(self) -> None:
        """Kill it with everything that it started, where it still runs."""
        if self.status is None:
            with contextlib.suppress(OSError):
                os.killpg(self._pid, signal.SIGKILL)
        for stream in (self._given, self._out, self._err):
            with contextlib.suppress(OSError):
                stream.close()
        self._reap()

    def _reap(self) -> None:
        if self.status is None:
            try:
                self.status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
            except ChildProcessError:  # somebody else waited for all children
                self.status = 0


def _pipe() -> tuple[FileIO, FileIO]:
    reading, writing = os.pipe()
    return FileIO(reading, "rb"), FileIO(writing, "wb")


def _read(number: int, into: list[bytes]) -> bool:
    """Read a block. False at the end."""
    block = os.read(number, _BLOCK)
    if block:
        into.append(block)
    return bool(block)


def _rest(number: int, left: memoryview) -> memoryview:
    """What is still to be written, nothing where nobody reads it any more."""
    try:
        return left[os.write(number, left[:_BLOCK]) :]
    except BlockingIOError:
        return left
    except BrokenPipeError:
        return left[:0]
