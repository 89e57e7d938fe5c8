"""The reports of a working day as values and as Markdown.

Source: workflow orchestrator, start day and end day. All text in the values is already plain; what could not be
found out is None and is said to be unknown, never shown as zero.
"""

import re
from datetime import datetime
from typing import Any

from skills.record import record
from skills.spending.amount import Amount
from skills.workflow.tasks import Item, Scored

CONTEXT_FILES = (
    "PROJECT_CONTEXT.md",
    "CLAUDE.md",
    "TASK.md",
    "PLANNING.md",
    "Backlog.md",
    ".taskmaster/docs/prd.txt",
)
PROJECT_MARKERS = (
    ("package.json", "node"),
    ("pyproject.toml", "python"),
    ("setup.py", "python"),
    ("setup.cfg", "python"),
    ("requirements.txt", "python"),
    ("manage.py", "python"),
    ("Cargo.toml", "rust"),
    ("go.mod", "go"),
)
MEMORY_WARN_GB = 6.0


@record
class GitState:
    """Where the work tree stands. `ahead` and `behind` are against the upstream, None where there is none."""

    branch: str | None
    default_branch: str | None
    staged: int
    unstaged: int
    untracked: int
    conflicts: int = 0
    upstream: str | None = None
    ahead: int | None = None
    behind: int | None = None
    last: str | None = None
    recent: tuple[str, ...] = ()


@record
class WorktreeLine:
    """One worktree in a report, every field as it is shown."""

    name: str
    branch: str
    state: str
    ports: str
    agent: str
    advice: str


@record
class ModelCost:
    """Dollars of one model; `unpriced_tokens` are not in them. `floor`: at least so many."""

    model: str
    usd: float
    unpriced_tokens: int = 0
    floor: bool = False


@record
class Money:
    """Dollars today and this month; a limit is None where there is none. `floor`: at least this much.

    `task_average` is the mean of this month's features, None where none has a cost."""

    today: float
    month: float
    day_limit: float | None
    month_limit: float | None
    day_level: str = "ok"
    month_level: str = "ok"
    floor: bool = False
    unpriced_tokens: int = 0
    task_average: float | None = None


@record
class Since:
    """What happened since the last session ended (or began, or since a day ago where none is known).

    `commits` on any branch, newest first; `spent` is None where costs could not be read; `sessions` counts the
    agents' sessions that were active.
    """

    moment: datetime
    what: str
    commits: tuple[str, ...] | None
    spent: Amount | None
    sessions: int | None


@record
class Waiting:
    """A session that waits for the person."""

    where: str
    what: str
    minutes: int | None


@record
class Resources:
    """`worktrees` without the main one; None where unknown. `ports` is the next free pair."""

    worktrees: int | None
    max_worktrees: int
    ports: tuple[int, int] | None
    free_gb: float | None


@record
class StartReport:
    """What a person needs to begin the day. `context_file` is the first one found, None where there is none.

    `agents` and `files` go with `queue`: who does a task, and the files that its text names. `observers` counts open
    blockers of an observer team, None where there is none."""

    project: str
    types: tuple[str, ...]
    started: datetime
    git: GitState | None
    context_file: str | None
    completed: tuple[str, ...]
    in_progress: tuple[Item, ...]
    blockers: tuple[str, ...]
    planned: tuple[str, ...]
    queue: tuple[Scored, ...]
    worktrees: tuple[WorktreeLine, ...] | None
    waiting: tuple[Waiting, ...]
    money: Money | None
    resources: Resources
    preflight: tuple[str, ...]
    notes: tuple[str, ...] = ()
    context_files: tuple[str, ...] = ()
    since: Since | None = None
    agents: tuple[str, ...] = ()
    files: tuple[tuple[str, ...], ...] = ()
    observers: int | None = None
    show_costs: bool = True


@record
class EndReport:
    """What the day left behind: this author's commits of today, work that is not safe yet, money, open P0s.

    `branch` is as shown; `unsafe` are (worktree, what is at stake). None means that it could not be looked at.
    `remote`: there is one that could be pushed to. `sections` are what the steps of the end of day came to, as
    (heading, lines); `removable` are worktrees that could go, with why.
    """

    project: str
    branch: str
    ended: datetime
    author: str | None
    commits: tuple[str, ...] | None
    unsafe: tuple[tuple[str, str], ...] | None
    waiting: tuple[Waiting, ...]
    money: Money | None
    costs: tuple[ModelCost, ...] | None
    open_p0: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    remote: bool = True
    sections: tuple[tuple[str, tuple[str, ...]], ...] = ()
    removable: tuple[tuple[str, str], ...] = ()


def types_of(names: frozenset[str]) -> tuple[str, ...]:
    """The project's types by the files in its root, all that match, the first one being the primary one."""
    return tuple(dict.fromkeys(kind for marker, kind in PROJECT_MARKERS if marker in names))


def preflight(names: frozenset[str]) -> tuple[str, ...]:
    """What is still to be done before work can begin, by the names in the project's root."""
    hints = []
    if "package.json" in names and "node_modules" not in names:
        hints.append("Run npm install")
    if "requirements.txt" in names and not names & {".venv", "venv"}:
        hints.append("Run pip install")
    if ".env.example" in names and ".env" not in names:
        hints.append("Copy .env.example to .env")
    return tuple(hints)


def todos(queue: tuple[Scored, ...], known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The to-do list with the queue in it: entries of other origin and finished ones stay as they are.

    Entries of an earlier day that are still open give way; a task that is listed already keeps its entry and gets its
    new priority.
    """
    wanted = {entry.task.text: entry for entry in queue if not entry.blocked_by}
    kept: list[dict[str, Any]] = []
    for row in known:
        own = str(row.get("id", "")).startswith("day-")
        if own and row.get("status") == "pending" and row.get("content") not in wanted:
            continue
        task = wanted.pop(str(row.get("content")), None)
        kept.append({**row, "priority": task.level} if task is not None and row.get("status") == "pending" else row)
    taken = [int(found[1]) for row in kept if (found := re.fullmatch(r"day-(\d{1,9})", str(row.get("id", ""))))]
    number = max(taken, default=0)
    for text, entry in wanted.items():
        number += 1
        kept.append({"id": f"day-{number}", "content": text, "status": "pending", "priority": entry.level})
    return kept


def named_files(text: str, names: frozenset[str]) -> tuple[str, ...]:
    """The files that a task's text names, of those that exist, in the order of the text."""
    words = [word.rstrip(".").removeprefix("./") for word in re.findall(r"[\w./-]+", text)]
    return tuple(dict.fromkeys(word for word in words if word in names))
