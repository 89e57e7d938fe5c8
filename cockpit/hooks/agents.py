"""The hooks of agents: which events, which commands, and in which file of each agent they stand.

What was there is kept, foreign hooks are not touched, and uninstalling puts the file back as it was where nobody has
changed it since. Entries of ours are known by the comment at their end.
"""

import os
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from cockpit import paths
from cockpit.agents.models import Agent
from cockpit.config import HooksConfig
from cockpit.errors import CannotAnswer, cannot_read, cannot_write
from cockpit.files import digest_of, read_regular, write_atomically
from cockpit.hooks import backup
from cockpit.hooks.git import HookPlan, make_plan
from cockpit.hooks.json_text import JsonText
from cockpit.hooks.launcher import HOME, isolated
from cockpit.hooks.plugin import plugin_text, without_plugin
from cockpit.hooks.spool import spool_folder

Scope = Literal["user", "project"]
AgentState = Literal["installed", "changed", "absent", "unreadable"]
AGENTS: tuple[Agent, ...] = get_args(Agent)

_MARK = re.compile(r"#\s*cockpit\s*\Z")
_ANSWERING = re.compile(r"cockpit[.-]hook\b")
_SECONDS = 10
_LARGEST = 8 << 20

# event → (matcher of the tools it is about, the switch of the configuration that makes it answer); without a switch
# it always answers, "-" never, "on" while cockpit is on: only then there is something to tell
_Table = dict[str, tuple[str | None, str]]
_CLAUDE: _Table = {
    "SessionStart": (None, "digest"),
    "UserPromptSubmit": (None, "hints"),
    "PreToolUse": ("Write|Edit|MultiEdit|Task|Agent", ""),
    "PermissionRequest": (None, "-"),
    "PostToolUse": ("Bash|Write|Edit|MultiEdit|NotebookEdit", "-"),
    "Notification": (None, "-"),
    "SubagentStart": (None, "-"),
    "SubagentStop": (None, "-"),
    "PreCompact": (None, "-"),
    "Stop": (None, "strict"),
    "SessionEnd": (None, "-"),
}
_CODEX: _Table = {
    "SessionStart": (None, "digest"),
    "UserPromptSubmit": (None, "hints"),
    "PreToolUse": ("apply_patch|Edit|Write|(collaboration)?(spawn_agent|followup_task)|send_input", ""),
    "PermissionRequest": (None, "-"),
    "PostToolUse": (None, "-"),
    "Stop": (None, "strict"),
    "Interrupt": (None, "-"),
}
_GEMINI: _Table = {
    "SessionStart": (None, "digest"),
    "BeforeAgent": (None, "hints"),
    "BeforeTool": ("write_file|replace|invoke_agent", ""),
    "AfterTool": ("run_shell_command|write_file|replace", "on"),  # what BeforeTool says is not given to the model
    "Notification": (None, "-"),
    "PreCompress": (None, "-"),
    "AfterAgent": (None, "strict"),
    "SessionEnd": (None, "-"),
}
_TABLES: dict[Agent, _Table] = {"claude": _CLAUDE, "codex": _CODEX, "gemini": _GEMINI}


@dataclass(frozen=True, slots=True)
class AgentHooks:
    """The hooks of one agent in one of its files. `events` are those that stand there, `answering` those of them that
    get an answer."""

    agent: Agent
    scope: Scope
    path: Path
    state: AgentState
    events: tuple[str, ...] = ()
    answering: tuple[str, ...] = ()
    note: str = ""


def settings_path(agent: Agent, scope: Scope, root: Path | None) -> Path:
    """The file that holds an agent's hooks. Raises `CannotAnswer` for `project` where there is no repository."""
    if scope == "project":
        if root is None:
            raise CannotAnswer("there is no repository here for --project", "run it in one, or use --user")
        name = {"claude": "settings.json", "codex": "hooks.json", "gemini": "settings.json"}
        return root / f".{agent}" / name.get(agent, "plugin/cockpit.js")
    if agent == "claude":
        chosen = os.environ.get("CLAUDE_CONFIG_DIR", "").strip()
        return (paths.claude_folders()[0] if chosen else Path.home() / ".claude") / "settings.json"
    if agent == "codex":
        return paths.codex_root() / "hooks.json"
    if agent == "gemini":
        return paths.gemini_root() / "settings.json"
    config = os.environ.get("XDG_CONFIG_HOME", "").strip()
    return (Path(config) if config else Path.home() / ".config") / "opencode" / "plugin" / "cockpit.js"


