"""The detectors of the habits, each with the guards that keep legitimate work out of it (performance orchestrator)."""

import re
import statistics
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from skills.orchestrator.context import context_level
from skills.orchestrator.events import Command, Compaction, ContextPoint, Event, Prompt, Step, Text, ToolResult
from skills.orchestrator.habits import Look, PatternId, SessionRecord, Use, Violation, output_of, steps_of
from skills.orchestrator.score import score_prompt
from skills.orchestrator.shell import check_kind, only_formats, reads_files

LEAST_RUN = 3
LONG_GAP = timedelta(minutes=30)
VAGUE_BELOW = 40
ADDED_SHARE = 0.05
ADDED_TOKENS = 10_000
SHORT_SECONDS = 300.0
FEW_TOOLS = 3
DEAR_TOKENS = 10_000
LONG_ANSWER = 2_000
CHARACTERS = 4  # of a token, where only the length of a text is known

_DOCS_SERVER = re.compile(
    r"mcp__.*(?:context7|docs|documentation|deepwiki)|(?:context7|[\w-]*docs|deepwiki)_+\w|resolve-library-id|"
    r"(?:get|query)-library-docs|query-docs$",
    re.IGNORECASE,
)
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
_GO_ON = re.compile(
    r"\W*(?:continue|go on|go ahead|yes|ok(?:ay)?|proceed|do it|resume|thanks?|sí|si|vale|sigue|continúa|adelante|"
    r"try again|again|commit|commit it|push)\W*(?:please|por favor)?\W*",
    re.IGNORECASE,
)
_PROSE = re.compile(r"\.(?:md|rst|txt|adoc)$|(?:^|/)(?:\.gitignore|LICENSE)$|^/tmp/|^/var/tmp/", re.IGNORECASE)
_UNDO = re.compile(r"git\s+(?:checkout\s+(?:--|[\w./-]+\s+--)|restore|reset\s+--hard|revert|stash)")
_RUNS_ELSEWHERE = re.compile(
    r"(?<!\w)gh (?:pr checks|run|workflow)|^mcp__.*(?:test|run|ci)|"
    r"(?:\./|\b(?:bash|sh|python3?) )[\w./-]*tests?[\w.-]*\.(?:sh|py)",
    re.IGNORECASE,
)


# sequential when parallel


def sequential_tools(record: SessionRecord, uses: list[Use]) -> Look:
    """Three and more single reads in a row, none of which needed what another one found."""
    if not uses:
        return Look("not_run", why="no tool was called")
    found = []
    for run in _serial_runs(uses):
        waits = [use.seconds for use in run]
        known = [seconds for seconds in waits if seconds is not None]
        waiting = sum(known) - max(known) if len(known) == len(waits) else None
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
            )
        )
    return Look("fail" if found else "pass", tuple(found))


def _serial_runs(uses: list[Use]) -> Iterator[list[Use]]:
    held: list[Use] = []
    for step in [*steps_of(uses), []]:
        single = len(step) == 1 and step[0].role == "read" and step[0].result is not None
        if single and (not held or (not step[0].call.chained and step[0].prompt == held[0].prompt)):
            held.append(step[0])
            continue
        if len(held) >= LEAST_RUN:
            yield held
        held = [step[0]] if single else []


def _shown(use: Use) -> str:
    """A call with the last parts of the path that it names."""
    return f"{use.call.name} {'/'.join(use.call.target.split('/')[-2:])[:60]}".strip()


def _gap(one: Use, other: Use) -> float | None:
    if one.result is None or one.result.at is None or other.at is None:
        return None
    return max(0.0, (other.at - one.result.at).total_seconds())


# web search for documentation


def web_search_for_docs(record: SessionRecord, uses: list[Use]) -> Look:
    """The web was asked for the documentation of an installed package although a documentation server was there."""
    servers = [use for use in uses if _DOCS_SERVER.match(use.call.name)]
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


# executing without analysis


def no_analysis(record: SessionRecord, uses: list[Use]) -> Look:
    """A vague prompt starts a task, and files change before anything was asked, planned or read twice."""
    tasks = list(_tasks(record))
    if not tasks:
        return Look("not_run", why="no task begins in it")
    found = []
    for line, prompt, number in tasks:
        score = score_prompt(prompt.text).score
        own = [use for use in uses if use.prompt == number]
        mutations = _unprepared(own) if score < VAGUE_BELOW else []
        if not mutations:
            continue
        told = [request for use in mutations if (request := record.requests.get(use.message_id)) is not None]
        dollars = [request.usd for request in told if request.usd is not None]
        waits = [use.seconds for use in mutations if use.seconds is not None]
        undone = any(use.call.name == "Bash" and _UNDO.search(use.call.command) for use in own)
        many = f"{len(mutations)} change{'s' * (len(mutations) != 1)}"
        text = f'"{prompt.text[:60]}" scores {score}: {many} before anything was read or asked'
        found.append(
            Violation(
                "no-analysis",
                record.session,
                line,
                prompt.at,
                " ".join(text.split()) + (", undone later" if undone else ""),
                sum(waits) if waits else None,
                sum(request.tokens for request in told) if told else None,
                sum(dollars) if dollars else None,
            )
        )
    return Look("fail" if found else "pass", tuple(found))


