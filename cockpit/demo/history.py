"""The demo's earlier sessions: what the last three weeks cost."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from cockpit.demo.transcript import HAIKU, OPUS, SONNET, Tool, Transcript, uuid_of

DAYS = 20
MONTH_BEFORE_TODAY = 57.7  # dollars; less early in a month, so that no day looks absurd
USUAL_DAY = 4.0
SUBJECTS = (
    "Set up tenancy: a middleware and one scoped manager",
    "Users belong to a company: model, serializer, tests",
    "Create invoices in one transaction, with tests",
    "Send an invoice by mail from the API",
    "Count overdue invoices every night in a Celery task",
    "Cache company lookups; measure before and after",
)


def earlier_sessions(cwd: Path, now: datetime, random: Random) -> Iterator[tuple[Transcript, list[Transcript]]]:
    """Ended sessions with their sub-agents, oldest first; each goes on over some days."""
    days = _planned(now, random)
    each = -(-len(days) // len(SUBJECTS))
    for number, subject in enumerate(SUBJECTS):
        mine = days[number * each : (number + 1) * each]
        if mine:
            yield _session(subject, mine, cwd, random)


def _planned(now: datetime, random: Random) -> list[tuple[datetime, float]]:
    """(start of work, dollars) of each day before today."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    days = [midnight - timedelta(days=back) for back in range(DAYS, 0, -1)]
    weights = [random.uniform(0.6, 1.5) * (0.25 if day.weekday() >= 5 else 1.0) for day in days]
    this_month = [weight for day, weight in zip(days, weights, strict=True) if day.month == now.month]
    target = min(MONTH_BEFORE_TODAY, USUAL_DAY * len(this_month))
    scale = target / sum(this_month) if this_month else USUAL_DAY
    starts = [day + timedelta(hours=9, minutes=random.randrange(90)) for day in days]
    return [(start, weight * scale) for start, weight in zip(starts, weights, strict=True)]


def _session(
    subject: str, days: list[tuple[datetime, float]], cwd: Path, random: Random
) -> tuple[Transcript, list[Transcript]]:
    talk = Transcript(uuid_of(subject), str(cwd), "main", OPUS, days[0][0], random)
    helpers = []
    for number, (start, dollars) in enumerate(days):
        if number:
            talk.compact(14_000)
        talk.clock = start
        talk.prompt(subject if not number else f"Go on: {subject[0].lower()}{subject[1:]}")
        for model, share in ((SONNET, 0.21), (HAIKU, 0.07)):
            helpers.append(_helper(talk, f"{subject} {number} {model}", model, dollars * share))
        _spend(talk, talk.usd + dollars * 0.72)
    talk.step("Done; the tests pass and ruff is clean.", grow=900, output=300)
    for helper in helpers:
        talk.helped(helper)
    talk.cost_state(hidden=0.04 * len(days))
    return talk, helpers


def _helper(talk: Transcript, name: str, model: str, dollars: float) -> Transcript:
    helper = Transcript(
        talk.session,
        talk.cwd,
        talk.branch,
        model,
        talk.clock,
        talk.random,
        context=9_000,
        agent_id=uuid_of(name)[:8],
    )
    helper.prompt("Look into it and report.", wait=3)
    _spend(helper, dollars)
    return helper


def _spend(talk: Transcript, until: float) -> None:
    """Work until the transcript has cost `until` dollars; the last response is cut to fit."""
    names = ("Read", "Read", "Edit", "Bash")
    while talk.usd < until - 0.02:
        if talk.context > 165_000:
            talk.compact(14_000)
        name = names[len(talk.lines) % len(names)]
        given = {"command": "uv run pytest -q"} if name == "Bash" else {"file_path": f"{talk.cwd}/billing/services.py"}
        grow = min(talk.random.randrange(3000, 9000), max(200, int((until - talk.usd) * 5e4)))
        talk.step("", Tool(name, given, "ok"), grow=grow, output=talk.random.randrange(300, 1500), seconds=15)
