"""The habits of a repository's sessions, read from the whole transcripts of all four agents."""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import get_args

from cockpit import paths
from cockpit.agents.models import Agent
from cockpit.agents.record import Record
from cockpit.agents.whole_transcript import WholeTranscript, read_claude, read_told
from cockpit.errors import CannotAnswer
from cockpit.findings.discovery import discover
from cockpit.findings.manifests import read_manifests
from cockpit.phases.context import model_window
from cockpit.phases.membership import Membership
from cockpit.phases.others import other_files
from cockpit.phases.transcripts import first_cwd, transcripts
from cockpit.plain_text import plain_text
from cockpit.repository import Repository, find_repository
from cockpit.spend.price_table import PICO
from cockpit.spend.prices import Prices
from skills.counted import counted
from skills.orchestrator.context import context_window, needs_lookup
from skills.orchestrator.events import ContextPoint
from skills.orchestrator.figures import SessionFigures, session_figures
from skills.orchestrator.habit_models import Look, PatternId, Request, SessionRecord, Violation
from skills.orchestrator.habits import session_habits, tool_uses

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class HabitsReading:
    """What every session shows, how many were read, what could not be read, and figures beside the habits.

    `agents` are those whose sessions were read.
    """

    looks: tuple[dict[PatternId, Look], ...]
    sessions: int
    problems: tuple[str, ...] = ()
    figures: tuple[SessionFigures, ...] = ()
    agents: tuple[Agent, ...] = ()


def read_habits(
    repository: Repository | None,
    *,
    session: str | None = None,
    since: datetime | None = None,
    all_repos: bool = False,
    tell: Callable[[int], None] = lambda _read: None,
) -> HabitsReading:
    """The habits of the sessions of `repository` (of every one with `all_repos`).

    `session` picks one by its id or the beginning of it, `since` leaves out what happened before. A line that was
    copied into another transcript counts once. `tell` gets how many transcripts were read, now and then. Raises
    `CannotAnswer` where no session has the id.
    """
    reader = _Reader(None if all_repos or repository is None else Membership(repository))
    found: list[WholeTranscript] = []
    problems: list[str] = []
    for name, read in reader.sessions(session, since):
        try:
            one = read()
        except OSError as problem:
            problems.append(f"{plain_text(name, 8)}: {problem.strerror or 'cannot be read'}")
            continue
        if one is None:
            continue
        tell(len(found) + 1)
        if one.unread:
            problems.append(f"{one.session[:8]}: {counted(one.unread, 'line')} could not be read")
        if one.events and (since is None or (one.ended is not None and one.ended >= since)):
            found.append(one)
    if session is not None and not found:
        raise CannotAnswer(f"there is no session {plain_text(session, 60)!r} here", "see cockpit sessions --since 30d")
    found.sort(key=lambda one: (one.began, one.session))
    records = [reader.record(one) for one in found]
    looks = tuple(_once(found, [session_habits(record) for record in records], since))
    figures = tuple(session_figures(record, tool_uses(record)) for record in records)
    agents = tuple(agent for agent in get_args(Agent) if any(one.agent == agent for one in found))
    return HabitsReading(looks, len(found), tuple(problems), figures, agents)


def _once(
    found: list[WholeTranscript], looks: list[dict[PatternId, Look]], since: datetime | None
) -> Iterator[dict[PatternId, Look]]:
    """The looks without violations of lines that an earlier transcript has too, and without what is too old."""
    seen: set[tuple[object, ...]] = set()
    for transcript, look in zip(found, looks, strict=True):
        kept: dict[PatternId, Look] = {}
        for pattern, one in look.items():
            fresh: list[Violation] = []
            for violation in one.violations:
                line = transcript.names.get(violation.line, f"{transcript.session}:{violation.line}")
                key = (pattern, line, violation.at, violation.text)
                if key not in seen and (since is None or violation.at is None or violation.at >= since):
                    fresh.append(violation)
                seen.add(key)
            status = "pass" if one.violations and not fresh else one.status
            kept[pattern] = replace(one, status=status, violations=tuple(fresh))
        yield kept


