"""The demo repository, for tests that look at it from outside, and the Python of these tests for made projects."""

import os
import sys
from pathlib import Path

import pytest

from tests.pilot.conftest import demo

__all__ = ["demo", "python_on_path"]


@pytest.fixture
def python_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that are started find this Python and its packages first: a made project has none of its own."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
