"""Processes of cockpit's own code: how one is begun, wherever cockpit was started and whatever `PYTHONPATH` names."""

from pathlib import Path

HOME = str(Path(__file__).resolve().parents[1])
"""Cockpit's own folder. Such a process works there, so that a relative `PYTHONPATH` never points into the repository
under view."""


def program_of(module: str) -> str:
    """What `python -c` is to run, so that `main` of a module of ours runs."""
    return (
        f"import sys; sys.path.insert(0, {HOME!r}); from cockpit import own_folder_first; own_folder_first(); "
        f"from {module} import main; main()"
    )
