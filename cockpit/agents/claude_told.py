"""Claude Code's transcript lines as what they tell, texts and results included."""

from typing import Any

from cockpit.agents.claude_line import read_line
from cockpit.agents.claude_prompt import INTERRUPTED, spoken
from cockpit.agents.claude_values import KNOWN_KINDS, blocks_of, delegation_of, is_result, not_a_person, text_of
from cockpit.agents.lenient import mapping, time_of
from cockpit.agents.told import LineTelling, Told
from cockpit.agents.tool_names import common_call


class ClaudeTelling(LineTelling):
    """Lines → what they tell. `sidechain`: the file is a sub-agent's, whose lines are all marked so."""

    def __init__(self, session: str, *, sidechain: bool = False) -> None:
        self.session, self.sidechain = session, sidechain

    def _tell(self, value: dict[str, Any], line: bytes) -> list[Told]:
        if value.get("isSidechain") is True and not self.sidechain:
            return []
        kind = text_of(value.get("type"))
        at = time_of(value.get("timestamp"))
        found: list[Told] = []
        if cwd := text_of(value.get("cwd")):
            found.append(Told("place", at, cwd, branch=text_of(value.get("gitBranch"))))
        if kind == "assistant":
            found += self._assistant(value, line)
        elif kind == "user":
            found += _user(value)
        elif kind == "attachment":
            found += _queued(value)
        elif kind == "system" and value.get("subtype") == "compact_boundary":
            tokens = mapping(value.get("compactMetadata"))
            found.append(Told("compaction", at, before=_count(tokens, "preTokens"), after=_count(tokens, "postTokens")))
        elif kind not in KNOWN_KINDS:
            self.unknown += 1
        return found

    def _assistant(self, value: dict[str, Any], line: bytes) -> list[Told]:
        at, message = time_of(value.get("timestamp")), value.get("message")
        if value.get("isApiErrorMessage") is True:
            said = "".join(text_of(block.get("text")) for block in blocks_of(mapping(message).get("content")))
            return [Told("end", at, "error", name=said)]
        if not isinstance(message, dict) or message.get("model") == "<synthetic>":
            return []
        step = text_of(message.get("id")) or text_of(value.get("uuid"))
        uuid, model = text_of(value.get("uuid")), text_of(message.get("model"))
        found: list[Told] = []
        for block in blocks_of(message.get("content")):
            kind = block.get("type")
            if kind == "text" and text_of(block.get("text")).strip():
                found.append(Told("text", at, text_of(block.get("text")), step, model=model, uuid=uuid))
            elif kind in ("thinking", "redacted_thinking"):
                found.append(Told("thought", at, text_of(block.get("thinking")), step, model=model, uuid=uuid))
            elif kind == "tool_use" and isinstance(block.get("id"), str):
                name = text_of(block.get("name")) or "?"
                common, given = common_call(name, block.get("input"))
                call = Told("call", at, "", step, block["id"], name, common, given, model=model, uuid=uuid)
                found.append(call)
        if b'"usage"' in line and (reading := read_line(line, self.session)).record is not None:
            final = message.get("stop_reason") is not None or value.get("isSidechain") is not True
            found.append(Told("usage", at, "", step, record=reading.record, final=final))
        stop = message.get("stop_reason")
        if isinstance(stop, str) and stop not in ("tool_use", "pause_turn"):
            found.append(Told("end", at, stop))
        return found


def _user(value: dict[str, Any]) -> list[Told]:
    at, message = time_of(value.get("timestamp")), value.get("message")
    if not isinstance(message, dict):
        return []
    blocks = blocks_of(message.get("content"))
    delegation = delegation_of(value.get("toolUseResult"))
    child = delegation.agent if delegation else ""
    found = [
        Told("result", at, _content(block.get("content")), id=block["tool_use_id"],
             failed=block.get("is_error") is True, child=child)
        for block in blocks
        if is_result(block)
    ]  # fmt: skip
    text = "\n".join(text_of(block.get("text")) for block in blocks if block.get("type") == "text")
    if text.lstrip().startswith(INTERRUPTED):
        return [*found, Told("end", at, "interrupted")]
    if found or not_a_person(value):
        return found
    said = spoken(text).text or ("(image)" if any(block.get("type") == "image" for block in blocks) else "")
    return [Told("prompt", at, said, uuid=text_of(value.get("uuid")))] if said else []


def _queued(value: dict[str, Any]) -> list[Told]:
    attachment = mapping(value.get("attachment"))
    if attachment.get("type") != "queued_command" or attachment.get("commandMode") not in (None, "prompt"):
        return []
    said = spoken(text_of(attachment.get("prompt"))).text
    return [Told("prompt", time_of(value.get("timestamp")), said)] if said else []


def _content(content: object) -> str:
    return "\n".join(text_of(part.get("text")) or f"({text_of(part.get('type'))})" for part in blocks_of(content))


def _count(tokens: dict[str, Any], name: str) -> int | None:
    value = tokens.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
