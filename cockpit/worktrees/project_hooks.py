"""What a project says about its worktrees in `.claude/worktree.json`: data is taken as it is, commands run only
where the repository is trusted.

Source: workflow orchestrator, worktrees (rule WO-W-4).
"""

import json
import os
from pathlib import Path, PurePosixPath

from cockpit.files import read_regular
from cockpit.plain_text import plain_text
from cockpit.programs import Programs
from skills.record import record

SETUP_FILE = ".claude/worktree.json"
COMMANDS = ("preBranch", "install", "postCreate")
TIMEOUT = 900.0  # seconds for one command
_LARGEST = 256 << 10


class HookFailed(Exception):
    """A command of the project said no."""


@record
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
    programs: Programs, name: str, command: str, folder: Path, tree: Path, branch: str, ports: tuple[int, ...]
) -> None:
    """Run one command of the project in `folder`, with its ports in the environment. Raises `HookFailed`."""
    environment = {"COCKPIT_WORKTREE": str(tree), "COCKPIT_BRANCH": branch}
    if ports:
        environment |= {"PORT": str(ports[0]), "COCKPIT_PORTS": ",".join(map(str, ports))}
    ran = programs.run(["sh", "-c", command], folder, TIMEOUT, environment)
    if ran.why:
        raise HookFailed(f"{name}: {ran.why}")
    if ran.code:
        raise HookFailed(f"{name} failed with {ran.code}: {ran.last_line}")


def _words(value: object) -> str:
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return " && ".join(value)
    return value.strip() if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
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
