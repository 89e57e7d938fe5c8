"""Writes one transcript as Claude Code does: a line a content block, usage repeated."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

OPUS, SONNET, HAIKU = "claude-opus-4-5-20251101", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001"

# dollars a million tokens (input, output, 5-minute write, 1-hour write, read), to aim at a sum
RATES = {OPUS: (5, 25, 6.25, 10, 0.5), SONNET: (3, 15, 3.75, 6, 0.3), HAIKU: (1, 5, 1.25, 2, 0.1)}


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool call and what came back; `result` is None while nothing has."""

    name: str
    input: dict[str, Any]
    result: str | None = "ok"
    failed: bool = False


@dataclass
class Transcript:
    """Lines of one session (or of a sub-agent of it, by `agent_id`), with a clock and a context that grow.

    `pace` stretches the time that everything takes.
    """

    session: str
    cwd: str
    branch: str
    model: str
    clock: datetime
    random: Random
    context: int = 18_000
    agent_id: str | None = None
    pace: float = 1.0
    usd: float = 0.0
    lines: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)
    used: dict[str, list[float]] = field(default_factory=dict)
    _parent: str | None = None

    def prompt(self, text: str, *, wait: float = 20.0) -> None:
        """What the person asked, `wait` seconds after what came before."""
        self._pass(wait)
        self._line("user", message={"role": "user", "content": text})

    def step(self, text: str, *tools: Tool, grow: int = 3000, output: int = 1350, seconds: float = 12.0) -> None:
        """One response: its text and its tool calls as one line each, then the results."""
        message = "msg_01" + self._hex(22)
        request = "req_011" + self._hex(20)
        usage = self._usage(grow, output)
        blocks: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
        calls = [(f"toolu_01{self._hex(22)}", tool) for tool in tools]
        blocks += [{"type": "tool_use", "id": key, "name": tool.name, "input": tool.input} for key, tool in calls]
        partial = self.random.random() < 0.5
        for index, block in enumerate(blocks):
            last = index == len(blocks) - 1
            shown = {**usage, "output_tokens": 1 + index} if partial and not last else usage
            stop = ("tool_use" if calls else "end_turn") if last else None
            self._line(
                "assistant",
                requestId=request,
                apiBlockIndex=index,
                message={
                    "id": message,
                    "type": "message",
                    "role": "assistant",
                    "model": self.model,
                    "content": [block],
                    "stop_reason": stop,
                    "usage": shown,
                },
            )
            self._pass(1.0)
        self._pass(seconds)
        for key, tool in calls:
            if tool.result is not None:
                self._result(key, tool)

    def compact(self, after: int) -> None:
        """The context was summarised to `after` tokens."""
        self._pass(30)
        what = {"trigger": "auto", "preTokens": self.context, "postTokens": after}
        self._line("system", subtype="compact_boundary", content="Conversation compacted", compactMetadata=what)
        self.context = after

    def cost_state(self, hidden: float) -> None:
        """What the agent says it was billed at its end; `hidden` dollars of helper calls are in no line."""
        models = {
            model: {
                "inputTokens": int(used[0]),
                "outputTokens": int(used[1]),
                "cacheReadInputTokens": int(used[4]),
                "cacheCreationInputTokens": int(used[2] + used[3]),
                "webSearchRequests": 0,
                "costUSD": round(_price(model, used), 6),
            }
            for model, used in self.used.items()
        }
        total = round(sum(row["costUSD"] for row in models.values()) + hidden, 6)
        self.lines.append(
            (
                self.clock,
                {
                    "type": "cost-state",
                    "sessionId": self.session,
                    "totalCostUSD": total,
                    "modelUsage": models,
                    "hasUnknownModelCost": False,
                },
            )
        )

    def helped(self, other: "Transcript") -> None:
        """Count what a sub-agent used as this session's (for `cost_state`)."""
        for model, used in other.used.items():
            mine = self.used.setdefault(model, [0.0] * 5)
            self.used[model] = [a + b for a, b in zip(mine, used, strict=True)]

    def ending_at(self, end: datetime, not_before: datetime, *helpers: "Transcript") -> None:
        """Move the session so that it ends at `end`, squeezed where it would begin before `not_before`.

        Its sub-agents move with it.
        """
        first = self.lines[0][0]
        length = (self.clock - first).total_seconds()
        factor = min(1.0, max(0.0, (end - not_before).total_seconds()) / length) if length else 1.0
        was = self.clock
        for one in (self, *helpers):
            one.lines = [(end - (was - at) * factor, line) for at, line in one.lines]
            one.clock = end - (was - one.clock) * factor

    def write(self, path: Path) -> None:
        """Write the lines; the file's own time is that of the last one."""
        import os

        path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in self._stamped())
        path.write_text(text, "utf-8")
        os.utime(path, (self.clock.timestamp(), self.clock.timestamp()))

    def _stamped(self) -> Iterator[dict[str, Any]]:
        for at, line in self.lines:
            stamp = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
            yield line if line["type"] == "cost-state" else {**line, "timestamp": stamp}

    def _result(self, key: str, tool: Tool) -> None:
        block: dict[str, Any] = {"tool_use_id": key, "type": "tool_result", "content": tool.result}
        if tool.failed:
            block["is_error"] = True
        self._line("user", message={"role": "user", "content": [block]})

    def _line(self, kind: str, **more: Any) -> None:
        uuid = self._uuid()
        line = {
            "parentUuid": self._parent,
            "isSidechain": self.agent_id is not None,
            "userType": "external",
            "entrypoint": "cli",
            "cwd": self.cwd,
            "sessionId": self.session,
            "version": "2.1.270",
            "gitBranch": self.branch,
            **({"agentId": self.agent_id} if self.agent_id else {}),
            "type": kind,
            "uuid": uuid,
            **more,
        }
        self._parent = uuid
        self.lines.append((self.clock, line))

    def _usage(self, grow: int, output: int) -> dict[str, Any]:
        hour = self.agent_id is None
        fresh = max(1, grow)
        tokens = [
            3.0 + self.random.randrange(9),
            output,
            0 if hour else fresh,
            fresh if hour else 0,
            self.context,
        ]
        self.used[self.model] = [a + b for a, b in zip(self.used.get(self.model, [0.0] * 5), tokens, strict=True)]
        self.usd += _price(self.model, tokens)
        self.context += fresh
        return {
            "input_tokens": int(tokens[0]),
            "cache_creation_input_tokens": fresh,
            "cache_read_input_tokens": int(tokens[4]),
            "cache_creation": {
                "ephemeral_5m_input_tokens": int(tokens[2]),
                "ephemeral_1h_input_tokens": int(tokens[3]),
            },
            "output_tokens": output,
            "output_tokens_details": {"thinking_tokens": output // 4},
            "service_tier": "standard",
            "server_tool_use": {"web_search_requests": 0},
            "speed": "standard",
        }

    def _pass(self, seconds: float) -> None:
        self.clock += timedelta(seconds=self.pace * seconds * (0.7 + 0.6 * self.random.random()))

    def _hex(self, length: int) -> str:
        return f"{self.random.getrandbits(length * 4):0{length}x}"

    def _uuid(self) -> str:
        return uuid_of(f"{self.session}{self.agent_id}{len(self.lines)}")


def uuid_of(name: str) -> str:
    """A UUID-shaped name that is always the same for `name`."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return "-".join((digest[:8], digest[8:12], "4" + digest[13:16], "a" + digest[17:20], digest[20:32]))


def _price(model: str, tokens: list[float]) -> float:
    return sum(count * rate for count, rate in zip(tokens, RATES[model], strict=True)) / 1e6
