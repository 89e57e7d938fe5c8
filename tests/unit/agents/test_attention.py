"""The queue of those who wait: order, place, words, and what is announced once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cockpit.agents.models import Session
from cockpit.config import load_config
from cockpit.errors import CannotAnswer
from cockpit.phases.attention import Announcer, attention, title
from cockpit.worktrees.models import Worktree
from widgets.lines import plain
from widgets.screens.attention import held_lines

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def session(name: str, state: str, minutes: int, cwd: str = "/p/a") -> Session:
    since = NOW - timedelta(minutes=minutes)
    return Session("claude", name, cwd, "fix/login", state, 'run "git push"?' if state == "waiting" else None, since,
                   0, "Pre-Analysis", (), None, None, "Fix it", "session registry: waiting, process 7")  # type: ignore[arg-type]  # fmt: skip


def test_the_longest_waiting_comes_first_and_the_finished_last() -> None:
    sessions = [
        session("a", "busy", 1),
        session("b", "idle", 9),
        session("c", "waiting", 2),
        session("d", "waiting", 7),
    ]
    held = attention(sessions, [Worktree("a", "/p/a", "fix/login", None), Worktree("p", "/p", "main", None, main=True)])
    assert [one.session.session for one in held] == ["d", "c", "b"]
    assert [one.asks for one in held] == [True, True, False]
    assert {one.path for one in held} == {"/p/a"}


def test_two_hundred_sessions_are_one_queue() -> None:
    sessions = [session(f"s{number:03}", "waiting", number, f"/p/w{number}") for number in range(200)]
    trees = [Worktree(f"w{number}", f"/p/w{number}", None, None) for number in range(200)]
    held = attention(sessions, trees)
    assert [one.worktree for one in held[:2]] == ["w199", "w198"] and len(held) == 200


@pytest.mark.parametrize("width", [24, 40, 80, 120, 200])
def test_a_row_says_since_when_where_and_for_what(width: int) -> None:
    hostile = replace(session("d", "waiting", 7), waiting_for="run \x1b[31m[@click=app.quit]x?")
    rows = held_lines(attention([hostile], [])[0], width, NOW)
    told = "\n".join(plain(row) for row in rows)
    assert all(len(row.rstrip()) <= width for row in told.split("\n")) and "\x1b" not in told and "7m" in told
    assert "[@click=app.quit]x?" in "".join(told.split())  # all of what is asked
    if width >= 100:
        assert "process 7" in told and len(rows) == 1


def test_a_new_waiting_is_announced_once() -> None:
    announcer, one = Announcer(), session("a", "waiting", 3)
    assert [announcer.fresh([one]), announcer.fresh([one])] == [1, 0]
    assert announcer.fresh([replace(one, state="busy")]) == 0
    assert announcer.fresh([replace(one, since=NOW), session("b", "waiting", 1)]) == 2


def test_the_title_says_how_many() -> None:
    assert title("acme", [session("a", "busy", 1)]) == "acme"
    assert title("acme", [session("a", "waiting", 1)]) == "◐ 1 waits · acme"


def test_both_signals_are_off_until_they_are_wanted(tmp_path: Path) -> None:
    assert not load_config(tmp_path).attention.title and not load_config(tmp_path).attention.bell
    (tmp_path / "cockpit.toml").write_text("[attention]\nbell = true\n")
    assert load_config(tmp_path).attention.bell
    (tmp_path / "cockpit.toml").write_text("[attention]\nbel = true\n")
    with pytest.raises(CannotAnswer, match=r"cockpit.toml:2: attention.bel.*did you mean bell"):
        load_config(tmp_path)
