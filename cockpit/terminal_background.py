"""Asks the terminal whether its background is light or dark (OSC 11), while the app is being imported.

Nothing waits for the answer: it is taken where it has come by the time that the imports are through. The question is
followed by one that every terminal answers, so that a late answer never ends up in the person's input.
"""

import contextlib
import os
import re
import select
import sys
import termios
from typing import Any

_QUESTION = b"\x1b]11;?\x1b\\\x1b[c"
_COLOR = re.compile(rb"\x1b\]11;rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})")
_END = re.compile(rb"\x1b\[\?[\d;]*c")
_SILENT = ("", "dumb", "linux", "unknown")
_LATEST = 0.05  # seconds for the rest of an answer that has begun


class BackgroundQuestion:
    """One question, asked when it is made. `answer` gives the terminal back as it was."""

    def __init__(self) -> None:
        self._before: list[Any] | None = None
        if os.environ.get("COLORFGBG") or os.environ.get("TERM", "") in _SILENT or not sys.stdin.isatty():
            return
        try:
            self._before = termios.tcgetattr(0)
            quiet = termios.tcgetattr(0)
            quiet[3] &= ~(termios.ECHO | termios.ICANON)
            quiet[6][termios.VMIN], quiet[6][termios.VTIME] = 0, 0
            termios.tcsetattr(0, termios.TCSANOW, quiet)
            os.write(1, _QUESTION)
        except (OSError, termios.error):
            self.close()

    def answer(self, *, wait: float = 0.0) -> str:
        """ "light" or "dark", "" where the terminal did not say within `wait` seconds."""
        if self._before is None:
            return ""
        came = b""
        try:
            # something came: the rest of it is on its way
            while not _END.search(came) and select.select([0], [], [], wait)[0]:
                came += os.read(0, 1024)
                wait = _LATEST
        except OSError:
            came = b""
        finally:
            self.close()
        return shade_of(came)

    def close(self) -> None:
        """Give the terminal its settings back."""
        if self._before is not None:
            with contextlib.suppress(OSError, termios.error):
                termios.tcsetattr(0, termios.TCSANOW, self._before)
            self._before = None


def shade_of(answer: bytes) -> str:
    """ "light" or "dark" for what a terminal answered to OSC 11, "" where it is no colour."""
    found = _COLOR.search(answer)
    if found is None:
        return ""
    red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in found.groups())
    return "light" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "dark"
