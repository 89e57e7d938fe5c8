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
Way = Literal["tmux", "terminal", "unsure", "file"]


@dataclass(frozen=True, slots=True)
class Copied:
    """Where the text went, and the words for it."""

    how: Literal["terminal", "tmux", "file"]
    said: str


def way() -> tuple[Way, str]:
    """How a text of usual length will be copied here, and why. `unsure`: to the terminal, and into the file as well."""
    if os.environ.get("TMUX") and shutil.which("tmux"):
        return "tmux", "tmux's buffer, which hands it on to the terminal"
    term = os.environ.get("TERM", "")
    if os.environ.get("STY"):
        return "file", "GNU screen keeps OSC 52 to itself"
    if term in _DEAF:
        return "file", f"TERM={term or 'not set'} takes no OSC 52"
    for name, what in (("VTE_VERSION", "terminals built on VTE"), ("TERMINAL_EMULATOR", "terminals of JetBrains")):
        if os.environ.get(name):
            return "unsure", f"{what} often drop OSC 52"
    return "terminal", "the terminal's own clipboard by OSC 52"


def tmux_hands_on() -> bool | None:
    """Whether tmux gives what it is given to the terminal (`set-clipboard`). None where it does not say."""
    try:
        said = subprocess.run(
            ["tmux", "show-options", "-gsv", "set-clipboard"],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.stdout.strip() != "off" if said.returncode == 0 else None


def copy_text(text: str, emit: Callable[[str], None]) -> Copied:
    """Copy `text`; `emit` sends it to the terminal's clipboard by OSC 52.

    Whether a terminal takes OSC 52 cannot be asked; it is tried unless the terminal is known not to, or the text is too
    long, and where it often fails the text is written to the file as well. Raises `OSError` where no
    file can be written.
    """
    chosen, why = way()
    if chosen == "tmux" and _to_tmux(shutil.which("tmux") or "tmux", text):
        return Copied("tmux", "copied: paste with tmux's prefix ] or the terminal's own paste")
    if len(text.encode("utf-8", "surrogateescape")) > LARGEST:
        return Copied("file", f"too long for the terminal's clipboard: written to {_to_file(text)}")
    if chosen == "file":
        return Copied("file", f"{why}: written to {_to_file(text)}")
    emit(text)
    if chosen == "unsure":
        return Copied("terminal", f"sent to the terminal ({why}); also in {_to_file(text)}")
    return Copied("terminal", "copied to the terminal's clipboard")


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
