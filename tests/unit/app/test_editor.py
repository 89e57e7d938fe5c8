"""The editor that opens a finding: the right flag for each, and one line where there is none."""

import os
import time
from pathlib import Path

import pytest

from cockpit.app_parts.editor import start_apart
from cockpit.editor import editor_command
from cockpit.errors import CannotAnswer


@pytest.mark.parametrize(
    ("name", "place", "windowed"),
    [
        ("vim", ("+7", "{path}"), False),
        ("code", ("--goto", "{path}:7:3"), True),
        ("hx", ("{path}:7:3",), False),
        ("pycharm", ("--line", "7", "{path}"), True),
    ],
)
def test_an_editor_is_told_the_place_in_its_own_words(
    name: str, place: tuple[str, ...], windowed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / name
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("VISUAL", f"{program} --wait")
    target = tmp_path / "a b.py"
    command = editor_command(target, 7, 3)
    assert command.words == (str(program), "--wait", *(word.format(path=target) for word in place))
    assert command.windowed is windowed


def test_visual_comes_before_editor_and_a_missing_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "no-such-editor-here")
    monkeypatch.setenv("EDITOR", "sh")
    with pytest.raises(CannotAnswer, match="no-such-editor-here"):
        editor_command(Path("a.py"), 1)


def test_an_editor_with_a_window_outlives_the_terminal_and_leaves_nothing(tmp_path: Path) -> None:
    start_apart(("sh", "-c", "echo $$ > pid.new; mv pid.new pid; exec sleep 60"), tmp_path)
    while not (tmp_path / "pid").exists():
        time.sleep(0.01)
    pid = int((tmp_path / "pid").read_text())
    assert os.getsid(pid) == pid, "a session of its own: the end of this terminal is not told to it"
    os.kill(pid, 9)
    while Path(f"/proc/{pid}").exists():  # somebody has to wait for it, else its number stays taken
        time.sleep(0.01)
