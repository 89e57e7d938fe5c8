"""The files of one agent session, read piece by piece: what each line tells, and where it stands.

A file that grows is read on from where reading stopped; one that was rewritten, and a document, are read again.
"""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cockpit import paths
from cockpit.agents.claude_told import ClaudeTelling
from cockpit.agents.codex_told import CodexTelling
from cockpit.agents.gemini import folder_of as gemini_folder
from cockpit.agents.gemini_told import GeminiTelling
from cockpit.agents.lenient import document, mapping, text
from cockpit.agents.models import Agent
from cockpit.agents.opencode_file import opencode_files
from cockpit.agents.source import Stamp, stamp_of
from cockpit.agents.told import LineTelling, Told
from cockpit.agents.transcript_file import TranscriptFile
from cockpit.agents.transcript_models import Place
from cockpit.files import LONGEST_LINE, Tail, open_regular, read_regular

_NAME = re.compile(r"[\w.-]{1,120}")
_CHAT = 16 * LONGEST_LINE
_HEAD = 1 << 16


class LineFile(TranscriptFile):
    """A file of lines that grows: Claude Code, Codex CLI, newer chats of Gemini CLI."""

    def __init__(self, path: Path, agent: Agent, session: str, label: str = "", *, cwd: str = "") -> None:
        super().__init__(path, agent, session, label)
        self._cwd = cwd
        self._tail = Tail(path)
        self._telling: LineTelling = self._make()

    def _make(self) -> LineTelling:
        if self.agent == "codex":
            return CodexTelling(self.session)
        if self.agent == "gemini":
            return GeminiTelling(self.session, self._cwd)
        return ClaudeTelling(self.session, sidechain=bool(self.label))

    def fresh(self) -> "LineFile":
        return LineFile(self.path, self.agent, self.session, self.label, cwd=self._cwd)

    def changed(self) -> bool:
        return self._tail.changed()

    @property
    def unread(self) -> int:
        return super().unread + self._tail.too_long

    def read(self) -> Iterator[tuple[Place, list[Told]]]:
        tail, started = self._tail, False
        self.restarted = False
        expected, number = tail.offset, tail.line
        for block in tail.blocks():
            if not started:
                started = True
                if tail.restarted:
                    self._telling, self.restarted = self._make(), True
                    expected = number = 0
            if tail.offset > expected:  # a line was passed over
                number += 1
                yield Place(number, expected, tail.offset - expected), []
            offset = tail.offset
            for line in block.split(b"\n")[:-1]:
                number += 1
                told = self._telling.told(line)
                if told:
                    yield Place(number, offset, len(line)), told
                offset += len(line) + 1
            expected = offset
        if tail.restarted and not started:
            self._telling, self.restarted = self._make(), True
        if tail.offset > expected:
            yield Place(number + 1, expected, tail.offset - expected), []

    def raw(self, place: Place) -> bytes:
        if place.size > LONGEST_LINE:
            return b""
        with open_regular(self.path) as stream:
            stream.seek(place.offset)
            return stream.read(place.size) or b""

    def tell(self, raw: bytes) -> list[Told]:
        """What a line of this file tells, by itself."""
        return self._make().told(raw)

    def again(self, place: Place) -> list[Told]:
        return self.tell(self.raw(place))


class PackedFile(LineFile):
    """A compressed rollout of Codex CLI, read as a whole."""

    _stamp: Stamp | None = None

    def changed(self) -> bool:
        return stamp_of(self.path.stat()) != self._stamp

    def fresh(self) -> "PackedFile":
        return PackedFile(self.path, self.agent, self.session, self.label)

    def read(self) -> Iterator[tuple[Place, list[Told]]]:
        from cockpit.agents.codex import CodexReader, unpacked

        self._stamp, self.restarted = stamp_of(self.path.stat()), self._stamp is not None
        self._telling = self._make()
        for number, line in enumerate(unpacked(CodexReader(()).opened(str(self.path))), 1):
            if told := self._telling.told(line):
                yield Place(number), told

    def raw(self, place: Place) -> bytes:
        return b""

    def again(self, place: Place) -> list[Told]:
        return TranscriptFile.again(self, place)


