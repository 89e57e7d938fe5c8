"""Progress on a terminal: one line, over itself, and out of the way of what is said."""

import io
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cockpit.call import rewrite, say
from cockpit.cli import main
from cockpit.config import Config
from cockpit.sweep.run import Sweep
from skills.workflow.sweep import CHECKS, SweepCheck
from tests.git import git


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown_on(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of 20 columns in the place of stderr, for the rest of the test."""
    made = Terminal()
    monkeypatch.setattr("sys.stderr", made)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((20, 24)))
    return made


def test_a_line_that_is_rewritten_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = shown_on(monkeypatch)
    rewrite("secrets 40/1204 · sast 2/90 \x1b[31m")
    shown = terminal.getvalue().removeprefix("\r\x1b[K")
    assert len(shown) == 19 and "\x1b" not in shown
    rewrite("")


def test_what_is_said_does_not_stand_behind_the_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = shown_on(monkeypatch)
    rewrite("reading 43 %")
    say("database: 8.2")
    assert terminal.getvalue() == "\r\x1b[Kreading 43 %\r\x1b[Kdatabase: 8.2\n"


def test_nothing_is_rewritten_where_it_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    rewrite("reading 43 %")
    say("database: 8.2")
    assert capsys.readouterr().err == "database: 8.2\n"


@pytest.mark.parametrize("command", ["check", "doctor --full", "habits --measures"])
def test_a_check_says_how_far_it_is_and_takes_that_away(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "app.py").write_text("VALUE = 1\n")
    terminal = shown_on(monkeypatch)
    assert main(["--repo", str(tmp_path), *command.split()]) == 0
    assert "\r\x1b[Kchecked 100 %" in terminal.getvalue() and terminal.getvalue().endswith("\r\x1b[K")
    assert "checked" not in capsys.readouterr().out


def test_a_sweep_tells_first_which_checks_still_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "app.py").write_text("VALUE = 1\n")
    told: list[str] = []
    seen = threading.Event()

    def last(root: Path, names: list[str], cancel: object, moved: Callable[[int, int], None]) -> SweepCheck:
        assert seen.wait(60)
        moved(1204, 1301)
        return SweepCheck("secrets", "pass")

    def said(text: str) -> None:
        told.append(text)
        if text.count(" · ") == 4 and "/" not in text:  # the five others have answered
            seen.set()

    monkeypatch.setattr("cockpit.sweep.secrets.secrets_of_files", last)
    assert len(Sweep(tmp_path, Config(), said=said).run()) == len(CHECKS)
    *_, looking, ended = told
    assert looking.startswith("secrets 1,204/1,301 · ") and "permissions pass" in looking
    assert "secrets pass" in ended and "1,301" not in ended
