"""Answers about worktrees and the day: worktree and its deeds, start-day, end-day, learnings."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from cockpit.agents.models import Agent, State
from cockpit.answers.base import Answer, Object, Step
from cockpit.answers.gates import SweepCheck
from skills.gates.model import Status

_With = TypedDict("_With", {"with": str})


class Forecast(_With):
    """Another worktree, or the base, that this one would conflict with."""

    files: list[str]


class WorktreeAgent(TypedDict):
    """The agent that works there."""

    agent: Agent
    state: State
    waiting_for: str | None
    session: str


class Progress(TypedDict):
    """How far the work is."""

    commits: int | None
    changes: int
    tests: Status
    tests_reason: str
    todos: int | None
    todos_done: int
    todos_total: int
    blockers: list[str]


class Worktree(TypedDict):
    """One worktree; a count is null where git could not tell it."""

    name: str
    path: str
    main: bool
    branch: str | None
    head: str | None
    base: str | None
    ahead: int | None
    behind: int | None
    staged: int | None
    unstaged: int | None
    untracked: int | None
    conflicts: int | None
    unpushed: int | None
    ports: list[int]
    merged: Literal["no", "ancestor", "squash"] | None
    stale_days: int | None
    operation: str | None
    rebasing: str | None
    locked: bool
    lock_reason: str | None
    missing: bool
    agent: WorktreeAgent | None
    conflicts_with: list[Forecast]
    advice: str
    safe_to_remove: bool
    why: str
    problem: str | None
    progress: NotRequired[Progress | None]
    repository: NotRequired[str]


class WorktreeList(Answer):
    """`cockpit worktree list --json`."""

    root: str
    default_branch: str | None
    worktrees: list[Worktree]
    missing: NotRequired[list[str]]


class MadeWorktree(TypedDict):
    """A worktree that was made."""

    name: str
    path: str
    branch: str
    base: str
    head: str
    ports: list[int]


class WorktreeNew(Answer):
    """`cockpit worktree new BRANCH --json`."""

    done: bool
    worktree: MadeWorktree
    copied: list[str]
    ran: list[str]


class WorktreeRefused(Answer):
    """What any deed answers that is refused, with exit 1."""

    done: Literal[False]
    why: str
    forceable: bool
    conflicts: list[str]


class WorktreeMerge(Answer):
    """`cockpit worktree merge NAME --json`."""

    done: bool
    merge: Object | None
    conflicts: list[str]


class WorktreeRemove(Answer):
    """`cockpit worktree remove NAME --json`."""

    done: bool
    removed: Object
    why: str


class UndoneMerge(TypedDict):
    """A merge that was taken back: `head` is the commit that `into` stands at again."""

    into: str
    branch: str
    head: str


class WorktreeUndo(Answer):
    """`cockpit worktree undo --json`."""

    done: bool
    restored: Object | None
    unmerged: UndoneMerge | None
    notes: list[str]


class ForecastRow(TypedDict):
    """A worktree, and what it would conflict with."""

    name: str
    branch: str | None
    base: str | None
    conflicts_with: list[Forecast]


class WorktreeForecast(Answer):
    """`cockpit worktree forecast --json`."""

    worktrees: list[ForecastRow]


class TidyRow(TypedDict):
    """A worktree that can go or must stay, and why."""

    name: str
    branch: str | None
    path: str
    why: str


class WorktreeClean(Answer):
    """`cockpit worktree clean --json`."""

    applied: bool
    remove: list[TidyRow]
    keep: list[TidyRow]
    forget: list[str]
    removed: list[str]


class RegistryEntry(TypedDict):
    """An entry of the shared registry."""

    project: str
    branch: str
    path: str
    ports: list[int]
    listening: list[int]
    status: str
    task: str | None
    ours: bool


class UnregisteredWorktree(TypedDict):
    """A worktree that the registry does not know."""

    path: str
    branch: str


class WorktreeReconcile(Answer):
    """`cockpit worktree reconcile --json`."""

    entries: list[RegistryEntry]
    unregistered: list[UnregisteredWorktree]
    adopted: list[str]
    notes: list[str]


class SyncedWorktree(Progress):
    """A worktree's progress."""

    name: str
    branch: str | None


class WorktreeSync(Answer):
    """`cockpit worktree sync --json`."""

    worktrees: list[SyncedWorktree]


class WorktreeStale(Answer):
    """`cockpit worktree stale --json`."""

    worktrees: list[Worktree]


class WorktreeTrash(Answer):
    """`cockpit worktree trash --json`."""

    trash: list[Object]
    deleted: bool


class WorktreeAdopt(Answer):
    """`cockpit worktree adopt PATH --json`."""

    done: bool
    new: bool
    worktree: Object


class DayGit(TypedDict):
    """Where the repository stands."""

    branch: str | None
    default_branch: str | None
    staged: int
    unstaged: int
    untracked: int
    conflicts: int
    upstream: str | None
    ahead: int | None
    behind: int | None
    last: str | None
    recent: list[str]


class QueueTerm(TypedDict):
    """One term of a task's score."""

    why: str
    points: float


class QueueItem(TypedDict):
    """A task of the queue, with the reasons for its place."""

    task: str
    id: str | None
    score: float
    terms: list[QueueTerm]
    agent: str | None
    priority: str
    blocked_by: list[str]
    files: list[str]


class Waiting(TypedDict):
    """An agent that waits for a person."""

    where: str
    what: str
    minutes: int


class StartDay(Answer):
    """`cockpit start-day --json`. `scans` and `findings` are null where nobody looked (`--scan`)."""

    project: str
    types: list[str]
    git: DayGit
    context: Object | None
    completed: list[str]
    in_progress: list[str]
    blockers: list[str]
    planned: list[str]
    queue: list[QueueItem]
    worktrees: list[Object]
    waiting: list[Waiting]
    since: Object | None
    spend: Object | None
    resources: Object
    preflight: list[str]
    steps: list[Step]
    files: list[str]
    notes: list[str]
    report: str
    scans: list[SweepCheck] | None
    findings: list[str] | None


class Proposal(TypedDict):
    """A worktree that could go."""

    worktree: str
    why: str


class EndDay(Answer):
    """`cockpit end-day --json`."""

    steps: list[Step]
    files: list[str]
    dry_run: bool
    blocked: bool
    checks: list[SweepCheck]
    context: Object | None
    compressed: Object | None
    learnings: list[Object]
    proposals: list[Proposal]
    sent: str | None
    report: str


class Learnings(Answer):
    """`cockpit learnings --json`."""

    learnings: list[Object]
