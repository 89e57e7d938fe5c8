"""The state of an agent's session, as panes and commands show it."""

from collections.abc import Iterable
from dataclasses import field
from datetime import datetime
from typing import Literal

from skills.orchestrator.context import ContextLevel
from skills.orchestrator.model import Check, Phase
from skills.record import record

__all__ = [
    "AGENT_NAMES",
    "Agent",
    "Check",
    "ContextLevel",
    "ContextUse",
    "Forecast",
    "Phase",
    "Session",
    "SessionsSnapshot",
    "State",
]

Agent = Literal["claude", "codex", "gemini", "opencode"]
AGENT_NAMES: dict[Agent, str] = {
    "claude": "Claude Code",
    "codex": "Codex CLI",
    "gemini": "Gemini CLI",
    "opencode": "OpenCode",
}
State = Literal["busy", "waiting", "idle", "ended"]


@record
class ContextUse:
    """Tokens in the context window after the last main request, and where the window's size comes from."""

    used: int
    window: int
    percent: float
    level: ContextLevel
    window_source: str


@record
class Forecast:
    """Where a session's context leads, computed from its last requests; None where that is not known.

    `turns_left` counts requests until auto-compaction is due (assumed at 95 % of the window). The cache lives until
    `cache_until` if nothing is asked; the next request costs `next_usd` before that, `next_usd_cold` after it.
    """

    tokens_per_turn: float | None
    turns_left: int | None
    cache_until: datetime | None
    cache_kind: Literal["5m", "1h"] | None
    next_usd: float | None
    next_usd_cold: float | None


@record
class Session:
    """One agent session of this repository, as the phase pane and `cockpit sessions` show it.

    `usd` is what the session cost (computed from its transcript; None where a model has no known price and nothing else
    was used), at least so much where `floor`; `since` when it entered its state, `evidence` what its state was read
    from. `subagents` counts those that it ever had, `subagents_active` those that wrote within the last minute.
    `changed` are the files that its current task edited, as the transcript names them, the last one at `changed_at`.
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
    subagents_active: int = 0
    changed: tuple[str, ...] = ()
    changed_at: datetime | None = None
    forecast: Forecast | None = None
    floor: bool = False


@record
class SessionsSnapshot:
    """Every session of the repository, those that need a person first, then the most recently active.

    `note` says what a person should know (polling, for example), `unknown` how many lines were of a kind that
    this version does not know: a newer agent, perhaps.
    """

    sessions: tuple[Session, ...] = ()
    at: datetime | None = None
    problems: tuple[str, ...] = field(default=())
    note: str = ""
    unknown: int = 0


def named(agents: Iterable[Agent]) -> str:
    """The agents as a person names them, e.g. `Claude Code and Codex CLI`; empty where there are none."""
    names = [AGENT_NAMES[agent] for agent in agents]
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
