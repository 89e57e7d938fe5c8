"""More sub-agents than a person allowed are refused, with every agent's own words and files."""

import json
import os
import re
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.config import HooksConfig
from cockpit.hooks.agents import _entries
from cockpit.hooks.drain import open_spool
from cockpit.hooks.launcher import isolated
from tests.unit.claude_lines import Talk
from tests.unit.hook_asking import ask

TEAM = "11111111-0000-7000-8000-000000000001"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=root, check=True)
    (root / "cockpit.toml").write_text("[hooks]\nmax_subagents = 2\n")
    return root


@pytest.fixture
def sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "codex"))
    folder = tmp_path / "codex" / "sessions" / "2026" / "11" / "29"
    folder.mkdir(parents=True)
    return folder


def refused(repo: Path, tool: str = "spawn_agent", agent: str = "codex", **given: object) -> str:
    event = "BeforeTool" if agent == "gemini" else "PreToolUse"
    said, err = ask(event, "--agent", agent, session_id=TEAM, cwd=str(repo), tool_name=tool, tool_input=given)
    assert err == ""
    return str(said.get("reason") or said.get("hookSpecificOutput", {}).get("permissionDecisionReason", ""))


class Rollout:
    """The file of one of Codex CLI's threads, as 0.171 writes it."""

    def __init__(self, folder: Path, name: str, parent: str = "", team: str = TEAM, path: str = "") -> None:
        self.path = folder / f"rollout-2026-11-29T10-00-00-{name}.jsonl"
        spawned = {"subagent": {"thread_spawn": {"parent_thread_id": parent, "depth": 1, "agent_path": path or None}}}
        self.put(
            "session_meta",
            session_id=team,
            id=name,
            timestamp=datetime.now(UTC).isoformat(),
            source=spawned if parent else "cli",
            base_instructions={"text": "x" * 300_000},
        )

    def put(self, kind: str, **payload: object) -> "Rollout":
        line = {"timestamp": datetime.now(UTC).isoformat(), "type": kind, "payload": payload}
        with self.path.open("a") as stream:
            stream.write(json.dumps(line) + "\n")
        return self

    def turn(self, said: str) -> "Rollout":
        return self.put("event_msg", type=said, turn_id="t")

    def old(self, seconds: float) -> "Rollout":
        os.utime(self.path, (time.time() - seconds, time.time() - seconds))
        return self


def test_codex_sub_agents_are_counted_by_their_own_files(repo: Path, sessions: Path) -> None:
    Rollout(sessions, TEAM).turn("task_started")
    first = Rollout(sessions, "a", TEAM).turn("task_started")
    assert not refused(repo)
    Rollout(sessions, "b", "a").turn("task_started").put("response_item", type="message", text="y" * 600_000)
    assert "2 sub-agents run already" in refused(repo), "one below a sub-agent counts too"
    first.put("response_item", type="message", text='what "task_complete" means').turn("task_complete")
    assert not refused(repo)
    first.turn("task_started")
    assert refused(repo), "it was given another turn"


def test_one_that_was_let_start_counts_before_its_file_is_there(repo: Path, sessions: Path) -> None:
    assert [bool(refused(repo)) for _ in range(3)] == [False, False, True]
    for name in "ab":
        Rollout(sessions, name, TEAM).turn("task_started").turn("task_complete")
    assert [bool(refused(repo)) for _ in range(3)] == [False, False, True]


def test_what_does_not_run_does_not_count(repo: Path, sessions: Path) -> None:
    Rollout(sessions, "fork", TEAM).turn("task_started").turn("turn_aborted").old(5)
    Rollout(sessions, "killed", TEAM).turn("task_started").old(4000)
    Rollout(sessions, "foreign", "other", team="other").turn("task_started")
    Rollout(sessions, "review", "").turn("task_started")
    (sessions / "rollout-2026-11-29T10-00-00-cut.jsonl").write_text('{"type":"session_meta","payl')
    assert [bool(refused(repo)) for _ in range(3)] == [False, False, True]


