"""Every agent session of a repository, kept between reads: finding transcripts, reading what is new, judging them."""

import errno
import os
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit import clock, paths
from cockpit.agents.claude import ClaudeSession
from cockpit.agents.models import ContextUse, Session, SessionsSnapshot
from cockpit.agents.processes import Running, running_agents
from cockpit.agents.registry import REGISTRY_FILE, Registered, read_registry
from cockpit.agents.told_session import ToldSession
from cockpit.clock import EPOCH, at_seconds
from cockpit.hooks.drain import log_path
from cockpit.hooks.signs import HookSigns
from cockpit.phases.context import read_context, thousands
from cockpit.phases.membership import Membership
from cockpit.phases.others import OtherSessions
from cockpit.phases.state import Activity, Sign, read_state
from cockpit.phases.transcripts import first_cwd, transcripts, written_by_subagents
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from skills.orchestrator.events import Prompt
from skills.orchestrator.model import PHASE_NAMES
from skills.orchestrator.task import TaskFacts, gather_facts

if TYPE_CHECKING:  # to judge phases takes words, patterns and plans, which who asks for states alone does not load
    from skills.orchestrator.phases import TaskReading
    from skills.orchestrator.planning import Plan

DAY = timedelta(hours=24)
WORKING = timedelta(seconds=60)
_RANK = {"waiting": 0, "busy": 1, "idle": 2, "ended": 3}


@dataclass(slots=True)
class _Kept:
    """A transcript and what was made of it as of `version`; `subagents` are the times of their last lines."""

    transcript: ClaudeSession | ToldSession
    facts: TaskFacts | None = None
    reading: "TaskReading | None" = None
    context: ContextUse | None = None
    plan: "Plan | None" = None
    version: int = -1
    subagents: tuple[float, ...] = ()
    problem: str = ""


