"""Warm worker processes that judge files.

Two ways to start one: `fork`, the fastest, only before any thread exists (the command line); `spawn`, a fresh
interpreter over pipes (the app). Workers end when their input ends, so they die with the parent however it dies.
"""

import contextlib
import gc
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from cockpit.findings.worker import Judged, Request, Task, judge, read_frame, serve, unjudged, write_frame
from cockpit.machine import processors
from cockpit.own_process import HOME, program_of
from cockpit.readable import readable
from skills.gates import analyse

BATCH_BYTES, MODELS_BYTES, LEAST_BYTES = 200_000, 40_000, 10_000
BATCH_FILES = 60
SECONDS_A_BATCH = 60.0
MOST_WORKERS = 8


def pool_of_check() -> "Pool":
    """The pool of a command that ends with its answer: as many workers as there are processors, at least two."""
    return Pool(min(MOST_WORKERS, max(2, processors())), "fork")


class Pool:
    """Up to `workers` processes. One run at a time has them; a second run in parallel works in its own thread."""

    def __init__(self, workers: int = 2, start: Literal["fork", "spawn"] = "spawn") -> None:
        self.workers = workers
        self.start = start
        self._idle: list[_Worker] = []
        self._one_run = threading.Lock()

    def warm(self) -> None:
        """Start the workers now, so that the first save does not wait for them."""
        if self._one_run.acquire(blocking=False):
            try:
                while len(self._idle) < self.workers:
                    self._idle.append(_Worker.started(self.start))
            finally:
                self._one_run.release()

    def run(self, root: Path, tasks: list[Task], tenants: Callable[[], bool] = lambda: True) -> Iterator[list[Judged]]:
        """Judge `tasks`; answers come batch by batch, in no fixed order. Every task gets one answer. Before each batch
        is judged, `tenants` says whether the root is known to have some; of what was judged too early for that a second
        answer may come, which holds."""
        if not tasks:
            return
        place = os.fsencode(root)
        if not self._one_run.acquire(blocking=False):
            for task in tasks:
                yield [judge(place, task, tenants=tenants())]
            return
        busy: dict[int, tuple[_Worker, list[Task]]] = {}
        try:
            yield from self._run(place, tenants, _batches(tasks, self.workers), busy)
        finally:
            for worker, _ in busy.values():
                worker.end()  # its answer belongs to nobody any more
            self._one_run.release()

    def _run(
        self,
        root: bytes,
        tenants: Callable[[], bool],
        waiting: "deque[list[Task]]",
        busy: "dict[int, tuple[_Worker, list[Task]]]",
    ) -> Iterator[list[Judged]]:
        decoder = msgspec.msgpack.Decoder(list[Judged])
        early: list[Task] = []
        while waiting or busy:
            while waiting and len(busy) < self.workers:
                batch = waiting.popleft()
                worker = self._idle.pop() if self._idle else _Worker.started(self.start, every=batch[0].every)
                if not worker.ask(msgspec.msgpack.encode(Request(root, batch, tenants()))):
                    worker.end()
                    waiting.appendleft(batch)
                    continue
                busy[worker.answers] = (worker, batch)
            ready = readable(busy, SECONDS_A_BATCH)
            for handle in ready or list(busy):
                worker, batch = busy.pop(handle)
                frame = worker.answer() if ready else None
                if frame is not None:
                    self._idle.append(worker)
                    answers = decoder.decode(frame)
                    early += [
                        task for task, one in zip(batch, answers, strict=True) if one.report and one.report.deferred
                    ]
                    yield answers
                    if early and tenants():
                        waiting.extend([task] for task in early)  # while the others are judged
                        early = []
                    continue
                worker.end()  # it crashed or hangs: halve the batch until the file that does it is alone
                if len(batch) > 1:
                    middle = len(batch) // 2
                    waiting.extend((batch[:middle], batch[middle:]))
                else:
                    yield [
                        Judged(
                            batch[0].name, report=unjudged(batch[0].name, "the checker crashed or hung on this file")
                        )
                    ]

    def close(self) -> None:
        """End the workers."""
        while self._idle:
            self._idle.pop().end()


class _Worker:
    """One process and the two pipes to it."""

    def __init__(self, requests: int, answers: int, process: "subprocess.Popen[bytes] | int") -> None:
        self.requests = requests
        self.answers = answers
        self.process = process

    @classmethod
    def started(cls, start: Literal["fork", "spawn"], *, every: bool = False) -> "_Worker":
        if start == "fork" and threading.active_count() == 1:
            return cls._forked(every)
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", program_of("cockpit.findings.worker")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=HOME,
            process_group=0,
        )
        assert process.stdin is not None and process.stdout is not None
        return cls(process.stdin.fileno(), process.stdout.fileno(), process)

    @classmethod
    def _forked(cls, every: bool) -> "_Worker":
        incoming, requests = os.pipe()
        answers, outgoing = os.pipe()
        analyse("", b"", every=every)  # the rules that will be asked are loaded once, before the fork
        gc.freeze()
        child = os.fork()
        if not child:
            try:
                os.close(requests)
                os.close(answers)
                serve(incoming, outgoing, every=every)
            finally:
                os._exit(0)
        os.close(incoming)
        os.close(outgoing)
        return cls(requests, answers, child)

    def ask(self, request: bytes) -> bool:
        try:
            write_frame(self.requests, request)
        except OSError:
            return False
        return True

    def answer(self) -> bytes | None:
        return read_frame(self.answers)

    def end(self) -> None:
        with contextlib.suppress(OSError):
            if isinstance(self.process, int):
                os.close(self.requests)
                os.close(self.answers)
                os.kill(self.process, 9)
                os.waitpid(self.process, 0)
                return
        if not isinstance(self.process, int):
            for stream in (self.process.stdin, self.process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()
            self.process.kill()
            self.process.wait()


def _batches(tasks: list[Task], workers: int) -> "deque[list[Task]]":
    """Batches of about the same bytes, large files first and smaller batches last, so that no worker is left alone at
    the end. Small batches of models come before all: they tell whether there are tenants."""
    left = sum(task.size for task in tasks)
    batches: deque[list[Task]] = deque()
    for most, of_models in ((MODELS_BYTES, True), (BATCH_BYTES, False)):
        group = [task for task in tasks if (b"model" in task.name) is of_models]
        batch: list[Task] = []
        size = 0
        for task in sorted(group, key=lambda task: (-task.size, task.name)):
            batch.append(task)
            size += task.size
            if size >= min(most, max(LEAST_BYTES, left // (2 * workers))) or len(batch) >= BATCH_FILES:
                left -= size
                batches.append(batch)
                batch, size = [], 0
        if batch:
            left -= size
            batches.append(batch)
    return batches
