"""`cockpit status`: one line, from the app where one runs; and what Claude Code tells its status line is kept."""

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.agents.status_line import note, read_told, told_window
from cockpit.cli import main
from cockpit.clock import iso
from cockpit.phases.store import read_sessions
from cockpit.repository import Repository, find_repository
from cockpit.warm.snapshot import ShownFinding, ShownSession, Snapshot, read_snapshot, snapshot_path
from cockpit.warm.telling import Shown, write_snapshot
from tests.git import git
from tests.unit.claude_lines import Talk, text

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("COCKPIT_NOW", iso(NOW))
    root = tmp_path / "acme"
    root.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=root, check=True)
    monkeypatch.chdir(root)
    return find_repository(root)


def shown(repository: Repository, **more: Any) -> Snapshot:
    findings = (ShownFinding("f", "bare-mock", "a.py", 3, "Mock.", "Use mocker."),)
    sessions = (
        ShownSession("s1", "claude", str(repository.root), "waiting", percent=78.4),
        ShownSession("s2", "codex", "/elsewhere", "busy", percent=97.0),
    )
    given: dict[str, Any] = {"pid": os.getpid(), "started": "", "at": iso(NOW - timedelta(minutes=5))}
    given |= {"root": str(repository.root), "sessions": sessions, "usd": 4.123, "p0": 2, "p0_status": "fail"}
    snapshot = Snapshot(**{**given, "findings": findings, **more})
    path = snapshot_path(repository.common_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    import msgspec

    path.write_bytes(msgspec.json.encode(snapshot))
    return snapshot


def line(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main([*words, "status"]) == 0
    return capsys.readouterr().out


def test_the_line_says_what_the_app_shows(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    shown(repository)
    assert line(capsys) == "main · 1 waits · ctx 78% · $4.12 · P0 2\n"
    shown(repository, sessions=(), usd=None, p0=0, p0_status="pass")
    assert line(capsys) == "main · P0 0\n"
    shown(repository, floor=True, p0=0, p0_status="not_run")
    assert line(capsys) == "main · 1 waits · ctx 78% · ≥$4.12 · P0 0?\n"


def test_the_document_holds_the_same(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    shown(repository)
    assert main(["status", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["branch"], found["waiting"], found["busy"], found["usd"], found["p0"]) == ("main", 1, 1, 4.123, 2)
    assert found["context"] == {"session": "s1", "percent": 78.4, "level": "warn"}
    assert found["meta"]["source"] == "app" and found["text"].startswith("main · ")


def test_without_the_app_the_files_are_read_and_old_counts_say_their_age(
    repository: Repository, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert line(capsys) == "main · $0.00\n"
    talk = Talk("5e55", str(repository.root), at=NOW - timedelta(minutes=1))
    talk.prompt("Add a users endpoint")
    talk.says(talk.call("Bash", command="sleep 5"), stop="tool_use")
    talk.write(own_home / "claude")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    shown(repository, pid=gone.pid)
    said = line(capsys)
    assert said.startswith("main · 1 busy · ctx ") and said.endswith(" · P0 2 (5m ago)\n")
    subprocess.run(["git", "checkout", "-q", "-b", "topic"], check=True)
    assert line(capsys).startswith("topic · ")


def test_findings_of_another_worktree_are_not_this_ones(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    subprocess.run(["git", "worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side"], check=True)
    shown(repository)
    assert line(capsys, "--repo", str(tmp_path / "tree")) == "side · 1 waits · ctx 97% · $4.12\n"


def test_outside_a_repository_is_exit_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["status"]) == 2


def test_broken_snapshots_are_none(repository: Repository) -> None:
    path = snapshot_path(repository.common_dir)
    path.parent.mkdir(parents=True)
    for raw in (b"", b"{", b"[]", b'{"pid":"x"}'):
        path.write_bytes(raw)
        assert read_snapshot(repository.common_dir) is None
    write_snapshot(repository, Shown())
    found = read_snapshot(repository.common_dir)
    assert found is not None and found.alive and (found.p0, found.usd, found.sessions) == (None, None, None)


def test_a_repository_whose_folder_is_no_utf8_is_told_all_the_same(tmp_path: Path) -> None:
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    root.mkdir()
    git(root, "init", "-q")
    found = find_repository(root)
    write_snapshot(found, Shown())
    told = read_snapshot(found.common_dir)
    assert told is not None and told.root.endswith("/caf?")


# what an agent tells its status line

SAID: dict[str, Any] = {
    "session_id": "5e55",
    "context_window": {"context_window_size": 500_000, "used_percentage": 96.2},
    "rate_limits": {"five_hour": {"used_percentage": 41.0, "resets_at": (NOW + timedelta(hours=2)).timestamp()}},
}


def tell(monkeypatch: pytest.MonkeyPatch, said: object) -> None:
    raw = said if isinstance(said, bytes) else json.dumps(said).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))


def test_the_agents_own_words_win_and_are_kept(
    repository: Repository, own_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown(repository)
    tell(monkeypatch, SAID)
    assert "\x1b[31mctx 96%\x1b[0m" in line(capsys)
    tell(monkeypatch, SAID)
    assert line(capsys, "--no-color").startswith("main · 1 waits · ctx 96% · ")
    assert main(["limits", "--json"]) == 0
    (limit,) = json.loads(capsys.readouterr().out)["limits"]
    assert (limit["window"], limit["percent"], limit["source"]) == ("five_hour", 41.0, "Claude Code's status line")
    talk = Talk("5e55", str(repository.root), at=NOW - timedelta(minutes=1))
    talk.prompt("Add a users endpoint")
    talk.says(text("Done."), used=50_000)
    talk.write(own_home / "claude")
    (session,) = read_sessions(repository).sessions
    assert session.context is not None and session.context.window == 500_000
    assert "status line" in session.context.window_source


@pytest.mark.parametrize(
    "said", [b"", b"{", b"[]", {"context_window": 3}, {"context_window": {"used_percentage": "x"}}]
)
def test_odd_words_change_nothing(
    repository: Repository, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, said: object
) -> None:
    shown(repository)
    tell(monkeypatch, said)
    monkeypatch.setenv("NO_COLOR", "1")
    assert line(capsys) == "main · 1 waits · ctx 78% · $4.12 · P0 2\n"
    assert read_told().windows == {}


_KEYS = st.sampled_from(("five_hour", "used_percentage", "resets_at", "context_window_size"))
_LEAF = st.none() | st.integers() | st.text(max_size=4) | st.floats()
_ODD = _LEAF | st.dictionaries(_KEYS, _LEAF | st.dictionaries(_KEYS, _LEAF, max_size=3), max_size=3)


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(("session_id", "context_window", "rate_limits")), _ODD))
def test_nothing_that_is_said_raises(said: dict[str, Any]) -> None:
    note(said, 1)
    assert all(isinstance(size, int) and size > 0 for size in read_told().windows.values())


def test_the_last_sessions_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cockpit.agents.status_line.MOST_SESSIONS", 5)
    for number in range(8):
        note({"session_id": f"s{number}", "context_window": {"context_window_size": 1000 + number}}, number)
    assert len(read_told().windows) == 5 and told_window("s0") is None and told_window("s7") == 1007


@pytest.mark.parametrize("given", ["", "x", json.dumps(SAID)])
def test_the_program_reads_a_pipe_and_never_waits_for_one(repository: Repository, given: str) -> None:
    shown(repository)
    reading, writing = os.pipe()
    if given:
        os.write(writing, given.encode())
    try:
        done = subprocess.run(
            [sys.executable, "-m", "cockpit", "status"],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
            stdin=reading,  # its other end stays open
            capture_output=True,
            check=True,
            timeout=30,
        )
    finally:
        os.close(reading)
        os.close(writing)
    assert ("ctx 96%" in done.stdout.decode()) == (given.startswith("{"))
