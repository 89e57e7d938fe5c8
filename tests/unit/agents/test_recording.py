"""A recording keeps what the panes showed and nothing that is nobody's business; what is torn is counted."""

import io
import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.agents.models import Session, SessionsSnapshot
from cockpit.errors import CannotAnswer
from cockpit.findings.models import FindingsSnapshot
from cockpit.recording.lines import Recorder, pauses, read_recording
from cockpit.recording.redaction import redacted, redacted_text
from cockpit.worktrees.models import Counts, Worktree, WorktreesSnapshot

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
HOME = "/home/ada"
KEY = "ghp_" + "a1B2" * 9


def session(**more: object) -> Session:
    plain: dict[str, object] = {
        "agent": "claude",
        "session": "s1",
        "cwd": f"{HOME}/acme",
        "branch": "main",
        "state": "busy",
        "waiting_for": None,
        "since": AT,
        "phase": 4,
        "phase_name": "Tool Optimization",
        "phases": (),
        "context": None,
        "usd": 1.25,
        "prompt": "Tell nobody about the merger",
        "evidence": f"registry {HOME}/.claude/sessions/7.json",
    }
    return Session(**{**plain, **more})  # type: ignore[arg-type]


def recorded(tmp_path: Path, *values: tuple[str, object], name: str = "day.jsonl") -> Path:
    path = tmp_path / name
    with path.open("w", encoding="utf-8") as stream:
        recorder = Recorder(stream, "acme", Path(HOME) / "acme", HOME)
        for pane, value in values:
            recorder.take(pane, value)
    return path


def test_what_was_shown_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCKPIT_NOW", AT.isoformat())
    trees = WorktreesSnapshot((Worktree("acme", "/srv/acme", "main", "abc", counts=Counts(1, 2, 3, 0), ports=(8100,)),))
    found = FindingsSnapshot(root="/srv/acme", new=frozenset({"f1"}), phase="ready", at=AT)
    path = recorded(tmp_path, ("worktrees", trees), ("findings", found), ("phase", SessionsSnapshot((session(),))))
    recording = read_recording(path)
    assert recording.repository == "acme" and recording.root == "~/acme" and recording.unread == 0
    assert [event.pane for event in recording.events] == ["worktrees", "findings", "phase"]
    assert recording.events[0].snapshot == trees and recording.events[1].snapshot == found
    assert recording.events[2].snapshot.sessions[0].usd == 1.25 and recording.events[2].at == AT


def test_nothing_private_is_written(tmp_path: Path) -> None:
    value = SessionsSnapshot((session(waiting_for=f"run: export TOKEN={KEY} for ada@example.org"),))
    text = recorded(tmp_path, ("phase", value)).read_text()
    for private in ("merger", HOME, KEY, "ada@example.org", "aB2a1"):
        assert private not in text
    assert "a prompt of 28 characters" in text and "~/.claude/sessions/7.json" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"{HOME}/x", "~/x"),
        ("/Users/bob/x", "~/x"),
        ("https://bob:hunter22@host/x", "https://…@host/x"),
        ("password = 'correct-horse'", "corr…"),
        ("nothing to see", "nothing to see"),
    ],
)
def test_a_text_is_redacted(text: str, shown: str) -> None:
    found = redacted_text(text, HOME)
    assert shown in found and "hunter22" not in found and "horse" not in found


@given(
    st.recursive(st.text() | st.integers() | st.none(), lambda part: st.lists(part) | st.dictionaries(st.text(), part))
)
def test_redaction_keeps_the_shape_and_ends(document: object) -> None:
    once = redacted(document, HOME)
    assert json.dumps(once, default=str) is not None
    assert type(once) in (type(document), list)


def test_the_same_again_is_not_written(tmp_path: Path) -> None:
    stream = io.StringIO()
    recorder = Recorder(stream, "acme", Path("/srv/acme"), HOME)
    assert recorder.take("findings", FindingsSnapshot(at=AT, duration_ms=1.0)) is not None
    assert recorder.take("findings", FindingsSnapshot(at=datetime(2026, 11, 21, tzinfo=UTC), duration_ms=2.0)) is None
    assert recorder.written == 1


def test_torn_and_strange_lines_are_counted(tmp_path: Path) -> None:
    path = recorded(tmp_path, ("findings", FindingsSnapshot()))
    with path.open("a") as stream:
        stream.write('{"at":"2026-11-20T09:00:00Z","pane":"nowhere","snapshot":{}}\n[1]\n')
        stream.write('{"at":"2026-11-20T09:00:00","pane":"findings","snapshot":{}}\n{"at":"2026')
    assert read_recording(path).unread == 4


def test_a_folder_whose_name_is_no_text_is_recorded(tmp_path: Path) -> None:
    tree = Worktree("\udcff", "/srv/\udcff", "main", "abc")
    path = recorded(tmp_path, ("worktrees", WorktreesSnapshot((tree,))))
    shown = read_recording(path).events[0].snapshot
    assert isinstance(shown, WorktreesSnapshot) and shown.worktrees[0].path == "/srv/?"


@pytest.mark.parametrize(("name", "said"), [("a", "no recording"), ("absent", "cannot be read")])
def test_what_is_no_recording_says_so(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text('{"kind": "else"}\n')
    with pytest.raises(CannotAnswer, match=said):
        read_recording(tmp_path / name)


def test_a_recording_of_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(CannotAnswer, match="holds no snapshot"):
        read_recording(recorded(tmp_path))


def test_pauses_are_scaled_and_never_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = []
    for minute in (0, 1, 1):
        monkeypatch.setenv("COCKPIT_NOW", f"2026-11-20T09:0{minute}:0{len(lines)}Z")
        lines.append(recorded(tmp_path, ("findings", FindingsSnapshot()), name=f"{len(lines)}.jsonl"))
    events = tuple(read_recording(path).events[0] for path in lines)
    assert [pause for pause, _ in pauses(events, 1, 2.0)] == [0.0, 2.0, 1.0]
    assert [pause for pause, _ in pauses(events, 0, 2.0)] == [0.0, 0.0, 0.0]


def test_the_commands_record_and_print(tmp_path: Path) -> None:
    root = tmp_path / "acme"
    subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
    (root / "a.py").write_text("x = 1\n")
    day = tmp_path / "day.jsonl"
    cockpit = [sys.executable, "-m", "cockpit", "--repo", str(root)]
    with subprocess.Popen([*cockpit, "record", "--seconds", "60", str(day)], stderr=subprocess.DEVNULL) as recording:
        for _ in range(600):
            text = day.read_text() if day.exists() else ""
            if '"phase":"ready"' in text and '"untracked":1' in text:
                break
            time.sleep(0.1)
        recording.send_signal(signal.SIGINT)
    assert recording.returncode == 0
    again = subprocess.run([*cockpit, "record", str(day)], capture_output=True, text=True, check=False)
    assert again.returncode == 2 and "exists" in again.stderr
    first = subprocess.run([*cockpit, "replay", "--plain", str(day)], capture_output=True, text=True, check=True)
    second = subprocess.run([*cockpit, "replay", "--plain", str(day)], capture_output=True, text=True, check=True)
    assert first.stdout == second.stdout and "check.done: 1 file," in first.stdout and "main: 1 new" in first.stdout
