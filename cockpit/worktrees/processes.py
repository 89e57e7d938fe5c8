"""Which living processes work in a folder: a worktree under one of them is never moved."""

import os
import shutil
import subprocess
from pathlib import Path

from cockpit.plain_text import plain_text

_MOST = 20


def processes_in(folder: Path | str) -> list[str] | None:
    """`name (pid)` of processes whose current folder is `folder` or below it, but not this one; None: not known.

    Processes of other people are not seen where the system hides them.
    """
    real = os.path.realpath(folder)
    if Path("/proc/self/cwd").exists():
        return _from_proc(real)
    return _from_lsof(real)


def _from_proc(real: str) -> list[str]:
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208 - hundreds of them
        if not name.isdecimal() or int(name) == os.getpid():
            continue
        try:
            place = os.readlink(f"/proc/{name}/cwd")  # noqa: PTH115 - hundreds of them
        except OSError:
            continue
        if place == real or place.startswith(real + os.sep):
            found.append(f"{_name(name)} ({name})")
            if len(found) >= _MOST:
                break
    return found


def _name(pid: str) -> str:
    try:
        return plain_text(Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip(), 20)
    except OSError:
        return "a process"


def _from_lsof(real: str) -> list[str] | None:
    program = shutil.which("lsof")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "-a", "-d", "cwd", "-F", "pcn"], capture_output=True, text=True, check=False, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found, pid, command = [], "", ""
    for line in done.stdout.splitlines():
        kind, value = line[:1], line[1:]
        if kind == "p":
            pid = value
        elif kind == "c":
            command = value
        elif kind == "n" and (value == real or value.startswith(real + os.sep)) and pid != str(os.getpid()):
            found.append(f"{plain_text(command, 20)} ({pid})")
    return found[:_MOST]
