"""Trial merges: what merging two commits would make, asked of git for many pairs in one process.

What a trial makes goes to a temporary folder, never into the repository under view. Only commits count: what is not
committed yet is not in it.
"""

import contextlib
from collections.abc import Iterable, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path

from cockpit.git_command import GitFailed, RunningGit, git_bytes
from cockpit.plain_text import plain_text
from skills.record import record

Pair = tuple[str, str]
_KEPT = 8000
_TIMEOUT = 120.0  # seconds that git may take for them
_WORDS = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z")


@record
class Trial:
    """What a merge would make: the object id of its tree, whether it would be clean, and the files in conflict."""

    tree: str
    clean: bool
    files: tuple[str, ...] = ()


class TrialMerges:
    """Tries merges again and again, and asks git only for pairs of commits that it was not asked for before.

    May be used from several threads at once. Close it after use.
    """

    def __init__(self) -> None:
        self._known: dict[Pair, Trial] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._running: Future[None] | None = None

    def close(self) -> None:
        """Start nothing more."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def start(self, folder: Path, pairs: Iterable[Pair], environment: Mapping[str, str]) -> None:
        """Ask for `pairs` in the background: what comes next runs meanwhile."""
        wanted = self._missing(pairs)
        if wanted:
            self._pool = self._pool or ThreadPoolExecutor(1)
            self._running = self._pool.submit(self._ask, folder, wanted, environment)

    def of(self, folder: Path, pairs: Iterable[Pair], environment: Mapping[str, str]) -> dict[Pair, Trial]:
        """The trials of `pairs`, without those that have no common past. Raises `GitFailed` where git is older than
        2.38.
        """
        asked = list(pairs)
        wanted = self._missing(asked)
        if wanted and self._running is not None:
            with contextlib.suppress(GitFailed, CancelledError):  # it is asked again below, and told there
                self._running.result()
            wanted = self._missing(asked)
        if wanted:
            if len(self._known) > _KEPT:
                self._known = {pair: self._known[pair] for pair in asked if pair in self._known}
            self._ask(folder, wanted, environment)
        known = self._known
        return {pair: known[pair] for pair in asked if pair in known}

    def _missing(self, pairs: Iterable[Pair]) -> list[Pair]:
        return sorted({pair for pair in pairs if pair not in self._known and pair[0] != pair[1]})

    def _ask(self, folder: Path, wanted: list[Pair], environment: Mapping[str, str]) -> None:
        self._known.update(trial_merges(folder, wanted, environment))


def trial_merges(folder: Path, pairs: Iterable[Pair], environment: Mapping[str, str]) -> dict[Pair, Trial]:
    """What merging the second of each pair into the first would make.

    A pair without a common past is left out. Raises `GitFailed` where git is older than 2.38.
    """
    wanted = list(dict.fromkeys(pairs))
    if not wanted:
        return {}
    given = "".join(f"{one} {other}\n" for one, other in wanted).encode()
    try:
        output = RunningGit(folder, *_WORDS, "--stdin", environment=environment).answer(given, timeout=_TIMEOUT)
    except GitFailed:  # older than 2.39, or one pair that cannot be merged stops them all
        return one_by_one(folder, wanted, environment)
    return dict(zip(wanted, _answers(output), strict=False))


def _answers(output: bytes) -> Iterable[Trial]:
    """Of `STATUS NUL TREE NUL (FILE NUL)* NUL` for each pair, the trial."""
    fields = iter(output.split(b"\0"))
    for status in fields:
        if status.strip() not in (b"0", b"1"):
            return
        tree = next(fields, b"").decode("ascii", "replace")
        files = []
        for file in fields:
            if not file:
                break
            files.append(plain_text(file, 200))
        yield Trial(tree, status.strip() == b"1", tuple(files))


def one_by_one(folder: Path, pairs: Iterable[Pair], environment: Mapping[str, str]) -> dict[Pair, Trial]:
    """`trial_merges` with one process a pair."""
    found: dict[Pair, Trial] = {}
    for pair in pairs:
        try:
            output, clean = git_bytes(folder, *_WORDS, *pair, timeout=_TIMEOUT, environment=environment), True
        except GitFailed as problem:
            if problem.status != 1:
                if "unrelated" in problem.line:
                    continue
                raise
            output, clean = problem.out, False
        tree, *files = output.split(b"\0")
        shown = () if clean else tuple(plain_text(name, 200) for name in files if name)
        found[pair] = Trial(tree.strip().decode("ascii", "replace"), clean, shown)
    return found
