"""Small processes that stand for the demo's agents, so that a session's process really lives."""

import contextlib
import os
import subprocess
from pathlib import Path


class Agents:
    """Processes that wait for the end of a pipe which only we hold: they end with `close`, or with us.

    With `outlive`, the pid of another process, they instead watch that process and the folder of the demo.
    """

    def __init__(self, outlive: int | None = None, folder: Path | None = None) -> None:
        self._read, self._write = os.pipe()
        self._outlive = outlive
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, cwd: Path) -> int:
        """Start one in `cwd` and return its process id."""
        command, words = "read _", []
        if self._outlive is not None:
            command = 'while kill -0 "$1" && [ -d "$2" ]; do sleep 5; done 2>/dev/null'
            words = ["agent", str(self._outlive), str(self._folder)]
        process = subprocess.Popen(
            ["sh", "-c", command, *words],
            cwd=cwd,
            stdin=subprocess.DEVNULL if self._outlive is not None else self._read,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._running.append(process)
        return process.pid

    @property
    def pids(self) -> tuple[int, ...]:
        """The ids of the processes that were started."""
        return tuple(process.pid for process in self._running)

    def close(self) -> None:
        """End them all and wait for them. May be called twice."""
        for end in (self._read, self._write):
            with contextlib.suppress(OSError):
                os.close(end)
        self._read = self._write = -1
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.wait()
        self._running.clear()


def started_at(pid: int) -> str:
    """When a process started, in clock ticks since the machine did; empty where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[19]
