"""The report of an audit as Markdown: the coordinator's, one for each worker, and the task."""

import re
from collections.abc import Iterable

from skills.audit.dedupe import note_lines
from skills.audit.documents import acceptance_of, severity_counts
from skills.audit.model import SEVERITIES, AuditResult, Category, Issue, Technology
from skills.audit.practices import sources_for
from skills.audit.scoring import BEST, band_of
from skills.audit.workers import EFFORT_HOURS, PRINCIPLES
from skills.counted import counted

TITLE = "Persistence & Performance Audit"
_SHOWN = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO")
_TEAM = re.compile(r"^[^\w\n]*(?:linear\s+)?team(?:\s+(?:id|key|name))?[^\w:|]*[:|]\W*([\w][\w .&-]*)", re.I | re.M)


def cell(text: object) -> str:
    """Text for one cell of a table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """A Markdown table."""
    names = list(head)
    lines = [f"| {' | '.join(names)} |", f"|{'|'.join('---' for _ in names)}|"]
    return [*lines, *(f"| {' | '.join(cell(value) for value in row)} |" for row in rows)]


def audit_report(result: AuditResult, date: str, task: str = "") -> str:
    """The coordinator's report. `task` is the path of the task file, "" where none was asked for."""
    lines = [
        f"## {TITLE} Report - {date}",
        "",
        "### Executive Summary",
        "",
        summary_of(result),
        "",
        "### Compliance Score",
        "",
        *table(("Category", "Score", "Notes"), [*(_score_row(one) for one in result.categories), _overall_row(result)]),
        "",
        f"Verdict: **{result.verdict}** ({result.why}). Trend: {since_before(result)}.",
        "",
        "### Severity Summary",
        "",
        *table(("Severity", "Count"), _severities(result)),
        "",
        "### Findings by Category",
        "",
        *_by_category(result),
        "### Recommended Actions (Priority-Sorted)",
        "",
        *_actions(result),
        "",
        "### Sources Consulted",
        "",
        *(
            [f"- {what}: {page}" for what, page in sources_for(result.context.technologies)]
            or ["- none: no technology was detected"]
        ),
        "",
        "### Notes",
        "",
        *_notes(result),
        "",
        "### Definition of Done",
        "",
        *definition_of_done(result, task),
    ]
    return "\n".join(lines) + "\n"


def summary_of(result: AuditResult) -> str:
    """Two or three sentences on the whole."""
    if result.verdict == "BLOCKED":
        return f"The audit could not be finished: {result.why}. What the other workers found stands below."
    if result.overall is None:
        reasons = dict.fromkeys(category.reason for category in result.categories if category.reason)
        return f"Nothing here is a matter of this audit: {'; '.join(reasons)}."
    open_issues = [issue for issue in result.weighing if issue.finding.severity != "INFO"]
    score = f"{result.overall:.1f} of 10 ({band_of(result.overall)})"
    first = (
        f"Over {counted(result.files, 'file')} the audit scores {score}; the verdict is {result.verdict}: {result.why}."
    )
    if result.worst is None or not open_issues:
        return f"{first} Nothing weighs against it."
    worst = f"{result.worst.worker.category} is the weakest category with {result.worst.score:.1f}."
    top = open_issues[0]
    return f"{first} {worst} First comes {top.finding.rule} at {top.location}: {top.finding.message}."


def _score_row(category: Category) -> tuple[str, str, str]:
    if category.status == "error":
        return category.worker.category, "error", category.reason
    if category.score is None:
        return category.worker.category, "N/A", category.reason
    counts = severity_counts(category)
    said = ", ".join(f"{counts[name.lower()]} {name.lower()}" for name in _SHOWN if counts[name.lower()]) or "no issue"
    more = f"; {len(category.advisories)} without weight" if category.advisories else ""
    return category.worker.category, f"{category.score:.1f}/10", f"{said}{more}; {band_of(category.score)}"


def _overall_row(result: AuditResult) -> tuple[str, str, str]:
    if result.overall is None:
        return "**Overall**", "**N/A**", ""
    below = result.worst is not None and result.worst.score != BEST
    worst = f"worst: {result.worst.worker.category} {result.worst.score:.1f}" if below and result.worst else ""
    return "**Overall**", f"**{result.overall:.1f}/10**", worst


