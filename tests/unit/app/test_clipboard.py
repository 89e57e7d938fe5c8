"""Copying out: tmux first where it is there, then the terminal, a file at last."""

import shutil
import subprocess
from pathlib import Path

import pytest

from cockpit.clipboard import LARGEST, copy_text, way


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("STY", "VTE_VERSION", "TERMINAL_EMULATOR"):
        monkeypatch.delenv(name, raising=False)


def test_a_terminal_gets_the_text() -> None:
    sent: list[str] = []
    assert copy_text("añade\nuno", sent.append).how == "terminal"
    assert sent == ["añade\nuno"]


@pytest.mark.parametrize("text", ["x" * (LARGEST + 1), "ñ" * (LARGEST // 2 + 1)])
def test_what_terminals_would_drop_goes_into_a_file(text: str, own_home: Path) -> None:
    sent: list[str] = []
    done = copy_text(text, sent.append)
    assert done.how == "file" and not sent
    path = own_home / "state" / "copied.txt"
    assert path.read_text() == text and str(path) in done.said
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_deaf_terminal_gets_a_file(monkeypatch: pytest.MonkeyPatch, own_home: Path) -> None:
    monkeypatch.setenv("TERM", "linux")
    assert copy_text("x", lambda _: pytest.fail("sent")).how == "file"


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_in_tmux_its_buffer_holds_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    socket = tmp_path / "s"
    base = ["tmux", "-S", str(socket), "-f", "/dev/null"]
    subprocess.run([*base, "new-session", "-d", "sleep 60"], check=True)
    try:
        monkeypatch.setenv("TMUX", f"{socket},1,0")
        assert copy_text("uno\ndos ñ", lambda _: pytest.fail("sent")).how == "tmux"
        shown = subprocess.run([*base, "show-buffer"], check=True, capture_output=True).stdout
        assert shown.decode() == "uno\ndos ñ"
    finally:
        subprocess.run([*base, "kill-server"], check=False)


def test_a_tmux_that_is_gone_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", f"{tmp_path}/gone,1,0")
    sent: list[str] = []
    assert copy_text("x", sent.append).how == "terminal" and sent == ["x"]


def test_where_a_terminal_may_drop_it_a_file_holds_it_too(monkeypatch: pytest.MonkeyPatch, own_home: Path) -> None:
    monkeypatch.setenv("VTE_VERSION", "7600")
    sent: list[str] = []
    done = copy_text("x", sent.append)
    assert sent == ["x"] and way()[0] == "unsure" and "may" not in done.said
    assert (own_home / "state" / "copied.txt").read_text() == "x" and "copied.txt" in done.said


def test_gnu_screen_keeps_what_it_is_sent(monkeypatch: pytest.MonkeyPatch, own_home: Path) -> None:
    monkeypatch.setenv("STY", "1.pts")
    done = copy_text("x", lambda _: pytest.fail("sent"))
    assert done.how == "file" and "GNU screen" in done.said
