"""The usage of one response: what every agent's reader makes of its lines, rows and documents."""

from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 2**40 - 1  # no request has more tokens: a larger count is a broken one; all its bits are set
Advisor = tuple[str, int, int, int, int, int]


@dataclass(slots=True, repr=False)
class Record:
    """The usage of one response as one line tells it.

    `at` is in milliseconds since 1970 UTC, None where unknown; `forked` marks a copy that names its original.
    `provider` says whose price list holds, empty where the model's name says it. `usd` is what the agent itself
    says that the response cost, None where it says nothing. `subagent` names the sub-agent that asked.
    """

    session: str
    cwd: str
    branch: str
    at: int | None
    model: str
    input: int
    output: int
    cache_write_5m: int
    cache_write_1h: int
    cache_read: int
    reasoning: int = 0
    web_searches: int = 0
    fast: bool = False
    sidechain: bool = False
    forked: bool = False
    advisors: tuple[Advisor, ...] = ()
    provider: str = ""
    usd: float | None = None
    subagent: str = ""

    @property
    def kinds(self) -> tuple[int, int, int, int, int]:
        """The kinds that a price list has a price for each of, in its order."""
        return (self.input, self.output, self.cache_write_5m, self.cache_write_1h, self.cache_read)

    @property
    def tokens(self) -> int:
        """Tokens of all kinds; reasoning is a part of output."""
        return self.input + self.output + self.cache_write_5m + self.cache_write_1h + self.cache_read


# the fields of a record in their order, of which it can be made again
Values = tuple[
    str, str, str, int | None, str, int, int, int, int, int, int, int, bool, bool, bool, tuple[Advisor, ...], str,
    float | None, str,
]  # fmt: skip
values_of: "Callable[[Record], Values]" = attrgetter(*Record.__match_args__)


def plausible(count: int) -> int:
    """`count` where it can be a number of tokens, else 0."""
    return count if 0 <= count <= MOST else 0


def milliseconds(moment: datetime | None) -> int | None:
    """Milliseconds since 1970 UTC; a time without a zone is UTC."""
    if moment is None:
        return None
    try:
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (OverflowError, ValueError):
        return None
