"""One event that an agent asks about, and what it is told."""

import os
from typing import TYPE_CHECKING, Any

from cockpit.hooks.edits import (
    BEGIN,
)
from skills.record import record

if TYPE_CHECKING:
    from cockpit.agents.models import Agent


@record
class Asked:
    """One event: `event` in Claude Code's words, `named` in the agent's own."""

    agent: "Agent"
    event: str
    named: str
    said: dict[str, Any]

    @property
    def session(self) -> str:
        """The session's id, "" where it says none."""
        return text(self.said.get("session_id")) or ""

    @property
    def cwd(self) -> str:
        """The agent's folder, else this process's own."""
        return text(self.said.get("cwd")) or os.getcwd()  # noqa: PTH109

    @property
    def tool(self) -> str:
        """The tool's name, for Codex CLI without the namespace before it; a shell line there that holds a patch is
        carried out as one."""
        name = text(self.said.get("tool_name")) or ""
        if self.agent != "codex":
            return name
        patches = name == "Bash" and BEGIN in (text(self.given.get("command")) or "")
        return "apply_patch" if patches else name.removeprefix("collaboration")

    @property
    def given(self) -> dict[str, Any]:
        """What the tool was called with."""
        given = self.said.get("tool_input")
        return given if isinstance(given, dict) else {}


@record
class Reply:
    """A refusal (`deny`, with its reason), or `context` for the agent; both empty: nothing to say."""

    deny: str = ""
    context: str = ""


def text(value: object) -> str | None:
    """`value` where it is a string."""
    return value if isinstance(value, str) else None
