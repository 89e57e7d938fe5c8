"""One line of a Claude Code transcript → a usage record, a billing statement, or why it is neither.

The fast road decodes the few typed fields that count; a line with odd types takes the lenient one, where a
string of digits is its number and anything that cannot be a token count is 0.
"""

import json
import math
from datetime import datetime
from typing import Any, Literal

import msgspec

from cockpit.agents.lenient import count, flag, moment, number, text
from cockpit.agents.record import MOST, Advisor, Record, milliseconds, plausible

__all__ = ["MOST", "Billing", "Line", "Reading", "Record", "decoded", "outdone", "read_line", "read_odd", "reading_of"]


class Billing(msgspec.Struct, gc=False):
    """A `cost-state` line: what the session was billed so far, in dollars, hidden helper calls included."""

    session: str
    usd: float


class Reading(msgspec.Struct, gc=False):
    """What a line was read as: `key` and `record`, or `billing`, or why it was `dropped`.

    `final`: the response is complete or stands in the main conversation; `odd`: some value had to be mended.
    """

    key: str = ""
    record: Record | None = None
    final: bool = False
    odd: bool = False
    billing: Billing | None = None
    dropped: Literal["synthetic", "api-error", "malformed"] | None = None
    cwd: str = ""


class _CacheCreation(msgspec.Struct, gc=False):
    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class _OutputDetails(msgspec.Struct, gc=False):
    thinking_tokens: int | None = None


class _ServerTools(msgspec.Struct, gc=False):
    web_search_requests: int | None = None


class _Iteration(msgspec.Struct, gc=False):
    type: str | None = None
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: _CacheCreation | None = None


class _Usage(msgspec.Struct, gc=False):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: _CacheCreation | None = None
    output_tokens_details: _OutputDetails | None = None
    server_tool_use: _ServerTools | None = None
    speed: str | None = None
    iterations: list[_Iteration] | None = None


class _Origin(msgspec.Struct, gc=False):
    sessionId: str | None = None  # noqa: N815 - the transcript's own spelling, as below


class _Message(msgspec.Struct, gc=False):
    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    usage: _Usage | None = None


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


_NOTHING = Reading()
_decode = msgspec.json.Decoder(Line).decode


def read_line(raw: bytes, session: str) -> Reading:
    """Read one complete line. `session` is the session of the file, for lines that do not name one.

    Never raises: what cannot be read as JSON comes back as `malformed`.
    """
    line = decoded(raw)
    return read_odd(raw, session) if line is None else reading_of(line, raw, session)


def decoded(raw: bytes) -> Line | None:
    """One complete line, None where some value has a type that it should not have."""
    try:
        return _decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def outdone(known: Line, line: Line) -> Line | None:
    """The one of two lines about the same response that changes nothing once the other counts; None: both must be told.

    Content blocks repeat the usage of their response or grow it: whatever else, the line with more output holds.
    """
    before, message = known.message, line.message
    if before is None or message is None or not message.id or message.id != before.id or message.model != before.model:
        return None
    was, usage = before.usage, message.usage
    if was is None or usage is None or line.type != "assistant" or line.isApiErrorMessage:
        return None
    more = (usage.output_tokens or 0) - (was.output_tokens or 0)
    if more > 0:
        return known if _is_plain(was) else None
    if more < 0 or (usage == was and _repeats(known, line)):
        return line if _is_plain(usage) else None
    return None


def _repeats(known: Line, line: Line) -> bool:
    """Whether `line` was written for the same speaker, not earlier than `known`."""
    first, at = known.timestamp, line.timestamp
    return (
        first is not None
        and at is not None
        and at.tzinfo is first.tzinfo
        and at >= first
        and line.sessionId == known.sessionId
        and line.cwd == known.cwd
        and line.gitBranch == known.gitBranch
        and line.isSidechain == known.isSidechain
        and line.agentId == known.agentId
        and line.forkedFrom == known.forkedFrom
    )


def _is_plain(usage: _Usage) -> bool:
    """Whether no count has to be mended."""
    whole, split = usage.cache_creation_input_tokens or 0, usage.cache_creation
    every = whole | (usage.input_tokens or 0) | (usage.output_tokens or 0) | (usage.cache_read_input_tokens or 0)
    if split is not None:
        hour, short = split.ephemeral_1h_input_tokens or 0, split.ephemeral_5m_input_tokens or 0
        if hour > (whole or hour + short):
            return False
        every |= hour | short
    if usage.output_tokens_details is not None:
        every |= usage.output_tokens_details.thinking_tokens or 0
    if usage.server_tool_use is not None:
        every |= usage.server_tool_use.web_search_requests or 0
    return 0 <= every <= MOST


