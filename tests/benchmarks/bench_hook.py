"""What hooks cost, in multiples of a bare Python: the pre-commit hook with one staged file, and an agent's edit."""

import json
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

from cockpit.hooks.agents import spooling_command
from cockpit.hooks.launcher import isolated
from cockpit.repository import find_repository
from cockpit.warm import client
from cockpit.warm.host import WarmProcess
from cockpit.warm.telling import Shown, write_snapshot

FILES = 60
ROUNDS = 15
MANY_FILES = 1400
MANY_ROUNDS = 9


def run() -> dict[str, float]:
    """`staged_*` and `edit_*` alone, `staged_open_*` and `edit_open_*` while the app is open, `python_ms` the same
    interpreter with `-c pass`; `_ms` and `_ratio` are medians, ratios of what was taken in turns. The cache of findings
    is warm, as it is after the first commit; cockpit is called as the installed hooks call it. `many_*`: the same in a
    project of 1,400 files, with a staged file that nobody has judged yet."""
    folder = Path(tempfile.mkdtemp(prefix="bench-hook-"))
    root = folder / "shop"
    environment = {**os.environ, "COCKPIT_STATE_DIR": str(folder / "state"), "COCKPIT_CONFIG_DIR": str(folder / "etc")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    bare = [sys.executable, "-c", "pass"]
    hook = isolated("cockpit.entry", "check", "--staged")
    answer = isolated("cockpit.hook", "PreToolUse")
    line = [str(Path(sys.executable).parent / "cockpit"), "status"]
    alone = {**environment, "COCKPIT_WARM": "0"}
    try:
        _prepare(root, hook, alone)
        edit = an_edit(root)
        taken: dict[str, list[float]] = {}
        process = started_warm(root, environment)
        write_snapshot(find_repository(root), Shown())
        spooling = spooling_command("claude")
        for turn in range(ROUNDS + 2):
            for name, command, variables, given in (
                ("python", bare, alone, b""),
                ("staged", hook, alone, b""),
                ("staged_open", hook, environment, b""),
                ("edit", answer, alone, edit),
                ("edit_open", answer, environment, edit),
                ("status_open", line, environment, b""),
                ("spool", ["sh", "-c", spooling], environment, edit),
            ):
                started = time.perf_counter()
                done = subprocess.run(command, cwd=root, env=variables, input=given, capture_output=True, check=False)
                if turn >= 2:
                    taken.setdefault(name, []).append((time.perf_counter() - started) * 1000)
                if done.returncode not in (0, 1):
                    raise RuntimeError(done.stderr.decode("utf-8", "replace"))
        process.close()
        many = _in_many_files(folder / "many", hook, environment)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return summed(taken) | {name: value for name, value in summed(many).items() if not name.startswith("python")}


def _in_many_files(root: Path, hook: list[str], environment: dict[str, str]) -> dict[str, list[float]]:
    """What the hooks take in a large project, in turns with a bare Python; the staged file is another one each time."""
    alone = {**environment, "COCKPIT_WARM": "0"}
    sweep = isolated("cockpit.entry", "sweep", "--staged")
    _prepare(root, hook, alone, MANY_FILES)
    process = started_warm(root, environment)
    taken: dict[str, list[float]] = {}
    for turn in range(MANY_ROUNDS + 2):
        for name, command, variables in (
            ("python", [sys.executable, "-c", "pass"], alone),
            ("many_staged", hook, alone),
            ("many_staged_open", hook, environment),
            ("many_sweep", sweep, alone),
            ("many_sweep_open", sweep, environment),
        ):
            _stage(root, f"{name}{turn}")
            started = time.perf_counter()
            done = subprocess.run(command, cwd=root, env=variables, capture_output=True, check=False)
            if turn >= 2:
                taken.setdefault(name, []).append((time.perf_counter() - started) * 1000)
            if done.returncode not in (0, 1):
                raise RuntimeError(done.stderr.decode("utf-8", "replace"))
    process.close()
    return taken


def _stage(root: Path, name: str) -> None:
    """Add a line to the largest view of the project, and stage it."""
    view = max(root.rglob("views.py"), key=lambda path: path.stat().st_size)
    with view.open("a") as stream:
        stream.write(f"{name} = 1\n")
    subprocess.run(["git", "add", "-A"], cwd=root, check=True, capture_output=True)


def _prepare(root: Path, hook: list[str], environment: dict[str, str], files: int = FILES) -> None:
    """A committed project with a configuration and one staged file, and the cache of its findings filled."""
    make_project(root, files)
    with (root / "pyproject.toml").open("a") as stream:
        stream.write("[tool.cockpit]\nmax_worktrees = 3\n")
    commit = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "-m", "start"]
    subprocess.run(commit, cwd=root, check=True, capture_output=True)
    staged = root / "apps" / "added.py"
    staged.parent.mkdir(exist_ok=True)
    staged.write_text("def added(first: int, second: int) -> int:\n    return first + second\n")
    subprocess.run(["git", "add", "-A"], cwd=root, check=True, capture_output=True)
    subprocess.run(hook, cwd=root, env=environment, check=False, capture_output=True)
    time.sleep(2.1)  # a cache that was filled while files were new is not believed yet
    check = [sys.executable, "-m", "cockpit", "check"]
    subprocess.run(check, cwd=root, env=environment, check=False, capture_output=True)


def an_edit(root: Path) -> bytes:
    """An agent's call that writes the largest view of the project again, with a line more."""
    view = max(root.rglob("views.py"), key=lambda path: path.stat().st_size)
    given = {"file_path": str(view), "content": view.read_text() + "\nMORE = 1\n"}
    said = {"session_id": "bench", "hook_event_name": "PreToolUse", "tool_name": "Write", "tool_input": given}
    return json.dumps({**said, "cwd": str(root)}).encode()


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
