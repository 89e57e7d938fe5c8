"""The lines of the audit screen: progress of the workers, scores, issues grouped by category."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from cockpit.audit.models import AuditProgress, WorkerProgress
from cockpit.plain_text import plain_text
from skills.audit.model import AuditResult, Category, Issue
from skills.audit.scoring import band_of, next_step
from skills.gates.model import Severity
from skills.spending.amount import percent
from widgets.finding_lines import SEVERITY
from widgets.lines import Line, Span, crop, crop_path, fit, gauge, line, next_lines, pad, spread, width_of

VERDICT: dict[str, Span] = {
    "PASS": ("✓ PASS", "good"),
    "CONCERNS": ("! CONCERNS", "warn"),
    "FAIL": ("✖ FAIL", "bad"),
    "BLOCKED": ("? BLOCKED", "bad"),
}
_SHORT: dict[Severity, str] = {"CRITICAL": "crit", "HIGH": "high", "MEDIUM": "med", "LOW": "low", "INFO": "info"}
_NAME = 24
_WIDE = 72
_NARROW = 50
_ROOMY = 96


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One line of the list: the heading of a category or, where it is narrow, of a rule in it, an issue, or a note."""

    key: Hashable
    category: Category | None = None
    issue: Issue | None = None
    note: str = ""
    rule: str = ""


def progress_lines(progress: AuditProgress, width: int) -> list[Line]:
    """How far reading and each worker are."""
    name = min(_NAME, max(8, width - 22))
    bar = max(4, min(30, width - name - 16))
    reading = progress.read < 1
    rows = [
        (
            ("▶ " if reading else "✓ ", "accent" if reading else "good"),
            (pad(_title("Reading the code", width), name), "text"),
            *gauge(progress.read, bar, "accent" if reading else "good"),
            (f" {percent(progress.read):>5}", "muted"),
        )
    ]
    return [*rows, *(_worker_line(one, name, bar, width) for one in progress.workers)]


def _worker_line(one: WorkerProgress, name: int, bar: int, width: int) -> Line:
    glyph, token = {
        "waiting": ("·", "faint"),
        "running": ("▶", "accent"),
        "completed": ("✓", "good"),
        "not_applicable": ("–", "faint"),
        "error": ("✖", "bad"),
    }[one.stage]
    of = len(one.worker.rules)
    score = "" if one.score is None else f"  {one.score:.1f}"
    said = {"not_applicable": "  does not apply", "error": f"  {plain_text(one.note, 100)}", "waiting": "  waits"}
    loud = {"error": token, "waiting": "faint"}.get(one.stage, "strong")
    return fit(
        (
            (f"{glyph} ", token),
            (pad(_title(one.worker.category, width), name), "text" if one.stage != "waiting" else "muted"),
            *gauge(one.done / of, bar, token),
            (f" {one.done}/{of}", "muted"),
            (said.get(one.stage, score), loud),
        ),
        width,
    )


def head_lines(result: AuditResult, width: int, writes: str = "x") -> list[Line]:
    """Verdict, overall score and trend, what to do first, then one line a category with the worst one marked. `writes`
    is the key that writes the report."""
    glyph, token = VERDICT[result.verdict]
    score = "N/A" if result.overall is None else f"{result.overall:.1f}"
    band = "" if result.overall is None or width < _WIDE else f" · {band_of(result.overall)}"
    left = line(
        (glyph, token),
        ("  ", "text"),
        (score, "strong"),
        (" of 10" if score != "N/A" else "", "muted"),
        (band, "muted"),
    )
    why = f"  {result.why}" if width >= _WIDE else ""
    rows = [spread((*left, (why, "text")), line((_trend(result, width), "muted")), width)]
    rows += next_lines(next_step(result, writes), width, most=2 if width >= _NARROW else 3)
    rows += [_score_line(category, category is result.worst, width) for category in result.categories]
    return rows


def _title(category: str, width: int) -> str:
    """A category's name, its first word where there is no room."""
    return category if width >= _NARROW else category.partition(" ")[0]


def _trend(result: AuditResult, width: int) -> str:
    if result.before is None:
        return "first audit on record" if width >= _ROOMY else "first audit"
    arrow = {"improving": "↑", "declining": "↓"}.get(result.trend, "→")
    since = f" since {plain_text(result.before.date, 10)}" if width >= 60 else ""
    return f"{arrow} {result.trend} from {result.before.score:.1f}{since}"


def _score_line(category: Category, worst: bool, width: int) -> Line:
    name = min(_NAME, max(8, width - 20))
    bar = max(4, min(30, width - name - 46)) if width >= _WIDE else 6
    if category.score is None:
        word = "error" if category.status == "error" else "n/a"
        reason = plain_text(category.reason, 200)
        token = "bad" if category.status == "error" else "faint"
        left = line(
            (pad(_title(category.worker.category, width), name), token), (f" {pad(word, 5, right=True)}  ", token)
        )
        return fit((*left, (reason, "muted")), width)
    token = "bad" if category.score < 4 else "warn" if category.score < 8 else "good"
    mark = "◂ worst" if width >= _NARROW else "◂"
    marked = ((mark, "accent"),) if worst and category.score < 10 else ()
    head = (
        (pad(_title(category.worker.category, width), name), "strong" if worst else "text"),
        (f" {category.score:5.1f}  ", token),
        *gauge(category.score / 10, bar, token),
        ("  ", "text"),
    )
    whole = (*head, *_counts(category, short=False), *marked)
    if width >= _WIDE and width_of(whole) > width:
        whole = (*head, *_counts(category, short=True), *marked)
    return fit(whole if width >= _WIDE else (*head, *marked), width)


