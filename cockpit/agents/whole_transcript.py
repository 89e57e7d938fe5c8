"""One session of any agent as a whole: every event with the line that tells it, and what its responses used."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from cockpit.agents.claude import EventParser
from cockpit.agents.claude_line import read_line
from cockpit.agents.models import Agent
from cockpit.agents.opencode_file import OpenCodeFile
from cockpit.agents.record import Record
from cockpit.agents.told import Told
from cockpit.agents.told_session import EventTelling
from cockpit.agents.transcript_file import TranscriptFile
from cockpit.files import Tail
from cockpit.plain_text import plain_text
from skills.orchestrator.events import Delegation, Event, ToolResult

_DOCS_LISTED = re.compile(rb"mcp__[\w-]*(?:context7|docs|documentation|deepwiki)", re.IGNORECASE)
_CLEARED = b"<command-name>/clear</command-name>"
_UUID = re.compile(rb'"uuid"\s*:\s*"([^"\\]{1,80})"')


@dataclass(slots=True)
class WholeTranscript:
    """One file as it was read: events with their lines, what responses used, and which line is which.

    `names` are lines by what makes them the same in a copy; `window` is the size of the context window where the agent
    says it, `delegated` what each sub-agent used, as far as it stands in `records` of its own.
    """

    agent: Agent
    session: str
    cwd: str
    events: list[tuple[int, Event]] = field(default_factory=list)
    records: dict[str, Record] = field(default_factory=dict)
    cleared: set[int] = field(default_factory=set)
    names: dict[int, str] = field(default_factory=dict)
    delegated: dict[str, list[Record]] = field(default_factory=dict)
    docs_listed: bool = False
    window: int | None = None
    unread: int = 0

    @property
    def began(self) -> float:
        """When it began, in seconds since 1970; 0 where no line has a time."""
        return next((event.at.timestamp() for _, event in self.events if event.at is not None), 0.0)

    @property
    def ended(self) -> datetime | None:
        """The time of the last event."""
        return max((event.at for _, event in self.events if event.at is not None), default=None)

    def used(self, key: str, record: Record) -> None:
        """A response used so much; of several statements the one with the most output counts."""
        before = self.records.get(key)
        if before is None or record.output >= before.output:
            self.records[key] = record


def read_claude(path: Path, cwd: str) -> WholeTranscript:
    """A transcript of Claude Code. Raises `OSError`."""
    found = WholeTranscript("claude", plain_text(path.stem, 80), cwd)
    parser, tail = EventParser(), Tail(path)
    for block in tail.blocks():
        for line, raw in enumerate(block.split(b"\n")[:-1], tail.line + 1):
            _take_line(found, parser, raw, line)
    found.unread = parser.malformed + tail.too_long
    return found


def _take_line(found: WholeTranscript, parser: EventParser, raw: bytes, line: int) -> None:
    events = parser.events(raw)
    found.events += [(line, event) for event in events]
    if events and (uuid := _UUID.search(raw)):
        found.names[line] = uuid[1].decode("ascii", "replace")
    if b'"usage"' in raw:
        reading = read_line(raw, found.session)
        if reading.record is not None:
            found.used(reading.key, reading.record)
    elif _CLEARED in raw:
        found.cleared.add(line)
    elif not found.docs_listed and not events and b"mcp__" in raw:
        found.docs_listed = _DOCS_LISTED.search(raw) is not None


def read_told(file: TranscriptFile, ours: Callable[[str], bool] = lambda _cwd: True) -> WholeTranscript | None:
    """A session of another agent; None where the folder in which it began is not `ours`. Raises `OSError`."""
    file = file.fresh()
    found = WholeTranscript(file.agent, plain_text(file.session, 80), "")
    telling = EventTelling(file.agent)
    for place, told in file.read():
        for one in told:
            if one.kind == "place" and not found.cwd:
                if not ours(one.text):
                    return None
                found.cwd = one.text
            _take_told(found, telling, file, one, place.line)
    if not found.cwd and not ours(""):
        return None
    found.unread = file.unread
    return found


def _take_told(found: WholeTranscript, telling: EventTelling, file: TranscriptFile, told: Told, line: int) -> None:
    found.window = told.window or found.window
    if told.record is not None:
        found.used(told.step, told.record)
    events = telling.events(told)
    if told.child and events and isinstance(file, OpenCodeFile):
        events = [_delegated(found, file, told, event) for event in events]
    found.events += [(line, event) for event in events]
    if events and (told.id or told.at):
        found.names.setdefault(line, f"{file.agent}:{told.id or told.at}")


def _delegated(found: WholeTranscript, file: OpenCodeFile, told: Told, event: Event) -> Event:
    """An answer of a sub-agent with what that took, from the sub-agent's own session."""
    if not isinstance(event, ToolResult):
        return event
    records: dict[str, Record] = {}
    calls, times = 0, []
    for _, parts in OpenCodeFile(file.path, told.child).read():
        for part in parts:
            calls += part.kind == "call"
            times += [part.at] if part.at is not None else []
            if part.record is not None:
                records[part.step] = part.record
    agent = plain_text(told.child, 120)
    if not times or not records:
        return replace(event, delegation=Delegation(agent))
    found.delegated[agent] = list(records.values())
    tokens = sum(record.tokens for record in records.values())
    return replace(event, delegation=Delegation(agent, (max(times) - min(times)).total_seconds(), calls, tokens))
