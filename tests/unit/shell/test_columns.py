"""Rows of text in aligned columns: whole in a pipe, in lines that fit in a terminal."""

import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.columns import aligned, cell_width, hanging, on_paper, output_width
from cockpit.demo import make_demo

ROWS = [("busy", "4m", "Add an endpoint for refunds with a test"), ("idle", "12m", "名前を直す: rename")]


def test_numbers_stand_right_and_lines_are_whole_where_there_is_no_terminal() -> None:
    assert aligned(ROWS, right={1})[0] == "busy   4m  Add an endpoint for refunds with a test"
    assert output_width() == 0


def test_the_longest_column_of_words_gives_way() -> None:
    rows = aligned(ROWS, right={1}, width=30)
    assert rows[0] == "busy   4m  Add an endpoint fo…" and max(map(cell_width, rows)) <= 30
    assert "rename" in rows[1]


def test_twelve_cells_of_it_are_kept_and_wide_characters_are_never_split() -> None:
    rows = aligned([("x" * 30, "9" * 20), ("名" * 15, "1")], right={1}, width=10)
    assert rows[0] == f"{'x' * 11}…  {'9' * 20}"
    assert rows[1] == f"{'名' * 5}…   {' ' * 19}1"


def test_what_goes_on_stands_below_the_words_and_no_word_is_broken() -> None:
    assert hanging("ok  git  ", "what it does in a few words", 0) == ["ok  git  what it does in a few words"]
    assert hanging("ok  git  ", "a/path/that/is/longer/than/a/line and more words", 40) == [
        "ok  git  a/path/that/is/longer/than/a/line",
        "         and more words",
    ]
    assert hanging("  a long name that leaves no room  ", "what it does in a few words", 40) == [
        "  a long name that leaves no room",
        "      what it does in a few words",
    ]
    assert on_paper(["  ? one two  three four five", "short"], 40) == "  ? one two  three four five\nshort"
    assert on_paper(["? Name    one two three four five six seven"], 34) == (
        "? Name    one two three four five\n  six seven"
    )


COMMANDS = (
    "habits",
    "habits --measures",
    "skills list",
    "help keys",
    "doctor",
    "limits",
    "spend",
    "spend --by model",
    "spend explain",
    "spend --tree",
    "spend suggest",
    "sessions",
    "sweep",
    "verify --quick",
    "start-day",
    "end-day --dry-run",
    "worktree list",
    "hooks status",
    "budget",
    "route 'add a users endpoint with tests'",
    "analyze 'Delete the users table in production, then deploy'",
)


def test_every_answer_fits_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:

    made = make_demo(tmp_path / "demo", now=datetime(2026, 11, 20, 14, 0, tzinfo=UTC))
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("cockpit.columns.output_width", lambda: 80)
    wide = {}
    for command in COMMANDS:
        main(["--repo", str(made.root), *shlex.split(command)])
        lines = capsys.readouterr().out.splitlines()
        wide[command] = [line for line in lines if cell_width(line) > 80 and max(map(len, line.split())) < 40]
    made.close()
    assert not any(wide.values()), {command: lines for command, lines in wide.items() if lines}
