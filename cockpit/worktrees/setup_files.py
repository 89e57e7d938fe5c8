"""The files that a new worktree gets although git does not have them: environment, the agents' own folders, and what
`.worktreeinclude` names.
"""

import contextlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from cockpit.files import read_regular, write_atomically
from cockpit.git_command import GitFailed, git_bytes
from cockpit.worktrees.project_hooks import ProjectSetup
from skills.workflow.worktree_setup import TASK_FILE, sheet_ports, with_port, without_port

INCLUDE_FILE = ".worktreeinclude"
_ENVIRONMENT = (".env", ".env.local")
_EXAMPLE = ".env.example"
_AGENTS = (".claude", ".agents")
REPORTS = ".claude/OBSERVER_*.md"
"""What the observers write about every worktree of a feature: it belongs to none of them, and to no commit."""
GIVEN = frozenset((*_ENVIRONMENT, *_AGENTS))
LARGEST = 1 << 20  # bytes of a file that is compared
_MOST = 20_000


def files_to_copy(root: Path, setup: ProjectSetup) -> list[str]:
    """Paths relative to the project, in the order of their names, each once."""
    found = {name for name in _ENVIRONMENT if (root / name).is_file()}
    if not found and (root / _EXAMPLE).is_file():
        found.add(_EXAMPLE)
    for name in (*_AGENTS, *setup.copied):
        found.update(one for one in _files_below(root, name) if not fnmatchcase(one, REPORTS))
    found.update(_included(root))
    return sorted(found)[:_MOST]


def copy_into(root: Path, tree: Path, names: Iterable[str], ports: tuple[int, ...]) -> list[str]:
    """Copy what the worktree does not have yet; environment files get its port. Answers what was copied.

    Raises `OSError`; a file that went away meanwhile is passed over.
    """
    copied = []
    for name in names:
        source, target = root / name, tree / (".env" if name == _EXAMPLE else name)
        if os.path.lexists(target):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if _is_environment(target.name) and not source.is_symlink():
                content = read_regular(source, LARGEST)
                mode = source.stat().st_mode & 0o777
                write_atomically(target, with_port(content, ports[0]) if ports else content, mode=mode)
            else:
                shutil.copy2(source, target, follow_symlinks=False)
            copied.append(target.relative_to(tree).as_posix())
    return copied


def same_but_port(one: Path, other: Path) -> bool:
    """Whether two files are equal, or differ in their line `PORT=…` only."""
    try:
        if one.is_symlink() or other.is_symlink():
            return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
        mine, theirs = (read_regular(path, LARGEST + 1) for path in (one, other))
    except OSError:
        return False
    if len(mine) > LARGEST:
        return False
    return mine == theirs or content_but_port(one.name, mine) == content_but_port(one.name, theirs)


def content_but_port(name: str, content: bytes) -> bytes:
    """What is compared of a file: of an environment file all but its port."""
    return without_port(content) if _is_environment(name) else content


def ports_in(tree: Path) -> tuple[int, ...]:
    """The ports that the worktree was given, by its environment file and its task sheet; () where neither tells."""
    named: tuple[int, ...] = ()
    with contextlib.suppress(OSError):
        named = sheet_ports(read_regular(tree / TASK_FILE, LARGEST).decode("utf-8", "replace"))
    port = _port_in(tree)
    return named if port is None or port in named else (port, port + 1)


def _port_in(tree: Path) -> int | None:
    for name in (".env.local", ".env"):
        with contextlib.suppress(OSError, ValueError):
            for line in read_regular(tree / name, LARGEST).splitlines():
                if line.startswith(b"PORT="):
                    port = int(line.partition(b"=")[2].strip().strip(b"\"'"))
                    return port if 1023 < port < 65535 else None
    return None


def exclude(common_dir: Path, name: str = TASK_FILE) -> None:
    """Let git pass over a file (the task sheet) in every worktree: it is nothing to commit. Raises `OSError`."""
    path = common_dir / "info" / "exclude"
    line = f"/{name}"
    try:
        text = read_regular(path).decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        text = ""
    if line not in text.splitlines():
        write_atomically(path, text + ("\n" if text and not text.endswith("\n") else "") + line + "\n", mode=0o644)


def _is_environment(name: str) -> bool:
    return name == ".env" or name.startswith(".env.")


def _files_below(root: Path, name: str) -> Iterator[str]:
    """Files and links at or below `name`; worktrees and repositories inside are left alone."""
    start = root / name
    if start.is_symlink() or start.is_file():
        yield name
        return
    for folder, folders, files in os.walk(start):
        place = Path(folder)
        folders[:] = [one for one in folders if one != ".git" and not os.path.lexists(place / one / ".git")]
        links = [one for one in folders if (place / one).is_symlink()]
        for file in (*files, *links):
            if _can_be_copied(place / file):
                yield (place / file).relative_to(root).as_posix()


def _can_be_copied(path: Path) -> bool:
    """Whether it is a file or a link: of a socket or a pipe, which agents leave there too, there is nothing to copy."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def _included(root: Path) -> Iterator[str]:
    """What `.worktreeinclude` (in the syntax of `.gitignore`) names and git ignores."""
    if not (root / INCLUDE_FILE).is_file():
        return
    try:
        words = ("ls-files", "-z", "--others", "--ignored")
        named = git_bytes(root, *words, f"--exclude-from={root / INCLUDE_FILE}").split(b"\0")
        ignored = set(git_bytes(root, *words, "--exclude-standard").split(b"\0"))
    except GitFailed:
        return
    for path in named:
        if path and path in ignored and not path.endswith(b"/"):
            yield os.fsdecode(path)
