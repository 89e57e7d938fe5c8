"""Start day and end day, read-only: everything is looked at now, nothing is written.

Source: workflow orchestrator, start day and end day.
"""

import contextlib
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cockpit import clock
from cockpit.agents.models import Session, SessionsSnapshot
from cockpit.config import Config
from cockpit.day.context import Context, read_context
from cockpit.day.git_state import commits_since, has_remote, only_here, read_author, read_commits, read_git_state
from cockpit.errors import CannotAnswer
from cockpit.findings.models import Finding
from cockpit.git_command import GitFailed
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from cockpit.spend.models import BudgetWindow, SpendSnapshot
from cockpit.worktrees.models import Worktree, WorktreesSnapshot
from skills.workflow.day import (
    EndReport,
    ModelCost,
    Money,
    Resources,
    StartReport,
    Waiting,
    WorktreeLine,
    next_ports,
    preflight,
    types_of,
)
from skills.workflow.tasks import Situation, queue

Answer = TypeVar("Answer")


def start_report(repository: Repository, config: Config) -> StartReport:
    """What a person needs to begin the day. What could not be read is None there and named in its notes."""
    now = clock.now()
    notes: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        trees, sessions = _everywhere(pool, repository, config)
        spend = pool.submit(_spend, repository, config, None)
        context = pool.submit(read_context, repository.root)
        seen = _result(trees, "worktrees", notes)
        live = _result(sessions, "sessions", notes)
        git = _guarded(
            lambda: read_git_state(repository.root, seen.default_branch if seen else None, now), "git", notes
        )
        costs = _result(spend, "costs", notes)
        said = context.result()
    notes += said.notes
    names = _names(repository.root)
    joined = _with_agents(seen, live)
    blockers = tuple(item.text for item in said.items("blockers", "blocked") if item.mark != "done")
    return StartReport(
        project=plain_text(repository.name, 80),
        types=types_of(names),
        started=now.astimezone(),
        git=git,
        context_file=said.file,
        completed=tuple(item.text for item in said.items("completed", "done")),
        in_progress=tuple(item for item in said.items("in progress") if item.mark != "done"),
        blockers=blockers,
        planned=tuple(item.text for item in said.items("tomorrow", "next steps") if item.mark != "done"),
        queue=queue(said.tasks, _situation(repository, said, blockers, joined, now)),
        worktrees=None if joined is None else tuple(_line(tree) for tree in joined.worktrees),
        waiting=_waiting(live, now),
        money=_money(costs[0]) if costs else None,
        resources=_resources(joined, config),
        preflight=preflight(names),
        notes=(*notes, *(_spend_notes(costs[0]) if costs else ())),
    )


def end_report(repository: Repository, config: Config, *, findings: Iterable[Finding] | None = None) -> EndReport:
    """What the day left behind. `findings` are those of the last check, where there was one."""
    now = clock.now()
    midnight = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    notes: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        trees, sessions = _everywhere(pool, repository, config)
        spend = pool.submit(_spend, repository, config, midnight)
        author = read_author(repository.root)
        commits = _guarded(lambda: commits_since(repository.root, midnight, author, now), "history", notes)
        git = _guarded(lambda: read_git_state(repository.root, None, now), "git", notes)
        joined = _with_agents(_result(trees, "worktrees", notes), _result(sessions, "sessions", notes))
        live = _result(sessions, "sessions", [])
        costs = _result(spend, "costs", notes)
    p0 = None if findings is None else tuple(_finding_line(found) for found in findings if found.gate == "P0")
    return EndReport(
        project=plain_text(repository.name, 80),
        branch=(git.branch or "detached") if git else "unknown",
        ended=now.astimezone(),
        author=plain_text(author, 80) if author else None,
        commits=commits,
        unsafe=None if joined is None else tuple(_unsafe(joined)),
        waiting=_waiting(live, now),
        money=_money(costs[0]) if costs else None,
        costs=costs[1] if costs else None,
        open_p0=p0,
        notes=(*notes, *(_spend_notes(costs[0]) if costs else ())),
        remote=has_remote(repository.root),
    )


