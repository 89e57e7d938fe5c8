"""Tasks and context files written by people: read tolerantly, nothing dropped, scored with reasons.

Source: workflow orchestrator, start day (context files, priority queue).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import field
from datetime import date
from typing import Literal

from skills.counted import counted
from skills.record import record

Mark = Literal["open", "done", "none"]
Priority = Literal["P0", "P1", "P2"]

# compiled, and kept, by `re` where there is a task: a morning without any does not pay for them
_HEADING = r"(#{1,6})\s+(.*?)\s*#*$"
_FENCE = r"(`{3,}|~{3,})"
_BULLET = r"(?:[-*+]|\d{1,9}[.)])\s+(?:\[([ xX!~/-]|(?=\]\s))\]\s*)?(.*)$"
_RULE = r"(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}"
_SEPARATOR = r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?$"
_PRIORITY = r"(?i)\((P[0-3])\)|\bP([0-3])\b(?=\s*:)"
_WORDS = r"(?i)\b(critical|high|low)\b(?=\s*(?::|priority))|\((critical|high|low)\)"
_DUE = r"@due\((\d{4}-\d{2}-\d{2})\)"
_DEPENDS = r"(?i)\bdepends(?:\s+on)?:\s*(#[\w./-]+(?:\s*,\s*#[\w./-]+)*)"
_ID = r"(?<![\w&/#])#([A-Za-z0-9][\w./-]*)"
_FINISHED = ("done", "completed", "finished", "notes", "archive")
_WORD_PRIORITY: dict[str, Priority] = {"critical": "P0", "high": "P1", "low": "P2"}


@record
class Item:
    """One entry of a section: a list entry (`listed`), a table row (`cells` by column name) or a line of text."""

    text: str
    mark: Mark = "none"
    urgent: bool = False
    cells: tuple[tuple[str, str], ...] = ()
    listed: bool = False

    def cell(self, *names: str) -> str:
        """The first of the named columns that this row has, else ""."""
        by_name = {name.casefold(): value for name, value in self.cells}
        return next((by_name[name] for name in names if by_name.get(name)), "")


@record
class Section:
    """A heading and what stands under it, up to the next heading."""

    title: str
    items: tuple[Item, ...]


@record
class Task:
    """A task as written. `depends` and `id` are without the `#`; `order` is its place in the file."""

    text: str
    done: bool = False
    priority: Priority | None = None
    due: date | None = None
    id: str | None = None
    depends: tuple[str, ...] = ()
    order: int = 0


@record
class Term:
    """One reason for a score, in points."""

    why: str
    points: float


@record
class Scored:
    """A task with its score from 0 to 10, the terms that make it, and the open matters that block it."""

    task: Task
    score: float
    terms: tuple[Term, ...]
    blocked_by: tuple[str, ...] = ()

    @property
    def level(self) -> Literal["high", "medium", "low"]:
        """The level of the agents' to-do lists: above 8 high, below 3 low."""
        return "high" if self.score > 8 else "low" if self.score < 3 else "medium"


@record
class Situation:
    """What a score depends on besides the task. `active` holds branch names and own commit subjects."""

    today: date
    blockers: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    age_days: dict[int, int] = field(default_factory=dict)


def sections(text: str) -> tuple[Section, ...]:
    """The sections of a Markdown text in order; what stands before the first heading has the title ""."""
    found: list[tuple[str, list[str]]] = [("", [])]
    fence = ""
    for line in text.splitlines():
        opened = re.match(_FENCE, line.strip())
        if opened and (not fence or opened[1].startswith(fence)):
            fence = "" if fence else opened[1]
        heading = None if fence else re.match(_HEADING, line)
        if heading:
            found.append((heading[2], []))
        else:
            found[-1][1].append(line)
    return tuple(Section(title, tuple(_items(lines))) for title, lines in found if title or any(map(str.strip, lines)))


def section(parsed: Iterable[Section], *names: str) -> tuple[Item, ...]:
    """Everything under headings that begin with one of `names`, whatever their case and punctuation."""
    wanted = tuple(heading_key(name) for name in names)
    return tuple(item for part in parsed if heading_key(part.title).startswith(wanted) for item in part.items)


def tasks(text: str, *, own: bool = False) -> tuple[Task, ...]:
    """The tasks of a text: entries with a box, and rows of tables with a Task column. `own`: the file holds tasks and
    nothing else, so that where it has neither, each entry of a list is one, unless it stands below what is done.
    """
    parts = sections(text)
    found = [item for part in parts for item in part.items if item.mark != "none" or item.cell("task")]
    if not found and own:
        unfinished = (part for part in parts if not heading_key(part.title).startswith(_FINISHED))
        found = [item for part in unfinished for item in part.items if item.listed]
    return tuple(task for order, item in enumerate(found) if (task := task_of(item, order)).text)


def without_box(text: str) -> int:
    """How many entries of lists are no tasks because others of the same text have boxes, or stand in a table of tasks;
    what is listed below something done is not counted."""
    parts = [part for part in sections(text) if not heading_key(part.title).startswith(_FINISHED)]
    items = [item for part in parts for item in part.items]
    if all(item.mark == "none" and not item.cell("task") for item in items):
        return 0
    return sum(item.listed and item.mark == "none" and bool(item.text) for item in items)


