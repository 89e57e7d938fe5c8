"""Tools of every agent under one name each, with one name for each argument: those of Claude Code."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from skills.record import record

_NAMES = {
    # Codex CLI
    **dict.fromkeys(("shell", "local_shell", "local_shell_call", "exec_command", "shell_command"), "Bash"),
    **dict.fromkeys(("apply_patch", "patch"), "Edit"),
    **dict.fromkeys(("update_plan", "write_todos", "todowrite"), "TodoWrite"),
    **dict.fromkeys(("web_search", "web_search_call", "google_web_search", "websearch"), "WebSearch"),
    **dict.fromkeys(("spawn_agent", "task", "invoke_agent"), "Task"),
    "enter_plan_mode": "EnterPlanMode",
    **dict.fromkeys(("request_user_input", "ask_user", "question"), "AskUserQuestion"),
    # Gemini CLI and OpenCode
    **dict.fromkeys(("read_file", "read_many_files", "view_image", "read"), "Read"),
    **dict.fromkeys(("write_file", "write"), "Write"),
    **dict.fromkeys(("replace", "edit"), "Edit"),
    "multiedit": "MultiEdit",
    **dict.fromkeys(("run_shell_command", "bash"), "Bash"),
    **dict.fromkeys(("search_file_content", "grep_search", "grep"), "Grep"),
    "glob": "Glob",
    **dict.fromkeys(("list_directory", "list", "ls"), "LS"),
    **dict.fromkeys(("web_fetch", "webfetch"), "WebFetch"),
    **dict.fromkeys(("activate_skill", "skill"), "Skill"),
}
_ARGUMENTS = {
    **dict.fromkeys(("filePath", "absolute_path", "path"), "file_path"),
    "oldString": "old_string",
    "newString": "new_string",
    "cmd": "command",
    "prompt_text": "prompt",
}
_PATCH_FILE = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+?)\s*$", re.MULTILINE)
_SERVER_TOOL = re.compile(
    r"(?!mcp_)([A-Za-z0-9.-]+(?:_[A-Za-z0-9.-]+)*?)__(\w[\w.-]*)|mcp_([A-Za-z0-9.-]+)_(\w[\w.-]*)"
)
_LONGEST = 1_000_000


@record
class Edit:
    """What one call put into a file in the place of something else; `old` is None where it wrote the whole file."""

    path: str
    old: str | None
    new: str


def common_call(name: str, given: object) -> tuple[str, dict[str, Any]]:
    """The common name of a tool and of its arguments. A name that is not known stays as it is."""
    values = _mapping(given)
    common = _NAMES.get(name) or _of_server(name)
    if common == name or name not in _NAMES:
        return common, values
    if common in ("Read", "Edit", "Write", "MultiEdit", "Bash"):
        values = {_ARGUMENTS.get(key, key): value for key, value in values.items()}
    if common == "Bash":
        values["command"] = _command(values)
        if "*** Begin Patch" in values["command"]:
            return "Edit", {"patch": values["command"]}
    if name in ("apply_patch", "patch"):
        patch = next((text for text in values.values() if isinstance(text, str) and "***" in text), "")
        values = {"patch": patch}
    return common, values


def _of_server(name: str) -> str:
    """The tool of a server as Claude Code names it: `db__query` and `mcp_db_query` are `mcp__db__query`."""
    found = _SERVER_TOOL.fullmatch(name)
    return f"mcp__{found[1] or found[3]}__{found[2] or found[4]}" if found else name


def _mapping(given: object) -> dict[str, Any]:
    if isinstance(given, str):
        if given.lstrip().startswith("{"):
            try:
                given = json.loads(given)
            except (ValueError, RecursionError):
                return {"input": given}
        else:
            return {"input": given}
    return dict(given) if isinstance(given, dict) else {}


def _command(values: Mapping[str, Any]) -> str:
    given = values.get("command", values.get("input", ""))
    if isinstance(given, list):
        words = [word for word in given if isinstance(word, str)]
        if len(words) == 3 and words[0].rpartition("/")[2] in ("bash", "sh", "zsh") and words[1] in ("-lc", "-c"):
            return words[2]
        return " ".join(words)
    return given if isinstance(given, str) else ""


def patched_files(patch: str) -> list[str]:
    """The files that a patch in Codex's own form names."""
    return _PATCH_FILE.findall(patch[:_LONGEST])


def edits_of(common: str, values: Mapping[str, Any]) -> Iterator[Edit]:
    """What a call puts into files. `common` and `values` are as `common_call` answers."""
    if isinstance(patch := values.get("patch"), str) and common == "Edit":
        yield from _patched(patch[:_LONGEST])
        return
    path = values.get("file_path", values.get("notebook_path"))
    if not isinstance(path, str):
        return
    if common == "Write":
        yield from _one(path, None, values.get("content"))
    elif common == "Edit":
        yield from _one(path, values.get("old_string"), values.get("new_string", values.get("content")))
    elif common == "NotebookEdit":
        yield from _one(path, "", values.get("new_source"))
    elif common == "MultiEdit" and isinstance(edits := values.get("edits"), list):
        for edit in edits:
            if isinstance(edit, dict):
                old = edit.get("old_string", edit.get("oldString"))
                yield from _one(path, old, edit.get("new_string", edit.get("newString")))


def _one(path: str, old: object, new: object) -> Iterator[Edit]:
    if isinstance(new, str):
        yield Edit(path, old[:_LONGEST] if isinstance(old, str) else None, new[:_LONGEST])


def _patched(patch: str) -> Iterator[Edit]:
    """Each hunk of a patch: lines with `+` came, lines with `-` went, the others stayed."""
    path, added = "", False
    old: list[str] = []
    new: list[str] = []
    for line in [*patch.split("\n"), "*** End Patch"]:
        named = _PATCH_FILE.match(line)
        if named or line.startswith(("@@", "*** ")):
            if path and (old or new):
                yield Edit(path, None if added else "\n".join(old), "\n".join(new))
            old, new = [], []
            if named:
                path, added = named[1], line.startswith("*** Add")
        elif line.startswith("+"):
            new.append(line[1:])
        elif line.startswith("-"):
            old.append(line[1:])
        elif line.startswith(" "):
            old.append(line[1:])
            new.append(line[1:])
