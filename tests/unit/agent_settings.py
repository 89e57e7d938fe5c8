"""An agent's own settings with cockpit's hooks in them, for tests."""

from pathlib import Path

from cockpit.config import HooksConfig
from cockpit.hooks.agents import (
    Agent,
    agent_status,
    apply_agent,
    plan_agent_install,
    plan_agent_uninstall,
    settings_path,
)

FOREIGN = """{
    "model": "opus",
    "hooks": {
        "PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "guard"}]}],
        "Mine": []
    },
    "permissions": {"allow": ["Bash(ls:*)"], "size": 1.10}
}
"""


JSON_AGENTS: tuple[Agent, ...] = ("claude", "codex", "gemini")


def install(agent: Agent, config: HooksConfig | None = None) -> Path:
    plan = plan_agent_install(agent, "user", None, config or HooksConfig())
    apply_agent(plan, installing=True)
    return plan.path


def uninstall(agent: Agent) -> None:
    apply_agent(plan_agent_uninstall(agent, "user", None), installing=False)


def put(agent: Agent, content: str | bytes) -> Path:
    path = settings_path(agent, "user", None)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def state(agent: Agent, config: HooksConfig | None = None) -> str:
    return agent_status(agent, "user", None, config or HooksConfig()).state
