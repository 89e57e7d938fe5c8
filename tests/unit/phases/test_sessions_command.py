"""The command sessions: its document, its table, its errors."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.repository import Repository
from tests.unit.claude_lines import Talk, text
from tests.unit.session_places import NOW, talk_at


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    out, err = capsys.readouterr()
    return code, out, err


def test_the_command_answers_as_agreed(
    claude: Path, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = talk_at(repository, 5)
    talk.says(text("Let me see."), used=150_000)
    talk.write(claude)
    code, out, err = run(capsys, "--repo", str(repository.root), "sessions", "--json")
    document = json.loads(out)
    (session,) = document["sessions"]

    assert (code, err, document["version"]) == (0, "", 1)
    assert session["usd"] > 0
    assert session["context"] == {
        "used": 150_000,
        "window": 200_000,
        "percent": 75.0,
        "level": "warn",
        "window_source": "the model's window (genai-prices)",
    }
    assert {
        key: session[key]
        for key in ("agent", "session", "cwd", "branch", "state", "waiting_for", "phase", "phase_name")
    } == {
        "agent": "claude",
        "session": "5e55",
        "cwd": str(repository.root),
        "branch": "main",
        "state": "idle",
        "waiting_for": None,
        "phase": 1,
        "phase_name": "Request Analysis",
    }
    assert len(session["phases"]) == 6
    assert run(capsys, "--repo", str(repository.root), "sessions", "--json")[1] == out


def test_the_table_holds_one_line_a_session_and_nothing_raw(
    claude: Path, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = Talk("5e55", str(repository.root), "feat/\x1b[31mx", NOW - timedelta(minutes=1))
    talk.prompt("two\nlines \x1b]0;title\x07 [/x]")
    talk.write(claude)
    code, out, _ = run(capsys, "--repo", str(repository.root), "sessions")

    assert code == 0
    assert out == "busy  <1m  0 Pre-Analysis  -  -  feat/x  two lines  [/x]\n"


def test_no_session_is_said_in_words(claude: Path, repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--repo", str(repository.root), "sessions")

    assert (code, out.count("\n")) == (0, 1)
    assert json.loads(run(capsys, "--repo", str(repository.root), "sessions", "--json")[1])["sessions"] == []


@pytest.mark.parametrize(
    ("since", "count"), [("2w", 2), ("4d", 2), ("90m", 1), ("2026-11-20", 1), ("2026-11-01T00:00:00Z", 2)]
)
def test_since_widens_the_time(
    claude: Path, repository: Repository, capsys: pytest.CaptureFixture[str], since: str, count: int
) -> None:
    talk_at(repository, 1, "new").write(claude)
    talk_at(repository, 3000, "old").write(claude)
    out = run(capsys, "--repo", str(repository.root), "sessions", "--since", since, "--json")[1]

    assert len(json.loads(out)["sessions"]) == count


@pytest.mark.parametrize("since", ["soon", "-1d", "999999w", "\x1b[31m"])
def test_a_time_that_is_none_is_exit_2_in_one_line(
    claude: Path, repository: Repository, capsys: pytest.CaptureFixture[str], since: str
) -> None:
    code, out, err = run(capsys, "--repo", str(repository.root), "sessions", f"--since={since}")

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "\x1b" not in err


def test_outside_a_repository_is_exit_2(claude: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--repo", str(tmp_path), "sessions")[0] == 2
