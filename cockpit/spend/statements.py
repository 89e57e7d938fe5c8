"""What the agents themselves say they billed: Claude Code's cost-states, with the price of what came after them."""

import json
from collections.abc import Iterable

from cockpit.agents.source import Source
from cockpit.spend.ledger import Ledger
from cockpit.spend.models import Billed
from cockpit.spend.places import Places
from cockpit.spend.price_table import PICO
from cockpit.spend.sums import MICRO, Scope, rounded

Key = tuple[str, str]  # agent, session


class Statements:
    """Billed picodollars of sessions, of all sessions in the scope.

    A billed figure has no times and no places in it: a session counts only where all of it is in the scope.
    """

    def __init__(self, billed: dict[Key, int], sessions: Iterable[Key]) -> None:
        self._billed = billed
        self._sessions = tuple(sessions)

    def of(self, *, agent: str | None = None, session: str | None = None) -> Billed | None:
        """The sum of the statements, of one agent or session where it is named; None: there are none."""

        def chosen(key: Key) -> bool:
            return agent in (None, key[0]) and session in (None, key[1])

        said = [usd for key, usd in self._billed.items() if chosen(key)]
        if not said:
            return None
        return Billed(rounded(sum(said)) / 10**6, len(said), sum(map(chosen, self._sessions)))


def read_statements(ledger: Ledger, scope: Scope) -> Statements:
    """The statements of the sessions that lie in `scope` as a whole."""
    inside = ledger.requests(scope)
    billed = billed_by_session(ledger)
    partial = scope.since is not None or scope.until is not None or scope.places.repository is not None
    whole = ledger.requests(Scope(Places(None))) if billed and partial else inside
    counted = {key: usd for key, usd in billed.items() if inside.get(key) and inside[key] == whole[key]}
    return Statements(counted, inside)


def billed_by_session(ledger: Ledger) -> dict[Key, int]:
    """What sessions say they were billed, in picodollars, plus the price of what came later."""
    found: dict[Key, int] = {}
    for reader, domain, shelf in ledger.shelves():
        for path, session, usd, later in shelf.billed():
            amount = round(usd * 10**6) * MICRO
            if later:
                amount += _later(ledger, domain, shelf.get(path, reader))
            key = (reader.agent, session)
            found[key] = max(amount, found.get(key, 0))
    return found


def _later(ledger: Ledger, domain: int, source: Source) -> int:
    """The price of the session's responses after its last statement, its sub-agents' included."""
    database = ledger.store.connection
    start = next(iter(source.after.values()), None)
    words = """SELECT SUM(dollars), SUM(pico) FROM responses WHERE domain = ?
        AND key IN (SELECT value FROM json_each(?))"""
    amounts = database.execute(words, (domain, json.dumps(list(source.after)))).fetchall()
    if start is not None:
        words = """SELECT key, SUM(dollars), SUM(pico) FROM origins JOIN responses ON origin = origins.id
            WHERE origins.domain = ? AND session = ? AND at > ? GROUP BY key"""
        others = database.execute(words, (domain, source.billed_session, start))
        amounts += [row for key, *row in others if key not in source.before and key not in source.after]
    return sum((dollars or 0) * PICO + (pico or 0) for dollars, pico in amounts)
