"""Where a response was made: in this repository (any of its worktrees), or in which other."""

import os
from pathlib import Path

from cockpit.errors import CannotAnswer
from cockpit.repository import Repository, find_repository

UNATTRIBUTED = "unattributed"


class Places:
    """Tells whether a working directory lies in `repository` or its worktrees; without one, all do."""

    def __init__(self, repository: Repository | None) -> None:
        self.repository = repository
        self.roots: tuple[str, ...] = ()
        self._inside: dict[str, bool] = {}
        self._names: dict[str, str] = {}
        self.refresh()

    def refresh(self) -> bool:
        """Look again which worktrees there are. True where they changed."""
        roots = () if self.repository is None else _roots(self.repository)
        changed = roots != self.roots
        if changed:
            self.roots = roots
            self._inside.clear()
        return changed

    def inside(self, cwd: str) -> bool:
        """Whether `cwd` is a work tree of the repository or lies below one, symbolic links followed."""
        if self.repository is None:
            return True
        known = self._inside.get(cwd)
        if known is None:
            known = self._inside[cwd] = bool(cwd) and any(
                place == root or place.startswith(root.rstrip(os.sep) + os.sep)
                for place in _forms(cwd)
                for root in self.roots
            )
        return known

    def name_of(self, cwd: str) -> str:
        """The main work tree of the repository that holds (or, if it is gone, held) `cwd`, else `cwd`."""
        if not cwd:
            return UNATTRIBUTED
        name = self._names.get(cwd)
        if name is None:
            name = self._names[cwd] = _main_root_of(cwd)
        return name


def _forms(cwd: str) -> tuple[str, ...]:
    try:
        return (os.path.normpath(cwd), os.path.realpath(cwd))
    except ValueError:  # a NUL in it: no folder has such a name
        return ()


def _main_root_of(cwd: str) -> str:
    place = Path(cwd)
    while not place.is_dir() and place != place.parent:
        place = place.parent
    try:
        return str(find_repository(place).main_root)
    except (CannotAnswer, OSError, ValueError):
        return cwd


def _roots(repository: Repository) -> tuple[str, ...]:
    """The main work tree and the others that git's registry names, as written and with links followed."""
    found = [str(repository.main_root), str(repository.root)]
    registry = repository.common_dir / "worktrees"
    try:
        names = sorted(entry.name for entry in registry.iterdir())
    except OSError:
        names = []
    for name in names:
        try:
            written = (registry / name / "gitdir").read_text("utf-8", "surrogateescape").strip()
        except OSError:
            continue
        if written:
            found.append(os.path.normpath(registry / name / written).removesuffix(os.sep + ".git"))
    return tuple(dict.fromkeys(form for root in found for form in (os.path.normpath(root), os.path.realpath(root))))
