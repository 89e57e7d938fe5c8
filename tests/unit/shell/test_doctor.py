"""The doctor: honest in a healthy place and in odd ones."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cockpit.demo import make_demo
from cockpit.doctor import examine
from cockpit.health import Check, healthy
from skills.gates.engine.context import FileContext
from skills.gates.security.sql_text import read_text

NOW = datetime(2026, 11, 20, 14, 32, tzinfo=UTC)


def by_name(checks: list[Check]) -> dict[str, Check]:
    found = {check.check: check for check in checks}
    assert len(found) == len(checks)
    return found


@pytest.fixture
def repository(tmp_path):
    root = tmp_path / "there"
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def test_a_healthy_repository_passes_every_required_check(repository, tmp_path):
    checks = examine(repository, None)

    assert healthy(checks)
    found = by_name(checks)
    for name in ("python", "git", "repository", "configuration", "state folder"):
        assert found[name].status == "pass", found[name]
        assert found[name].required
    assert found["configuration"].detail == "none: the defaults hold"
    assert found["transcripts"].status == "not_applicable"
    assert (found["tenancy"].status, found["tenancy"].fix) == ("not_run", "cockpit doctor --full")
    assert found["git hook"].status == "not_applicable"


@pytest.mark.parametrize(
    ("given", "told"),
    [("", ""), ("/usr/lib/none", ""), (".:/usr/lib/none", "."), ("{root}/src:", "{root}/src, the current folder")],
)
def test_places_that_python_runs_code_from_before_cockpit_are_told(
    repository: Path, monkeypatch: pytest.MonkeyPatch, given: str, told: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", given.format(root=repository))

    found = by_name(examine(repository, None)).get("python path")

    names = told.format(root=repository)
    assert found is None if not told else found is not None and found.detail.startswith(f"PYTHONPATH names {names}: ")


def test_a_rule_that_fails_in_one_file_is_told_whatever_it_found_in_others(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reads_but_one(node: Any, context: FileContext, *more: Any) -> Any:
        if context.path == "b.py":
            raise ValueError("oh")
        return read_text(node, context, *more)

    monkeypatch.setattr("skills.gates.security.raw_sql.read_text", reads_but_one)
    for name in ("a.py", "b.py"):
        (repository / name).write_text("def find(cursor, name):\n    cursor.execute(f'SELECT * FROM {name}')\n")

    rules = by_name(examine(repository, None, full=True))["rules"]

    assert rules.status == "not_run"
    assert "not run: raw-sql-interpolation (b.py: the rule failed (ValueError: oh))" in rules.detail


def test_outside_a_repository_it_says_so_and_goes_on(tmp_path):
    found = by_name(examine(tmp_path, None, full=True))

    assert found["repository"].status == "fail"
    assert "git init" in found["repository"].fix
    assert found["configuration"].status == "pass"
    assert found["rules"].status == "not_applicable"
    assert not healthy(list(found.values()))


def test_a_broken_configuration_is_named_by_file_line_and_key(repository):
    (repository / "cockpit.toml").write_text('theme = "dark"\n[budget]\ndaay = 3\n')

    check = by_name(examine(repository, None))["configuration"]

    assert check.status == "fail"
    assert "cockpit.toml:3: budget.daay" in check.detail
    assert not healthy([check])


def test_a_state_folder_that_is_a_file(repository, monkeypatch, tmp_path):
    place = tmp_path / "file"
    place.write_text("")
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(place / "state"))

    check = by_name(examine(repository, None))["state folder"]

    assert check.status == "fail"
    assert "COCKPIT_STATE_DIR" in check.fix


def test_unread_lines_unknown_models_and_other_agents_are_named(repository, own_home):
    folder = own_home / "claude" / "projects" / "p"
    folder.mkdir(parents=True)
    usage = {"input_tokens": 10, "output_tokens": 20}
    message = {"id": "m1", "model": "no-such-model-9", "role": "assistant", "content": [], "usage": usage}
    row = {"type": "assistant", "uuid": "u", "sessionId": "s", "cwd": "/p", "timestamp": "2026-11-20T10:00:00Z"}
    (folder / "s.jsonl").write_text(json.dumps({**row, "message": message}) + '\n{"usage": torn\n')
    (own_home / ".codex").mkdir()

    found = by_name(examine(repository, None))

    assert found["claude"].detail.endswith(": 1 transcript")
    assert found["transcripts"].status == "fail"
    assert "no price is known for no-such-model-9 (30 tokens)" in found["transcripts"].detail
    assert "1 line malformed" in found["transcripts"].detail
    assert found["codex"].status == "not_applicable"
    assert found["gemini"].status == "not_applicable"
    assert healthy(list(found.values()))


def test_hostile_folder_names_are_harmless(tmp_path):
    root = tmp_path / "[/x]\x1b[31m\u202e"
    subprocess.run(["git", "init", "-q", str(root)], check=True)

    check = by_name(examine(root, None))["repository"]

    assert check.status == "pass"
    assert "\x1b" not in check.detail
    assert "\u202e" not in check.detail


def test_the_demo_is_seen_as_it_is(tmp_path, monkeypatch):
    demo = make_demo(tmp_path / "demo", now=NOW)
    for name, value in demo.env.items():
        monkeypatch.setenv(name, value)
    try:
        found = by_name(examine(demo.root, None, full=True))
    finally:
        demo.close()
    assert found["session registry"].detail == "3 of 3 registered sessions live"
    assert found["port registry"].detail == "10 ports of 5 worktrees"
    assert found["transcripts"].status == "pass"
    assert found["tenancy"].detail.startswith("transparent: ")
    assert "acme/" in found["tenancy"].detail


def test_the_command_answers_with_json_and_an_exit_code(repository, tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "TERM": "dumb"}
    command = [sys.executable, "-m", "cockpit", "doctor"]
    there = subprocess.run(
        [*command, "--json"], cwd=repository, env=environment, capture_output=True, text=True, check=False
    )
    document = json.loads(there.stdout)
    assert (there.returncode, document["version"]) == (0, 1)
    assert {row["status"] for row in document["checks"]} <= {"pass", "fail", "not_run", "not_applicable"}
    assert next(row for row in document["checks"] if row["check"] == "encoding")["status"] == "fail"
    nowhere = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert nowhere.returncode == 1
    assert any(line.startswith("FAIL     repository") for line in nowhere.stdout.splitlines())
    assert nowhere.stderr == ""
    assert Path(tmp_path / ".cockpit").exists() is False


@pytest.mark.parametrize(
    ("named", "status", "said"),
    [
        ({"TERM": "xterm-256color"}, "pass", "OSC 52"),
        ({"TERM": "linux"}, "not_run", "copied.txt"),
        ({"TERM": "xterm", "STY": "7"}, "not_run", "GNU screen"),
        ({"TERM": "xterm", "VTE_VERSION": "7"}, "not_run", "copied.txt"),
    ],
)
def test_it_says_how_copying_will_work(repository, monkeypatch, named, status, said):
    for name in ("TMUX", "STY", "VTE_VERSION", "TERMINAL_EMULATOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in named.items():
        monkeypatch.setenv(name, value)

    check = by_name(examine(repository, None))["copying"]

    assert check.status == status and said in check.detail
    assert bool(check.fix) == (status == "not_run")


@pytest.mark.parametrize(
    ("given", "detail", "fix"),
    [
        ({"COLORTERM": "truecolor"}, "16 million", ""),
        ({}, "256", "COLORTERM"),
        ({"NO_COLOR": "1"}, "mono", ""),
    ],
)
def test_it_says_how_many_colours_there_are(given, detail, fix, repository, monkeypatch):
    for name in ("NO_COLOR", "TMUX", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm-256color", **given}.items():
        monkeypatch.setenv(name, value)
    colours = by_name(examine(repository, None))["colours"]
    assert detail in colours.detail and fix in colours.fix


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_in_tmux_it_says_whether_the_terminal_gets_what_is_copied(repository, monkeypatch, tmp_path):
    socket = ["tmux", "-L", f"doctor-{os.getpid()}", "-f", "/dev/null"]
    subprocess.run([*socket, "new-session", "-d", "-s", "s"], check=True)
    try:
        where = subprocess.run(
            [*socket, "display-message", "-p", "#{socket_path},#{pid},0"], check=True, capture_output=True, text=True
        )
        monkeypatch.setenv("TMUX", where.stdout.strip())
        assert by_name(examine(repository, None))["copying"].fix == ""
        subprocess.run([*socket, "set-option", "-s", "set-clipboard", "off"], check=True)
        told = by_name(examine(repository, None))["copying"]
        assert told.fix == "tmux set -s set-clipboard external" and "buffer only" in told.detail
    finally:
        subprocess.run([*socket, "kill-server"], check=False)
