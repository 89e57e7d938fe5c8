"""The folder into which hooks put events that need no answer. It is there while cockpit runs.

A hook writes a file there and then gives it its final name, so that a torn event is never read.
"""

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.paths import state_dir

if TYPE_CHECKING:
    from cockpit.agents.models import Agent

AGENTS: "tuple[Agent, ...]" = ("claude", "codex", "gemini", "opencode")


def spool_folder() -> Path:
    """Where hooks put events; absent while cockpit is off."""
    return state_dir() / "spool"


def put(agent: str, raw: bytes) -> None:
    """Put an event into the folder, where that is there. Never raises."""
    folder = spool_folder()
    name = f"{agent}.{os.getpid()}-{time.time_ns()}"
    with contextlib.suppress(OSError):
        handle = os.open(folder / f".{name}", os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(raw)
        (folder / f".{name}").replace(folder / name)
