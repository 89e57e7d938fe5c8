"""Hooks in agents' own files: beside what is there, and out again byte for byte."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.config import HooksConfig
from cockpit.errors import CannotAnswer
from cockpit.hooks import agents
from cockpit.hooks.agents import (
    AGENTS,
    Agent,
    agent_status,
    apply_agent,
    plan_agent_install,
    plan_agent_uninstall,
    settings_path,
)
from tests.unit.agent_settings import FOREIGN, JSON_AGENTS, install, put, state, uninstall


@pytest.mark.parametrize("agent", AGENTS)
def test_nothing_is_left_where_nothing_was(agent: Agent) -> None:
    path = install(agent)
    assert path.is_file() and state(agent) == "installed"
    assert not plan_agent_install(agent, "user", None, HooksConfig()).changes, "twice is once"
    uninstall(agent)
    assert not path.exists() and state(agent) == "absent"
    uninstall(agent)


@pytest.mark.parametrize("agent", JSON_AGENTS)
def test_what_is_there_stays_and_comes_back_byte_for_byte(agent: Agent) -> None:
    path = put(agent, FOREIGN)
    path.chmod(0o640)
    install(agent)
    after = path.read_text()
    assert after.startswith('{\n    "model": "opus",\n') and after.endswith('"size": 1.10}\n}\n')
    hooks = json.loads(after)["hooks"]
    assert hooks["PreToolUse"][0] == {"matcher": "Bash", "hooks": [{"type": "command", "command": "guard"}]}
    assert hooks["Mine"] == [] and path.stat().st_mode & 0o777 == 0o640
    uninstall(agent)
    assert path.read_text() == FOREIGN


def test_after_a_change_by_others_only_our_entries_go() -> None:
    path = put("claude", FOREIGN)
    install("claude")
    path.write_text(path.read_text().replace('"opus"', '"sonnet"').replace("guard", "guard2"))
    assert state("claude") == "installed"
    plan = plan_agent_uninstall("claude", "user", None)
    assert "changed since" in plan.what
    apply_agent(plan, installing=False)
    left = json.loads(path.read_text())
    assert left["model"] == "sonnet" and list(left["hooks"]) == ["PreToolUse", "Mine"]
    assert left["hooks"]["PreToolUse"][0]["hooks"][0]["command"] == "guard2" and "cockpit" not in path.read_text()


def test_installing_again_after_a_change_keeps_the_change_for_uninstalling() -> None:
    path = put("claude", FOREIGN)
    install("claude")
    path.write_text(path.read_text().replace('"opus"', '"sonnet"'))
    install("claude", HooksConfig(hints=True))
    uninstall("claude")
    assert json.loads(path.read_text()) == json.loads(FOREIGN.replace('"opus"', '"sonnet"'))


def test_a_hook_that_shares_a_group_with_ours_stays() -> None:
    path = install("claude")
    document = json.loads(path.read_text())
    document["hooks"]["Stop"][0]["hooks"].append({"type": "command", "command": "ring"})
    path.write_text(json.dumps(document))
    uninstall("claude")
    assert json.loads(path.read_text()) == {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "ring"}]}]}}


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('{\n  // a comment\n  "hooks": {}\n}', 2),
        ('{"a": 1,}', 1),
        ('{\n\n"hooks": ', 3),
        ("[]", 1),
        ('{"a": 1,\n "hooks": []}', 2),
        ('{"hooks": {"Stop": 3}}', 1),
        ('{"a": 1,\n "a": 2}', 2),
        (b"\xff\xfe", 1),
    ],
)
def test_a_file_that_cannot_be_read_is_left_alone(content: str | bytes, line: int) -> None:
    path = put("claude", content)
    before = path.read_bytes()
    with pytest.raises(CannotAnswer, match=rf"settings\.json:{line}: "):
        plan_agent_install("claude", "user", None, HooksConfig())
    assert path.read_bytes() == before and state("claude") in ("unreadable", "absent")


def test_what_answers_is_what_the_configuration_says() -> None:
    install("claude")
    assert agent_status("claude", "user", None, HooksConfig()).answering == ("PreToolUse",)
    more = HooksConfig(hints=True, digest=True, strict=True)
    assert state("claude", more) == "changed"
    install("claude", more)
    found = agent_status("claude", "user", None, more)
    assert set(found.answering) == {"SessionStart", "UserPromptSubmit", "PreToolUse", "Stop"}
    assert found.state == "installed" and len(found.events) > 8


def test_what_answers_only_while_cockpit_is_on_is_silent_else(tmp_path: Path) -> None:
    from cockpit.hooks.drain import open_spool

    hooks = json.loads(install("gemini").read_text())["hooks"]
    command = hooks["AfterTool"][0]["hooks"][0]["command"]
    assert "AfterTool" in agent_status("gemini", "user", None, HooksConfig()).answering

    def run() -> bytes:
        return subprocess.run(["sh", "-c", command], input=b"garbage", capture_output=True, check=True).stderr

    assert run() == b""
    open_spool()
    assert b"no JSON" in run()


def test_a_patch_in_a_shell_line_of_codex_is_judged_and_other_lines_pass_by(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    root.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    groups = json.loads(install("codex").read_text())["hooks"]["PreToolUse"]
    command = next(group["hooks"][0]["command"] for group in groups if group["matcher"] == "Bash")
    source = (
        "from rest_framework.viewsets import ModelViewSet\n\n\nclass V(ModelViewSet):\n"
        "    def create(self, request):\n        return User.objects.create(name='it%s')\n"
    )
    patch = "*** Begin Patch\n*** Add File: views.py\n" + "".join(f"+{line}\n" for line in source.splitlines())

    def run(line: str) -> bytes:
        said = {"session_id": "s", "cwd": str(root), "tool_name": "Bash", "tool_input": {"command": line}}
        event = json.dumps({"hook_event_name": "PreToolUse", **said}).encode()
        return subprocess.run(["sh", "-c", command], input=event, capture_output=True, check=True, cwd=root).stdout

    refused = json.loads(run(f"apply_patch <<'EOF'\n{patch}*** End Patch\nEOF\n"))["hookSpecificOutput"]
    assert refused["permissionDecision"] == "deny" and "logic-in-view" in refused["permissionDecisionReason"]
    assert run("echo 'views.py'") == b""
    assert "i=$(cat)" in command and state("codex") == "installed"
    uninstall("codex")


def test_gemini_counts_in_milliseconds() -> None:
    path = install("gemini")
    hooks = json.loads(path.read_text())["hooks"]
    assert hooks["BeforeTool"][0]["matcher"] == "write_file|replace|invoke_agent"
    assert hooks["BeforeTool"][0]["hooks"][0]["timeout"] == 10_000
    codex = json.loads(install("codex").read_text())["hooks"]
    assert codex["Stop"][0]["hooks"][0]["timeout"] == 10 and codex["Interrupt"][0]["hooks"][0]["timeout"] == 3


def test_the_commands_do_what_they_say(tmp_path: Path) -> None:
    from cockpit.hooks.drain import drain, open_spool

    spooling = agents.spooling_command("claude")
    event = b'{"session_id":"s","hook_event_name":"Notification"}'

    def run(command: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["sh", "-c", command], input=event, capture_output=True, check=False)

    off = run(spooling)
    assert (off.returncode, off.stdout, off.stderr) == (0, b"", b"")
    folder = open_spool()
    assert run(spooling).returncode == 0 and [path.name.split(".")[0] for path in folder.iterdir()] == ["claude"]
    assert drain().taken == 1
    answering = agents.answering_command("claude", "PreToolUse")
    done = run(answering)
    assert (done.returncode, done.stdout) == (0, b"")
    gone = run(answering.replace("cockpit/hook.py", "cockpit/gone.py"))
    assert (gone.returncode, gone.stderr) == (0, b"")


def trapped(folder: Path) -> dict[str, str]:
    """Modules that tell that they ran, under every name and variable by which Python could find them."""
    trap = f"open({str(folder / 'ran')!r}, 'a').write(__name__ + '\\n')\n"
    packages = ("cockpit", "skills", "widgets", "msgspec")
    user = folder / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    for name in ("sitecustomize.py", "usercustomize.py", *(f"{package}/__init__.py" for package in packages)):
        for place in (folder, user):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(trap)
    variables = {"PYTHONPATH": f".{os.pathsep}{folder}", "PYTHONUSERBASE": str(folder), "PYTHONSAFEPATH": ""}
    return {**os.environ, **variables, "PYTHONWARNINGS": "error::cockpit.Trap"}


def test_nothing_of_the_repository_runs_before_an_answer(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    root.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    environment = trapped(root)
    subprocess.run([sys.executable, "-c", "import cockpit"], cwd=root, env=environment, check=False)
    assert {"sitecustomize", "cockpit"} <= set((root / "ran").read_text().split())  # the trap holds
    (root / "ran").unlink()
    view = (
        "from rest_framework.viewsets import ModelViewSet\n\n\nclass V(ModelViewSet):\n"
        "    def create(self, request):\n        return User.objects.create(name=1)\n"
    )
    given = {"file_path": str(root / "views.py"), "content": view}
    said = {"session_id": "s", "cwd": str(root), "tool_name": "Write", "tool_input": given}
    event = json.dumps({"hook_event_name": "PreToolUse", **said}).encode()
    for agent in ("claude", "codex"):
        words = ["sh", "-c", agents.answering_command(agent, "PreToolUse")]  # type: ignore[arg-type]
        done = subprocess.run(words, cwd=root, env=environment, input=event, capture_output=True, check=True)
        assert json.loads(done.stdout)["hookSpecificOutput"]["permissionDecision"] == "deny"
    assert not (root / "ran").exists()


@pytest.mark.parametrize("agent", JSON_AGENTS)
def test_entries_of_an_older_cockpit_are_replaced_and_go_with_the_others(agent: Agent) -> None:
    path = put(agent, FOREIGN)
    install(agent)
    old = 'h=/opt/venv/bin/cockpit-hook; [ ! -x "$h" ] || PYTHONPATH= "$h" PreToolUse --agent claude; : # cockpit'
    document = json.loads(path.read_text())
    for groups in document["hooks"].values():
        for group in groups:
            for hook in group["hooks"]:
                if "cockpit.hook" in hook["command"]:
                    hook["command"] = old
    path.write_text(json.dumps(document, indent=4))
    assert state(agent) == "changed"
    assert agent_status(agent, "user", None, HooksConfig()).answering
    install(agent)
    assert state(agent) == "installed" and "/opt/venv" not in path.read_text()
    uninstall(agent)
    assert json.loads(path.read_text()) == json.loads(FOREIGN)


def test_the_command_shows_a_diff_and_a_dry_run_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = put("claude", FOREIGN)
    assert main(["hooks", "install", "--agent", "claude", "--dry-run"]) == 0
    assert "+++" in capsys.readouterr().out and path.read_text() == FOREIGN
    assert main(["hooks", "install", "--agent", "claude", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["hooks"][0]
    assert (row["hook"], row["scope"], row["state"], row["changed"]) == ("claude", "user", "installed", True)
    assert main(["hooks", "install", "--agent", "codex"]) == 0
    assert "/hooks" in capsys.readouterr().out
    assert main(["hooks", "status", "--json"]) == 0
    rows = {(row["hook"], row["scope"]): row["state"] for row in json.loads(capsys.readouterr().out)["hooks"]}
    assert rows["claude", "user"] == rows["codex", "user"] == "installed" and rows["gemini", "user"] == "absent"
    assert main(["hooks", "install", "--agent", "claude", "--project"]) == 2
    assert "--project" in capsys.readouterr().err
    assert main(["hooks", "uninstall", "--agent", "claude"]) == 0
    assert path.read_text() == FOREIGN


def test_a_projects_own_file_is_in_the_repository(tmp_path: Path) -> None:
    for agent, name in (("claude", ".claude/settings.json"), ("codex", ".codex/hooks.json")):
        assert settings_path(agent, "project", tmp_path) == tmp_path / name  # type: ignore[arg-type]
