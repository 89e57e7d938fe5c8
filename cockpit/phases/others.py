"""The sessions of Codex CLI, Gemini CLI and OpenCode: found, and kept between reads."""

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from cockpit import paths
from cockpit.agents.codex import CodexReader
from cockpit.agents.told_session import ToldSession
from cockpit.agents.transcript_file import TranscriptFile

_SUB = re.compile(rb'"source"\s*:\s*\{\s*"subagent"')


class OtherSessions:
    """Finds sessions and reads what is new in them. `ours` says whether a folder belongs to the repository."""

    def __init__(self, ours: Callable[[str], bool]) -> None:
        self._ours = ours
        self._kept: dict[str, ToldSession] = {}
        self.problems: dict[str, str] = {}

    def folders(self) -> list[Path]:
        """The folders that exist and change when a session does."""
        root = paths.codex_root()
        places = [root / "sessions", paths.gemini_root() / "tmp", paths.opencode_root()]
        return [place for place in places if place.is_dir()]

    def owns(self, path: str) -> bool:
        """Whether a changed file belongs to one of these agents."""
        roots = (paths.codex_root(), paths.gemini_root(), paths.opencode_root())
        return any(path.startswith(f"{root}{os.sep}") for root in roots)

    def refresh(self, oldest: float, changed: set[str] | None = None) -> bool:
        """Read what is new since `oldest` (seconds since 1970); `changed` names files, None: any may have changed.

        Returns whether there was anything.
        """
        known = {str(one.path): one for one in self._kept.values()}
        if changed is not None and changed <= known.keys() and not any(path.endswith(".db") for path in changed):
            read = [self._read(known[path]) for path in changed]
            return any(read)
        found: set[str] = set()
        news = False
        for file in self._files(oldest):
            found.add(file.key)
            if file.key not in self._kept:
                self._kept[file.key] = ToldSession(file)
                news = True
            news = self._read(self._kept[file.key]) or news
        for gone in self._kept.keys() - found:
            del self._kept[gone]
            news = True
        return news

    @property
    def sessions(self) -> list[ToldSession]:
        """Those of the repository."""
        return [one for one in self._kept.values() if self._ours(one.cwd)]

    def _read(self, session: ToldSession) -> bool:
        try:
            self.problems.pop(session.file.key, None)
            return session.read()
        except OSError as problem:
            self.problems[session.file.key] = f"{session.session[:8]}: {problem.strerror or 'cannot be read'}"
            return False

    def _files(self, oldest: float) -> Iterator[TranscriptFile]:
        for find in (_codex, _gemini, _opencode):
            with contextlib.suppress(OSError):
                yield from find(oldest, self._kept)


def other_files(oldest: float) -> Iterator[TranscriptFile]:
    """The sessions of the three agents that changed since `oldest`, unread; each is opened anew."""
    for find in (_codex, _gemini, _opencode):
        with contextlib.suppress(OSError):
            yield from find(oldest, {})


def _codex(oldest: float, kept: dict[str, ToldSession]) -> Iterator[TranscriptFile]:
    reader = CodexReader([paths.codex_root()])
    for path, stamp in reader.sources():
        if stamp.mtime_ns / 1e9 < oldest:
            continue
        if path in kept:
            yield kept[path].file
            continue
        with contextlib.suppress(OSError), Path(path).open("rb") as stream:
            if _SUB.search(stream.read(65_536)):
                continue  # a sub-agent is no session of its own
        from cockpit.agents.transcript_files import LineFile, PackedFile  # few have all four agents

        session = reader.opened(path).session
        make = PackedFile if path.endswith(".zst") else LineFile
        yield make(Path(path), "codex", session)


def _gemini(oldest: float, kept: dict[str, ToldSession]) -> Iterator[TranscriptFile]:
    for path in sorted((paths.gemini_root() / "tmp").glob("*/chats/*.json*")):
        if path.stat().st_mtime < oldest or path.suffix not in (".json", ".jsonl"):
            continue
        from cockpit.agents.transcript_files import gemini_file, gemini_session

        yield kept[str(path)].file if str(path) in kept else gemini_file(path, gemini_session(path))


def _opencode(oldest: float, kept: dict[str, ToldSession]) -> Iterator[TranscriptFile]:
    root = paths.opencode_root()
    if not root.is_dir():
        return
    from cockpit.agents.opencode_file import OpenCodeFile, folder_session, opencode_sessions

    seen: set[str] = set()
    for path in sorted(root.glob("opencode*.db")):
        for name, (cwd, parent, updated) in opencode_sessions(path).items():
            seen.add(name)
            if parent or (updated and updated / 1000 < oldest):
                continue
            file = OpenCodeFile(path, name, cwd=cwd)
            yield kept[file.key].file if file.key in kept else file
    for folder in sorted((root / "storage" / "message").glob("*")):
        if folder.name in seen or folder.stat().st_mtime < oldest:
            continue
        cwd, parent = folder_session(root / "storage", folder.name)
        if not parent:
            file = OpenCodeFile(root / "storage", folder.name, cwd=cwd)
            yield kept[file.key].file if file.key in kept else file
