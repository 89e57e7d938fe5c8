"""Codex CLI's rollout lines as what they tell.

Such a file has no name for a response: what the model gave between two statements of its usage, or between a
result and the next thing it did, is one step.
"""

import re
from typing import Any

from cockpit.agents.lenient import count, document, mapping, text, time_of
from cockpit.agents.record import Record, milliseconds
from cockpit.agents.told import LineTelling, Told
from cockpit.agents.tool_names import common_call

_CONTEXT = re.compile(
    r"\s*<(?:environment_context|user_instructions|hook_prompt|turn_aborted|permissions|skills|ENVIRONMENT)"
)
_AGENTS_FILE = re.compile(r"\s*# AGENTS\.md instructions")
_STATUS = re.compile(r"(?:exit(?:ed with)? code:?|\"exit_code\":)\s*(-?\d+)", re.IGNORECASE)
_BLOCKED = re.compile(r"\s*(?:\w+ ){0,2}blocked by \w+ hook", re.IGNORECASE)
_KINDS = frozenset(("session_meta", "turn_context", "response_item", "event_msg", "token_usage_record", "compacted"))
_CALLS = frozenset(("function_call", "custom_tool_call", "local_shell_call", "web_search_call"))
_RESULTS = frozenset(("function_call_output", "custom_tool_call_output"))


class CodexTelling(LineTelling):
    """Lines → what they tell, with the model and folder that the lines before named."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.cwd = self.branch = self.model = ""
        self.window: int | None = None
        self._step = 0
        self._closed = False
        self._by_response = False
        self._last: dict[str, Any] = {}
        self._started = False

    def _tell(self, value: dict[str, Any], line: bytes) -> list[Told]:
        at, kind, payload = time_of(value.get("timestamp")), text(value.get("type")), mapping(value.get("payload"))
        if kind == "response_item":
            return self._item(payload, at)
        if kind == "event_msg":
            return self._event(payload, at)
        if kind == "token_usage_record":
            self._by_response = True
            return self._usage(mapping(payload.get("usage")), at)
        if kind == "compacted":
            return [Told("compaction", at, text(payload.get("message")) or "")]
        if kind in ("session_meta", "turn_context"):
            return self._place(kind, payload, at)
        self.unknown += kind not in _KINDS
        return []

    def _place(self, kind: str, payload: dict[str, Any], at: Any) -> list[Told]:
        if kind == "session_meta" and not self._started:  # a fork repeats its parent's after its own
            self._started = True
            self.session = text(payload.get("id")) or self.session
            self.branch = text(mapping(payload.get("git")).get("branch")) or ""
        self.cwd = text(payload.get("cwd")) or self.cwd
        self.model = text(payload.get("model")) or self.model
        return [Told("place", at, self.cwd, branch=self.branch)] if self.cwd else []

    def _item(self, payload: dict[str, Any], at: Any) -> list[Told]:
        kind = text(payload.get("type"))
        if kind == "message" and payload.get("role") == "user":
            said = _parts(payload.get("content"))
            if not said.strip() or _CONTEXT.match(said) or _AGENTS_FILE.match(said):
                return []
            self._closed = True
            return [Told("prompt", at, said)]
        if kind == "message":
            said = _parts(payload.get("content"))
            wanted = payload.get("role") == "assistant" and said.strip()
            return [Told("text", at, said, self._next(), model=self.model)] if wanted else []
        if kind == "reasoning":
            return [Told("thought", at, _parts(payload.get("summary")), self._next(), model=self.model)]
        if kind in _CALLS:
            return [self._call(payload, at)]
        if kind in _RESULTS:
            self._closed = True
            said, failed = _answer(payload.get("output"))
            return [Told("result", at, said, id=text(payload.get("call_id")) or "", failed=failed)]
        return []

    def _call(self, payload: dict[str, Any], at: Any) -> Told:
        kind = text(payload.get("type")) or ""
        name = text(payload.get("name")) or kind
        given: Any = payload.get("arguments", payload.get("input", payload.get("action")))
        common, values = common_call(name, given)
        key = text(payload.get("call_id")) or text(payload.get("id")) or f"{kind}-{self._step}"
        return Told("call", at, "", self._next(), key, name, common, values, model=self.model)

    def _event(self, payload: dict[str, Any], at: Any) -> list[Told]:
        kind = text(payload.get("type"))
        if kind == "token_count":
            info = mapping(payload.get("info"))
            last = mapping(info.get("last_token_usage"))
            total = mapping(info.get("total_token_usage"))
            repeated = bool(total) and total == self._last
            self._last = total
            self.window = count(info.get("model_context_window")) or self.window
            return [] if self._by_response or repeated or not last else self._usage(last, at)
        if kind in ("task_complete", "turn_complete"):
            self._closed = True
            return [Told("end", at, "end_turn")]
        if kind == "turn_aborted":
            return [Told("end", at, "interrupted")]
        if kind == "error":
            return [Told("end", at, "error", name=text(payload.get("message")) or "")]
        if kind == "context_compacted":
            return [Told("compaction", at)]
        return []

    def _usage(self, usage: dict[str, Any], at: Any) -> list[Told]:
        names = ("input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens")
        whole, cached, write, output = (count(usage.get(name)) for name in names)
        reasoning = min(count(usage.get("reasoning_output_tokens")), output)
        if not whole and not output:
            return []
        fresh = max(0, whole - cached - write)
        stamp = milliseconds(at)
        record = Record(
            self.session, self.cwd, self.branch, stamp, self.model or "unknown", fresh, output, write, 0, cached,
            reasoning, provider="openai",
        )  # fmt: skip
        step = self._name()
        self._closed = True
        return [Told("usage", at, "", step, record=record, window=self.window)]

    def _next(self) -> str:
        """The step of something that the model gives now."""
        if self._closed:
            self._step += 1
            self._closed = False
        return self._name()

    def _name(self) -> str:
        return f"{self.session}:{self._step}"


def _parts(content: object) -> str:
    if isinstance(content, str):
        return text(content) or ""
    parts = content if isinstance(content, list) else []
    return "\n".join(text(mapping(part).get("text")) or "" for part in parts)


def _answer(output: object) -> tuple[str, bool]:
    """What a call answered and whether it failed: an exit status other than 0 says so."""
    failed = False
    if isinstance(output, dict):
        failed = output.get("success") is False
        output = output.get("content", output.get("output", ""))
    said = _parts(output)
    if said.lstrip().startswith("{"):
        inner = document(said.encode("utf-8", "replace")) or {}
        status = mapping(inner.get("metadata")).get("exit_code")
        if isinstance(inner.get("output"), str):
            said = inner["output"]
        failed = failed or (isinstance(status, int) and status != 0)
    elif _BLOCKED.match(said):
        failed = True
    elif status_told := _STATUS.search(said[:400]):
        failed = failed or status_told[1] != "0"
    return said, failed
