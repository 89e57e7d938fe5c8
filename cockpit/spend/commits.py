"""What each commit cost: the responses of its work tree since the commit before it."""

import os
from bisect import bisect_left
from dataclasses import dataclass, replace
from pathlib import Path

from cockpit.errors import CannotAnswer
from cockpit.files import read_regular
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from cockpit.spend.ledger import Ledger
from cockpit.spend.models import SpendRow
from cockpit.spend.places import UNATTRIBUTED, Places
from cockpit.spend.sums import Cell, Scope, Sum, rows_of

UNCOMMITTED = "not committed"
_SHOWN = 12  # characters of a commit's name


@dataclass(frozen=True, slots=True)
class Tree:
    """A work tree and the commits that were made in it, oldest first: seconds since 1970 UTC, and name with subject."""

    root: str
    times: tuple[int, ...]
    names: tuple[str, ...]


class Commits:
    """Tells which commit a response belongs to. An amended commit takes what its first form had."""

    def __init__(self, repository: Repository) -> None:
        logs = [(str(repository.main_root), repository.common_dir / "logs" / "HEAD")]
        registry = repository.common_dir / "worktrees"
        try:
            folders = sorted(registry.iterdir())
        except OSError:
            folders = []
        for folder in folders:
            try:
                written = (folder / "gitdir").read_text("utf-8", "surrogateescape").strip()
            except OSError:
                continue
            root = os.path.normpath(folder / written).removesuffix(os.sep + ".git")
            logs.append((root, folder / "logs" / "HEAD"))
        trees = [_tree(root, log) for root, log in logs]
        self._trees = sorted(trees, key=lambda tree: -len(tree.root))
        self._of: dict[str, Tree | None] = {}

    def name_of(self, cell: Cell) -> str:
        """The commit of a response (its short name and subject), or why there is none."""
        tree = self.tree_of(cell.origin.cwd)
        if tree is None or cell.at is None:
            return UNATTRIBUTED
        index = bisect_left(tree.times, cell.at // 1000)
        return tree.names[index] if index < len(tree.names) else f"{UNCOMMITTED}: {Path(tree.root).name}"

    def tree_of(self, cwd: str) -> Tree | None:
        """The work tree that holds the folder, None where it is in none that is there."""
        if cwd not in self._of:
            self._of[cwd] = self._look(cwd)
        return self._of[cwd]

    def _look(self, cwd: str) -> Tree | None:
        try:
            if not cwd or not Path(cwd).exists():  # a work tree that is gone took its log with it
                return None
            forms = (os.path.normpath(cwd), os.path.realpath(cwd))
        except (OSError, ValueError):
            return None
        for tree in self._trees:
            for root in (tree.root, os.path.realpath(tree.root)):
                if any(place == root or place.startswith(root.rstrip(os.sep) + os.sep) for place in forms):
                    return tree
        return None


def commit_sums(ledger: Ledger, scope: Scope) -> dict[str, Sum]:
    """The sums in `scope` by commit. Raises `CannotAnswer` where it names no repository."""
    if scope.places.repository is None:
        raise CannotAnswer("commits are those of one repository", "leave out --all-repos")
    commits = Commits(scope.places.repository)
    found: dict[str, Sum] = {}
    for cell in ledger.responses(scope):
        found.setdefault(commits.name_of(cell), Sum()).add_cell(cell)
    return found


def commit_costs(ledger: Ledger, repository: Repository, path: str) -> list[SpendRow]:
    """What the commits of the work tree at `path` cost, the newest first; before them what is not committed yet.

    Commits that cost nothing are left out.
    """
    commits = Commits(repository)
    tree = commits.tree_of(path)
    if tree is None:
        return []
    sums: dict[str, Sum] = {}
    for cell in ledger.responses(Scope(Places(repository))):
        if cell.at is not None and commits.tree_of(cell.origin.cwd) is tree:
            sums.setdefault(commits.name_of(cell), Sum()).add_cell(cell)
    open_ones = [name for name in sums if name not in tree.names]
    order = [*open_ones, *(name for name in reversed(tree.names) if name in sums)]
    rows = {row.key: row for row in rows_of(sums)}
    return [replace(rows[name], key=UNCOMMITTED) if name in open_ones else rows[name] for name in order]


def _tree(root: str, log: Path) -> Tree:
    """The commits of a work tree by its log of what it had checked out."""
    try:
        raw = read_regular(log)
    except OSError:
        raw = b""
    made: list[tuple[int, str, str]] = []
    for line in raw.decode("utf-8", "replace").splitlines():
        head, _, message = line.partition("\t")
        words = head.split()
        if not message.startswith("commit") or len(words) < 4 or not words[-2].isdigit():
            continue
        old, new, when = words[0], words[1], int(words[-2])
        if message.startswith("commit (amend)") and made and made[-1][1] == old:
            made.pop()
        made.append((when, new, f"{new[:_SHOWN]} {plain_text(message.partition(': ')[2], 60)}".rstrip()))
    made.sort(key=lambda entry: entry[0])
    return Tree(root, tuple(when for when, _, _ in made), tuple(name for _, _, name in made))
