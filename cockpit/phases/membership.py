"""Which folders belong to a repository: its main work tree, its worktrees and everything in them."""

import os
from pathlib import Path

from cockpit.errors import CannotAnswer
from cockpit.repository import Repository, find_repository


class Membership:
    """Answers for one repository; what was asked once is remembered until `refresh` finds other worktrees.

    A folder is judged by the git folder that it (or what is left of its path) leads to, so that a repository inside
    another one is not mistaken for it; where that leads to none, by its path alone.
    """

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._common = os.path.realpath(repository.common_dir)
        self._answers: dict[str, bool] = {}
        self.roots = self._read_roots()

    def refresh(self) -> bool:
        """Look again which worktrees there are. True where they changed."""
        roots = self._read_roots()
        changed = roots != self.roots
        if changed:
            self.roots = roots
            self._answers.clear()
        return changed

    def holds(self, cwd: str) -> bool:
        """Whether the folder lies in the repository or one of its worktrees, symbolic links followed."""
        known = self._answers.get(cwd)
        if known is None:
            known = self._answers[cwd] = cwd.startswith("/") and "\0" not in cwd and self._judge(cwd)
        return known

    def _judge(self, cwd: str) -> bool:
        forms = (os.path.normpath(cwd), os.path.realpath(cwd))
        if any(form == root or form.startswith(root + os.sep) for form in forms for root in self.roots):
            found = self._common_of(cwd)
            return found is None or found == self._common
        return Path(cwd).is_dir() and self._common_of(cwd) == self._common

    def _common_of(self, cwd: str) -> str | None:
        """The git folder behind what is left of the path."""
        place = Path(cwd)
        while not place.is_dir() and place != place.parent:
            place = place.parent
        try:
            return os.path.realpath(find_repository(place).common_dir)
        except (CannotAnswer, OSError, ValueError):
            return None

    def _read_roots(self) -> tuple[str, ...]:
        """The main work tree and the others that git's registry names, as written and with links followed."""
        found = [str(self.repository.main_root), str(self.repository.root)]
        registry = self.repository.common_dir / "worktrees"
        try:
            places = sorted(registry.iterdir())
        except OSError:
            places = []
        for place in places:
            try:
                written = (place / "gitdir").read_text("utf-8", "surrogateescape").strip()
            except OSError:
                continue
            if written:
                found.append(os.path.normpath(place / written).removesuffix(os.sep + ".git"))
        forms = (form for root in found for form in (os.path.normpath(root), os.path.realpath(root)))
        return tuple(dict.fromkeys(form.rstrip(os.sep) for form in forms))
