"""The headless door: exit codes, one line for every error, nothing imported that a command does not need."""

import contextlib
import importlib
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cockpit import __version__
from cockpit.cli import COMMANDS, main
from cockpit.commands import __path__ as command_folder
from cockpit.help_lines import fitted


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from cockpit.cli import main; main(['--help']);"
        "heavy = 'textual rich pydantic libcst git msgspec watchfiles'.split();"
        "print([name for name in heavy if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"
    assert all(name in answer.stdout for name in COMMANDS)


def test_every_command_is_a_module_and_every_module_a_command() -> None:
    modules = {path.stem for path in Path(command_folder[0]).glob("*.py")} - {"__init__"}
    assert modules == {name.replace("-", "_") for name in COMMANDS}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    assert f"cockpit {name}" in capsys.readouterr().out.partition("usage:")[2]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["chek"], "did you mean check?"),
        (["."], "cockpit --repo '.' opens the app there"),
        (["--nonsense"], "cockpit --help lists them"),
        (["--nope", "check"], "--nope"),
        ([], "needs a terminal"),
        (["--repo", "/nowhere/at/all", "worktree", "list"], "/nowhere/at/all"),
        (["spend", "--nope"], "--nope"),
        (["check", "--format", "nope"], "'nope'"),
        (["worktree"], "say list, new"),
        (["budget", "set", "nope", "1"], "'nope'"),
        (["--repo"], "--repo"),
    ],
)
def test_wrong_use_is_one_line_and_2(words: list[str], line: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "cockpit", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert line in answer.stderr and len(answer.stderr.splitlines()) == 1


def test_version_prints_the_version_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"cockpit {__version__}\n"


@pytest.mark.parametrize("words", [["--no-color"], ["--theme", "dark"], ["--no-color", "--theme", "check"], []])
def test_options_may_stand_before_the_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "rules", "bare-mock"]) == 0
    assert capsys.readouterr().out.startswith("bare-mock")


