"""What a tool call means for the phases: does it read, change, plan, delegate, ask or check?"""

import re
from typing import Literal

from skills.orchestrator.events import ToolCall
from skills.orchestrator.shell import changes_files, check_kind

Role = Literal["ask", "plan", "skill", "agent", "check", "change", "read", "other"]

_ROLES: dict[str, Role] = {
    "AskUserQuestion": "ask",
    **dict.fromkeys(
        ("EnterPlanMode", "ExitPlanMode", "exit_plan_mode", "TodoWrite", "TaskCreate", "TaskUpdate"), "plan"
    ),
    **dict.fromkeys(("Skill", "SlashCommand"), "skill"),
    **dict.fromkeys(("Task", "Agent"), "agent"),
    **dict.fromkeys(("Edit", "Write", "MultiEdit", "NotebookEdit"), "change"),
    **dict.fromkeys(("Read", "Grep", "Glob", "LS", "WebFetch", "NotebookRead"), "read"),
}
DOCS_SERVER = re.compile(
    r"mcp__.*(?:context7|docs|documentation|deepwiki)|(?:context7|[\w-]*docs|deepwiki)_+\w|resolve-library-id|"
    r"(?:get|query)-library-docs|query-docs$",
    re.IGNORECASE,
)
"""Names of tools that ask a documentation server, as any agent writes them."""
_READING_SERVER_TOOL = re.compile(r"mcp__.+__(?:get|list|search|read|query|fetch|resolve|find|describe)")
_PLAN_FILE = re.compile(r"/plans/[^/]+\.md$")


def role(call: ToolCall) -> Role:
    """What a call does. A shell command that checks and changes (`ruff check --fix`) counts as a change."""
    if call.name == "Bash":
        if changes_files(call.command):
            return "change"
        return "check" if check_kind(call.command) else "other"
    known = _ROLES.get(call.name)
    if known == "change" and ".claude/plans/" in call.target and _PLAN_FILE.search(call.target):
        return "plan"
    if known is None and call.name.startswith("mcp__") and _READING_SERVER_TOOL.match(call.name):
        return "read"
    return known or "other"
