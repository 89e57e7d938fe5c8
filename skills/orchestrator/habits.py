"""Habits that cost: five anti-patterns and unbacked claims, measured from a session (performance orchestrator).

Times are those between a call and its answer; tokens and dollars those of the requests that the habit made. What the
transcript does not tell is None.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from skills.gates.model import Status
from skills.orchestrator.events import Prompt, Step, ToolResult
from skills.orchestrator.habit_edits import no_analysis, unbacked_claims
from skills.orchestrator.habit_models import PATTERNS, HabitRow, Look, PatternId, SessionRecord, Violation, Week
from skills.orchestrator.habit_tools import budget_ignored, over_delegation, sequential_tools, web_search_for_docs
from skills.orchestrator.tool_use import ToolUse
from skills.orchestrator.tools import role

MOST_EXAMPLES = 5
TOLD_SHARE = 10  # a reason is told where it holds for one session in so many
_CHECKS: dict[PatternId, Callable[[SessionRecord, list[ToolUse]], Look]] = {
    "sequential-tools": sequential_tools,
    "web-search-for-docs": web_search_for_docs,
    "no-analysis": no_analysis,
    "budget-ignored": budget_ignored,
    "over-delegation": over_delegation,
    "unbacked-claim": unbacked_claims,
}


def session_habits(record: SessionRecord) -> dict[PatternId, Look]:
    """What one session shows of each habit."""
    uses = tool_uses(record)
    looks = {pattern: _CHECKS[pattern](record, uses) for pattern in PATTERNS}
    return {
        pattern: replace(look, violations=tuple(replace(one, agent=record.agent) for one in look.violations))
        for pattern, look in looks.items()
    }


def tool_uses(record: SessionRecord) -> list[ToolUse]:
    """The tool calls of a session in order, each once, with their answers."""
    uses: dict[str, ToolUse] = {}
    prompt = 0
    for line, event in record.events:
        if isinstance(event, Prompt):
            prompt += 1
        elif isinstance(event, Step):
            for call in event.tools:
                if call.id not in uses:
                    uses[call.id] = ToolUse(call, role(call), event.message_id, event.at, len(uses), line, prompt)
        elif isinstance(event, ToolResult) and event.tool_use_id in uses:
            uses[event.tool_use_id].result = event
    return list(uses.values())


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
        bool(dollars) and any(one.floor or one.usd is None for one in found),
    )


def _why(looks: list[Look]) -> str:
    if not looks:
        return "there is no session of an agent to look at"
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
