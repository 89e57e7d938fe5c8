"""What the tests of sessions stand on: a repository, and the home of an agent that worked there."""

from pathlib import Path

import pytest

from cockpit.clock import iso
from cockpit.repository import Repository
from tests.unit.session_places import NOW, made


@pytest.fixture
def claude(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COCKPIT_NOW", iso(NOW))
    return own_home / "claude"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return made(tmp_path / "acme")
