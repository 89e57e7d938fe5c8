"""What this machine has left."""

import os

from cockpit.files import read_regular


def free_memory_gb() -> float | None:
    """Memory that programs can still have, in GB of 2³⁰ bytes; None where the system does not tell."""
    try:
        text = read_regular("/proc/meminfo", 8192).decode("ascii", "replace")
    except OSError:
        return None
    kilobytes = next((line.split()[1] for line in text.splitlines() if line.startswith("MemAvailable:")), "")
    return int(kilobytes) / (1 << 20) if kilobytes.isdigit() else None


def processors(quota: str = "/sys/fs/cgroup/cpu.max") -> int:
    """How many processors this process may use: those it is bound to, or fewer where its group has less time (the file
    `quota`: microseconds in each period, and the period)."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        most, period = map(int, read_regular(quota, 64).split())
    except (OSError, ValueError):  # another system, or no limit: "max 100000"
        return bound
    return max(1, min(bound, most // period)) if period > 0 else bound
