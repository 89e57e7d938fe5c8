"""OpenCode's messages and their parts as what they tell."""

from collections.abc import Iterable, Iterator
from typing import Any

from cockpit.agents.lenient import count, mapping, number, text, time_of, when
from cockpit.agents.opencode import PROVIDERS
from cockpit.agents.record import Record
from cockpit.agents.told import Telling, Told
from cockpit.agents.tool_names import common_call
from skills.orchestrator.claims import HELD_BACK

_TYPES = frozenset(
    (
        *("text", "reasoning", "tool", "step-start", "step-finish", "compaction", "file", "patch", "snapshot"),
        *("agent", "subtask", "retry"),
    )
)
_OWN = frozenset(
    (
        *("lsp_diagnostics", "lsp_hover", "apply_patch", "plan_enter", "plan_exit", "todo_read", "todo_write"),
        *("web_search", "web_fetch", "code_search"),
    )
)


class OpenCodeTelling(Telling):
    """One message with its parts → what it tells. A response may take several steps; each is one."""

    def __init__(self, session: str, cwd: str = "") -> None:
        self.session, self.cwd = session, cwd

    def told(self, name: str, message: dict[str, Any], parts: Iterable[dict[str, Any]]) -> Iterator[Told]:
        """`name` is the message's id."""
        at = time_of(mapping(message.get("time")).get("created"))
        if message.get("role") == "user":
            said = "\n".join(
                text(part.get("text")) or ""
                for part in parts
                if part.get("type") == "text" and part.get("synthetic") is not True
            )
            if said.strip() and not said.startswith(HELD_BACK):
                yield Told("prompt", at, said)
            return
        model, number_of, parts = text(message.get("modelID")) or "", 0, list(parts)
        steps = sum(part.get("type") == "step-start" for part in parts)
        yield from self._usage(name, message, steps)  # the request was answered before its calls were
        for part in parts:
            kind = text(part.get("type"))
            number_of += kind == "step-start"
            self.unknown += kind not in _TYPES
            yield from self._part(part, f"{name}:{number_of or 1}", at, model)
        if mapping(message.get("error")):
            aborted = "abort" in (text(mapping(message.get("error")).get("name")) or "").lower()
            yield Told("end", at, "interrupted" if aborted else "error")
        elif message.get("finish") not in ("tool-calls", "unknown") and (over := _completed(message)) is not None:
            yield Told("end", over, "end_turn")

    def _part(self, part: dict[str, Any], step: str, at: Any, model: str) -> Iterator[Told]:
        kind = part.get("type")
        started = time_of(mapping(part.get("time")).get("start")) or at
        if kind == "text" and (text(part.get("text")) or "").strip():
            yield Told("text", started, text(part.get("text")) or "", step, model=model)
        elif kind == "reasoning":
            yield Told("thought", started, text(part.get("text")) or "", step, model=model)
        elif kind == "compaction":
            yield Told("compaction", started)
        elif kind == "tool":
            state, name = mapping(part.get("state")), text(part.get("tool")) or "?"
            times = mapping(state.get("time"))
            key = text(part.get("callID")) or text(part.get("id")) or ""
            common, given = common_call(_of_server(name), state.get("input"))
            yield Told("call", time_of(times.get("start")) or at, "", step, key, name, common, given, model=model)
            if state.get("status") in ("completed", "error"):
                failed = state.get("status") == "error"
                status = mapping(state.get("metadata")).get("exit")
                failed = failed or (isinstance(status, int) and status != 0)
                said = text(state.get("output")) or text(state.get("error")) or ""
                child = text(mapping(state.get("metadata")).get("sessionId")) or ""
                yield Told("result", time_of(times.get("end")), said, id=key, failed=failed, child=child)

    def _usage(self, name: str, message: dict[str, Any], steps: int) -> Iterator[Told]:
        usage = mapping(message.get("tokens"))
        cache = mapping(usage.get("cache"))
        fresh, output, reasoning = (count(usage.get(kind)) for kind in ("input", "output", "reasoning"))
        if not usage or not (fresh or output or count(cache.get("read"))):
            return
        cost, provider = number(message.get("cost")), text(message.get("providerID")) or ""
        record = Record(
            self.session, text(mapping(message.get("path")).get("cwd")) or self.cwd, "",
            when(mapping(message.get("time")).get("created")), text(message.get("modelID")) or "unknown",
            fresh, output + reasoning, count(cache.get("write")), 0, count(cache.get("read")), reasoning,
            provider=PROVIDERS.get(provider, provider), usd=cost if cost and 0 < cost < 1e6 else None,
        )  # fmt: skip
        at = time_of(mapping(message.get("time")).get("created"))
        yield Told("usage", at, "", f"{name}:{steps or 1}", record=record)


def _of_server(name: str) -> str:
    """OpenCode names a server's tool `server_tool`; its own with an underscore are few."""
    server, mark, tool = name.partition("_")
    return f"{server}__{tool.lstrip('_')}" if mark and server and tool.strip("_") and name not in _OWN else name


def _completed(message: dict[str, Any]) -> Any:
    return time_of(mapping(message.get("time")).get("completed"))
