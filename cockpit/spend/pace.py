"""How the sessions that are at work go on: the growth of their context, the next request's price, the cache's life."""

from collections.abc import Iterable, Iterator

from cockpit.clock import at_seconds
from cockpit.spend.ledger import Ledger
from cockpit.spend.models import ContextPace
from cockpit.spend.price_table import PICO
from skills.spending.context_forecast import LOOKED_AT, Turn, cache_life, next_turn, tokens_per_turn

_MOST = 16  # sessions that are looked at
_ROWS = """SELECT at, input, output, cache_write_5m, cache_write_1h, cache_read, model, fast, provider
    FROM origins JOIN responses ON origin = origins.id
    WHERE origins.domain = ? AND session = ? AND sidechain = 0 AND part = 0 AND at IS NOT NULL
    ORDER BY at DESC, responses.key DESC LIMIT ?"""


def read_paces(ledger: Ledger, sessions: Iterable[str]) -> tuple[ContextPace, ...]:
    """The pace of each of `sessions` (the first sixteen) that has a request of its main conversation."""
    chosen = list(dict.fromkeys(sessions))[:_MOST]
    return tuple(sorted(_paces(ledger, chosen), key=lambda pace: pace.session))


def _paces(ledger: Ledger, sessions: list[str]) -> Iterator[ContextPace]:
    for _, domain, _ in ledger.shelves():
        for session in sessions:
            rows = ledger.store.connection.execute(_ROWS, (domain, session, LOOKED_AT + 1)).fetchall()
            if rows:
                yield _pace(ledger, session, rows[::-1])


def _pace(ledger: Ledger, session: str, rows: list[tuple[int, int, int, int, int, int, str, int, str]]) -> ContextPace:
    turns = [Turn(*row[:6]) for row in rows]
    at, model, fast, provider = rows[-1][0], *rows[-1][6:]
    life, ahead = cache_life(turns), next_turn(turns)
    costs = [ledger.prices.tokens_cost(model, at, counts, fast=bool(fast), provider=provider) for counts in ahead or ()]
    warm, cold = [None if cost is None else round(cost / PICO, 6) for cost in costs] or (None, None)
    return ContextPace(
        session,
        tokens_per_turn(turns),
        None if life is None else at_seconds(life[0] / 1000),
        None if life is None else life[1],
        warm,
        cold,
    )
