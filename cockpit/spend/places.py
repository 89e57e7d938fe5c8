"""Where a response was made: in this repository (any of its worktrees), or in which other."""

from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.errors import CannotAnswer

if TYPE_CHECKING:
    from cockpit.phases.membership import Membership
    from cockpit.repository import Repository

UNATTRIBUTED = "unattributed"


class Places:
    """Tells whether a working directory lies in `repository` or its worktrees; without one, all do."""

    def __init__(self, repository: "Repository | None") -> None:
        self.repository = repository
        self._membership = None if repository is None else _membership_of(repository)
        self._names: dict[str, str] = {}

    def refresh(self) -> bool:
        """Look again which worktrees there are. True where they changed."""
        return self._membership is not None and self._membership.refresh()

    def inside(self, cwd: str) -> bool:
        """Whether `cwd` lies in a work tree of the repository."""
        return self._membership is None or self._membership.holds(cwd)

    def name_of(self, cwd: str) -> str:
        """The main work tree of the repository that holds (or, if it is gone, held) `cwd`, else `cwd`."""
        if not cwd:
            return UNATTRIBUTED
        name = self._names.get(cwd)
        if name is None:
            name = self._names[cwd] = _main_root_of(cwd)
        return name


def _membership_of(repository: "Repository") -> "Membership":
    from cockpit.phases.membership import Membership  # not where all repositories are asked for

    return Membership(repository)


def _main_root_of(cwd: str) -> str:
    from cockpit.repository import find_repository

    place = Path(cwd)
    while not place.is_dir() and place != place.parent:
        place = place.parent
    try:
        return str(find_repository(place).main_root)
    except (CannotAnswer, OSError, ValueError):
        return cwd
