"""The prices that the ledger's amounts were worked out with: remembered, and all worked out anew where they change."""

import json
import sqlite3

from cockpit.agents.record import Record
from cockpit.spend.book import CELLS, split
from cockpit.spend.overrides import Overrides
from cockpit.spend.price_table import Rates
from cockpit.spend.prices import Prices


def remembered(database: sqlite3.Connection, overrides: Overrides) -> Prices:
    """The price table with the rates that the ledger remembers."""
    rates = database.execute("SELECT model, day, fast, provider, tiers FROM rates")
    known = {
        (model, day, bool(fast), provider): tuple(Rates(*tier) for tier in json.loads(tiers))
        for model, day, fast, provider, tiers in rates
    }
    return Prices(known, overrides)


def remember(database: sqlite3.Connection, prices: Prices) -> None:
    """Keep the rates that were looked up since."""
    new = [(key, tiers) for key, tiers in prices.new.items() if key[1] != -1]  # -1: now, which passes
    database.executemany(
        "INSERT OR REPLACE INTO rates VALUES (?, ?, ?, ?, ?)", ((*key, json.dumps(tiers)) for key, tiers in new)
    )
    prices.new.clear()


def are_current(database: sqlite3.Connection, overrides: Overrides) -> bool:
    """Whether the amounts were worked out with the price table and the person's own prices as they are now."""
    known = database.execute("SELECT value FROM facts WHERE name = 'prices'").fetchone()
    return known is not None and known[0] == Prices(overrides=overrides).version


def work_out_again(database: sqlite3.Connection, overrides: Overrides) -> Prices:
    """Work out the amount of every response of all domains anew, and forget the rates that held before."""
    database.execute("DELETE FROM rates")
    prices = Prices(overrides=overrides)
    words = """SELECT responses.id, part, at, input, output, cache_write_5m, cache_write_1h, cache_read, web_searches,
        usd, model, fast, provider FROM responses JOIN origins ON origins.id = origin"""
    amounts: list[tuple[int | None, int | None, int]] = []
    for row in database.execute(words):
        number, part, at, fresh, out, short, hour, read, searches, usd, model, fast, provider = row
        tokens = (fresh, out, short, hour, read)
        record = Record("", "", "", at, model, *tokens, 0, searches, bool(fast), provider=provider, usd=usd)
        cost = prices.tokens_cost(model, at, record.kinds) if part else prices.cost(record)
        amounts.append((*split(cost), number))
    database.executemany("UPDATE responses SET dollars = ?, pico = ? WHERE id = ?", amounts)
    database.execute("DELETE FROM cells")
    database.execute(f"INSERT INTO cells {CELLS} GROUP BY 1, 2")
    database.execute("INSERT OR REPLACE INTO facts VALUES ('prices', ?)", (prices.version,))
    return prices
