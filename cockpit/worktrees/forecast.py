"""Which commits would be in conflict if they were merged: asked of git for many pairs in one process.

What the comparison makes goes to a temporary folder, never into the repository under view. Only commits count: what is
not committed yet is not in it.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from cockpit.git_command import GitFailed, RunningGit, git_bytes
from cockpit.plain_text import plain_text

Pair = tuple[str, str]
MOST_PAIRS = 800  # of worktrees among each other; beyond that only the base is compared
_WORDS = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z")


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