def _everywhere(
    pool: ThreadPoolExecutor, repository: Repository, config: Config
) -> tuple[Future[WorktreesSnapshot], Future[SessionsSnapshot]]:
    from cockpit.phases.feed import read_sessions
    from cockpit.worktrees.feed import read_worktrees

    return pool.submit(read_worktrees, repository, config), pool.submit(read_sessions, repository, config)


def _spend(
    repository: Repository, config: Config, since: datetime | None
) -> tuple[SpendSnapshot, tuple[ModelCost, ...]]:
    """The spend, and dollars by model from `since` on (nothing where it is None), from one reading."""
    from cockpit.spend.meter import Meter
    from cockpit.spend.sums import Scope

    meter = Meter(repository, config)
    meter.read()
    if since is None:
        return meter.snapshot(), ()
    rows, _ = meter.ledger.rows("model", Scope(meter.places, since=int(since.timestamp() * 1000)))
    by_model = (
        ModelCost(plain_text(row.key, 80), row.usd, row.unpriced_tokens)
        for row in sorted(rows, key=lambda row: -row.usd)
    )
    return meter.snapshot(), tuple(by_model)


def _guarded(read: Callable[[], Answer], what: str, notes: list[str]) -> Answer | None:
    """The answer, or None with a note where it could not be had."""
    try:
        return read()
    except GitFailed as problem:
        notes.append(f"{what}: not read: {plain_text(problem.line, 160)}")
    except (CannotAnswer, OSError) as problem:
        notes.append(f"{what}: not read: {plain_text(problem, 160)}")
    return None


def _result(future: Future[Answer], what: str, notes: list[str]) -> Answer | None:
    return _guarded(future.result, what, notes)


def _with_agents(trees: WorktreesSnapshot | None, sessions: SessionsSnapshot | None) -> WorktreesSnapshot | None:
    from cockpit.worktrees.feed import with_presence

    return trees if trees is None or sessions is None else with_presence(trees, sessions)


def _names(root: Path) -> frozenset[str]:
    try:
        return frozenset(path.name for path in root.iterdir())
    except OSError:
        return frozenset()


def _situation(
    repository: Repository,
    context: Context,
    blockers: tuple[str, ...],
    trees: WorktreesSnapshot | None,
    now: datetime,
) -> Situation:
    author = read_author(repository.root)
    who = ["--fixed-strings", f"--author=<{author}>"] if author else []
    mine: tuple[str, ...] = ()
    with contextlib.suppress(GitFailed):
        mine = read_commits(repository.root, now, "-5", *who, "HEAD")
    branches = tuple(tree.branch for tree in trees.worktrees if tree.branch and not tree.main) if trees else ()
    return Situation(now.astimezone().date(), blockers, (*branches, *mine))


def _line(tree: Worktree) -> WorktreeLine:
    return WorktreeLine(
        name=tree.name,
        branch=tree.branch or "detached",
        state=_state(tree),
        ports="–".join(str(port) for port in tree.ports),
        agent=_agent(tree),
        advice=tree.advice,
    )


def _state(tree: Worktree) -> str:
    if tree.problem:
        return tree.problem
    if tree.missing:
        return "folder is gone"
    words = [tree.operation] if tree.operation else []
    words += _changes(tree)
    if tree.ahead:
        words.append(f"↑{tree.ahead}")
    if tree.behind:
        words.append(f"↓{tree.behind}")
    if tree.merged in ("ancestor", "squash"):
        words.append("merged")
    return ", ".join(words)