def since_before(result: AuditResult) -> str:
    """How the score stands against the audit before."""
    if result.before is None:
        return "baseline, the first audit that is on record"
    return f"{result.trend} against {result.before.score:.1f} on {result.before.date}"


def _total(result: AuditResult, severity: str) -> int:
    return sum(issue.finding.severity == severity for issue in result.weighing)


def _by_category(result: AuditResult) -> list[str]:
    lines: list[str] = []
    for number, category in enumerate(result.categories, 1):
        lines += [f"#### {number}. {category.worker.category}", ""]
        lines += [*_category(category), ""]
    return lines


def _category(category: Category) -> list[str]:
    if category.status != "completed":
        return [f"{category.status.replace('_', ' ')}: {category.reason}"]
    head = ("Severity", "Location", "Issue", "Recommendation", "Effort")
    lines = table(head, [_issue_row(issue) for issue in category.weighing]) if category.weighing else ["No issue."]
    for issue in category.weighing:
        lines += _details(issue)
    if category.advisories:
        lines += ["", "Without weight:", ""]
        names = ("Severity", "Location", "Issue", "Why it does not weigh")
        lines += table(names, [(one.was, one.location, _said(one), one.advisory) for one in category.advisories])
    return lines


def _issue_row(issue: Issue) -> tuple[str, str, str, str, str]:
    finding = issue.finding
    return finding.severity, issue.location, _said(issue), finding.help, issue.effort


def _said(issue: Issue) -> str:
    return f"{issue.finding.rule}: {issue.finding.message}"


def _details(issue: Issue) -> list[str]:
    """The chain behind a critical or high issue, and behind every one whose severity was changed."""
    finding = issue.finding
    if finding.severity not in ("CRITICAL", "HIGH") and not issue.steps:
        return []
    lines = ["", f"- {issue.location} {finding.rule} ({finding.confidence}, static, unmeasured)"]
    lines += [f"  - {cell(link.path)}:{link.line} {cell(link.text)}" if link.line else f"  - {cell(link.path)} "
                                        f"{cell(link.text)}"
              for link in finding.evidence]  # fmt: skip
    if finding.also:
        lines.append(f"  - also: {', '.join(finding.also)} (one root cause, counted once)")
    lines.append(f"  - accepted when {cell(acceptance_of(issue))}")
    return lines


def _actions(result: AuditResult) -> list[str]:
    rows = [
        (issue.finding.severity, result.category_of(issue).worker.category, issue.location, _said(issue),
         issue.finding.help, issue.effort)
        for issue in result.weighing
        if issue.finding.severity != "INFO"
    ]  # fmt: skip
    if not rows:
        return ["Nothing to do."]
    return table(("Priority", "Category", "Location", "Issue", "Recommendation", "Effort"), rows)


def _severities(result: AuditResult) -> list[tuple[str, int]]:
    """How many of each severity; infos, which lower no score, only where there are some."""
    counts = [(name, _total(result, name)) for name in _SHOWN]
    return [(name.capitalize(), count) for name, count in counts if count or name != "INFO"]


def _notes(result: AuditResult) -> list[str]:
    issues = [issue for category in result.categories for issue in category.issues]
    lines = ["- Every finding is static: read from the code, not measured."]
    lines.append("- Effort: " + ", ".join(f"{name} {hours}" for name, hours in EFFORT_HOURS.items()) + ".")
    lines += [f"- Counted once: {cell(note)}" for note in note_lines(issues)]
    lines += [f"- Open: {cell(question)}" for question in result.questions]
    return lines


