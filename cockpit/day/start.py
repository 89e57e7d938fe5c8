"""Start day: everything is read side by side; the session's beginning is noted, to-dos are written where a person
wants them, and nothing else is.

Source: workflow orchestrator, start day and priority queue.
"""

import contextlib
import json
import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from cockpit import clock
from cockpit.agents.models import SessionsSnapshot
from cockpit.config import Config
from cockpit.day.context import Context, read_context
from cockpit.day.gather import (
    Costs,
    everywhere,
    guarded,
    money_of,
    names_in,
    resources_of,
    spend_notes,
    waiting_of,
    with_agents,
    worktree_line,
)
from cockpit.day.git_state import commits_since, read_git_state
from cockpit.day.queue import agents_of, files_of, own_commits, situation_of, task_ages
from cockpit.day.record import DayRecord, begun, read_record, write_record
from cockpit.day.todos import write_todos
from cockpit.errors import CannotAnswer
from cockpit.files import read_regular
from cockpit.git_command import GitFailed, git
from cockpit.paths import claude_folders
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from cockpit.worktrees.models import WorktreesSnapshot
from skills.counted import counted
from skills.record import record
from skills.workflow.day import GitState, Resources, Since, StartReport, preflight, types_of
from skills.workflow.steps import Step, StepStatus
from skills.workflow.tasks import Scored, queue

Answer = TypeVar("Answer")
Tell = Callable[[Step], None]

STEPS = ("git", "context", "worktrees", "agents", "costs", "since", "queue", "resources", "todos", "session")
TODOS = ".claude/todos.json"
_OBSERVERS = ".claude/OBSERVER_ALERTS.md"


@record
class Started:
    """The report, what each step came to, and the files that were written."""

    report: StartReport
    steps: tuple[Step, ...]
    files: tuple[Path, ...]


@record
class _Read:
    """What was read; None where it could not be. `begins` is the record of this session, `written` its writing."""

    context: Context
    git: GitState | None
    trees: WorktreesSnapshot | None
    live: SessionsSnapshot | None
    spent: Costs | None
    since: Since
    queue: tuple[Scored, ...]
    preferences: dict[str, Any]
    begins: DayRecord
    written: "Future[Path] | None"


def start_day(
    repository: Repository,
    config: Config,
    *,
    tell: Tell | None = None,
    write: bool = True,
    reading: "Future[WorktreesSnapshot] | None" = None,
    ending: bool = False,
) -> Started:
    """What a person needs to begin the day. What could not be read is None in the report and named in its notes.

    `reading` is that of the worktrees, where it was begun before; `ending`: this process ends with the report.
    """
    return _StartDay(repository, config, tell or (lambda _: None), write, reading, ending).run()


