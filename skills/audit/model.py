"""The words of the audit: issues, categories, the context that all workers share, the result."""

from dataclasses import field
from typing import Literal

from skills.audit.fastapi_lifetime import FastapiRelease
from skills.gates.model import Finding, Severity
from skills.record import record

WorkerStatus = Literal["completed", "not_applicable", "error"]
VerdictName = Literal["PASS", "CONCERNS", "FAIL", "BLOCKED"]
Effort = Literal["S", "M", "L"]
CheckStatus = Literal["passed", "failed", "warning", "skipped"]
SEVERITIES: tuple[Severity, ...] = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO")


@record
class Worker:
    """One of the four: its number, the category that it judges, and its rules in the order of the report."""

    number: int
    category: str
    priority: str
    rules: tuple[str, ...]
    needs_database: bool = True

    @property
    def id(self) -> str:
        """The name of its files and of its envelope: "651-query-efficiency"."""
        return f"{self.number}-{self.category.lower().replace(' ', '-')}"


@record
class Issue:
    """One root cause. `finding.severity` is what it weighs now, `was` what the rule said, `steps` why it was lowered.

    `advisory` is why it is listed without weight ("" where it weighs): planned by a decision, harmless where it stands,
    waived by a comment, or known in the baseline. `merged` are findings that say the same thing (place and rule).
    """

    finding: Finding
    was: Severity
    effort: Effort
    steps: tuple[str, ...] = ()
    advisory: str = ""
    merged: tuple[str, ...] = ()

    @property
    def location(self) -> str:
        """Where it is, `path:line`."""
        return f"{self.finding.path}:{self.finding.line}"


@record
class CheckRow:
    """The answer of one check of a worker."""

    rule: str
    status: CheckStatus
    details: str


@record
class Category:
    """What one worker answered. `score` is None where there is nothing to score; `reason` says why."""

    worker: Worker
    status: WorkerStatus
    score: float | None
    issues: tuple[Issue, ...] = ()
    checks: tuple[CheckRow, ...] = ()
    reason: str = ""

    @property
    def weighing(self) -> tuple[Issue, ...]:
        """The issues that count."""
        return tuple(issue for issue in self.issues if not issue.advisory)

    @property
    def advisories(self) -> tuple[Issue, ...]:
        """The issues that are listed without weight."""
        return tuple(issue for issue in self.issues if issue.advisory)

    def count(self, severity: Severity) -> int:
        """How many issues of a severity count."""
        return sum(issue.finding.severity == severity for issue in self.weighing)


@record
class Technology:
    """One detected technology and the line that says so."""

    name: str
    evidence: str


@record
class Trigger:
    """A database trigger as a migration makes it."""

    table: str
    event: str
    function: str
    channel_name: str
    place: str


@record
class Subscriber:
    """A place that listens to a channel."""

    channel_name: str
    file: str
    line: int
    technology: str


@record
class AuditContext:
    """What all workers share, built once: stack, database configuration, notes, scope."""

    database: tuple[Technology, ...] = ()
    orm: tuple[Technology, ...] = ()
    async_frameworks: tuple[Technology, ...] = ()
    web: tuple[Technology, ...] = ()
    queues: tuple[Technology, ...] = ()
    session: dict[str, tuple[str, str]] = field(default_factory=dict)
    triggers: tuple[Trigger, ...] = ()
    subscribers: tuple[Subscriber, ...] = ()
    scope: str = ""
    decisions: tuple[str, ...] = ()
    app_type: str = "library"
    fastapi: tuple[FastapiRelease, ...] = ()

    @property
    def has_database(self) -> bool:
        """Whether anything shows a database layer."""
        return bool(self.database or self.orm)

    @property
    def technologies(self) -> tuple[str, ...]:
        """Everything that was detected, by name."""
        groups = (self.orm, self.database, self.async_frameworks, self.web, self.queues)
        return tuple(dict.fromkeys(one.name for group in groups for one in group))


@record
class LogRow:
    """One row of the results log."""

    date: str
    score: float
    status: str
    delta: str
    key_finding: str
    commit: str


@record
class AuditResult:
    """The answer of an audit."""

    verdict: VerdictName
    overall: float | None
    worst: Category | None
    categories: tuple[Category, ...]
    context: AuditContext
    trend: str
    why: str
    questions: tuple[str, ...] = ()
    files: int = 0
    project: str = ""
    commit: str = ""
    before: LogRow | None = None

    @property
    def weighing(self) -> tuple[Issue, ...]:
        """The issues of all categories that count, worst first, then by place."""
        found = [issue for category in self.categories for issue in category.weighing]
        return tuple(sorted(found, key=issue_order))

    def category_of(self, issue: Issue) -> Category:
        """The category in which an issue stands."""
        return next(category for category in self.categories if issue in category.issues)


def issue_order(issue: Issue) -> tuple[int, str, int, str]:
    """Worst first, then by place and rule."""
    finding = issue.finding
    return SEVERITIES.index(finding.severity), finding.path, finding.line, finding.rule
