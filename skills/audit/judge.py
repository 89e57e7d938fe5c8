"""One worker's work: its checks over what was read, then the second look, the merging and the score."""

from collections.abc import Callable, Sequence

from skills.audit.context_filter import Decision, Lines, judged
from skills.audit.dedupe import merged
from skills.audit.fastapi_lifetime import FastapiRelease
from skills.audit.model import Category, CheckRow, Issue, Worker, issue_order
from skills.audit.scoring import score_of
from skills.gates import RULES
from skills.gates.model import Check, Finding
from skills.gates.project import Project
from skills.gates.verdict import checks_of, findings_of

WITHOUT_DATABASE = frozenset({"event-channel-consistency"})
"""Rules of the database's workers that ask for no database: a bus has channels too."""
Marked = Callable[[tuple[Finding, ...]], tuple[Finding, ...]]
_WORDS = {"pass": "passed", "not_applicable": "skipped", "not_run": "warning"}


def run_worker(
    worker: Worker,
    project: Project,
    *,
    covers: Callable[[Finding], bool],
    marked: Marked,
    decisions: Sequence[Decision] = (),
    lines_of: Lines = lambda path: (),
    tell: Callable[[int], None] = lambda done: None,
    has_database: bool = True,
    has_code: bool = True,
    fastapi: tuple[FastapiRelease, ...] = (),
) -> Category:
    """The category that a worker answers. `covers` says which findings are asked for, `marked` sets their state against
    the baseline, `tell` is called with the number of checks that are done, `fastapi` is what the
    project says of FastAPI's release."""
    missing = "" if has_code else "no Python file was found"
    without: tuple[str, ...] = ()
    if not missing and worker.needs_database and not has_database:
        missing = "no database layer was found"
        without = tuple(rule for rule in worker.rules if rule in WITHOUT_DATABASE and project.candidates(rule))
    if missing and not without:
        rows = tuple(CheckRow(rule, "skipped", missing) for rule in worker.rules)
        return Category(worker, "not_applicable", None, checks=rows, reason=missing)
    found: list[Finding] = []
    checks: list[Check] = []
    for number, rule in enumerate(worker.rules):
        reason = missing if missing and rule not in without else RULES[rule].applies(project)
        active = {rule: RULES[rule]} if reason is None else {}
        own = [finding for finding in findings_of(project, active) if covers(finding)]
        checks += checks_of(own, {rule: reason}, project)
        found += own
        tell(number + 1)
    issues = merged(judged(finding, decisions, lines_of, fastapi) for finding in marked(tuple(found)))
    weighing = [issue.finding.severity for issue in issues if not issue.advisory]
    rows = tuple(_row(check, issues) for check in checks)
    return Category(worker, "completed", score_of(weighing), tuple(sorted(issues, key=issue_order)), rows)


def failed(worker: Worker, problem: str) -> Category:
    """The category of a worker that could not end its work."""
    rows = tuple(CheckRow(rule, "skipped", "the worker failed") for rule in worker.rules)
    return Category(worker, "error", None, checks=rows, reason=problem)


def _row(check: Check, issues: Sequence[Issue]) -> CheckRow:
    own = [issue for issue in issues if issue.finding.rule == check.rule and not issue.advisory]
    also = sum(check.rule in issue.finding.also for issue in issues)
    if own:
        heavy = any(issue.finding.severity in ("CRITICAL", "HIGH", "MEDIUM") for issue in own)
        count = f"{len(own)} issue" if len(own) == 1 else f"{len(own)} issues"
        return CheckRow(check.rule, "failed" if heavy else "warning", count)
    status = _WORDS.get(check.status, "passed")
    details = check.reason or (f"counted with {also} other" if also and check.status == "fail" else "nothing found")
    return CheckRow(check.rule, status, details)  # type: ignore[arg-type]
