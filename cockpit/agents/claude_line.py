"""One line of a Claude Code transcript → a usage record, a billing statement, or why it is neither.

The fast road decodes the few typed fields that count; a line with odd types takes the lenient one, where a
string of digits is its number and anything that cannot be a token count is 0.
"""

import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from cockpit.agents.claude_plain import plain_line
from cockpit.agents.lenient import loaded_msgspec
from cockpit.agents.record import MOST, Advisor, Record, milliseconds, plausible
from skills.record import record

if TYPE_CHECKING:
    from cockpit.agents.claude_typed import CacheCreation, Iteration, Line, Usage

__all__ = ["MOST", "Billing", "Reading", "Record", "decoder", "outdone", "read_line", "read_odd", "reading_of"]


@record
class Billing:
    """A `cost-state` line: what the session was billed so far, in dollars, hidden helper calls included."""

    session: str
    usd: float


@record
class Reading:
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


_NOTHING = Reading()


def read_line(raw: bytes, session: str) -> Reading:
    """Read one complete line. `session` is the session of the file, for lines that do not name one.

    Never raises: what cannot be read as JSON comes back as `malformed`.
    """
    line = decoder()(raw)
    return read_odd(raw, session) if line is None else reading_of(line, raw, session)


def decoder() -> "Callable[[bytes], Line | None]":
    """What decodes one complete line, and gives None where some value has a type that it should not have."""
    if loaded_msgspec() is None:
        return _plain_or_typed
    from cockpit.agents.claude_typed import decoded

    return decoded


def _plain_or_typed(raw: bytes) -> "Line | None":
    line: Line | None = plain_line(raw)
    if line is not None:
        return line
    from cockpit.agents.claude_typed import decoded

    return decoded(raw)


def outdone(known: "Line", line: "Line") -> "Line | None":
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


def _repeats(known: "Line", line: "Line") -> bool:
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


def _is_plain(usage: "Usage") -> bool:
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
    if not isinstance(value, dict):
        return _NOTHING
    from cockpit.agents.claude_typed import lenient_line

    return reading_of(lenient_line(value), raw, session, odd=True)


def _after_torn(raw: bytes, session: str) -> Reading:
    """An append after a torn line lands on the same line: its document is the suffix that is JSON."""
    decode = decoder()
    start = raw.find(b'{"', 1)
    for _ in range(64):
        if start < 0:
            break
        line = decode(raw[start:])
        if line is not None:
            found = reading_of(line, raw[start:], session, odd=True)
            return Reading(dropped="malformed") if found is _NOTHING else found
        start = raw.find(b'{"', start + 1)
    return Reading(dropped="malformed")


def reading_of(line: "Line", raw: bytes, session: str, *, odd: bool = False) -> Reading:
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


def _record(line: "Line", model: str, usage: "Usage", session: str) -> tuple[Record, bool]:
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
        "",
        None,
        (line.agentId or "") if line.isSidechain else "",
    )
    return record, odd


def _writes(total: int | None, split: "CacheCreation | None") -> tuple[int, int, bool]:
    """Cache writes as (5 minutes, 1 hour, whether a count was implausible)."""
    hour = (split.ephemeral_1h_input_tokens or 0) if split is not None else 0
    short = (split.ephemeral_5m_input_tokens or 0) if split is not None else 0
    everything = total or (hour + short)
    if 0 <= hour | short | everything <= MOST:
        return (everything - hour, hour, False) if hour <= everything else (0, everything, True)
    hour, everything = plausible(hour), plausible(everything) or plausible(hour) + plausible(short)
    return max(0, everything - hour), min(hour, everything), True


def _advisors(iterations: "list[Iteration]") -> tuple[Advisor, ...]:
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
