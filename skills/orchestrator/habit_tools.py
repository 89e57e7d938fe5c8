"""Habits around calls, each with the guards that keep legitimate work out of it: reads one by one, the web for
documentation, a context that fills, needless sub-agents (performance orchestrator)."""

import re
import statistics
from collections.abc import Iterator, Sequence
from itertools import pairwise

from skills.orchestrator.context import context_level
from skills.orchestrator.events import Compaction, ContextPoint, Event, Step, ToolResult
from skills.orchestrator.habit_models import Look, SessionRecord, Violation
from skills.orchestrator.tool_use import ToolUse, serial_runs
from skills.orchestrator.tools import DOCS_SERVER
from skills.spending.amount import percent

ADDED_SHARE = 0.05
ADDED_TOKENS = 10_000
SHORT_SECONDS = 300.0
FEW_TOOLS = 3
DEAR_TOKENS = 10_000
LONG_ANSWER = 2_000
SOON_STEPS = 3  # within which a compaction answers a full context
CHARACTERS = 4  # of a token, where only the length of a text is known

_DOCS_HOST = re.compile(
    r"://(?:docs?\.|[\w-]+\.readthedocs\.io|[^/]*(?:djangoproject|django-rest-framework|tiangolo|sqlalchemy|celeryq|"
    r"pydantic|pytest|starlette|encode)\.|www\.postgresql\.org/docs|docs\.python\.org)",
    re.IGNORECASE,
)
_NEWS = re.compile(
    r"(?<!\w)(?:cve(?:-\d+)?|vulnerab\w*|advisor(?:y|ies)|security (?:issue|release)|release (?:date|notes)|changelog|"
    r"news|announce\w*|pricing|end of life|eol|latest version|github issue)(?!\w)",
    re.IGNORECASE,
)
_EVERYDAY = frozenset(("requests", "click", "rich", "six", "black", "build", "invoke", "schedule", "packaging", "fire"))
_ALIASES = {"drf": "djangorestframework", "django rest framework": "djangorestframework", "postgres": "psycopg"}


# sequential when parallel


def sequential_tools(record: SessionRecord, uses: list[ToolUse]) -> Look:
    """Three and more single reads in a row, none of which needed what another one found."""
    if not uses:
        return Look("not_run", why="no tool was called")
    found = []
    for serial in serial_runs(uses):
        run, waiting = serial.uses, serial.wasted
        gaps = [gap for one, other in pairwise(run) if (gap := _gap(one, other)) is not None]
        trips = statistics.median(gaps) * (len(run) - 1) if gaps else None
        times = [part for part in (waiting, trips) if part is not None]
        requests = [record.requests.get(use.message_id) for use in run[1:]]
        told = [request for request in requests if request is not None]
        dollars = [request.reread_usd for request in told if request.reread_usd is not None]
        names = ", ".join(_shown(use) for use in run[:3])
        parts = [f"{len(run)} reads one after the other: {names}"]
        parts += [f"{waiting:.1f} s of waiting"] if waiting is not None else []
        parts += [f"{trips:.1f} s of round-trips"] if trips is not None else []
        found.append(
            Violation(
                "sequential-tools",
                record.session,
                run[0].line,
                run[0].at,
                "; ".join(parts),
                sum(times) if times else None,
                sum(request.reread for request in told) if told else None,
                sum(dollars) if dollars else None,
                floor=0 < len(dollars) < len(told),
            )
        )
    return Look("fail" if found else "pass", tuple(found))


def _shown(use: ToolUse) -> str:
    """A call with the last parts of the path that it names."""
    return f"{use.call.name} {'/'.join(use.call.target.split('/')[-2:])[:60]}".strip()


def _gap(one: ToolUse, other: ToolUse) -> float | None:
    if one.result is None or one.result.at is None or other.at is None:
        return None
    return max(0.0, (other.at - one.result.at).total_seconds())


# web search for documentation


def web_search_for_docs(record: SessionRecord, uses: list[ToolUse]) -> Look:
    """The web was asked for the documentation of an installed package although a documentation server was there."""
    servers = [use for use in uses if DOCS_SERVER.match(use.call.name)]
    asked = [use for use in uses if use.call.name in ("WebSearch", "WebFetch")]
    if not servers and not record.docs_listed:
        if asked and not record.servers_told:
            return Look("not_run", why="the transcript does not say which servers the agent had")
        return Look("not_applicable", why="no documentation server was there")
    usual = _median([use.seconds for use in servers])
    size = _median([float(use.result.size) for use in servers if use.result])
    found = []
    for use in asked:
        if not _about_docs(use.call.target, record.packages):
            continue
        seconds = None if use.seconds is None else max(0.0, use.seconds - (usual or 0.0))
        tokens = None if use.result is None else max(0, round((use.result.size - (size or 0.0)) / CHARACTERS))
        compared = f", the server's median is {usual:.1f} s" if usual is not None else ", the server was not asked"
        took = f"{use.seconds:.1f} s" if use.seconds is not None else "time not known"
        text = f"{use.call.name} {use.call.target}: {took}{compared}"
        usd = tokens * record.input_usd if tokens is not None and record.input_usd is not None else None
        found.append(Violation("web-search-for-docs", record.session, use.line, use.at, text, seconds, tokens, usd))
    return Look("fail" if found else "pass", tuple(found))


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _about_docs(target: str, packages: frozenset[str]) -> bool:
    if _NEWS.search(target):
        return False
    if _DOCS_HOST.search(target):
        return True
    lowered = target.lower()
    words = set(re.findall(r"[a-z][a-z0-9._-]{2,}", lowered.replace("/", " ")))
    words |= {package for alias, package in _ALIASES.items() if alias in lowered}
    named = {word.replace("_", "-").strip(".-") for word in words} & packages
    return bool(named - _EVERYDAY) or (bool(named) and bool(words & {"python", "docs", "documentation", "library"}))


