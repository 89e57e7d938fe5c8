"""Habits that cost: what they are called, one session as it was read, and what was found in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from skills.gates.model import Status
from skills.orchestrator.events import ContextPoint, Event

PatternId = Literal[
    "sequential-tools", "web-search-for-docs", "no-analysis", "budget-ignored", "over-delegation", "unbacked-claim"
]
AgentName = Literal["claude", "codex", "gemini", "opencode"]
PATTERNS: tuple[PatternId, ...] = (
    "sequential-tools",
    "web-search-for-docs",
    "no-analysis",
    "budget-ignored",
    "over-delegation",
    "unbacked-claim",
)
PATTERN_NAMES: dict[PatternId, str] = {
    "sequential-tools": "reads one by one",
    "web-search-for-docs": "web before docs server",
    "no-analysis": "edits before analysis",
    "budget-ignored": "context overfilled",
    "over-delegation": "needless sub-agents",
    "unbacked-claim": "claims without a run",
}
BASIS: dict[PatternId, Literal["measured", "computed", "estimated"]] = {
    "sequential-tools": "measured",
    "web-search-for-docs": "estimated",
    "no-analysis": "measured",
    "budget-ignored": "computed",
    "over-delegation": "measured",
    "unbacked-claim": "measured",
}
"""How counts, seconds and tokens were found; where only the length of a text is known, tokens are estimated."""


@dataclass(frozen=True, slots=True)
class Request:
    """What one response used: tokens of all kinds, of them `output` and what was only read again (`reread`).

    Dollars are None where the model has no known price.
    """

    tokens: int
    output: int
    reread: int
    usd: float | None
    reread_usd: float | None


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One session as it was read: events with the line that tells each, and what its requests used.

    `cleared` are lines after which the context was empty again, `window` the size of the context window in tokens.
    `packages` are those that the project depends on, `docs_listed`: a documentation server was offered, called or not.
    `input_usd` is the price of one token of input, `delegated_usd` what each sub-agent cost. `servers_told`: the
    transcript would say which documentation servers there are, were there any. `root` is the folder of the project, ""
    where it is not known.
    """

    session: str
    events: tuple[tuple[int, Event], ...]
    requests: Mapping[str, Request] = field(default_factory=dict)
    window: int = 200_000
    cleared: frozenset[int] = frozenset()
    packages: frozenset[str] = frozenset()
    docs_listed: bool = False
    input_usd: float | None = None
    delegated_usd: Mapping[str, float] = field(default_factory=dict)
    agent: AgentName = "claude"
    servers_told: bool = True
    root: str = ""

    def output_at(self, point: ContextPoint) -> int:
        """The tokens of output of the request that filled the context up to a point, 0 where it is not known."""
        request = self.requests.get(point.message_id)
        return request.output if request else 0


@dataclass(frozen=True, slots=True)
class Violation:
    """One case of a habit, at a line of a transcript. Seconds, tokens and dollars are what it cost; `floor`: at least
    so many dollars, as some of its calls have no known price."""

    pattern: PatternId
    session: str
    line: int
    at: datetime | None
    text: str
    seconds: float | None = None
    tokens: int | None = None
    usd: float | None = None
    agent: AgentName = "claude"
    floor: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What was found of one habit in a session; `status` says whether it could be looked for, `why` why not."""

    status: Status
    violations: tuple[Violation, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class HabitRow:
    """A habit over all sessions, with its most costly cases. Sums hold what is known; None: nothing is.
    `floor`: at least so many dollars, as not every case tells what it cost.

    `why` says of the sessions in which nobody could look why that was, the most common reason first; a reason of few
    is left out where others could be judged.
    """

    id: PatternId
    count: int
    seconds: float | None
    tokens: int | None
    usd: float | None
    status: Status
    examples: tuple[Violation, ...]
    why: str = ""
    floor: bool = False


@dataclass(frozen=True, slots=True)
class Week:
    """How often each habit was seen in an ISO week, such as `2026-W47`."""

    week: str
    counts: Mapping[PatternId, int]
