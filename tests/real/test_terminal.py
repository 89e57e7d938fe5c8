"""Cockpit in a real terminal (tmux): opened, read off the screen, worked with, closed."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.demo import Demo, make_demo
from cockpit.processes import process_lives

pytestmark = pytest.mark.skipif(
    shutil.which("tmux") is None, reason="tmux is not installed: it is the terminal that these tests read the screen of"
)


class Tmux:
    """One private tmux server with one window."""

    def __init__(self, socket: Path, words: list[str], environment: dict[str, str], columns: int, rows: int) -> None:
        self.socket = socket
        self.environment = environment
        assignments = [f"{name}={value}" for name, value in environment.items()]
        size = ["-x", str(columns), "-y", str(rows)]
        self.run(
            "-f",
            os.devnull,
            "new-session",
            "-d",
            "-s",
            "t",
            *size,
            "env",
            "-u",
            "COLUMNS",
            "-u",
            "LINES",
            *assignments,
            *words,
        )

    def run(self, *words: str) -> str:
        return subprocess.run(
            ["tmux", "-S", str(self.socket), "-u", *words], capture_output=True, text=True, check=True
        ).stdout

    def screen(self) -> str:
        """What a person would read."""
        return self.run("capture-pane", "-p", "-t", "t")

    def press(self, *keys: str) -> None:
        self.run("send-keys", "-t", "t", *keys)

    def alive(self) -> bool:
        return subprocess.run(["tmux", "-S", str(self.socket), "has-session"], capture_output=True).returncode == 0

    def close(self) -> None:
        """The terminal goes away, and the app with it."""
        ask = ["tmux", "-S", str(self.socket)]
        told = subprocess.run(
            [*ask, "display-message", "-p", "#{pane_pid}"], capture_output=True, text=True, check=False
        )
        pid = int(told.stdout.strip() or 0)
        subprocess.run([*ask, "kill-server"], capture_output=True, check=False)
        for _ in range(400):
            if not pid or not process_lives(pid):
                return
            time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
        raise AssertionError("the app lived on without its terminal")


def until(condition: Callable[[], bool], screen: Callable[[], str], seconds: float = 40.0) -> None:
    """Wait until what is on screen is as wanted; show it where it never is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(f"never on screen:\n{screen()}")


def rest() -> None:
    """As long as it takes until the app reads no more than what is announced to it."""
    time.sleep(0.6)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    made = make_demo(tmp_path / "demo", now=datetime.now(UTC))
    yield made
    made.close()


@pytest.fixture
def terminal(demo: Demo, tmp_path: Path) -> Iterator[Callable[..., Tmux]]:
    opened: list[Tmux] = []

    def start(*words: str, columns: int = 140, rows: int = 40, **environment: str) -> Tmux:
        command = [sys.executable, "-m", "cockpit", "--repo", str(demo.root), *words]
        place = tmp_path / f"tmux{len(opened)}"
        one = Tmux(place, command, {**demo.env, "COLORTERM": "truecolor", **environment}, columns, rows)
        opened.append(one)
        return one

    yield start
    for one in opened:
        one.close()


def test_four_panes_then_a_violation_comes_and_goes(terminal: Callable[..., Tmux], demo: Demo) -> None:
    screen = terminal()
    for words in ("feature/api", "of $5", "5 Quality", "manual-tenant-filter"):
        until(lambda words=words: words in screen.screen(), screen.screen)  # type: ignore[misc]
    for title in ("1 Worktrees", "2 Budget", "3 Phase", "4 Findings"):
        assert title in screen.screen()
    planted = demo.root / "tests" / "test_zz_planted.py"
    planted.write_text("from unittest.mock import MagicMock\n\n\ndef test_it():\n    assert MagicMock()\n")
    until(lambda: "test_zz_planted.py:1" in screen.screen(), screen.screen)
    planted.write_text("def test_it():\n    assert 1 == 1\n")
    until(lambda: "test_zz_planted.py" not in screen.screen(), screen.screen)
    assert "resolved" in screen.screen()
    screen.press("q")
    until(lambda: not screen.alive(), lambda: "still running")


