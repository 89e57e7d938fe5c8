"""Habits that cost: five anti-patterns and unbacked claims, measured from a session (performance orchestrator).

Times are those between a call and its answer; tokens and dollars those of the requests that the habit made. What the
transcript does not tell is None.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from skills.orchestrator.events import ContextPoint, Event, Prompt, Step, ToolCall, ToolResult
from skills.orchestrator.tools import Role, role

PatternId = Literal[
    "sequential-tools", "web-search-for-docs", "no-analysis", "budget-ignored", "over-delegation", "unbacked-claim"
]
AgentName = Literal["claude", "codex", "gemini", "opencode"]
Status = Literal["pass", "fail", "not_run", "not_applicable"]
PATTERNS: tuple[PatternId, ...] = (
    "sequential-tools",
    "web-search-for-docs",
    "no-analysis",
    "budget-ignored",
    "over-delegation",
    "unbacked-claim",
)
BASIS: dict[PatternId, Literal["measured", "computed", "estimated"]] = {
    "sequential-tools": "measured",
    "web-search-for-docs": "estimated",
    "no-analysis": "measured",
    "budget-ignored": "computed",
    "over-delegation": "measured",
    "unbacked-claim": "measured",
}
"""How counts, seconds and tokens were found; where only the length of a text is known, tokens are estimated."""
MOST_EXAMPLES = 5
TOLD_SHARE = 10  # a reason is told where it holds for one session in so many


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
    transcript would say which documentation servers there are, were there any.
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


@dataclass(slots=True)
class Use:
    """A tool call with the line that tells it, the prompt that it works for, and its answer."""

    call: ToolCall
    role: Role
    message_id: str
    line: int
    at: datetime | None
    prompt: int
    order: int
    result: ToolResult | None = None

    @property
    def seconds(self) -> float | None:
        """From the call to its answer, None where a time is missing."""
        if self.result is None or self.result.at is None or self.at is None:
            return None
        return max(0.0, (self.result.at - self.at).total_seconds())

    @property
    def changes(self) -> bool:
        """Whether it changed files: an edit that failed or was refused did not, a shell line may have all the same."""
        refused = self.result is not None and self.result.failed and self.call.name != "Bash"
        return self.role == "change" and not refused


@dataclass(frozen=True, slots=True)
class Violation:
    """One case of a habit, at a line of a transcript. Seconds, tokens and dollars are what it cost."""

    pattern: PatternId
    session: str
    line: int
    at: datetime | None
    text: str
    seconds: float | None = None
    tokens: int | None = None
    usd: float | None = None
    agent: AgentName = "claude"


@dataclass(frozen=True, slots=True)
class Look:
    """What was found of one habit in a session; `status` says whether it could be looked for, `why` why not."""

    status: Status
    violations: tuple[Violation, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class HabitRow:
    """A habit over all sessions, with its most costly cases. Sums hold what is known; None: nothing is.

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


@dataclass(frozen=True, slots=True)
class Week:
    """How often each habit was seen in an ISO week, such as `2026-W47`."""

    week: str
    counts: Mapping[PatternId, int]


def session_habits(record: SessionRecord) -> dict[PatternId, Look]:
    """What one session shows of each habit."""
    from skills.orchestrator.habit_checks import CHECKS

    uses = tool_uses(record)
    looks = {pattern: CHECKS[pattern](record, uses) for pattern in PATTERNS}
    return {
        pattern: replace(look, violations=tuple(replace(one, agent=record.agent) for one in look.violations))
        for pattern, look in looks.items()
    }


def tool_uses(record: SessionRecord) -> list[Use]:
    """The tool calls of a session in order, each once, with their answers."""
    uses: dict[str, Use] = {}
    prompt = 0
    for line, event in record.events:
        if isinstance(event, Prompt):
            prompt += 1
        elif isinstance(event, Step):
            for call in event.tools:
                if call.id not in uses:
                    uses[call.id] = Use(call, role(call), event.message_id, line, event.at, prompt, len(uses))
        elif isinstance(event, ToolResult) and event.tool_use_id in uses:
            uses[event.tool_use_id].result = event
    return list(uses.values())


def steps_of(uses: Iterable[Use]) -> list[list[Use]]:
    """The calls by response: what stands in one list ran in parallel."""
    grouped: dict[str, list[Use]] = {}
    for use in uses:
        grouped.setdefault(use.message_id, []).append(use)
    return list(grouped.values())


def habit_rows(looks: Iterable[Mapping[PatternId, Look]]) -> tuple[HabitRow, ...]:
    """One row for each habit over all sessions that were looked at."""
    everything = list(looks)
    return tuple(_row(pattern, [look[pattern] for look in everything]) for pattern in PATTERNS)


def _row(pattern: PatternId, looks: list[Look]) -> HabitRow:
    found = [violation for look in looks for violation in look.violations]
    found.sort(key=lambda one: (-(one.usd or 0.0), -(one.tokens or 0), -(one.seconds or 0.0), one.session, one.line))
    seconds = [one.seconds for one in found if one.seconds is not None]
    tokens = [one.tokens for one in found if one.tokens is not None]
    dollars = [one.usd for one in found if one.usd is not None]
    status = _status([look.status for look in looks], found)
    none_found = status == "pass"
    return HabitRow(
        pattern,
        len(found),
        round(sum(seconds), 1) if seconds or none_found else None,
        sum(tokens) if tokens or none_found else None,
        round(sum(dollars), 6) if dollars or none_found else None,
        status,
        tuple(found[:MOST_EXAMPLES]),
        _why(looks),
    )


def _why(looks: list[Look]) -> str:
    reasons = Counter(look.why for look in looks if look.why and look.status in ("not_run", "not_applicable"))
    judged = any(look.status in ("pass", "fail") for look in looks)
    told = [(why, count) for why, count in reasons.most_common(3) if not judged or count * TOLD_SHARE >= len(looks)]
    return "; ".join(f"{why} ({count} of {len(looks)} sessions)" for why, count in told)


def _status(statuses: list[Status], found: list[Violation]) -> Status:
    if found:
        return "fail"
    if "pass" in statuses:
        return "pass"
    return "not_applicable" if "not_applicable" in statuses and "not_run" not in statuses else "not_run"


def weekly_trend(looks: Iterable[Mapping[PatternId, Look]]) -> tuple[Week, ...]:
    """How often each habit was seen, week by week (UTC); weeks without any are left out."""
    weeks: dict[str, dict[PatternId, int]] = {}
    for look in looks:
        for pattern, one in look.items():
            for violation in one.violations:
                if violation.at is not None:
                    year, week, _ = violation.at.isocalendar()
                    counts = weeks.setdefault(f"{year}-W{week:02}", dict.fromkeys(PATTERNS, 0))
                    counts[pattern] += 1
    return tuple(Week(week, weeks[week]) for week in sorted(weeks))


def output_of(record: SessionRecord, point: ContextPoint) -> int:
    """The output of the request that filled the context up to a point."""
    request = record.requests.get(point.message_id)
    return request.output if request else 0
