"""What every agent's transcript is turned into: prompts, steps, usage, and the state of a session."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Agent = Literal["claude", "codex", "gemini", "opencode"]
State = Literal["busy", "waiting", "idle", "ended"]
ContextLevel = Literal["safe", "warn", "alert", "critical"]


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One tool call. `target` is its main argument in one line (a path, a command, a query), already plain text."""

    id: str
    name: str
    target: str
    answered_at: datetime | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class ContextUse:
    """Tokens in the context window after the last main request, and where the window's size comes from."""

    used: int
    window: int
    percent: float
    level: ContextLevel
    window_source: str


@dataclass(frozen=True, slots=True)
class Check:
    """One auto-check of a phase: True it holds, False it does not, None it cannot be known (`[x] [ ] [?]`)."""

    text: str
    holds: bool | None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Phase:
    """One of the six phases of a task and what proves it."""

    number: int
    name: str
    status: Literal["done", "current", "skipped", "pending"]
    evidence: str = ""
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Session:
    """One agent session of this repository, as the phase pane and `cockpit sessions` show it.

    `usd` is what the session cost (computed from its transcript; None where a model has no known price and nothing else
    was used), `since` when it entered its state, `evidence` what its state was read from.
    """

    agent: Agent
    session: str
    cwd: str
    branch: str | None
    state: State
    waiting_for: str | None
    since: datetime | None
    phase: int
    phase_name: str
    phases: tuple[Phase, ...]
    context: ContextUse | None
    usd: float | None
    prompt: str
    evidence: str
    model: str | None = None
    pid: int | None = None
    last_event_at: datetime | None = None
    subagents: int = 0
    summary: str = ""


@dataclass(frozen=True, slots=True)
class SessionsSnapshot:
    """Every session of the repository, those that need a person first, then the most recently active."""

    sessions: tuple[Session, ...] = ()
    at: datetime | None = None
    problems: tuple[str, ...] = field(default=())
