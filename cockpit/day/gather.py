"""What both ends of the day read: worktrees with their agents, money, ports and memory."""

import contextlib
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cockpit import clock
from cockpit.agents.models import Session, SessionsSnapshot
from cockpit.config import Config
from cockpit.day.git_state import only_here
from cockpit.errors import CannotAnswer
from cockpit.git_command import GitFailed
from cockpit.paths import agents_were_here
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from cockpit.spend.models import BudgetWindow, SpendSnapshot
from cockpit.spend.rows import spend_rows
from cockpit.worktrees.ahead import read_every_worktree
from cockpit.worktrees.models import Worktree, WorktreesSnapshot
from skills.counted import counted
from skills.spending.amount import Amount
from skills.workflow.day import ModelCost, Money, Resources, Waiting, WorktreeLine

if TYPE_CHECKING:
    from cockpit.findings.models import Finding
    from cockpit.spend.sums import Scope

Answer = TypeVar("Answer")


def everywhere(
    pool: ThreadPoolExecutor,
    repository: Repository,
    config: Config,
    reading: Future[WorktreesSnapshot] | None = None,
) -> tuple[Future[WorktreesSnapshot], Future[SessionsSnapshot]]:
    """Begin to read every worktree and every session. What that needs is imported there: git runs meanwhile."""

    def sessions() -> SessionsSnapshot:
        if not agents_were_here():
            return SessionsSnapshot((), clock.now())
        from cockpit.phases.store import read_sessions

        return read_sessions(repository, phases=False)

    return reading or pool.submit(read_every_worktree, repository, config), pool.submit(sessions)


class Costs:
    """The spend of the repository, read once."""

    def __init__(self, repository: Repository, config: Config) -> None:
        from cockpit.spend.meter import Meter

        self.meter: Meter = Meter(repository, config)
        self.meter.read()
        self.snapshot: SpendSnapshot = self.meter.snapshot()

    def by_model(self, since: datetime) -> tuple[ModelCost, ...]:
        """Dollars by model from `since` on, dearest first."""
        rows, _ = spend_rows(self.meter.ledger, "model", self._scope(since))
        ordered = sorted(rows, key=lambda row: -row.usd)
        return tuple(
            ModelCost(plain_text(row.key, 80), row.usd, row.unpriced_tokens, row.amount.floor) for row in ordered
        )

    def since(self, since: datetime) -> Amount:
        """Dollars from `since` on."""
        return spend_rows(self.meter.ledger, "model", self._scope(since))[1].amount

    def task_average(self, month: datetime) -> float | None:
        """The mean cost of the features that cost something from `month` on, None where there is none."""
        rows, _ = spend_rows(self.meter.ledger, "feature", self._scope(month))
        priced = [row.usd for row in rows if row.usd > 0 and row.key not in ("unattributed", "unknown", "")]
        return sum(priced) / len(priced) if priced else None

    def close(self, *, at_once: bool = False) -> None:
        """Let go of the ledger; `at_once`: the process ends then."""
        if at_once:
            self.meter.ledger.leave()
        else:
            self.meter.ledger.close()

    def _scope(self, since: datetime) -> "Scope":
        from cockpit.spend.sums import Scope

        return Scope(self.meter.places, since=int(since.timestamp() * 1000))


def guarded(read: Callable[[], Answer], what: str, notes: list[str]) -> Answer | None:
    """The answer, or None with a note where it could not be had."""
    try:
        return read()
    except GitFailed as problem:
        notes.append(f"{what}: not read: {plain_text(problem.line, 160)}")
    except (CannotAnswer, OSError) as problem:
        notes.append(f"{what}: not read: {plain_text(problem, 160)}")
    return None


def result_of(future: Future[Answer], what: str, notes: list[str]) -> Answer | None:
    """As `guarded`, of what a thread brings."""
    return guarded(future.result, what, notes)


def with_agents(trees: WorktreesSnapshot | None, sessions: SessionsSnapshot | None) -> WorktreesSnapshot | None:
    """The worktrees with the agents in them, where both are known."""
    from cockpit.worktrees.judgement import with_presence

    return trees if trees is None or sessions is None else with_presence(trees, sessions)


def names_in(root: Path) -> frozenset[str]:
    """The names of files and folders at the root; none where it cannot be read."""
    try:
        return frozenset(path.name for path in root.iterdir())
    except OSError:
        return frozenset()


def worktree_line(tree: Worktree) -> WorktreeLine:
    """A worktree as the report of the day shows it."""
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


def unsafe_lines(trees: WorktreesSnapshot) -> Iterable[tuple[str, str]]:
    """(worktree, what is not committed or not pushed there), only where there is something or nobody knows."""
    for tree in trees.worktrees:
        if tree.missing:
            continue
        words = [f"{tree.operation} in progress"] if tree.operation else []
        words += [tree.problem] if tree.problem else [word for word in _changes(tree) if word != "clean"]
        words += _unpushed(tree)
        if words:
            yield tree.label, ", ".join(words)


def _unpushed(tree: Worktree) -> list[str]:
    count = tree.unpushed
    if tree.merged in ("ancestor", "squash"):
        return []
    if tree.own_base or tree.main:
        try:
            count = only_here(tree.path) if count is not None else None
        except GitFailed as problem:
            return [f"pushed or not is unknown: {plain_text(problem.line, 80)}"]
    return [f"{counted(count, 'commit')} not pushed"] if count else []


def waiting_of(sessions: SessionsSnapshot | None, now: datetime) -> tuple[Waiting, ...]:
    """The sessions that wait for a person; none where sessions are not known."""
    found = sessions.sessions if sessions else ()
    return tuple(_waits(session, now) for session in found if session.state == "waiting")


def _waits(session: Session, now: datetime) -> Waiting:
    minutes = None if session.since is None else max(0, int((now - session.since).total_seconds() // 60))
    where = session.branch or plain_text(Path(session.cwd).name, 80)
    return Waiting(where, session.waiting_for or "waits for you", minutes)


def money_of(spend: SpendSnapshot, task_average: float | None = None) -> Money | None:
    """Today and this month in dollars against their limits, None where nothing was read."""
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
        floor=spend.today.amount.floor or spend.month.amount.floor,
        unpriced_tokens=spend.month.unpriced_tokens,
        task_average=task_average,
    )


def _limit(window: BudgetWindow | None) -> float | None:
    return None if window is None else window.counted


def spend_notes(spend: SpendSnapshot) -> tuple[str, ...]:
    """What of the transcripts could not be read, one line each."""
    return tuple(plain_text(note, 160) for note in spend.unread)


def resources_of(trees: WorktreesSnapshot | None, config: Config) -> Resources:
    """Worktrees in use and allowed, the next free ports, and the free memory (GB)."""
    from cockpit.machine import free_memory_gb
    from cockpit.worktrees.registry import read_registry_file

    pair: tuple[int, ...] = ()
    with contextlib.suppress(CannotAnswer):  # the worktrees' own step says what is wrong with it
        pair = read_registry_file().next_ports()
    count = None if trees is None else sum(not tree.main and not tree.missing for tree in trees.worktrees)
    return Resources(count, config.max_worktrees, (pair[0], pair[1]) if pair else None, free_memory_gb())


def finding_line(found: "Finding") -> str:
    """A finding as one line."""
    return plain_text(f"{found.path}:{found.line} {found.rule}: {found.message}", 240)
