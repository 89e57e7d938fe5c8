"""What the pre-commit hook costs: `cockpit check --staged` with one staged file, in multiples of a bare Python."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench_check import make_project

from cockpit.repository import find_repository
from cockpit.warm import client
from cockpit.warm.host import WarmProcess

CALL = "import sys; from cockpit.entry import main; sys.exit(main())"
FILES = 60
ROUNDS = 15


def run() -> dict[str, float]:
    """`staged_ms`, `open_ms` (while the app is open) and `python_ms` (the same interpreter, `-c pass`), medians, and
    `staged_ratio` and `open_ratio`, medians of what was taken in turns. The cache of findings is warm, as it is after
    the first commit; cockpit is called as the installed hook calls it."""
    folder = Path(tempfile.mkdtemp(prefix="bench-hook-"))
    root = folder / "shop"
    environment = {**os.environ, "COCKPIT_STATE_DIR": str(folder / "state"), "COCKPIT_CONFIG_DIR": str(folder / "etc")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    bare = [sys.executable, "-c", "pass"]
    hook = [sys.executable, "-E", "-P", "-c", CALL, "check", "--staged"]
    alone = {**environment, "COCKPIT_WARM": "0"}
    try:
        make_project(root, FILES)
        commit = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "-m", "start"]
        subprocess.run(commit, cwd=root, check=True, capture_output=True)
        staged = root / "apps" / "added.py"
        staged.parent.mkdir(exist_ok=True)
        staged.write_text("def added(first: int, second: int) -> int:\n    return first + second\n")
        subprocess.run(["git", "add", "-A"], cwd=root, check=True, capture_output=True)
        subprocess.run(hook, cwd=root, env=alone, check=False, capture_output=True)
        taken: dict[str, list[float]] = {"python": [], "staged": [], "open": []}
        process = started_warm(root, environment)
        for turn in range(ROUNDS + 2):
            for name, command, variables in (
                ("python", bare, alone),
                ("staged", hook, alone),
                ("open", hook, environment),
            ):
                started = time.perf_counter()
                done = subprocess.run(command, cwd=root, env=variables, capture_output=True, check=False)
                if turn >= 2:
                    taken[name].append((time.perf_counter() - started) * 1000)
                if done.returncode not in (0, 1):
                    raise RuntimeError(done.stderr.decode("utf-8", "replace"))
        process.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return summed(taken)


def started_warm(root: Path, environment: dict[str, str]) -> WarmProcess:
    """The warm process as the app starts it, once it answers."""
    os.environ.update(environment)
    process = WarmProcess(find_repository(root))
    process.start()
    until = time.monotonic() + 30
    while client.ask("command", ["--version"], folder=str(root)) is None:
        if time.monotonic() > until:
            raise RuntimeError("the warm process does not answer")
        time.sleep(0.1)
    return process


def summed(taken: dict[str, list[float]]) -> dict[str, float]:
    """`<name>_ms` of each, and `<name>_ratio` against `python` of the same turn: medians."""
    found = {f"{name}_ms": round(statistics.median(times), 1) for name, times in taken.items()}
    for name, times in taken.items():
        if name != "python":
            ratios = [ours / python for ours, python in zip(times, taken["python"], strict=True)]
            found[f"{name}_ratio"] = round(statistics.median(ratios), 2)
    return found


if __name__ == "__main__":
    print(run())
