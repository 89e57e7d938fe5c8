"""Writes one small session as each of the other agents does: a prompt, reads at once, an edit, a failed run."""

import json
import sqlite3
from pathlib import Path
from typing import Any

PROMPT = "Add a users endpoint, then run the tests"
PATCH = """*** Begin Patch
*** Update File: app/views.py
@@
 def users():
-    return None
+    return listed_users()
*** End Patch"""


def codex_lines(
    cwd: str, session: str = "0199c0de-0000-7000-8000-000000000001", *, ends: bool = True
) -> list[dict[str, Any]]:
    def at(second: int) -> str:
        return f"2026-11-20T09:00:{second:02}.000Z"

    def item(second: int, **payload: Any) -> dict[str, Any]:
        return {"timestamp": at(second), "type": "response_item", "payload": payload}

    def usage(second: int, total: int) -> dict[str, Any]:
        last = {"input_tokens": 1000, "cached_input_tokens": 400, "output_tokens": 50, "total_tokens": 1050}
        info = {"total_token_usage": {"total_tokens": total}, "last_token_usage": last, "model_context_window": 258400}
        return {"timestamp": at(second), "type": "event_msg", "payload": {"type": "token_count", "info": info}}

    lines = [
        {"timestamp": at(0), "type": "session_meta", "payload": {"id": session, "cwd": cwd, "git": {"branch": "main"}}},
        {"timestamp": at(0), "type": "turn_context", "payload": {"model": "gpt-5.4", "cwd": cwd}},
        item(
            0,
            type="message",
            role="user",
            content=[{"type": "input_text", "text": "<environment_context>x</environment_context>"}],
        ),
        item(1, type="message", role="user", content=[{"type": "input_text", "text": PROMPT}]),
        item(
            2,
            type="function_call",
            name="shell",
            call_id="c1",
            arguments=json.dumps({"command": ["bash", "-lc", "cat app/views.py"]}),
        ),
        item(
            2,
            type="function_call",
            name="shell",
            call_id="c2",
            arguments=json.dumps({"command": ["bash", "-lc", "cat app/urls.py"]}),
        ),
        item(3, type="function_call_output", call_id="c1", output="def users(): ..."),
        item(4, type="function_call_output", call_id="c2", output="urls"),
        usage(4, 1050),
        item(5, type="custom_tool_call", name="apply_patch", call_id="c3", input=PATCH),
        item(6, type="custom_tool_call_output", call_id="c3", output="Success. Updated the following files"),
        usage(6, 2100),
        usage(6, 2100),
        item(7, type="function_call", name="shell", call_id="c4", arguments=json.dumps({"command": "pytest -q"})),
        item(
            9,
            type="function_call_output",
            call_id="c4",
            output=json.dumps({"output": "1 failed", "metadata": {"exit_code": 1}}),
        ),
    ]
    if ends:
        lines.append(
            item(10, type="message", role="assistant", content=[{"type": "output_text", "text": "One test fails."}])
        )
        lines.append({"timestamp": at(10), "type": "event_msg", "payload": {"type": "task_complete"}})
    return lines


def write_codex(home: Path, cwd: str, **options: Any) -> tuple[Path, str]:
    lines = codex_lines(cwd, **options)
    session = lines[0]["payload"]["id"]
    path = home / ".codex" / "sessions" / "2026" / "11" / "20" / f"rollout-2026-11-20T09-00-00-{session}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path, session


