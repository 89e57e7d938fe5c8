"""Score, bands, worst category, verdict and trend, as formulas."""

from collections.abc import Iterable, Mapping

from skills.audit.model import AuditResult, Category, VerdictName
from skills.gates.model import Severity

WEIGHTS: Mapping[Severity, float] = {"CRITICAL": 2.0, "HIGH": 1.0, "MEDIUM": 0.5, "LOW": 0.2, "INFO": 0.0}
BEST = 10.0
BANDS: tuple[tuple[float, str], ...] = (
    (10.0, "none needed"),
    (8.0, "low priority"),
    (6.0, "next sprint"),
    (4.0, "prioritise"),
    (0.0, "immediate"),
)
"""(from this score on, how urgent it is), best first; each band reaches up to the one before it."""
TREND_STEP = 0.3


def penalty_of(severities: Iterable[Severity]) -> float:
    """2 for each critical issue, 1 for a high one, 0.5 for a medium one, 0.2 for a low one."""
    return round(sum(WEIGHTS[severity] for severity in severities), 4)


def score_of(severities: Iterable[Severity]) -> float:
    """10 less the penalty, 0 at least, with one decimal."""
    return round(max(0.0, BEST - penalty_of(severities)), 1)


def overall_of(categories: Iterable[Category]) -> float | None:
    """The mean of the categories that have a score, with one decimal; None where none has."""
    scores = [category.score for category in categories if category.score is not None]
    return round(sum(scores) / len(scores), 1) if scores else None


def worst_of(categories: Iterable[Category]) -> Category | None:
    """The category with the lowest score; the first one of equals."""
    scored = [category for category in categories if category.score is not None]
    return min(scored, key=lambda category: category.score or 0.0) if scored else None


def band_of(score: float) -> str:
    """How urgent a score is."""
    return next(words for least, words in BANDS if score >= least)


def verdict_of(categories: Iterable[Category], unjudged: int = 0) -> tuple[VerdictName, str]:
    """The verdict and why: BLOCKED where a worker failed, FAIL for a critical issue that does not wait for a look,
    CONCERNS for high and medium ones and for files that could not be judged, else PASS."""
    known = list(categories)
    failed = [category.worker.category for category in known if category.status == "error"]
    if failed:
        return "BLOCKED", f"{', '.join(failed)} could not be judged"
    if known and all(category.status == "not_applicable" for category in known):
        return "PASS", "nothing here is a matter of the audit"
    issues = [issue for category in known for issue in category.weighing]
    critical = sum(one.finding.severity == "CRITICAL" and one.finding.confidence != "needs_context" for one in issues)
    if critical:
        return "FAIL", f"{critical} critical {'issue' if critical == 1 else 'issues'}"
    counts = {name: sum(one.finding.severity == name for one in issues) for name in ("CRITICAL", "HIGH", "MEDIUM")}
    said = [f"{count} {name.lower()}" for name, count in counts.items() if count]
    if said:
        return "CONCERNS", " and ".join(said)
    if unjudged:
        return "CONCERNS", f"{unjudged} {'file' if unjudged == 1 else 'files'} could not be judged"
    return "PASS", "no critical, high or medium issue"


def trend_of(score: float | None, before: float | None) -> tuple[str, str]:
    """(trend, delta) against the score of the run before: "improving" and "declining" beyond ±0.3."""
    if before is None or score is None:
        return "baseline", "N/A"
    delta = round(score - before, 1)
    word = "improving" if delta > TREND_STEP else "declining" if delta < -TREND_STEP else "stable"
    return word, f"{delta:+.1f}"


def next_step(result: AuditResult, writes: str = "--write") -> str:
    """What to do first, in a few words. `writes` is what keeps the report where the person is."""
    broken = next((one for one in result.categories if one.status == "error"), None)
    if broken is not None:
        return f"find out why {broken.worker.category} failed: {broken.reason}"
    if result.weighing:
        top = result.weighing[0]
        return f"{top.finding.rule} at {top.location}: {top.finding.help.partition('. ')[0].rstrip('.')}"
    if result.questions:
        return result.questions[0]
    if result.overall is None:
        return "nothing: the audit reads Python files, above all those that use a database"
    return f"nothing weighs: {writes} keeps the report, so that the next audit has a trend"
