"""What to look for with each technology, in short notes of our own, with the pages that they come from."""

from skills.record import record


@record
class Note:
    """One practice: the topic, what to do, and where it is written."""

    topic: str
    text: str
    source: str


_ALCHEMY = "https://docs.sqlalchemy.org/en/20/"
_PG = "https://www.postgresql.org/docs/current/"
_PY = "https://docs.python.org/3/library/"
_FAST = "https://fastapi.tiangolo.com/"
_DJANGO = "https://docs.djangoproject.com/en/stable/topics/"

PRACTICES: dict[str, tuple[Note, ...]] = {
    "sqlalchemy": (
        Note("session lifecycle", "One session a unit of work: opened where the work begins, ended by its own `with`.",
             _ALCHEMY + "orm/session_basics.html"),
        Note("expire_on_commit", "With the default every attribute is read again after a commit; async sessions want "
             "`expire_on_commit=False`.", _ALCHEMY + "orm/extensions/asyncio.html"),
        Note("bulk operations", "`execute(insert(Model), rows)` and `execute(update(Model), rows)` send batches; the "
             "older `bulk_*` methods are legacy.", _ALCHEMY + "orm/queryguide/dml.html"),
        Note("loading", "Name relations in the query (`selectinload`, `joinedload`); `load_only` narrows wide rows.",
             _ALCHEMY + "orm/queryguide/relationships.html"),
        Note("pool", "Five connections and ten more by default; `max_overflow=-1` and `pool_size=0` have no limit; "
             "`pool_pre_ping` tests a connection before it is lent.", _ALCHEMY + "core/pooling.html"),
    ),
    "django": (
        Note("transactions", "`atomic()` around what belongs together; what must follow the commit goes to "
             "`on_commit`; an error inside needs its own `atomic()`.", _DJANGO + "db/transactions/"),
        Note("query count", "`bulk_create`, `bulk_update`, `update()` and `in_bulk` instead of one query a row; "
             "`only()` and `values_list()` for wide rows.", _DJANGO + "db/optimization/"),
        Note("async", "In async views use the `a…` methods or `sync_to_async`; transactions stay in sync code.",
             _DJANGO + "async/"),
    ),
    "postgresql": (
        Note("NOTIFY", "Delivered at commit and folded where payloads are equal; listeners need a connection of their "
             "own.", _PG + "sql-notify.html"),
        Note("isolation", "Read committed by default; an open transaction keeps its locks and holds back vacuum.",
             _PG + "transaction-iso.html"),
        Note("batches", "Many rows in one statement, or COPY; one transaction for the batch.", _PG + "populate.html"),
    ),
    "mysql": (
        Note("isolation", "Repeatable read by default: long transactions keep old row versions alive.",
             "https://dev.mysql.com/doc/refman/8.4/en/innodb-transaction-isolation-levels.html"),
        Note("idle connections", "`wait_timeout` drops idle connections: `pool_recycle` below it, or `pool_pre_ping`.",
             "https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html"),
    ),
    "sqlite": (
        Note("writers", "One writer at a time: short transactions, WAL where readers must go on.",
             "https://www.sqlite.org/wal.html"),
    ),
    "redis": (
        Note("publish and subscribe", "A message without a subscriber is lost; what must arrive wants a stream or a "
             "queue.", "https://redis.io/docs/latest/develop/pubsub/"),
    ),
    "asyncio": (
        Note("blocking", "The debug mode names callbacks slower than 100 ms; files, drivers and sleeps block.",
             _PY + "asyncio-dev.html"),
        Note("to_thread", "Blocking calls go to `asyncio.to_thread`; work of the processor to a process pool.",
             _PY + "asyncio-task.html#running-in-threads"),
    ),
    "fastapi": (
        Note("dependencies", "What is yielded lives until the answer is sent, a stream's end included.",
             _FAST + "tutorial/dependencies/dependencies-with-yield/"),
        Note("background tasks", "They run after the answer: hand on ids, and let them open their own session.",
             _FAST + "tutorial/background-tasks/"),
        Note("def and async def", "A plain `def` runs in a thread; in `async def` nothing may "
                                  "block.", _FAST + "async/"),
    ),
    "celery": (
        Note("tasks", "Queue after the commit (`delay_on_commit`), pass keys rather than rows, make them repeatable.",
             "https://docs.celeryq.dev/en/stable/userguide/tasks.html"),
    ),
}  # fmt: skip


def practices_for(names: tuple[str, ...]) -> dict[str, tuple[Note, ...]]:
    """The notes for what was detected, in that order."""
    return {name: PRACTICES[name] for name in names if name in PRACTICES}


def sources_for(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """(technology and topic, page) of every note that was used."""
    return [(f"{name}: {note.topic}", note.source) for name, notes in practices_for(names).items() for note in notes]
