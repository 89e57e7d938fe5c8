"""Claude Code: one session's transcript as typed events, read incrementally.

The reader never raises on what a line holds: lines that are not JSON are counted, odd types are passed over, and
a rewritten file is read again from its start.
"""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cockpit.agents.claude_prompt import INTERRUPTED, spoken
from cockpit.agents.claude_values import (
    COMMAND_LENGTH,
    KNOWN_KINDS,
    TARGET_LENGTH,
    blocks_of,
    delegation_of,
    is_result,
    not_a_person,
    target_of,
    text_of,
)
from cockpit.agents.lenient import count, document, time_of
from cockpit.agents.models import Agent
from cockpit.files import Tail
from cockpit.plain_text import plain_text
from skills.counted import counted
from skills.orchestrator.claims import Claim, find_claims
from skills.orchestrator.events import (
    Command,
    Compaction,
    ContextPoint,
    Event,
    Prompt,
    SessionExit,
    Step,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    TurnEnd,
)
from skills.orchestrator.provenance import Provenance
from skills.orchestrator.tools import role

_GOES_ON = (None, "tool_use", "pause_turn")


class EventParser:
    """Lines of one transcript → events. Holds what the last lines said of the session.

    `cwd`, `branch` and `last_at` are those of the newest line that names them; `malformed` counts lines that were no
    JSON object, `unknown` those of a kind that is not known.
    """

    def __init__(self) -> None:
        self.cwd = ""
        self.branch: str | None = None
        self.last_at: datetime | None = None
        self.malformed = self.unknown = 0
        self._point: tuple[int, str | None] = (-1, None)
        self._provenance = Provenance()
        self._reads: set[str] = set()

    def events(self, line: bytes) -> list[Event]:
        """The events that one complete line tells, in order."""
        if not line.strip():
            return []
        value = document(line)
        if value is None:
            self.malformed += 1
            return []
        if value.get("isSidechain") is True:
            return []
        at = time_of(value.get("timestamp"))
        if at is not None:
            self.last_at = at
        self.cwd = text_of(value.get("cwd")) or self.cwd
        if branch := text_of(value.get("gitBranch")):
            self.branch = None if branch == "HEAD" else plain_text(branch, 200)
        return self._of_kind(value, at)

    def _of_kind(self, value: dict[str, Any], at: datetime | None) -> list[Event]:
        kind = text_of(value.get("type"))
        if kind == "assistant":
            return self._assistant(value, at)
        if kind == "user":
            return self._user(value, at)
        if kind == "system":
            return _system(value, at)
        if kind == "attachment":
            return self._queued(value.get("attachment"), at)
        if kind == "cost-state":
            return [SessionExit(self.last_at)]
        self.unknown += kind not in KNOWN_KINDS
        return []

    def _assistant(self, value: dict[str, Any], at: datetime | None) -> list[Event]:
        message = value.get("message")
        if value.get("isApiErrorMessage") is True:
            return [TurnEnd(at, "error")]
        if not isinstance(message, dict) or message.get("model") == "<synthetic>":
            return []
        events: list[Event] = self._context(message, at)
        message_id = text_of(message.get("id")) or text_of(value.get("uuid"))
        for block in blocks_of(message.get("content")):
            events += self._block(block, message_id, at)
        stop = message.get("stop_reason")
        if isinstance(stop, str) and stop not in _GOES_ON:
            events.append(TurnEnd(at, plain_text(stop, 40)))
        return events

    def _block(self, block: dict[str, Any], message_id: str, at: datetime | None) -> list[Event]:
        kind = block.get("type")
        if kind == "text":
            said = text_of(block.get("text"))
            return [Text(at, _claims(said))] if said.strip() else []
        if kind in ("thinking", "redacted_thinking"):
            return [Thought(at)]
        if kind == "tool_use" and isinstance(block.get("id"), str):
            return [Step(at, message_id, (self._call(block),))]
        return []

    def _context(self, message: dict[str, Any], at: datetime | None) -> list[Event]:
        usage = message.get("usage")
        if not isinstance(usage, dict):
            return []
        kinds = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        used = sum(count(usage.get(kind)) for kind in kinds)
        point = (used, plain_text(text_of(message.get("model")), 80) or None)
        if not used or point == self._point:
            return []
        self._point = point
        return [ContextPoint(at, *point, text_of(message.get("id")))]

    def _call(self, block: dict[str, Any]) -> ToolCall:
        name = plain_text(text_of(block.get("name")), 120) or "?"
        given = block.get("input")
        values: dict[str, Any] = given if isinstance(given, dict) else {}
        command = text_of(values.get("command"))[:COMMAND_LENGTH] if name == "Bash" else ""
        call = ToolCall(
            plain_text(block["id"], 120),
            name,
            target_of(name, values),
            command,
            values.get("run_in_background") is True,
        )
        arguments = " ".join(text[:2000] for text in values.values() if isinstance(text, str))
        if role(call) != "read":
            self._provenance.learn(arguments)
            return call
        self._reads.add(call.id)
        if not self._provenance.chained(arguments):
            return call
        return ToolCall(call.id, name, call.target, chained=True)

    def _user(self, value: dict[str, Any], at: datetime | None) -> list[Event]:
        message = value.get("message")
        if not isinstance(message, dict):
            return []
        blocks = blocks_of(message.get("content"))
        results = [self._result(block, at) for block in blocks if is_result(block)]
        if len(results) == 1 and (delegation := delegation_of(value.get("toolUseResult"))):
            results = [replace(results[0], delegation=delegation)]
        events: list[Event] = [*results]
        text = "\n".join(text_of(block.get("text")) for block in blocks if block.get("type") == "text")
        if text.lstrip().startswith(INTERRUPTED):
            return [*events, TurnEnd(at, "interrupted")]
        if events or not_a_person(value):
            return events
        if not text.strip() and any(block.get("type") == "image" for block in blocks):
            text = "(image)"
        return self._prompt(text, at)

    def _prompt(self, text: str, at: datetime | None) -> list[Event]:
        said = spoken(text)
        if not said.text:
            return []
        self._provenance = Provenance(said.text)
        self._reads.clear()
        prompt = Prompt(at, said.text)
        return [prompt, Command(at, said.command)] if said.command else [prompt]

    def _queued(self, attachment: object, at: datetime | None) -> list[Event]:
        """A prompt that was typed while the agent worked is written as an attachment."""
        if not isinstance(attachment, dict) or attachment.get("type") != "queued_command":
            return []
        if attachment.get("commandMode") not in (None, "prompt"):
            return []
        return self._prompt(text_of(attachment.get("prompt")), at)

    def _result(self, block: dict[str, Any], at: datetime | None) -> ToolResult:
        content = block.get("content")
        parts = [text_of(part.get("text")) for part in blocks_of(content)]
        key = plain_text(block["tool_use_id"], 120)
        if key in self._reads:
            self._reads.discard(key)
            self._provenance.result("\n".join(parts))
        return ToolResult(key, at, block.get("is_error") is True, sum(map(len, parts)))