class SessionStore:
    """The sessions of all agents in one repository (in every one with `all_repos`); their phases where those are
    wanted."""

    def __init__(self, repository: Repository, *, all_repos: bool = False, phases: bool = True) -> None:
        self.all_repos = all_repos
        self.phases = phases
        self.roots: list[Path] = []
        self._membership = Membership(repository)
        self._kept: dict[str, _Kept] = {}
        self._homes: dict[tuple[int, int], str] = {}
        self._registry: dict[str, Registered] = {}
        self._others = OtherSessions(self._ours)
        self._told: dict[str, _Kept] = {}
        self._running: tuple[Running, ...] | None = None
        self._signs = HookSigns()
        self._closed: dict[str, str] = {}  # transcripts that may not be read: nobody knows whose they are

    @property
    def live(self) -> bool:
        """Whether a process of a session lives, so that its end has to be looked for."""
        return bool(self._told) or any(entry.alive for entry in self._registry.values() if self._ours(entry.cwd))

    def watched(self) -> list[Path]:
        """The folders that change when a session does."""
        self.roots = paths.claude_roots()
        folders = [root / name for root in self.roots for name in ("projects", "sessions")]
        folders.append(log_path().parent)
        return [*(folder for folder in folders if folder.is_dir()), *self._others.folders()]

    def refresh(self, now: datetime, since: datetime, changed: set[str] | None = None) -> None:
        """Read what is new. `changed` names the files that may have changed, None where everything may have."""
        self._signs.refresh()
        if changed is not None:
            changed = changed - {str(log_path())}
            if not changed:
                return
        oldest = _oldest(now, since)
        theirs = None if changed is None else {path for path in changed if self._others.owns(path)}
        if theirs is None or theirs:
            self._others.refresh(oldest, theirs)
            self._judge_others()
        if changed is not None and theirs:
            changed = changed - theirs
            if not changed:
                return
        if changed is not None and all(self._cheap(path) for path in changed):
            if any(REGISTRY_FILE.fullmatch(path.rpartition(os.sep)[2]) for path in changed):
                self._registry = read_registry(self.roots)
            for path in changed & self._kept.keys():
                self._read(self._kept[path])
            return
        self.roots = paths.claude_roots()
        self._registry = read_registry(self.roots)
        self._scan(now, since)

    def relist(self) -> None:
        """Look again at which processes live, and nothing else."""
        self._registry = read_registry(self.roots)
        self._look_at_processes()

    def _look_at_processes(self) -> None:
        self._running = running_agents() if self._told else None

    def _judge_others(self) -> None:
        sessions = {one.file.key: one for one in self._others.sessions}
        self._told = {key: self._told.get(key) or _Kept(one) for key, one in sessions.items()}
        for kept in self._told.values():
            self._judge(kept)
        self._look_at_processes()

    def snapshot(self, now: datetime, since: datetime) -> SessionsSnapshot:
        """Every session that lives or was active since then, those that need a person first."""
        in_use, nothing = bool(self._registry), self._nothing()
        sessions: list[Session] = []
        for kept in self._kept.values():
            entry = self._registry.get(kept.transcript.session)
            last = _last(kept)
            alive = entry is not None and entry.alive
            told = bool(kept.transcript.task) or alive
            if told and (alive or (last is not None and last >= since)):
                signs = self._signs.of(kept.transcript.session)
                sessions.append(_session(kept, entry, now, nothing, registry_in_use=in_use, signs=signs))
        for kept in self._told.values():
            last = _last(kept)
            if kept.transcript.task and last is not None and last >= since:
                process, signs = self._process_of(kept), self._signs.of(kept.transcript.session)
                sessions.append(_session(kept, None, now, nothing, registry_in_use=False, process=process, signs=signs))
        have = {kept.transcript.session for kept in self._kept.values()}
        fresh = [entry for name, entry in self._registry.items() if name not in have and entry.alive]
        sessions += [_unwritten(entry, now, nothing) for entry in fresh if self._ours(entry.cwd)]
        sessions.sort(key=_order)
        problems = [kept.problem or kept.transcript.problem for kept in self._kept.values()]
        problems += [kept.transcript.problem for kept in self._told.values()] + list(self._others.problems.values())
        problems += self._closed.values()
        unknown = sum(kept.transcript.unknown for kept in (*self._kept.values(), *self._told.values()))
        return SessionsSnapshot(tuple(sessions), now, tuple(sorted({*filter(None, problems)})), unknown=unknown)

    def _nothing(self) -> "TaskReading | None":
        """The phases of a session that nothing was read of, None where none are wanted."""
        if not self.phases:
            return None
        from skills.orchestrator.phases import read_phases

        return read_phases(())

    def _process_of(self, kept: _Kept) -> int | None:
        """The process of a session's agent in its folder; 0: there is none, None: the system does not tell."""
        if self._running is None:
            return None
        transcript = kept.transcript
        cwd = os.path.realpath(transcript.cwd)
        found = (one.pid for one in self._running if one.agent == transcript.agent and one.cwd == cwd)
        return next(found, 0)

    def _ours(self, cwd: str) -> bool:
        return self.all_repos or self._membership.holds(cwd)

    def _cheap(self, path: str) -> bool:
        """Whether a change of this file needs no look at the folders."""
        if REGISTRY_FILE.fullmatch(path.rpartition(os.sep)[2]):
            return True
        try:
            found = Path(path).stat()
        except OSError:
            return False  # one that is gone takes its session with it
        if path in self._kept:
            return True
        home = self._homes.get((found.st_dev, found.st_ino))
        return home is not None and not self._ours(home)

    def _scan(self, now: datetime, since: datetime) -> None:
        oldest = _oldest(now, since)
        found: set[str] = set()
        self._closed.clear()
        for root in self.roots:
            for entry in transcripts(root / "projects"):
                try:
                    status = entry.stat()
                except OSError:
                    continue
                registered = self._registry.get(entry.name.removesuffix(".jsonl"))
                alive = registered is not None and registered.alive
                if not (alive or status.st_mtime >= oldest):
                    continue
                if stat.S_ISREG(status.st_mode) and not os.access(entry.path, os.R_OK):
                    self._closed[entry.path] = f"{plain_text(entry.name[:8])}: {os.strerror(errno.EACCES)}"
                if self._ours(self._home(entry.path, status, registered)):
                    found.add(entry.path)
                    if entry.path not in self._kept:
                        self._kept[entry.path] = _Kept(ClaudeSession(Path(entry.path)))
                    self._read(self._kept[entry.path])
        for gone in self._kept.keys() - found:
            del self._kept[gone]

    def _home(self, path: str, status: os.stat_result, entry: Registered | None) -> str:
        """The folder where the session began; the folder names of transcripts do not tell it."""
        key = (status.st_dev, status.st_ino)
        if key not in self._homes:
            home = first_cwd(path)
            if not home:
                return entry.cwd if entry else ""
            self._homes[key] = home
        return self._homes[key]

    def _read(self, kept: _Kept) -> None:
        transcript = kept.transcript
        try:
            transcript.read()
            kept.problem = ""
        except OSError as problem:
            kept.problem = f"{transcript.session[:8]}: {problem.strerror or 'cannot be read'}"
        kept.subagents = written_by_subagents(transcript.path)
        self._judge(kept)

    def _judge(self, kept: _Kept) -> None:
        """What the newest lines mean for state, phases and context."""
        transcript = kept.transcript
        if kept.version == transcript.version:
            return
        kept.version = transcript.version
        if not self.phases:
            kept.facts = gather_facts(transcript.task)
            return
        from skills.orchestrator.checks import ContextReading
        from skills.orchestrator.phases import read_phases
        from skills.orchestrator.planning import plan_prompt

        kept.context = read_context(transcript)
        prompt = _prompt(transcript)
        if kept.plan is None or kept.reading is None or kept.reading.facts.prompt != prompt:
            kept.plan = plan_prompt(prompt) if prompt is not None else None
        full = kept.context
        words = f"{round(full.percent, 1):g} % of {thousands(full.window)}" if full else ""
        kept.reading = read_phases(
            transcript.task,
            model=transcript.model,
            context=ContextReading(full.level, words) if full else None,
            plan=kept.plan,
        )
        kept.facts = kept.reading.facts


