"""What Gemini CLI used: its chats, as whole JSON documents or as lines.

The same message is written again as it grows, so its last form counts; what a rewind takes out of a chat was
billed all the same and stays.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.agents.lenient import count, document, is_count, mapping, text, when
from cockpit.agents.record import Record
from cockpit.agents.source import Reader, Sink, Source, Stamp, below
from cockpit.files import LONGEST_LINE, read_regular

if TYPE_CHECKING:
    from cockpit.agents.models import Agent

_KINDS = ("input", "output", "cached", "thoughts", "tool")
_LARGEST = 16 * LONGEST_LINE  # bytes of a chat that is one document


class GeminiReader(Reader):
    """Reads `tmp/<project>/chats` below its root; a chat in a folder named by a session is that session's sub-agent."""

    agent: "Agent" = "gemini"

    def sources(self) -> Iterator[tuple[str, Stamp]]:
        entries = self.walk(self._places(), lambda name: name.endswith((".json", ".jsonl")))
        return self.stamped(entry for entry in entries if f"{os.sep}chats{os.sep}" in entry.path)

    def owns(self, path: str) -> bool:
        parts = below(path, self._places())
        return parts is not None and _is_chat(parts) and Path(path).is_file()

    def opened(self, path: str) -> Source:
        source = super().opened(path)
        parts = below(path, self._places()) or (path,)
        source.main = len(parts) <= 3
        source.session = parts[-1].rpartition(".")[0]
        source.notes["parent"] = "" if source.main else parts[2]
        return source

    def read(self, source: Source, sink: Sink) -> None:
        stamp = self.stamp(source.path)
        parent = source.notes.get("parent", "")
        cwd = source.notes.get("cwd") or folder_of(source.path, self.roots)
        if source.path.endswith(".json"):
            if stamp.size > _LARGEST:
                raise OSError(27, "larger than a chat can be")
            raw = read_regular(source.path)
            source.forget()
            source.notes.update(parent=parent, cwd=cwd)
            _take(raw, source, sink)
            source.was(stamp)
            return
        for line in source.lines():
            source.notes.update(parent=parent, cwd=cwd)
            if line.strip():
                _take(line, source, sink)

    def _places(self) -> Iterator[Path]:
        return (root / "tmp" for root in self.roots)


def _is_chat(parts: tuple[str, ...]) -> bool:
    return len(parts) >= 3 and parts[1] == "chats" and parts[-1].endswith((".json", ".jsonl"))


def folder_of(path: str, roots: tuple[Path, ...]) -> str:
    """The working directory of a chat: what its project's folder or the list of projects says; else unknown."""
    for root in roots:
        parts = below(path, (root / "tmp",))
        if parts is None:
            continue
        try:
            written = read_regular(root / "tmp" / parts[0] / ".project_root", 4096).decode("utf-8", "replace").strip()
        except OSError:
            written = ""
        if written:
            return written
        try:
            listed = mapping(document(read_regular(root / "projects.json")))
        except OSError:
            listed = {}
        for folder, name in mapping(listed.get("projects")).items():
            if name == parts[0]:
                return text(folder) or ""
    return ""


def _take(raw: bytes, source: Source, sink: Sink) -> None:
    if not any(mark in raw for mark in (b'"tokens"', b'"sessionId"')):
        if document(raw) is None:
            source.dropped["malformed", ""] += 1
        return
    value = document(raw)
    if value is None:
        source.dropped["malformed", ""] += 1
        return
    said = text(value.get("sessionId"))
    if said:
        source.notes["session"] = said
    for stated in (value.get("messages"), mapping(value.get("$set")).get("messages")):
        if isinstance(stated, list):
            for message in stated:
                _take_message(mapping(message), source, sink)
    _take_message(value, source, sink)


def _take_message(message: dict[str, Any], source: Source, sink: Sink) -> None:
    usage, name = mapping(message.get("tokens")), text(message.get("id"))
    if not usage or message.get("type") not in ("gemini", "assistant", None):
        return
    if name is None:
        source.odd += 1
        return
    whole, output, cached, thoughts, tool = (count(usage.get(kind)) for kind in _KINDS)
    source.odd += not all(is_count(usage.get(kind)) for kind in _KINDS)
    own = source.notes.get("session") or source.session
    record = Record(
        source.notes.get("parent") or own,
        source.notes.get("cwd", ""),
        "",
        when(message.get("timestamp")),
        text(message.get("model")) or "unknown",
        max(0, whole - cached) + tool,
        output + thoughts,
        0,
        0,
        cached,
        thoughts,
        sidechain=not source.main,
        provider="google",
    )
    if record.tokens:
        source.records[record.cwd] += 1
        sink.take(f"gemini:{own}:{name}", record, replace=True)
