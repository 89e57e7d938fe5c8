"""Whether a process lives."""

import os
from pathlib import Path


def process_lives(pid: int, start: str = "") -> bool:
    """Whether the process lives and, where `start` is its start in clock ticks, is still the same one."""
    try:
        with Path(f"/proc/{pid}/stat").open("rb") as stream:
            fields = stream.read(4096).rpartition(b")")[2].split()
    except FileNotFoundError:
        return not Path("/proc/self").is_dir() and _answers(pid)
    except OSError:
        return _answers(pid)
    if len(fields) < 20:
        return _answers(pid)
    if fields[0] in (b"Z", b"X"):
        return False
    ticks = fields[19].decode("ascii", "replace")
    comparable = start.isdigit() and len(start) <= len(ticks) + 2
    return ticks == start if comparable else True


def own_start() -> str:
    """When this process started, in clock ticks; "" where the system does not say."""
    try:
        return Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()[19].decode("ascii")
    except (OSError, IndexError, UnicodeDecodeError):
        return ""


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
