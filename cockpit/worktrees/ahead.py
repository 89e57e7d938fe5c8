"""The longest question of a reading, the status of every worktree, put to git while the reader is still imported."""

from cockpit.git_command import ask_ahead
from cockpit.repository import Repository
from cockpit.worktrees.cheap import linked_work_trees

STATUS = ("status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=normal", "-z")


def ask_statuses(repository: Repository) -> None:
    """Begin the status of every worktree that `read_worktrees` will want, and of the one that was asked for once more:
    `read_git_state` tells what is in it. A folder that is gone is not asked."""
    main, common = repository.main_root, repository.common_dir
    trees = [folder for _, folder in linked_work_trees(common) if (folder / ".git").exists()]
    ask_ahead((str(folder), STATUS) for folder in [*([main] if main != common else []), *trees, repository.root])
