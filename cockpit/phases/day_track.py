"""Where the day stands: its start and end, and what today shows of research, plan, edits, sweeps and shipping.

Only files and git's own logs are read; nothing is run but `git for-each-ref`.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cockpit.agents.models import Session
from cockpit.bench.records import read_records
from cockpit.clock import at_seconds, local_midnight
from cockpit.day.record import read_record
from cockpit.errors import CannotAnswer
from cockpit.files import read_regular
from cockpit.git_command import GitFailed, git
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from skills.workflow.track import DayStep, Sign, TrackStep, day_track

_RESEARCH = ("RESEARCH.md", "FINDINGS.md", "docs/decisions/ADR-*.md", "docs/adr/*.md")
_PLAN = ("PLANNING.md", "TASK.md", "BRIEF.md", "WORKTREE_TASK.md", "docs/tasks/*.md")
_SWEEPS = (".security/*.json",)
_GATES: dict[str, DayStep] = {
    **dict.fromkeys(("gate1", "gate2", "gate3"), "research"),
    "contract": "plan",
    "schema": "build",
    "parallel": "build",
    **dict.fromkeys(("security", "quality"), "secure"),
    "ship": "ship",
}
_LOG_LINE = re.compile(rb" (\d{9,11}) [+-]\d{4}\t(.*)$", re.MULTILINE)
_TAIL = 1 << 18


def read_day_track(
    repository: Repository, roots: Iterable[Path], sessions: Sequence[Session], now: datetime
) -> tuple[TrackStep, ...]:
    """The day of a repository over all its worktrees. `roots` are their folders. Raises nothing."""
    begins = local_midnight(now).astimezone(UTC)
    places = [repository.root, *roots]
    record = read_record(repository, now)
    gates = _gates(repository, begins)
    signs: dict[DayStep, Sign | None] = {
        "start": _moment(record.started, "start-day", begins),
        "research": _newest([*_files(places, _RESEARCH, begins), *gates["research"]]),
        "plan": _newest([*_files(places, _PLAN, begins), *_planned(sessions, begins), *gates["plan"]]),
        "build": _newest(
            [*_built(sessions, begins), *_reflog(repository.common_dir, "commit", begins), *gates["build"]]
        ),
        "secure": _newest([*_files(places, _SWEEPS, begins), *gates["secure"]]),
        "ship": _newest([*_shipped(repository, begins), *gates["ship"]]),
        "end": _moment(record.ended, "end-day", begins),
    }
    return day_track(signs)


def _gates(repository: Repository, begins: datetime) -> dict[DayStep, list[Sign]]:
    """The gates of features and research that were passed today, by the step that they belong to."""
    found: dict[DayStep, list[Sign]] = {step: [] for step in ("research", "plan", "build", "secure", "ship")}
    for kind in ("research", "feature"):
        for row in read_records(repository.common_dir, kind).values():
            gates = row.get("gates")
            for name, gate in gates.items() if isinstance(gates, dict) else ():
                step = _GATES.get(name)
                if step is None or not isinstance(gate, dict) or gate.get("status") != "pass":
                    continue
                with contextlib.suppress(ValueError, TypeError):
                    at = datetime.fromisoformat(str(gate.get("at"))).astimezone(UTC)
                    if at >= begins:
                        of = plain_text(row.get("title") or row.get("term") or "", 50)
                        found[step].append(Sign(at, f"gate {name.removeprefix('gate')} passed: {of}"))
    return found


def _moment(at: datetime | None, words: str, begins: datetime) -> Sign | None:
    return Sign(at.astimezone(UTC), words) if at is not None and at >= begins else None


def _newest(signs: Iterable[Sign]) -> Sign | None:
    return max(signs, key=lambda sign: sign.at, default=None)


def _files(roots: Iterable[Path], patterns: Sequence[str], begins: datetime) -> Iterator[Sign]:
    """Files of today below the worktrees; in a fresh worktree all files are new, so those as old as it do not count."""
    for root in dict.fromkeys(roots):
        try:
            made = (root / ".git").stat().st_mtime if (root / ".git").is_file() else 0.0
        except OSError:
            continue
        for pattern in patterns:
            for path in sorted(root.glob(pattern)):
                with contextlib.suppress(OSError):
                    written = path.stat().st_mtime
                    at = at_seconds(written)
                    if at is not None and at >= begins and written > made + 60:
                        yield Sign(at, plain_text(path.relative_to(root).as_posix(), 80))


def _planned(sessions: Iterable[Session], begins: datetime) -> Iterator[Sign]:
    for session in sessions:
        plan = next((phase for phase in session.phases if phase.number == 2), None)
        edited = session.changed_at
        at = session.last_event_at if edited is None else edited - timedelta(seconds=1)  # it came before the edits
        if plan is not None and plan.status in ("done", "current") and at is not None and at >= begins:
            yield Sign(at, f"plan in {session.branch or session.agent}: {plan.evidence}")


def _built(sessions: Iterable[Session], begins: datetime) -> Iterator[Sign]:
    for session in sessions:
        at = session.changed_at
        if at is not None and at >= begins:
            yield Sign(at, f"edits in {session.branch or session.agent}")


def _shipped(repository: Repository, begins: datetime) -> Iterator[Sign]:
    logs = repository.common_dir / "logs"
    for log in sorted((logs / "refs" / "remotes").rglob("*")):
        if log.is_file():
            for at, words in _log_lines(log, begins):
                if words.startswith("update by push"):
                    yield Sign(at, f"push to {plain_text(log.relative_to(logs / 'refs' / 'remotes').as_posix(), 60)}")
    yield from _reflog(repository.common_dir, "merge", begins)
    try:
        said = git(repository.root, "for-each-ref", "--format=%(creatordate:unix) %(refname:short)", "refs/tags")
    except (GitFailed, CannotAnswer, OSError):
        return
    for line in said.split("\n"):
        seconds, _, name = line.partition(" ")
        tagged = at_seconds(int(seconds)) if seconds.isdecimal() else None
        if tagged is not None and tagged >= begins:
            yield Sign(tagged, f"tag {plain_text(name, 60)}")


def _reflog(common: Path, word: str, begins: datetime) -> Iterator[Sign]:
    """Commits or merges of today, in every worktree."""
    for log in [common / "logs" / "HEAD", *sorted((common / "worktrees").glob("*/logs/HEAD"))]:
        for at, words in _log_lines(log, begins):
            if words.startswith(word):
                yield Sign(at, plain_text(words, 80))


def _log_lines(log: Path, begins: datetime) -> Iterator[tuple[datetime, str]]:
    try:
        with contextlib.suppress(OSError):
            if log.stat().st_mtime < begins.timestamp():
                return
        raw = read_regular(log)[-_TAIL:]
    except OSError:
        return
    for seconds, words in _LOG_LINE.findall(raw):
        at = at_seconds(int(seconds))
        if at is not None and at >= begins:
            yield at, words.decode("utf-8", "replace")
