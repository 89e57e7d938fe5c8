"""What the requests of a test run asked the database: too many queries, and one query again and again."""

from collections.abc import Callable, Sequence

from skills.counted import counted
from skills.gates.model import Status
from skills.record import record
from skills.verify.model import Answer

PHASE = 7
MOST_QUERIES, MOST_SAME = 50, 10
"""Queries that one request may send, and how often it may send the same one."""


@record
class RequestCount:
    """One request of a test: its method and route, how many queries it sent, how often the most frequent one."""

    method: str
    route: str
    queries: int
    most: int
    statement: str = ""

    @property
    def name(self) -> str:
        """The request as a person writes it: `GET /orders/`."""
        return f"{self.method} {self.route or '/'}"


def request_answers(counts: Sequence[RequestCount]) -> list[Answer]:
    """The answers of phase 7 that are measured; `counts` holds at least one request."""
    worst = max(counts, key=lambda one: (one.queries, one.name))
    routes = len({one.name for one in counts})
    about = (
        f"measured: {counted(len(counts), 'request')} on {counted(routes, 'route')}, "
        f"at most {counted(worst.queries, 'query', 'queries')} ({worst.name})"
    )
    many = _by_route(counts, lambda one: one.queries, MOST_QUERIES)
    same = _by_route(counts, lambda one: one.most, MOST_SAME)
    return [
        _answer(
            "query-count", f"At most {MOST_QUERIES} queries a request", about,
            [f"{one.name}: {one.queries} queries" for one in many],
        ),
        _answer(
            "repeated-queries", f"No query more than {MOST_SAME} times a request", about,
            [f"{one.name}: {one.most} times {one.statement}" for one in same],
        ),
    ]  # fmt: skip


def _by_route(counts: Sequence[RequestCount], value: Callable[[RequestCount], int], most: int) -> list[RequestCount]:
    """The worst request of each route that is above `most`, worst first."""
    worst: dict[str, RequestCount] = {}
    for one in counts:
        if value(one) > most and (one.name not in worst or value(one) > value(worst[one.name])):
            worst[one.name] = one
    return sorted(worst.values(), key=lambda one: (-value(one), one.name))


def _answer(check: str, title: str, about: str, places: list[str]) -> Answer:
    status: Status = "fail" if places else "pass"
    detail = f"measured: {places[0]}" if places else about
    return Answer(PHASE, check, title, status, detail, len(places), places=tuple(places))