class ChatDocument(TranscriptFile):
    """A chat of Gemini CLI that is one document: each of its messages counts as a line."""

    def __init__(self, path: Path, session: str, label: str = "", *, cwd: str = "") -> None:
        super().__init__(path, "gemini", session, label)
        self._cwd, self._stamp = cwd, Stamp(0, -1, 0)
        self._telling: GeminiTelling = GeminiTelling(session, cwd)

    def fresh(self) -> "ChatDocument":
        return ChatDocument(self.path, self.session, self.label, cwd=self._cwd)

    def changed(self) -> bool:
        return stamp_of(self.path.stat()) != self._stamp

    def read(self) -> Iterator[tuple[Place, list[Told]]]:
        self.restarted = self._stamp.size >= 0
        stamp = stamp_of(self.path.stat())
        if stamp.size > _CHAT:
            raise OSError(27, "larger than a chat can be")
        value = document(read_regular(self.path))
        self._stamp, self._telling = stamp, GeminiTelling(self.session, self._cwd)
        if value is None:
            self._telling.unread += 1
            return
        listed = value.get("messages")
        yield Place(1), self._telling.told(b"{}")
        for number, message in enumerate(listed if isinstance(listed, list) else [], 1):
            yield Place(number), self._telling.message(mapping(message))


def files_of(agent: Agent, session: str) -> list[TranscriptFile]:
    """The files of a session, its own first, then its sub-agents'; none where there is no such session.

    `session` is the whole id. Names that could lead out of the agents' folders find nothing.
    """
    if not _NAME.fullmatch(session) or session in (".", ".."):
        return []
    finders = {"claude": _claude_files, "codex": _codex_files, "gemini": _gemini_files, "opencode": opencode_files}
    try:
        return finders[agent](session)
    except OSError:
        return []


def file_at(agent: Agent, path: Path, session: str) -> TranscriptFile | None:
    """The transcript of Codex CLI or Gemini CLI at a path that the agent itself named; None where it is none."""
    if not path.is_file():
        return None
    if agent == "codex":
        make = PackedFile if path.suffix == ".zst" else LineFile
        return make(path, "codex", session)
    return gemini_file(path, session) if agent == "gemini" and path.suffix in (".json", ".jsonl") else None


def _claude_files(session: str) -> list[TranscriptFile]:
    own: list[Path] = []
    for root in paths.claude_roots():
        own += (root / "projects").glob(f"*/{session}.jsonl")
    if not own:
        return []
    path = max(own, key=lambda one: one.stat().st_mtime)
    return [LineFile(path, "claude", session), *claude_helpers(path)]


def claude_helpers(path: Path) -> list[TranscriptFile]:
    """The sub-agents of a session of Claude Code."""
    folder = path.with_suffix("") / "subagents"
    found = sorted([*folder.glob("agent-*.jsonl"), *folder.glob("workflows/wf_*/agent-*.jsonl")])
    helpers: list[TranscriptFile] = []
    for one in found:
        name = one.stem.removeprefix("agent-")
        said: dict[str, Any] = {}
        with contextlib.suppress(OSError):
            said = mapping(document(read_regular(one.with_suffix(".meta.json"), _HEAD)))
        words = [text(said.get("agentType")) or "", text(said.get("description")) or ""]
        helpers.append(LineFile(one, "claude", name, ": ".join(filter(None, words)) or name))
    return helpers


def _codex_files(session: str) -> list[TranscriptFile]:
    root = paths.codex_root()
    for folder in (root / "sessions", root / "archived_sessions"):
        plain = sorted(folder.rglob(f"rollout-*{session}.jsonl"))
        if plain:
            return [LineFile(plain[-1], "codex", session)]
        if packed := sorted(folder.rglob(f"rollout-*{session}.jsonl.zst")):
            return [PackedFile(packed[-1], "codex", session)]
    return []


def _gemini_files(session: str) -> list[TranscriptFile]:
    root = paths.gemini_root()
    for path in sorted((root / "tmp").glob("*/chats/*.json*"), reverse=True):
        if gemini_session(path) == session:
            helpers = sorted((path.parent / session).glob("*.json*"))
            return [gemini_file(path, session), *(gemini_file(one, one.stem, one.stem) for one in helpers)]
    return []


def gemini_file(path: Path, session: str, label: str = "") -> TranscriptFile:
    """A chat, whichever form it has."""
    cwd = gemini_folder(str(path), (paths.gemini_root(),))
    if path.suffix == ".json":
        return ChatDocument(path, session, label, cwd=cwd)
    return LineFile(path, "gemini", session, label, cwd=cwd)


def gemini_session(path: Path) -> str:
    """The id that a chat names in its first bytes, else the name of its file."""
    try:
        found = re.search(rb'"sessionId"\s*:\s*"([^"\\]{1,120})"', read_regular(path, _HEAD))
    except OSError:
        found = None
    return found[1].decode("utf-8", "replace") if found else path.stem
