"""What Codex CLI used: its rollout files, plain or compressed.

Newer files state the usage of each response by its id; older ones a running total after each, from which a
fork repeats the beginning of its parent.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.agents.lenient import count, document, is_count, mapping, number, text, when
from cockpit.agents.record import Record
from cockpit.agents.source import Library, Reader, Sink, Source, Stamp, below
from cockpit.files import LONGEST_LINE, open_regular

if TYPE_CHECKING:
    from cockpit.agents.models import Agent

_STEP = 1024  # bytes that are unpacked at once: what they become stays small
_PLAIN, _PACKED = ".jsonl", ".jsonl.zst"
_MARKS = (b'"token_count"', b'"turn_context"', b'"token_usage_record"', b'"session_meta"')
_WINDOWS = ("primary", "secondary")
_KINDS = ("input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens", "reasoning_output_tokens")


class CodexReader(Reader):
    """Reads `sessions` and `archived_sessions` below its root. A plain file holds against its packed form."""

    agent: "Agent" = "codex"

    def sources(self) -> Iterator[tuple[str, Stamp]]:
        found = dict(self.stamped(self.walk(self._places(), _is_rollout)))
        return ((path, stamp) for path, stamp in found.items() if _plain(path) == path or _plain(path) not in found)

    def owns(self, path: str) -> bool:
        parts = below(path, self._places())
        if parts is None or not _is_rollout(parts[-1]) or not Path(path).is_file():
            return False
        return _plain(path) == path or not Path(_plain(path)).exists()

    def opened(self, path: str) -> Source:
        source = super().opened(path)
        source.session = _plain(Path(path).name).removesuffix(_PLAIN)[-36:]
        return source

    def read(self, source: Source, sink: Sink) -> None:
        stamp = self.stamp(source.path)
        packed = source.path.endswith(_PACKED)
        if packed:
            source.forget()
        for line in unpacked(source) if packed else source.lines():
            if any(mark in line for mark in _MARKS):
                _take(line, source, sink)
            elif not line.endswith((b"}", b"}\r")) and line.strip():
                source.dropped["malformed", ""] += 1
        if packed:
            source.was(stamp)

    def settle(self, sources: list[Source], library: Library, sink: Sink) -> list[Source]:
        """A fork repeats the totals of its parent up to where it leaves it: those responses are the parent's."""
        touched = {source.path: source for source in sources}
        for source in sources:
            for child in library.children_of(source.session):
                touched.setdefault(child.path, child)
        changed: list[Source] = []
        for child in touched.values():
            own = _totals(child)
            shared = max((_shared(own, _totals(parent)) for parent in library.of_session(child.parent)), default=0)
            known = child.notes.get("repeated", 0)
            if child.parent and shared > known:
                for total in own[known:shared]:
                    sink.discard(_key(child, total))
                child.notes["repeated"] = shared
                changed.append(child)
        return changed

    def _places(self) -> Iterator[Path]:
        return (root / name for root in self.roots for name in ("sessions", "archived_sessions"))


def _is_rollout(name: str) -> bool:
    return name.startswith("rollout-") and name.endswith((_PLAIN, _PACKED))


def _plain(path: str) -> str:
    return path.removesuffix(".zst")


def unpacked(source: Source) -> Iterator[bytes]:
    """The complete lines of a compressed file; what follows damage in it is lost, which is counted."""
    rest: list[bytes] = []
    held = 0
    for data in _decompressed(source):
        *whole, last = data.split(b"\n")
        for line in whole:
            if held + len(line) <= LONGEST_LINE:
                yield b"".join((*rest, line))
            else:
                source.tail.too_long += 1
            rest, held = [], 0
        held += len(last)
        rest = [*rest, last] if held <= LONGEST_LINE else []


def _decompressed(source: Source) -> Iterator[bytes]:
    import zstandard

    with open_regular(source.tail.path) as packed:
        frame = zstandard.ZstdDecompressor().decompressobj()
        data = packed.read(_STEP)
        try:
            while data:
                yield frame.decompress(data)
                data = b""
                if frame.eof:
                    data = frame.unused_data
                    frame = zstandard.ZstdDecompressor().decompressobj()
                data = data or packed.read(_STEP)
        except zstandard.ZstdError:
            source.dropped["malformed", ""] += 1


