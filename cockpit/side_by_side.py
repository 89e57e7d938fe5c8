"""Work in threads for a command that ends soon.

What `concurrent.futures` does as well, which imports `logging`: together they take a morning's report longer than three
questions to git.
"""

import contextlib
import threading
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Generic, ParamSpec, TypeVar

Answer = TypeVar("Answer")
Item = TypeVar("Item")
P = ParamSpec("P")


class GivenUp(Exception):
    """The work was not begun when its threads were told to end."""


class Pending(Generic[Answer]):
    """Work that is being done, or will be as soon as a thread is free."""

    def __init__(self, work: Callable[[], Answer]) -> None:
        self._work: Callable[[], Answer] | None = work
        self._done = threading.Event()
        self._answers: list[Answer] = []
        self._problem: BaseException | None = None

    def do(self) -> None:
        """Do it, once, in this thread."""
        assert self._work is not None
        try:
            self._answers.append(self._work())
        except BaseException as problem:
            self._problem = problem
        self._work = None  # what it holds may go
        self._done.set()

    def give_up(self) -> None:
        """Say that it will not be done."""
        self._problem, self._work = GivenUp(), None
        self._done.set()

    def result(self) -> Answer:
        """Wait for the answer. Raises what the work raised, `GivenUp` where it was not begun any more."""
        self._done.wait()
        if self._problem is not None:
            raise self._problem
        return self._answers[0]


class SideBySide:
    """At most `most` threads, started as work comes. Left as a context, it waits until all of it is done."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._queue: SimpleQueue[Pending[object] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def submit(self, work: Callable[P, Answer], *args: P.args, **kwargs: P.kwargs) -> Pending[Answer]:
        """Begin `work(*args, **kwargs)`. Raises `RuntimeError` once it is closed."""
        if self._closed:
            raise RuntimeError("its threads were told to end")
        pending = Pending(lambda: work(*args, **kwargs))
        self._queue.put(pending)  # type: ignore[arg-type]
        if len(self._threads) < self._most:
            self._threads.append(threading.Thread(target=self._serve, daemon=True))
            self._threads[-1].start()
        return pending

    def map(self, work: Callable[[Item], Answer], items: Iterable[Item]) -> list[Answer]:
        """The answer for each item, in their order. Raises what the first of them raised that did."""
        return [pending.result() for pending in [self.submit(work, item) for item in items]]

    def close(self, *, wait: bool = True, give_up: bool = False) -> None:
        """Let the threads end once all work is done; with `give_up`, once what they do now is."""
        self._closed = True
        with contextlib.suppress(Empty):
            while give_up and (pending := self._queue.get_nowait()) is not None:
                pending.give_up()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    def __enter__(self) -> "SideBySide":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _serve(self) -> None:
        while (pending := self._queue.get()) is not None:
            pending.do()
