"""The ledger's tables. A new version is a new entry of `MIGRATIONS`; what stands there never changes.

A *domain* is an agent with its data roots: what was read from other roots never mixes with it. An *origin* is
where responses come from: all that they share. A *cell* is the sum of an origin's responses in a quarter of an
hour. Amounts are dollars and picodollars, since picodollars alone overflow.
"""

from cockpit.errors import CannotAnswer

# the cells are sums of the responses: a count or an amount that was damaged in one of them shows; what has no price is
# NULL in a response and nought in a cell
CHECKS = tuple(
    f"""SELECT SUM(input), SUM(output), SUM(cache_write_5m), SUM(cache_write_1h), SUM(cache_read), SUM(reasoning),
        COALESCE(SUM(dollars), 0), COALESCE(SUM(pico % 1000003) % 1000003, 0) FROM {table}"""
    for table in ("responses", "cells")
)


class OtherForm(CannotAnswer):
    """A row whose columns are known holds something in a form that only another version of cockpit reads."""

    def __init__(self) -> None:
        super().__init__(
            "the ledger was written by another version of cockpit", "use that one, or set COCKPIT_STATE_DIR"
        )


MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        """CREATE TABLE domains (
            id INTEGER PRIMARY KEY, agent TEXT NOT NULL, roots TEXT NOT NULL, UNIQUE (agent, roots))""",
        """CREATE TABLE origins (
            id INTEGER PRIMARY KEY, domain INTEGER NOT NULL, session TEXT NOT NULL, cwd TEXT NOT NULL,
            branch TEXT NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, fast INTEGER NOT NULL,
            sidechain INTEGER NOT NULL, forked INTEGER NOT NULL, open INTEGER NOT NULL, billed INTEGER NOT NULL)""",
        "CREATE INDEX origins_by_session ON origins (domain, session)",
        """CREATE TABLE responses (
            id INTEGER PRIMARY KEY, domain INTEGER NOT NULL, key TEXT NOT NULL, part INTEGER NOT NULL,
            origin INTEGER NOT NULL, at INTEGER, input INTEGER NOT NULL, output INTEGER NOT NULL,
            cache_write_5m INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL, cache_read INTEGER NOT NULL,
            reasoning INTEGER NOT NULL, web_searches INTEGER NOT NULL, contested INTEGER NOT NULL,
            dollars INTEGER, pico INTEGER, advisors BLOB, usd REAL, UNIQUE (domain, key, part))""",
        "CREATE INDEX responses_by_origin ON responses (origin)",
        """CREATE TABLE cells (
            origin INTEGER NOT NULL, quarter INTEGER NOT NULL, requests INTEGER NOT NULL, input INTEGER NOT NULL,
            output INTEGER NOT NULL, cache_write_5m INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL,
            cache_read INTEGER NOT NULL, reasoning INTEGER NOT NULL, dollars INTEGER NOT NULL,
            pico INTEGER NOT NULL, unpriced INTEGER NOT NULL, PRIMARY KEY (origin, quarter)) WITHOUT ROWID""",
        """CREATE TABLE rivals (
            domain INTEGER NOT NULL, key TEXT NOT NULL, session TEXT NOT NULL, record BLOB NOT NULL,
            PRIMARY KEY (domain, key, session)) WITHOUT ROWID""",
        "CREATE INDEX rivals_by_session ON rivals (domain, session)",
        """CREATE TABLE files (
            domain INTEGER NOT NULL, path TEXT NOT NULL, inode INTEGER NOT NULL, size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL, session TEXT NOT NULL, parent TEXT NOT NULL, billed REAL,
            billed_session TEXT NOT NULL, later INTEGER NOT NULL, too_long INTEGER NOT NULL, state BLOB NOT NULL,
            PRIMARY KEY (domain, path)) WITHOUT ROWID""",
        "CREATE INDEX files_by_session ON files (domain, session)",
        "CREATE INDEX files_by_parent ON files (domain, parent)",
        """CREATE TABLE rates (
            model TEXT NOT NULL, day INTEGER NOT NULL, fast INTEGER NOT NULL, provider TEXT NOT NULL,
            tiers TEXT NOT NULL, PRIMARY KEY (model, day, fast, provider)) WITHOUT ROWID""",
    ),
    (
        "ALTER TABLE origins ADD COLUMN subagent TEXT NOT NULL DEFAULT ''",
        """CREATE TABLE subagents (
            domain INTEGER NOT NULL, session TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
            about TEXT NOT NULL, workflow TEXT NOT NULL, PRIMARY KEY (domain, session, name)) WITHOUT ROWID""",
        # sub-agents' transcripts that are still there are read once more, to learn who made what
        "UPDATE files SET inode = -1 WHERE path LIKE '%/subagents/%'",
    ),
)
