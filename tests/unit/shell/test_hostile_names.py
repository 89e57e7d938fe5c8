"""Names that try to speak to the terminal: no command writes one of their control characters."""

import re
from pathlib import Path

import pytest

from cockpit.changes import json_line
from cockpit.cli import main
from tests.unit.trees import commit, git, make_repository

HOSTILE = "[x][@click=app.quit]\x1b[31mred\x1b]0;owned\x07\x9b31m\u202eevil"
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / HOSTILE


@pytest.fixture
def repo(made: Path) -> Path:
    if not made.exists():
        make_repository(made)
        (made / "TASK.md").write_text(f"# Tasks\n\n- [ ] {HOSTILE} first\n- [ ] {HOSTILE} second\n")
        (made / f"test_{HOSTILE}.py").write_text(
            f"from unittest.mock import Mock\n\n\ndef test_a():\n    one = Mock()  # {HOSTILE}\n    assert one\n"
        )
        git(made, "add", "-A")
        git(made, "commit", "-qm", HOSTILE)
        commit(made, "b.txt", HOSTILE)
    return made


@pytest.mark.parametrize(
    "words",
    [
        "check",
        "check --format json",
        "check --format sarif",
        "check --format github",
        "worktree list",
        "spend",
        "spend --by model",
        "sessions",
        "start-day",
        "end-day --dry-run",
        "end-day --dry-run --json",
        "trust --status",
        "status",
        "habits",
    ],
)
def test_no_command_writes_a_control_character(repo: Path, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--repo", str(repo), *words.split()])
    written = capsys.readouterr()
    assert UNSAFE.findall(written.out + written.err) == []
    assert written.out


def test_an_event_of_watch_is_ascii() -> None:
    line = json_line("finding.added", "2026-11-20T14:32:00Z", {"path": HOSTILE})
    assert line.isascii()
    assert UNSAFE.findall(line) == []
