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

from bench_check import make_project

FILES = 60
ROUNDS = 15


def run() -> dict[str, float]:
    """`staged_ms`, `python_ms` (the same interpreter, `-c pass`) and their ratio `staged_ratio`, medians, taken in
    turns; the cache of findings is warm, as it is after the first commit."""
    folder = Path(tempfile.mkdtemp(prefix="bench-hook-"))
    root = folder / "shop"
    environment = {**os.environ, "COCKPIT_STATE_DIR": str(folder / "state"), "COCKPIT_CONFIG_DIR": str(folder / "etc")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    bare = [sys.executable, "-c", "pass"]
    hook = [sys.executable, "-m", "cockpit", "check", "--staged"]
    try:
        make_project(root, FILES)
        commit = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "-m", "start"]
        subprocess.run(commit, cwd=root, check=True, capture_output=True)
        staged = root / "apps" / "added.py"
        staged.parent.mkdir(exist_ok=True)
        staged.write_text("def added(first: int, second: int) -> int:\n    return first + second\n")
        subprocess.run(["git", "add", "-A"], cwd=root, check=True, capture_output=True)
        taken: dict[str, list[float]] = {"python": [], "staged": []}
        for turn in range(ROUNDS + 2):
            for name, command in (("python", bare), ("staged", hook)):
                started = time.perf_counter()
                done = subprocess.run(command, cwd=root, env=environment, capture_output=True, check=False)
                if turn >= 2:
                    taken[name].append((time.perf_counter() - started) * 1000)
                if done.returncode not in (0, 1):
                    raise RuntimeError(done.stderr.decode("utf-8", "replace"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    python, ours = statistics.median(taken["python"]), statistics.median(taken["staged"])
    return {"python_ms": round(python, 1), "staged_ms": round(ours, 1), "staged_ratio": round(ours / python, 2)}


if __name__ == "__main__":
    print(run())