def test_a_repository_named_like_what_cockpit_imports_is_opened_and_not_run(demo: Demo, tmp_path: Path) -> None:
    script = Path(sysconfig.get_path("scripts"), "cockpit")
    if not script.exists():
        pytest.skip("cockpit is not installed here: its console script is what is started")
    for name in ("cockpit", "skills", "widgets"):
        (demo.root / name).mkdir()
        (demo.root / name / "__init__.py").write_text("raise SystemExit('code of the repository was run')\n")
    for name in ("textual", "rich", "git", "json", "msgspec", "libcst"):
        (demo.root / f"{name}.py").write_text("raise SystemExit('code of the repository was run')\n")
    words = ["sh", "-c", 'cd "$0" && exec "$1"', str(demo.root), str(script)]
    screen = Tmux(tmp_path / "tmux", words, {**demo.env, "PYTHONPATH": "."}, 140, 40)
    try:
        for expected in ("feature/api", "of $5", "manual-tenant-filter", "1 Worktrees"):
            until(lambda words=expected: words in screen.screen(), screen.screen)  # type: ignore[misc]
    finally:
        screen.close()


def test_a_save_shows_in_the_worktrees_pane(terminal: Callable[..., Tmux], demo: Demo) -> None:
    screen = terminal(columns=200)
    until(lambda: "3 changed 1 new" in screen.screen(), screen.screen)
    until(lambda: any("main" in row and "clean" in row for row in screen.screen().splitlines()), screen.screen)
    (demo.root / "notes.txt").write_text("a note\n")
    until(lambda: any("main" in row and "1 new" in row for row in screen.screen().splitlines()), screen.screen)


def test_a_drag_in_a_pane_fills_tmuxs_buffer_and_a_hint_can_be_clicked(terminal: Callable[..., Tmux]) -> None:
    screen = terminal(columns=120)

    def mouse(code: int, column: int, row: int, end: str = "M") -> None:
        screen.press("-l", f"\x1b[<{code};{column + 1};{row + 1}{end}")
        time.sleep(0.1)

    until(lambda: "resolved" not in screen.screen() and "manual-tenant-filter" in screen.screen(), screen.screen)
    for words in ("files", "of $5", "this session", "5 Quality"):  # panes grow while they are read, and rows move
        until(lambda words=words: words in screen.screen(), screen.screen)  # type: ignore[misc]

    def place() -> tuple[int, int]:
        rows = screen.screen().splitlines()
        row = next(place for place, text in enumerate(rows) if "manual-tenant-filter" in text)
        return row, rows[row].index("manual-tenant-filter")

    def stands() -> bool:
        before = place()
        rest()
        return place() == before

    until(stands, screen.screen)
    row, column = place()
    mouse(0, column, row)
    for x in range(column + 1, column + len("manual-tenant-filter")):
        mouse(32, x, row)
    mouse(0, column + len("manual-tenant-filter") - 1, row, "m")
    until(lambda: "copied" in screen.screen(), screen.screen)
    assert screen.run("show-buffer") == "manual-tenant-filter"
    until(lambda: "copied" not in screen.screen(), screen.screen)  # the notice lies over the hint
    screen.press("?")
    until(lambda: "esc close" in screen.screen(), screen.screen)
    rows = screen.screen().splitlines()
    row = next(place for place, text in enumerate(rows) if "esc close" in text)
    for end in "Mm":
        mouse(0, rows[row].index("esc close"), row, end)
    until(lambda: "esc close" not in screen.screen(), screen.screen)


def test_narrow_shows_tabs_and_the_agent_that_waits(terminal: Callable[..., Tmux]) -> None:
    screen = terminal(columns=40, rows=12)
    until(lambda: "manual-tenant" in screen.screen(), screen.screen)
    until(lambda: "waits" in screen.screen(), screen.screen)
    assert all(len(row) <= 40 for row in screen.screen().splitlines())
    screen.press("2")
    until(lambda: "of $5" in screen.screen(), screen.screen)


def test_no_color_paints_no_color(terminal: Callable[..., Tmux]) -> None:
    screen = terminal(NO_COLOR="1")
    until(lambda: "manual-tenant-filter" in screen.screen(), screen.screen)
    painted = screen.run("capture-pane", "-p", "-e", "-t", "t")
    assert "\x1b[38;" not in painted and "\x1b[48;" not in painted
    assert not any(f"\x1b[{code}m" in painted for code in (*range(31, 38), *range(41, 48), *range(91, 98)))