def definition_of_done(result: AuditResult, task: str) -> list[str]:
    """Ten lines, each done or not, with what shows it."""
    context = result.context
    done = all(category.status != "error" for category in result.categories)
    options = ", ".join(f"{name}={value}" for name, (value, _) in sorted(context.session.items()) if value != "called")
    sources = sources_for(context.technologies)
    rows: list[tuple[bool, str, str]] = [
        (bool(context.technologies), "Stack discovered",
         _stack(context.database, context.orm, context.async_frameworks)),
        (True, "Database details read", f"{len(context.triggers)} triggers, {len(context.subscribers)} listeners, "
         f"options {options or 'none written out'}"),
        (bool(sources), "Practices of each technology at hand", f"{len(sources)} notes"),
        (True, "One context built and shared by all workers", context.scope or "whole project"),
        (done, "Four workers ran side by side and ended", ", ".join(
            f"{one.worker.number} {one.status.replace('_', ' ')}" for one in result.categories)),
        (True, "Findings together, worst first", f"{len(result.weighing)} that weigh"),
        (result.overall is not None, "Scores for each category and overall",
         "N/A" if result.overall is None else f"{result.overall:.1f}"),
        (True, "Summary in the report", "Executive Summary"),
        (bool(task), "One task under Epic 0", task or "not asked for: `--task` writes it"),
        (bool(sources), "Sources named with their addresses", f"{len(sources)} under Sources Consulted"),
    ]  # fmt: skip
    return [f"- [{'x' if ok else ' '}] {what}: {cell(shown)}" for ok, what, shown in rows]


def _stack(*groups: tuple[Technology, ...]) -> str:
    return ", ".join(f"{one.name} ({one.evidence})" for group in groups for one in group) or "nothing detected"


def worker_report(category: Category, result: AuditResult) -> str:
    """The report of one worker, with the block that other programs read."""
    worker, counts = category.worker, severity_counts(category)
    meta = {
        "worker": worker.id,
        "category": worker.category,
        "domain": result.context.scope or "global",
        "scan_path": result.context.scope or ".",
        "score": "N/A" if category.score is None else f"{category.score:.1f}",
        "total_issues": len(category.weighing),
        **{name: counts[name] for name in ("critical", "high", "medium", "low")},
        "status": {"not_applicable": "skipped"}.get(category.status, category.status),
    }
    rows = [
        (
            one.finding.severity,
            one.location,
            _said(one),
            PRINCIPLES.get(one.finding.rule, ""),
            one.finding.help,
            one.effort,
        )
        for one in sorted(category.weighing, key=lambda one: SEVERITIES.index(one.finding.severity))
    ]
    lines = [
        f"# {worker.category}",
        "",
        "<!-- AUDIT-META",
        *(f"{name}: {value}" for name, value in meta.items()),
        "-->",
        "",
        "## Checks",
        "",
        *table(("Check", "Status", "Details"), [(row.rule, row.status, row.details) for row in category.checks]),
        "",
        "## Findings",
        "",
        *table(("Severity", "Location", "Issue", "Principle", "Recommendation", "Effort"), rows),
    ]
    return "\n".join(lines) + "\n"


def team_of(board: str) -> str:
    """The team that a kanban board names, "" where it names none."""
    match = _TEAM.search(board)
    return match[1].strip() if match else ""


def priority_of(result: AuditResult) -> str:
    """The priority of the task, from the highest severity."""
    names = {issue.finding.severity for issue in result.weighing}
    words = (("CRITICAL", "urgent"), ("HIGH", "high"), ("MEDIUM", "normal"))
    return next((word for name, word in words if name in names), "low")


def task_title(date: str) -> str:
    """The title of the task; `date` is that of the audit."""
    return f"{TITLE}: [{date}]"


LABELS = ("refactoring", "performance", "audit")


def task_file(result: AuditResult, date: str, team: str, report: str) -> str:
    """The one task of an audit, under Epic 0."""
    head = [
        f"# {task_title(date)}",
        "",
        "**Epic:** 0",
        f"**Team:** {team or 'none named'}",
        f"**Labels:** {', '.join(LABELS)}",
        f"**Priority:** {priority_of(result)}",
        "**Status:** Todo",
        "",
    ]
    boxes = [
        f"- [ ] {issue.finding.severity} {issue.location} {_said(issue)} ({issue.effort}); accepted when "
        f"{acceptance_of(issue)}"
        for issue in result.weighing
        if issue.finding.severity != "INFO"
    ]
    return "\n".join([*head, "## Acceptance", "", *(boxes or ["- [ ] nothing to do"]), "", report])