def _take(line: bytes, source: Source, sink: Sink) -> None:
    value = document(line)
    if value is None:
        source.dropped["malformed", ""] += 1
        return
    kind, payload, notes = value.get("type"), mapping(value.get("payload")), source.notes
    if kind == "session_meta" and "cwd" not in notes:  # a fork repeats its parent's after its own
        source.session = text(payload.get("id")) or source.session
        source.parent = text(payload.get("forked_from_id")) or ""
        notes["cwd"] = text(payload.get("cwd")) or ""
        notes["branch"] = text(mapping(payload.get("git")).get("branch")) or ""
        notes["side"] = "subagent" in mapping(payload.get("source"))
    elif kind == "turn_context":
        notes["model"] = text(payload.get("model")) or notes.get("model", "")
        notes["cwd"] = text(payload.get("cwd")) or notes.get("cwd", "")
    elif kind == "token_usage_record":
        _take_record(payload, when(value.get("timestamp")), source, sink)
    elif kind == "event_msg" and payload.get("type") == "token_count":
        at = when(value.get("timestamp"))
        limits = payload.get("rate_limits")
        if isinstance(limits, dict) and at is not None:
            notes["limits"] = {"at": at, "said": {name: _window(limits.get(name)) for name in _WINDOWS}}
        if isinstance(payload.get("info"), dict):
            _take_count(payload["info"], at, source, sink)


def _window(said: object) -> dict[str, float | str]:
    """What is said of a usage window, without what could be of any size."""
    known = ((kind, mapping(said).get(kind)) for kind in ("used_percent", "window_minutes", "resets_at"))
    found = ((kind, number(value) if not isinstance(value, str) else text(value)) for kind, value in known)
    return {kind: value for kind, value in found if value is not None}


def _take_record(payload: dict[str, Any], at: int | None, source: Source, sink: Sink) -> None:
    usage, response = mapping(payload.get("usage")), text(payload.get("response_id"))
    if not source.notes.get("by_response"):
        source.notes["by_response"] = True  # the totals of such a file tell of the same responses
        for total in _totals(source):
            sink.discard(_key(source, total))
    if usage and response:
        _emit(f"codex:{response}", usage, at, source, sink)
    else:
        source.odd += 1


def _take_count(info: dict[str, Any], at: int | None, source: Source, sink: Sink) -> None:
    total, last = info.get("total_token_usage"), mapping(info.get("last_token_usage"))
    totals: list[str] = source.notes.setdefault("totals", [])
    before = mapping(source.notes.get("total"))
    if isinstance(total, dict):
        name = "-".join(str(count(total.get(kind))) for kind in (*_KINDS, "total_tokens"))
        if totals and totals[-1] == name:
            return
        source.notes["total"] = {kind: count(total.get(kind)) for kind in _KINDS}
        if not last:
            last = {kind: max(0, count(total.get(kind)) - count(before.get(kind))) for kind in _KINDS}
    else:
        name = f"#{len(totals)}"
    if not any(count(last.get(kind)) for kind in _KINDS):
        return
    totals.append(name)
    if not source.notes.get("by_response"):
        _emit(_key(source, name), last, at, source, sink)


def _emit(key: str, usage: dict[str, Any], at: int | None, source: Source, sink: Sink) -> None:
    whole, cached, write, output, reasoning = (count(usage.get(kind)) for kind in _KINDS)
    source.odd += not all(is_count(usage.get(kind)) for kind in _KINDS)
    notes = source.notes
    record = Record(
        source.session,
        notes.get("cwd", ""),
        notes.get("branch", ""),
        at,
        notes.get("model") or "unknown",
        max(0, whole - cached - write),
        output,
        write,
        0,
        cached,
        min(reasoning, output),
        sidechain=bool(notes.get("side")),
        provider="openai",
    )
    source.records[record.cwd] += 1
    sink.take(key, record)


def _totals(source: Source) -> list[str]:
    found: list[str] = source.notes.get("totals", [])
    return found


def _shared(own: list[str], other: list[str]) -> int:
    """How many totals both begin with."""
    for shared, (mine, theirs) in enumerate(zip(own, other, strict=False)):
        if mine != theirs:
            return shared
    return min(len(own), len(other))


def _key(source: Source, total: str) -> str:
    return f"codex:{source.session}:{total}"
