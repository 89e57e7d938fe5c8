"""Values of agents' files as they can be used: odd types become their meaning where they have one, else nothing."""

import json
import math
import sys
from datetime import datetime
from typing import Any

from cockpit.agents.record import milliseconds, plausible
from cockpit.clock import at_seconds, utc

_TRIES = 256
_MUCH = 256 << 10  # bytes that `json` takes as long for as the import of `msgspec` takes
_read_by_json = 0


def loaded_msgspec() -> Any | None:
    """`msgspec` where it is imported: it reads JSON five times as fast, and takes as long as two hundred lines."""
    module = sys.modules.get("msgspec")
    return module if hasattr(module, "__version__") else None  # its last name: another thread may import it now


def document(raw: bytes) -> dict[str, Any] | None:
    """The JSON object of a line; after a torn write, the object that is its end. None: there is none."""
    found = _decoded(raw)
    if found is not None:
        return found if isinstance(found, dict) else None
    start = raw.rfind(b'{"')  # only one suffix can be an object: the nearest are the shortest to try
    for _ in range(_TRIES):
        if start < 1:
            break
        found = _decoded(raw[start:])
        if isinstance(found, dict):
            return found
        start = raw.rfind(b'{"', 0, start)
    return None


def _decoded(raw: bytes) -> Any:
    global _read_by_json
    msgspec = loaded_msgspec()
    if msgspec is None:
        _read_by_json += len(raw)
        if _read_by_json > _MUCH:
            import msgspec
    if msgspec is not None:
        try:
            return msgspec.json.decode(raw)
        except (msgspec.DecodeError, ValueError, RecursionError):
            pass
    try:
        return json.loads(raw.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def mapping(value: object) -> dict[str, Any]:
    """`value` where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def text(value: object) -> str | None:
    """`value` where it is a string; a lone surrogate, which cannot be printed or sorted, is replaced."""
    if not isinstance(value, str):
        return None
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def flag(value: object) -> bool | None:
    """`value` where it is true or false."""
    return value if isinstance(value, bool) else None


def count(value: object) -> int:
    """A number of tokens: a string of digits is its number, and anything that cannot be one is 0."""
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) < 14 else 0
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0
    return plausible(int(value)) if math.isfinite(value) else 0


def is_count(value: object) -> bool:
    """Whether `value` is a count as it should be (absent is fine, too)."""
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and plausible(value) == value)


def number(value: object) -> float | None:
    """A number, or a string that is one."""
    try:
        return float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None


def moment(value: object) -> datetime | None:
    """An ISO 8601 time."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def time_of(value: object) -> datetime | None:
    """A time in UTC: one of ISO 8601, or milliseconds since 1970."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return at_seconds(value / 1000)
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) and len(value) < 64 else None
        return found and utc(found)
    except (ValueError, OverflowError):
        return None


def when(value: object) -> int | None:
    """Milliseconds since 1970 UTC of an ISO 8601 time or of a number of milliseconds."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return int(value) if math.isfinite(value) and 0 < value < 1e14 else None
    return milliseconds(moment(value))
