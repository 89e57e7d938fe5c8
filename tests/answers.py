"""What a command answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main


def answer(capsys: pytest.CaptureFixture[str], root: Path, *words: str, code: int = 0) -> dict[str, Any]:
    """The document of `cockpit WORDS --json` in the repository `root`."""
    assert main(["--repo", str(root), *words, "--json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found
