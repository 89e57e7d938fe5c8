"""The ten measures of the work with agents, each with its denominator and basis (complaints, measures)."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from skills.counted import counted
from skills.orchestrator.figures import SessionFigures, TaskFigure
from skills.orchestrator.habit_models import HabitRow, Look, PatternId
from skills.spending.amount import Amount, dollars, percent

MeasureId = Literal[
    "rule-compliance", "gate-outcomes", "unbacked-claims", "serial-seconds", "spend", "context", "over-delegation",
    "skills", "persistence-score", "estimate-accuracy",
]  # fmt: skip
Basis = Literal["measured", "computed", "estimated"]
MeasureStatus = Literal["known", "not_run", "not_applicable"]
GOAL = 0.95
"""The share of places that shall hold every P1 rule."""
STEADY = 0.3
"""A persistence score that moved less than this is steady."""
_HEADS: dict[MeasureId, tuple[str, str, str, Basis]] = {
    "rule-compliance": ("Places that hold P1", "percent", "functions, classes and modules", "measured"),
    "gate-outcomes": ("Rules that pass", "percent", "rules that apply", "measured"),
    "unbacked-claims": ("Claims without a run", "count", "claims that a check passes", "measured"),
    "serial-seconds": ("Lost to reads one by one", "seconds", "seconds of work", "measured"),
    "spend": ("Spend of 30 days", "usd", "tokens", "computed"),
    "context": ("Context at its peak (median)", "percent", "sessions that tell it", "measured"),
    "over-delegation": ("Needless sub-agents", "usd", "sub-agents launched", "computed"),
    "skills": ("Skills in use", "count", "skills offered", "measured"),
    "persistence-score": ("Persistence score", "of 10", "audits written", "measured"),
    "estimate-accuracy": ("Estimates within a factor of 2", "percent", "tasks that changed files", "estimated"),
}


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure. `value` is in `unit`; `of` is the denominator and `of_what` its name. `detail` says the rest in one
    line, `rows` are its parts, `weeks` its course by ISO week, `courses` that of parts. Where it could not
    be taken, `status` and `detail` say why, and `value` is None: never 0. `floor`: it is at least so much."""

    id: MeasureId
    title: str
    value: float | None
    unit: str
    of: float | None
    of_what: str
    basis: Basis
    status: MeasureStatus
    detail: str
    rows: tuple[tuple[str, str], ...] = ()
    weeks: tuple[tuple[str, float], ...] = ()
    courses: Mapping[str, tuple[tuple[str, float], ...]] = field(default_factory=dict)
    floor: bool = False


