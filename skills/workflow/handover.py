"""What one session hands to the next: one value, written as PROJECT_CONTEXT.md and as .claude/context.json.

Both are made from the value and read back into it without loss. Sections of the Markdown file that a person added stay
byte for byte where they are. Source: workflow orchestrator, end day (context).
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from skills.record import record
from skills.workflow.tasks import Item, heading_key, sections

TITLE = "Project Context"
COMPLETED = "Completed This Session"
IN_PROGRESS = "In Progress"
BLOCKERS = "Blockers"
DECISIONS = "Decisions Made"
TOMORROW = "Tomorrow's Priorities"
METRICS = "Session Metrics"
SECTIONS = (COMPLETED, IN_PROGRESS, BLOCKERS, DECISIONS, TOMORROW, METRICS)
COLUMNS = ("Task", "Branch", "Status", "Blockers")

_HEADING = re.compile(r"(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})")
_STAMP = re.compile(r"[ \t]*(Last Updated|Session Duration):(.*)$", re.IGNORECASE)
_LEADING = re.compile(r"(?:\[[ xX!~/-]\]\s*)+")
_NONE = frozenset(("none", "no blockers", "n/a", "na", "nothing", "unknown"))
_LONGEST = 500


@record
class Progress:
    """Work that is open: `extra` holds columns that a person added to the table, as (name, value)."""

    task: str
    branch: str = ""
    status: str = ""
    blockers: str = ""
    extra: tuple[tuple[str, str], ...] = ()


@record
class Metrics:
    """What the session counts; None where nobody could count. `coverage` in per cent."""

    commits: int | None = None
    files_changed: int | None = None
    tests_added: int | None = None
    coverage: float | None = None


@record
class Handover:
    """The state of the work at the end of a session. `updated` and `duration` are as they are shown."""

    updated: str = ""
    duration: str = ""
    completed: tuple[str, ...] = ()
    in_progress: tuple[Progress, ...] = ()
    blockers: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    tomorrow: tuple[str, ...] = ()
    metrics: Metrics = Metrics()


def entry(text: str) -> str:
    """A text as one entry of a list: one line, without a box before it; "" where nothing is said."""
    whole = " ".join(text.split())[:_LONGEST].rstrip()
    whole = whole[found.end() :] if (found := _LEADING.match(whole)) else whole
    says_nothing = whole.casefold().strip(" .*_()") in _NONE
    return "" if says_nothing or not any(map(str.isalnum, whole)) else whole


def entries(texts: Iterable[str]) -> tuple[str, ...]:
    """The entries of some texts, each once, in order."""
    return tuple(dict.fromkeys(found for text in texts if (found := entry(text))))


def cell(text: str) -> str:
    """A text as the cell of a table."""
    whole = " ".join(text.split())[:_LONGEST].strip()
    return "" if whole.strip("-–— ") == "" else whole


def tidy(handover: Handover) -> Handover:
    """The same with every text as an entry or a cell: what can be written and read back."""
    return replace(
        handover,
        updated=" ".join(handover.updated.split()),
        duration=" ".join(handover.duration.split()),
        completed=entries(handover.completed),
        in_progress=tuple(row for row in map(_tidy_row, handover.in_progress) if row.task),
        blockers=entries(handover.blockers),
        decisions=entries(handover.decisions),
        tomorrow=entries(handover.tomorrow),
    )


def _tidy_row(row: Progress) -> Progress:
    extra = tuple((cell(name), cell(value)) for name, value in row.extra)
    known = {name.casefold() for name in COLUMNS}
    kept = {name: value for name, value in extra if name and value and name.casefold() not in known}
    return Progress(
        entry(row.task), cell(row.branch), cell(row.status), cell(row.blockers), tuple(sorted(kept.items()))
    )


# -- Markdown --


@record
class _Block:
    """A heading (level 0: what stands before the first one) and the lines under it, with their ends."""

    level: int
    title: str
    heading: str
    body: tuple[str, ...]


def markdown(handover: Handover, before: str = "") -> str:
    """PROJECT_CONTEXT.md: `before` with its managed sections replaced, the others as they are; sections that it lacks
    are put where they belong."""
    blocks = _blocks(before)
    place = _place(blocks)
    ending = "\r\n" if "\r\n" in before and "\n" not in before.replace("\r\n", "") else "\n"
    if place is None:
        new = "".join(_heading_text(handover)) + "".join(_section(name, handover, 3) for name in SECTIONS)
        joined = before if not before or before.endswith(("\n\n", "\r\n\r\n")) else before.rstrip("\r\n") + ending * 2
        return joined + new.rstrip("\n").replace("\n", ending) + ending
    title, managed = place
    level = next((blocks[at].level for at in managed.values()), (blocks[title].level + 1) if title is not None else 2)
    parts = [block.heading + "".join(block.body) for block in blocks]
    if title is not None:
        parts[title] = blocks[title].heading + _stamped(blocks[title].body, handover, ending)
    last = title if title is not None else min(managed.values())
    for name in SECTIONS:
        text = _section(name, handover, level).replace("\n", ending)
        if (at := managed.get(name)) is not None:
            body = text.split(ending, 1)[1]
            parts[at] = _ended(blocks[at].heading, ending) + body
            last = at
        else:
            parts[last] = _spaced(parts[last], ending) + text
    return "".join(parts).rstrip("\r\n") + ending


def read_markdown(text: str) -> Handover:
    """What a PROJECT_CONTEXT.md says, however it was written; what it does not say is empty."""
    blocks = _blocks(text)
    place = _place(blocks)
    if place is None:
        return Handover()
    title, managed = place
    stamps: dict[str, str] = {}
    for line in blocks[title].body if title is not None else ():
        if found := _STAMP.match(line.rstrip("\r\n")):
            stamps[found[1].casefold()] = found[2].strip()
    items = {name: _items(blocks[at]) for name, at in managed.items()}
    return tidy(
        Handover(
            stamps.get("last updated", ""),
            stamps.get("session duration", ""),
            tuple(item.text for item in items.get(COMPLETED, ())),
            tuple(map(_progress, items.get(IN_PROGRESS, ()))),
            tuple(item.text for item in items.get(BLOCKERS, ()) if item.mark != "done"),
            tuple(item.text for item in items.get(DECISIONS, ())),
            tuple(item.text for item in items.get(TOMORROW, ()) if item.mark != "done"),
            _metrics(items.get(METRICS, ())),
        )
    )


def _blocks(text: str) -> list[_Block]:
    found: list[tuple[int, str, str, list[str]]] = [(0, "", "", [])]
    fence = ""
    for line in text.splitlines(keepends=True) if "\x0b" not in text else re.findall(r"[^\n]*\n|[^\n]+", text):
        bare = line.rstrip("\r\n")
        opened = _FENCE.match(bare)
        if opened and (not fence or opened[1].startswith(fence)):
            fence = "" if fence else opened[1]
        heading = None if fence else _HEADING.match(bare)
        if heading:
            found.append((len(heading[1]), heading[2], line, []))
        else:
            found[-1][3].append(line)
    return [_Block(level, title, heading, tuple(body)) for level, title, heading, body in found]


def _place(blocks: list[_Block]) -> tuple[int | None, dict[str, int]] | None:
    """Where the title and the managed sections stand; None where the text has neither.

    Below a title, its sections are those one level deeper, up to the next heading of its level; without one, the first
    heading of each name.
    """
    title = next(
        (at for at, block in enumerate(blocks) if heading_key(block.title) == heading_key(TITLE) and block.level), None
    )
    names = {heading_key(name): name for name in SECTIONS}
    managed: dict[str, int] = {}
    for at in range(0 if title is None else title + 1, len(blocks)):
        block = blocks[at]
        if title is not None and block.level <= blocks[title].level:
            break
        name = names.get(heading_key(block.title)) if block.level else None
        deep_enough = title is None or block.level == blocks[title].level + 1
        if name is not None and deep_enough:
            managed.setdefault(name, at)
    return None if title is None and not managed else (title, managed)


def _heading_text(handover: Handover) -> list[str]:
    return [f"## {TITLE}\n", f"Last Updated: {handover.updated}\n", f"Session Duration: {handover.duration}\n", "\n"]


def _stamped(body: tuple[str, ...], handover: Handover, ending: str) -> str:
    """The lines under the title with its two stamps brought up to date; what it lacks comes first."""
    wanted = {"last updated": handover.updated, "session duration": handover.duration}
    lines = []
    for line in body:
        found = _STAMP.match(line.rstrip("\r\n"))
        if found and found[1].casefold() in wanted:
            lines.append(f"{found[1]}: {wanted.pop(found[1].casefold())}{ending}")
        elif not found:
            lines.append(line)
    missing = [f"{name.title()}: {value}{ending}" for name, value in wanted.items()]
    if missing and lines and not lines[0].strip():
        return lines[0] + "".join(missing) + "".join(lines[1:])
    return "".join(missing) + "".join(lines)


def _section(name: str, handover: Handover, level: int) -> str:
    lines = [f"{'#' * min(6, level)} {name}", ""]
    if name == COMPLETED:
        lines += [f"- [x] {text}" for text in handover.completed]
    elif name == IN_PROGRESS:
        lines += _table(handover.in_progress)
    elif name == BLOCKERS:
        lines += [f"- [ ] {text}" for text in handover.blockers]
    elif name == DECISIONS:
        lines += [f"- {text}" for text in handover.decisions]
    elif name == TOMORROW:
        lines += [f"{number}. {text}" for number, text in enumerate(handover.tomorrow, 1)]
    else:
        lines += _metric_lines(handover.metrics)
    if len(lines) == 2:
        lines.append("- None")
    return "\n".join(lines) + "\n\n"


def _table(rows: tuple[Progress, ...]) -> list[str]:
    if not rows:
        return []
    extra = list(dict.fromkeys(name for row in rows for name, _ in row.extra))
    cells = [[*COLUMNS, *extra]]
    for row in rows:
        more = dict(row.extra)
        cells.append([row.task, row.branch, row.status, row.blockers, *(more.get(name, "") for name in extra)])
    shown = [["".join(value.replace("|", "\\|")) for value in line] for line in cells]
    lines = ["| " + " | ".join(line) + " |" for line in shown]
    return [lines[0], "|" + "---|" * len(cells[0]), *lines[1:]]


def _metric_lines(metrics: Metrics) -> list[str]:
    def said(value: float | None, unit: str = "") -> str:
        return "unknown" if value is None else f"{value:g}{unit}"

    return [
        f"- Commits: {said(metrics.commits)}",
        f"- Files Changed: {said(metrics.files_changed)}",
        f"- Tests Added: {said(metrics.tests_added)}",
        f"- Coverage: {said(metrics.coverage, '%')}",
    ]


def _metrics(items: tuple[Item, ...]) -> Metrics:
    found: dict[str, float] = {}
    for item in items:
        name, _, value = item.text.partition(":")
        if number := re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*%?\s*", value):
            found[heading_key(name)] = float(number[1])
    counts = {name: int(found[name]) if name in found else None for name in ("commits", "files changed", "tests added")}
    return Metrics(counts["commits"], counts["files changed"], counts["tests added"], found.get("coverage"))


def _items(block: _Block) -> tuple[Item, ...]:
    return tuple(item for part in sections("".join(block.body)) for item in part.items)


def _progress(item: Item) -> Progress:
    known = {name.casefold(): value for name, value in item.cells}
    if not item.cells or not any(name in known for name in ("task", "branch", "status")):
        return Progress(item.text)
    branch = known.get("branch") or known.get("branch/worktree") or known.get("worktree") or ""
    used = ("task", "branch", "branch/worktree", "worktree", "status", "blockers")
    extra = tuple((name, value) for name, value in item.cells if name.casefold() not in used)
    task = known.get("task") or branch
    return Progress(task, branch, known.get("status", ""), known.get("blockers", ""), extra)


def _ended(heading: str, ending: str) -> str:
    return heading if heading.endswith("\n") else heading + ending


def _spaced(text: str, ending: str) -> str:
    """A part that another one follows: with an empty line at its end."""
    if not text or text.endswith(ending * 2):
        return text
    return text + (ending if text.endswith(ending) else ending * 2)


# -- JSON --


def as_json(handover: Handover, before: dict[str, Any] | None = None) -> dict[str, Any]:
    """.claude/context.json: the same value; keys of others in `before` stay."""
    metrics = handover.metrics
    return {
        **(before or {}),
        "version": 1,
        "last_updated": handover.updated,
        "session_duration": handover.duration,
        "completed_tasks": list(handover.completed),
        "in_progress": [
            {
                "task": row.task,
                "branch": row.branch,
                "status": row.status,
                "blockers": row.blockers,
                **({"extra": [list(pair) for pair in row.extra]} if row.extra else {}),
            }
            for row in handover.in_progress
        ],
        "blockers": list(handover.blockers),
        "decisions": list(handover.decisions),
        "tomorrow_priorities": list(handover.tomorrow),
        "metrics": {
            "commits": metrics.commits,
            "files_changed": metrics.files_changed,
            "tests_added": metrics.tests_added,
            "coverage": metrics.coverage,
        },
    }


def read_json(document: object) -> Handover:
    """The value of a context.json. Raises `ValueError` where it has another shape."""
    if not isinstance(document, dict):
        raise ValueError("not an object")
    rows = document.get("in_progress", [])
    metrics = document.get("metrics", {})
    lists = [document.get(name, []) for name in ("completed_tasks", "blockers", "decisions", "tomorrow_priorities")]
    if not all(isinstance(one, list) for one in (rows, *lists)) or not isinstance(metrics, dict):
        raise ValueError("its lists are no lists")
    completed, blockers, decisions, tomorrow = (tuple(str(text) for text in one) for one in lists)
    return tidy(
        Handover(
            str(document.get("last_updated", "")),
            str(document.get("session_duration", "")),
            completed,
            tuple(_row(row) for row in rows),
            blockers,
            decisions,
            tomorrow,
            Metrics(*(_number(metrics.get(name)) for name in ("commits", "files_changed", "tests_added", "coverage"))),  # type: ignore[arg-type]
        )
    )


def _row(row: object) -> Progress:
    if not isinstance(row, dict):
        return Progress(str(row))
    extra = row.get("extra", [])
    pairs = tuple((str(pair[0]), str(pair[1])) for pair in extra if isinstance(pair, list) and len(pair) == 2)
    task, branch, status, blockers = (str(row.get(name) or "") for name in ("task", "branch", "status", "blockers"))
    return Progress(task, branch, status, blockers, pairs)


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
