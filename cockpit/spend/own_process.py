"""A second Python process of cockpit: what takes long is done on another core."""

import contextlib
import os
import sys
from pathlib import Path

_HOME = str(Path(__file__).resolve().parents[2])


class OwnProcess:
    """Started at once with `script`, which finds cockpit's folder in `sys.argv[1]`.

    What the process is told goes to its input, what it answers comes from its output.
    """

    def __init__(self, script: str) -> None:
        import subprocess  # not before a process is wanted

        pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
        words = [sys.executable, "-I", "-c", script, _HOME]
        self._process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=nowhere, cwd=os.sep)
        assert self._process.stdin is not None and self._process.stdout is not None
        self.input, self.output = self._process.stdin, self._process.stdout

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        for stream in (self.input, self.output):
            with contextlib.suppress(OSError):  # a question that was never read
                stream.close()
        self._process.wait()
