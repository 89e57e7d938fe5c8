"""Any settings of an agent come back byte for byte, and a kill leaves the old file or the new one."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.config import HooksConfig
from cockpit.hooks.agents import (
    plan_agent_install,
    settings_path,
)
from cockpit.hooks.json_text import JsonText
from tests.unit.agent_settings import FOREIGN, install, put, state, uninstall

# any settings at all


_LEAF = st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=6)


_VALUE = st.recursive(
    _LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)


_HOOK = st.fixed_dictionaries({"type": st.just("command"), "command": st.text(max_size=8)})


_GROUP = (
    st.fixed_dictionaries({"hooks": st.lists(_HOOK, max_size=2)}, optional={"matcher": st.text(max_size=4)}) | _LEAF
)


_HOOKS = st.dictionaries(st.sampled_from(("PreToolUse", "Stop", "Other")), st.lists(_GROUP, max_size=2))


_SETTINGS = st.fixed_dictionaries({}, optional={"hooks": _HOOKS, "a": _VALUE, 'b"\\': _VALUE, "é": _VALUE})


def _full(hooks: object) -> dict[str, object]:
    assert isinstance(hooks, dict)
    return {event: groups for event, groups in hooks.items() if groups}


@settings(max_examples=40)
@given(
    _SETTINGS,
    st.sampled_from((None, 1, 2, "\t")),
    st.booleans(),
    st.sampled_from(("", "\n", "\r\n", "  \n")),
    st.data(),
)
def test_any_settings_come_back(
    written: dict[str, object], indent: object, ascii: bool, end: str, data: st.DataObject
) -> None:
    path = settings_path("claude", "user", None)
    path.parent.mkdir(parents=True, exist_ok=True)
    before = json.dumps(written, indent=indent, ensure_ascii=ascii) + end  # type: ignore[arg-type]
    path.write_bytes(before.encode())
    install("claude")
    installed = json.loads(path.read_bytes())
    assert {name: value for name, value in installed.items() if name != "hooks"} == {
        name: value for name, value in written.items() if name != "hooks"
    }
    assert not plan_agent_install("claude", "user", None, HooksConfig()).changes
    if data.draw(st.booleans()):
        path.write_bytes(path.read_bytes() + b"\n")  # somebody else wrote
        uninstall("claude")
        left = json.loads(path.read_bytes())
        kept = _full(written.get("hooks", {}))
        assert _full(left.get("hooks", {})) == kept and {**left, "hooks": 0} == {**written, "hooks": 0}
    else:
        uninstall("claude")
        assert path.read_bytes() == before.encode()
    path.unlink()


@given(_SETTINGS, st.sampled_from((None, 2)), st.sampled_from(("a", "é", "hooks")))
def test_one_member_changes_and_no_other_byte(written: dict[str, object], indent: int | None, name: str) -> None:
    raw = json.dumps(written, indent=indent).encode()
    assert json.loads(JsonText(raw, "f").with_member(name, [1])) == {**written, name: [1]}
    if name in written:
        without = {key: value for key, value in written.items() if key != name}
        assert json.loads(JsonText(raw, "f").without_member(name)) == without


_LOOP = """
import sys
from cockpit.config import HooksConfig
from cockpit.hooks.agents import apply_agent, plan_agent_install, plan_agent_uninstall
print("ready", flush=True)
while True:
    apply_agent(plan_agent_install("claude", "user", None, HooksConfig()), installing=True)
    apply_agent(plan_agent_uninstall("claude", "user", None), installing=False)
"""


def test_a_kill_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = put("claude", FOREIGN)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    for attempt in range(6):
        writer = subprocess.Popen([sys.executable, "-c", _LOOP], env=environment, stdout=subprocess.PIPE)
        assert writer.stdout is not None and writer.stdout.readline() == b"ready\n"
        time.sleep(0.02 + attempt * 0.013)  # cockpit: ignore[sleep-in-test] the moment of the kill is what is tried
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        found = path.read_text()
        assert found == FOREIGN or state("claude") == "installed"
        uninstall("claude")
        assert path.read_text() == FOREIGN
