"""The predeploy list: nine items that checks answer, seven that a person confirms (Python backend orchestrator)."""

from collections.abc import Iterable, Mapping

from skills.gates.model import Status
from skills.record import record
from skills.verify.model import Answer, worst

AUTOMATIC: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("tests", "All tests pass", ("tests",)),
    ("coverage", "Coverage meets its targets", ("coverage",)),
    ("vulnerabilities", "No known vulnerability", ("dependencies",)),
    ("migrations", "No migration is missing", ("makemigrations",)),
    ("debug", "DEBUG is off", ("debug",)),
    ("secret-key", "SECRET_KEY is long and random", ("secret-key",)),
    ("allowed-hosts", "ALLOWED_HOSTS names hosts", ("allowed-hosts",)),
    ("https", "HTTPS settings are on", ("ssl-redirect", "hsts")),
    ("environment", "The environment is documented", ("env-names",)),
)
MANUAL: tuple[tuple[str, str], ...] = (
    ("backups", "Backups run, and one was restored"),
    ("static", "Static files are served"),
    ("logging", "Logs arrive where they are read"),
    ("errors", "Errors are reported (Sentry or alike)"),
    ("cdn", "The CDN is set up"),
    ("redis", "Redis is reachable"),
    ("celery", "Workers and beat run"),
)


@record
class Confirmation:
    """Who confirmed a manual item, when (ISO 8601), at which commit."""

    who: str
    at: str
    commit: str


@record
class Item:
    """One item of the list. `by` says who confirmed it, "" for what checks answer."""

    id: str
    title: str
    status: Status
    by: str = ""


def predeploy_items(answers: Iterable[Answer], confirmed: Mapping[str, Confirmation], head: str) -> list[Item]:
    """The sixteen items. A confirmation counts for the commit that it was given at."""
    known: dict[str, list[Answer]] = {}
    for answer in answers:
        known.setdefault(answer.check, []).append(answer)
    items = []
    for name, title, checks in AUTOMATIC:
        found = [answer for check in checks for answer in known.get(check, ())]
        items.append(Item(name, title, worst(found) if found else "not_run"))
    for name, title in MANUAL:
        given = confirmed.get(name)
        status: Status = "pass" if given is not None and given.commit == head else "not_run"
        by = "" if given is None else f"{given.who}, {given.at}, at {given.commit[:9]}"
        items.append(Item(name, title, status, by))
    return items
