"""Sessions of Codex CLI, Gemini CLI and OpenCode: state and phases from what each leaves on disk."""

import asyncio
import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cockpit.agents import processes
from cockpit.agents.models import Session
from cockpit.agents.transcript_files import LineFile
from cockpit.agents.whole_transcript import read_told
from cockpit.cli import main
from cockpit.phases import store
from cockpit.phases.feed import follow_sessions
from cockpit.phases.others import other_files
from cockpit.phases.state import Activity, Sign, StateReading, read_state
from cockpit.phases.store import read_sessions
from cockpit.repository import Repository, find_repository
from skills.orchestrator.claims import HELD_BACK
from skills.orchestrator.events import Prompt
from skills.orchestrator.task import TaskFacts
from tests.unit.agent_lines import PROMPT, codex_lines, write_codex, write_gemini, write_opencode
from tests.unit.claude_lines import Talk, text
from tests.unit.other_talk import write_as_gemini, write_as_opencode

NOW = datetime(2026, 11, 20, 9, 1, tzinfo=UTC)
WRITERS: dict[str, Callable[..., tuple[Path, str]]] = {
    "codex": write_codex,
    "gemini": write_gemini,
    "opencode": write_opencode,
}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("COCKPIT_NOW", NOW.isoformat())
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    subprocess.run(["git", "init", "-q", str(tmp_path / "repo")], check=True)
    running(monkeypatch)
    return find_repository(tmp_path / "repo")


def running(monkeypatch: pytest.MonkeyPatch, *found: processes.Running) -> None:
    monkeypatch.setattr(store, "running_agents", lambda: found)


def only(repository: Repository) -> Session:
    snapshot = read_sessions(repository)
    assert len(snapshot.sessions) == 1 and not snapshot.problems
    return snapshot.sessions[0]


