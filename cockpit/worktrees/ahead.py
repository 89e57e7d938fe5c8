"""What takes longest in a reading of all worktrees is begun before anything else is imported: the status of each is put
to git, and then the reading itself goes on beside the imports of whoever wants it.
"""

from typing import TYPE_CHECKING

from cockpit.git_command import ask_ahead
from cockpit.repository import Repository
from cockpit.worktrees.cheap import STATUS, linked_work_trees

if TYPE_CHECKING:
    from concurrent.futures import Future

    from cockpit.config import Config
    from cockpit.worktrees.models import WorktreesSnapshot


def ask_statuses(repository: Repository) -> None:
    """Begin the status of every worktree that `read_worktrees` will want, and of the one that was asked for once more:
    `read_git_state` tells what is in it. A folder that is gone is not asked."""
    main, common = repository.main_root, repository.common_dir
    trees = [folder for _, folder in linked_work_trees(common) if (folder / ".git").exists()]
    ask_ahead((str(folder), STATUS) for folder in [*([main] if main != common else []), *trees, repository.root])


def begin_reading(repository: Repository, config: "Config") -> "Future[WorktreesSnapshot]":
    """`read_worktrees` in a thread of its own, which asks git at once: what it imports is imported before."""
    from concurrent.futures import ThreadPoolExecutor

    from cockpit.worktrees.reader import read_worktrees

    pool = ThreadPoolExecutor(1)
    reading = pool.submit(read_worktrees, repository, config)
    pool.shutdown(wait=False)
    return reading


def read_every_worktree(repository: Repository, config: "Config") -> "WorktreesSnapshot":
    """`read_worktrees`, imported where it runs."""
    from cockpit.worktrees.reader import read_worktrees

    return read_worktrees(repository, config)
