"""The shell around the skills: reads git, transcripts and files, runs checks, writes files."""

import os
import sys

__version__ = "0.1.0"


def own_folder_first() -> None:
    """Put cockpit's own folder first on `sys.path`, and what `PYTHONPATH` names last.

    `widgets`, `skills` and `themes` are common names, and a folder of the project under view may be called like a
    library: with `PYTHONPATH=.` Python would run it. Every entry point and every worker process calls this before it
    imports anything else.
    """
    if given := os.environ.get("PYTHONPATH"):
        named = {os.path.abspath(place) for place in given.split(os.pathsep)}
        sys.path.sort(key=lambda place: os.path.abspath(place) in named)
    home = __file__.rpartition("cockpit")[0].rstrip("/\\")
    if not sys.path or sys.path[0] != home:
        sys.path.insert(0, home)


def open_streams() -> None:
    """Give each standard stream that whoever started us has closed to nobody.

    Else `print` fails, what is meant for stderr comes on stdout, and a file opened later takes their numbers.
    """
    for handle, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number is this one's
            setattr(sys, name, open(handle, "w" if handle else "r", encoding="utf-8", closefd=False))  # noqa: SIM115
