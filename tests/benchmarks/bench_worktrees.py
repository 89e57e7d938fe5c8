"""Full status of 20 worktrees against the plain git commands that tell the same, in one run on one
repository.

Run it: `python -m tests.benchmarks.bench_worktrees`; or call `run()`.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from cockpit.config import Config
from cockpit.repository import find_repository
from cockpit.worktrees.reader import THREADS, Reader, read_worktrees

WORKTREES = 20
FILES = 1_500
ROUNDS = 7
QUIET = {
    **os.environ,
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{role}_{what}": "bench" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def run() -> dict[str, float]:
    """Medians in milliseconds and their ratio. `ratio` is cockpit's time over that of the plain commands.

    Both run four at a time. `scan_ms` is the first stage alone, `again_ms` a second look where nothing
    changed but one hint asked for one count.
    """
    with tempfile.TemporaryDirectory(prefix="bench-worktrees-") as folder:
        root = make_repository(Path(folder))
        trees = [root, *sorted((Path(folder) / "trees").iterdir())]
        repository, config = find_repository(root), Config()
        read_worktrees(repository, config)
        ask_plainly(root, trees)
        ours, plain = [], []
        for _ in range(ROUNDS):
            plain.append(milliseconds_of(lambda: ask_plainly(root, trees)))
            ours.append(milliseconds_of(lambda: read_worktrees(repository, config)))
        reader = Reader(repository, config)
        scan = statistics.median(milliseconds_of(reader.scan) for _ in range(ROUNDS))
        again = _again(reader)
        reader.close()
    return {
        "ratio": round(statistics.median(ours) / statistics.median(plain), 3),
        "ours_ms": round(statistics.median(ours), 1),
        "plain_ms": round(statistics.median(plain), 1),
        "scan_ms": round(scan, 2),
        "again_ms": round(again, 2),
        "worktrees": float(len(trees)),
        "files": float(FILES),
    }


def _again(reader: Reader) -> float:
    cheap = reader.scan()
    survey = reader.survey(cheap)
    known = {place.path: reader.measure(cheap, survey, place, None, True) for place in cheap.places}
    hinted = cheap.places[-1]

    def look() -> None:
        now = reader.scan()
        found = reader.survey(now)
        for place in now.places:
            reader.measure(now, found, place, known[place.path], place.path == hinted.path)
        reader.snapshot(now, found, known, frozenset())

    return statistics.median(milliseconds_of(look) for _ in range(ROUNDS))


def ask_plainly(root: Path, trees: list[Path]) -> None:
    """What a script would run for the same facts: refs, status, ahead and behind, and a trial merge for
    each.
    """
    _git(root, "worktree", "list", "--porcelain", "-z")
    _git(root, "for-each-ref", "--format=%(refname) %(objectname) %(committerdate:unix)", "refs/heads")

    def one(tree: Path) -> None:
        _git(tree, "--no-optional-locks", "status", "--porcelain=v2", "--branch", "-z")
        _git(tree, "rev-list", "--left-right", "--count", "main...HEAD")
        _git(tree, "merge-tree", "--write-tree", "main", "HEAD", check=False)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, trees))


def make_repository(folder: Path) -> Path:
    """A main work tree and twenty others: some behind, some ahead, some squashed, some in conflict, some
    edited.
    """
    root = folder / "root"
    root.mkdir()
    _git(root, "init", "-q", "-b", "main")
    for number in range(FILES):
        place = root / f"package_{number // 50}" / f"module_{number}.py"
        place.parent.mkdir(exist_ok=True)
        place.write_text(f"value = {number}\n" * 20)
    _commit(root, "start")
    for number in range(WORKTREES):
        tree = folder / "trees" / f"t{number:02}"
        _git(root, "worktree", "add", "-q", str(tree), "-b", f"feature/{number}")
        for step in range(number % 4):
            (tree / f"new_{number}_{step}.py").write_text(f"step = {step}\n")
            _commit(tree, f"step {step}")
        if number % 5 == 4:
            (tree / "package_0" / "module_0.py").write_text(f"value = 'other {number}'\n")
            _commit(tree, "a conflict to come")
    for number in (2, 7):
        _git(root, "merge", "-q", "--squash", f"feature/{number}")
        _commit(root, f"squashed {number}")
    (root / "package_0" / "module_0.py").write_text("value = 'main'\n")
    _commit(root, "main goes on")
    for number in range(0, WORKTREES, 3):
        (folder / "trees" / f"t{number:02}" / "package_1" / "module_50.py").write_text("edited = True\n")
        (folder / "trees" / f"t{number:02}" / "untracked.txt").write_text("")
    time.sleep(1.1)  # past git's doubt about files as young as its index
    for tree in (root, *(folder / "trees").iterdir()):
        subprocess.run(
            ["git", "status"], cwd=tree, env={**QUIET, "GIT_OPTIONAL_LOCKS": "1"}, capture_output=True, check=True
        )
    return root


def _commit(folder: Path, message: str) -> None:
    _git(folder, "add", "-A")
    _git(folder, "commit", "-qm", message)


def _git(folder: Path, *args: str, check: bool = True) -> None:
    subprocess.run(["git", *args], cwd=folder, env=QUIET, capture_output=True, check=check)


def milliseconds_of(work: Callable[[], object]) -> float:
    """How long a call takes, by the clock on the wall."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:<10} {value:g}")
