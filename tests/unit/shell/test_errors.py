"""Errors that a person sees: one line, nothing in it that a terminal acts on, and what to do about it."""

import errno
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.errors import cannot_read, cannot_write


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, as the current folder."""
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "config", "user.name", "a"], check=True)
    subprocess.run(["git", "config", "user.email", "a@b.c"], check=True)
    subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    return tmp_path


@pytest.mark.parametrize("command", ["status", "check", "worktree list", "trust", "start-day"])
def test_the_name_of_the_own_folder_never_reaches_the_terminal_raw(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "x\x1b[31m\nred"
    folder.mkdir()
    monkeypatch.chdir(folder)
    if command != "check":  # which needs no repository
        assert main(command.split()) == 2
    subprocess.run(["git", "init", "-q"], check=True)
    (folder / "cockpit.toml").write_text("a = [")
    assert main(command.split()) == 2
    said = capsys.readouterr().err
    assert "\x1b" not in said and all(line.startswith("cockpit: ") for line in said.splitlines())


def test_a_machine_without_room_for_temporary_files_is_named(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    words = [sys.executable, "-m", "cockpit", "--repo", str(tmp_path)]
    limited = ["bash", "-c", 'ulimit -f 0; exec "$@" | cat', "bash", *words]
    said = subprocess.run([*limited, "verify"], capture_output=True, text=True, check=False)
    assert len(said.stderr.splitlines()) == 1 and "unexpected" not in said.stderr and "in TMPDIR" in said.stderr
    doctor = subprocess.run([*limited, "doctor"], capture_output=True, text=True, check=False)
    assert doctor.stderr == "" and re.search(r"(?i)fail +state folder .*File too large", doctor.stdout)


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.ENOSPC, "make room on its disk"),
        (errno.EFBIG, "files may be larger under another limit (ulimit -f)"),
        (errno.ENOTDIR, "something else stands in its place: move that away"),
        (errno.ENOENT, "make its folder first"),
        (errno.EACCES, "make it writable for you"),
    ],
)
def test_what_cannot_be_written_says_what_to_do(number: int, way_out: str) -> None:
    assert cannot_write("a/b", OSError(number, "Why")).args == (f"a/b: cannot be written (Why); {way_out}",)


def test_what_cannot_be_read_says_where_and_why_in_one_safe_line() -> None:
    said = cannot_read("a\x1b[31m/b", OSError(errno.EACCES, "Why")).args
    assert said == ("a/b: cannot be read (Why)",)


def test_cockpits_own_state_may_lie_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "state").write_text("")
    refused = OSError(errno.EACCES, os.strerror(errno.EACCES))
    assert cannot_write(tmp_path / "state" / "a.lock", refused).hint.endswith("state folder in COCKPIT_STATE_DIR")
    assert cannot_write(tmp_path / "stateless", refused).hint == "make it writable for you"
    assert cannot_write("a", OSError("odd")).hint == ""


@pytest.mark.parametrize(("option", "said"), [("--tenant-fields", "names no field"), ("--select", "names no rule")])
def test_a_list_without_a_name_is_wrong_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, said: str
) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert main(["--repo", str(tmp_path), "check", "--isolated", option, " ,"]) == 2
    assert capsys.readouterr().err.startswith(f"cockpit: {option} {said}; ")


def test_a_port_that_another_has_is_never_told_as_ours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert main(["--repo", str(tmp_path), "serve", "--json", "--port", port]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith(f"cockpit: port {port} cannot be had (")


def test_a_confirmed_item_is_one_document(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--confirm", "backups", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["version"] == 1 and document["meta"] == {} and document["confirmed"]["item"] == "backups"
    assert document["confirmed"].keys() == {"item", "who", "at", "commit"}


@pytest.mark.parametrize(
    ("begin", "words", "line"),
    [
        ("feature new a", "feature gate", "say which gate; use contract"),
        ("debug new a", "debug test", "there is no hypothesis yet; "),
        ("research new a", "research project", "a: say which option; "),
    ],
)
def test_a_word_that_is_missing_is_not_shown_as_an_empty_name(
    repo: Path, begin: str, words: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(begin.split())
    capsys.readouterr()
    assert main(words.split()) == 2
    assert capsys.readouterr().err.startswith(f"cockpit: {line}")


def test_a_line_after_the_last_one_is_none_of_the_file(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "a.py").write_text("x = 1\n")
    assert main(["blame", "a.py:2"]) == 2
    assert capsys.readouterr().err == "cockpit: a.py:2: the file has 1 line\n"
    assert main(["blame", "a.py:1"]) == 1, "nobody's, and no transcript knows it"
