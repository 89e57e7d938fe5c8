"""`cockpit-hook` at the end of a turn: a claim that no run backs is held back where hooks are strict."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.unit.claude_lines import Talk
from tests.unit.hook_asking import ask
from tests.unit.other_talk import write_as_codex, write_as_gemini


def line(kind: str, content: list[dict[str, object]], at: int, **more: object) -> str:
    message = {"id": f"m{at}", "role": kind, "model": "claude-opus-4-5", "content": content, **more}
    stamp = f"2026-11-20T10:00:{at:02}Z"
    return json.dumps({"type": kind, "uuid": f"u{at}", "timestamp": stamp, "message": message, "cwd": "/p"}) + "\n"


def use(name: str, at: int, **given: object) -> str:
    return line("assistant", [{"type": "tool_use", "id": f"t{at}", "name": name, "input": given}], at)


def result(of: int, at: int) -> str:
    return line("user", [{"type": "tool_result", "tool_use_id": f"t{of}", "content": "ok"}], at)


EDITED = use("Edit", 1, file_path="/p/a.py", old_string="a", new_string="b") + result(1, 2)


TESTED = use("Bash", 3, command="pytest -q") + result(3, 4)


CLAIM = "All tests pass now."


@pytest.fixture
def strict(repo: Path) -> Path:
    (repo / "cockpit.toml").write_text("[hooks]\nstrict = true\n")
    return repo


def stop(repo: Path, transcript: Path, said: str | None = CLAIM, **more: object) -> dict[str, Any]:
    words = {"last_assistant_message": said} if said is not None else {}
    answered, err = ask("Stop", cwd=str(repo), transcript_path=str(transcript), **{**words, **more})
    assert err == ""
    return answered


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    """A transcript in which a file was edited and nothing was run."""
    path = tmp_path / "t.jsonl"
    path.write_text(EDITED)
    return path


def test_a_claim_without_a_run_is_held_back_where_hooks_are_strict(strict: Path, transcript: Path) -> None:
    held = stop(strict, transcript)

    assert held["decision"] == "block" and "not backed" in held["reason"] and "a.py" in held["reason"]


def test_a_claim_is_held_back_once_and_what_claims_nothing_never(strict: Path, transcript: Path) -> None:
    assert stop(strict, transcript, stop_hook_active=True) == {}
    assert stop(strict, transcript, "I changed a.py.") == {}


def test_a_claim_is_read_from_the_transcript_where_the_agent_does_not_send_it(strict: Path, transcript: Path) -> None:
    transcript.write_text(EDITED + line("assistant", [{"type": "text", "text": CLAIM}], 5))

    assert stop(strict, transcript, None)["decision"] == "block"


def test_a_claim_that_a_run_backs_and_one_that_nobody_can_check_pass(strict: Path, transcript: Path) -> None:
    transcript.write_text(EDITED + TESTED)

    assert stop(strict, transcript) == {}
    assert stop(strict, transcript.with_name("gone.jsonl")) == {}


def test_a_claim_passes_as_soon_as_hooks_are_no_longer_strict(strict: Path, transcript: Path) -> None:
    held = stop(strict, transcript)
    (strict / "cockpit.toml").unlink()

    passed = stop(strict, transcript)

    assert (held["decision"], passed) == ("block", {})


def test_an_early_claim_that_was_backed_later_is_no_reason(strict: Path, tmp_path: Path) -> None:
    transcript = tmp_path / "t.jsonl"
    early = line("assistant", [{"type": "text", "text": CLAIM}], 2)
    transcript.write_text(EDITED + early + TESTED)
    assert stop(strict, transcript) == {}


def test_lines_that_come_late_are_waited_for(strict: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    transcript = tmp_path / "t.jsonl"
    transcript.write_text(EDITED)

    def late(_: float) -> None:
        transcript.write_text(EDITED + TESTED)

    monkeypatch.setattr(time, "sleep", late)
    assert stop(strict, transcript) == {}


@pytest.mark.parametrize("agent", ["codex", "gemini"])
@pytest.mark.parametrize("named", [True, False])
def test_a_claim_is_held_back_in_each_agents_own_words(
    agent: str, named: bool, strict: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    event, said = {"codex": ("Stop", "last_assistant_message"), "gemini": ("AfterAgent", "prompt_response")}[agent]
    write = {"codex": write_as_codex, "gemini": write_as_gemini}[agent]
    talk = Talk("0199c0de-0000-7000-8000-000000000007", str(strict))
    talk.prompt("Add a users endpoint")
    talk.does("Edit", file_path="a.py")
    path = write(talk, own_home)
    where = {"transcript_path": str(path)} if named else {}
    words = {"cwd": str(strict), "session_id": talk.session, said: CLAIM, **where}
    held, err = ask(event, "--agent", agent, **words)
    assert err == "" and held["decision"] == {"codex": "block", "gemini": "deny"}[agent]
    assert "not backed" in held["reason"] and "a.py" in held["reason"]
    talk.does("Bash", command="pytest -q")
    write(talk, own_home)
    assert ask(event, "--agent", agent, **words) == ({}, "")
    talk.does("Bash", "1 failed", command="pytest -q", failed=True)
    write(talk, own_home)
    assert "the last run failed" in ask(event, "--agent", agent, **words)[0]["reason"]
