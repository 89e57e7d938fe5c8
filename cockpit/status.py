"""The state of a repository in one line: from the app where one runs, else from the files themselves."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cockpit.clock import iso, now, read_iso
from cockpit.config import Config
from cockpit.git_command import GitFailed, git
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from cockpit.warm.snapshot import ShownSession, Snapshot, read_snapshot
from skills.ages import age
from skills.orchestrator.context import context_level

_HUNDRED = 100  # a percentage is a share of a window: its level does not depend on the window's size


@dataclass(frozen=True, slots=True)
class Status:
    """What a status line shows. What is not known is None; `at` is when the app or this look said it.

    `percent` is of the context of `session`, or of the fullest one here. `p0` counts the blocking findings of this work
    tree; `p0_at` says since when it may be outdated, None where it is live.
    """

    branch: str | None
    waiting: int | None
    busy: int | None
    session: str | None
    percent: float | None
    usd: float | None
    floor: bool
    p0: int | None
    p0_status: str | None
    p0_at: str | None
    source: str
    at: str

    @property
    def level(self) -> str | None:
        """The level of the context."""
        return None if self.percent is None else context_level(self.percent, _HUNDRED)


def read_status(repository: Repository, config: Config, said: Mapping[str, Any]) -> Status:
    """The state of a work tree. `said` is what an agent gave its status line, empty where none did."""
    snapshot = read_snapshot(repository.common_dir)
    live = snapshot is not None and snapshot.alive
    sessions = snapshot.sessions if live and snapshot is not None else None
    usd, floor = (snapshot.usd, snapshot.floor) if live and snapshot is not None else (None, False)
    if not live:
        sessions, usd, floor = _looked_up(repository, config)
    name = said.get("session_id")
    session = name if isinstance(name, str) else None
    percent = _said_percent(said)
    if percent is None:
        session, percent = _fullest(sessions or (), session, repository.root)
    p0, status, p0_at = _p0(snapshot, repository.root, live=live)
    return Status(
        branch_of(repository),
        None if sessions is None else sum(one.state == "waiting" for one in sessions),
        None if sessions is None else sum(one.state == "busy" for one in sessions),
        None if session is None else plain_text(session, 80),
        percent,
        usd,
        floor,
        p0,
        status,
        p0_at,
        "app" if live else "files",
        snapshot.at if live and snapshot is not None else iso(now()),
    )


def branch_of(repository: Repository) -> str | None:
    """The branch that is checked out, the beginning of the commit where there is none."""
    try:
        head = (repository.git_dir / "HEAD").read_text("utf-8", "replace").strip()
        if head == "ref: refs/heads/.invalid":  # a reftable repository: only git knows
            head = "ref: " + git(repository.root, "symbolic-ref", "HEAD").strip()
    except (OSError, GitFailed):
        return None
    if head.startswith("ref: "):
        return plain_text(head.removeprefix("ref: ").removeprefix("refs/heads/"), 200)
    return head[:8] or None


def _looked_up(repository: Repository, config: Config) -> tuple[tuple[ShownSession, ...], float | None, bool]:
    """Sessions and today's dollars, read from the agents' files."""
    from cockpit.phases.store import read_sessions
    from cockpit.spend.meter import Meter

    found = read_sessions(repository)
    meter = Meter(repository, config)
    meter.read()
    today = meter.snapshot().today
    sessions = tuple(
        ShownSession(one.session, one.agent, one.cwd, one.state, percent=one.context.percent if one.context else None)
        for one in found.sessions
        if one.state != "ended"
    )
    return sessions, None if today is None else today.usd, today is not None and today.amount.floor


def _said_percent(said: Mapping[str, Any]) -> float | None:
    window = said.get("context_window")
    percent = window.get("used_percentage") if isinstance(window, dict) else None
    good = isinstance(percent, int | float) and not isinstance(percent, bool) and 0 <= percent <= 1000
    return float(percent) if good and percent is not None else None


def _fullest(sessions: tuple[ShownSession, ...], wanted: str | None, root: Path) -> tuple[str | None, float | None]:
    known = [one for one in sessions if one.percent is not None]
    if wanted is not None:
        return wanted, next((one.percent for one in known if one.session == wanted), None)
    here = [one for one in known if one.cwd == str(root) or one.cwd.startswith(f"{root}{os.sep}")]
    fullest = max(here or known, key=lambda one: one.percent or 0.0, default=None)
    return (None, None) if fullest is None else (fullest.session, fullest.percent)


def _p0(snapshot: Snapshot | None, root: Path, *, live: bool) -> tuple[int | None, str | None, str | None]:
    """The count of this work tree's P0 findings, their gate's answer, and of when it is where no app keeps it."""
    if snapshot is None or os.path.realpath(snapshot.root) != os.path.realpath(root):
        return None, None, None
    return snapshot.p0, snapshot.p0_status, None if live else snapshot.at


def line_of(status: Status, moment: datetime) -> list[tuple[str, str]]:
    """The parts of the line, each with how it stands out: "", "warn" or "bad"."""
    parts: list[tuple[str, str]] = [(status.branch or "no branch", "")]
    if status.waiting:
        parts.append((f"{status.waiting} {'waits' if status.waiting == 1 else 'wait'}", "warn"))
    elif status.busy:
        parts.append((f"{status.busy} busy", ""))
    if status.percent is not None:
        loud = {"warn": "warn", "alert": "warn", "critical": "bad"}.get(status.level or "", "")
        parts.append((f"ctx {status.percent:.0f}%", loud))
    if status.usd is not None:
        parts.append((f"{'≥' if status.floor else ''}${status.usd:.2f}", ""))
    if status.p0 is not None:
        old = "" if status.p0_at is None else f" ({age(read_iso(status.p0_at), moment) or '?'} ago)"
        unsure = "?" if status.p0_status == "not_run" else ""
        parts.append((f"P0 {status.p0}{unsure}{old}", "bad" if status.p0 else ""))
    return parts