def test_an_older_version_names_the_parent_only(repo: Path, sessions: Path) -> None:
    for name, parent in (("a", TEAM), ("b", "a")):
        Rollout(sessions, name, parent, team="").turn("task_started")
    assert refused(repo)


def test_the_tools_of_both_of_its_versions_are_asked_about(repo: Path, sessions: Path) -> None:
    busy = Rollout(sessions, "a", TEAM, path="/root/reader").turn("task_started")
    Rollout(sessions, "b", TEAM, path="/root/writer").turn("task_started")
    done = Rollout(sessions, "c", TEAM, path="/root/tester").turn("task_started").turn("task_complete")
    assert refused(repo, "collaborationspawn_agent", task_name="x", message="y")
    assert refused(repo, "collaborationfollowup_task", target="tester", message="y")
    assert refused(repo, "send_input", target="c", message="y")
    assert not refused(repo, "collaborationfollowup_task", target="/root/reader", message="y"), "it runs already"
    assert not refused(repo, "collaborationsend_message", target="tester", message="y"), "that starts no turn"
    busy.turn("task_complete")
    assert not refused(repo, "send_input", target="c", message="y")
    done.turn("task_started")
    assert refused(repo)
    matcher = _entries("codex", HooksConfig())["PreToolUse"][0]["matcher"]
    for name in ("spawn_agent", "collaborationspawn_agent", "collaborationfollowup_task", "send_input", "apply_patch"):
        assert re.fullmatch(matcher, name), name


@pytest.mark.parametrize(("agent", "tool"), [("claude", "Task"), ("claude", "Agent"), ("opencode", "task")])
def test_calls_made_at_once_are_all_counted(repo: Path, agent: str, tool: str) -> None:
    event = json.dumps({"session_id": TEAM, "cwd": str(repo), "tool_name": tool, "tool_input": {}}).encode()
    words = isolated("cockpit.hook", "PreToolUse", "--agent", agent)
    running = [subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(6)]
    for process in running:
        assert process.stdin is not None
        process.stdin.write(event)
        process.stdin.close()
    said = [process.stdout.read() if process.stdout else b"" for process in running]
    for process in running:
        process.wait()
    assert sum(b"deny" in one for one in said) == 4


def test_gemini_is_asked_about_its_tool(repo: Path) -> None:
    said = [refused(repo, "invoke_agent", "gemini", agent_name="generalist") for _ in range(3)]
    assert [bool(one) for one in said] == [False, False, True]
    assert "invoke_agent" in _entries("gemini", HooksConfig())["BeforeTool"][0]["matcher"]


@pytest.mark.parametrize("on", [False, True])
def test_a_call_that_failed_is_no_sub_agent_and_a_refused_one_ends_none(repo: Path, tmp_path: Path, on: bool) -> None:
    if on:
        open_spool()
    (repo / "cockpit.toml").write_text("[hooks]\nmax_subagents = 1\n")
    talk = Talk(TEAM, str(repo), at=datetime.now(UTC))
    talk.prompt("look around")
    path = tmp_path / "t.jsonl"

    def launch() -> bool:
        path.write_bytes(talk.data())
        said, _ = ask(
            "PreToolUse", session_id=TEAM, cwd=str(repo), tool_name="Task", tool_input={}, transcript_path=str(path)
        )
        return not said

    def fails() -> None:
        call = talk.call("Task", subagent_type="Explore", description="look")
        talk.says(call, stop="tool_use")
        talk.result(call, failed=True)
        talk.lines[-1]["timestamp"] = datetime.now(UTC).isoformat()

    assert launch()
    fails()
    assert launch(), "an agent of that name is not there: it never ran"
    assert not launch()
    fails()
    assert not launch(), "what was refused ended none of those that run"
