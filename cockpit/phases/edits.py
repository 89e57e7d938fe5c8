"""Every edit that agents made to the files of a repository, from the transcripts of all four; kept between reads."""

import bisect
import os
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cockpit import paths
from cockpit.agents.models import Agent
from cockpit.agents.told import Told
from cockpit.agents.tool_names import edits_of
from cockpit.agents.transcript import Cost
from cockpit.agents.transcript_file import TranscriptFile
from cockpit.agents.transcript_files import LineFile, claude_helpers
from cockpit.agents.transcript_models import Place
from cockpit.clock import EPOCH
from cockpit.phases.membership import Membership
from cockpit.phases.others import other_files
from cockpit.phases.transcripts import first_cwd, transcripts
from cockpit.plain_text import plain_text
from cockpit.repository import Repository

LAST = timedelta(days=90)
_MOST_TEXT = 200_000


@dataclass(slots=True)
class StepCost:
    """What one response used: tokens, dollars (None: no known price), and whether that is only a floor."""

    tokens: int = 0
    usd: float | None = None
    floor: bool = False
    output: int = -1
    calls: int = 0


@dataclass(frozen=True, slots=True)
class MadeEdit:
    """One edit: where it stands, in which worktree (`root`) and file it was made, for which prompt, in which step."""

    agent: Agent
    session: str
    helper: str
    line: int
    at: datetime | None
    root: str
    path: str
    old: str | None
    new: str
    tool: str
    step: str
    prompt: str
    prompt_line: int
    model: str


@dataclass(slots=True)
class _Source:
    file: TranscriptFile
    session: str
    cwd: str = ""
    prompt: str = ""
    prompt_line: int = 0
    edits: dict[str, list[MadeEdit]] = field(default_factory=dict)
    costs: dict[str, StepCost] = field(default_factory=dict)
    commits: list[tuple[datetime, int, str]] = field(default_factory=list)


