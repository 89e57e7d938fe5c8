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
