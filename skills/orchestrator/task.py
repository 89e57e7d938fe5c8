"""What was done in the current task, measured from its events: what phases, auto-checks and summary read."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from skills.orchestrator.events import (
    Command,
    Compaction,
    Event,
    Prompt,
    Step,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    TurnEnd,
)
from skills.orchestrator.shell import CheckKind, check_kind, status_tells
from skills.orchestrator.tool_use import ToolUse, steps_of
from skills.orchestrator.tools import DOCS_SERVER, role
from skills.record import record


@record
class CheckRun:
    """A test, lint, type or gate command. `passed` is None while it runs or where its status is hidden."""

    kind: CheckKind
    command: str
    order: int
    passed: bool | None
    finished: bool


@dataclass(slots=True)
class TaskFacts:
    """`lit` holds each phase that was proved and what first proved it; `current` is the newest event's.

    `first_change` and `last_change` are the orders of the first and last call that changed files.
    """

    prompt: str | None = None
    lit: dict[int, str] = field(default_factory=dict)
    current: int | None = None
    made: list[ToolUse] = field(default_factory=list)
    spoke_first: bool = False
    asked_first: bool = False
    commands: list[str] = field(default_factory=list)
    compacted: bool = False
    turn_end: TurnEnd | None = None
    first_change: int | None = None
    last_change: int | None = None
    _by_id: dict[str, ToolUse] = field(default_factory=dict)

    @property
    def pending(self) -> list[ToolUse]:
        """Calls that have no answer, oldest first; none once the turn is over."""
        return [] if self.turn_end else [made for made in self.made if made.result is None]

    @property
    def steps(self) -> list[list[ToolUse]]:
        """The calls by response: what stands in one list ran in parallel."""
        return steps_of(self.made)

    @property
    def loaded(self) -> list[str]:
        """Skills, slash commands and sub-agents of the task, in order."""
        tools = [made.call.target or made.call.name for made in self.made if made.role in ("skill", "agent")]
        return [*self.commands, *tools]

    @property
    def docs_server(self) -> int | None:
        """Where a documentation server was first asked."""
        return next((made.order for made in self.made if DOCS_SERVER.match(made.call.name)), None)

    def checks_since_change(self) -> list[CheckRun]:
        """The checks that began after the last change."""
        last = self.last_change
        return [_run(made) for made in self.made if made.role == "check" and (last is None or made.order > last)]


def gather_facts(events: Iterable[Event]) -> TaskFacts:
    """The facts of the task that the last prompt among the events started."""
    facts = TaskFacts()
    for event in events:
        if isinstance(event, Prompt):
            facts = TaskFacts(prompt=event.text, lit={0: "prompt"}, current=0)
        elif isinstance(event, Step):
            facts.turn_end = None
            for call in event.tools:
                _take_call(facts, event, call)
        elif isinstance(event, ToolResult):
            if made := facts._by_id.get(event.tool_use_id):
                made.result = event
        else:
            _take_other(facts, event)
    return facts


def _take_other(facts: TaskFacts, event: Event) -> None:
    if isinstance(event, Text | Thought):
        facts.turn_end = None
        if not facts.made:
            facts.spoke_first = True
            _light(facts, 1, "thought first" if isinstance(event, Thought) else "answered first")
    elif isinstance(event, Command):
        facts.commands.append(event.name)
        _light(facts, 3, f"/{event.name}")
    elif isinstance(event, Compaction):
        facts.compacted = True
    elif isinstance(event, TurnEnd):
        facts.turn_end = event
        if facts.first_change is not None and event.stop_reason not in ("interrupted", "error"):
            _light(facts, 5, "end of the turn")


def _take_call(facts: TaskFacts, step: Step, call: ToolCall) -> None:
    made = ToolUse(call, role(call), step.message_id, step.at, len(facts.made))
    if call.id in facts._by_id:  # a copied line
        return
    changed = facts.first_change is not None
    first = not facts.made
    facts.made.append(made)
    facts._by_id[call.id] = made
    if made.role == "change":
        facts.last_change = made.order
        facts.first_change = made.order if facts.first_change is None else facts.first_change
    if made.role == "ask" and first:
        facts.asked_first = True
        _light(facts, 1, "asked back")
    elif made.role == "plan" and not changed:
        _light(facts, 2, call.target or call.name)
    elif made.role in ("skill", "agent"):
        _light(facts, 3, call.target or call.name)
    elif changed and (made.role == "check" or check_kind(call.command)):
        _light(facts, 5, call.target)
    else:
        _light(facts, 4, "")


def _light(facts: TaskFacts, phase: int, evidence: str) -> None:
    facts.lit.setdefault(phase, evidence)
    facts.current = phase


def _run(made: ToolUse) -> CheckRun:
    kind = check_kind(made.call.command) or "gate"
    finished = made.result is not None and not made.call.background
    passed: bool | None = None
    if made.result is not None and made.result.failed:
        passed = False
    elif finished and status_tells(made.call.command):
        passed = True
    return CheckRun(kind, made.call.command, made.order, passed, finished)
