"""Who waits for a person, for what, since when and where: one queue over all sessions."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cockpit.agents.models import Session
from cockpit.worktrees.models import Worktree

_LATER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Held:
    """A session that can do nothing without a person. `asks` is False where it only finished its turn.

    `path` is the worktree that it works in, empty where that is not one of this repository.
    """

    session: Session
    worktree: str
    path: str
    asks: bool


def attention(sessions: Sequence[Session], trees: Sequence[Worktree]) -> tuple[Held, ...]:
    """Those that ask, the longest waiting first; then those that finished, the last one first."""
    asking = sorted(
        (one for one in sessions if one.state == "waiting"), key=lambda one: (one.since or _LATER, one.session)
    )
    idle = [one for one in sessions if one.state == "idle" and one.prompt]
    idle.sort(key=lambda one: (-(one.since.timestamp() if one.since else 0.0), one.session))
    return tuple(_held(one, trees) for one in (*asking, *idle))


def _held(session: Session, trees: Sequence[Worktree]) -> Held:
    inside = [
        tree for tree in trees if session.cwd == tree.path or session.cwd.startswith(tree.path.rstrip(os.sep) + os.sep)
    ]
    tree = max(inside, key=lambda one: len(one.path), default=None)
    name = tree.name if tree else os.path.basename(session.cwd)  # noqa: PTH119 - a path of another machine, perhaps
    return Held(session, name, tree.path if tree else "", session.state == "waiting")


class Announcer:
    """Tells which sessions began to wait since it was last asked; each waiting time is told once."""

    def __init__(self) -> None:
        self._told: set[tuple[str, datetime | None]] = set()

    def fresh(self, sessions: Sequence[Session]) -> int:
        """How many sessions wait that did not wait, or not for this, the last time."""
        now = {(one.session, one.since) for one in sessions if one.state == "waiting"}
        new = len(now - self._told)
        self._told = now
        return new


def title(repository: str, sessions: Sequence[Session]) -> str:
    """What the terminal's title says, e.g. `◐ 2 wait · acme-api`."""
    held = sum(1 for one in sessions if one.state == "waiting")
    return f"◐ {held} {'waits' if held == 1 else 'wait'} · {repository}" if held else repository
