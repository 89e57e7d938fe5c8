"""The built-in look for secrets in many files: file by file in processes of its own, with progress and an end."""

import contextlib
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

from cockpit.own_process import HOME, program_of
from cockpit.readable import readable
from cockpit.sweep.cancel import Cancel

Progress = Callable[[int, int], None]

BATCH = 12
SECONDS_A_BATCH = 120.0
FEW = 24


class SecretPool:
    """Looks into files below `root`. Every file gets exactly one answer, also one that ends its process."""

    def __init__(self, root: Path, cancel: Cancel) -> None:
        self.root = root
        self.cancel = cancel
        self.workers = max(1, min(4, os.cpu_count() or 2))
        self._batches: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[list[dict[str, Any]]] = queue.SimpleQueue()

    def look(self, names: Sequence[str], progress: Progress | None = None) -> list[dict[str, Any]]:
        """The answers in no fixed order; fewer than `names` only where it was cancelled."""
        for start in range(0, len(names), BATCH):
            self._batches.put(list(names[start : start + BATCH]))
        count = 1 if len(names) <= FEW else self.workers
        threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        found: list[dict[str, Any]] = []
        while len(found) < len(names):
            try:
                found += self._answers.get(timeout=0.1)
            except queue.Empty:
                if self.cancel.cancelled and not any(thread.is_alive() for thread in threads):
                    break
                continue
            if progress is not None:
                progress(len(found), len(names))
        return found

    def _serve(self) -> None:
        worker = _Worker()
        with self.cancel.ended_by(worker.kill):
            try:
                while not self.cancel.cancelled:
                    try:
                        batch = self._batches.get_nowait()
                    except queue.Empty:
                        return
                    rows = worker.ask(self.root, batch)
                    if rows is None:
                        rows = self._split(batch)
                    if rows:
                        self._answers.put(rows)
            finally:
                worker.end()

    def _split(self, batch: list[str]) -> list[dict[str, Any]]:
        """A batch that ended its process is halved, until the file that does it is alone."""
        if self.cancel.cancelled:
            return []
        if len(batch) > 1:
            middle = len(batch) // 2
            self._batches.put(batch[:middle])
            self._batches.put(batch[middle:])
            return []
        return [{"name": batch[0], "found": [], "unread": "the scanner crashed or hung on it"}]


class _Worker:
    """One process, started when it is first asked, and again after it ended."""

    def __init__(self) -> None:
        self._process: Popen[bytes] | None = None
        self._killed = False

    def ask(self, root: Path, batch: list[str]) -> list[dict[str, Any]] | None:
        """The answer to one batch; None where the process ended or hangs, and is ended."""
        try:
            self._process = self._process or _started()
            if self._killed:  # while it started
                raise EOFError
            return _asked(self._process, root, batch)
        except (OSError, ValueError, EOFError):
            self.end()
            return None

    def kill(self) -> None:
        """End the process, from any thread. Who asks it closes the pipes: their numbers may be another's at once."""
        self._killed = True
        process = self._process
        if process is not None:
            with contextlib.suppress(OSError):
                process.kill()

    def end(self) -> None:
        """End the process, and with it what belongs to it."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def _started() -> "Popen[bytes]":
    return Popen(
        [sys.executable, "-P", "-c", program_of("cockpit.sweep.worker")],
        cwd=HOME,
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        process_group=0,
    )


def _asked(worker: "Popen[bytes]", root: Path, batch: list[str]) -> list[dict[str, Any]]:
    """The answer to one batch. Raises `EOFError`, `OSError` or `ValueError` where there is none."""
    assert worker.stdin is not None and worker.stdout is not None
    request = json.dumps([(name, os.path.join(root, name)) for name in batch]).encode() + b"\n"  # noqa: PTH118
    worker.stdin.write(request)
    worker.stdin.flush()
    answer = bytearray()
    until = time.monotonic() + SECONDS_A_BATCH
    while not answer.endswith(b"\n"):
        ready = readable([worker.stdout.fileno()], until - time.monotonic())
        part = os.read(worker.stdout.fileno(), 1 << 16) if ready else b""
        if not part:
            raise EOFError
        answer += part
    rows: list[dict[str, Any]] = json.loads(answer)
    return rows
