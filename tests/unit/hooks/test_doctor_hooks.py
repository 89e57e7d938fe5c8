"""What the doctor says of hooks, of the warm process and of a machine without git."""

import subprocess
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.config import HooksConfig
from cockpit.doctor import examine
from cockpit.health import Check
from cockpit.hooks.agents import apply_agent, plan_agent_install, settings_path
from cockpit.hooks.drain import drain, open_spool
from cockpit.hooks.spool import put
from cockpit.repository import find_repository
from cockpit.warm.client import socket_path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path / "there")], check=True)
    return tmp_path / "there"


def looked(root: Path) -> dict[str, Check]:
    return {check.check: check for check in examine(root, None)}


@pytest.fixture
def hooked(root: Path) -> Path:
    """The same repository, with hooks for two agents."""
    apply_agent(plan_agent_install("claude", "user", None, HooksConfig()), installing=True)
    apply_agent(plan_agent_install("codex", "user", None, HooksConfig()), installing=True)
    return root


def test_hooks_that_are_not_installed_are_offered_where_the_agent_is(root: Path) -> None:
    found = looked(root)

    assert found["claude hooks"].fix == "cockpit hooks install --agent claude"
    assert found["gemini hooks"].detail == "gemini was not found" and found["gemini hooks"].fix == ""


def test_hooks_of_each_agent_are_shown(hooked: Path) -> None:
    found = looked(hooked)

    assert found["claude hooks"].status == "pass" and "PreToolUse answered" in found["claude hooks"].detail
    assert "/hooks" in found["codex hooks"].detail


def test_events_that_wait_and_the_last_one_are_shown(hooked: Path) -> None:
    open_spool()
    put("codex", b'{"session_id":"s","hook_event_name":"Stop"}')
    put("codex", b"garbage")

    waiting = looked(hooked)
    drain()
    read = looked(hooked)

    assert (waiting["hook spool"].status, "2 events wait" in waiting["hook spool"].detail) == ("pass", True)
    assert "last event" in read["codex hooks"].detail and "1 file held no event" in read["hook spool"].detail


def test_hooks_of_before_a_setting_fail_with_the_way_to_renew_them(hooked: Path) -> None:
    (hooked / "cockpit.toml").write_text("[hooks]\nstrict = true\n")

    found = looked(hooked)["claude hooks"]

    assert (found.status, found.fix[:22]) == ("fail", "cockpit hooks install ")


def test_settings_that_cannot_be_read_are_named(root: Path) -> None:
    path = settings_path("claude", "user", None)
    path.write_text("{\n  // mine\n}")
    check = looked(root)["claude hooks"]
    assert check.status == "fail" and f"{path}:2" in check.detail


def test_a_socket_without_an_answer_is_told(root: Path) -> None:
    assert looked(root)["warm process"].status == "not_applicable"
    path = Path(socket_path(str(find_repository(root).common_dir)))
    path.parent.mkdir(parents=True)
    path.touch()
    assert looked(root)["warm process"].status == "not_run"


def test_without_git_everything_else_is_still_looked_at(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    found = looked(root)
    assert (found["git"].status, found["git"].required) == ("fail", True)
    assert found["git hook"].status == "not_run" and "python" in found and "hook spool" in found
    assert main(["--repo", str(root), "doctor"]) == 1
    assert "git was not found" in capsys.readouterr().out
