"""Wrong usage is said in the words of the person who typed it: which words may stand there, and which was meant."""

import argparse
import importlib

import pytest

from cockpit.cli import COMMANDS, main


def _said(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as end:
        main(words.split())
    told = capsys.readouterr()
    assert end.value.code == 2 and told.out == "" and len(told.err.splitlines()) == 1
    return told.err.partition("; cockpit")[0].partition(": ")[2].strip()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("skills", "say list, show, lint or install"),
        ("hooks", "say install, uninstall or status"),
        ("completion", "say bash, zsh or fish"),
        ("budget set", "say day, week, month or session, then DOLLARS"),
        ("budget set month", "say DOLLARS"),
        ("budget check", "say --cost X"),
        ("record", "say FILE"),
    ],
)
def test_a_missing_word_is_named_by_what_may_stand_there(
    words: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _said(words, capsys) == line


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("skills lst", "there is no 'lst' (did you mean list?); use list, show, lint or install"),
        ("budget st", "there is no 'st' (did you mean set?); use set, check or notify"),
        ("check --format xml", "--format has no 'xml'; use text, json, sarif or github"),
        ("check --fromat json", "there is no option --fromat (did you mean --format?)"),
        ("--jsn check", "there is no option --jsn"),
        ("--theem=dark check", "there is no option --theem (did you mean --theme?)"),
        ("trust it", "'it' is too much"),
        ("spend --since", "--since needs a value"),
        ("watch --plain --json", "--json does not go with --plain"),
        ("check --json=3", "--json takes no value, and has '3'"),
        ("serve --port 99999", "--port: '99999' is no port; use 1 to 65535, or 0 for a free one"),
        ("serve --port -1", "--port: '-1' is no port; use 1 to 65535, or 0 for a free one"),
        ("rollback playbook --done x", "--done: 'x' is no whole number"),
        ("replay a --speed x", "--speed: 'x' is no number from 0 to 1,000,000,000"),
        ("record a --seconds -1", "--seconds: '-1' is no number from 0 to 1,000,000,000"),
        ("record a --seconds inf", "--seconds: 'inf' is no number from 0 to 1,000,000,000"),
        ("debug hypothesis h --minutes nan", "--minutes: 'nan' is no number from 0 to 1,000,000,000"),
        ("debug patterns --hours 1e300", "--hours: '1e300' is no number from 0 to 876,000"),
        ("feature new f --days nan", "--days: 'nan' is no number from 0 to 36,500"),
        ("feature cost --estimate nan", "--estimate: 'nan' is no number from 0 to 1,000,000,000"),
        ("research project --threshold nan", "--threshold: 'nan' is no number from 0 to 1,000,000,000"),
        ("worktree trash --older-than nan", "--older-than: 'nan' is no number from 0 to 36,500"),
        ("worktree trash --older-than 1e300", "--older-than: '1e300' is no number from 0 to 36,500"),
        ("budget set month much", "DOLLARS: 'much' is no amount of dollars"),
    ],
)
def test_a_wrong_word_is_named_with_its_choices(words: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _said(words, capsys) == line


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_no_command_calls_a_word_by_the_name_of_a_variable(name: str) -> None:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"cockpit.commands.{name.replace('-', '_')}").add_arguments(parser)
    for action in parser._actions:
        assert action.option_strings or action.metavar or action.choices, action.dest
