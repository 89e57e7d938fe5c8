"""`cockpit-hook`: it refuses what an edit would bring, and nothing else; it never blocks because it failed."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.cli import main as cockpit
from cockpit.hooks import spool
from cockpit.hooks.drain import drain, log_events, log_path, open_spool
from cockpit.hooks.hints import tokens
from cockpit.warm.client import socket_path
from tests.unit.claude_lines import Talk
from tests.unit.hook_asking import ask, reason

VIEW = "from rest_framework.viewsets import ModelViewSet\n\n\nclass UserViewSet(ModelViewSet):\n    pass\n"


CREATE = "\n    def create(self, request):\n        return User.objects.create(name=request.data)\n"


TEST = "def test_total():\n    assert 1 + 1 == 2\n"


MOCK = "from unittest.mock import Mock\n\n\ndef test_total():\n    assert Mock()\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    (root / "tests").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=root, check=True)
    (root / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["pytest-mock", "django"]\n')
    (root / "views.py").write_text(VIEW)
    (root / "tests" / "test_a.py").write_text(TEST)
    (root / ".gitignore").write_text("build_*.py\n")
    return root


def write(repo: Path, name: str, content: str, tool: str = "Write", *words: str) -> tuple[dict[str, Any], str]:
    given = {"file_path": str(repo / name), "content": content}
    event = "BeforeTool" if tool == "write_file" else "PreToolUse"
    return ask(event, *words, cwd=str(repo), tool_name=tool, tool_input=given)


@pytest.mark.parametrize("checked", [False, True])
def test_an_edit_that_brings_a_p0_finding_is_refused_with_rule_line_and_fix(
    repo: Path, checked: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    if checked:
        cockpit(["--repo", str(repo), "check"])
    why = reason(write(repo, "views.py", VIEW + CREATE))
    assert "views.py:8 logic-in-view" in why and "Fix for logic-in-view: " in why
    assert (
        "tests/test_a.py:" in reason(write(repo, "tests/test_a.py", MOCK)) and (repo / "views.py").read_text() == VIEW
    )
    assert reason(write(repo, "views.py", VIEW + "\n# a comment\n")) == ""


def test_what_several_findings_are_mended_by_is_told_once_and_whole(repo: Path) -> None:
    mocks = "from unittest.mock import Mock, patch\n\n\ndef test_a():\n    assert Mock() and patch('a.b')\n"
    first, *lines, advice = reason(write(repo, "tests/test_b.py", mocks)).splitlines()
    assert first == "This edit would bring 2 blocking (P0) findings; nothing was written."
    assert [line.partition(": ")[0] for line in lines] == [f"tests/test_b.py:{line} bare-mock" for line in (1, 5)]
    assert advice.startswith("Fix for bare-mock: ") and not advice.endswith("…")


def test_an_edit_is_judged_by_the_file_that_it_makes(repo: Path) -> None:
    given = {"file_path": "views.py", "old_string": "    pass\n", "new_string": CREATE}
    why = reason(ask("PreToolUse", cwd=str(repo), tool_name="Edit", tool_input=given))
    assert "logic-in-view" in why
    patch = "*** Begin Patch\n*** Update File: views.py\n     pass\n"
    patch += "".join(f"+{line}\n" for line in CREATE.splitlines()) + "*** End Patch"
    answered = ask(
        "PreToolUse", "--agent", "codex", cwd=str(repo), tool_name="apply_patch", tool_input={"command": patch}
    )
    assert "logic-in-view" in reason(answered)


def test_an_edit_through_a_link_is_judged_where_it_would_be_written(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(repo)
    assert "views.py:8 logic-in-view" in reason(write(tmp_path / "link", "views.py", VIEW + CREATE))
    other = tmp_path / "other"
    other.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=other, check=True)
    (other / "shared").symlink_to(repo)
    (other / "api.py").symlink_to(repo / "views.py")
    assert "views.py:8 logic-in-view" in reason(write(other, "shared/views.py", VIEW + CREATE))
    assert "views.py:8 logic-in-view" in reason(write(other, "api.py", VIEW + CREATE))


def test_what_stood_before_is_no_reason(repo: Path) -> None:
    (repo / "views.py").write_text(VIEW + CREATE)
    assert reason(write(repo, "views.py", "# moved down\n" + VIEW + CREATE)) == ""
    assert reason(write(repo, "views.py", VIEW.replace("UserViewSet", "OtherViewSet") + CREATE)) == ""
    assert "logic-in-view" in reason(write(repo, "views.py", VIEW + CREATE + CREATE.replace("create(", "update(", 1)))


def test_what_the_rest_of_a_file_says_of_the_project_counts(repo: Path) -> None:
    """A statement that stood may become a finding by another line of the same edit."""
    models = "from django.db import models\n\n\nclass Tenant(models.Model):\n    pass\n"
    silenced = VIEW + CREATE.rstrip("\n") + "  # cockpit: ignore[logic-in-view] it has always been here\n"
    (repo / "views.py").write_text(silenced)
    assert reason(write(repo, "views.py", silenced + models)) == ""
    assert "logic-in-view" in reason(write(repo, "views.py", VIEW + CREATE)), "the comment that silenced it is gone"


def test_comments_and_the_baseline_are_respected(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    silenced = CREATE.rstrip("\n") + "  # cockpit: ignore[logic-in-view] it has always been here\n"
    assert reason(write(repo, "views.py", VIEW + silenced)) == ""
    (repo / "views.py").write_text(VIEW + CREATE)
    assert cockpit(["--repo", str(repo), "check", "--write-baseline"]) == 0
    (repo / "views.py").write_text(VIEW)
    assert reason(write(repo, "views.py", VIEW + CREATE)) == ""
    assert "logic-in-view" in reason(write(repo, "other_views.py", VIEW + CREATE)), "a copy is another finding"


def test_files_out_of_scope_are_nobodys_business(repo: Path, tmp_path: Path) -> None:
    (repo / "cockpit.toml").write_text('[checks]\nexclude = ["legacy"]\n')
    for name in ("build_views.py", "legacy/views.py", ".venv/views.py", "views.txt", "../views.py"):
        assert reason(write(repo, name, VIEW + CREATE)) == ""
    assert reason(write(tmp_path / "nowhere", "views.py", VIEW + CREATE)) == ""


def test_a_file_of_another_worktree_is_judged_there(repo: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "add", "-A"], cwd=repo, check=True)
    subprocess.run(["git", "commit", "-q", "-m", "x"], cwd=repo, check=True)
    subprocess.run(["git", "worktree", "add", "-q", str(tmp_path / "tree")], cwd=repo, check=True)
    given = {"file_path": str(tmp_path / "tree" / "views.py"), "content": VIEW + CREATE}
    assert "logic-in-view" in reason(ask("PreToolUse", cwd=str(repo), tool_name="Write", tool_input=given))


def test_gemini_is_answered_in_its_own_words(repo: Path) -> None:
    said, _ = write(repo, "views.py", VIEW + CREATE, "write_file")
    assert said["decision"] == "deny" and "logic-in-view" in said["reason"]


def test_nothing_is_refused_because_something_failed(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert write(repo, "views.py", "def broken(:\n") == ({}, "")
    (repo / ".cockpit").mkdir()
    (repo / ".cockpit" / "baseline.json").write_text("no baseline")
    said, err = write(repo, "views.py", VIEW + CREATE)
    assert said == {} and err.count("\n") == 1 and "baseline" in err
    monkeypatch.setattr("cockpit.hooks.judge.judge_edits", lambda *_: 1 / 0)
    said, err = write(repo, "views.py", VIEW)
    assert said == {} and "ZeroDivisionError" in err


def test_strict_hooks_refuse_what_could_not_be_judged(repo: Path) -> None:
    (repo / "cockpit.toml").write_text("[hooks]\nstrict = true\n")
    assert "cannot be judged" in reason(write(repo, "views.py", "def broken(:\n"))
    (repo / ".cockpit").mkdir()
    (repo / ".cockpit" / "baseline.json").write_text("no baseline")
    assert "could not judge" in reason(write(repo, "views.py", VIEW + CREATE))


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b"null", b'{"a":' * 5000])
def test_malformed_input_is_one_line_on_stderr(raw: bytes) -> None:
    said, err = ask("PreToolUse", raw=raw)
    assert said == {} and err.count("\n") == 1 and "no JSON object" in err


@given(
    st.dictionaries(
        st.sampled_from(("session_id", "cwd", "tool_name", "tool_input", "prompt")),
        st.text() | st.integers() | st.none() | st.dictionaries(st.text(), st.text()),
    )
)
def test_odd_fields_never_block(said: dict[str, object]) -> None:
    answered, err = ask("PreToolUse", raw=json.dumps(said).encode())
    assert answered == {} and err.count("\n") <= 1


def test_the_program_always_ends_well() -> None:
    for words in ([], ["PreToolUse"], ["--wrong"], ["Nonsense"]):
        done = subprocess.run(
            [sys.executable, "-m", "cockpit.hook", *words],
            input=b"{not json",
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (0, b"", 1)


# budgets and sub-agents: only where the person chose so


def delegate(repo: Path, **more: object) -> str:
    return reason(ask("PreToolUse", cwd=str(repo), tool_name="Task", tool_input={"prompt": "x"}, **more))


def test_sub_agents_are_counted_only_where_a_number_is_set(repo: Path) -> None:
    assert not any(delegate(repo) for _ in range(5))
    (repo / "cockpit.toml").write_text("[hooks]\nmax_subagents = 2\n")
    assert [bool(delegate(repo)) for _ in range(3)] == [False, False, True]
    open_spool()
    spool.put("claude", b'{"session_id":"s1","hook_event_name":"SubagentStop"}')
    assert [bool(delegate(repo)) for _ in range(2)] == [False, True]


def test_while_cockpit_is_off_the_transcript_tells_which_sub_agents_have_ended(repo: Path, tmp_path: Path) -> None:
    (repo / "cockpit.toml").write_text("[hooks]\nmax_subagents = 1\n")
    talk = Talk("s1", str(repo), at=datetime.now(UTC))
    talk.prompt("look around")
    path = tmp_path / "s1.jsonl"

    def launch() -> bool:
        path.write_bytes(talk.data())
        return bool(delegate(repo, transcript_path=str(path)))

    assert not launch()
    call = talk.call("Task", subagent_type="Explore", description="look")
    talk.says(call, stop="tool_use")
    assert launch(), "it has not answered yet"
    talk.at = datetime.now(UTC) + timedelta(seconds=1)
    talk.result(call)
    assert not launch()


def test_a_budget_blocks_only_where_it_was_told_to(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    window = SimpleNamespace(window="day", level="blocked")
    monkeypatch.setattr("cockpit.spend.meter.Meter.budget", lambda self, **_: ((window,), {}))
    assert delegate(repo) == ""
    (repo / "cockpit.toml").write_text("[budget]\nblock_on_limit = true\n")
    assert "day budget" in delegate(repo)


# what is told


def snapshot(repo: Path, *lines: int) -> None:
    rows = [
        {
            "fingerprint": f"f{line}",
            "rule": "bare-mock",
            "path": "a.py",
            "line": line,
            "message": "Mock.",
            "help": "Use.",
        }
        for line in lines
    ]
    path = Path(socket_path(str(repo / ".git"))).with_suffix(".json")
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"pid": os.getpid(), "started": "", "at": "", "root": str(repo), "p0": len(rows), "findings": rows}
    path.write_text(json.dumps(document))


def test_findings_that_came_by_another_way_are_told_once(repo: Path) -> None:
    snapshot(repo, 1)
    assert write(repo, "views.py", VIEW) == ({}, ""), "what stood at the first event is not news"
    snapshot(repo, 1, 7)
    said, _ = write(repo, "views.py", VIEW)
    told = said["hookSpecificOutput"]["additionalContext"]
    assert "a.py:7 bare-mock" in told and "a.py:1 " not in told
    assert write(repo, "views.py", VIEW) == ({}, "")


def test_gemini_is_told_after_a_tool_since_it_hears_nothing_before_one(repo: Path) -> None:
    after = {"cwd": str(repo), "tool_name": "run_shell_command", "tool_input": {"command": "make"}}
    snapshot(repo, 1)
    assert ask("AfterTool", "--agent", "gemini", **after) == ({}, "")
    snapshot(repo, 1, 7)
    assert write(repo, "views.py", VIEW, "write_file", "--agent", "gemini") == ({}, "")
    said, _ = ask("AfterTool", "--agent", "gemini", **after)
    assert said["hookSpecificOutput"]["hookEventName"] == "AfterTool"
    assert "a.py:7 bare-mock" in said["hookSpecificOutput"]["additionalContext"]
    assert ask("AfterTool", "--agent", "gemini", **after) == ({}, "")


def test_hints_are_off_unless_chosen_and_counted(repo: Path) -> None:
    prompt = "fix the tenant_id filter in UserViewSet " + "and serializer.save() " * 300
    assert ask("UserPromptSubmit", cwd=str(repo), prompt=prompt) == ({}, "")
    (repo / "cockpit.toml").write_text("[hooks]\nhints = true\n")
    said, _ = ask("UserPromptSubmit", cwd=str(repo), prompt=prompt)
    told = said["hookSpecificOutput"]["additionalContext"]
    assert said["hookSpecificOutput"]["hookEventName"] == "UserPromptSubmit"
    assert "risk: CRITICAL" in told and "multi-tenant-guardian" in told and "missing" in told
    assert tokens(told) <= 500 and len(told.splitlines()) == 3
    from cockpit.hooks.memory import hints_counted

    assert hints_counted() == (1, tokens(told))
    said, _ = ask("BeforeAgent", cwd=str(repo), prompt=prompt)
    assert said["hookSpecificOutput"]["hookEventName"] == "BeforeAgent"
    of_an_agent = ask("UserPromptSubmit", "--agent", "codex", cwd=str(repo), prompt=prompt, agent_id="01a2")
    assert of_an_agent == ({}, ""), "what an agent tells its sub-agent is no person's prompt"


def test_the_digest_is_off_unless_chosen(repo: Path) -> None:
    assert ask("SessionStart", cwd=str(repo)) == ({}, "")
    (repo / "cockpit.toml").write_text("[hooks]\ndigest = true\n")
    said, _ = ask("SessionStart", cwd=str(repo))
    assert 0 < tokens(said["hookSpecificOutput"]["additionalContext"]) <= 500


def test_every_event_is_left_in_the_spool_while_cockpit_is_on(repo: Path) -> None:
    ask("Stop", cwd=str(repo))
    assert not spool.spool_folder().exists()
    open_spool()
    ask("Stop", cwd=str(repo))
    ask("PreToolUse", raw=b"garbage")
    found = drain()
    assert (found.taken, found.garbage) == (1, 0)
    (event,) = log_events([log_path().read_bytes()])
    assert (event.session, event.event, event.agent) == ("s1", "Stop", "claude")
