"""What stands in the lines of Claude Code's transcripts: who wrote, blocks of content, the main argument of a call."""

from typing import Any

from cockpit.agents.lenient import count, text
from cockpit.plain_text import plain_text
from skills.orchestrator.events import (
    Delegation,
)

TARGET_LENGTH = 160  # characters of what a call is about
COMMAND_LENGTH = 4000  # characters of a command line that is judged
_MAIN_ARGUMENT = {
    **dict.fromkeys(("Read", "Edit", "Write", "MultiEdit"), "file_path"),
    **dict.fromkeys(("NotebookEdit", "NotebookRead"), "notebook_path"),
    **dict.fromkeys(("Grep", "Glob"), "pattern"),
    **dict.fromkeys(("Bash", "SlashCommand"), "command"),
    "LS": "path",
    "WebFetch": "url",
    "WebSearch": "query",
    "Skill": "skill",
    "TaskCreate": "subject",
}
KNOWN_KINDS = frozenset(
    (
        *("assistant", "user", "system", "attachment", "cost-state", "summary", "progress", "file-history-snapshot"),
        *("queue-operation", "custom-title", "agent-name", "agent-setting", "last-prompt", "mode", "permission-mode"),
        *("ai-title", "tag", "pr-link", "worktree-state", "content-replacement"),
    )
)


def not_a_person(value: dict[str, Any]) -> bool:
    """True for a line of the user's side that the agent itself wrote."""
    origin = value.get("origin")
    kind = origin.get("kind") if isinstance(origin, dict) else None
    flags = ("isMeta", "isCompactSummary", "isVisibleInTranscriptOnly")
    return any(value.get(flag) is True for flag in flags) or kind not in (None, "human", "user")


def target_of(name: str, values: dict[str, Any]) -> str:
    """The main argument of a call in one line."""
    if name == "TodoWrite" and isinstance(todos := values.get("todos"), list):
        return f"{len(todos)} todos"
    if name in ("ExitPlanMode", "EnterPlanMode", "exit_plan_mode"):
        return "plan mode" if name == "EnterPlanMode" else "a plan"
    if name == "AskUserQuestion":
        questions = [one for one in blocks_of(values.get("questions")) if text_of(one.get("question"))]
        return plain_text(questions[0]["question"] if questions else "a question", TARGET_LENGTH)
    if name in ("Task", "Agent"):
        parts = (text_of(values.get("subagent_type")), text_of(values.get("description")))
        return plain_text(": ".join(part for part in parts if part), TARGET_LENGTH)
    main = values.get(_MAIN_ARGUMENT.get(name, ""))
    if not isinstance(main, str):
        main = next((one for one in values.values() if isinstance(one, str)), "")
    return plain_text(main.strip(), TARGET_LENGTH)


def blocks_of(content: object) -> list[dict[str, Any]]:
    """The blocks of a message's content, which may be one string."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def delegation_of(value: object) -> Delegation | None:
    """What a sub-agent's answer says of itself; a launch in the background names only the agent."""
    if not isinstance(value, dict) or not isinstance(agent := value.get("agentId"), str):
        return None
    tokens, tools, spent = (value.get(key) for key in ("totalTokens", "totalToolUseCount", "totalDurationMs"))
    known = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (tokens, tools, spent))
    if not known or value.get("status") == "async_launched":
        return Delegation(plain_text(agent, 120))
    return Delegation(plain_text(agent, 120), count(spent) / 1000, count(tools), count(tokens))


def is_result(block: dict[str, Any]) -> bool:
    """True for the answer to a tool call."""
    return block.get("type") == "tool_result" and isinstance(block.get("tool_use_id"), str)


def text_of(value: object) -> str:
    """`value` where it is a string, else an empty one; lone surrogates are replaced."""
    return text(value) or ""
