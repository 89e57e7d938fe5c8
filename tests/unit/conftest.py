"""What many tests stand on: a repository, its clock, and the home of an agent that worked there."""

import errno
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cockpit.cli import main
from cockpit.clock import iso
from cockpit.repository import Repository
from tests.git import git
from tests.unit.check_places import GOOD
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


@pytest.fixture
def nothing_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system has no watches left for the findings."""

    async def refused(*folders: str, **how: object) -> AsyncIterator[set[str]]:
        raise OSError(errno.ENOSPC, "no watches are left")
        yield set()

    monkeypatch.setattr("cockpit.findings.watching.watch_folders", refused)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A committed project with two tests that nothing is found in; it is the current folder."""
    root = tmp_path / "repo"
    (root / "tests").mkdir(parents=True)
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["pytest-mock"]\n')
    (root / "tests/test_a.py").write_text(GOOD)
    (root / "tests/test_b.py").write_text(GOOD)
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "start")
    monkeypatch.chdir(root)
    return root


class Said(NamedTuple):
    """What a command came to, in the words of `subprocess`."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def in_process(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Runs a command with its words, and variables by name, without the start of a process."""

    def run(*words: str, **variables: str) -> Said:
        capsys.readouterr()
        with monkeypatch.context() as here:
            for name, value in variables.items():
                here.setenv(name, value)
            code = main(list(words))
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run `cockpit check WORDS --json`: (exit code, document)."""

    def asked(*words: str) -> tuple[int, dict[str, Any]]:
        code = main(["check", *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return asked
