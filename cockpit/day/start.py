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
from typing import Any

from cockpit import clock
from cockpit.agents.models import SessionsSnapshot
from cockpit.config import Config
from cockpit.day.context import read_context
from cockpit.day.gather import (
    Costs,
    everywhere,
    guarded,
    local_midnight,
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
from skills.record import record
from skills.workflow.day import Since, StartReport, preflight, types_of
from skills.workflow.steps import Step, StepStatus
from skills.workflow.tasks import Scored, queue

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
    spend: Any = None


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
        root = self.repository.root
        for name in STEPS:
            self._tell(Step(name, "running"))
        record = read_record(self.repository, self.now)
        since = _since_when(record, self.now)
        with ThreadPoolExecutor(8) as pool:
            trees, sessions = everywhere(pool, self.repository, self.config, self.reading)
            state = pool.submit(read_git_state, root, None, self.now)
            commits = pool.submit(commits_since, root, since[0], None, self.now)
            context = pool.submit(read_context, root)
            # what only the queue wants is not asked where there is none
            mine = pool.submit(lambda: own_commits(root, self.now) if context.result().tasks else ())
            ages = pool.submit(task_ages, root, self.now)
            costs = pool.submit(Costs, self.repository, self.config)
            resources = pool.submit(_preferences)
            said = context.result()
            found = self._step("git", lambda: state.result(), "git")
            self._done("context", "pass" if said.file else "not_applicable", said.file or "no context file")
            seen = self._step("worktrees", lambda: trees.result(), "worktrees")
            live = self._step("agents", lambda: sessions.result(), "sessions")
            if found is not None and seen is not None:
                found = replace(found, default_branch=seen.default_branch)
            begins = begun(record, self.now, _head(root, seen))
            # to put it safely on the disk takes as long as a git command: meanwhile the rest is read
            written = pool.submit(write_record, self.repository, replace(begins, note="")) if self.write else None
            spent = self._step("costs", lambda: costs.result(), "costs")
            happened = self._since(since, commits, spent, live)
            preferences = resources.result()
            joined = with_agents(seen, live)
            blockers = tuple(item.text for item in said.items("blockers", "blocked") if item.mark != "done")
            situation = situation_of(blockers, joined, mine.result(), self.now, said, ages.result())
        scored = queue(said.tasks, situation)
        self._done("queue", "pass" if scored else "not_applicable", f"{len(scored)} open tasks")
        names = names_in(root)
        held = resources_of(joined, self.config)
        self._done("resources", "pass", f"{held.worktrees}/{held.max_worktrees} worktrees")
        self._todos(scored, preferences)
        self._session(record, begins, written)
        self.notes[:0] = said.notes
        if seen is not None and seen.note:
            self.notes.append(seen.note)
        money = money_of(spent.snapshot, _average(spent, self.now)) if spent else None
        report = StartReport(
            project=plain_text(self.repository.name, 80),
            types=types_of(names),
            started=self.now.astimezone(),
            git=found,
            context_file=said.file,
            completed=tuple(item.text for item in said.items("completed", "done")),
            in_progress=tuple(item for item in said.items("in progress") if item.mark != "done"),
            blockers=blockers,
            planned=tuple(item.text for item in said.items("tomorrow", "next steps") if item.mark != "done"),
            queue=scored,
            worktrees=None if joined is None else tuple(worktree_line(tree) for tree in joined.worktrees),
            waiting=waiting_of(live, self.now),
            money=money,
            resources=held,
            preflight=preflight(names),
            notes=(*self.notes, *(spend_notes(spent.snapshot) if spent else ())),
            context_files=said.files,
            since=happened,
            agents=agents_of(root, scored, names),
            files=files_of(root, scored),
            observers=_observers(root),
            show_costs=preferences.get("show_costs") is not False,
        )
        if spent:
            spent.close(at_once=self.ending)
        return Started(
            report, tuple(self.steps[name] for name in STEPS), tuple(self.files), spent.snapshot if spent else None
        )

    def _done(self, name: str, status: StepStatus, detail: str) -> None:
        self.steps[name] = Step(name, status, plain_text(detail, 200))
        self._tell(self.steps[name])

    def _step(self, name: str, read: Callable[[], Any], what: str) -> Any:
        before = len(self.notes)
        answer = guarded(read, what, self.notes)
        if answer is None:
            self._done(name, "not_run", self.notes[-1] if len(self.notes) > before else "")
        else:
            self._done(name, "pass", _said(answer))
        return answer

    def _since(
        self,
        since: tuple[datetime, str],
        commits: "Future[tuple[str, ...]]",
        spent: Costs | None,
        live: SessionsSnapshot | None,
    ) -> Since:
        moment, what = since
        made = self._step("since", lambda: commits.result(), "history")
        active = None
        if live is not None:
            times = [session.last_event_at or session.since for session in live.sessions]
            active = sum(1 for at in times if at is not None and at >= moment)
        return Since(moment, what, made, spent.since(moment) if spent else None, active)

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

    def _session(self, record: DayRecord, begins: DayRecord, written: "Future[Path] | None") -> None:
        if record.note:
            self.notes.append(record.note)
        if written is None:
            self._done("session", "not_applicable", "nothing is written")
            return
        try:
            self.files.append(written.result())
        except CannotAnswer as problem:
            self.notes.append(str(problem))
            self._done("session", "not_run", str(problem))
            return
        since = begins.started or self.now
        self._done("session", "pass", f"since {since.astimezone():%Y-%m-%d %H:%M}")


def _since_when(record: DayRecord, now: datetime) -> tuple[datetime, str]:
    """From when on things are new, and how that is called."""
    goes_on = record.started is not None and record.ended is None
    moment = record.before if goes_on and record.started.astimezone().date() == now.astimezone().date() else record.last  # type: ignore[union-attr]
    if moment is None:
        return now - timedelta(days=1), "Yesterday (24 h)"
    return moment, f"the Last Session ({moment.astimezone():%Y-%m-%d %H:%M})"


def _average(spent: Costs, now: datetime) -> float | None:
    return spent.task_average(local_midnight(now).replace(day=1))


def _head(root: Path, trees: WorktreesSnapshot | None) -> str:
    """The commit that the session begins at, "" where there is none yet or git does not tell."""
    if trees is not None:
        return next((tree.head or "" for tree in trees.worktrees if tree.path == str(root)), "")
    with contextlib.suppress(GitFailed):
        return git(root, "rev-parse", "--verify", "--quiet", "HEAD").strip()
    return ""


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
        return f"{len(answer.worktrees)} worktrees"
    if isinstance(answer, SessionsSnapshot):
        return f"{len(answer.sessions)} sessions"
    if isinstance(answer, tuple):
        return f"{len(answer)} commits"
    if isinstance(answer, Costs):
        return "the transcripts are read"
    return ""