def write_gemini(home: Path, cwd: str, session: str = "9e317117-0000") -> tuple[Path, str]:
    def call(key: str, name: str, status: str, output: str, **args: Any) -> dict[str, Any]:
        answer = [{"functionResponse": {"id": key, "name": name, "response": {"output": output}}}]
        return {
            "id": key,
            "name": name,
            "args": args,
            "status": status,
            "result": answer,
            "timestamp": "2026-11-20T09:00:05.000Z",
        }

    tokens = {"input": 1000, "output": 50, "cached": 200, "thoughts": 30, "tool": 0, "total": 1080}
    reads = [
        call("g1", "read_file", "success", "def users(): ...", absolute_path=f"{cwd}/app/views.py"),
        call("g2", "read_file", "success", "urls", absolute_path=f"{cwd}/app/urls.py"),
    ]
    edit = call(
        "g3",
        "replace",
        "success",
        "ok",
        file_path=f"{cwd}/app/views.py",
        old_string="return None",
        new_string="return listed_users()",
    )
    run = call("g4", "run_shell_command", "error", "1 failed", command="pytest -q")
    messages = [
        {"id": "m0", "type": "user", "timestamp": "2026-11-20T09:00:01.000Z", "content": [{"text": PROMPT}]},
        {
            "id": "m1",
            "type": "gemini",
            "timestamp": "2026-11-20T09:00:02.000Z",
            "model": "gemini-2.5-pro",
            "content": "",
            "thoughts": [{"subject": "Look", "description": "first"}],
            "toolCalls": reads,
            "tokens": tokens,
        },
        {
            "id": "m2",
            "type": "gemini",
            "timestamp": "2026-11-20T09:00:06.000Z",
            "model": "gemini-2.5-pro",
            "content": "",
            "toolCalls": [edit],
            "tokens": tokens,
        },
        {
            "id": "m3",
            "type": "gemini",
            "timestamp": "2026-11-20T09:00:07.000Z",
            "model": "gemini-2.5-pro",
            "content": "",
            "toolCalls": [run],
            "tokens": tokens,
        },
        {
            "id": "m4",
            "type": "gemini",
            "timestamp": "2026-11-20T09:00:10.000Z",
            "model": "gemini-2.5-pro",
            "content": "One test fails.",
            "tokens": tokens,
        },
    ]
    folder = home / ".gemini" / "tmp" / "project" / "chats"
    folder.mkdir(parents=True, exist_ok=True)
    (folder.parent / ".project_root").write_text(cwd)
    path = folder / "session-2026-11-20T09-00-9e317117.json"
    path.write_text(json.dumps({"sessionId": session, "messages": messages}))
    return path, session


def write_opencode(home: Path, cwd: str, session: str = "ses_0001") -> tuple[Path, str]:
    start = 1_795_165_200_000  # 2026-11-20T09:00:00Z
    folder = home / ".local" / "share" / "opencode"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "opencode.db"
    base = sqlite3.connect(path)
    base.executescript(
        "CREATE TABLE session (id TEXT PRIMARY KEY, directory TEXT, parent_id TEXT, time_updated INTEGER);"
        "CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT, time_created INTEGER, time_updated INTEGER,"
        " data TEXT);"
        "CREATE TABLE part (id TEXT PRIMARY KEY, message_id TEXT, session_id TEXT, data TEXT);"
    )
    base.execute("INSERT INTO session VALUES (?, ?, NULL, ?)", (session, cwd, start + 10_000))

    def message(name: str, second: int, parts: list[dict[str, Any]], **data: Any) -> None:
        times = {
            "created": start + second * 1000,
            **({"completed": start + second * 1000 + 900} if data["role"] == "assistant" else {}),
        }
        row = json.dumps({"time": times, **data})
        base.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?)", (name, session, start, start, row))
        for number, part in enumerate(parts):
            base.execute("INSERT INTO part VALUES (?, ?, ?, ?)", (f"{name}-{number}", name, session, json.dumps(part)))

    def tool(name: str, key: str, output: str, exit: int = 0, **given: Any) -> dict[str, Any]:
        state = {
            "status": "completed",
            "input": given,
            "output": output,
            "metadata": {"exit": exit},
            "time": {"start": start + 2000, "end": start + 3000},
        }
        return {"type": "tool", "tool": name, "callID": key, "state": state}

    said = {
        "role": "assistant",
        "providerID": "anthropic",
        "modelID": "claude-sonnet-4-6",
        "cost": 0.05,
        "tokens": {"input": 1000, "output": 50, "reasoning": 0, "cache": {"read": 100, "write": 50}},
    }
    begin: dict[str, Any] = {"type": "step-start"}
    message("msg_1", 1, [{"type": "text", "text": PROMPT}], role="user")
    message(
        "msg_2",
        2,
        [
            begin,
            tool("read", "o1", "def users(): ...", filePath=f"{cwd}/app/views.py"),
            tool("read", "o2", "urls", filePath=f"{cwd}/app/urls.py"),
        ],
        **said,
        finish="tool-calls",
    )
    message(
        "msg_3",
        4,
        [
            begin,
            tool(
                "edit",
                "o3",
                "ok",
                filePath=f"{cwd}/app/views.py",
                oldString="return None",
                newString="return listed_users()",
            ),
        ],
        **said,
        finish="tool-calls",
    )
    message("msg_4", 5, [begin, tool("bash", "o4", "1 failed", 1, command="pytest -q")], **said, finish="tool-calls")
    message("msg_5", 6, [begin, {"type": "text", "text": "One test fails."}], **said, finish="stop")
    base.commit()
    base.close()
    return path, session
