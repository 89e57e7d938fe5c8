"""Running other programs: one at a time, in a process group of their own that ends with the run, limited in time and
in what they print, cancelled from another thread.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.git_command import INHERITED
from cockpit.plain_text import plain_text
from cockpit.readable import readable
from skills.record import record

if TYPE_CHECKING:
    import subprocess

LARGEST = 8_000_000
_HEARD_SECONDS = 0.3
_HEARD = 200_000


@record
class Ran:
    """What a program answered. `why` says why there is no answer, "" where it ended by itself."""

    code: int = 0
    out: str = ""
    err: str = ""
    why: str = ""

    @property
    def last_line(self) -> str:
        """The last line that says something, of stderr before stdout."""
        return last_line(self.err) or last_line(self.out)


class Programs:
    """Runs programs, one at a time. `cancel`, from another thread, ends what runs and what would follow."""

    def __init__(self) -> None:
        self.cancelled = False
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def cancel(self) -> None:
        """End the run: what it would say is outdated."""
        with self._lock:
            self.cancelled = True
            if self._process is not None:
                _end_group(self._process)

    def run(
        self,
        command: list[str],
        folder: Path,
        seconds: float,
        environment: Mapping[str, str] | None = None,
        heard: Callable[[str], None] | None = None,
    ) -> Ran:
        """Run `command` in `folder` for at most `seconds`. What a git hook inherited is taken away, and no program
        writes byte code. `environment` adds variables. `heard` is told, now and then, what was printed
        so far, of more than 200 kB the end."""
        import subprocess  # who only looks for a program does not pay for it

        variables = {name: value for name, value in os.environ.items() if name not in INHERITED}
        variables |= {"PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1", "TERM": "dumb", "PYTHONIOENCODING": "utf-8"}
        variables |= {"GIT_OPTIONAL_LOCKS": "0", **(environment or {})}
        try:
            with self._lock:
                if self.cancelled:
                    return Ran(why="cancelled")
                process = self._process = subprocess.Popen(
                    command,
                    cwd=folder,
                    env=variables,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
        except (OSError, ValueError) as problem:
            return Ran(why=f"{plain_text(command[0], 120)} could not be started ({plain_text(problem, 80)})")
        try:
            out, err, why = _read(process, seconds, heard)
        finally:
            with self._lock:  # from here on its number may be another program's
                self._process = None
                _end_group(process)
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        why = "cancelled" if self.cancelled else why
        return Ran(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"), why)


def find_program(root: Path, name: str, *, trusted: bool) -> str:
    """The program to run for the repository at `root`, "" where there is none.

    The project's own where it is trusted; else one of PATH or beside the interpreter, never inside the repository.
    """
    own = [folder / "bin" for folder in _own_places(root)] if trusted else []
    path = [Path(entry) for entry in os.environ.get("PATH", "").split(os.pathsep) if entry.startswith("/")]
    inside = os.path.realpath(root) + os.sep
    if not trusted:
        path = [entry for entry in path if not (os.path.realpath(entry) + os.sep).startswith(inside)]
    for folder in (*own, *path, Path(sys.executable).parent):
        program = folder / name
        outside = trusted or not os.path.realpath(program).startswith(inside)
        if outside and program.is_file() and os.access(program, os.X_OK):
            return str(program)
    return ""


def own_environment(root: Path) -> dict[str, str]:
    """The variables of the project's own virtual environment, as its activation sets them; none where it has none."""
    for folder in _own_places(root):
        if (folder / "bin").is_dir():
            path = os.pathsep.join(part for part in (str(folder / "bin"), os.environ.get("PATH", "")) if part)
            return {"VIRTUAL_ENV": str(folder), "PATH": path}
    return {}


def _own_places(root: Path) -> tuple[Path, ...]:
    return root / ".venv", root / "venv"


def without_own_code(root: Path) -> dict[str, str]:
    """The variables under which a Python program that runs in `root` imports nothing from there: what `PYTHONPATH`
    names by a relative path or inside `root` is left out."""
    given = os.environ.get("PYTHONPATH")
    if given is None:
        return {}
    inside = os.path.realpath(root) + os.sep
    kept = [place for place in given.split(os.pathsep) if place.startswith(os.sep)]
    return {"PYTHONPATH": os.pathsep.join(at for at in kept if not (os.path.realpath(at) + os.sep).startswith(inside))}


def last_line(text: str) -> str:
    """The last line of `text` that says something, safe to show."""
    return plain_text(next((line for line in reversed(text.splitlines()) if line.strip()), ""), 160)


def _read(
    process: "subprocess.Popen[bytes]", seconds: float, heard: Callable[[str], None] | None
) -> tuple[bytes, bytes, str]:
    """What a process prints until it closes both streams, and why that was cut short, "" where it was not."""
    import subprocess

    assert process.stdout is not None and process.stderr is not None
    out, err = bytearray(), bytearray()
    streams = {process.stdout.fileno(): out, process.stderr.fileno(): err}
    until = time.monotonic() + seconds
    next_word = time.monotonic()
    while streams:
        left = until - time.monotonic()
        ready = readable(streams, min(left, 0.2))
        for handle in ready:
            part = os.read(handle, 1 << 16)
            streams[handle] += part
            if not part:
                del streams[handle]
        if heard is not None and ready and time.monotonic() >= next_word:
            next_word = time.monotonic() + _HEARD_SECONDS
            heard((out[-_HEARD:] + err[-_HEARD:]).decode("utf-8", "replace"))
        if len(out) + len(err) > LARGEST:
            return b"", b"", f"printed more than {LARGEST // 1_000_000} MB"
        if left <= 0:
            return b"", b"", f"took longer than {seconds:g} s"
        if not ready and process.poll() is not None:
            break  # it ended and left its streams to a child
    try:
        process.wait(timeout=max(0.1, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        return b"", b"", f"took longer than {seconds:g} s"
    return bytes(out), bytes(err), ""


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
