"""Whether processes run, for tests of what begins and ends them."""

import os
import time
from collections.abc import Iterable
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()
    return state != "Z"


def gone(pids: Iterable[int], seconds: float = 15) -> bool:
    """Whether processes end within so many seconds."""
    left, until = list(pids), time.monotonic() + seconds
    while any(alive(pid) for pid in left) and time.monotonic() < until:
        time.sleep(0.02)
    return not any(alive(pid) for pid in left)
