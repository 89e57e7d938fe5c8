"""One change of worktrees at a time, that a kill at any moment cannot leave half done.

Whoever changes holds the lock `cockpit/lock` in the shared git folder; the git commands of the change inherit it, so
that it is free only when they have ended too. What is being done stands in a journal: whoever comes next mends first
what was interrupted.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

from cockpit.errors import CannotAnswer, reason_of
from cockpit.files import clear_leftovers
from cockpit.repository import Repository
from cockpit.worktrees.mend import mend
from cockpit.worktrees.room import Room

WAIT = 15.0  # seconds for another cockpit, or for the git of one that was killed


@contextlib.contextmanager
def alone(repository: Repository) -> Iterator[Room]:
    """Hold the lock of this repository's worktrees; what an interrupted change left is mended first.

    Raises `CannotAnswer` where somebody else holds it or the git folder cannot be written.
    """
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
        mend(room)
        yield room
    except OSError as problem:
        where = problem.filename or folder
        raise CannotAnswer(f"{where}: {reason_of(problem)}", "nothing was changed") from None
    finally:
        os.close(lock)