def found_agents() -> tuple[Agent, ...]:
    """The agents that have a folder on this machine."""
    folders = {
        "claude": settings_path("claude", "user", None).parent,
        "codex": paths.codex_root(),
        "gemini": paths.gemini_root(),
        "opencode": settings_path("opencode", "user", None).parent.parent,
    }
    known = {**folders, "opencode": folders["opencode"] if folders["opencode"].is_dir() else paths.opencode_root()}
    return tuple(agent for agent in AGENTS if known[agent].is_dir())


def agent_status(agent: Agent, scope: Scope, root: Path | None, config: HooksConfig) -> AgentHooks:
    """What stands in an agent's file."""
    path = settings_path(agent, scope, root)
    try:
        content = _content(path)
        if content is None:
            return AgentHooks(agent, scope, path, "absent")
        ours = _ours(agent, content, path)
        if not ours:
            return AgentHooks(agent, scope, path, "absent")
        wanted = plan_agent_install(agent, scope, root, config)
    except CannotAnswer as problem:
        return AgentHooks(agent, scope, path, "unreadable", note=problem.message)
    state: AgentState = "installed" if wanted.before == wanted.after else "changed"
    answering = tuple(event for event, answers in ours.items() if answers)
    return AgentHooks(agent, scope, path, state, tuple(ours), answering, _note(agent, scope, state))


def _note(agent: Agent, scope: Scope, state: AgentState) -> str:
    if scope == "project" and state == "installed":
        return "its commands name folders of this machine: think before you commit that file"
    if state == "changed":
        return "not as this cockpit and its configuration would install them: install again"
    return "Codex runs them once they are trusted in /hooks" if agent == "codex" else ""


def plan_agent_install(agent: Agent, scope: Scope, root: Path | None, config: HooksConfig) -> HookPlan:
    """What installing would change. Raises `CannotAnswer` with file and line where the file is not to be touched."""
    path = settings_path(agent, scope, root)
    content = _content(path)
    if agent == "opencode":
        words = isolated("cockpit.hook")
        after = plugin_text(content, path, spool_folder().absolute(), words, strict=config.strict)
    else:
        text = JsonText(content or b"{}\n", path)
        hooks = _hooks(text)
        merged = _merged(_without_ours(hooks), _entries(agent, config))
        after = content if content is not None and merged == hooks else text.with_member("hooks", merged)
    if after == content:
        return make_plan(path, content, after, "is up to date")
    fresh = content is None or not _ours(agent, content, path)
    return make_plan(path, content, after, "gets the hooks of cockpit" if fresh else "is brought up to date")


def plan_agent_uninstall(agent: Agent, scope: Scope, root: Path | None) -> HookPlan:
    """What uninstalling would change: all of it where nobody changed the file since, else our entries only."""
    path = settings_path(agent, scope, root)
    content = _content(path)
    if content is None or not _ours(agent, content, path):
        return make_plan(path, content, content, "has no hooks of cockpit")
    kept = backup.kept(path)
    if kept is not None and kept.after == digest_of(content):
        return make_plan(path, content, kept.before, "is put back as it was")
    if agent == "opencode":
        after = without_plugin(content)
    else:
        text = JsonText(content, path)
        left = _without_ours(_hooks(text))
        after = text.with_member("hooks", left) if left else text.without_member("hooks")
    return make_plan(path, content, after, "was changed since: only the entries of cockpit are taken out")


def apply_agent(plan: HookPlan, *, installing: bool) -> None:
    """Make a planned change, the backup first. Raises `CannotAnswer` where the file is another one by now."""
    if not plan.changes:
        return
    path = plan.path
    if _content(path) != plan.before:
        raise CannotAnswer(f"{path} changed since the change was planned", "try again")
    if installing and plan.after is not None:
        known = backup.kept(path)
        same = known is not None and plan.before is not None and known.after == digest_of(plan.before)
        before = known.before if same and known is not None else _before(plan)
        backup.keep(path, before, plan.after)
    try:
        if plan.after is None:
            path.unlink()
        else:
            write_atomically(path, plan.after, mode=None if path.exists() else 0o600)
    except OSError as problem:
        raise cannot_write(path, problem) from None
    if not installing:
        backup.forget(path)


def _before(plan: HookPlan) -> bytes | None:
    """What to put back: the file as it is, or, where others changed it after an install, that without our entries."""
    if plan.before is None or plan.path.suffix == ".js":
        return None if plan.before is None else without_plugin(plan.before)
    text = JsonText(plan.before, plan.path)
    hooks = _hooks(text)
    left = _without_ours(hooks)
    if left == hooks:
        return plan.before
    return text.with_member("hooks", left) if left else text.without_member("hooks")


# entries


