"""How skills were used, from the transcripts of a repository's sessions."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cockpit.agents.claude_prompt import spoken
from cockpit.agents.claude_values import blocks_of
from cockpit.agents.lenient import document, time_of
from cockpit.agents.runs import LAST, recent_transcripts
from cockpit.catalogue.usage_others import other_uses
from cockpit.files import Tail
from cockpit.phases.membership import Membership
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from skills.standard.usage import Load, SessionUse

_LISTING = b"skill_listing"
_LISTED = re.compile(r"^\s*[-*]\s+`?/?([\w.-]{1,80}(?::[\w.-]{1,80})?)`?(?::|\s|$)", re.MULTILINE)
_CALL = re.compile(rb'"name"\s*:\s*"Skill"')
_USER = re.compile(rb'"type"\s*:\s*"user"')
_MOST_TOKENS = 1 << 40
_KINDS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


def read_uses(repository: Repository, now: datetime) -> tuple[SessionUse, ...]:
    """The sessions of the last 90 days. A line that was copied into another transcript counts once."""
    seen: set[str] = set()
    found: list[SessionUse] = []
    for path in recent_transcripts(repository, now):
        reader = _Transcript(seen)
        try:
            for block in Tail(path, counting=False).blocks():
                for line in block.split(b"\n"):
                    reader.take(line)
        except OSError:
            continue
        found.append(reader.result())
    found += other_uses((now - LAST).timestamp(), Membership(repository).holds, seen)
    return tuple(found)


def since_when(place: str) -> float:
    """Since when a skill is there: the earlier of its file's and its folder's time, in seconds since 1970."""
    file = Path(place)
    try:
        return min(file.stat().st_mtime, file.parent.stat().st_mtime)
    except OSError:
        return 0.0


@dataclass(slots=True)
class _Call:
    """A skill that was called and whose answer has not been followed by a request yet."""

    name: str
    message: str
    used: int
    output: int
    alone: bool = True


@dataclass(slots=True)
class _Transcript:
    """Reads one transcript of Claude Code line by line; only lines that can matter are decoded."""

    seen: set[str]
    prompts: list[str] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    offered: set[str] = field(default_factory=set)
    listed: bool = False
    began: float = 0.0
    _pending: _Call | None = None
    _last_call: bytes = b""

    def take(self, line: bytes) -> None:
        """One complete line."""
        called = _CALL.search(line) is not None
        if called or (self._pending is not None and b'"usage"' in line):
            self._assistant(line, called)
        elif b'"tool_result"' not in line and (_USER.search(line) or _LISTING in line):
            self._user(line)
        if b'"tool_use"' in line:
            self._last_call = line

    def result(self) -> SessionUse:
        """What was read."""
        self._close(None)
        offered = frozenset(self.offered) if self.listed else None
        return SessionUse(tuple(self.prompts), tuple(self.loads), offered, self.began)

    def _user(self, line: bytes) -> None:
        value = document(line) or {}
        attachment = value.get("attachment")
        if isinstance(attachment, dict) and attachment.get("type") == "skill_listing":
            self.listed = True
            self.offered.update(_LISTED.findall(str(attachment.get("content", ""))[: 1 << 20]))
            return
        at = time_of(value.get("timestamp"))
        if at is not None and not self.began:
            self.began = at.timestamp()
        message, key = value.get("message"), value.get("uuid")
        program = any(value.get(flag) is True for flag in ("isMeta", "isSidechain", "isCompactSummary"))
        if value.get("type") != "user" or program or not isinstance(message, dict):
            return
        if isinstance(key, str) and not self._first(f"prompt:{key}"):
            return
        said = spoken(_words(message.get("content")))
        if said.text:
            self._close(None)
            self.prompts.append(said.text)
        if said.command:
            self.loads.append(Load(plain_text(said.command, 130), typed=True))

    def _assistant(self, line: bytes, called: bool) -> None:
        value = document(line) or {}
        message = value.get("message")
        if value.get("isSidechain") is True or not isinstance(message, dict):
            return
        name, used, output = str(message.get("id") or value.get("uuid") or ""), *_usage(message.get("usage"))
        if self._pending is not None and name == self._pending.message:
            self._pending.output = max(self._pending.output, output)
            self._pending.alone &= not called and b'"tool_use"' not in line
        elif self._pending is not None and used:
            self._close(used)
        if called:
            self._called(message, name, used, output)

    def _called(self, message: dict[str, Any], name: str, used: int, output: int) -> None:
        blocks = [part for part in blocks_of(message.get("content")) if part.get("type") == "tool_use"]
        alone = len(blocks) == 1 and not (name and name.encode("utf-8", "replace") in self._last_call)
        for block in blocks:
            given, key = block.get("input"), block.get("id")
            if block.get("name") != "Skill" or not isinstance(given, dict) or not isinstance(key, str):
                continue
            skill = given.get("skill") or given.get("command")
            if isinstance(skill, str) and skill.strip("/ ") and self._first(f"call:{key}"):
                self._close(None)
                self._pending = _Call(plain_text(skill.strip("/ "), 130), name, used, output, alone)

    def _close(self, used: int | None) -> None:
        """The skill that was called is loaded; `used` is the context of the request that follows, None: none did."""
        call, self._pending = self._pending, None
        if call is None:
            return
        gained = (used or 0) - call.used - call.output
        self.loads.append(Load(call.name, gained if call.alone and used and call.used and gained > 0 else None))

    def _first(self, key: str) -> bool:
        if key in self.seen:
            return False
        self.seen.add(key)
        return True


def _usage(value: object) -> tuple[int, int]:
    """Tokens in the context of a request, and its output."""
    if not isinstance(value, dict):
        return 0, 0
    return sum(_count(value.get(kind)) for kind in _KINDS), _count(value.get("output_tokens"))


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_TOKENS else 0


def _words(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    return "\n".join(text for part in parts if part.get("type") == "text" and isinstance(text := part.get("text"), str))
