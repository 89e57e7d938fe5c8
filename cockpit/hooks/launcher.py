"""How hooks start cockpit: by this Python, isolated from the folder, the variables and the person's own site."""

import os
import sys
from pathlib import Path

HOME = str(Path(__file__).resolve().parents[2])
"""The folder that holds the package."""


def isolated(module: str, *words: str) -> list[str]:
    """The words that run `main` of a module of cockpit. Nothing that a repository holds or an environment names (a
    `cockpit` package or `sitecustomize` below `PYTHONPATH`) is imported; the exit code is what `main` returns."""
    python = os.path.abspath(sys.executable)  # not resolved: a virtual environment is known by its link
    program = f"import sys; sys.path.insert(0, {HOME!r}); from {module} import main; sys.exit(main())"
    return [python, "-I", "-c", program, *words]  # what -m does on top is felt
