"""Which folders belong to a repository: its main work tree, its worktrees and everything in them."""

import os
from pathlib import Path

from cockpit.errors import CannotAnswer
from cockpit.repository import Repository, find_repository


class Membership:
    """Answers for one repository; what was asked once is remembered.

    A folder that exists is judged by the git folder that it leads to, so that a repository inside another one is not
    mistaken for it; one that is gone by its path alone.
    """

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._common = os.path.realpath(repository.common_dir)
        self._answers: dict[str, bool] = {}

    def holds(self, cwd: str) -> bool:
        """Whether the folder lies in the repository or one of its worktrees."""
        if cwd not in self._answers:
            self._answers[cwd] = bool(cwd) and cwd.startswith("/") and "\0" not in cwd and self._judge(cwd)
        return self._answers[cwd]

    def _judge(self, cwd: str) -> bool:
        try:
            return os.path.realpath(find_repository(Path(cwd)).common_dir) == self._common
        except (CannotAnswer, OSError, ValueError):
            pass
        if Path(cwd).is_dir():
            return False
        path = Path(os.path.normpath(cwd))
        return any(path.is_relative_to(root) for root in self._roots())

    def _roots(self) -> list[Path]:
        roots = [self.repository.root, self.repository.main_root]
        try:
            places = sorted((self.repository.common_dir / "worktrees").iterdir())
        except OSError:
            places = []
        for place in places:
            try:
                text = (place / "gitdir").read_text("utf-8", "surrogateescape")
            except OSError:
                continue
            roots.append(Path(os.path.normpath(text.strip())).parent)
        return roots
