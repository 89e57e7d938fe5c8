"""A line of a Claude Code transcript read without `msgspec`, whose import takes longer than a few lines.

Only what is plainly as it should be is read here; of every other line nothing is said.
"""

import json
import re
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from cockpit.agents.record import MOST

_SPLIT = {"ephemeral_5m_input_tokens": int, "ephemeral_1h_input_tokens": int}
_COUNTS = {
    "input_tokens": int,
    "output_tokens": int,
    "cache_creation_input_tokens": int,
    "cache_read_input_tokens": int,
    "cache_creation": _SPLIT,
}
_USAGE = {
    **_COUNTS,
    "output_tokens_details": {"thinking_tokens": int},
    "server_tool_use": {"web_search_requests": int},
    "speed": str,
    "iterations": [{"type": str, "model": str, **_COUNTS}],
}
_LINE = {
    **dict.fromkeys(("type", "uuid", "sessionId", "cwd", "gitBranch", "agentId"), str),
    **dict.fromkeys(("isSidechain", "isApiErrorMessage"), bool),
    "timestamp": datetime,
    "forkedFrom": {"sessionId": str},
    "message": {"id": str, "model": str, "stop_reason": str, "usage": _USAGE},
    "totalCostUSD": float,
}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")


def plain_line(raw: bytes) -> Any | None:
    """The fields that count of one complete line, as `claude_typed.decoded` gives them; None: ask there."""
    try:
        return _as(_LINE, json.loads(raw.decode("utf-8"), parse_constant=_as_nothing))
    except (ValueError, RecursionError):
        return None


def _as(kind: Any, value: Any) -> Any:
    """`value` where it is of this kind, or null where a field may be. Raises `ValueError`."""
    if value is None:
        return None
    if isinstance(kind, dict) and type(value) is dict:
        return SimpleNamespace(**{name: _as(of, value.get(name)) for name, of in kind.items()})
    if isinstance(kind, list) and type(value) is list and None not in value:
        return [_as(kind[0], entry) for entry in value]
    if kind is datetime and type(value) is str and _TIME.fullmatch(value):
        return datetime.fromisoformat(value)
    if type(value) is not kind or (kind is int and not 0 <= value <= MOST):
        raise ValueError
    if kind is str:
        value.encode("utf-8")  # half of a surrogate pair is no text
    return value


def _as_nothing(constant: str) -> None:
    raise ValueError(constant)
