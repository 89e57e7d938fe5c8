"""Which of several handles can be read, whatever their numbers: `select.select` refuses those from 1,024 on."""

import select
from collections.abc import Iterable


def readable(handles: Iterable[int], seconds: float | None) -> list[int]:
    """Those that can be read without waiting, or whose other side is gone. Waits at most `seconds` (None: for ever) for
    the first one; none where that passed. Raises `OSError`."""
    asked = select.poll()
    for handle in handles:
        asked.register(handle, select.POLLIN)
    return [handle for handle, _ in asked.poll(None if seconds is None else max(0, round(seconds * 1000)))]
