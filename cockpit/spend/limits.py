"""The vendors' own usage windows, where an agent has left them on disk, and a computed 5-hour block.

What a vendor said holds until the window resets; after that it is left out. A block is worked out from the
responses alone and says so.
"""

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.agents.lenient import document, mapping, number, text, when
from cockpit.agents.status_line import read_told
from cockpit.clock import at_seconds
from cockpit.files import read_regular
from cockpit.plain_text import plain_text
from cockpit.spend.calendar import QUARTER_MS
from cockpit.spend.models import UsageLimit
from cockpit.spend.places import Places
from cockpit.spend.sums import Scope, Sum

if TYPE_CHECKING:
    from cockpit.spend.ledger import Ledger

_BLOCK_MS = 5 * 3_600_000
_HOUR_MS = 3_600_000
_NAMES = {300: "five_hour", 10_080: "seven_day"}
_LARGEST = 64 << 20


def read_limits(ledger: "Ledger", now: datetime) -> tuple[UsageLimit, ...]:
    """The windows that are running at `now`: by agent, then by when they reset."""
    at = int(now.timestamp() * 1000)
    told = _newest((*_claude(ledger), *_status_line(), *_codex(ledger)))
    found = [limit for limit in told if limit.resets_at > now]
    if not any(limit.agent == "claude" and limit.window == "five_hour" for limit in found):
        found += _block(ledger, at)
    return tuple(sorted(found, key=lambda limit: (limit.agent, limit.resets_at, limit.window, limit.model or "")))


def _claude(ledger: "Ledger") -> Iterator[UsageLimit]:
    """What Claude Code last fetched of the account's windows."""
    roots = [root for reader in ledger.readers if reader.agent == "claude" for root in reader.roots]
    places = {os.path.realpath(place): place for root in roots for place in _settings_of(root)}
    for place in places.values():
        try:
            if place.stat().st_size > _LARGEST:
                continue
            said = mapping(mapping(document(read_regular(place))).get("cachedUsageUtilization"))
        except OSError:
            continue
        fetched = when(said.get("fetchedAtMs"))
        if fetched is None:
            continue
        for name, window in mapping(said.get("utilization")).items():
            yield from _limit("claude", name, mapping(window), "utilization", fetched, str(place))
        listed = said.get("limits")
        for entry in listed if isinstance(listed, list) else ():
            window = mapping(entry)
            model = text(mapping(mapping(window.get("scope")).get("model")).get("display_name"))
            if model:  # without a model it is one of those above
                yield from _limit("claude", text(window.get("kind")), window, "percent", fetched, str(place), model)
        return


def _newest(limits: Iterable[UsageLimit]) -> list[UsageLimit]:
    """Of what is said of the same window, what was said last."""
    found: dict[tuple[str, str, str | None], UsageLimit] = {}
    for limit in limits:
        key = (limit.agent, limit.window, limit.model)
        if key not in found or limit.at >= found[key].at:
            found[key] = limit
    return list(found.values())


def _status_line() -> Iterator[UsageLimit]:
    """What Claude Code told its status line, where that is `cockpit status`."""
    told = read_told()
    for name, window in told.limits.items():
        yield from _limit("claude", name, dict(window), "used_percentage", told.at, "Claude Code's status line")


def _settings_of(root: Path) -> Iterator[Path]:
    yield root / ".claude.json"
    if root == Path.home() / ".claude":
        yield Path.home() / ".claude.json"


def _codex(ledger: "Ledger") -> Iterator[UsageLimit]:
    """What the newest response of Codex said."""
    newest: dict[str, Any] = {}
    for reader, _, shelf in ledger.shelves():
        if reader.agent == "codex":
            for source in shelf.newest(8):
                said = mapping(source.notes.get("limits"))
                if said.get("at", 0) > newest.get("at", 0):
                    newest = {**said, "path": source.path}
    for name in ("primary", "secondary"):
        window = mapping(mapping(newest.get("said")).get(name))
        minutes = number(window.get("window_minutes"))
        if minutes is not None and 0 < minutes < 1e6:
            label = _NAMES.get(int(minutes), f"{int(minutes)}_minutes")
            yield from _limit("codex", label, window, "used_percent", newest["at"], newest["path"])


def _limit(
    agent: str, name: str | None, said: dict[str, Any], key: str, at: int, source: str, model: str | None = None
) -> Iterator[UsageLimit]:
    percent, reset = number(said.get(key)), said.get("resets_at")
    seconds = number(reset) if not isinstance(reset, str) else None
    resets = when(reset) if seconds is None else when(seconds * 1000)
    if not name or percent is None or resets is None or not 0 <= percent < 1e4:
        return
    until, said_at = at_seconds(resets / 1000), at_seconds(at / 1000)
    if until is not None and said_at is not None:
        shown = None if model is None else plain_text(model, 60)
        yield UsageLimit(agent, plain_text(name, 40), percent, until, said_at, plain_text(source, 200), model=shown)


def _block(ledger: "Ledger", now: int) -> Iterator[UsageLimit]:
    """The 5-hour block that is running by Claude's responses: it starts with its first one, floored to the hour."""
    cells = [cell for cell in ledger.cells(Scope(Places(None))) if cell.origin.agent == "claude"]
    times = sorted({cell.quarter * QUARTER_MS for cell in cells if cell.quarter is not None})
    start = last = None
    for at in times:
        if start is None or last is None or at - start >= _BLOCK_MS or at - last > _BLOCK_MS:
            start = at // _HOUR_MS * _HOUR_MS
        last = at
    if start is None or not start <= now < start + _BLOCK_MS:
        return
    resets, here = at_seconds((start + _BLOCK_MS) / 1000), at_seconds(now / 1000)
    if resets is None or here is None:
        return
    spent = Sum()
    for cell in cells:
        if cell.quarter is not None and cell.quarter * QUARTER_MS >= start:
            spent.add_cell(cell)
    row = spent.row("block")
    why = "computed from the responses"
    yield UsageLimit("claude", "five_hour", None, resets, here, why, "computed", None, row.usd, row.tokens.total)
