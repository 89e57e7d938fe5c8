"""The view of all repositories: whose worktrees are listed, and what enter does with another repository's."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.app_parts.deeds import Deeds
from cockpit.errors import CannotAnswer
from cockpit.worktrees.models import Worktree, WorktreesSnapshot

if TYPE_CHECKING:
    from cockpit.config import Config
    from cockpit.findings.hidden import HiddenFindings
    from cockpit.repository import Repository
    from cockpit.worktrees.feed import Hints

_ANYWHERE = ("check-worktree",)  # what may be done to another repository's worktree


class EverywhereDeeds(Deeds):
    """One repository is in front: findings, screens and deeds are its own. Enter puts another one there."""

    hidden: "HiddenFindings | None"

    def follow_trees(self, hints: "Hints") -> AsyncIterator[WorktreesSnapshot]:
        """The feed of the worktrees pane."""
        if not self.everywhere:
            from cockpit.worktrees.feed import follow_worktrees

            return follow_worktrees(self.repository, self.settings, hints=hints)
        from cockpit.worktrees.everywhere import follow_everywhere

        return follow_everywhere(self.repository, self.settings, hints=hints)

    def foreign(self, tree: Worktree | None) -> bool:
        """Whether the worktree is of another repository than the one in front."""
        return tree is not None and bool(tree.repository) and tree.repository != str(self.repository.main_root)

    def refused(self, place: str, name: str) -> bool:
        """Whether an action of the worktrees pane has to wait until its repository is in front; says so."""
        tree = self.worktrees_pane.current
        if place != "worktrees" or name in _ANYWHERE or tree is None or not self.foreign(tree):
            return False
        self.tell(
            f"This worktree belongs to {Path(tree.repository).name}: "
            f"{self.labels['check-worktree']} puts that repository in front first."
        )
        return True

    def do_check_worktree(self) -> None:
        tree = self.worktrees_pane.current
        if tree is None or tree.missing or not self.foreign(tree):
            super().do_check_worktree()
            return
        self.run_worker(self._put_in_front(tree), group="front", exclusive=True, exit_on_error=False)

    async def _put_in_front(self, tree: Worktree) -> None:
        try:
            opened = await asyncio.to_thread(partial(_opened, Path(tree.path), self.extra_config))
        except (CannotAnswer, OSError) as problem:
            self.tell(problem, bad=True)
            return
        self.repository, settings, self.hidden = opened
        self.settings = replace(settings, keys=self.settings.keys)
        self.front_changed()
        self.watch_folder(Path(tree.path))
        if tree.agent is not None:
            self.phase_pane.choose(tree.agent.session)
        self.tell(f"{self.repository.name} is in front: findings and deeds are its own now.")


def _opened(folder: Path, extra: Path | None) -> "tuple[Repository, Config, HiddenFindings]":
    from cockpit.config import load_config
    from cockpit.findings.hidden import HiddenFindings
    from cockpit.repository import find_repository

    repository = find_repository(folder)
    return repository, load_config(repository.root, extra), HiddenFindings(repository.common_dir)
