"""Temporary folders that do not pile up: each carries the number of its process, and what a killed one left goes with
the next.
"""

import contextlib
import os
import re
import shutil
import tempfile

from cockpit.processes import process_lives

_OURS = re.compile(r"cockpit-[a-z-]+-(\d+)-\w+")
_swept = False


def temporary_folder(what: str) -> "tempfile.TemporaryDirectory[str]":
    """A new folder for `what` (one word). It goes when it is closed, or with this process."""
    _sweep()
    return tempfile.TemporaryDirectory(prefix=f"cockpit-{what}-{os.getpid()}-", ignore_cleanup_errors=True)


def _sweep() -> None:
    """Remove, once in a process, what killed processes of this person left."""
    global _swept
    if _swept:
        return
    _swept = True
    with contextlib.suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            found = _OURS.fullmatch(entry.name)
            if found is None or process_lives(int(found[1])):
                continue
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_uid == os.getuid():
                    shutil.rmtree(entry.path, ignore_errors=True)