class _StartDay:
    def __init__(
        self,
        repository: Repository,
        config: Config,
        tell: Tell,
        write: bool,
        reading: "Future[WorktreesSnapshot] | None",
        ending: bool,
    ) -> None:
        self.repository, self.config, self.write, self.reading = repository, config, write, reading
        self.ending = ending
        self.now = clock.now()
        self.notes: list[str] = []
        self.steps: dict[str, Step] = {}
        self.files: list[Path] = []
        self._tell = tell

    def run(self) -> Started:
        for name in STEPS:
            self._tell(Step(name, "running"))
        before = read_record(self.repository, self.now)
        read = self._read(before)
        self._done("queue", "pass" if read.queue else "not_applicable", counted(len(read.queue), "open task"))
        held = resources_of(read.trees, self.config)
        if held.worktrees is None:
            self._done("resources", "not_run", "the worktrees could not be read")
        else:
            self._done("resources", "pass", f"{held.worktrees}/{held.max_worktrees} worktrees")
        self._todos(read.queue, read.preferences)
        self._session(before, read)
        self.notes[:0] = read.context.notes
        if read.trees is not None and read.trees.note:
            self.notes.append(read.trees.note)
        report = self._report(read, held)
        if read.spent:
            read.spent.close(at_once=self.ending)
        return Started(report, tuple(self.steps[name] for name in STEPS), tuple(self.files))

    def _read(self, before: DayRecord) -> _Read:
        """Everything side by side; what only another answer makes necessary waits for that one alone."""
        root = self.repository.root
        moment, named = _since_when(before, self.now)
        with ThreadPoolExecutor(8) as pool:
            trees, sessions = everywhere(pool, self.repository, self.config, self.reading)
            state = pool.submit(read_git_state, root, None, self.now)
            commits = pool.submit(commits_since, root, moment, None, self.now)
            context = pool.submit(read_context, root)
            # what only the queue wants is not asked where there is none
            mine = pool.submit(lambda: own_commits(root, self.now) if context.result().tasks else ())
            ages = pool.submit(task_ages, root, self.now)
            costs = pool.submit(Costs, self.repository, self.config)
            preferences = pool.submit(_preferences)
            said = context.result()
            git_state = self._step("git", state.result, "git")
            self._done("context", "pass" if said.file else "not_applicable", said.file or "no context file")
            seen = self._step("worktrees", trees.result, "worktrees")
            live = self._step("agents", sessions.result, "sessions")
            if git_state is not None and seen is not None:
                git_state = replace(git_state, default_branch=seen.default_branch)
            begins = begun(before, self.now, _head(root, seen))
            # to put it safely on the disk takes as long as a git command: meanwhile the rest is read
            written = pool.submit(write_record, self.repository, replace(begins, note="")) if self.write else None
            spent = self._step("costs", costs.result, "costs")
            made = self._step("since", commits.result, "history")
            cost = spent.since(moment) if spent else None
            joined = with_agents(seen, live)
            situation = situation_of(said.blockers, joined, mine.result(), self.now, said, ages.result())
            return _Read(
                context=said,
                git=git_state,
                trees=joined,
                live=live,
                spent=spent,
                since=Since(moment, named, made, cost, _active(live, moment)),
                queue=queue(said.tasks, situation),
                preferences=preferences.result(),
                begins=begins,
                written=written,
            )

    def _report(self, read: _Read, held: Resources) -> StartReport:
        root, said, spent = self.repository.root, read.context, read.spent
        names = names_in(root)
        return StartReport(
            project=plain_text(self.repository.name, 80),
            types=types_of(names),
            started=self.now.astimezone(),
            git=read.git,
            context_file=said.file,
            completed=tuple(item.text for item in said.items("completed", "done")),
            in_progress=tuple(item for item in said.items("in progress") if item.mark != "done"),
            blockers=(*said.blockers, *_blocked(read.queue)),
            planned=tuple(item.text for item in said.items("tomorrow", "next steps") if item.mark != "done"),
            queue=read.queue,
            worktrees=None if read.trees is None else tuple(worktree_line(tree) for tree in read.trees.worktrees),
            waiting=waiting_of(read.live, self.now),
            money=money_of(spent.snapshot, _average(spent, self.now)) if spent else None,
            resources=held,
            preflight=preflight(names),
            notes=(*self.notes, *(spend_notes(spent.snapshot) if spent else ())),
            context_files=said.files,
            since=read.since,
            agents=agents_of(root, read.queue, names),
            files=files_of(root, read.queue),
            observers=_observers(root),
            show_costs=read.preferences.get("show_costs") is not False,
        )

    def _done(self, name: str, status: StepStatus, detail: str) -> None:
        self.steps[name] = Step(name, status, plain_text(detail, 200))
        self._tell(self.steps[name])

    def _step(self, name: str, read: Callable[[], Answer], what: str) -> Answer | None:
        before = len(self.notes)
        answer = guarded(read, what, self.notes)
        if answer is None:
            self._done(name, "not_run", self.notes[-1] if len(self.notes) > before else "")
        else:
            self._done(name, "pass", _said(answer))
        return answer

    def _todos(self, scored: tuple[Scored, ...], preferences: dict[str, Any]) -> None:
        """Write the to-do list where the configuration, or the person's preferences, say so."""
        place = self.config.day.todos or (TODOS if preferences.get("auto_create_todos") is True else "")
        if not place or not self.write:
            self._done("todos", "not_applicable", "nobody asked for them: [day] todos names a file")
            return
        try:
            path = write_todos(self.repository.root, place, scored)
        except CannotAnswer as problem:
            self.notes.append(str(problem))
            self._done("todos", "not_run", str(problem))
            return
        self.files.append(path)
        self._done("todos", "pass", place)

    def _session(self, before: DayRecord, read: _Read) -> None:
        if before.note:
            self.notes.append(before.note)
        if read.written is None:
            self._done("session", "not_applicable", "nothing is written")
            return
        try:
            self.files.append(read.written.result())
        except CannotAnswer as problem:
            self.notes.append(str(problem))
            self._done("session", "not_run", str(problem))
            return
        since = read.begins.started or self.now
        self._done("session", "pass", f"since {since.astimezone():%Y-%m-%d %H:%M}")


