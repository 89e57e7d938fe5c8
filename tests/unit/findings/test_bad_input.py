"""Bad input: commands in processes of their own, which must end, and feeds, which must go on."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from cockpit.config import Config
from cockpit.files import open_regular, read_regular
from cockpit.findings.engine import Engine
from cockpit.findings.feed import follow_findings
from cockpit.repository import find_repository
from cockpit.worktrees.feed import follow_worktrees

COMMANDS = (
    ["check", "--format", "json"],
    ["check"],
    ["spend", "--json"],
    ["spend", "--by", "session"],
    ["sessions", "--json"],
    ["sessions"],
    ["worktree", "list", "--json"],
    ["worktree", "list"],
    ["doctor", "--json"],
    ["doctor"],
)

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    root = tmp_path / "shop"
    root.mkdir()
    (root / "ok.py").write_text("VALUE = 1\n")
    subprocess.run(["git", "-C", str(root), "init", "-q", "-b", "main"], check=True)
    subprocess.run(["git", "-C", str(root), "add", "."], check=True)
    subprocess.run(["git", "-C", str(root), "commit", "-qm", "start"], check=True)
    return root


@pytest.fixture
def cockpit(repository: Path) -> Run:
    """Runs a command on the repository; one that hangs fails the test."""

    def run(*words: str, root: Path = repository, **environment: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [sys.executable, "-m", "cockpit", "--repo", str(root), *words],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **environment},
            timeout=60,
        )

    return run


def oddities(folder: Path, ending: str) -> None:
    """Everything that is no regular file, under names that end like one."""
    folder.mkdir(parents=True, exist_ok=True)
    os.mkfifo(folder / f"pipe{ending}")
    (folder / f"gone{ending}").symlink_to("/nowhere")
    (folder / f"loop{ending}").symlink_to(f"loop{ending}")
    (folder / f"endless{ending}").symlink_to("/dev/zero")
    (folder / f"folder{ending}").mkdir()
    with contextlib.chdir(folder), socket.socket(socket.AF_UNIX) as made:  # a path of a socket has at most 107 bytes
        made.bind(f"socket{ending}")


def usage(cwd: Path, message: str = "m1", **more: Any) -> dict[str, Any]:
    return {
        "type": "assistant",
        "sessionId": "s1",
        "cwd": str(cwd),
        "timestamp": "2026-11-20T09:00:00.000Z",
        "message": {
            "id": message,
            "role": "assistant",
            "model": "claude-haiku-4-5",
            "stop_reason": "end_turn",
            "content": [{"type": "text", "text": "done"}],
            "usage": {"input_tokens": 10, "output_tokens": 20},
        },
        **more,
    }


MOCKED = "from unittest.mock import Mock\n\n\ndef test_pay(mocker):\n    assert Mock()\n"


def test_a_gate_that_rests_on_a_manifest_nobody_can_read_is_no_pass(repository: Path, cockpit: Run) -> None:
    (repository / "pyproject.toml").write_text("[project\ndependencies = ['pytest-mock']\n")
    without = cockpit("check", "--json")
    (repository / "test_pay.py").write_text(MOCKED)

    ran = cockpit("check", "--json")

    assert (without.returncode, ran.returncode, ran.stderr) == (0, 2, b"")
    answer = json.loads(ran.stdout)
    (mock,) = (check for check in answer["checks"] if check["rule"] == "bare-mock")
    assert mock["status"] == "not_run" and mock["reason"].startswith("pyproject.toml cannot be read: Expected ']'")
    assert [error["path"] for error in answer["errors"]] == ["pyproject.toml"]


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    oddities(tmp_path, ".py")
    for name in sorted(tmp_path.iterdir()):
        with pytest.raises(OSError):
            open_regular(name)


def test_a_regular_file_is_read_up_to_the_limit(tmp_path: Path) -> None:
    place = tmp_path / "a"
    place.write_bytes(b"0123456789")
    assert (read_regular(place), read_regular(place, 4), read_regular(str(place), 99)) == (
        b"0123456789",
        b"0123",
        b"0123456789",
    )


def test_odd_files_hang_no_command(repository: Path, cockpit: Run) -> None:
    oddities(repository, ".py")
    claude = Path(os.environ["CLAUDE_CONFIG_DIR"])
    project = claude / "projects" / "-shop"
    oddities(project, ".jsonl")
    (claude / "projects" / "loop").symlink_to("loop")
    os.mkfifo(claude / "projects" / "pipe")
    (claude / "sessions").mkdir()
    os.mkfifo(claude / "sessions" / "4242.json")
    (project / "s1.jsonl").write_text(json.dumps(usage(repository)) + "\n")
    for words in COMMANDS:
        answered = cockpit(*words, COCKPIT_NOW="2026-11-20T10:00:00Z")
        assert answered.returncode in (0, 1), (words, answered.stderr)
        assert b"Traceback" not in answered.stderr
    spent = json.loads(cockpit("spend", "--json").stdout)
    assert spent["total"]["tokens"]["total"] == 30  # the good file counts, whatever lies beside it
    listed = json.loads(cockpit("sessions", "--json", COCKPIT_NOW="2026-11-20T10:00:00Z").stdout)
    assert [session["session"] for session in listed["sessions"]] == ["s1"]


@pytest.mark.parametrize(
    "name", ["requirements.txt", "cockpit.toml", "pyproject.toml", ".cockpit/baseline.json", "coverage.xml"]
)
def test_a_pipe_in_the_place_of_a_project_file_hangs_nothing(repository: Path, cockpit: Run, name: str) -> None:
    place = repository / name
    place.parent.mkdir(exist_ok=True)
    place.write_text("")
    subprocess.run(["git", "-C", str(repository), "add", "-A", "-f"], check=True)
    place.unlink()
    os.mkfifo(place)
    answered = cockpit("check", "--format", "json")
    assert answered.returncode in (0, 2)
    assert b"Traceback" not in answered.stderr


async def first(feed: AsyncGenerator[Any, None], holds: Callable[[Any], bool]) -> Any:
    """The first snapshot for which `holds` is true; a feed that goes silent or ends fails the test."""
    async with asyncio.timeout(20), aclosing(feed):
        async for snapshot in feed:
            if holds(snapshot):
                return snapshot
    raise AssertionError("the feed ended")


async def test_a_name_that_is_no_text_does_not_end_the_findings(repository: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(repository) + b"/bad\xff.py"))
    odd.write_text("VALUE = 1\n")
    with Engine() as engine:
        feed = follow_findings(engine, find_repository(repository), Config(), root=repository)
        async with asyncio.timeout(30):
            async for snapshot in feed:
                if snapshot.phase == "ready":
                    break
        odd.write_text("def broken(:\n")
        seen = await first(feed, lambda snapshot: bool(snapshot.problems))
        assert [problem.path for problem in seen.problems] == ["bad�.py"]
        assert "polled" not in seen.note


async def test_a_worktree_whose_name_is_no_text_is_followed(repository: Path) -> None:
    odd = os.fsdecode(os.fsencode(repository.parent) + b"/odd\xff")
    subprocess.run(["git", "-C", str(repository), "worktree", "add", "-q", "-b", "odd", odd], check=True)
    feed = follow_worktrees(find_repository(repository), Config())
    started = time.monotonic()
    async with asyncio.timeout(20):
        async for seen in feed:
            if {tree.branch for tree in seen.worktrees} == {"main", "odd"}:
                break
    subprocess.run(["git", "-C", odd, "switch", "-q", "-c", "other"], check=True)
    seen = await first(feed, lambda snapshot: {tree.branch for tree in snapshot.worktrees} == {"main", "other"})
    assert seen.note == ""
    assert time.monotonic() - started < 10


def test_an_unexpected_error_is_one_line_and_never_a_no(repository: Path, cockpit: Run) -> None:
    (repository / "\u202ename.py").write_text("VALUE = 1\n")
    narrow = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}  # file names are ASCII in this world
    answered = cockpit("check", **narrow)
    assert answered.returncode == 2
    assert answered.stderr.startswith(b"cockpit: ") and answered.stderr.count(b"\n") == 1
    assert b"Traceback" in cockpit("check", COCKPIT_DEBUG="1", **narrow).stderr


@pytest.mark.usefixtures("nothing_watched")
async def test_polling_sees_a_file_that_comes_directly_below_the_root(repository: Path) -> None:
    with Engine() as engine:
        feed = follow_findings(engine, find_repository(repository), Config(), root=repository)
        async with asyncio.timeout(20):
            async for snapshot in feed:
                if snapshot.phase == "ready":
                    break
        (repository / "new.py").write_text("def broken(:\n")
        seen = await first(feed, lambda snapshot: any(problem.path == "new.py" for problem in snapshot.problems))
        assert "polled" in seen.note


def test_pipes_among_what_agents_are_told_hang_nothing(repository: Path, cockpit: Run) -> None:
    oddities(repository / ".claude" / "agents", ".md")
    os.mkfifo(repository / ".mcp.json")
    for words in (("route", "--json", "add an endpoint"), ("analyze", "--json", "add an endpoint for users")):
        answered = cockpit(*words)
        assert answered.returncode == 0, (words, answered.stderr)


@pytest.mark.parametrize(
    "more",
    [{"cwd": "/home/\ud800x"}, {"timestamp": "9999-12-31T23:59:59.000Z"}, {"timestamp": "0001-01-01T00:00:00+14:00"}],
)
def test_lines_that_no_file_system_and_no_calendar_has_hide_no_session(
    repository: Path, cockpit: Run, more: dict[str, Any]
) -> None:
    project = Path(os.environ["CLAUDE_CONFIG_DIR"]) / "projects" / "-shop"
    project.mkdir(parents=True)
    (project / "s1.jsonl").write_text(json.dumps(usage(repository)) + "\n")
    (project / "odd.jsonl").write_text(json.dumps({**usage(repository, "m2"), "sessionId": "odd", **more}) + "\n")
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        for words in (("sessions", "--json"), ("spend", "--json"), ("spend", "--by", "day"), ("habits", "--json")):
            answered = cockpit(*words, COCKPIT_NOW="2026-11-20T10:00:00Z", TZ=zone)
            assert answered.returncode == 0, (words, zone, answered.stderr)
    listed = json.loads(cockpit("sessions", "--json", COCKPIT_NOW="2026-11-20T10:00:00Z").stdout)
    assert "s1" in [session["session"] for session in listed["sessions"]]
