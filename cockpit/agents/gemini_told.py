"""Gemini CLI's chats as what they tell: a message that is written again as it grows tells only what is new."""

import re
from typing import Any

from cockpit.agents.lenient import count, mapping, text, time_of
from cockpit.agents.record import Record, milliseconds
from cockpit.agents.told import LineTelling, Told
from cockpit.agents.tool_names import common_call
from skills.orchestrator.claims import HELD_BACK

_EXIT = re.compile(r"^Exit Code:\s*(-?\d+)", re.MULTILINE | re.IGNORECASE)
_BY_PROGRAM = re.compile(rf"\s*<(?:session_context|hook_context|system-reminder)>|{re.escape(HELD_BACK)}")
_TYPES = frozenset(("user", "gemini", "info", "error", "warning", "model"))


class GeminiTelling(LineTelling):
    """Documents or lines → what they tell. What a rewind took out of a chat stays: it happened and was billed."""

    def __init__(self, session: str, cwd: str = "") -> None:
        self.session, self.cwd = session, cwd
        self._seen: dict[str, tuple[int, int, set[str]]] = {}
        self._placed = False

    def _tell(self, value: dict[str, Any], line: bytes) -> list[Told]:
        found: list[Told] = []
        if self.cwd and not self._placed:
            self._placed = True
            found.append(Told("place", None, self.cwd))
        self.session = text(value.get("sessionId")) or self.session
        for stated in (value.get("messages"), mapping(value.get("$set")).get("messages")):
            for message in stated if isinstance(stated, list) else []:
                found += self.message(mapping(message))
        if "type" in value:
            found += self.message(value)
        return found

    def message(self, message: dict[str, Any]) -> list[Told]:
        """What one message tells that was not told before."""
        kind, step, at = text(message.get("type")), text(message.get("id")) or "", time_of(message.get("timestamp"))
        self.unknown += kind not in _TYPES
        said = _content(message.get("content"))
        thoughts, told_text, calls = self._seen.get(step, (0, 0, set()))
        found: list[Told] = []
        if kind == "user":
            if step not in self._seen and said.strip() and not _BY_PROGRAM.match(said):
                found.append(Told("prompt", at, said))
            self._seen[step] = (0, 1, calls)
            return found
        if kind == "error":
            return [Told("end", at, "error", name=said)]
        if kind not in ("gemini", "model"):
            return []
        model = text(message.get("model")) or ""
        given = message.get("thoughts")
        listed = given if isinstance(given, list) else []
        for thought in listed[thoughts:]:
            words = (text(mapping(thought).get(name)) or "" for name in ("subject", "description"))
            found.append(Told("thought", at, ": ".join(filter(None, words)), step, model=model))
        if said.strip() and not told_text:
            found.append(Told("text", at, said, step, model=model))
            told_text = 1
        found += self._usage(message, step, at)  # the request was answered before its calls were
        calls = self._calls(message, step, at, model, calls, found)
        self._seen[step] = (max(thoughts, len(listed)), told_text, calls)
        if said.strip() and not message.get("toolCalls"):
            found.append(Told("end", at, "end_turn"))
        return found

    def _calls(
        self, message: dict[str, Any], step: str, at: Any, model: str, known: set[str], found: list[Told]
    ) -> set[str]:
        listed = message.get("toolCalls")
        for place, entry in enumerate(listed if isinstance(listed, list) else []):
            call = mapping(entry)
            key = text(call.get("id")) or f"{step}:{place}"
            name = text(call.get("name")) or "?"
            common, values = common_call(name, call.get("args"))
            if key not in known:
                found.append(Told("call", at, "", step, key, name, common, values, model=model))
            status = call.get("status")
            if status in ("success", "error", "cancelled") and f"={key}" not in known:
                answered = time_of(call.get("timestamp")) or at
                failed = status != "success" or (common == "Bash" and _exited_badly(call))
                found.append(Told("result", answered, _result(call), id=key, failed=failed))
                known.add(f"={key}")
            known.add(key)
        return known

    def _usage(self, message: dict[str, Any], step: str, at: Any) -> list[Told]:
        usage = mapping(message.get("tokens"))
        whole, output, cached, thoughts, tool = (
            count(usage.get(kind)) for kind in ("input", "output", "cached", "thoughts", "tool")
        )
        if not whole and not output:
            return []
        record = Record(
            self.session, self.cwd, "", milliseconds(at), text(message.get("model")) or "unknown",
            max(0, whole - cached) + tool, output + thoughts, 0, 0, cached, thoughts, provider="google",
        )  # fmt: skip
        return [Told("usage", at, "", step, record=record)]


def _content(content: object) -> str:
    if isinstance(content, str):
        return text(content) or ""
    parts = content if isinstance(content, list) else [content]
    return "\n".join(filter(None, (text(mapping(part).get("text")) for part in parts)))


def _exited_badly(call: dict[str, Any]) -> bool:
    """Whether a shell line ended with another status than 0: the tool itself answers that it succeeded."""
    found = _EXIT.findall(_answered(call)[-4000:])
    return bool(found) and found[-1] != "0"


def _result(call: dict[str, Any]) -> str:
    shown = call.get("resultDisplay")
    return (text(shown) or "") if isinstance(shown, str) and shown.strip() else _answered(call)


def _answered(call: dict[str, Any]) -> str:
    """What the model was given."""
    given = call.get("result")
    words: list[str] = []
    for part in given if isinstance(given, list) else []:
        answer = mapping(mapping(mapping(part).get("functionResponse")).get("response"))
        words += [text(answer.get(name)) or "" for name in ("output", "error") if answer.get(name)]
    return "\n".join(words) or _content(given)