def _since_when(record: DayRecord, now: datetime) -> tuple[datetime, str]:
    """From when on things are new, and how that is called."""
    goes_on = record.started is not None and record.ended is None
    moment = record.before if goes_on and record.started.astimezone().date() == now.astimezone().date() else record.last  # type: ignore[union-attr]
    if moment is None:
        return now - timedelta(days=1), "Yesterday (24 h)"
    return moment, f"the Last Session ({moment.astimezone():%Y-%m-%d %H:%M})"


def _active(live: SessionsSnapshot | None, since: datetime) -> int | None:
    """How many sessions were active since then, None where they could not be read."""
    if live is None:
        return None
    times = [session.last_event_at or session.since for session in live.sessions]
    return sum(1 for at in times if at is not None and at >= since)


def _average(spent: Costs, now: datetime) -> float | None:
    return spent.task_average(clock.local_midnight(now.astimezone().replace(day=1, hour=12)))


def _head(root: Path, trees: WorktreesSnapshot | None) -> str:
    """The commit that the session begins at, "" where there is none yet or git does not tell."""
    if trees is not None:
        return next((tree.head or "" for tree in trees.worktrees if tree.path == str(root)), "")
    with contextlib.suppress(GitFailed):
        return git(root, "rev-parse", "--verify", "--quiet", "HEAD").strip()
    return ""


def _blocked(scored: tuple[Scored, ...]) -> tuple[str, ...]:
    """The tasks that wait for another, as entries of the blockers."""
    return tuple(f"{one.task.text}: blocked by {', '.join(one.blocked_by)}" for one in scored if one.blocked_by)


def _observers(root: Path) -> int | None:
    """Open blockers that an observer team has written down; None where there is no team."""
    try:
        text = read_regular(root / _OBSERVERS, 262_144).decode("utf-8", "replace")
    except OSError:
        return None
    return len(re.findall(r"status\W+open", text, re.IGNORECASE))


def _preferences() -> dict[str, Any]:
    """The person's own preferences for the day, as data: `preferences.json` in the agents' folder."""
    for folder in claude_folders():
        try:
            document = json.loads(read_regular(folder / "preferences.json", 1_000_000))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(document, dict):
            return document
    return {}


def _said(answer: object) -> str:
    """What a step came to, in a few words."""
    if isinstance(answer, WorktreesSnapshot):
        return counted(len(answer.worktrees), "worktree")
    if isinstance(answer, SessionsSnapshot):
        return counted(len(answer.sessions), "session")
    if isinstance(answer, tuple):
        return counted(len(answer), "commit")
    if isinstance(answer, Costs):
        return "the transcripts are read"
    return ""