@pytest.mark.parametrize("agent", WRITERS)
def test_a_session_of_each_agent_is_listed(
    agent: str, repository: Repository, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, name = WRITERS[agent](own_home, str(repository.root))
    running(monkeypatch, processes.Running(agent, 77, str(repository.root)))  # type: ignore[arg-type]
    session = only(repository)
    assert (session.agent, session.session, session.state) == (agent, name, "idle")
    assert session.prompt == PROMPT and session.pid == 77
    assert "process 77 lives" in session.evidence and "the turn ended" in session.evidence
    assert session.phase == 5 and "tests failed" in session.phases[5].evidence
    assert session.context is not None and session.context.used > 0


@pytest.mark.parametrize("agent", WRITERS)
def test_without_a_process_in_its_folder_a_session_has_ended(
    agent: str, repository: Repository, own_home: Path
) -> None:
    WRITERS[agent](own_home, str(repository.root))
    session = only(repository)
    assert session.state == "ended" and session.evidence.startswith("no process in its folder")


@pytest.mark.parametrize("agent", WRITERS)
def test_another_repositorys_sessions_are_left_out(
    agent: str, repository: Repository, own_home: Path, tmp_path: Path
) -> None:
    WRITERS[agent](own_home, str(tmp_path / "elsewhere"))
    assert read_sessions(repository).sessions == ()
    assert len(read_sessions(repository, all_repos=True).sessions) == 1


def test_a_turn_that_goes_on_is_busy_and_a_cut_one_idle(
    repository: Repository, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(monkeypatch, processes.Running("codex", 5, str(repository.root)))
    path, _ = write_codex(own_home, str(repository.root), ends=False)
    assert only(repository).state == "busy"
    with path.open("a") as stream:
        line = {"timestamp": "2026-11-20T09:00:12.000Z", "type": "event_msg", "payload": {"type": "turn_aborted"}}
        stream.write(json.dumps(line) + "\n")
    session = only(repository)
    assert session.state == "idle" and "was interrupted" in session.evidence
    assert session.context is not None and session.context.window == 258_400


def test_what_a_hook_wrote_is_no_prompt_and_what_it_blocked_has_failed(repository: Repository, own_home: Path) -> None:
    path, _ = write_codex(own_home, str(repository.root), ends=False)
    said = "Command blocked by PreToolUse hook: This edit would bring a blocking (P0) finding. Command: apply_patch"
    asked = '<hook_prompt hook_run_id="stop:5">This claim is not backed.</hook_prompt>'
    with path.open("a") as stream:
        for payload in (
            {"type": "custom_tool_call", "name": "apply_patch", "call_id": "c9", "input": "*** Begin Patch"},
            {"type": "custom_tool_call_output", "call_id": "c9", "output": said},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": asked}]},
        ):
            line = {"timestamp": "2026-11-20T09:00:20.000Z", "type": "response_item", "payload": payload}
            stream.write(json.dumps(line) + "\n")
    file = LineFile(path, "codex", "x")
    told = [one for _, found in file.read() for one in found]
    assert [one.text for one in told if one.kind == "prompt"] == [PROMPT]
    assert next(one for one in told if one.kind == "result" and one.id == "c9").failed


@pytest.mark.parametrize("agent", ["gemini", "opencode"])
def test_what_holds_a_claim_back_is_no_persons_prompt(agent: str, repository: Repository, own_home: Path) -> None:
    talk = Talk("ses_9", str(repository.root), at=NOW - timedelta(minutes=1))
    talk.prompt(PROMPT)
    talk.says(text("All tests pass."), stop="end_turn")
    talk.prompt(f"{HELD_BACK} no test ran in this session.")
    talk.says(text("I have not run them."), stop="end_turn")
    {"gemini": write_as_gemini, "opencode": write_as_opencode}[agent](talk, own_home)
    assert only(repository).prompt == PROMPT
    read = read_told(next(other_files(0.0)))
    assert read is not None
    assert [event.text for _, event in read.events if isinstance(event, Prompt)] == [PROMPT]


def test_a_codex_sub_agent_is_no_session(repository: Repository, own_home: Path) -> None:
    lines = codex_lines(str(repository.root))
    lines[0]["payload"]["source"] = {"subagent": {"thread_spawn": {"parent_thread_id": "x"}}}
    path, _ = write_codex(own_home, str(repository.root))
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert read_sessions(repository).sessions == ()


async def test_the_feed_follows_a_rollout(
    repository: Repository, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(monkeypatch, processes.Running("codex", 5, str(repository.root)))
    path, _ = write_codex(own_home, str(repository.root), ends=False)
    feed = follow_sessions(repository)
    assert (await asyncio.wait_for(anext(feed), 20)).sessions[0].state == "busy"
    await asyncio.sleep(1.5)  # cockpit: ignore[sleep-in-test] nothing tells that the folders are watched
    with path.open("a") as stream:
        line = {"timestamp": "2026-11-20T09:00:12.000Z", "type": "event_msg", "payload": {"type": "task_complete"}}
        stream.write(json.dumps(line) + "\n")
    while (await asyncio.wait_for(anext(feed), 20)).sessions[0].state != "idle":
        pass
    await feed.aclose()


def test_the_command_names_every_agent(
    repository: Repository, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for write in WRITERS.values():
        write(own_home, str(repository.root))
    assert main(["sessions", "--json", "--repo", str(repository.root)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {row["agent"] for row in document["sessions"]} == set(WRITERS)
    assert all(row["usd"] > 0 for row in document["sessions"])


def test_damage_costs_one_line(repository: Repository, own_home: Path) -> None:
    write_codex(own_home, str(repository.root))[0].open("ab").write(b"{torn\n")
    folder = own_home / ".local" / "share" / "opencode"
    folder.mkdir(parents=True)
    (folder / "opencode.db").write_bytes(b"no database")
    chats = own_home / ".gemini" / "tmp" / "p" / "chats"
    chats.mkdir(parents=True)
    (chats / "session-1.json").write_bytes(b"\xff{")
    snapshot = read_sessions(repository)
    assert len(snapshot.sessions) == 1
    assert snapshot.problems == ("0199c0de: 1 line could not be read",)


def test_kinds_of_a_newer_version_are_counted(
    repository: Repository, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, _ = write_codex(own_home, str(repository.root))
    path.open("a").write(
        json.dumps({"timestamp": "2026-11-20T09:00:11.000Z", "type": "hologram", "payload": []}) + "\n"
    )
    talk = Talk(cwd=str(repository.root), at=NOW)
    talk.prompt("go")
    talk.line("quantum", version="99.0.0", message=7)
    talk.write(own_home / "claude")
    assert main(["sessions", "--json", "--repo", str(repository.root)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["meta"]["unknown"] == 2 and len(document["sessions"]) == 2


def test_the_newest_sign_wins_over_an_older_transcript() -> None:
    activity = Activity(TaskFacts(), [], False, NOW)
    asks = Sign(NOW, StateReading("waiting", NOW, "use Bash?", "hook: PermissionRequest"))
    old = Sign(datetime(2026, 11, 20, 8, tzinfo=UTC), StateReading("busy", None, None, "hook: PreToolUse"))
    found = read_state(None, activity, NOW, registry_in_use=False, signs=[old, asks])
    assert (found.state, found.waiting_for, found.evidence) == ("waiting", "use Bash?", "hook: PermissionRequest")
    assert read_state(None, activity, NOW, registry_in_use=False, signs=[old]).evidence.startswith("transcript")


@pytest.mark.parametrize(
    ("words", "agent"),
    [
        (["codex"], "codex"),
        (["/usr/local/bin/opencode", "serve"], "opencode"),
        (["node", "/usr/lib/node_modules/@google/gemini-cli/dist/index.js"], "gemini"),
        (["/usr/bin/node", "/usr/local/bin/gemini"], "gemini"),
        (["vim", "codex.md"], None),
        ([""], None),
    ],
)
def test_processes_of_agents_are_known_by_their_words(words: list[str], agent: Any) -> None:
    assert processes._agent_of(words) == agent


def test_the_system_is_asked_without_harm() -> None:
    found = processes.running_agents()
    assert found is None or all(one.pid != os.getpid() for one in found)
