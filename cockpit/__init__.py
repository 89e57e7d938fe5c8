"""The shell around the skills: reads git, transcripts and files, runs checks, writes files."""

import sys

__version__ = "0.1.0"


def own_folder_first() -> None:
    """Put cockpit's own folder first on `sys.path`.

    `widgets`, `skills` and `themes` are common names: a project under view may have packages of that name on
    `PYTHONPATH`. Every entry point and every worker process calls this before it imports anything else.
    """
    home = __file__.rpartition("cockpit")[0].rstrip("/\\")
    if not sys.path or sys.path[0] != home:
        sys.path.insert(0, home)
