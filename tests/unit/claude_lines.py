"""Writes transcripts of Claude Code line by line, for tests."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Talk:
    """A session that grows: each call appends lines, one second apart unless `after` says otherwise."""

    def __init__(self, session: str = "5e55", cwd: str = "/p", branch: str = "main", at: datetime = START) -> None:
        self.session, self.cwd, self.branch, self.at = session, cwd, branch, at
        self.lines: list[dict[str, Any]] = []
        self._calls = 0
        self._messages = 0

    def line(self, kind: str, *, after: float = 1.0, **more: Any) -> None:
        self.at += timedelta(seconds=after)
        self.lines.append(
            {
                "parentUuid": None,
                "isSidechain": False,
                "type": kind,
                "uuid": f"u{len(self.lines)}",
                "sessionId": self.session,
                "cwd": self.cwd,
                "gitBranch": self.branch,
                "version": "2.1.270",
                "timestamp": self.at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                **more,
            }
        )

    def prompt(self, text: object, *, after: float = 1.0, **more: Any) -> None:
        self.line("user", after=after, message={"role": "user", "content": text}, **more)

    def says(self, *blocks: dict[str, Any], stop: str | None = None, used: int = 10_000, **more: Any) -> None:
        """One response: a line for each block, all with the same usage."""
        self._messages += 1
        model = more.pop("model", "claude-sonnet-4-5")
        usage = {
            "input_tokens": 10,
            "output_tokens": 50,
            "cache_creation_input_tokens": 90,
            "cache_read_input_tokens": used - 100,
        }
        for number, block in enumerate(blocks):
            message = {
                "id": f"msg_{self._messages}",
                "model": model,
                "role": "assistant",
                "content": [block],
                "stop_reason": stop if number == len(blocks) - 1 else None,
                "usage": usage,
            }
            self.line("assistant", message=message, **more)

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        self._calls += 1
        return {"type": "tool_use", "id": f"toolu_{self._calls}", "name": name, "input": arguments}

    def result(self, call: dict[str, Any], text: object = "ok", *, failed: bool = False, after: float = 1.0) -> None:
        block: dict[str, Any] = {"type": "tool_result", "tool_use_id": call["id"], "content": text}
        if failed:
            block["is_error"] = True
        self.prompt([block], after=after)

    def does(
        self, name: str, text: object = "ok", *, failed: bool = False, took: float = 1.0, **arguments: Any
    ) -> None:
        """A step with one call and its result."""
        call = self.call(name, **arguments)
        self.says(call, stop="tool_use")
        self.result(call, text, failed=failed, after=took)

    def ends(self) -> None:
        self.says({"type": "text", "text": "Done."}, stop="end_turn")

    def data(self) -> bytes:
        return b"".join(json.dumps(line).encode() + b"\n" for line in self.lines)

    def write(self, claude: Path, *, slug: str = "-p") -> Path:
        path = claude / "projects" / slug / f"{self.session}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.data())
        return path


def thinking() -> dict[str, Any]:
    return {"type": "thinking", "thinking": "Let me see."}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}
