"""A session of Codex CLI, Gemini CLI or OpenCode as typed events: its current task and what it says of the whole."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from cockpit.agents.claude_prompt import LONGEST
from cockpit.agents.claude_values import COMMAND_LENGTH, TARGET_LENGTH
from cockpit.agents.models import Agent
from cockpit.agents.told import Told
from cockpit.agents.transcript import target_of
from cockpit.agents.transcript_file import TranscriptFile
from cockpit.plain_text import plain_text
from skills.counted import counted
from skills.orchestrator.claims import find_claims
from skills.orchestrator.events import (
    Compaction,
    ContextPoint,
    Event,
    Prompt,
    Step,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    TurnEnd,
)
from skills.orchestrator.provenance import Provenance
from skills.orchestrator.shell import only_reads
from skills.orchestrator.tools import role


class EventTelling:
    """What is told → events. Follows which reads needed the answer of another one.

    `by_shell`: the agent has no tool that reads, so that a shell line that does nothing else is its read.
    """

    def __init__(self, agent: Agent) -> None:
        self.by_shell = agent == "codex"
        self._provenance = Provenance()
        self._reads: set[str] = set()

    def events(self, told: Told) -> list[Event]:
        """The events that one thing makes."""
        kind, at = told.kind, told.at
        if kind == "prompt":
            text = plain_text(told.text.strip(), LONGEST, multiline=True)
            self._provenance = Provenance(text)
            return [Prompt(at, text)]
        if kind == "text":
            claims = tuple(
                replace(claim, text=plain_text(claim.text, TARGET_LENGTH)) for claim in find_claims(told.text)
            )
            return [Text(at, claims)]
        if kind == "thought":
            return [Thought(at)]
        if kind == "call":
            return [Step(at, told.step, (self._call(told),))]
        if kind == "result":
            return [self._result(told)]
        if kind == "usage" and (record := told.record) is not None:
            used = record.tokens - record.output
            return [ContextPoint(at, used, plain_text(record.model, 80), told.step)] if used else []
        if kind == "compaction":
            return [Compaction(at, told.after)]
        return [TurnEnd(at, plain_text(told.text, 40))] if kind == "end" else []

    def _call(self, told: Told) -> ToolCall:
        target = target_of(told)
        command = target[:COMMAND_LENGTH] if told.common == "Bash" else ""
        name = "Read" if self.by_shell and command and only_reads(command) else told.common
        command = command if name == told.common else ""
        call = ToolCall(plain_text(told.id, 120), name, plain_text(target, TARGET_LENGTH), command)
        arguments = " ".join(text[:2000] for text in told.given.values() if isinstance(text, str))
        if role(call) != "read":
            self._provenance.learn(arguments)
            return call
        self._reads.add(call.id)
        return replace(call, chained=self._provenance.chained(arguments))

    def _result(self, told: Told) -> ToolResult:
        key = plain_text(told.id, 120)
        if key in self._reads:
            self._reads.discard(key)
            self._provenance.result(told.text)
        return ToolResult(key, told.at, told.failed, len(told.text))


class ToldSession:
    """One session, read incrementally: the same view of it as of one of Claude Code.

    `window` is the size of the context window where the agent itself says it.
    """

    def __init__(self, file: TranscriptFile) -> None:
        self.file = file
        self.agent: Agent = file.agent
        self.path: Path = file.path
        self.session = file.session
        self.version = 0
        self._reset()

    def _reset(self) -> None:
        self.cwd = ""
        self.branch: str | None = None
        self.last_at: datetime | None = None
        self.task: list[Event] = []
        self.used: int | None = None
        self.model: str | None = None
        self.window: int | None = None
        self.largest = 0
        self.exited = False
        self._telling = EventTelling(self.agent)

    def read(self) -> bool:
        """Read what is new. Returns whether there was anything. Raises `OSError`."""
        if not self.file.changed():
            return False
        fresh = True
        for _, told in self.file.read():
            if fresh and self.file.restarted:
                self._reset()
            fresh = False
            for one in told:
                self._take(one)
        self.version += 1
        return True

    @property
    def unknown(self) -> int:
        """Lines of a kind that is not known."""
        return self.file.unknown

    @property
    def problem(self) -> str:
        """What could not be read, in one line; empty where all could."""
        count = self.file.unread
        return f"{plain_text(self.session)[:8]}: {counted(count, 'line')} could not be read" if count else ""

    def _take(self, told: Told) -> None:
        self.last_at = told.at or self.last_at
        if told.kind == "place":
            self.cwd = told.text or self.cwd
            self.branch = plain_text(told.branch, 200) or self.branch
        self.window = told.window or self.window
        for event in self._telling.events(told):
            if isinstance(event, Prompt):
                self.task = []
            elif isinstance(event, ContextPoint):
                self.used, self.model = event.used, event.model or self.model
                self.largest = max(self.largest, event.used)
            elif isinstance(event, Compaction):
                self.used = event.post or self.used
            self.task.append(event)
