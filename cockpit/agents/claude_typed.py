"""The lines of a Claude Code transcript as `msgspec` decodes them: the few typed fields that count, as they should be,
or as they can be understood.
"""

from datetime import datetime
from typing import Any

import msgspec

from cockpit.agents.lenient import count, flag, moment, number, text


class CacheCreation(msgspec.Struct, gc=False):
    """Tokens written to the cache, by how long they stay."""

    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class _OutputDetails(msgspec.Struct, gc=False):
    thinking_tokens: int | None = None


class _ServerTools(msgspec.Struct, gc=False):
    web_search_requests: int | None = None


class Iteration(msgspec.Struct, gc=False):
    """The usage of one pass within a response: an advisor, or the model itself."""

    type: str | None = None
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: CacheCreation | None = None


class Usage(msgspec.Struct, gc=False):
    """What a response used: tokens, searches on the web, and the passes it took."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: CacheCreation | None = None
    output_tokens_details: _OutputDetails | None = None
    server_tool_use: _ServerTools | None = None
    speed: str | None = None
    iterations: list[Iteration] | None = None


class _Origin(msgspec.Struct, gc=False):
    sessionId: str | None = None  # noqa: N815 - the transcript's own spelling, as below


class _Message(msgspec.Struct, gc=False):
    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    usage: Usage | None = None


class Line(msgspec.Struct, gc=False):
    """The fields of a line that count, as they should be."""

    type: str | None = None
    uuid: str | None = None
    sessionId: str | None = None  # noqa: N815
    cwd: str | None = None
    gitBranch: str | None = None  # noqa: N815
    timestamp: datetime | None = None
    isSidechain: bool | None = None  # noqa: N815
    isApiErrorMessage: bool | None = None  # noqa: N815
    forkedFrom: _Origin | None = None  # noqa: N815
    message: _Message | None = None
    totalCostUSD: float | None = None  # noqa: N815
    agentId: str | None = None  # noqa: N815


_decode = msgspec.json.Decoder(Line).decode


def decoded(raw: bytes) -> Line | None:
    """One complete line, None where some value has a type that it should not have."""
    try:
        return _decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def lenient_line(value: dict[str, Any]) -> Line:
    """A line with odd types: what has a meaning is taken for it."""
    message, origin = value.get("message"), value.get("forkedFrom")
    return Line(
        text(value.get("type")),
        text(value.get("uuid")),
        text(value.get("sessionId")),
        text(value.get("cwd")),
        text(value.get("gitBranch")),
        moment(value.get("timestamp")),
        flag(value.get("isSidechain")),
        flag(value.get("isApiErrorMessage")),
        _Origin(text(origin.get("sessionId"))) if isinstance(origin, dict) else None,
        _lenient_message(message) if isinstance(message, dict) else None,
        number(value.get("totalCostUSD")),
        text(value.get("agentId")),
    )


def _lenient_message(value: dict[str, Any]) -> _Message:
    usage = value.get("usage")
    return _Message(
        text(value.get("id")),
        text(value.get("model")),
        text(value.get("stop_reason")),
        _lenient_usage(usage) if isinstance(usage, dict) else None,
    )


def _lenient_usage(value: dict[str, Any]) -> Usage:
    details, tools, entries = (value.get(name) for name in ("output_tokens_details", "server_tool_use", "iterations"))
    iterations = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return Usage(
        count(value.get("input_tokens")),
        count(value.get("output_tokens")),
        count(value.get("cache_creation_input_tokens")),
        count(value.get("cache_read_input_tokens")),
        _lenient_split(value.get("cache_creation")),
        _OutputDetails(count(details.get("thinking_tokens"))) if isinstance(details, dict) else None,
        _ServerTools(count(tools.get("web_search_requests"))) if isinstance(tools, dict) else None,
        text(value.get("speed")),
        [_lenient_iteration(entry) for entry in iterations],
    )


def _lenient_iteration(entry: dict[str, Any]) -> Iteration:
    return Iteration(
        text(entry.get("type")),
        text(entry.get("model")),
        count(entry.get("input_tokens")),
        count(entry.get("output_tokens")),
        count(entry.get("cache_creation_input_tokens")),
        count(entry.get("cache_read_input_tokens")),
        _lenient_split(entry.get("cache_creation")),
    )


def _lenient_split(value: object) -> CacheCreation | None:
    if not isinstance(value, dict):
        return None
    return CacheCreation(count(value.get("ephemeral_5m_input_tokens")), count(value.get("ephemeral_1h_input_tokens")))
