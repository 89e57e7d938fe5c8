"""What Claude Code used: every transcript below its roots, read incrementally.

A response stands in several lines (one for each content block), in forks and in replays of its session. Its
key is `message.id` wherever it stands.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.agents.claude_line import read_line
from cockpit.agents.source import Reader, Sink, Source, Stamp, below
from cockpit.files import Tail

if TYPE_CHECKING:
    from cockpit.agents.models import Agent

_SKIPPED = "journal.jsonl"


class ClaudeReader(Reader):
    """Reads the transcripts below each root's `projects` folder."""

    agent: "Agent" = "claude"

    def folders(self) -> tuple[Path, ...]:
        return tuple(folder for folder in self._places() if folder.is_dir())

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
        for line in source.lines():
            if b'"usage"' in line or b'"cost-state"' in line:
                _take(line, source, sink)
            elif not line.endswith((b"}", b"}\r")) and line.strip():
                source.dropped["malformed", ""] += 1

    def _places(self) -> Iterator[Path]:
        return (root / "projects" for root in self.roots)


def _is_transcript(name: str) -> bool:
    return name.endswith(".jsonl") and name != _SKIPPED


def _take(line: bytes, source: Source, sink: Sink) -> None:
    found = read_line(line, source.session)
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
        source.records[record.cwd] += 1
        if source.main and key not in source.before:
            source.after.setdefault(key, record.at)
        sink.take(key, record, final=found.final)