@pytest.mark.parametrize("module", ["cli", "commands/start_day", "day/start"])
def test_byte_code_that_a_full_disk_cut_off_is_said_and_taken_away(module: str, tmp_path: Path) -> None:
    house = Path(__file__).parents[3]
    for package in ("cockpit", "skills"):
        shutil.copytree(house / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["git", "init", "-q", str(tmp_path / "repo")], check=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    words = [sys.executable, "-m", "cockpit", "--repo", str(tmp_path / "repo"), "start-day"]

    def run() -> subprocess.CompletedProcess[str]:
        place = {"PYTHONPATH": str(tmp_path)}
        return subprocess.run(
            words, cwd=tmp_path, env={**environment, **place}, capture_output=True, text=True, check=False
        )

    assert run().returncode == 0
    folder, _, name = f"/{module}".rpartition("/")
    (code,) = (tmp_path / "cockpit" / folder.strip("/") / "__pycache__").glob(f"{name}.cpython-*.pyc")
    os.truncate(code, code.stat().st_size // 2)
    torn = run()
    assert torn.returncode == 2 and torn.stderr == (
        f"cockpit: {code} is cut off, as by a full disk; it is taken away: try again\n"
    )
    assert run().returncode == 0


@pytest.mark.parametrize("moment", ["yesterday", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("command", ["spend", "start-day", "end-day", "watch", "doctor"])
def test_a_fixed_clock_that_is_no_time_or_at_the_calendars_edge_is_one_line(
    command: str, moment: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.setenv("COCKPIT_NOW", moment)
    assert main(["--repo", str(tmp_path), command, "--json"]) == 2
    assert main(["--repo", str(tmp_path), command]) == 2
    said = capsys.readouterr()
    assert not said.out and [line[:21] for line in said.err.splitlines()] == ["cockpit: COCKPIT_NOW "] * 2


def _unread(words: str) -> str:
    """The exit code of a command whose reader leaves at once."""
    script = f'"{sys.executable}" -m cockpit {words} | true; echo "${{PIPESTATUS[0]}}"'
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.strip()


def test_a_reader_that_leaves_early_does_not_turn_no_into_yes(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "a"\ndependencies = ["pytest-mock"]\n')
    (tmp_path / "test_a.py").write_text("from unittest.mock import Mock\n\n\ndef test_a():\n    assert Mock()\n")
    assert _unread(f"--repo {tmp_path} check") in ("1", "2")  # 2 where output is not buffered


def test_an_answer_that_nobody_read_whole_is_no_yes() -> None:
    assert _unread("rules --json") == "2"


@pytest.mark.parametrize("words", ["--version", "help gates", "nope"])
@pytest.mark.parametrize("streams", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams_change_no_exit_code_and_no_stream(words: str, streams: str) -> None:
    script = f'"{sys.executable}" -m cockpit {words} {streams}'
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert said.returncode == (2 if words == "nope" else 0)
    assert "there is no command" not in said.stdout and said.stderr.count("\n") <= 1 and "Traceback" not in said.stderr


@pytest.mark.parametrize("words", ["status", "sweep --staged", "spend"])
def test_a_shell_in_a_folder_that_is_gone_gets_one_line_and_2(words: str, tmp_path: Path) -> None:
    script = f'mkdir gone && cd gone && rmdir ../gone && "{sys.executable}" -P -m cockpit {words}'
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert (said.returncode, said.stdout, said.stderr.count("\n")) == (2, "", 1)
    assert said.stderr.startswith("cockpit: the current folder is gone; ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_answer_that_no_disk_takes_is_one_line_and_2(unbuffered: str) -> None:
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    for streams, lines in ((">/dev/full", 1), (">/dev/full 2>/dev/full", 0)):
        script = f'"{sys.executable}" -m cockpit --version {streams}'
        said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, env=env)
        assert (said.returncode, said.stdout, said.stderr.count("\n")) == (2, "", lines)
        assert "No space left" in said.stderr or not lines


def test_a_terminal_that_cannot_draw_gets_one_line() -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "dumb"}

    ran = subprocess.run(
        [sys.executable, "-m", "cockpit"], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, text=True,
        env=environment, timeout=60,
    )  # fmt: skip
    os.close(ours)
    os.close(theirs)

    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1)
    assert ran.stderr.startswith("cockpit: the app needs a terminal that can draw")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_document_that_no_disk_takes_is_one_line_and_2(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("VALUE = 1\n")
    script = f'"{sys.executable}" -m cockpit check --json "{tmp_path}/a.py" >/dev/full'

    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, cwd=tmp_path)

    assert (said.returncode, said.stderr) == (2, "cockpit: the answer cannot be written: No space left on device\n")


def test_ctrl_c_is_no_traceback_before_during_and_after_a_command() -> None:
    program = (
        "import signal, sys; signal.signal(2, signal.default_int_handler)\n"  # a shell's background ignores it
        "import cockpit.cli, cockpit.entry\n"
        "assert signal.getsignal(2) is signal.SIG_DFL\n"
        "def run():\n"
        "    signal.raise_signal(2)\n"
        "cockpit.cli.main = run\n"
        "code = cockpit.entry.main()\n"
        "assert signal.getsignal(2) is signal.SIG_DFL\n"
        "sys.exit(code)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (said.returncode, said.stderr) == (130, "")
    ignoring = f'trap "" INT; "{sys.executable}" -c "import signal, cockpit.entry; print(signal.getsignal(2).name)"'
    assert subprocess.run(["sh", "-c", ignoring], capture_output=True, text=True).stdout == "SIG_IGN\n"


def test_a_place_that_cannot_be_written_is_named_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = tmp_path / "repo"
    subprocess.run(["git", "init", "-q", str(repo)], check=True)
    blocked = tmp_path / "a-file"
    blocked.write_text("")
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(blocked / "state"))
    assert main(["--repo", str(repo), "skills", "install", "django-tdd", "--project"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"cockpit: {blocked}") and said.count("\n") == 1
    assert "Not a directory" in said and "unexpected" not in said


def test_words_may_stand_behind_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    for text in ("one\n", "two\n"):
        (tmp_path / "a.txt").write_text(text)
        subprocess.run([*git, "add", "a.txt"], check=True)
        subprocess.run([*git, "commit", "-qm", text], check=True)
    assert main(["--repo", str(tmp_path), "rollback", "plan", "files", "--to", "HEAD~1", "a.txt"]) == 0
    assert "git restore" in capsys.readouterr().out
    main(["--repo", str(tmp_path), "debug", "new", "it breaks"])
    capsys.readouterr()
    assert main(["--repo", str(tmp_path), "debug", "bisect", "--good", "HEAD~1", "--", "python3", "-q", "x.py"]) == 2
    assert "not trusted" in capsys.readouterr().err


def test_the_readme_names_every_command_once_in_its_table() -> None:
    page = (Path(__file__).parents[3] / "README.md").read_text("utf-8")
    table = page.partition("\n## Commands\n")[2].partition("\n\nEach")[0]
    named = [word for word in re.findall(r"`([a-z-]+)(?: [A-Z]+)?`", table) if not word.startswith("-")]
    assert sorted(named) == sorted(COMMANDS)


def _examples(name: str) -> list[str]:
    """What stands before the explanation, up to a pipe, of each example of a command."""
    text = importlib.import_module(f"cockpit.commands.{name.replace('-', '_')}").EXAMPLES.replace("\\\n", " ")
    lines = re.findall(r"^  (cockpit .+)$", text, flags=re.MULTILINE)
    return [re.split(r"  +(?=[^-\s]|$)|  \(| [|<>] ", re.sub(r" {6,}(?=\w+=)", " ", line))[0] for line in lines]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_example_is_understood(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"cockpit.commands.{name.replace('-', '_')}")
    asked: list[str] = []
    monkeypatch.setattr(module, "run", lambda call: asked.append(name) or 0)
    examples = _examples(name)
    assert examples
    for example in examples:
        assert main(shlex.split(example)[1:]) == 0, example
    assert len(asked) == len(examples)


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_fits_a_terminal_of_eighty_columns(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with contextlib.suppress(SystemExit):
        main([*([name] if name else []), "--help"])
    said = capsys.readouterr().out.split("\n")
    assert [line for line in said if len(line) > 80 and not line.startswith("  cockpit ") and "jq " not in line] == []
    assert "cockpit" in said[0] and "\x1b" not in "".join(said)


def test_what_an_example_does_goes_on_below_itself() -> None:
    beside = fitted("  cockpit x       what it does in many words that do not fit", 50)
    assert beside == "  cockpit x       what it does in many words that\n                  do not fit"
    below = fitted("  cockpit x --with many --words  what it does", 40)
    assert below == "  cockpit x --with many --words\n      what it does"
    command = "  cockpit x --with 'many words' | jq -r '.rows[]'"
    assert fitted(command, 40) == command
    assert fitted("exit: 0 all is well\nshort", 12) == "exit: 0 all\n  is well\nshort"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('themee = "dark"\n', "1: themee: there is no such key; did you mean theme?"),
        ('[budget.day]\nsoft = "five"\n', "2: budget.day.soft: 'five' is no number"),
        ('[attention]\nbell = "perhaps"\n', "2: attention.bell: 'perhaps' is neither true nor false"),
    ],
)
def test_a_wrong_key_is_told_in_words_of_a_person(
    text: str, words: str, repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repo / "cockpit.toml").write_text(text)
    assert main(["--repo", str(repo), "check"]) == 2
    assert words in capsys.readouterr().err