def test_the_editor_opens_at_the_line_and_cockpit_comes_back(terminal: Callable[..., Tmux], tmp_path: Path) -> None:
    told = tmp_path / "told"
    editor = tmp_path / "nano"
    editor.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {told}\nsleep 1\n')
    editor.chmod(0o755)
    screen = terminal(VISUAL=str(editor))
    until(lambda: "manual-tenant-filter" in screen.screen(), screen.screen)
    screen.press("Enter")
    until(told.exists, screen.screen)
    until(lambda: "4 Findings" in screen.screen(), screen.screen)
    line, path = told.read_text().split()
    assert line.startswith("+") and line[1:].isdigit() and path.endswith(".py")


def test_after_a_rest_keys_escapes_pastes_sizes_and_a_stop_arrive(terminal: Callable[..., Tmux]) -> None:
    screen = terminal(columns=120)
    until(lambda: "manual-tenant-filter" in screen.screen(), screen.screen)
    pid = int(screen.run("display-message", "-p", "#{pane_pid}"))
    for _ in range(2):
        rest()
        screen.press("?")
        until(lambda: "esc close" in screen.screen(), screen.screen)
        rest()
        screen.press("Escape")
        until(lambda: "esc close" not in screen.screen(), screen.screen)
        os.kill(pid, signal.SIGTSTP)  # tmux sets its own child going again
        rest()
        until(lambda: "4 Findings" in screen.screen(), screen.screen)
    rest()
    screen.run("resize-window", "-t", "t", "-x", "40", "-y", "12")
    until(lambda: "Tree" in screen.screen(), screen.screen)
    screen.press("4", "/")
    screen.run("set-buffer", "bare-mock")
    screen.run("paste-buffer", "-p", "-t", "t")
    until(lambda: "bare-mock" in screen.screen(), screen.screen)
    screen.press("Enter")
    rest()
    screen.press("q")
    until(lambda: not screen.alive(), lambda: "still running")


def test_a_shell_with_jobs_takes_it_into_the_background_and_back(demo: Demo, tmp_path: Path) -> None:
    words = ["bash", "--norc", "-i"]
    screen = Tmux(tmp_path / "tmux", words, {**demo.env, "PS1": "shell> "}, 120, 30)
    try:
        screen.press("-l", f"{sys.executable} -m cockpit --repo {demo.root}\r")
        until(lambda: "manual-tenant-filter" in screen.screen(), screen.screen)
        screen.press("C-z")
        until(lambda: "Stopped" in screen.screen() and "4 Findings" not in screen.screen(), screen.screen)
        screen.press("-l", "fg\r")
        until(lambda: "4 Findings" in screen.screen(), screen.screen)
        screen.press("q")
        until(lambda: "4 Findings" not in screen.screen() and "Stopped" in screen.screen(), screen.screen)
    finally:
        screen.close()


@pytest.mark.parametrize("place", ["nowhere", "bare", "empty"])
def test_odd_places_give_one_line_or_a_working_app(place: str, tmp_path: Path) -> None:
    folder = tmp_path / place
    folder.mkdir()
    if place != "nowhere":
        subprocess.run(["git", "init", "-q", *(["--bare"] if place == "bare" else []), str(folder)], check=True)
    words = [sys.executable, "-m", "cockpit", "--repo", str(folder)]
    screen = Tmux(tmp_path / "socket", ["sh", "-c", f"{' '.join(words)}; echo exit $?; sleep 60"], {}, 100, 30)
    try:
        if place == "empty":
            until(lambda: "No Python files here yet" in screen.screen(), screen.screen)
            until(lambda: "no commits yet" in screen.screen() or "main" in screen.screen(), screen.screen)
        else:
            until(lambda: "exit 2" in screen.screen(), screen.screen)
            assert "cockpit: " in screen.screen() and "Traceback" not in screen.screen()
    finally:
        screen.close()


def test_a_project_with_packages_of_our_names_does_not_get_in_the_way(
    terminal: Callable[..., Tmux], demo: Demo
) -> None:
    for name in ("widgets", "skills", "themes"):
        package = demo.root / name
        package.mkdir()
        (package / "__init__.py").write_text("raise RuntimeError('the project was imported')\n")
    answer = subprocess.run(
        [sys.executable, "-m", "cockpit", "--repo", str(demo.root), "check", "--json"],
        capture_output=True,
        cwd=demo.root,
        env={**os.environ, **demo.env, "PYTHONPATH": "."},
        check=False,
    )
    assert answer.returncode == 1 and b"the project was imported" not in answer.stderr
    screen = terminal(PYTHONPATH=str(demo.root))
    until(lambda: "manual-tenant-filter" in screen.screen(), screen.screen)
