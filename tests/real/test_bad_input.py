"""The app on a pseudo terminal, ended from outside: the terminal is given back and no process stays."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

LEFT_THE_SCREEN = b"\x1b[?1049l"


class Pty:
    """The app in a session of its own, on a pseudo terminal of 100 × 30."""

    def __init__(self, root: Path, **environment: str) -> None:
        self.output = b""
        self.pid, self.handle = pty.fork()
        if not self.pid:
            words = [sys.executable, "-m", "cockpit", "--repo", str(root)]
            os.execve(sys.executable, words, {**os.environ, "TERM": "xterm-256color", **environment})
        fcntl.ioctl(self.handle, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        os.set_blocking(self.handle, False)

    def until(self, words: bytes, seconds: float = 40.0) -> None:
        """Read until `words` were written."""
        deadline = time.monotonic() + seconds
        while words not in self.read():
            assert time.monotonic() < deadline, self.output[-2000:]
            time.sleep(0.05)

    def read(self) -> bytes:
        """Everything written so far."""
        while True:
            try:
                part = os.read(self.handle, 65536)
            except (BlockingIOError, OSError):  # nothing now, or the other side is closed
                return self.output
            if not part:
                return self.output
            self.output += part

    def ended(self, seconds: float = 15.0) -> int:
        """The exit code; the app that does not end fails the test."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.handle >= 0:
                self.read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.05)
        raise AssertionError("the app runs on")

    def hang_up(self) -> None:
        """Close the terminal."""
        os.close(self.handle)
        self.handle = -1

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self.handle >= 0:
            os.close(self.handle)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Pty]:
    """The app on a small repository, with its findings on screen."""
    root = tmp_path / "shop"
    root.mkdir()
    (root / "broken.py").write_text("def broken(:\n")
    subprocess.run(["git", "-C", str(root), "init", "-q", "-b", "main"], check=True)
    opened = Pty(root)
    opened.until(b"broken.py")
    yield opened
    opened.close()


def children(pid: int) -> list[int]:
    """The processes that `pid` started."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [line.split() for line in listed.splitlines()]
    return [int(child) for child, parent in pairs if int(parent) == pid]


def gone(pids: list[int], seconds: float = 10.0) -> bool:
    """Whether none of the processes lives, after a moment at most."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        alive = subprocess.run(["ps", "-o", "pid=", "-p", ",".join(map(str, pids))], capture_output=True).stdout
        if not alive.strip():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_app_and_gives_the_terminal_back(app: Pty, number: signal.Signals) -> None:
    workers = children(app.pid)
    assert workers
    os.kill(app.pid, number)
    assert app.ended() == 128 + number
    assert LEFT_THE_SCREEN in app.output
    assert gone(workers)


@pytest.mark.parametrize("how", ["closed", "killed"])
def test_no_worker_outlives_its_app(app: Pty, how: str) -> None:
    workers = children(app.pid)
    assert workers
    if how == "closed":
        app.hang_up()
    else:
        os.kill(app.pid, signal.SIGKILL)
    app.ended()
    assert gone(workers)


def test_ctrl_c_says_how_to_leave(app: Pty) -> None:
    os.write(app.handle, b"\x03")
    app.until(b"quits.")
    os.write(app.handle, b"q")
    assert app.ended() == 0


def test_a_paste_that_is_no_text_is_left_out_whole_and_the_app_goes_on(app: Pty) -> None:
    """Nothing of it may be taken for keys: `q` would quit."""
    os.write(app.handle, b"\x1b[200~\xff\xfe caf\xe9 q\nq" + b"q" * 9000 + b"\x1b[201~")
    app.until(b"was not text")
    os.write(app.handle, b"?")
    app.until(b"Habits and measures")
    os.kill(app.pid, signal.SIGTERM)
    assert app.ended() == 128 + signal.SIGTERM


def test_without_a_shell_that_could_bring_it_back_it_stays(app: Pty) -> None:
    os.write(app.handle, b"\x1a")
    app.until(b"No shell is here")
    os.write(app.handle, b"q")
    assert app.ended() == 0
