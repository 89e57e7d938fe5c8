"""How a session's context grows: requests until it is compacted, what the next one reads, how long the cache lives.

All of it is computed from the recorded requests of the main conversation; nothing here is said by a vendor.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from skills.record import record

COMPACTS_AT = 0.95  # of the window: assumed, agents do not say when they will compact
LOOKED_AT = 20  # requests that the pace is taken from
DROPPED = 0.7  # a prompt this much smaller than the one before it was compacted or cleared
LIVES_MS = {"5m": 300_000, "1h": 3_600_000}

Kind = Literal["5m", "1h"]
Counts = tuple[int, int, int, int, int]  # input, output, 5-minute writes, 1-hour writes, reads


@record
class Turn:
    """One request of the main conversation: when (ms since 1970 UTC, None where unknown) and its tokens."""

    at: int | None
    input: int
    output: int
    cache_write_5m: int
    cache_write_1h: int
    cache_read: int

    @property
    def prompt(self) -> int:
        """Tokens that were sent: fresh, written to the cache and read from it."""
        return self.input + self.cache_write_5m + self.cache_write_1h + self.cache_read


def since_compaction(turns: Sequence[Turn]) -> Sequence[Turn]:
    """The newest of `turns` (oldest first) that belong to the context as it is now."""
    start = 0
    for number in range(1, len(turns)):
        if turns[number].prompt < turns[number - 1].prompt * DROPPED:
            start = number
    return turns[start:][-LOOKED_AT:]


def tokens_per_turn(turns: Sequence[Turn]) -> float | None:
    """What a request adds to the context: the median growth; None where there are too few, or it does not grow."""
    held = since_compaction(turns)
    growth = [after.prompt - before.prompt for before, after in pairwise(held)]
    usual = _median(growth) if len(growth) >= 2 else 0
    return float(usual) if usual > 0 else None


def _median(values: list[int]) -> float:
    """As `statistics.median`, which takes longer to load than all that is asked here."""
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def turns_left(used: int, window: int, each: float | None) -> int | None:
    """Requests until auto-compaction is due, 0 where it is; None where the pace is not known."""
    if window <= 0:
        return None
    left = window * COMPACTS_AT - used
    if left <= 0:
        return 0
    return None if not each or each <= 0 else math.ceil(left / each)


def cache_life(turns: Sequence[Turn]) -> tuple[int, Kind] | None:
    """When the cache runs out (ms since 1970 UTC), by the last write to it; None where nothing was ever written."""
    for turn in reversed(turns):
        if turn.at is not None and turn.cache_write_5m + turn.cache_write_1h > 0:
            kind: Kind = "1h" if turn.cache_write_1h else "5m"
            return turn.at + LIVES_MS[kind], kind
    return None


def next_turn(turns: Sequence[Turn]) -> tuple[Counts, Counts] | None:
    """Tokens of the next request as the last ones went: while the cache lives, and once it is gone."""
    held = since_compaction(turns)
    if not held:
        return None
    used = held[-1].prompt
    grown = int(tokens_per_turn(turns) or 0)
    out = int(_median([turn.output for turn in held]))
    life = cache_life(turns)
    if life is None:
        plain = (used + grown, out, 0, 0, 0)
        return plain, plain
    if life[1] == "1h":
        return (0, out, 0, grown, used), (0, out, 0, used + grown, 0)
    return (0, out, grown, 0, used), (0, out, used + grown, 0, 0)