def task_of(item: Item, order: int = 0) -> Task:
    """Read one entry: `(P0)`, `@due(YYYY-MM-DD)`, `#id`, `depends: #id`; the rest is its text."""
    whole = item.cell("task") or item.text
    status = item.cell("status").casefold()
    depends = tuple(name for found in re.findall(_DEPENDS, whole) for name in re.findall(_ID, found))
    text = re.sub(_DEPENDS, "", whole)
    ids = re.findall(_ID, text)
    due = _date(found[1]) if (found := re.search(_DUE, text)) else None
    priority: Priority | None = "P0" if item.urgent else _priority(text) or _priority(f"({item.cell('priority')})")
    shown = re.sub(_ID, "", re.sub(_DUE, "", text) if due else text)
    shown = re.sub(r"\(P[0-3]\)", "", shown, flags=re.IGNORECASE)
    shown = " ".join(shown.split()).rstrip(" ,;")
    done = item.mark == "done" or status in ("done", "completed", "closed")
    return Task(shown or whole.strip(), done, priority, due, ids[0] if ids else None, depends, order)


def queue(found: tuple[Task, ...], situation: Situation) -> tuple[Scored, ...]:
    """The open tasks, highest score first; ties keep the order of the file. Blocked ones come last."""
    open_tasks = [task for task in found if not task.done]
    scored = [_scored(task, open_tasks, situation) for task in open_tasks]
    return tuple(sorted(scored, key=lambda entry: (bool(entry.blocked_by), -entry.score, entry.task.order)))


def _scored(task: Task, open_tasks: list[Task], situation: Situation) -> Scored:
    blocked_by = _blocked_by(task, open_tasks, situation.blockers)
    terms = [_declared(task)]
    if _unblocks(task, open_tasks, situation.blockers):
        terms.append(Term("unblocks others", 3))
    if task.due is not None:
        terms += _due(task.due, situation.today)
    if any(_names(task, text) for text in situation.active):
        terms.append(Term("in progress", 1))
    if blocked_by:
        terms.append(Term("blocked by " + ", ".join(blocked_by), -4))
    if situation.age_days.get(task.order, 0) > 14:
        terms.append(Term("older than 14 days", 0.5))
    score = min(10.0, max(0.0, sum(term.points for term in terms)))
    return Scored(task, score, tuple(terms), blocked_by)


def _declared(task: Task) -> Term:
    points = {"P0": 5, "P1": 3, None: 2, "P2": 1}
    return Term(task.priority or "no priority", points[task.priority])


def _due(due: date, today: date) -> list[Term]:
    left = (due - today).days
    if left < 0:
        return [Term(f"overdue since {due}", 3)]
    if left == 0:
        return [Term("due today", 2)]
    return [Term(f"due in {counted(left, 'day')}", 1)] if left <= 3 else []


def _blocked_by(task: Task, open_tasks: list[Task], blockers: tuple[str, ...]) -> tuple[str, ...]:
    waiting = {other.id for other in open_tasks if other.id and other is not task}
    named = {name for text in blockers for name in re.findall(_ID, text)}
    return tuple(f"#{name}" for name in task.depends if name in waiting | named)


def _unblocks(task: Task, open_tasks: list[Task], blockers: tuple[str, ...]) -> bool:
    if task.id and any(task.id in other.depends for other in open_tasks if other is not task):
        return True
    return any(_names(task, text) for text in blockers)


def _names(task: Task, text: str) -> bool:
    """Whether `text` names this task: by its id (alone or within a branch name) or by its whole text."""
    lowered = text.casefold()
    if task.id and re.search(rf"(?<![\w-]){re.escape(task.id.casefold())}(?![\w-])", lowered):
        return True
    return len(task.text) > 8 and task.text.casefold() in lowered


def _items(lines: list[str]) -> Iterator[Item]:
    header: list[str] | None = None
    for number, line in enumerate(lines):
        bare = line.strip()
        following = lines[number + 1].strip() if number + 1 < len(lines) else ""
        if not bare.startswith("|"):
            header = None
        if not bare or re.fullmatch(_RULE, bare):
            continue
        if bare.startswith("|"):
            if header is None and following.startswith("|") and re.match(_SEPARATOR, following):
                header = _cells(bare)
            elif header is None or not re.match(_SEPARATOR, bare):
                yield _row(header, bare)
        elif bullet := re.match(_BULLET, bare):
            if bullet[2] or bullet[1] is not None:
                yield Item(bullet[2].strip(), _mark(bullet[1]), bullet[1] == "!", listed=True)
        else:
            yield Item(bare)


def _row(header: list[str] | None, line: str) -> Item:
    cells = _cells(line)
    if header is None:
        return Item(" · ".join(cell for cell in cells if cell))
    named = [(header[at] if at < len(header) else "", cell) for at, cell in enumerate(cells)]
    return Item(" · ".join(cell for cell in cells if cell and cell != "-"), cells=tuple(named))


def _cells(line: str) -> list[str]:
    return [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", line.strip().removeprefix("|"))][
        : -1 if line.rstrip().endswith("|") else None
    ]


def _mark(box: str | None) -> Mark:
    return "none" if box is None else "done" if box in ("x", "X") else "open"


def _priority(text: str) -> Priority | None:
    if found := re.search(_PRIORITY, text):
        level = (found[1] or f"P{found[2]}").upper()
        return "P0" if level == "P0" else "P1" if level == "P1" else "P2"
    if found := re.search(_WORDS, text):
        return _WORD_PRIORITY[(found[1] or found[2]).casefold()]
    return None


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def heading_key(title: str) -> str:
    """What headings that differ in case and signs alone have in common."""
    return re.sub(r"[^a-z0-9 ]", "", title.casefold()).strip()
