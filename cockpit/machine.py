"""What this machine has left."""

from cockpit.files import read_regular


def free_memory_gb() -> float | None:
    """Memory that programs can still have, in GB of 2³⁰ bytes; None where the system does not tell."""
    try:
        text = read_regular("/proc/meminfo", 8192).decode("ascii", "replace")
    except OSError:
        return None
    kilobytes = next((line.split()[1] for line in text.splitlines() if line.startswith("MemAvailable:")), "")
    return int(kilobytes) / (1 << 20) if kilobytes.isdigit() else None
