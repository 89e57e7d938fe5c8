"""What the command `cockpit` runs first. It is installed as the module `cockpit_console`, a name of its own: with
`PYTHONPATH=.` a project's own folder `cockpit` would be found before this one, and Python would run it."""

import os
import sys


def main() -> int:
    """Run cockpit, what `PYTHONPATH` names being looked at last. Returns the exit code."""
    if given := os.environ.get("PYTHONPATH"):
        named = {os.path.abspath(place) for place in given.split(os.pathsep)}
        sys.path.sort(key=lambda place: os.path.abspath(place) in named)
    from cockpit.entry import main as run

    return run()