class EditIndex:
    """Edits by file, relative to the worktree in which it lies. `problems` says what could not be read. May be asked
    from several threads: while one reads, the others wait."""

    def __init__(self, repository: Repository, cost: Cost) -> None:
        self._membership = Membership(repository)
        self._roots = [repository.root, repository.main_root]
        self._cost = cost
        self._sources: dict[str, _Source] = {}
        self._open: dict[str, list[tuple[list[MadeEdit], MadeEdit]]] = {}
        self.problems: list[str] = []
        self._lock = threading.Lock()

    def refresh(self, now: datetime, worktrees: Iterable[Path] = ()) -> None:
        """Read what is new in the transcripts of the last 90 days."""
        with self._lock:
            self._refresh(now, worktrees)

    def _refresh(self, now: datetime, worktrees: Iterable[Path]) -> None:
        known = {*self._roots, *map(Path, self._membership.roots), *worktrees}
        self._roots = sorted(known, key=lambda root: -len(str(root)))
        self.problems.clear()
        oldest = min(now.timestamp(), time.time()) - LAST.total_seconds()
        for file, session in self._files(oldest):
            source = self._sources.get(file.key)
            if source is None:
                source = self._sources[file.key] = _Source(file, session)
            try:
                if source.file.changed():
                    self._read(source)
            except OSError as problem:
                self.problems.append(f"{plain_text(session, 60)[:8]}: {problem.strerror or 'cannot be read'}")

    def of_file(self, path: str, *, root: Path | None = None, until: datetime | None = None) -> list[MadeEdit]:
        """The edits of one file (relative, POSIX style), the oldest first: in one worktree, or up to a moment."""
        with self._lock:
            made = [edit for source in self._sources.values() for edit in source.edits.get(path, ())]
        found = [
            edit
            for edit in made
            if (root is None or edit.root == str(root)) and (until is None or (edit.at or EPOCH) <= until)
        ]
        return sorted(found, key=lambda edit: (edit.at or EPOCH, edit.session, edit.line))

    def since(self, moment: datetime) -> list[MadeEdit]:
        """Every edit after `moment`, the oldest first."""
        with self._lock:
            rows = [edit for source in self._sources.values() for made in source.edits.values() for edit in made]
        return sorted((e for e in rows if e.at is not None and e.at > moment), key=lambda e: (e.at, e.session, e.line))

    def cost_of(self, edit: MadeEdit) -> StepCost | None:
        """What the step of an edit cost; None where the transcript does not say."""
        with self._lock:
            for source in self._sources.values():
                if source.session == edit.session and (found := source.costs.get(edit.step)):
                    return found if found.output >= 0 else None
        return None

    def committer(self, at: datetime) -> tuple[_Source, int, str] | None:
        """The session that ran `git commit` within two minutes before `at`, with line and prompt."""
        best: tuple[datetime, _Source, int, str] | None = None
        with self._lock:
            sources = list(self._sources.values())
        for source in sources:
            times = source.commits
            place = bisect.bisect_right(times, (at + timedelta(seconds=5), 1 << 60, ""))
            if place and at - times[place - 1][0] < timedelta(minutes=2):
                when, line, prompt = times[place - 1]
                if best is None or when > best[0]:
                    best = (when, source, line, prompt)
        return best[1:] if best else None

    def _files(self, oldest: float) -> Iterator[tuple[TranscriptFile, str]]:
        for root in paths.claude_roots():
            for entry in transcripts(root / "projects"):
                try:
                    recent = entry.stat().st_mtime >= oldest
                except OSError:
                    continue
                if recent and (entry.path in self._sources or self._membership.holds(first_cwd(entry.path))):
                    session = entry.name.removesuffix(".jsonl")
                    yield LineFile(Path(entry.path), "claude", session), session
                    for helper in claude_helpers(Path(entry.path)):
                        yield helper, session
        for file in other_files(oldest):
            yield file, file.session

    def _read(self, source: _Source) -> None:
        first = True
        for place, told in source.file.read():
            if first and source.file.restarted:
                source.edits, source.costs, source.commits = {}, {}, []
            first = False
            for one in told:
                self._take(source, place, one)

    def _take(self, source: _Source, place: Place, told: Told) -> None:
        kind = told.kind
        if kind == "place":
            source.cwd = told.text
        elif kind == "prompt":
            source.prompt, source.prompt_line = plain_text(told.text, 300), place.line
        elif kind == "usage" and told.record is not None:
            known = source.costs.setdefault(told.step, StepCost())
            if told.record.output >= known.output:
                known.tokens, known.usd = told.record.tokens, self._cost(told.record)
                known.floor, known.output = not told.final, told.record.output
        elif kind == "call":
            self._call(source, place, told)
        elif kind == "result":
            self._answered(told.id, failed=told.failed)

    def _call(self, source: _Source, place: Place, told: Told) -> None:
        source.costs.setdefault(told.step, StepCost()).calls += 1
        if told.common == "Bash" and told.at is not None and "git commit" in str(told.given.get("command", "")):
            source.commits.append((told.at, place.line, source.prompt))
            return
        for edit in edits_of(told.common, told.given):
            found = self._relative(edit.path, source.cwd)
            if found is None:
                continue
            root, path = found
            made = MadeEdit(
                source.file.agent, source.session, source.file.label, place.line, told.at, root, path,
                None if edit.old is None else edit.old[:_MOST_TEXT], edit.new[:_MOST_TEXT],
                told.name, told.step, source.prompt, source.prompt_line, plain_text(told.model, 80),
            )  # fmt: skip
            source.edits.setdefault(path, []).append(made)
            self._open.setdefault(told.id, []).append((source.edits[path], made))

    def _answered(self, call: str, *, failed: bool) -> None:
        """An edit that was refused changed nothing."""
        for edits, made in self._open.pop(call, ()):
            if failed and made in edits:
                edits.remove(made)

    def _relative(self, path: str, cwd: str) -> tuple[str, str] | None:
        """The worktree that holds a path, and the path below it; None where it lies in none."""
        whole = os.path.normpath(os.path.join(cwd or "/", path))  # noqa: PTH118 - text of a transcript
        for root in self._roots:
            base = f"{root}{os.sep}"
            if whole.startswith(base):
                return str(root), whole.removeprefix(base)
        if cwd and self._membership.holds(cwd) and whole.startswith(f"{cwd}{os.sep}"):
            return cwd, whole.removeprefix(f"{cwd}{os.sep}")  # a worktree that is gone
        return None


def transcript_bytes(repository: Repository, now: datetime) -> int:
    """How large the transcripts are that an index of this repository reads."""
    index = EditIndex(repository, lambda record: None)
    total = 0
    for file, _ in index._files(min(now.timestamp(), time.time()) - LAST.total_seconds()):
        try:
            total += file.path.stat().st_size
        except OSError:
            continue
    return total
