"""One switch for everything that a sweep runs side by side."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cockpit.programs import Programs, Ran


class Cancel:
    """`cancel`, from any thread, ends what runs and lets nothing else start."""

    def __init__(self) -> None:
        self.cancelled = False
        self._lock = threading.Lock()
        self._ends: set[Callable[[], None]] = set()

    def cancel(self) -> None:
        """End the sweep: what it would say is not wanted any more."""
        with self._lock:
            self.cancelled = True
            ends = list(self._ends)
        for end in ends:
            end()

    @contextmanager
    def ended_by(self, end: Callable[[], None]) -> Iterator[bool]:
        """Call `end` when the switch is thrown meanwhile. Yields False where it was thrown before."""
        with self._lock:
            go = not self.cancelled
            self._ends.add(end)
        try:
            yield go
        finally:
            with self._lock:
                self._ends.discard(end)

    def run(
        self,
        words: list[str],
        folder: Path,
        seconds: float,
        environment: Mapping[str, str] | None = None,
        heard: Callable[[str], None] | None = None,
    ) -> Ran:
        """Run a program to its end, as `Programs` does."""
        programs = Programs()
        with self.ended_by(programs.cancel) as go:
            return programs.run(words, folder, seconds, environment, heard) if go else Ran(why="cancelled")
