"""Which commits would be in conflict if they were merged: asked of git for many pairs in one process.

What the comparison makes goes to a temporary folder, never into the repository under view. Only commits count: what is
not committed yet is not in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path

from cockpit.git_command import GitFailed, RunningGit, git_bytes
from cockpit.plain_text import plain_text
from cockpit.worktrees.models import Clash
from skills.record import record

Pair = tuple[str, str]
MOST_PAIRS = 800  # of worktrees among each other; beyond that only the base is compared
_KEPT = 8000
_WORDS = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z")


@record
class ToMerge:
    """A worktree with commits of its own: its branch's name and commit, and those of its base (None: it has none)."""

    path: str
    name: str
    head: str
    base: str | None
    base_sha: str | None


class Forecaster:
    """Forecasts conflicts again and again, and asks git only for pairs of commits that it was not asked for before."""

    def __init__(self) -> None:
        self._known: dict[Pair, tuple[str, ...]] = {}

    def forecast(
        self, folder: Path, trees: Sequence[ToMerge], environment: Mapping[str, str]
    ) -> dict[str, tuple[Clash, ...]]:
        """The conflicts of each worktree by its path: with its base first, then with the others, in files that are not
        in conflict with the base anyway.
        """
        against = {tree.path: (tree.base_sha, tree.head) for tree in trees if tree.base_sha}
        among = list(combinations(trees, 2)) if len(trees) * (len(trees) - 1) // 2 <= MOST_PAIRS else []
        pairs = {(one.path, other.path): (min(one.head, other.head), max(one.head, other.head)) for one, other in among}
        self._ask(folder, {*against.values(), *pairs.values()}, environment)
        found: dict[str, list[Clash]] = {}
        for tree in trees:
            files = self._known.get(against[tree.path], ()) if tree.path in against else ()
            if files and tree.base:
                found[tree.path] = [Clash(tree.base, files)]
        with_base = {path: set(clashes[0].files) for path, clashes in found.items()}
        for one, other in among:
            settled = with_base.get(one.path, set()) | with_base.get(other.path, set())
            files = tuple(file for file in self._known.get(pairs[one.path, other.path], ()) if file not in settled)
            if files:
                found.setdefault(one.path, []).append(Clash(other.name, files))
                found.setdefault(other.path, []).append(Clash(one.name, files))
        return {path: tuple(clashes) for path, clashes in found.items()}

    def _ask(self, folder: Path, pairs: set[Pair], environment: Mapping[str, str]) -> None:
        if len(self._known) > _KEPT:
            self._known = {pair: files for pair, files in self._known.items() if pair in pairs}
        wanted = sorted(pair for pair in pairs - self._known.keys() if pair[0] != pair[1])
        self._known.update(conflicts(folder, wanted, environment))


def conflicts(folder: Path, pairs: Iterable[Pair], environment: Mapping[str, str]) -> dict[Pair, tuple[str, ...]]:
    """The files in conflict of each pair of commits, none where they merge cleanly.

    A pair without a common past is left out. Raises `GitFailed` where git is older than 2.38.
    """
    wanted = list(dict.fromkeys(pairs))
    if not wanted:
        return {}
    given = "".join(f"{one} {other}\n" for one, other in wanted).encode()
    try:
        output = RunningGit(folder, *_WORDS, "--stdin", environment=environment).answer(given, timeout=120)
    except GitFailed:  # older than 2.39, or one pair that cannot be merged stops them all
        return _one_by_one(folder, wanted, environment)
    return dict(zip(wanted, _answers(output), strict=False))


def _answers(output: bytes) -> Iterable[tuple[str, ...]]:
    """Of `STATUS NUL TREE NUL (FILE NUL)* NUL` for each pair, the files."""
    fields = iter(output.split(b"\0"))
    for status in fields:
        if status.strip() not in (b"0", b"1"):
            return
        next(fields, b"")  # the tree
        files = []
        for file in fields:
            if not file:
                break
            files.append(plain_text(file, 200))
        yield tuple(files)


def _one_by_one(folder: Path, pairs: list[Pair], environment: Mapping[str, str]) -> dict[Pair, tuple[str, ...]]:
    found: dict[Pair, tuple[str, ...]] = {}
    for pair in pairs:
        try:
            git_bytes(folder, *_WORDS, *pair, timeout=120, environment=environment)
            found[pair] = ()
        except GitFailed as problem:
            if problem.status == 1:
                found[pair] = _files_of(problem.out)
            elif "unrelated" not in problem.line:
                raise
    return found


def _files_of(output: bytes) -> tuple[str, ...]:
    return tuple(plain_text(file, 200) for file in output.split(b"\0")[1:] if file)
