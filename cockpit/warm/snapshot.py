"""What the app shows, in one small file beside its socket: for status lines and hooks, which cannot wait for a look.

The file is believed while the process that wrote it lives.
"""

import os
from pathlib import Path

import msgspec

from cockpit.files import read_regular
from cockpit.processes import process_lives
from cockpit.warm.client import socket_path

MOST_FINDINGS = 50
_LARGEST = 1 << 20


class ShownFinding(msgspec.Struct, frozen=True):
    """A P0 finding in a line."""

    fingerprint: str
    rule: str
    path: str
    line: int
    message: str
    help: str


class ShownSession(msgspec.Struct, frozen=True):
    """An agent's session. `percent` is of its context window, None where that is not known."""

    session: str
    agent: str
    cwd: str
    state: str
    since: str | None = None
    waiting_for: str | None = None
    percent: float | None = None
    window: int | None = None
    usd: float | None = None


class Snapshot(msgspec.Struct, frozen=True):
    """The state of a repository as an app last saw it, at `at`. What it does not know yet is None.

    `root` is the work tree whose findings are counted; `usd` is today's,
    `levels` those of the budgets by window. `pid` and `started` name the process that wrote it.
    """

    pid: int
    started: str
    at: str
    root: str
    sessions: tuple[ShownSession, ...] | None = None
    usd: float | None = None
    floor: bool = False
    unpriced: bool = False
    levels: dict[str, str] = {}
    p0: int | None = None
    p0_status: str | None = None
    findings: tuple[ShownFinding, ...] = ()

    @property
    def alive(self) -> bool:
        """Whether the app that wrote it still runs."""
        return process_lives(self.pid, self.started)

    def open_findings(self, root: Path) -> tuple[ShownFinding, ...] | None:
        """The P0 findings of a work tree, None where they are not known."""
        same = os.path.realpath(self.root) == os.path.realpath(root)
        return self.findings if same and self.p0 is not None and self.p0 <= MOST_FINDINGS else None


def snapshot_path(common: Path | str) -> Path:
    """Where the snapshot of the repository with this shared git folder lies."""
    return Path(socket_path(str(common))).with_suffix(".json")


def read_snapshot(common: Path | str) -> Snapshot | None:
    """The last snapshot, its writer alive or not; None where there is none that can be read."""
    try:
        return msgspec.json.decode(read_regular(snapshot_path(common), _LARGEST), type=Snapshot)
    except (OSError, msgspec.MsgspecError, ValueError):
        return None
