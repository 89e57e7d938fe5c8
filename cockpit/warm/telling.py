"""Writes what the app shows into its snapshot, for those who cannot wait for a look."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import msgspec

from cockpit.agents.models import SessionsSnapshot
from cockpit.clock import iso, now
from cockpit.files import write_atomically
from cockpit.findings.models import FindingsSnapshot
from cockpit.plain_text import plain_text
from cockpit.processes import own_start
from cockpit.repository import Repository
from cockpit.spend.models import SpendSnapshot
from cockpit.warm.snapshot import MOST_FINDINGS, ShownFinding, ShownSession, Snapshot, snapshot_path
from cockpit.worktrees.models import WorktreesSnapshot

T = TypeVar("T")


class Latest(Protocol):
    """The newest value of each feed; `news` is set by each that comes."""

    news: asyncio.Event
    trees: WorktreesSnapshot
    spend: SpendSnapshot
    sessions: SessionsSnapshot
    found: FindingsSnapshot


@dataclass(slots=True)
class Shown:
    """The newest value of each feed, for who has no panes that hold them."""

    trees: WorktreesSnapshot = field(default_factory=WorktreesSnapshot)
    spend: SpendSnapshot = field(default_factory=SpendSnapshot)
    sessions: SessionsSnapshot = field(default_factory=SessionsSnapshot)
    found: FindingsSnapshot = field(default_factory=FindingsSnapshot)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def noting(self, name: str, take: "Callable[[Any], T]") -> "Callable[[Any], T]":
        """`take`, which keeps what it is given under `name` as well."""

        def noted(value: Any) -> T:
            setattr(self, name, value)
            self.news.set()
            return take(value)

        return noted


def write_snapshot(repository: Repository, latest: Latest) -> None:
    """Write what `latest` says. A state folder that cannot be written leaves the old one, which says its age."""
    data = msgspec.json.encode(snapshot_of(repository, latest))
    path = snapshot_path(repository.common_dir)
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, data, mode=0o600)


def snapshot_of(repository: Repository, latest: Latest) -> Snapshot:
    """The newest values in few words."""
    spend, found = latest.spend, latest.found
    told = spend.today is not None and spend.loading is None
    ready = found.phase == "ready"
    blocking = [one for one in found.findings if one.gate == "P0" and one.baseline == "new"]
    gate = next((gate for gate in found.gates if gate.gate == "P0"), None)
    return Snapshot(
        pid=os.getpid(),
        started=own_start(),
        at=iso(now()),
        root=_told(str(found.root or repository.root)),
        sessions=_sessions(latest.sessions),
        usd=round(spend.today.usd, 6) if told and spend.today else None,
        floor=bool(told and spend.today and spend.today.amount.floor),
        unpriced=bool(told and spend.today and spend.today.unpriced_tokens),
        levels={window.window: window.level for window in spend.windows} if told else {},
        p0=len(blocking) if ready else None,
        p0_status=gate.status if ready and gate is not None else None,
        findings=tuple(
            ShownFinding(
                one.fingerprint,
                one.rule,
                plain_text(one.path, 300),
                one.line,
                plain_text(one.message, 300),
                plain_text(one.help, 300),
            )
            for one in (blocking[:MOST_FINDINGS] if ready else ())
        ),
    )


def _told(text: str) -> str:
    """A path or a name as JSON can tell it: bytes that are no UTF-8 are replaced."""
    return text.encode("utf-8", "replace").decode()


def _sessions(snapshot: SessionsSnapshot) -> tuple[ShownSession, ...] | None:
    if snapshot.at is None:
        return None
    return tuple(
        ShownSession(
            _told(one.session),
            one.agent,
            _told(one.cwd),
            one.state,
            iso(one.since) if one.since else None,
            one.waiting_for,
            one.context.percent if one.context else None,
            one.context.window if one.context else None,
            one.usd,
        )
        for one in snapshot.sessions
        if one.state != "ended"
    )
