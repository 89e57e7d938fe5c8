"""What Claude Code tells its status line: the size of a session's context window and the account's usage windows.

It is kept in one small file for those who ask later: gauges of context and `cockpit limits`.
"""

import contextlib
import json
import math
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from cockpit.agents.lenient import mapping
from cockpit.files import locked, read_regular, write_atomically
from cockpit.paths import state_dir

MOST_SESSIONS = 200
_LARGEST = 1 << 20
_MOST_TOKENS = 1 << 32


@dataclass(slots=True, repr=False)
class Told:
    """`windows` is tokens by session, the latest last; `limits` the usage windows as they were said `at`, in
    milliseconds since 1970."""

    windows: dict[str, int] = field(default_factory=dict)
    limits: dict[str, dict[str, float]] = field(default_factory=dict)
    at: int = 0


def told_path() -> Path:
    """Where it is kept."""
    return state_dir() / "status-line.json"


def read_told() -> Told:
    """What was told, nothing where there is none that can be read."""
    try:
        said = read_regular(told_path(), _LARGEST)
    except OSError:
        return Told()
    import msgspec  # not for who never had a status line

    try:
        return msgspec.json.decode(said, type=Told)
    except (msgspec.MsgspecError, ValueError):
        return Told()


def told_window(session: str) -> int | None:
    """The size of a session's context window in tokens, None where no status line was told."""
    try:
        found = told_path().stat()
    except OSError:
        return None
    return _windows((found.st_mtime_ns, found.st_ino)).get(session)


@lru_cache(maxsize=1)
def _windows(version: tuple[int, int]) -> dict[str, int]:
    return read_told().windows


def note(said: dict[str, Any], at: int) -> None:
    """Keep what a status line was told at that time (milliseconds since 1970). Never raises."""
    window = _tokens(mapping(said.get("context_window")).get("context_window_size"))
    session = said.get("session_id")
    limits = {
        name: found for name, given in mapping(said.get("rate_limits")).items() if (found := _limit(mapping(given)))
    }
    if not limits and (window is None or not isinstance(session, str)):
        return
    with contextlib.suppress(OSError), locked(told_path().with_suffix(".lock")) as mine:
        if not mine:
            return  # another session writes: the next line comes soon
        told = read_told()
        known = (dict(told.windows), told.limits)
        if window is not None and isinstance(session, str):
            told.windows = {**told.windows, session[:120]: window}
            told.windows = dict(list(told.windows.items())[-MOST_SESSIONS:])
        if limits:
            told.limits = limits
        if (told.windows, told.limits) != known or at - told.at > 60_000:
            told.at = at if limits else told.at
            kept = {"windows": told.windows, "limits": told.limits, "at": told.at}
            write_atomically(told_path(), json.dumps(kept).encode(), mode=0o600)


def _limit(given: dict[str, Any]) -> dict[str, float]:
    percent, resets = given.get("used_percentage"), given.get("resets_at")
    numbers = [one for one in (percent, resets) if isinstance(one, int | float) and not isinstance(one, bool)]
    if len(numbers) != 2 or not all(math.isfinite(one) and 0 <= one < 1e11 for one in numbers):
        return {}
    return {"used_percentage": float(numbers[0]), "resets_at": float(numbers[1])}


def _tokens(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MOST_TOKENS else None