class ClaudeSession:
    """One session's main transcript: the events of its current task and what its lines say of the whole.

    `largest` is the largest request of the session, `used` the tokens in its context window (None: not known).
    """

    def __init__(self, path: Path) -> None:
        self.agent: Agent = "claude"
        self.window: int | None = None
        self.path = path
        self.session = path.stem
        self.tail = Tail(path, counting=False)
        self.version = 0
        self._reset()

    def _reset(self) -> None:
        self.parser = EventParser()
        self.task: list[Event] = []
        self.used: int | None = None
        self.model: str | None = None
        self.largest = 0
        self.exited = False

    def read(self) -> bool:
        """Read what is new. Returns whether there was anything. Raises `OSError` where the file cannot be read."""
        if not self.tail.changed():
            return False
        events = False
        started = False
        for block in self.tail.blocks():
            if self.tail.restarted and not started:
                self._reset()
            started = True
            for line in block.split(b"\n"):
                for event in self.parser.events(line):
                    self._take(event)
                    events = True
        if self.tail.restarted and not started:
            self._reset()
        self.version += 1
        return events or self.tail.restarted or started

    @property
    def cwd(self) -> str:
        """The folder of the newest line that names one."""
        return self.parser.cwd

    @property
    def branch(self) -> str | None:
        """The branch of the newest line that names one."""
        return self.parser.branch

    @property
    def last_at(self) -> datetime | None:
        """The time of the newest line."""
        return self.parser.last_at

    @property
    def unknown(self) -> int:
        """Lines of a kind that is not known."""
        return self.parser.unknown

    @property
    def problem(self) -> str:
        """What could not be read, in one line; empty where all could."""
        count = self.parser.malformed + self.tail.too_long
        return f"{self.session[:8]}: {counted(count, 'line')} could not be read" if count else ""

    def _take(self, event: Event) -> None:
        self.exited = isinstance(event, SessionExit)
        if isinstance(event, Prompt):
            self.task = []
        elif isinstance(event, ContextPoint):
            self.used, self.model = event.used, event.model or self.model
            self.largest = max(self.largest, event.used)
        elif isinstance(event, Compaction):
            self.used = event.post
        self.task.append(event)


def _system(value: dict[str, Any], at: datetime | None) -> list[Event]:
    subtype = value.get("subtype")
    if subtype == "turn_duration":
        return [TurnEnd(at, "end_turn")]
    if subtype != "compact_boundary":
        return []
    given = value.get("compactMetadata")
    tokens: dict[str, Any] = given if isinstance(given, dict) else {}
    return [Compaction(at, count(tokens.get("postTokens")) or None)]


def _claims(text: str) -> tuple[Claim, ...]:
    return tuple(replace(claim, text=plain_text(claim.text, TARGET_LENGTH)) for claim in find_claims(text))