def _changes(tree: Worktree) -> list[str]:
    if tree.counts is None:
        return ["changes unknown"]
    counts = tree.counts
    known = (
        (counts.conflicts, "in conflict"),
        (counts.staged, "staged"),
        (counts.unstaged, "changed"),
        (counts.untracked, "new"),
    )
    return [f"{count} {word}" for count, word in known if count] or ["clean"]


def _agent(tree: Worktree) -> str:
    if tree.agent is None:
        return ""
    words = f"{tree.agent.agent} {tree.agent.state}"
    return f"{words}: {tree.agent.waiting_for}" if tree.agent.waiting_for else words


def _unsafe(trees: WorktreesSnapshot) -> Iterable[tuple[str, str]]:
    """(worktree, what is not committed or not pushed there), only where there is something or nobody knows."""
    for tree in trees.worktrees:
        if tree.missing:
            continue
        words = [f"{tree.operation} in progress"] if tree.operation else []
        words += [tree.problem] if tree.problem else [word for word in _changes(tree) if word != "clean"]
        words += _unpushed(tree)
        if words:
            yield tree.branch or tree.name, ", ".join(words)


def _unpushed(tree: Worktree) -> list[str]:
    count = tree.unpushed
    if tree.merged in ("ancestor", "squash"):
        return []
    if tree.own_base or tree.main:
        try:
            count = only_here(tree.path) if count is not None else None
        except GitFailed as problem:
            return [f"pushed or not is unknown: {plain_text(problem.line, 80)}"]
    return [f"{count} commit{'s' if count > 1 else ''} not pushed"] if count else []


def _waiting(sessions: SessionsSnapshot | None, now: datetime) -> tuple[Waiting, ...]:
    found = sessions.sessions if sessions else ()
    return tuple(_waits(session, now) for session in found if session.state == "waiting")


def _waits(session: Session, now: datetime) -> Waiting:
    minutes = None if session.since is None else max(0, int((now - session.since).total_seconds() // 60))
    where = session.branch or plain_text(Path(session.cwd).name, 80)
    return Waiting(where, session.waiting_for or "waits for you", minutes)


def _money(spend: SpendSnapshot) -> Money | None:
    if spend.today is None or spend.month is None:
        return None
    windows = {window.window: window for window in spend.windows}
    day, month = windows.get("day"), windows.get("month")
    return Money(
        today=spend.today.usd,
        month=spend.month.usd,
        day_limit=_limit(day),
        month_limit=_limit(month),
        day_level=day.level if day else "ok",
        month_level=month.level if month else "ok",
        floor=spend.today.floor or spend.month.floor,
        unpriced_tokens=spend.month.unpriced_tokens,
    )


def _limit(window: BudgetWindow | None) -> float | None:
    if window is None:
        return None
    return window.soft if window.soft is not None else window.hard


def _spend_notes(spend: SpendSnapshot) -> tuple[str, ...]:
    return tuple(plain_text(note, 160) for note in spend.unread)


def _resources(trees: WorktreesSnapshot | None, config: Config) -> Resources:
    from cockpit.worktrees.ports import PortRegistry

    ports, _ = PortRegistry().ports()
    taken = frozenset(port for numbers in ports.values() for port in numbers)
    count = None if trees is None else sum(not tree.main and not tree.missing for tree in trees.worktrees)
    return Resources(count, config.max_worktrees, _free_pair(taken), _free_gb())


def _free_pair(taken: frozenset[int]) -> tuple[int, int] | None:
    """The lowest pair that no worktree has and that no program listens on."""
    while pair := next_ports(taken):
        busy = frozenset(port for port in pair if not _can_bind(port))
        if not busy:
            return pair
        taken |= busy
    return None


def _can_bind(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_gb() -> float | None:
    """Memory that programs can still have, in GB of 2³⁰ bytes; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    kilobytes = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return int(kilobytes) / 2**20 if kilobytes and kilobytes.isdigit() else None


def _finding_line(found: Finding) -> str:
    return plain_text(f"{found.path}:{found.line} {found.rule}: {found.message}", 240)