# budget ignored


def budget_ignored(record: SessionRecord, uses: list[ToolUse]) -> Look:
    """A nearly full context took in a large result, or passed 95 %, with no compaction before."""
    points = list(_points(record.events))
    if not points:
        return Look("not_run", why="no request says how full the context was")
    names = {use.call.id: _shown(use) for use in uses}
    found = []
    for (_, before, _), (position, after, answers) in pairwise(points):
        if before is None or after is None:
            continue
        added = after.used - before.used - record.output_at(before)
        full = context_level(before.used, record.window) in ("alert", "critical")
        large = full and bool(answers) and added > min(ADDED_TOKENS, ADDED_SHARE * record.window)
        critical = context_level(after.used, record.window) == "critical"
        crosses = critical and context_level(before.used, record.window) != "critical"
        if not large and not crosses:
            continue
        over = added if large else after.used - round(record.window * 0.95)
        shares = f"{percent(before.used / record.window)} to {percent(after.used / record.window)}"
        cause = f" by {names.get(answers[-1], 'a result')}" if answers else ""
        soon = _compacted_soon(record.events, position)
        text = f"context from {shares}{cause}; {'compacted within 3 steps' if soon else 'no compaction followed'}"
        line = record.events[position][0]
        usd = over * record.input_usd if record.input_usd is not None else None
        found.append(Violation("budget-ignored", record.session, line, after.at, text, None, over, usd))
    return Look("fail" if found else "pass", tuple(found))


def _points(
    events: Sequence[tuple[int, Event]],
) -> Iterator[tuple[int, ContextPoint | None, list[str]]]:
    """Where the context was measured, with the answers since the point before; None marks a compaction."""
    answers: list[str] = []
    for position, (_, event) in enumerate(events):
        if isinstance(event, ToolResult):
            answers.append(event.tool_use_id)
        elif isinstance(event, Compaction):
            yield position, None, []
            answers = []
        elif isinstance(event, ContextPoint):
            yield position, event, answers
            answers = []


def _compacted_soon(events: Sequence[tuple[int, Event]], position: int) -> bool:
    steps: set[str] = set()
    for _, event in events[position + 1 :]:
        if isinstance(event, Compaction):
            return True
        if isinstance(event, Step):
            steps.add(event.message_id)
            if len(steps) > SOON_STEPS:
                return False
    return False


# over-delegation


def over_delegation(record: SessionRecord, uses: list[ToolUse]) -> Look:
    """A sub-agent alone, for a few calls that the session could have made itself."""
    launched = [use for use in uses if use.role == "agent"]
    told = 0
    found = []
    for use in launched:
        said = use.result.delegation if use.result else None
        if use.result is None or said is None or said.seconds is None or said.tools is None or said.tokens is None:
            continue
        told += 1
        small = said.seconds < SHORT_SECONDS and said.tools <= FEW_TOOLS and said.tokens > DEAR_TOKENS
        if not small or use.result.size > LONG_ANSWER * CHARACTERS or _beside_another(use, launched):
            continue
        text = f"{use.call.target or use.call.name}: {said.tools} calls in {said.seconds:.0f} s, {said.tokens} tokens"
        usd = record.delegated_usd.get(said.agent)
        found.append(
            Violation("over-delegation", record.session, use.line, use.at, text, said.seconds, said.tokens, usd)
        )
    if launched and not told:
        return Look("not_run", why="its sub-agents do not say what they took")
    return Look("fail" if found else "pass", tuple(found))


def _beside_another(use: ToolUse, launched: list[ToolUse]) -> bool:
    """Whether another sub-agent ran at the same time."""
    for other in launched:
        if other is use:
            continue
        if other.message_id == use.message_id:
            return True
        times = [(one.at, one.result.at) for one in (use, other) if one.result is not None]
        if len(times) == 2 and all(start is not None and end is not None for start, end in times):
            (start, end), (begun, over) = times
            if start is not None and end is not None and begun is not None and over is not None:
                return begun < end and start < over
    return False
