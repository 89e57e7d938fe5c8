"""What Claude Code used: every transcript below its roots, read incrementally.

A response stands in several lines (one for each content block), in forks and in replays of its session. Its
key is `message.id` wherever it stands.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.agents.claude_line import Reading, decoder, outdone, read_odd, reading_of
from cockpit.agents.lenient import mapping, text
from cockpit.agents.record import milliseconds
from cockpit.agents.source import Reader, Sink, Source, Stamp, SubAgent, below, parts_of
from cockpit.files import Tail, read_regular
from cockpit.plain_text import plain_text

if TYPE_CHECKING:
    from cockpit.agents.claude_typed import Line
    from cockpit.agents.models import Agent

_SKIPPED = "journal.jsonl"
_FOLDER = "subagents"
_LARGEST_META = 1 << 20
_CLOSED = b"}"[0]
# what every usage and every bill that say something hold; the longer, the faster it is searched for
_COUNT, _BILL = b'put_tokens"', b'"totalCostUSD"'


class ClaudeReader(Reader):
    """Reads the transcripts below each root's `projects` folder."""

    agent: "Agent" = "claude"

    def sources(self) -> Iterator[tuple[str, Stamp]]:
        return self.stamped(self.walk(self._places(), _is_transcript))

    def owns(self, path: str) -> bool:
        parts = below(path, self._places())
        # a pipe of that name would never end
        return parts is not None and _is_transcript(parts[-1]) and Path(path).is_file()

    def opened(self, path: str) -> Source:
        parts = below(path, self._places()) or (path,)
        main = len(parts) <= 2
        session = parts[-1].removesuffix(".jsonl") if main else parts[1]
        return Source(Tail(Path(path), counting=False), session, main)

    def read(self, source: Source, sink: Sink) -> None:
        name = "" if source.main else _sub_agent(source.path)
        taking = _Taking(source, sink, name)
        try:
            for block in source.blocks():
                for line in _telling(block, source):
                    taking.take(line)
        finally:  # a file that cannot be read further
            taking.close()

    def about(self, source: Source) -> SubAgent | None:
        name = "" if source.main else _sub_agent(source.path)
        if not name:
            return None
        flow = parts_of(source.path)[-2]
        return SubAgent(source.session, name, *_meta(source.path), "" if flow == _FOLDER else flow)

    def _places(self) -> Iterator[Path]:
        return (root / "projects" for root in self.roots)


def _is_transcript(name: str) -> bool:
    return name.endswith(".jsonl") and name != _SKIPPED


def _telling(block: bytes, source: Source) -> Iterator[bytes]:
    """The lines of `block` that can hold usage or a bill; of the others, the damaged ones are counted.

    Most bytes are what tools answered: they are searched where they stand and never copied.
    """
    find, size = block.find, len(block)
    usage, bill = find(_COUNT), find(_BILL) if source.main else -1
    start = 0
    while start < size:
        end = find(b"\n", start)
        end = size if end < 0 else end
        if 0 <= usage < end or 0 <= bill < end:
            yield block[start:end]
            usage = find(_COUNT, end) if 0 <= usage < end else usage
            bill = find(_BILL, end) if 0 <= bill < end else bill
        elif block[end - 1] != _CLOSED and (line := block[start:end].rstrip()) and line[-1] != _CLOSED:
            source.dropped["malformed", ""] += 1
        start = end + 1


def _sub_agent(path: str) -> str:
    """The name of the sub-agent whose transcript it is, empty where it is none's."""
    *folders, name = parts_of(path)
    return name.removesuffix(".jsonl").removeprefix("agent-") if _FOLDER in folders else ""


def _meta(path: str) -> tuple[str, str]:
    """The kind of a sub-agent and what it was asked for, where that is written beside its transcript."""
    try:
        said = mapping(json.loads(read_regular(f"{path.removesuffix('.jsonl')}.meta.json", _LARGEST_META)))
    except (OSError, ValueError, RecursionError):
        return "", ""
    return plain_text(text(said.get("agentType")) or "", 40), plain_text(text(said.get("description")) or "", 60)


class _Taking:
    """Hands what the lines of a file tell to `sink`: lines in a row that are one response once, when it ends."""

    def __init__(self, source: Source, sink: Sink, name: str) -> None:
        self._source, self._sink, self._name = source, sink, name
        self._decoded = decoder()
        self._held: tuple[Line, bytes] | None = None
        self._first: int | None = None
        self._final = False

    def take(self, raw: bytes) -> None:
        """Take one complete line."""
        line = self._decoded(raw)
        if line is None:
            self.close()
            self._put(read_odd(raw, self._source.session))
            return
        if self._held is not None:
            known = self._held[0]
            lost = outdone(known, line)
            if lost is not None:
                self._source.records[lost.cwd or ""] += 1
                self._final = self._final or _ends(line)
                if lost is known:
                    self._held = line, raw
                return
            self.close()
        self._held = line, raw
        self._first, self._final = milliseconds(line.timestamp), _ends(line)

    def close(self) -> None:
        """Tell what was held back."""
        if self._held is not None:
            line, raw = self._held
            self._held = None
            self._put(reading_of(line, raw, self._source.session), self._first, final=self._final)

    def _put(self, found: Reading, first: int | None = None, *, final: bool = False) -> None:
        source = self._source
        source.odd += found.odd
        if found.dropped is not None:
            source.dropped[found.dropped, found.cwd] += 1
        elif found.billing is not None:
            if source.main:
                source.billed, source.billed_session = found.billing.usd, found.billing.session
                source.before.update(source.after)
                source.after.clear()
        elif found.record is not None:
            record, key = found.record, found.key
            if record.sidechain and not record.subagent:
                record.subagent = self._name
            source.records[record.cwd] += 1
            if source.main and key not in source.before:
                source.after.setdefault(key, record.at if first is None else first)
            self._sink.take(key, record, final=found.final or final)


def _ends(line: "Line") -> bool:
    """Whether the response is complete, or stands in the main conversation, where its usage is final."""
    return not line.isSidechain or (line.message is not None and line.message.stop_reason is not None)
