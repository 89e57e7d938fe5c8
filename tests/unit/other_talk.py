"""A `Talk` as Codex CLI, Gemini CLI or OpenCode would have written it, as far as their formats tell the same."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.unit.claude_lines import Talk

WINDOW = 200_000
GEMINI_WINDOW = 1_000_000
_CODEX = {"TodoWrite": "update_plan", "ExitPlanMode": "update_plan", "AskUserQuestion": "request_user_input"}
_GEMINI = {
    "Read": "read_file",
    "Grep": "search_file_content",
    "Glob": "glob",
    "Bash": "run_shell_command",
    "Edit": "replace",
    "Write": "write_file",
    "TodoWrite": "write_todos",
    "ExitPlanMode": "write_todos",
    "AskUserQuestion": "ask_user",
    "WebSearch": "google_web_search",
    "WebFetch": "web_fetch",
}
_OPENCODE = {
    "Read": "read",
    "Grep": "grep",
    "Glob": "glob",
    "Bash": "bash",
    "Edit": "edit",
    "Write": "write",
    "TodoWrite": "todowrite",
    "ExitPlanMode": "todowrite",
    "AskUserQuestion": "question",
    "Skill": "skill",
    "WebSearch": "websearch",
    "WebFetch": "webfetch",
    "Task": "task",
    "Agent": "task",
}


def _steps(talk: Talk) -> Iterator[tuple[str, dict[str, Any], list[dict[str, Any]]]]:
    """What happened: `prompt` and `compaction` with their line, `says` with its first line and all its blocks."""
    said: list[dict[str, Any]] = []
    first: dict[str, Any] = {}
    for line in [*talk.lines, {"type": "end"}]:
        name = line.get("message", {}).get("id")
        if said and name != first["message"]["id"]:
            yield "says", first, said
            said = []
        if line["type"] == "assistant":
            first = line if not said else first
            said = [*said, *line["message"]["content"]]
        elif line.get("subtype") == "compact_boundary":
            yield "compaction", line, []
        elif line["type"] == "user" and isinstance(said_by := line["message"]["content"], str):
            yield from [("prompt", line, [])] if "<command-name>" not in said_by else []


def _results(talk: Talk) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """The result of each call with its line."""
    return {
        block["tool_use_id"]: (block, line)
        for line in talk.lines
        if line["type"] == "user" and isinstance(line["message"]["content"], list)
        for block in line["message"]["content"]
    }


def _window(model: str) -> int:
    return 1_000_000 if "[1m]" in model else WINDOW


def _used(line: dict[str, Any]) -> int:
    usage = line["message"]["usage"]
    return int(usage["input_tokens"] + usage["cache_creation_input_tokens"] + usage["cache_read_input_tokens"])


def _shell(name: str, given: dict[str, Any]) -> str | None:
    """The line by which an agent without reading tools reads."""
    if name == "Read":
        return f"sed -n '1,200p' {given['file_path']}"
    if name == "Grep":
        return f"rg -n '{given['pattern']}' ."
    if name == "Glob":
        return f"rg --files -g '{given['pattern']}'"
    return str(given["command"]) if name == "Bash" else None


def _codex_item(block: dict[str, Any]) -> dict[str, Any]:
    if block["type"] == "text":
        return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": block["text"]}]}
    name, given = block["name"], block["input"]
    if name in ("Edit", "Write"):
        patch = f"*** Begin Patch\n*** Update File: {given['file_path']}\n@@\n-a\n+b\n*** End Patch"
        return {"type": "custom_tool_call", "name": "apply_patch", "call_id": block["id"], "input": patch}
    shell = _shell(name, given)
    if shell is not None:
        name, given = "exec_command", {"cmd": shell}
    told = json.dumps(given)
    return {"type": "function_call", "name": _CODEX.get(name, name), "call_id": block["id"], "arguments": told}


def write_as_codex(talk: Talk, home: Path) -> Path:
    lines: list[dict[str, Any]] = []
    results = _results(talk)

    def put(at: str, kind: str, **payload: Any) -> None:
        lines.append({"timestamp": at, "type": kind, "payload": payload})

    begun = talk.lines[0]["timestamp"]
    put(begun, "session_meta", id=talk.session, cwd=talk.cwd)
    put(begun, "turn_context", model="gpt-5.4", cwd=talk.cwd)
    total = 0
    for kind, line, blocks in _steps(talk):
        at = line["timestamp"]
        if kind == "prompt":
            said = [{"type": "input_text", "text": line["message"]["content"]}]
            put(at, "response_item", type="message", role="user", content=said)
        elif kind == "compaction":
            put(at, "compacted", message="so far")
        for block in blocks:
            put(at, "response_item", **_codex_item(block))
        if kind == "says":
            total += _used(line) + 50
            last = {"input_tokens": _used(line), "cached_input_tokens": _used(line) - 100, "output_tokens": 50}
            info = {
                "total_token_usage": {"total_tokens": total},
                "last_token_usage": last,
                "model_context_window": _window(line["message"]["model"]),
            }
            put(at, "event_msg", type="token_count", info=info)
            for block in blocks:
                if block.get("id") in results:
                    result, where = results[block["id"]]
                    code = int(bool(result.get("is_error")))
                    said_back = f"Process exited with code {code}\nOutput:\n{result['content']}"
                    put(
                        where["timestamp"],
                        "response_item",
                        type="function_call_output",
                        call_id=block["id"],
                        output=said_back,
                    )
            if all(block["type"] == "text" for block in blocks):
                put(at, "event_msg", type="task_complete")
    path = home / ".codex" / "sessions" / "2026" / "11" / "20" / f"rollout-2026-11-20T09-00-00-{talk.session}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def write_as_gemini(talk: Talk, home: Path) -> Path:
    results, messages = _results(talk), []
    setting = [{"text": "<session_context>\nThis is the Gemini CLI.\n</session_context>"}]
    begun = talk.lines[0]["timestamp"]
    messages.append({"id": f"{talk.session}-context", "type": "user", "timestamp": begun, "content": setting})
    for kind, line, blocks in _steps(talk):
        at = line["timestamp"]
        if kind == "prompt":
            said = [{"text": line["message"]["content"]}]
            messages.append({"id": line["uuid"], "type": "user", "timestamp": at, "content": said})
        if kind != "says":
            continue
        calls = []
        for block in blocks:
            if block["type"] == "tool_use":
                name = _GEMINI.get(block["name"], block["name"])
                call = {"id": block["id"], "name": name, "args": block["input"], "status": "executing", "timestamp": at}
                if block["id"] in results:
                    result, where = results[block["id"]]
                    code = f"\nExit Code: {int(bool(result.get('is_error')))}" if name == "run_shell_command" else ""
                    answer = {"output": f"{result['content']}{code}"}
                    failed = bool(result.get("is_error")) and name != "run_shell_command"
                    call |= {"status": "error" if failed else "success", "timestamp": where["timestamp"]}
                    call["result"] = [{"functionResponse": {"id": block["id"], "name": name, "response": answer}}]
                calls.append(call)
        scale = GEMINI_WINDOW / _window(line["message"]["model"])
        used = round(_used(line) * scale)
        messages.append(
            {
                "id": line["message"]["id"],
                "type": "gemini",
                "timestamp": at,
                "model": "gemini-2.5-pro",
                "content": "\n".join(block["text"] for block in blocks if block["type"] == "text"),
                "toolCalls": calls,
                "tokens": {"input": used, "output": 50, "cached": used - 100, "thoughts": 0, "tool": 0},
            }
        )
    folder = home / ".gemini" / "tmp" / "project" / "chats"
    folder.mkdir(parents=True, exist_ok=True)
    (folder.parent / ".project_root").write_text(talk.cwd)
    path = folder / f"session-2026-11-20T09-00-{talk.session}.json"
    path.write_text(json.dumps({"sessionId": talk.session, "messages": messages}))
    return path


def _ms(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp).timestamp() * 1000)


def _opencode_part(block: dict[str, Any], answer: Any, at: int, helper: str) -> dict[str, Any]:
    name = _OPENCODE.get(block["name"], block["name"].removeprefix("mcp__").replace("__", "_"))
    given = {("filePath" if key == "file_path" else key): value for key, value in block["input"].items()}
    state: dict[str, Any] = {"status": "running", "input": given, "time": {"start": at}}
    if answer is not None:
        result, where = answer
        status = {"exit": int(bool(result.get("is_error")))} if name == "bash" else {}
        more = {"sessionId": helper} if helper else {}
        failed = bool(result.get("is_error")) and name != "bash"
        state |= {
            "status": "error" if failed else "completed",
            "output": result["content"],
            "metadata": {**status, **more},
        }
        state["time"] = {"start": at, "end": _ms(where["timestamp"])}
    return {"type": "tool", "tool": name, "callID": block["id"], "state": state}


def write_as_opencode(talk: Talk, home: Path) -> Path:
    folder = home / ".local" / "share" / "opencode"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "opencode.db"
    base = sqlite3.connect(path)
    base.executescript(
        "CREATE TABLE IF NOT EXISTS session (id TEXT PRIMARY KEY, directory TEXT, parent_id TEXT,"
        " time_updated INTEGER);"
        "CREATE TABLE IF NOT EXISTS message (id TEXT PRIMARY KEY, session_id TEXT, data TEXT);"
        "CREATE TABLE IF NOT EXISTS part (id TEXT PRIMARY KEY, message_id TEXT, session_id TEXT, data TEXT);"
    )
    results = _results(talk)
    base.execute(
        "INSERT INTO session VALUES (?, ?, NULL, ?)", (talk.session, talk.cwd, _ms(talk.lines[-1]["timestamp"]))
    )

    def put(session: str, number: int, message: dict[str, Any], parts: list[dict[str, Any]]) -> None:
        name = f"msg_{session}_{number:04}"
        base.execute("INSERT INTO message VALUES (?, ?, ?)", (name, session, json.dumps(message)))
        for place, part in enumerate(parts):
            row = (f"prt_{session}_{number:04}_{place:03}", name, session, json.dumps(part))
            base.execute("INSERT INTO part VALUES (?, ?, ?, ?)", row)

    def told(line: dict[str, Any], used: int) -> dict[str, Any]:
        tokens = {"input": 10, "output": 50, "reasoning": 0, "cache": {"read": used - 100, "write": 90}}
        model = line["message"].get("model", "claude-sonnet-4-5")
        known = {"role": "assistant", "providerID": "anthropic", "modelID": model, "tokens": tokens}
        return {**known, "time": {"created": _ms(line["timestamp"]), "completed": _ms(line["timestamp"])}}

    def child(call: str, line: dict[str, Any]) -> str:
        """The session of a sub-agent: so many calls, so much time, so many tokens."""
        said, name = line["toolUseResult"], f"ses_{talk.session}_{call}"
        base.execute("INSERT INTO session VALUES (?, ?, ?, ?)", (name, talk.cwd, talk.session, 0))
        ended = _ms(line["timestamp"])
        message = told(line, said["totalTokens"] - 50)
        message["time"] = {"created": ended - said.get("totalDurationMs", 9000), "completed": ended}
        state = {
            "status": "completed",
            "input": {"filePath": "a.py"},
            "output": "x",
            "time": {"start": ended, "end": ended},
        }
        calls = [
            {"type": "tool", "tool": "read", "callID": f"{call}-{n}", "state": state}
            for n in range(said["totalToolUseCount"])
        ]
        begin: dict[str, Any] = {"type": "step-start"}
        put(name, 1, message, [begin, *calls])
        return name

    for number, (kind, line, blocks) in enumerate(_steps(talk)):
        at = _ms(line["timestamp"])
        if kind == "prompt":
            words = {"type": "text", "text": line["message"]["content"]}
            put(talk.session, number, {"role": "user", "time": {"created": at}}, [words])
        elif kind == "compaction":
            put(talk.session, number, {"role": "assistant", "time": {"created": at}}, [{"type": "compaction"}])
        else:
            parts: list[dict[str, Any]] = [{"type": "step-start"}]
            for block in blocks:
                if block["type"] == "text":
                    parts.append({"type": "text", "text": block["text"]})
                elif block["type"] == "tool_use":
                    result = results.get(block["id"])
                    helper = child(block["id"], result[1]) if result and "toolUseResult" in result[1] else ""
                    parts.append(_opencode_part(block, result, at, helper))
            message = told(line, _used(line))
            message["finish"] = "tool-calls" if any(part["type"] == "tool" for part in parts) else "stop"
            put(talk.session, number, message, parts)
    base.commit()
    base.close()
    return path
