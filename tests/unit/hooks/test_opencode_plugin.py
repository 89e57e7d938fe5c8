"""The plugin that OpenCode loads: it refuses, asks again, tells, and leaves events."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from cockpit.config import HooksConfig
from cockpit.errors import CannotAnswer
from cockpit.hooks.agents import (
    agent_status,
    plan_agent_install,
    settings_path,
)
from cockpit.hooks.plugin import plugin_text
from tests.unit.agent_settings import install, put, state, uninstall


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_opencode_is_asked_again_once_where_a_claim_is_not_backed(tmp_path: Path) -> None:
    strict = HooksConfig(strict=True)
    install("opencode")
    assert state("opencode", strict) == "changed"
    install("opencode", strict)
    assert "Stop" in agent_status("opencode", "user", None, strict).answering
    hook = tmp_path / "hook.sh"
    block = json.dumps({"decision": "block", "reason": "not backed"})
    hook.write_text(f"#!/bin/sh\ncase $(cat) in *'\"stop_hook_active\":true'*) ;; *) echo '{block}';; esac\n")
    hook.chmod(0o755)
    plugin = plugin_text(None, tmp_path / "plugin.mjs", tmp_path / "spool", [str(hook)], strict=True)
    (tmp_path / "plugin.mjs").write_bytes(plugin)
    (tmp_path / "run.mjs").write_text(
        'import { Cockpit } from "./plugin.mjs"\n'
        "const asked = []\n"
        "const client = { session: { promptAsync: async (said) => asked.push(said) } }\n"
        'const hooks = await Cockpit({ client, directory: "/p" })\n'
        'const idle = { event: { type: "session.idle", properties: { sessionID: "s" } } }\n'
        "for (let turn = 0; turn < 3; turn++) await hooks.event(idle)\n"
        "console.log(JSON.stringify(asked))\n"
    )
    done = subprocess.run(["node", str(tmp_path / "run.mjs")], capture_output=True, text=True, check=True)
    asked = json.loads(done.stdout)
    assert len(asked) == 2, "the turn that was asked for goes through, the next one is looked at anew"
    assert asked[0] == {"path": {"id": "s"}, "body": {"parts": [{"type": "text", "text": "not backed"}]}}


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_what_is_told_before_an_opencode_tool_stands_behind_its_output(tmp_path: Path) -> None:
    said = {"hookSpecificOutput": {"hookEventName": "PreToolUse", "additionalContext": "P0 findings: one"}}
    hook = tmp_path / "hook.sh"
    hook.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{json.dumps(said)}'\n")
    hook.chmod(0o755)
    (tmp_path / "plugin.mjs").write_bytes(plugin_text(None, tmp_path / "plugin.mjs", tmp_path / "spool", [str(hook)]))
    (tmp_path / "run.mjs").write_text(
        'import { Cockpit } from "./plugin.mjs"\n'
        'const hooks = await Cockpit({ directory: "/p" })\n'
        'const input = { tool: "write", sessionID: "s", callID: "c" }\n'
        'await hooks["tool.execute.before"](input, { args: {} })\n'
        'const output = { output: "written" }\n'
        'await hooks["tool.execute.after"](input, output)\n'
        'await hooks["tool.execute.after"](input, output)\n'
        "console.log(JSON.stringify(output.output))\n"
    )
    done = subprocess.run(["node", str(tmp_path / "run.mjs")], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == "written\n\nP0 findings: one"


def test_another_plugin_of_that_name_is_not_overwritten() -> None:
    put("opencode", "export const Mine = 1\n")
    with pytest.raises(CannotAnswer, match="another plugin"):
        plan_agent_install("opencode", "user", None, HooksConfig())
    path = settings_path("opencode", "user", None)
    path.unlink()
    install("opencode")
    path.write_bytes(path.read_bytes() + b"export const Mine = 1\n")
    uninstall("opencode")
    assert path.read_text() == "export const Mine = 1\n"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_plugin_refuses_and_leaves_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cockpit.hooks.drain import drain, log_events, log_path, open_spool

    root = tmp_path / "repo"
    root.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    plugin = install("opencode").read_text()
    (tmp_path / "plugin.mjs").write_text(plugin)
    open_spool()
    view = (
        "from rest_framework.viewsets import ModelViewSet\n\n\nclass V(ModelViewSet):\n"
        "    def create(self, request):\n        return User.objects.create(name=1)\n"
    )
    (tmp_path / "run.mjs").write_text(
        'import { Cockpit } from "./plugin.mjs"\n'
        f"const hooks = await Cockpit({{ directory: {json.dumps(str(root))} }})\n"
        'const call = (content) => hooks["tool.execute.before"]({ tool: "write", sessionID: "s" },'
        f" {{ args: {{ filePath: {json.dumps(str(root / 'views.py'))}, content }} }})\n"
        'await call("x = 1\\n")\n'
        f"try {{ await call({json.dumps(view)}); console.log('allowed') }} catch (e) {{ console.log(e.message) }}\n"
        'await hooks.event({ event: { type: "session.idle", properties: { sessionID: "s" } } })\n'
    )
    done = subprocess.run(["node", str(tmp_path / "run.mjs")], capture_output=True, text=True, check=True)
    assert "logic-in-view" in done.stdout
    drain()
    assert [event.event for event in log_events([log_path().read_bytes()])][-1] == "Stop"
