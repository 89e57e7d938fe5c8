"""Starts the warm process beside the app, and ends it with it."""

import contextlib
import os
import subprocess
import sys

from cockpit.own_process import HOME, program_of
from cockpit.paths import state_dir
from cockpit.repository import Repository


class WarmProcess:
    """The warm process of one repository. It ends when this process does, however it does."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def started(self) -> bool:
        """Whether it was started and not ended."""
        return self._process is not None

    def start(self) -> None:
        """Start it. Raises `OSError` where that fails; the socket is there a moment later."""
        if self._process is not None:
            return
        places = [str(self._repository.common_dir), str(self._repository.root)]
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-c",
                program_of("cockpit.warm.server"),
                *(os.path.abspath(place) for place in places),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "COCKPIT_STATE_DIR": os.path.abspath(state_dir())},
            cwd=HOME,
            process_group=0,
        )

    def close(self) -> None:
        """End it and wait for that."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            assert process.stdin is not None
            process.stdin.close()
        process.terminate()  # it may be loading, and look at its input only then
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