def _counts(category: Category, *, short: bool) -> Line:
    return tuple(
        (f"{category.count(severity)} {_SHORT[severity] if short else severity.lower()} ", SEVERITY[severity][1])
        for severity in _SHORT
        if category.count(severity)
    )


def rows_of(result: AuditResult, width: int = _NARROW) -> list[AuditRow]:
    """Every issue under its category: what weighs first, then what does not, then open questions. Where a line has no
    room for rule and place, issues stand under their rule, the heaviest first."""
    rows: list[AuditRow] = []
    for category in result.categories:
        own = (*category.weighing, *category.advisories)
        if own:
            rows.append(AuditRow(category.worker.id, category))
            rows += _by_rule(category, own) if width < _NARROW else [_issue_row(category, one) for one in own]
    if result.questions:
        rows.append(AuditRow("questions", note="Open questions"))
        rows += [
            AuditRow(("question", place), note=plain_text(text, 300)) for place, text in enumerate(result.questions)
        ]
    return rows


def _issue_row(category: Category, issue: Issue) -> AuditRow:
    return AuditRow((category.worker.id, issue.location, issue.finding.rule), issue=issue)


def _by_rule(category: Category, issues: Sequence[Issue]) -> list[AuditRow]:
    rows: list[AuditRow] = []
    for rule in dict.fromkeys(one.finding.rule for one in issues):
        own = [_issue_row(category, one) for one in issues if one.finding.rule == rule]
        rows += [AuditRow((category.worker.id, rule), rule=rule, note=f"{len(own):,}"), *own]
    return rows


def row_line(row: AuditRow, width: int, longest: int = 44) -> Line:
    """One row in `width` cells; `longest` is that of the places that stand below each other."""
    if row.category is not None:
        return _heading(row.category, width)
    if row.rule:
        return spread(line("  ", (plain_text(row.rule), "muted")), line((row.note, "faint")), width)
    if row.issue is None:
        head = row.key == "questions"
        return fit(line(("" if head else "  ", "text"), (row.note, "strong" if head else "muted")), width)
    return _issue_line(row.issue, width, longest)


def _heading(category: Category, width: int) -> Line:
    score = "" if category.score is None else f" {category.score:.1f}"
    more = f" · {len(category.advisories)} without weight" if category.advisories and width >= 60 else ""
    count = len(category.weighing)
    said = f" · {count} {'issue' if count == 1 else 'issues'}{more}" if category.status == "completed" else ""
    return fit(line((category.worker.category, "strong"), (score, "accent"), (said, "faint")), width)


def _issue_line(issue: Issue, width: int, longest: int) -> Line:
    finding = issue.finding
    glyph, token = SEVERITY[finding.severity]
    dim = bool(issue.advisory)
    wide = width >= _WIDE
    where, look = plain_text(issue.location), "faint" if dim else "text"
    if width < _NARROW:  # its rule stands above
        return ((f"  {glyph} ", "faint" if dim else token), (crop_path(where, width - 4), look))
    place = max(12, min(44, width // 3, longest + 1)) if wide else max(12, width * 9 // 20)
    parts: list[Span] = [(f"  {glyph} ", "faint" if dim else token)]
    word = finding.severity.lower() if width >= 100 else _SHORT[finding.severity]
    parts.append((pad(word, 9 if width >= 100 else 5), "faint" if dim else token))
    parts.append((pad(crop_path(where, place), place), look))
    rule = 27 if width >= 100 else max(10, min(24, width - place - 6))
    parts.append((" ", "text"))
    parts.append((pad(plain_text(finding.rule), rule), "muted"))
    if wide:
        said = issue.advisory if dim else finding.message
        lowered = f"↓ was {issue.was.lower()} · " if issue.was != finding.severity else ""
        parts += [(f" {lowered}", "info"), (crop(plain_text(said, 300), max(0, width)), "faint" if dim else "text")]
    return fit(tuple(parts), width)


def issue_details(issue: Issue) -> list[Line]:
    """What the audit adds to a finding: how it came to its weight, and when it is mended."""
    rows: list[Line] = []
    if issue.advisory:
        rows.append(line(("without weight ", "faint"), (plain_text(issue.advisory, 300), "warn")))
    rows += [line(("weight  ", "faint"), (plain_text(step, 300), "info")) for step in issue.steps]
    if issue.finding.also:
        also = ", ".join(issue.finding.also)
        rows.append(line(("also    ", "faint"), (plain_text(f"{also}: one root cause, counted once", 300), "muted")))
    rows.append(line(("effort  ", "faint"), (issue.effort, "text"), ("   static, unmeasured", "faint")))
    return rows
