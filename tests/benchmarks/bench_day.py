"""`cockpit start-day` on a repository with 20 worktrees against the plain git commands that tell the same, both as
processes, in one run on one repository.

Run it: `python -m tests.benchmarks.bench_day`; or call `run()`.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.bench_worktrees import QUIET, ask_plainly, make_repository, milliseconds_of

ROUNDS = 5


def run() -> dict[str, float]:
    """Medians in milliseconds and the ratio of pairs. The plain commands run four at a time, as ours do."""
    with tempfile.TemporaryDirectory(prefix="bench-day-") as folder:
        root = make_repository(Path(folder))
        trees = [root, *sorted((Path(folder) / "trees").iterdir())]
        home = Path(folder) / "home"
        home.mkdir()
        own = {"HOME": home, "COCKPIT_STATE_DIR": home / "state", "CLAUDE_CONFIG_DIR": home / "claude"}
        environment = {**QUIET, **{name: os.fspath(path) for name, path in own.items()}}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its byte code
        words = [sys.executable, "-m", "cockpit", "--repo", str(root), "start-day"]

        def start() -> None:
            house = Path(__file__).parents[2]
            subprocess.run(words, cwd=house, env=environment, capture_output=True, check=True)

        start()
        ask_plainly(root, trees)
        pairs = [(milliseconds_of(start), milliseconds_of(lambda: ask_plainly(root, trees))) for _ in range(ROUNDS)]
    return {
        "start_ratio": round(statistics.median(ours / plain for ours, plain in pairs), 3),
        "start_ms": round(statistics.median(ours for ours, _ in pairs), 1),
        "plain_ms": round(statistics.median(plain for _, plain in pairs), 1),
    }


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:12} {value}")
