"""One change of worktrees at a time, that a kill at any moment cannot leave half done.

Whoever changes holds the lock `cockpit/lock` in the shared git folder; the git commands of the change inherit it, so
that it is free only when they have ended too. What is being done stands in a journal: whoever comes next mends first
what was interrupted.
"""

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cockpit.errors import CannotAnswer
from cockpit.files import clear_leftovers, read_regular, write_atomically
from cockpit.git_command import INHERITED, READ_ONLY, GitFailed
from cockpit.repository import Repository

WAIT = 15.0  # seconds for another cockpit, or for the git of one that was killed
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


@contextlib.contextmanager
def alone(repository: Repository) -> Iterator[Room]:
    """Hold the lock of this repository's worktrees; what an interrupted change left is mended first.

    Raises `CannotAnswer` where somebody else holds it or the git folder cannot be written.
    """
    import fcntl

    folder = repository.common_dir / "cockpit"
    try:
        folder.mkdir(exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as problem:
        raise CannotAnswer(
            f"{folder} cannot be written ({problem.strerror})", "worktrees can only be looked at here"
        ) from None
    try:
        until = time.monotonic() + WAIT
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > until:
                    raise CannotAnswer(
                        "another cockpit is changing the worktrees of this repository", "try again when it is done"
                    ) from None
                time.sleep(0.05)
        room = Room(repository, folder, lock)
        clear_leftovers(room.journal)
        from cockpit.worktrees.mend import mend

        mend(room)
        yield room
    except OSError as problem:
        where = problem.filename or folder
        raise CannotAnswer(f"{where}: {problem.strerror or problem}", "nothing was changed") from None
    finally:
        os.close(lock)


def sentence(problem: BaseException) -> str:
    """What went wrong, as the end of a sentence."""
    if isinstance(problem, GitFailed):
        return problem.line.removeprefix("fatal: ").removeprefix("error: ")
    if isinstance(problem, OSError):
        return f"{problem.filename or ''}: {problem.strerror or problem}".lstrip(": ")
    return str(problem)
