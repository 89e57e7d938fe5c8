"""A worktree as the pane and `cockpit worktree list` show it."""

from datetime import datetime
from typing import Literal

from skills.counted import counted
from skills.record import record

Merged = Literal["no", "ancestor", "squash"]


@record
class Counts:
    """Numbers of changed paths, from one `git status`."""

    staged: int = 0
    unstaged: int = 0
    untracked: int = 0
    conflicts: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing is changed, new or in conflict."""
        return not (self.staged or self.unstaged or self.untracked or self.conflicts)


@record
class Presence:
    """The agent that works in a worktree."""

    agent: str
    state: Literal["busy", "waiting", "idle"]
    waiting_for: str | None
    since: datetime | None
    session: str = ""


@record
class Clash:
    """A branch (or another worktree's) that this one could not be merged with, and the files that say so."""

    other: str
    files: tuple[str, ...]

    @property
    def line(self) -> str:
        """E.g. `would conflict with main in 2 files`."""
        return f"would conflict with {self.other} in {counted(len(self.files), 'file')}"


@record
class Worktree:
    """One worktree. What a slower stage has not told yet is None, so that nothing unknown looks like zero.

    `path` is absolute and raw (it names a folder: show it through `plain_text`); every other text is plain
    already. `branch` is None where HEAD is detached; `base` is the branch that ahead and behind are counted
    against; `stale` is True while `counts` is an older value that is being measured again (`counted_at` says
    how old); `unpushed` counts commits that are on no remote and not in the base (HEAD detached: on no branch
    or tag either), None where there is no remote; `own_base` is True for the worktree of the base branch
    itself; `ignored` names ignored files that exist only there (asked for where nothing else is in the way of
    removing it); `clashes` is the forecast of conflicts of its commits, the base first; `repository` is the main work
    tree of its repository where those of several are shown together.
    """

    name: str
    path: str
    branch: str | None
    head: str | None
    main: bool = False
    own_base: bool = False
    base: str | None = None
    ahead: int | None = None
    behind: int | None = None
    counts: Counts | None = None
    counted_at: datetime | None = None
    stale: bool = False
    committed_at: datetime | None = None
    stale_days: int | None = None
    unpushed: int | None = None
    ignored: tuple[str, ...] | None = ()
    operation: str | None = None
    rebasing: str | None = None
    locked: bool = False
    lock_reason: str | None = None
    missing: bool = False
    ports: tuple[int, ...] = ()
    merged: Merged | None = None
    clashes: tuple[Clash, ...] = ()
    agent: Presence | None = None
    advice: str = ""
    safe_to_remove: bool = False
    why: str = ""
    problem: str | None = None
    repository: str = ""

    @property
    def checked_out(self) -> str:
        """The branch (also the one that a rebase comes back to), without one the commit that HEAD is detached at."""
        named = self.branch or self.rebasing
        return named or (f"detached {self.head[:7]}" if self.head else "no commits yet")

    @property
    def label(self) -> str:
        """What a person calls it: its branch, also the one that a rebase or bisection comes back to, else its name."""
        return self.branch or self.rebasing or self.name


@record
class WorktreesSnapshot:
    """All worktrees of a repository, the main one first. `note` says what a person should know (polling, for
    example).
    """

    worktrees: tuple[Worktree, ...] = ()
    default_branch: str | None = None
    at: datetime | None = None
    note: str = ""