def _tasks(record: SessionRecord) -> Iterator[tuple[int, Prompt, int]]:
    """Prompts that start a task, with their line and number: others inherit the context of the one before."""
    number, last_line = 0, 0
    last: datetime | None = None
    for position, (line, event) in enumerate(record.events):
        if isinstance(event, Prompt):
            number += 1
            cleared = any(last_line <= at < line for at in record.cleared)
            rested = last is not None and event.at is not None and event.at - last > LONG_GAP
            following = record.events[position + 1][1] if position + 1 < len(record.events) else None
            commanded = isinstance(following, Command)
            starts = number == 1 or cleared or rested
            if starts and not commanded and not _GO_ON.fullmatch(event.text.strip()):
                yield line, event, number
            last_line = line
        last = event.at or last


def _unprepared(own: list[Use]) -> list[Use]:
    """The changes before the first question, plan or second read of a prompt."""
    reads: set[str] = set()
    changes: list[Use] = []
    for use in own:
        if use.role in ("ask", "plan", "skill", "agent"):
            break
        if use.changes:
            changes.append(use)
        elif use.role in ("read", "check") or (use.call.name == "Bash" and reads_files(use.call.command)):
            if changes or len(reads | {use.message_id}) >= 2:
                break
            reads.add(use.message_id)
    return changes


# budget ignored


def budget_ignored(record: SessionRecord, uses: list[Use]) -> Look:
    """A nearly full context took in a large result, or passed 95 %, with no compaction before."""
    points = list(_points(record.events))
    if not points:
        return Look("not_run", why="no request says how full the context was")
    names = {use.call.id: _shown(use) for use in uses}
    found = []
    for (_, before, _), (position, after, answers) in pairwise(points):
        if before is None or after is None:
            continue
        added = after.used - before.used - output_of(record, before)
        full = context_level(before.used, record.window) in ("alert", "critical")
        large = full and bool(answers) and added > min(ADDED_TOKENS, ADDED_SHARE * record.window)
        critical = context_level(after.used, record.window) == "critical"
        crosses = critical and context_level(before.used, record.window) != "critical"
        if not large and not crosses:
            continue
        over = added if large else after.used - round(record.window * 0.95)
        shares = f"{before.used / record.window:.0%} to {after.used / record.window:.0%}"
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
            if len(steps) > LEAST_RUN:
                return False
    return False


# over-delegation


def over_delegation(record: SessionRecord, uses: list[Use]) -> Look:
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


def _beside_another(use: Use, launched: list[Use]) -> bool:
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


# unbacked claims


def unbacked_claims(record: SessionRecord, uses: list[Use]) -> Look:
    """The agent says that a check passes, and no run of it since the last edit says so."""
    found: list[Violation] = []
    claimed: set[tuple[str, int]] = set()
    looked = False
    for line, event in record.events:
        if not isinstance(event, Text):
            continue
        for claim in event.claims:
            looked = True
            before = [use for use in uses if use.line <= line]
            change = next((use for use in reversed(before) if _edits(use)), None)
            missing = _missing(before, change, claim.kind)
            key = (claim.kind, change.order if change else -1)
            if missing and key not in claimed:
                claimed.add(key)
                text = f'"{claim.text}": {missing}'
                found.append(Violation("unbacked-claim", record.session, line, event.at, text))
    if not looked and not uses:
        return Look("not_run", why="nothing was said or done in it")
    return Look("fail" if found else "pass", tuple(found))


def _edits(use: Use) -> bool:
    """Whether a call changed what a check looks at: no prose, no formatting, nothing outside of the project."""
    if not use.changes:
        return False
    return not only_formats(use.call.command) if use.call.name == "Bash" else not _PROSE.search(use.call.target)


def _missing(before: list[Use], change: Use | None, kind: str) -> str:
    """What the claim lacks, empty where it is backed or where that cannot be known."""
    since = [use for use in before if change is None or use.order > change.order]
    runs = [use for use in since if use.call.name == "Bash" and check_kind(use.call.command) == kind]
    if not runs and any(_may_have_run(use, kind) for use in since):
        return ""
    if runs:
        last = runs[-1]
        failed = last.result is not None and last.result.failed and not last.call.background
        return f"the last run failed (line {last.line})" if failed else ""
    if change is None:
        return f"no {_WORDS[kind]} ran in this session" if before else ""
    return f"no {_WORDS[kind]} ran since the last edit (line {change.line}: {change.call.target})"


_WORDS = {"test": "test", "lint": "linter", "types": "type check"}


def _may_have_run(use: Use, kind: str) -> bool:
    """Whether something else may have run the check: a sub-agent, a pipeline, a gate, a script."""
    if use.role == "agent" or _RUNS_ELSEWHERE.search(use.call.command or use.call.name):
        return True
    check = check_kind(use.call.command) if use.call.name == "Bash" else None
    return check == "gate" or (check is not None and kind in ("lint", "types"))


CHECKS: dict[PatternId, Callable[[SessionRecord, list[Use]], Look]] = {
    "sequential-tools": sequential_tools,
    "web-search-for-docs": web_search_for_docs,
    "no-analysis": no_analysis,
    "budget-ignored": budget_ignored,
    "over-delegation": over_delegation,
    "unbacked-claim": unbacked_claims,
}
