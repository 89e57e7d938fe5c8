"""The four workers and their checks, with what each check costs to mend and the principle behind it."""

from skills.audit.model import Effort, Worker

WORKERS: tuple[Worker, ...] = (
    Worker(
        651,
        "Query Efficiency",
        "HIGH",
        ("redundant-fetch", "n-update-delete-loop", "unnecessary-resolve", "over-fetching", "missing-bulk-ops",
         "wrong-caching-scope"),
    ),
    Worker(
        652,
        "Transaction Correctness",
        "HIGH",
        ("missing-intermediate-commits", "scope-too-wide", "scope-too-narrow", "missing-rollback",
         "long-held-transaction", "event-channel-consistency", "task-before-commit", "swallowed-db-error"),
    ),
    Worker(
        653,
        "Runtime Performance",
        "MEDIUM",
        ("blocking-io-in-async", "unnecessary-list-allocation", "sync-sleep-in-async", "string-concat-in-loop",
         "missing-to-thread", "redundant-data-copies"),
        needs_database=False,
    ),
    Worker(
        654,
        "Resource Lifecycle",
        "HIGH",
        ("resource-scope-mismatch", "streaming-resource-holding", "missing-cleanup", "pool-configuration",
         "error-path-leak", "factory-vs-injection"),
    ),
)  # fmt: skip

EFFORT: dict[str, Effort] = {
    "n-update-delete-loop": "M", "wrong-caching-scope": "M", "scope-too-wide": "M", "scope-too-narrow": "M",
    "long-held-transaction": "M", "resource-scope-mismatch": "M", "streaming-resource-holding": "M",
    "factory-vs-injection": "M", "missing-intermediate-commits": "M", "event-channel-consistency": "S",
}  # fmt: skip
"""Rule → S (below an hour), M (one to four hours), L (more); S where it is not named."""

EFFORT_HOURS: dict[Effort, str] = {"S": "below 1 h", "M": "1–4 h", "L": "above 4 h"}

PRINCIPLES: dict[str, str] = {
    "redundant-fetch": "read a row once", "n-update-delete-loop": "one statement for many rows",
    "unnecessary-resolve": "hand on what you have", "over-fetching": "ask for what is used",
    "missing-bulk-ops": "one statement for many rows", "wrong-caching-scope": "a cache outlives its readers",
    "missing-intermediate-commits": "progress is told outside the unit of work",
    "scope-too-wide": "transactions hold writes only", "scope-too-narrow": "what belongs together commits together",
    "missing-rollback": "every failure ends its transaction", "long-held-transaction": "locks are short",
    "event-channel-consistency": "one name, defined once", "task-before-commit": "work is queued after the commit",
    "swallowed-db-error": "a broken transaction ends", "blocking-io-in-async": "the event loop never waits",
    "unnecessary-list-allocation": "iterate without a copy", "sync-sleep-in-async": "the event loop never waits",
    "string-concat-in-loop": "collect, then join", "missing-to-thread": "heavy work leaves the event loop",
    "redundant-data-copies": "copy to change, not to read", "resource-scope-mismatch": "hold what you use, while "
                                        "you use it",
    "streaming-resource-holding": "streams hold no pooled resource", "missing-cleanup": "who opens closes",
    "pool-configuration": "pools have limits and test their connections", "error-path-leak": "errors close too",
    "factory-vs-injection": "what outlives a request opens its own session",
}  # fmt: skip

ACCEPTANCE = "`cockpit check {path} --select {rule}` reports nothing at `{symbol}`"


def effort_of(rule: str) -> Effort:
    """How much work a finding of a rule usually is."""
    return EFFORT.get(rule, "S")
