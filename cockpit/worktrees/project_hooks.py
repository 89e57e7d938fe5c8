"""What a project says about its worktrees in `.claude/worktree.json`: data is taken as it is, commands run only
where the repository is trusted.

Source: workflow orchestrator, worktrees (rule WO-W-4).
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from cockpit.files import read_regular
from cockpit.git_command import INHERITED
from cockpit.plain_text import plain_text

SETUP_FILE = ".claude/worktree.json"
COMMANDS = ("preBranch", "install", "postCreate")
TIMEOUT = 900.0  # seconds for one command
_LARGEST = 256 << 10


class HookFailed(Exception):
    """A command of the project said no."""


@dataclass(frozen=True, slots=True)
class ProjectSetup:
    """`.claude/worktree.json`, as far as it can be read; `problems` says what cannot."""

    hooks: tuple[tuple[str, str], ...] = ()
    port_count: int = 2
    services: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def commands(self) -> tuple[str, ...]:
        """`name: words` of each command that it wants to run."""
        return tuple(f"{name}: {plain_text(words, 200)}" for name, words in self.hooks)

    def command(self, name: str) -> str:
        """The words of one command, "" where it has none."""
        return dict(self.hooks).get(name, "")


NO_SETUP = ProjectSetup()


def read_setup(root: Path) -> ProjectSetup:
    """The project's setup file; none is an empty one."""
    try:
        document = json.loads(read_regular(root / SETUP_FILE, _LARGEST))
    except FileNotFoundError:
        return ProjectSetup()
    except OSError as problem:
        return ProjectSetup(problems=(f"{SETUP_FILE} cannot be read: {problem.strerror}",))
    except (ValueError, RecursionError):
        return ProjectSetup(problems=(f"{SETUP_FILE} is not valid JSON: ignored",))
    if not isinstance(document, dict):
        return ProjectSetup(problems=(f"{SETUP_FILE} is no JSON object: ignored",))
    hooks = tuple((name, words) for name in COMMANDS if (words := _words(document.get(name))))
    ports = document.get("ports")
    ports = ports if isinstance(ports, dict) else {}
    count = ports.get("count")
    services = ports.get("services")
    copied, problems = _inside(root, [*_texts(document.get("copyDirs")), *_texts(document.get("envFiles"))])
    return ProjectSetup(
        hooks,
        count if isinstance(count, int) and not isinstance(count, bool) and 2 <= count <= 20 else 2,
        tuple(plain_text(name, 40) for name in _texts(services)),
        tuple(copied),
        tuple(problems),
    )


def setup_commands(root: Path) -> dict[str, str]:
    """The commands alone: what trust in the repository covers."""
    return dict(read_setup(root).hooks)


def run_hook(
    name: str,
    command: str,
    folder: Path,
    tree: Path,
    branch: str,
    ports: tuple[int, ...],
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Run one command of the project in `folder`, with its ports in the environment. Raises `HookFailed`."""
    environment = {key: value for key, value in os.environ.items() if key not in INHERITED}
    environment |= {"COCKPIT_WORKTREE": str(tree), "COCKPIT_BRANCH": branch}
    if ports:
        environment |= {"PORT": str(ports[0]), "COCKPIT_PORTS": ",".join(map(str, ports))}
    try:
        process = subprocess.Popen(
            ["sh", "-c", command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as problem:
        raise HookFailed(f"{name} did not start: {problem.strerror}") from None
    until = time.monotonic() + TIMEOUT
    while True:
        try:
            out, _ = process.communicate(timeout=0.2)
            break
        except subprocess.TimeoutExpired:
            if stopped() or time.monotonic() > until:
                _end(process)
                why = "was stopped" if stopped() else f"did not end within {TIMEOUT:g} s"
                raise HookFailed(f"{name} {why}") from None
    if process.returncode:
        last = next((line for line in reversed(out.decode("utf-8", "replace").splitlines()) if line.strip()), "")
        raise HookFailed(f"{name} failed with {process.returncode}: {plain_text(last, 160)}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        process.kill()
    process.communicate()


def _words(value: Any) -> str:
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return " && ".join(value)
    return value.strip() if isinstance(value, str) else ""


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str) and one] if isinstance(value, list) else []


def _inside(root: Path, names: list[str]) -> tuple[list[str], list[str]]:
    """Those names that stay inside the project, and a line for each that does not."""
    kept, problems = [], []
    for name in names:
        path = PurePosixPath(name)
        real = os.path.realpath(root / name) if "\0" not in name else ""
        if path.is_absolute() or not real.startswith(os.path.realpath(root) + os.sep):
            problems.append(f"{SETUP_FILE}: {plain_text(name, 60)} is outside the project: not copied")
        else:
            kept.append(path.as_posix())
    return kept, problems
