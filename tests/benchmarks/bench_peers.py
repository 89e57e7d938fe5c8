"""A cold and a warm check of a real code base against Fixit with its own rules and against ruff, in the same run.

Not part of the table, because it needs what the project does not bring: `BENCH_CODE_BASE`, a checkout of a Django
project of about 1,200 files, and `fixit` and `ruff` on the path (or `BENCH_FIXIT`). Run it on a quiet machine:
`BENCH_CODE_BASE=~/src/project python -m tests.benchmarks.bench_peers`. What is missing is said, and not measured.

Each figure is wall time and processor time of all processes of a run; the ratios are taken of both.
"""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 3
RUFF = ("check", "--no-cache", "--isolated", "--exit-zero", "--quiet", "--select", "E,F,B,S,C4,PERF,ANN")
LIMITS = {"fixit / cold check": "≥ 100", "cold check / ruff": "≤ 8", "warm / cold check": "≤ 0.25"}

Cost = tuple[float, float]
"""Seconds of wall time and of processor time."""


def main() -> int:
    """Measures what can be measured and prints it; 0 where something was."""
    named = os.environ.get("BENCH_CODE_BASE", "")
    root = Path(named).expanduser()
    if not named or not root.is_dir():
        print("not run: BENCH_CODE_BASE names no folder with a Django project")
        return 1
    beside = Path(sys.executable).parent
    ruff = shutil.which("ruff") or shutil.which("ruff", path=str(beside))
    fixit = os.environ.get("BENCH_FIXIT") or shutil.which("fixit")
    folder = Path(tempfile.mkdtemp(prefix="bench-peers-"))
    try:
        _check(root, folder / "first")  # compiles our modules, which an installed program does once
        cold, warm, other = [], [], []
        for number in range(ROUNDS):
            cold.append(_check(root, folder / str(number)))
            warm.append(_check(root, folder / str(number)))
            other += [_cost([ruff, *RUFF, str(root)])] if ruff else []
        slow = _cost([fixit, "--quiet", "lint", str(root)]) if fixit else None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{sum(1 for _ in root.rglob('*.py'))} files in {root.name}")
    costs = {"cold check": _middle(cold), "warm check": _middle(warm)}
    costs |= {"ruff": _middle(other)} if other else {}
    costs |= {"fixit lint": slow} if slow else {}
    for what, (wall, processor) in costs.items():
        print(f"{what:20} {wall:8.2f} s wall {processor:8.2f} s processor")
    ratios = {"warm / cold check": ("warm check", "cold check"), "cold check / ruff": ("cold check", "ruff"),
              "fixit / cold check": ("fixit lint", "cold check")}  # fmt: skip
    for what, (above, below) in ratios.items():
        if above not in costs or below not in costs:
            print(f"{what:20} not run: {'fixit' if 'fixit' in what else 'ruff'} is not installed")
            continue
        by_wall, by_processor = (costs[above][kind] / costs[below][kind] for kind in (0, 1))
        print(f"{what:20} {by_wall:8.2f} of wall {by_processor:8.2f} of processor time, limit {LIMITS[what]}")
    return 0


def _middle(costs: list[Cost]) -> Cost:
    return statistics.median(wall for wall, _ in costs), statistics.median(processor for _, processor in costs)


def _check(root: Path, state: Path) -> Cost:
    program = [sys.executable, "-m", "cockpit", "--repo", str(root), "check", "--format", "json"]
    return _cost(program, COCKPIT_STATE_DIR=str(state))


def _cost(command: list[str], **more: str) -> Cost:
    environment = {**os.environ, **more}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program was compiled once, not at each start

    def used() -> float:
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        return spent.ru_utime + spent.ru_stime

    before, began = used(), time.perf_counter()
    subprocess.run(command, env=environment, capture_output=True, check=False)
    return time.perf_counter() - began, used() - before


if __name__ == "__main__":
    sys.exit(main())
