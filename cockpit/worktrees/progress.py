"""How far the work of each worktree is: commits, changes, tests, boxes ticked, what blocks it.

Source: workflow orchestrator, progress of parallel work. Tests are never run for this: what an agent's transcript says
of its last run counts, and where there is none they are not run.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cockpit.agents.models import Session, SessionsSnapshot
from cockpit.clock import EPOCH
from cockpit.files import read_regular
from cockpit.plain_text import plain_text
from cockpit.worktrees.judgement import holders
from cockpit.worktrees.models import Worktree
from skills.workflow.tasks import section, sections, tasks
from skills.workflow.worktree_setup import TASK_FILE, Progress, progress_of

_LARGEST = 256 << 10
_NOTHING = ("", "none", "nothing", "-", "n/a")


@dataclass(frozen=True, slots=True)
class TreeProgress:
    """The progress of one worktree. `tests` is what the newest session says of its last run, `told` its words."""

    path: str
    commits: int | None
    changes: int | None
    tests: Literal["pass", "fail", "not_run"]
    told: str
    sheet: Progress
    blockers: tuple[str, ...]


def read_progress(trees: Iterable[Worktree], sessions: SessionsSnapshot) -> dict[str, TreeProgress]:
    """Progress by the path of the worktree."""
    listed = list(trees)
    newest = _newest(listed, sessions)
    return {tree.path: _progress(tree, newest.get(tree.path)) for tree in listed}


def _newest(trees: list[Worktree], sessions: SessionsSnapshot) -> dict[str, Session]:
    paths = [tree.path for tree in trees]
    found: dict[str, Session] = {}
    for session in sorted(sessions.sessions, key=lambda one: one.last_event_at or one.since or EPOCH):
        if session.cwd:
            found.update(dict.fromkeys(holders([session.cwd], paths), session))
    return found


def _progress(tree: Worktree, session: Session | None) -> TreeProgress:
    counts = tree.counts
    changes = counts.staged + counts.unstaged + counts.untracked + counts.conflicts if counts else None
    tests, told = _tests(session)
    sheet = read_sheet(Path(tree.path))
    blockers = [*sheet.blockers]
    if tree.operation:
        blockers.append(f"{tree.operation} in progress")
    if tree.clashes and tree.base and tree.clashes[0].other == tree.base:
        blockers.append(tree.clashes[0].line)
    if tree.agent is not None and tree.agent.state == "waiting":
        blockers.append(f"{tree.agent.agent} waits: {tree.agent.waiting_for or 'for you'}")
    return TreeProgress(tree.path, tree.ahead, changes, tests, told, sheet, tuple(blockers))


def _tests(session: Session | None) -> tuple[Literal["pass", "fail", "not_run"], str]:
    if session is None:
        return "not_run", "no agent session in the last 24 hours"
    last = session.summary.rpartition(" · ")[2]
    if last.startswith("tests passed"):
        return "pass", last
    if last.startswith("tests failed"):
        return "fail", last
    return "not_run", last if "test" in last else "no test run was seen"


def read_sheet(tree: Path) -> Progress:
    """What `WORKTREE_TASK.md` says; nothing where there is none."""
    try:
        text = read_regular(tree / TASK_FILE, _LARGEST).decode("utf-8", "replace")
    except OSError:
        return progress_of((), ())
    parts = sections(text)
    listed = section(parts, "Blockers", "Blocked")
    open_ones = [item.text for item in listed if item.mark != "done"]
    blocking = [plain_text(text, 160) for text in open_ones if text.casefold().strip(" .*_()") not in _NOTHING]
    about = {item.text for item in listed}
    boxes = [(plain_text(task.text, 160), task.done) for task in tasks(text) if task.text not in about]
    return progress_of(boxes, blocking)
