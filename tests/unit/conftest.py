"""What many tests stand on: a repository, its clock, and the home of an agent that worked there."""

from pathlib import Path

import pytest

from cockpit.clock import iso
from cockpit.repository import Repository
from tests.git import git
from tests.unit.session_places import NOW, made
from tests.unit.trees import make_repository


@pytest.fixture
def claude(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COCKPIT_NOW", iso(NOW))
    return own_home / "claude"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return made(tmp_path / "acme")


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository without a commit, at `NOW`, for tests of what was spent in it."""
    monkeypatch.setenv("COCKPIT_NOW", NOW.isoformat())
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    git(tmp_path, "init", "-q", "-b", "main", "app")
    return tmp_path / "app"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with two commits on main."""
    return make_repository(tmp_path / "acme-api")