def read_sessions(
    repository: Repository, *, since: datetime | None = None, all_repos: bool = False, phases: bool = True
) -> SessionsSnapshot:
    """The sessions of the repository that live or were active since then (default: the last 24 hours).

    `usd` is None in all of them; without `phases` they are in none, and have no summary and no context. Never raises on
    what the files hold.
    """
    store = SessionStore(repository, all_repos=all_repos, phases=phases)
    moment = clock.now()
    start = since or moment - DAY
    store.refresh(moment, start)
    return store.snapshot(moment, start)


def _oldest(now: datetime, since: datetime) -> float:
    """A file's own time is the machine's, `now` may be another one: what either calls recent is looked at."""
    return min(since.timestamp(), time.time() - (now - since).total_seconds())


def _prompt(transcript: ClaudeSession | ToldSession) -> str | None:
    first = transcript.task[0] if transcript.task else None
    return first.text if isinstance(first, Prompt) else None


def _last(kept: _Kept) -> datetime | None:
    times = [at for written in kept.subagents if (at := at_seconds(written)) is not None]
    if (last := kept.transcript.last_at) is not None:
        times.append(last)
    return max(times, default=None)


def _session(
    kept: _Kept,
    entry: Registered | None,
    now: datetime,
    nothing: "TaskReading | None",
    *,
    registry_in_use: bool,
    process: int | None = None,
    signs: Iterable[Sign] = (),
) -> Session:
    transcript, facts, reading = kept.transcript, kept.facts or gather_facts(()), kept.reading or nothing
    last = _last(kept)
    activity = Activity(facts, transcript.task, transcript.exited, last)
    state = read_state(entry, activity, now, registry_in_use=registry_in_use, process=process, signs=signs)
    edits = [made for made in facts.made if made.role == "change" and made.call.name != "Bash"]
    working = now.timestamp() - WORKING.total_seconds()
    return Session(
        agent=transcript.agent,
        session=transcript.session,
        cwd=transcript.cwd or (entry.cwd if entry else ""),
        branch=transcript.branch,
        state=state.state,
        waiting_for=state.waiting_for,
        since=state.since,
        phase=reading.current if reading else 0,
        phase_name=PHASE_NAMES[reading.current if reading else 0],
        phases=reading.phases if reading else (),
        context=kept.context,
        usd=None,
        prompt=plain_text(facts.prompt or "", 200),
        evidence=state.evidence,
        model=transcript.model,
        pid=entry.pid if entry and entry.alive else process or None,
        last_event_at=last,
        subagents=len(kept.subagents),
        summary=reading.summary if reading else "",
        subagents_active=sum(written >= working for written in kept.subagents),
        changed=tuple(dict.fromkeys(made.call.target for made in edits)),
        changed_at=max((made.at for made in edits if made.at is not None), default=None),
    )


def _unwritten(entry: Registered, now: datetime, nothing: "TaskReading | None") -> Session:
    """A session that runs and has no transcript yet."""
    activity = Activity(gather_facts(()), [], False, entry.started_at)
    state = read_state(entry, activity, now, registry_in_use=True)
    return Session(
        agent="claude",
        session=plain_text(entry.session, 80),
        cwd=entry.cwd,
        branch=None,
        state=state.state,
        waiting_for=state.waiting_for,
        since=state.since,
        phase=0,
        phase_name=PHASE_NAMES[0],
        phases=nothing.phases if nothing else (),
        context=None,
        usd=None,
        prompt="",
        evidence=state.evidence,
        pid=entry.pid,
        last_event_at=entry.started_at,
    )


def _order(session: Session) -> tuple[int, float, str]:
    last = session.last_event_at or session.since or EPOCH
    return (_RANK[session.state], -last.timestamp(), session.session)
