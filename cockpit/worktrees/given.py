"""Whether a file of a worktree is still what it was given when it was made: then it is no work of anybody's.

What was given is noted in git's own folder of the worktree, so that it also holds when the main work tree's file
changes later: start and end of the day write `.claude/context.json` and the to-do list there.
"""

import contextlib
import json
import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from cockpit.files import read_regular, write_atomically
from cockpit.worktrees.setup_files import LARGEST, content_but_port, same_but_port

_NOTE = "cockpit-given.json"


def note_given(admin: Path, tree: Path, names: Iterable[str]) -> None:
    """Note in `admin`, git's folder of the worktree, what the files `names` hold now. Raises `OSError`."""
    held = {name: digest for name in names if (digest := _digest(tree / name)) is not None}
    write_atomically(admin / _NOTE, json.dumps(held, indent=0))


class Given:
    """What the worktree `tree` was given, from `main`."""

    def __init__(self, tree: Path, main: Path) -> None:
        self.tree, self.main = tree, main

    def still(self, file: Path) -> bool:
        """Whether `file` is as the main work tree has it now, or as it was given. Their line `PORT=…` may differ."""
        name = file.relative_to(self.tree)
        if same_but_port(file, self.main / name):
            return True
        noted = self._noted.get(name.as_posix())
        return noted is not None and noted == _digest(file)

    @cached_property
    def _noted(self) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError, RecursionError):
            pointer = read_regular(self.tree / ".git", 65536).decode("utf-8", "surrogateescape").strip()
            admin = os.path.normpath(self.tree / pointer.removeprefix("gitdir: "))
            noted = json.loads(read_regular(Path(admin) / _NOTE, 8 << 20))
            return noted if isinstance(noted, dict) else {}
        return {}


def _digest(file: Path) -> str | None:
    """Names what a file holds; None where there is none, it is a link, or it is too large to compare."""
    with contextlib.suppress(OSError):
        if not file.is_symlink() and file.stat().st_size <= LARGEST:
            from hashlib import sha256  # few worktrees were given anything, and it takes three milliseconds

            return sha256(content_but_port(file.name, read_regular(file))).hexdigest()
    return None