def read_odd(raw: bytes, session: str) -> Reading:
    """As `read_line`, for a line that cannot be decoded as it is."""
    try:
        value = json.loads(raw.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return _after_torn(raw, session)
    return reading_of(_lenient_line(value), raw, session, odd=True) if isinstance(value, dict) else _NOTHING


def _after_torn(raw: bytes, session: str) -> Reading:
    """An append after a torn line lands on the same line: its document is the suffix that is JSON."""
    start = raw.find(b'{"', 1)
    for _ in range(64):
        if start < 0:
            break
        line = decoded(raw[start:])
        if line is not None:
            found = reading_of(line, raw[start:], session, odd=True)
            return Reading(dropped="malformed") if found is _NOTHING else found
        start = raw.find(b'{"', start + 1)
    return Reading(dropped="malformed")


def reading_of(line: Line, raw: bytes, session: str, *, odd: bool = False) -> Reading:
    """What a decoded line says: see `read_line`."""
    if line.type == "cost-state":
        usd = line.totalCostUSD
        if usd is None or not math.isfinite(usd) or not 0 <= usd < MOST:
            return _NOTHING
        return Reading(billing=Billing(line.sessionId or session, usd), odd=odd)
    message = line.message
    if line.type != "assistant" or message is None or message.usage is None:
        return _NOTHING
    if line.isApiErrorMessage:
        return Reading(dropped="api-error", cwd=line.cwd or "")
    if message.model == "<synthetic>":
        return Reading(dropped="synthetic", cwd=line.cwd or "")
    record, changed = _record(line, message.model or "unknown", message.usage, session)
    key = message.id or line.uuid or _name_of(raw)
    final = message.stop_reason is not None or not line.isSidechain
    return Reading(key, record, final, odd or changed)


def _name_of(raw: bytes) -> str:
    """The key of a response that has none of its own: what its line says."""
    import hashlib  # rarely needed, and it costs three milliseconds

    return "line:" + hashlib.blake2b(raw, digest_size=12).hexdigest()


def _record(line: Line, model: str, usage: _Usage, session: str) -> tuple[Record, bool]:
    write_5m, write_1h, odd = _writes(usage.cache_creation_input_tokens, usage.cache_creation)
    counts = (usage.input_tokens or 0, usage.output_tokens or 0, usage.cache_read_input_tokens or 0)
    details, tools = usage.output_tokens_details, usage.server_tool_use
    reasoning = (details.thinking_tokens or 0) if details is not None else 0
    searches = (tools.web_search_requests or 0) if tools is not None else 0
    if not 0 <= counts[0] | counts[1] | counts[2] | reasoning | searches <= MOST:  # one negative or huge shows
        odd = True
        counts = (plausible(counts[0]), plausible(counts[1]), plausible(counts[2]))
        reasoning, searches = plausible(reasoning), plausible(searches)
    origin = line.forkedFrom
    record = Record(
        (origin.sessionId if origin is not None else None) or line.sessionId or session,
        line.cwd or "",
        line.gitBranch or "",
        milliseconds(line.timestamp),
        model,
        counts[0],
        counts[1],
        write_5m,
        write_1h,
        counts[2],
        min(reasoning, counts[1]),
        searches,
        usage.speed == "fast",
        bool(line.isSidechain),
        origin is not None,
        _advisors(usage.iterations) if usage.iterations else (),
        subagent=(line.agentId or "") if line.isSidechain else "",
    )
    return record, odd


def _writes(total: int | None, split: _CacheCreation | None) -> tuple[int, int, bool]:
    """Cache writes as (5 minutes, 1 hour, whether a count was implausible)."""
    hour = (split.ephemeral_1h_input_tokens or 0) if split is not None else 0
    short = (split.ephemeral_5m_input_tokens or 0) if split is not None else 0
    everything = total or (hour + short)
    if 0 <= hour | short | everything <= MOST:
        return (everything - hour, hour, False) if hour <= everything else (0, everything, True)
    hour, everything = plausible(hour), plausible(everything) or plausible(hour) + plausible(short)
    return max(0, everything - hour), min(hour, everything), True


def _advisors(iterations: list[_Iteration]) -> tuple[Advisor, ...]:
    """Advisor calls inside a response have a model of their own and are not in the response's counts."""
    found: list[Advisor] = []
    for entry in iterations:
        if entry.type != "advisor_message":
            continue
        write_5m, write_1h, _ = _writes(entry.cache_creation_input_tokens, entry.cache_creation)
        counts = (entry.input_tokens, entry.output_tokens, entry.cache_read_input_tokens)
        fresh, out, read = (plausible(value or 0) for value in counts)
        found.append((entry.model or "unknown", fresh, out, write_5m, write_1h, read))
    return tuple(sorted(found))


def _lenient_line(value: dict[str, Any]) -> Line:
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


def _lenient_usage(value: dict[str, Any]) -> _Usage:
    details, tools, entries = (value.get(name) for name in ("output_tokens_details", "server_tool_use", "iterations"))
    iterations = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return _Usage(
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


def _lenient_iteration(entry: dict[str, Any]) -> _Iteration:
    return _Iteration(
        text(entry.get("type")),
        text(entry.get("model")),
        count(entry.get("input_tokens")),
        count(entry.get("output_tokens")),
        count(entry.get("cache_creation_input_tokens")),
        count(entry.get("cache_read_input_tokens")),
        _lenient_split(entry.get("cache_creation")),
    )


def _lenient_split(value: object) -> _CacheCreation | None:
    if not isinstance(value, dict):
        return None
    return _CacheCreation(count(value.get("ephemeral_5m_input_tokens")), count(value.get("ephemeral_1h_input_tokens")))
