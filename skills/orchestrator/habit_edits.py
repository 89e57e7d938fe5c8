"""Habits around edits, each with the guards that keep legitimate work out of it: edits that nothing prepared, and
claims that no run backs (performance orchestrator)."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from skills.counted import counted
from skills.orchestrator.events import Command, Prompt, Text
from skills.orchestrator.habit_models import Look, SessionRecord, Violation
from skills.orchestrator.score import score_prompt
from skills.orchestrator.shell import check_kind, only_formats, reads_files
from skills.orchestrator.tool_use import ToolUse

LONG_GAP = timedelta(minutes=30)
VAGUE_BELOW = 40
_GO_ON = re.compile(
    r"\W*(?:continue|go on|go ahead|yes|ok(?:ay)?|proceed|do it|resume|thanks?|sí|si|vale|sigue|continúa|adelante|"
    r"try again|again|commit|commit it|push)(?:\W*(?:please|por favor))?\W*",
    re.IGNORECASE,
)
_PROSE = re.compile(r"\.(?:md|rst|txt|adoc)$|(?:^|/)(?:\.gitignore|LICENSE)$", re.IGNORECASE)
_SCRATCH = ("/tmp/", "/var/tmp/")
_UNDO = re.compile(r"git\s+(?:checkout\s+(?:--|[\w./-]+\s+--)|restore|reset\s+--hard|revert|stash)")
_RUNS_ELSEWHERE = re.compile(
    r"(?<!\w)gh (?:pr checks|run|workflow)|^mcp__.*(?:test|run|ci)|"
    r"(?:\./|\b(?:bash|sh|python3?) )[\w./-]*tests?[\w.-]*\.(?:sh|py)|"
    r"(?:^|[\s/])(?:bin|scripts?|tools?|dev|ci)/[\w.-]*tests?(?![\w/])|(?:^|[\s/])run[_-]?tests?(?![\w/])",
    re.IGNORECASE,
)


def no_analysis(record: SessionRecord, uses: list[ToolUse]) -> Look:
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
        many = counted(len(mutations), "change")
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
                floor=0 < len(dollars) < len(told),
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


def _unprepared(own: list[ToolUse]) -> list[ToolUse]:
    """The changes before the first question, plan or second read of a prompt."""
    reads: set[str] = set()
    changes: list[ToolUse] = []
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


def unbacked_claims(record: SessionRecord, uses: list[ToolUse]) -> Look:
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
            change = next((use for use in reversed(before) if _edits(use, record.root)), None)
            missing = _missing(before, change, claim.kind)
            key = (claim.kind, change.order if change else -1)
            if missing and key not in claimed:
                claimed.add(key)
                text = f'"{claim.text}": {missing}'
                found.append(Violation("unbacked-claim", record.session, line, event.at, text))
    if not looked and not uses:
        return Look("not_run", why="nothing was said or done in it")
    return Look("fail" if found else "pass", tuple(found))


def _edits(use: ToolUse, root: str) -> bool:
    """Whether a call changed what a check looks at: no prose, no formatting, no scratch file outside of the project."""
    if not use.changes:
        return False
    if use.call.name == "Bash":
        return not only_formats(use.call.command)
    path = use.call.target
    scratch = path.startswith(_SCRATCH) and not (root and path.startswith(f"{root}/"))
    return not scratch and not _PROSE.search(path)


def _missing(before: list[ToolUse], change: ToolUse | None, kind: str) -> str:
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


def _may_have_run(use: ToolUse, kind: str) -> bool:
    """Whether something else may have run the check: a sub-agent, a pipeline, a gate, a script."""
    if use.role == "agent" or _RUNS_ELSEWHERE.search(use.call.command or use.call.name):
        return True
    check = check_kind(use.call.command) if use.call.name == "Bash" else None
    return check == "gate" or (check is not None and kind in ("lint", "types"))
