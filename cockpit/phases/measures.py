"""The ten measures of a repository: transcripts, the gates, costs, skills and audits, read and put together."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import TypeVar

from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.findings.models import Check, Finding, TrendPoint
from cockpit.phases.habits import HabitsReading
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from skills.orchestrator.habits import habit_rows
from skills.orchestrator.measures import (
    EstimateFigures,
    Figures,
    GateFigures,
    Measure,
    ScoreFigures,
    SkillFigures,
    SpendFigures,
    take_measures,
    week_of,
)
from skills.spending.amount import Amount

Answer = TypeVar("Answer")

_MOST = 4  # names of each kind


def read_measures(
    repository: Repository,
    config: Config,
    reading: HabitsReading,
    now: datetime,
    *,
    gates: GateFigures | None = None,
    tell: Callable[[float], None] | None = None,
) -> tuple[tuple[Measure, ...], tuple[str, ...]]:
    """The measures and what could not be read for them. `gates` is what a check said that was made already; else one is
    made, and `tell` gets the share (0–1) that is judged, now and then.
    """
    problems: list[str] = []
    figures = Figures(
        reading.figures,
        habit_rows(reading.looks),
        reading.looks,
        gates or _attempt(lambda: _checked(repository, config, tell), "the gates", problems),
        _attempt(lambda: _spent(repository, config), "costs", problems),
        _attempt(lambda: _skills(repository, now), "skills", problems),
        _attempt(lambda: _audits(repository), "audits", problems),
        _attempt(lambda: _expected(repository, config), "estimates", problems),
    )
    return take_measures(figures), tuple(problems)


def _attempt(read: Callable[[], Answer], what: str, problems: list[str]) -> Answer | None:
    """What `read` answers; where it cannot, one line more among the problems."""
    try:
        return read()
    except (CannotAnswer, OSError, ValueError) as problem:
        problems.append(f"{what}: {plain_text(problem, 200)}")
        return None


def _checked(repository: Repository, config: Config, tell: Callable[[float], None] | None) -> GateFigures:
    from cockpit.findings.once import CheckRequest, check_now
    from cockpit.findings.trend import read_trend

    outcome, _ = check_now(repository.root, config, CheckRequest(), tell)
    return gate_figures(outcome.findings, outcome.checks, read_trend(repository))


def gate_figures(findings: Iterable[Finding], checks: Iterable[Check], trend: Sequence[TrendPoint]) -> GateFigures:
    """What a check says, as the measures want it. The last day of `trend` is the check's own."""
    broken = Counter(
        rule
        for rule, _, _ in {
            (one.rule, one.path, one.symbol) for one in findings if one.gate == "P1" and one.suppressed is None
        }
    )
    weeks = {week_of(point.date): point.share for point in trend}
    last = trend[-1] if trend else None
    statuses: Counter[str] = Counter(check.status for check in checks)
    return GateFigures(
        statuses, broken, last.places if last else None, last.holding if last else None, tuple(sorted(weeks.items())),
        _by_rule(trend),
    )  # fmt: skip


def _by_rule(trend: Sequence[TrendPoint]) -> dict[str, tuple[tuple[str, float], ...]]:
    """The share of places that hold each rule that any day broke, by week; the last day of a week speaks for it."""
    told = {week_of(point.date): point for point in trend if point.broken is not None and point.places}
    rules = {rule for point in told.values() for rule in point.broken or ()}
    return {
        rule: tuple(
            (week, 1 - (point.broken or {}).get(rule, 0) / point.places) for week, point in sorted(told.items())
        )
        for rule in sorted(rules)
    }


def _spent(repository: Repository, config: Config) -> SpendFigures:
    from cockpit.spend.dashboard import read_dashboard

    board = read_dashboard(repository, config)
    dearest: list[tuple[str, str, Amount]] = []
    unattributed: float | None = None
    for table in board.tables:
        if table.by in ("feature", "agent", "model"):
            rows = [cost.row for cost in table.rows[:_MOST] if cost.row.usd]
            dearest += [(table.by, plain_text(row.key or "none", 60), row.amount) for row in rows]
            if table.by == "feature":
                unattributed = None if table.unattributed is None else table.unattributed.usd
    weeks: dict[str, float] = {}
    for day, (usd, _) in board.daily:
        week = week_of(datetime.fromisoformat(day))
        weeks[week] = weeks.get(week, 0.0) + usd
    total = board.total
    return SpendFigures(
        total.usd, total.tokens.total, total.unpriced_tokens, unattributed, total.amount.floor, tuple(dearest),
        tuple((week, round(usd, 2)) for week, usd in sorted(weeks.items())),
    )  # fmt: skip


def _expected(repository: Repository, config: Config) -> EstimateFigures:
    from cockpit.bench.feature import features
    from cockpit.bench.feature_cost import feature_cost
    from cockpit.spend.meter import Meter
    from cockpit.spend.past import past_features
    from cockpit.spend.sums import Scope
    from skills.spending.estimate import estimate

    meter = Meter(repository, config)
    meter.read()
    hour = estimate(1.0, 0.0, list(past_features(meter, Scope(meter.places)).values()))
    planned = [(one.title, feature_cost(repository, config, one)) for one in features(repository)[:_MOST]]
    rows = tuple((plain_text(name, 60), cost.expected, cost.spent.usd) for name, cost in planned if cost.expected)
    return EstimateFigures(hour.usd, hour.features, rows)


def _audits(repository: Repository) -> ScoreFigures | None:
    from cockpit.audit.sources import rows_of

    rows, _ = rows_of(repository.root)
    scores: list[tuple[date, float, str]] = []
    for row in rows:
        with contextlib.suppress(ValueError):
            scores.append((date.fromisoformat(row.date[:10]), row.score, plain_text(row.key_finding, 120)))
    return ScoreFigures(tuple(scores)) if scores else None


def _skills(repository: Repository, now: datetime) -> SkillFigures:
    from cockpit.catalogue.report import read_skills

    report = read_skills(repository, now)
    offered = [row for row in report.rows if row.installed or row.use.loaded]
    used = sorted((row for row in offered if row.use.loaded), key=lambda row: (-row.use.loaded, row.name))
    return SkillFigures(
        len(offered),
        len(used),
        sum(row.use.loaded for row in used),
        sum(row.listing_tokens for row in offered),
        tuple((plain_text(row.name, 60), row.use.loaded, row.total_tokens) for row in used[: 2 * _MOST]),
    )