def _entries(agent: Agent, config: HooksConfig) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for event, (matcher, switch) in _TABLES[agent].items():
        answers = switch in ("", "on") or (switch != "-" and getattr(config, switch))
        command = answering_command(agent, event) if answers else spooling_command(agent)
        if switch == "on":
            command = f"[ ! -d {shlex.quote(os.path.abspath(spool_folder()))} ] || {command}"
        found[event] = [_group(agent, event, matcher, command)]
        if agent == "codex" and event == "PreToolUse":
            found[event].append(_group(agent, event, "Bash", patching_command(agent, event)))
    return found


def _group(agent: Agent, event: str, matcher: str | None, command: str) -> dict[str, Any]:
    hook: dict[str, Any] = {"type": "command", "command": command}
    if agent == "gemini":
        hook = {"name": f"cockpit-{event}", **hook, "timeout": _SECONDS * 1000}
    else:  # Codex CLI gives this event no more, and says so at every start
        hook["timeout"] = 3 if event == "Interrupt" else _SECONDS
    return {**({"matcher": matcher} if matcher else {}), "hooks": [hook]}


def spooling_command(agent: Agent) -> str:
    """The command of an event that needs no answer: a file in the spool, nothing where cockpit is off."""
    folder = shlex.quote(os.path.abspath(spool_folder()))
    put = f'cat >"$d/.{agent}.$$" && mv "$d/.{agent}.$$" "$d/{agent}.$$"'
    return f'd={folder}; [ ! -d "$d" ] || {{ {put}; }} 2>/dev/null; : # cockpit'


def answering_command(agent: Agent, event: str) -> str:
    """The command of an event that gets an answer; it ends well also where cockpit is gone."""
    words = shlex.join(isolated("cockpit.hook", event, "--agent", agent))
    return f"[ ! -f {shlex.quote(f'{HOME}/cockpit/hook.py')} ] || {words}; : # cockpit"


def patching_command(agent: Agent, event: str) -> str:
    """The command for shell lines: only one that holds a patch gets an answer, the others pass by a look of `sh`."""
    words = shlex.join(isolated("cockpit.hook", event, "--agent", agent))
    asked = f'[ ! -f {shlex.quote(f"{HOME}/cockpit/hook.py")} ] || printf %s "$i" | {words}'
    return f"i=$(cat); case $i in *'*** Begin Patch'*) {asked};; esac; : # cockpit"


def _hooks(text: JsonText) -> dict[str, Any]:
    hooks = text.value.get("hooks", {})
    if not isinstance(hooks, dict) or not all(isinstance(groups, list) for groups in hooks.values()):
        raise text.problem(text.line_of("hooks"), '"hooks" has another shape than this cockpit knows')
    return hooks


def _is_ours(hook: object) -> bool:
    command = hook.get("command") if isinstance(hook, dict) else None
    return isinstance(command, str) and _MARK.search(command) is not None


def _without_ours(hooks: dict[str, Any]) -> dict[str, Any]:
    """The hooks of others. Groups and events that only we filled go, empty ones that were there stay."""
    left: dict[str, Any] = {}
    for event, groups in hooks.items():
        kept = []
        for group in groups:
            inner = group.get("hooks") if isinstance(group, dict) else None
            if not isinstance(inner, list) or not any(map(_is_ours, inner)):
                kept.append(group)
            elif others := [hook for hook in inner if not _is_ours(hook)]:
                kept.append({**group, "hooks": others})
        if kept or not groups:
            left[event] = kept
    return left


def _merged(hooks: dict[str, Any], entries: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    merged = {event: [*groups, *entries.get(event, [])] for event, groups in hooks.items()}
    return {**merged, **{event: groups for event, groups in entries.items() if event not in merged}}


def _ours(agent: Agent, content: bytes, path: Path) -> dict[str, bool]:
    """The events of ours in a file, and whether each gets an answer."""
    if agent == "opencode":
        strict = {"Stop": True} if b"const STRICT = true" in content else {}
        return {"PreToolUse": True, **strict, "events": False} if without_plugin(content) != content else {}
    found: dict[str, bool] = {}
    for event, groups in _hooks(JsonText(content, path)).items():
        for hook in _inner(groups):
            if _is_ours(hook):
                found[event] = found.get(event, False) or _ANSWERING.search(hook["command"]) is not None
    return found


def _inner(groups: Iterable[Any]) -> list[Any]:
    lists = [group.get("hooks") for group in groups if isinstance(group, dict)]
    return [hook for inner in lists if isinstance(inner, list) for hook in inner]


def _content(path: Path) -> bytes | None:
    try:
        return read_regular(path, _LARGEST)
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise cannot_read(path, problem) from None


def shown(hooks: AgentHooks) -> str:
    """The events in a few words."""
    if not hooks.events:
        return ""
    answered = f"{', '.join(hooks.answering)} answered" if hooks.answering else "nothing answered"
    return f"{len(hooks.events)} events, {answered}"