@dataclass(frozen=True, slots=True)
class GateFigures:
    """What a check of the repository says: statuses of rules, places with a finding by rule, and places in all.

    `trend` is (ISO week, share of places that hold), `by_rule` the same of each rule, oldest week first."""

    statuses: Mapping[str, int]
    broken: Mapping[str, int]
    places: int | None
    holding: int | None
    trend: tuple[tuple[str, float], ...] = ()
    by_rule: Mapping[str, tuple[tuple[str, float], ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SpendFigures:
    """Dollars and tokens of the period, with the dearest of each kind as (kind, name, dollars). `floor`: usage never
    became final."""

    usd: float
    tokens: int
    unpriced_tokens: int
    unattributed_usd: float | None
    floor: bool
    dearest: tuple[tuple[str, str, Amount], ...] = ()
    weeks: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class SkillFigures:
    """Skills that were offered, of them used, times used; tokens that listing them costs, computed per session."""

    offered: int
    used: int
    loads: int
    listing_tokens: int
    dearest: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ScoreFigures:
    """Scores (0–10) of the persistence audits, the oldest first, with what each found worst."""

    scores: tuple[tuple[date, float, str], ...]


@dataclass(frozen=True, slots=True)
class EstimateFigures:
    """What an hour of an agent's work is expected to cost, in dollars; `features` past ones calibrated it (0: the
    table's pace holds). `planned` are the repository's own features: name, expected dollars, dollars so far."""

    usd_an_hour: float
    features: int
    planned: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that the measures are taken from; None where nobody could look."""

    sessions: Sequence[SessionFigures] = ()
    habits: Sequence[HabitRow] = ()
    looks: Sequence[Mapping[PatternId, Look]] = field(default=())
    gates: GateFigures | None = None
    spend: SpendFigures | None = None
    skills: SkillFigures | None = None
    audits: ScoreFigures | None = None
    estimates: EstimateFigures | None = None


def figure(measure: Measure) -> str:
    """The value as a person reads it; `?` where it could not be taken."""
    value, unit = measure.value, measure.unit
    if value is None:
        return "?" if measure.status == "not_run" else "–"
    forms = {
        "percent": f"{value:.1f} %",
        "usd": dollars(value, floor=measure.floor),
        "seconds": f"{value:,.1f} s",
        "of 10": f"{value:.1f}",
    }
    return forms.get(unit, f"{value:,.0f}")


def share(measure: Measure) -> str:
    """The denominator as a person reads it, e.g. `of 1,220 functions`; empty where there is none."""
    return "" if measure.of is None else f"of {measure.of:,.0f} {measure.of_what}"


def take_measures(figures: Figures) -> tuple[Measure, ...]:
    """The ten measures, in their order."""
    habits = {row.id: row for row in figures.habits}
    return (
        _compliance(figures.gates),
        _outcomes(figures.gates, figures.sessions),
        _claims(habits.get("unbacked-claim"), figures),
        _serial(habits.get("sequential-tools"), figures),
        _spend(figures.spend),
        _context(figures.sessions),
        _delegation(habits.get("over-delegation"), figures),
        _skills(figures.skills),
        _scores(figures.audits),
        _estimates(figures.sessions, figures.estimates),
    )


def _absent(name: MeasureId, why: str) -> Measure:
    title, unit, of_what, basis = _HEADS[name]
    return Measure(name, title, None, unit, None, of_what, basis, "not_run", why)


def _taken(
    name: MeasureId,
    value: float | None,
    of: float,
    detail: str,
    rows: tuple[tuple[str, str], ...] = (),
    weeks: tuple[tuple[str, float], ...] = (),
    status: MeasureStatus = "known",
) -> Measure:
    title, unit, of_what, basis = _HEADS[name]
    return Measure(name, title, value, unit, of, of_what, basis, status, detail, rows, weeks)


def _compliance(gates: GateFigures | None) -> Measure:
    if gates is None or not gates.places or gates.holding is None:
        return _absent("rule-compliance", "nothing could be checked here")
    places = gates.places
    mended = {rule: 0 for rule in gates.by_rule if rule not in gates.broken}
    worst = sorted({**gates.broken, **mended}.items(), key=lambda one: (-one[1], one[0]))
    rows = tuple((rule, f"{percent(1 - n / places, 1)}, {n:,} of {places:,} do not") for rule, n in worst)
    weeks = tuple((week, round(100 * held, 1)) for week, held in gates.trend)
    courses = {rule: tuple((week, round(100 * held, 1)) for week, held in row) for rule, row in gates.by_rule.items()}
    detail = f"goal {percent(GOAL)}; {counted(len(gates.broken), 'rule finds something', 'rules find something')}"
    taken = _taken("rule-compliance", round(100 * gates.holding / places, 1), places, detail, rows, weeks)
    return replace(taken, courses=courses)


def _outcomes(gates: GateFigures | None, sessions: Sequence[SessionFigures]) -> Measure:
    passes, fails, silent = (sum(getattr(one, name) for one in sessions) for name in ("passed", "failed", "unknown"))
    told = f"{passes} passed, {fails} failed, {silent} without a status"
    if gates is None:
        return _absent("gate-outcomes", f"nothing could be checked here; agents' own runs: {told}")
    passed, failed, unrun = (gates.statuses.get(name, 0) for name in ("pass", "fail", "not_run"))
    of = passed + failed + unrun
    rows = (("pass", str(passed)), ("fail", str(failed)), ("not run", str(unrun)), ("agents' own runs", told))
    detail = f"{passed} pass, {failed} fail, {unrun} not run; agents' own runs: {told}"
    value = round(100 * passed / of, 1) if of else None
    return _taken("gate-outcomes", value, of, detail, rows, status="known" if of else "not_applicable")


def _claims(row: HabitRow | None, figures: Figures) -> Measure:
    claims = sum(one.claims for one in figures.sessions)
    if row is None or not figures.sessions:
        return _absent("unbacked-claims", "no session was read")
    share = f"{100 * row.count / claims:.0f} % of them" if claims else "no claim was made"
    return _taken("unbacked-claims", row.count, claims, share, (), _weekly("unbacked-claim", figures))


def _serial(row: HabitRow | None, figures: Figures) -> Measure:
    if row is None or not figures.sessions or row.seconds is None:
        return _absent("serial-seconds", "no session tells times")
    worked = sum(one.worked for one in figures.sessions)
    share = f"; {100 * row.seconds / worked:.1f} % of the time" if worked else ""
    detail = f"{counted(row.count, 'run')} of reads{share}"
    return _taken("serial-seconds", row.seconds, round(worked, 1), detail, (), _weekly("sequential-tools", figures))


def _weekly(pattern: PatternId, figures: Figures) -> tuple[tuple[str, float], ...]:
    weeks: dict[str, float] = {}
    for look in figures.looks:
        for violation in look[pattern].violations if pattern in look else ():
            if violation.at is not None:
                weeks[week_of(violation.at)] = weeks.get(week_of(violation.at), 0.0) + 1
    return tuple(sorted(weeks.items()))


def week_of(at: date) -> str:
    """The ISO week of a day or moment, e.g. `2026-W47`."""
    year, week, _ = at.isocalendar()
    return f"{year}-W{week:02}"


def _spend(spend: SpendFigures | None) -> Measure:
    if spend is None:
        return _absent("spend", "costs could not be read")
    unpriced = 100 * spend.unpriced_tokens / spend.tokens if spend.tokens else 0.0
    parts = [f"{unpriced:.1f} % of the tokens unpriced"]
    if spend.unattributed_usd is not None and spend.usd:
        parts.append(f"{100 * spend.unattributed_usd / spend.usd:.1f} % of the dollars in no feature")
    parts += ["a floor: some usage never became final"] if spend.floor else []
    rows = tuple((f"{kind} {name}", str(amount)) for kind, name, amount in spend.dearest)
    taken = _taken("spend", round(spend.usd, 6), spend.tokens, "; ".join(parts), rows, spend.weeks)
    return replace(taken, floor=spend.floor or spend.unpriced_tokens > 0)


def _context(sessions: Sequence[SessionFigures]) -> Measure:
    told = [one for one in sessions if one.context_peak is not None and one.window]
    if not told:
        return _absent("context", "no session tells its context")
    peaks = sorted(100 * (one.context_peak or 0) / one.window for one in told)
    starts = statistics.median(one.context_start or 0 for one in told)
    compactions = sum(one.compactions for one in told)
    detail = f"{starts / 1000:.0f}K tokens at the start, highest peak {peaks[-1]:.0f} %, "
    detail += counted(compactions, "compaction")
    over = sum(1 for peak in peaks if peak >= 87.5)
    rows = (("above 87.5 %", counted(over, "session")), ("compactions", str(compactions)))
    return _taken("context", round(statistics.median(peaks), 1), len(told), detail, rows)


def _delegation(row: HabitRow | None, figures: Figures) -> Measure:
    launched = sum(one.delegations for one in figures.sessions)
    if row is None or not figures.sessions or row.status == "not_run":
        return _absent("over-delegation", "no sub-agent told what it took" if launched else "no session was read")
    detail = f"{row.count} of {launched}" + (f", {row.tokens:,} tokens" if row.tokens else "")
    if row.usd is None:
        return _absent("over-delegation", f"{detail}; what they cost is not known")
    taken = _taken("over-delegation", row.usd, launched, detail, (), _weekly("over-delegation", figures))
    return replace(taken, floor=row.floor)


def _skills(skills: SkillFigures | None) -> Measure:
    if skills is None:
        return _absent("skills", "skills could not be read")
    if not skills.offered:
        return _taken("skills", None, 0, "no skill is installed here", status="not_applicable")
    times = f"loaded {counted(skills.loads, 'time')}"
    detail = f"{times}; listing them costs {skills.listing_tokens:,} tokens a session, estimated"
    rows = tuple((name, f"{counted(loads, 'time')}, {tokens:,} tokens") for name, loads, tokens in skills.dearest)
    return _taken("skills", skills.used, skills.offered, detail, rows)


def _scores(audits: ScoreFigures | None) -> Measure:
    if audits is None or not audits.scores:
        return _absent("persistence-score", "no audit was written yet: cockpit audit --write")
    _, score, worst = audits.scores[-1]
    change = score - audits.scores[-2][1] if len(audits.scores) > 1 else 0.0
    steady = "first" if len(audits.scores) < 2 else "steady" if abs(change) < STEADY else ""
    course = steady or ("better" if change > 0 else "worse")
    detail = f"{course} ({change:+.1f}; ±{STEADY} counts as steady); worst: {worst or 'nothing named'}"
    weeks = tuple((week_of(at), value) for at, value, _ in audits.scores)
    return _taken("persistence-score", score, len(audits.scores), detail, (), weeks)


def _estimates(sessions: Iterable[SessionFigures], expected: EstimateFigures | None) -> Measure:
    tasks = [task for session in sessions for task in session.tasks]
    if not tasks:
        return _absent("estimate-accuracy", "no task changed files")
    near = sum(1 for task in tasks if _near(task))
    ratios = [task.minutes / task.minutes_estimated for task in tasks if task.minutes and task.minutes_estimated]
    files = (statistics.median(task.files for task in tasks), statistics.median(task.files_estimated for task in tasks))
    told = {
        "files": f"{files[0]:g} against {files[1]:g} estimated",
        "minutes": f"{statistics.median(ratios):.1f} times the estimate" if ratios else "not known",
        "dollars": _dollars(tasks, expected),
    }
    detail = "medians of a task: " + ", ".join(f"{name} {words}" for name, words in told.items())
    planned = {
        f"feature {name}": f"{dollars(usd)} so far against {dollars(wanted)} estimated"
        for name, wanted, usd in (expected.planned if expected is not None else ())
    }
    rows = (*told.items(), *planned.items())
    return _taken("estimate-accuracy", round(100 * near / len(tasks), 1), len(tasks), detail, rows)


def _dollars(tasks: Sequence[TaskFigure], expected: EstimateFigures | None) -> str:
    """What tasks cost against what their estimated minutes would cost at the pace of past features."""
    known = [(task.usd, task.minutes_estimated) for task in tasks if task.usd is not None]
    if not known:
        return "not known"
    cost = statistics.median(usd for usd, _ in known)
    if expected is None:
        return f"{dollars(cost)}, their pace could not be read"
    wanted = statistics.median(minutes / 60 * expected.usd_an_hour for _, minutes in known)
    many = expected.features
    by = f"by {counted(many, 'past feature')}" if many else "by the table's pace"
    return f"{dollars(cost)} against {dollars(wanted)} estimated {by}"


def _near(task: TaskFigure) -> bool:
    low, high = sorted((max(1, task.files_estimated), max(1, task.files)))
    return high <= 2 * low
