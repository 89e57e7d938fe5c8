"""What Claude Code used: every transcript below its roots, each response counted once, read incrementally.

A response stands in several lines (one for each content block), in forks and in replays of its session. Its
key is `message.id` wherever it stands, and the record with the most output tokens wins; what remains equal is
decided by the content of the records alone: the order of files, lines and reads never changes a total.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cockpit.agents.claude_line import Record, read_line
from cockpit.files import Tail

_SKIPPED = "journal.jsonl"
_LATEST = 1 << 62


@dataclass(slots=True)
class Transcript:
    """One transcript and what was counted in it.

    `records` counts usage lines by cwd, `dropped` other lines by (reason, cwd). `billed` is the last
    cost-state of a main file; `before` and `after` are the responses on either side of it.
    """

    tail: Tail
    session: str
    main: bool
    records: Counter[str] = field(default_factory=Counter)
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    odd: int = 0
    billed: float | None = None
    billed_session: str = ""
    before: set[str] = field(default_factory=set)
    after: dict[str, int | None] = field(default_factory=dict)

    def forget(self) -> None:
        """Start counting again: the file was rewritten."""
        for counted in (self.records, self.dropped, self.before, self.after):
            counted.clear()
        self.odd = 0
        self.billed = None
        self.tail.too_long = 0


class ClaudeUsage:
    """Every response that the transcripts below `roots` tell of.

    `records` maps the key of a response to its winning record; `final` holds the keys of responses whose
    usage is known to be complete. Responses stay even where their file shrinks, is rewritten or goes.
    """

    def __init__(self, roots: Iterable[Path]) -> None:
        self.roots = tuple(roots)
        self.records: dict[str, Record] = {}
        self.final: set[str] = set()
        self.files: dict[str, Transcript] = {}
        self.unreadable: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._rivals: dict[str, dict[str, Record]] = {}
        self._contested = False

    def pending(self) -> list[tuple[str, int]]:
        """Transcripts that have something new, and how many bytes: the most recently written first."""
        found: list[tuple[int, str, int]] = []
        self.unreadable.clear()
        for root in self.roots:
            for entry in _transcripts(str(root / "projects"), self.unreadable):
                try:
                    status = entry.stat()
                except OSError as problem:
                    self.unreadable[entry.path] = problem.strerror or "cannot be read"
                    continue
                known = self.files.get(entry.path)
                if known is None or known.tail.changed(status):
                    size = status.st_size - (known.tail.offset if known else 0)
                    found.append((status.st_mtime_ns, entry.path, max(0, size)))
        return [(path, size) for _, path, size in sorted(found, reverse=True)]

    def read_all(self) -> set[str]:
        """Read everything that is new. Returns the keys of the responses that changed."""
        return self.read(path for path, _ in self.pending())

    def read(self, paths: Iterable[str]) -> set[str]:
        """Read what is new in `paths`, passing over other files. Returns changed keys."""
        changed: set[str] = set()
        for path in paths:
            transcript = self.files.get(path) or self._opened(path)
            if transcript is None:
                continue
            try:
                self._read_file(transcript, changed)
                self.unreadable.pop(path, None)
            except FileNotFoundError:
                continue
            except OSError as problem:
                self.unreadable[path] = problem.strerror or "cannot be read"
        self._settle_rivals(changed)
        return changed

    def _opened(self, path: str) -> Transcript | None:
        for root in self.roots:
            base = str(root / "projects") + os.sep
            parts = Path(path.removeprefix(base)).parts
            named = path.startswith(base) and path.endswith(".jsonl") and parts[-1] != _SKIPPED
            if named and Path(path).is_file():  # a pipe of that name would never end
                main = len(parts) <= 2
                session = parts[-1].removesuffix(".jsonl") if main else parts[1]
                transcript = self.files[path] = Transcript(Tail(Path(path), counting=False), session, main)
                return transcript
        return None

    def _read_file(self, transcript: Transcript, changed: set[str]) -> None:
        started = False
        for block in transcript.tail.blocks():
            if not started and transcript.tail.restarted:
                transcript.forget()
            started = True
            for line in block.split(b"\n"):
                if b'"usage"' in line or b'"cost-state"' in line:
                    self._take(line, transcript, changed)
                elif not line.endswith((b"}", b"}\r")) and line.strip():
                    transcript.dropped["malformed", ""] += 1

    def _take(self, line: bytes, transcript: Transcript, changed: set[str]) -> None:
        found = read_line(line, transcript.session)
        transcript.odd += found.odd
        if found.dropped is not None:
            transcript.dropped[found.dropped, found.cwd] += 1
        elif found.billing is not None:
            if transcript.main:
                transcript.billed, transcript.billed_session = found.billing.usd, found.billing.session
                transcript.before.update(transcript.after)
                transcript.after.clear()
        elif found.record is not None:
            record, key = found.record, found.key
            transcript.records[record.cwd] += 1
            if transcript.main and key not in transcript.before:
                transcript.after.setdefault(key, record.at)
            if found.final and key not in self.final:
                self.final.add(key)
                changed.add(key)
            self._merge(key, record, changed)

    def _merge(self, key: str, record: Record, changed: set[str]) -> None:
        known = self.records.get(key)
        if known is None:
            self.records[key] = self._interned(record)
            changed.add(key)
            return
        if record.output < known.output:
            return
        old, new = _rank(known), _rank(record)
        if new > old:
            return
        if new == old and record.session != known.session:
            self._add_rival(key, known)
            self._add_rival(key, record)
            return
        if new < old:
            self._rivals.pop(key, None)
        elif key in self._rivals:
            self._add_rival(key, record)
            return
        elif _place(record) >= _place(known):
            return
        self.records[key] = self._interned(record)
        changed.add(key)

    def _add_rival(self, key: str, record: Record) -> None:
        rivals = self._rivals.setdefault(key, {})
        known = rivals.get(record.session)
        if known is None or _place(record) < _place(known):
            rivals[record.session] = self._interned(record)
            self._contested = True

    def _settle_rivals(self, changed: set[str]) -> None:
        """Give each response that several sessions hold (forks) to the session that went its own way first.

        A fork goes on where its original ended, so its own first response is later; an original that was
        copied whole has none of its own.
        """
        if not self._contested and not (self._rivals and changed):
            return
        self._contested = False
        sessions = {session for rivals in self._rivals.values() for session in rivals}
        own: dict[str, int] = {}
        for key, record in self.records.items():
            if record.session in sessions and key not in self._rivals:
                at = _LATEST if record.at is None else record.at
                own[record.session] = min(at, own.get(record.session, _LATEST))
        for key, rivals in self._rivals.items():
            chosen = rivals[min(rivals, key=lambda session: (own.get(session, -1), session))]
            if self.records[key] is not chosen:
                self.records[key] = chosen
                changed.add(key)

    def _interned(self, record: Record) -> Record:
        name = self._names.setdefault
        record.session = name(record.session, record.session)
        record.cwd = name(record.cwd, record.cwd)
        record.branch = name(record.branch, record.branch)
        record.model = name(record.model, record.model)
        return record


def _rank(record: Record) -> tuple[object, ...]:
    """Smaller wins: most output, then the larger usage, then the original before a fork or a replay of it."""
    return (
        -record.output,
        -record.input,
        -record.cache_write_5m,
        -record.cache_write_1h,
        -record.cache_read,
        -record.reasoning,
        -record.web_searches,
        not record.fast,
        -len(record.advisors),
        record.advisors,
        record.model,
        record.forked,
        record.sidechain,
        _LATEST if record.at is None else record.at,
    )


def _place(record: Record) -> tuple[str, str, str]:
    return (record.session, record.cwd, record.branch)


def _transcripts(folder: str, unreadable: dict[str, str]) -> Iterator[os.DirEntry[str]]:
    """Every transcript below `folder`; folders behind symbolic links are not entered, so there is no loop."""
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.name.endswith(".jsonl") and entry.name != _SKIPPED and entry.is_file():
                        yield entry
        except FileNotFoundError:
            continue
        except OSError as problem:
            unreadable[place] = problem.strerror or "cannot be read"
