"""What the holder of the worktrees' lock may do: git commands that write, and a journal of what is being done."""

import contextlib
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cockpit.errors import CannotAnswer, reason_of
from cockpit.files import read_regular, write_atomically
from cockpit.git_command import INHERITED, READ_ONLY, GitFailed
from cockpit.repository import Repository

# hooks of the repository are programs, and housekeeping would hold the lock long after the change
_CONFIGURED = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "gc.auto=0", "maintenance.auto=false")

Journal = dict[str, Any]


class Room:
    """What the holder of the lock may do. `folder` is `cockpit/` in the shared git folder."""

    def __init__(self, repository: Repository, folder: Path, lock: int) -> None:
        self.repository = repository
        self.common_dir = repository.common_dir
        self.folder = folder
        self._lock = lock

    @property
    def trash(self) -> Path:
        """Where removed worktrees lie until somebody asks for them or throws them away."""
        return self.folder / "trash"

    @property
    def home(self) -> Path:
        """A folder of the repository in which git can run, whatever happens to a worktree."""
        main = self.repository.main_root
        return main if main.is_dir() else self.common_dir

    def git(
        self,
        *args: str,
        folder: Path | None = None,
        given: bytes = b"",
        environment: Mapping[str, str] | None = None,
        timeout: float | None = 600.0,
    ) -> str:
        """Standard output of a git command that may write. Raises `GitFailed`, `CannotAnswer` without git."""
        settings = [word for setting in _CONFIGURED for word in ("-c", setting)]
        inherited = {name: value for name, value in os.environ.items() if name not in INHERITED}
        try:
            done = subprocess.run(
                ["git", *settings, *args],
                cwd=folder or self.home,
                env={**inherited, **READ_ONLY, **(environment or {})},
                input=given,
                capture_output=True,
                check=False,
                timeout=timeout,
                start_new_session=True,  # a ctrl+c ends the change, not git in the midst of writing
                pass_fds=(self._lock,),
            )
        except FileNotFoundError:
            raise CannotAnswer("git was not found", "install git 2.36 or newer") from None
        except subprocess.TimeoutExpired:
            raise GitFailed(args, -9, f"no answer within {timeout:g} s") from None
        except OSError as problem:
            raise GitFailed(args, 128, str(problem)) from None
        if done.returncode:
            raise GitFailed(args, done.returncode, done.stderr.decode("utf-8", "replace"))
        return done.stdout.decode("utf-8", "surrogateescape")

    def note(self, journal: Journal) -> None:
        """Write down what is being done, before it is done. Raises `OSError`."""
        write_atomically(self.journal, json.dumps(journal))

    def noted(self) -> Journal | None:
        """What was begun and not ended. A journal that cannot be read names nothing."""
        try:
            journal = json.loads(read_regular(self.journal, 1 << 20))
        except (OSError, ValueError):
            return None
        return journal if isinstance(journal, dict) else None

    def done(self) -> None:
        """The change is whole, or undone."""
        with contextlib.suppress(FileNotFoundError):
            self.journal.unlink()

    @property
    def journal(self) -> Path:
        """Where what is being done is written down."""
        return self.folder / "journal.json"


def sentence(problem: BaseException) -> str:
    """What went wrong, as the end of a sentence."""
    if isinstance(problem, GitFailed):
        return problem.line.removeprefix("fatal: ").removeprefix("error: ")
    if isinstance(problem, OSError):
        return f"{problem.filename or ''}: {reason_of(problem)}".lstrip(": ")
    return str(problem)
