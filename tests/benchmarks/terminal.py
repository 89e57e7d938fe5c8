"""Runs a program in a real pseudo-terminal and watches what it paints and what it uses."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from pathlib import Path
from types import TracebackType

_TICKS = os.sysconf("SC_CLK_TCK")


class Terminal:
    """A child in a terminal of `columns` × `rows`. Use as a context manager: it ends with the child ended."""

    def __init__(self, words: list[str], environment: dict[str, str], columns: int = 120, rows: int = 40) -> None:
        self.started = time.perf_counter()
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvpe(words[0], words, {**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
        self.output = b""

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                break
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    os.close(self.master)
                    return
                self.read(0.05)

    def read(self, seconds: float) -> None:
        """Take in what was painted, for `seconds`."""
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            ready, _, _ = select.select([self.master], [], [], left)
            if ready:
                try:
                    self.output += os.read(self.master, 1 << 16)
                except OSError:
                    return

    def seconds_until(self, marker: bytes, limit: float = 30.0) -> float:
        """Seconds from the start of the child to `marker` on its screen. Raises `TimeoutError`."""
        while time.perf_counter() - self.started < limit:
            ready, _, _ = select.select([self.master], [], [], 0.5)
            if ready:
                self.output += os.read(self.master, 1 << 16)
            if marker in self.output:
                return time.perf_counter() - self.started
        raise TimeoutError(f"{marker!r} was never painted")

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self.master, keys.encode())

    def family(self) -> list[int]:
        """The child and every process below it."""
        parents: dict[int, int] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                except OSError:
                    continue
        found = [self.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def cpu_seconds(self) -> float:
        """Processor time of the family so far, as the scheduler counts it (in nanoseconds, each thread's), and that of
        the children it has seen end (in ticks, which is all that the system keeps of them)."""
        spent = 0.0
        for pid in self.family():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                threads = [entry / "schedstat" for entry in Path(f"/proc/{pid}/task").iterdir()]
                spent += sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
            except OSError:
                continue
            spent += (int(fields[13]) + int(fields[14])) / _TICKS
        return spent

    def own_cpu_seconds(self) -> float:
        """Processor time of the child alone, all its threads, to the nanosecond."""
        total = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def memory_mb(self) -> float:
        """Proportional memory of the family in MB (shared pages counted once)."""
        total = 0
        for pid in self.family():
            try:
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total / 1024
