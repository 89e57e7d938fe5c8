"""Whether a budget is used up, for whoever must know before every step of an agent."""

import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.config import Config
from cockpit.repository import Repository

if TYPE_CHECKING:
    from cockpit.spend.meter import Meter

_LOOK = 30.0  # seconds between looks at all files
_lock = threading.Lock()
_meters: dict[Path, tuple["Meter", float]] = {}


def blocked(repository: Repository, config: Config, transcripts: Iterable[str] = ()) -> str:
    """Which windows are past a limit that blocks, in one sentence; empty where work may go on.

    Nothing is read where the configuration does not block. Else the ledger stays open between two calls, and only what
    is new in `transcripts` is read, everything now and then. Safe from several threads; the first call may be slow.
    """
    if not config.budget.block_on_limit:
        return ""
    with _lock:
        meter = _meter(repository, config, list(transcripts))
        past = [window for window in meter.spent_now() if window.level == "blocked"]
    return " and ".join(f"{window.window} budget: ${window.spent:,.2f} of ${window.hard:,.2f}" for window in past)


def _meter(repository: Repository, config: Config, transcripts: list[str]) -> "Meter":
    from cockpit.spend.meter import Meter

    now = time.monotonic()
    meter, looked = _meters.get(repository.common_dir, (None, 0.0))
    if meter is None or meter.config != config:
        meter, looked = Meter(repository, config), -_LOOK
    if now - looked >= _LOOK:
        meter.read()
        looked = now
    elif transcripts:
        meter.read(transcripts)
    _meters[repository.common_dir] = (meter, looked)
    return meter