class _Reader:
    """Finds transcripts and turns them into records; packages and prices are looked up once."""

    def __init__(self, membership: Membership | None) -> None:
        self.membership = membership
        self.prices = Prices()
        self._packages: dict[str, frozenset[str]] = {}
        self._roots: dict[str, Path | None] = {}

    def sessions(
        self, session: str | None, since: datetime | None
    ) -> Iterator[tuple[str, Callable[[], WholeTranscript | None]]]:
        """The sessions that may count: the name of each, and what reads it (None: it belongs elsewhere)."""
        for root in paths.claude_roots():
            for entry in transcripts(root / "projects"):
                name = entry.name.removesuffix(".jsonl")
                if session is not None and not name.startswith(session):
                    continue
                try:
                    if since is not None and entry.stat().st_mtime < since.timestamp():
                        continue
                except OSError:
                    continue
                cwd = first_cwd(entry.path)
                if self._ours(cwd):
                    yield name, partial(read_claude, Path(entry.path), cwd)
        for file in other_files(since.timestamp() if since is not None else 0.0):
            if session is None or file.session.startswith(session):
                yield file.session, partial(read_told, file, self._ours)

    def _ours(self, cwd: str) -> bool:
        return self.membership is None or self.membership.holds(cwd)

    def record(self, one: WholeTranscript) -> SessionRecord:
        """A transcript with packages, context window and prices."""
        points = [event for _, event in one.events if isinstance(event, ContextPoint)]
        model = next((point.model for point in reversed(points) if point.model), None)
        largest = max((point.used for point in points), default=0)
        known = model_window(model) if model and not one.window and needs_lookup(model, largest) else None
        last = next(reversed(one.records.values()), None)
        price = self.prices.tokens_cost(model, last.at, (_MILLION, 0, 0, 0, 0)) if model and last else None
        return SessionRecord(
            one.session,
            tuple(one.events),
            {key: self._request(record) for key, record in one.records.items()},
            one.window or context_window(model, largest, known)[0],
            frozenset(one.cleared),
            self._packages_at(one.cwd),
            one.docs_listed,
            None if price is None else price / PICO / _MILLION,
            self._delegated(one),
            one.agent,
            servers_told=one.agent == "claude",
            root=str(self._root_at(one.cwd) or one.cwd),
        )

    def _request(self, record: Record) -> Request:
        again = record.cache_read + record.input
        cost = self.prices.cost(record)
        counts = (record.input, 0, 0, 0, record.cache_read)
        reread = self.prices.tokens_cost(record.model, record.at, counts, fast=record.fast, provider=record.provider)
        return Request(record.tokens, record.output, again, _dollars(cost), _dollars(reread))

    def _root_at(self, cwd: str) -> Path | None:
        if cwd not in self._roots:
            try:
                self._roots[cwd] = find_repository(Path(cwd)).root
            except (CannotAnswer, OSError, ValueError):
                self._roots[cwd] = None
        return self._roots[cwd]

    def _packages_at(self, cwd: str) -> frozenset[str]:
        if cwd not in self._packages:
            self._packages[cwd] = frozenset()
            root = self._root_at(cwd)
            if root is not None:
                with contextlib.suppress(CannotAnswer, OSError, ValueError):
                    known = read_manifests(root, discover(root).manifests)
                    self._packages[cwd] = frozenset(known.evidence.dependencies)
        return self._packages[cwd]

    def _delegated(self, one: WholeTranscript) -> dict[str, float]:
        """What each sub-agent that told its usage cost, from its own transcript where that is there."""
        found: dict[str, float] = {}
        for agent, records in one.delegated.items():
            usd = self._sum(records)
            if usd is not None:
                found[agent] = usd
        for _, event in one.events if one.agent == "claude" else ():
            said = getattr(event, "delegation", None)
            if said is None or said.tokens is None or not re.fullmatch(r"[\w-]{1,80}", said.agent):
                continue
            usd = self._cost_of(one, said.agent)
            if usd is not None:
                found[said.agent] = usd
        return found

    def _cost_of(self, one: WholeTranscript, agent: str) -> float | None:
        for root in paths.claude_roots():
            for path in sorted((root / "projects").glob(f"*/{one.session}/subagents/agent-{agent}.jsonl")):
                try:
                    return self._sum(read_claude(path, one.cwd).records.values())
                except OSError:
                    continue
        return None

    def _sum(self, records: Iterable[Record]) -> float | None:
        costs = [self.prices.cost(record) for record in records]
        return _dollars(sum(cost for cost in costs if cost is not None)) if None not in costs else None


def _dollars(cost: int | None) -> float | None:
    return None if cost is None else cost / PICO
