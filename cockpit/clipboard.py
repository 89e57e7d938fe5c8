"""Copies text to where a person can paste it: the terminal (OSC 52), tmux, a file as the last resort."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cockpit.files import write_atomically
from cockpit.paths import state_dir

LARGEST = 74_000
"""Bytes that terminals take by OSC 52; many drop longer texts without a word."""

_DEAF = ("", "dumb", "linux", "unknown")
_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Copied:
    """Where the text went, and the words for it."""

    how: Literal["terminal", "tmux", "file"]
    said: str


def copy_text(text: str, emit: Callable[[str], None]) -> Copied:
    """Copy `text`; `emit` sends it to the terminal's clipboard by OSC 52.

    Whether a terminal takes OSC 52 cannot be asked; it is tried unless the terminal is known not to, or the text is too
    long. Raises `OSError` where not even a file can be written.
    """
    size = len(text.encode("utf-8", "surrogateescape"))
    if os.environ.get("TMUX") and (tmux := shutil.which("tmux")) and _to_tmux(tmux, text):
        return Copied("tmux", "copied: paste with tmux's prefix ] or the terminal's own paste")
    if size <= LARGEST and os.environ.get("TERM", "") not in _DEAF:
        emit(text)
        return Copied("terminal", "copied to the terminal's clipboard")
    path = _to_file(text)
    return Copied("file", f"this terminal takes no copy: written to {path}")


def _to_tmux(tmux: str, text: str) -> bool:
    """Fill tmux's buffer; `-w` hands it on to the terminal as well, where tmux is new enough."""
    for options in (["-w"], []):
        try:
            done = subprocess.run(
                [tmux, "load-buffer", *options, "-"],
                input=text.encode("utf-8", "surrogateescape"),
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        if done.returncode == 0:
            return True
    return False


def _to_file(text: str) -> Path:
    path = state_dir() / "copied.txt"
    write_atomically(path, text, mode=0o600)
    return path
