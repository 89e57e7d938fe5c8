"""One audit: the findings engine reads the code, one context is built, four workers judge side by side."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from cockpit.audit.models import AuditProgress, WorkerProgress
from cockpit.audit.sources import decisions_of, releases_in, rows_of, texts_of
from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.files import read_regular, source_lines
from cockpit.findings.once import CheckRequest, make_project
from cockpit.findings.options import options_of
from cockpit.findings.parts import Narrow, part_of
from cockpit.findings.pool import Pool, pool_of_check
from cockpit.findings.project import Project
from cockpit.git_command import GitFailed, git
from cockpit.plain_text import plain_text
from cockpit.repository import find_repository
from skills.audit.context_filter import Decision
from skills.audit.discover import build_context
from skills.audit.judge import failed, run_worker
from skills.audit.model import AuditContext, AuditResult, Category, Worker
from skills.audit.scoring import overall_of, trend_of, verdict_of, worst_of
from skills.audit.workers import WORKERS
from skills.gates.engine.roles import is_test_path
from skills.gates.model import FileReport, Finding
from skills.gates.project import Project as Facts
from skills.record import record

Tell = Callable[[AuditProgress], None]


@record
class AuditRequest:
    """What an audit is asked: the part that is judged (relative to the root, "" all of it), the baseline as in
    `CheckRequest`, and whether kept reports are used."""

    scope: str = ""
    only_paths: bool = False
    baseline: str | None = ""
    use_cache: bool = True
    isolated: bool = False


class _Board:
    """The progress of all workers; every change is told."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self.state = AuditProgress(0.0, tuple(WorkerProgress(worker) for worker in WORKERS))

    def read(self, share: float) -> None:
        with self._lock:
            self.state = replace(self.state, read=share)
            self._tell(self.state)

    def change(self, worker: Worker, **values: object) -> None:
        with self._lock:
            rows = tuple(replace(one, **values) if one.worker is worker else one for one in self.state.workers)  # type: ignore[arg-type]
            self.state = replace(self.state, workers=rows)
            self._tell(self.state)


def audit(
    root: Path,
    config: Config,
    request: AuditRequest,
    *,
    tell: Tell = lambda progress: None,
    pool: Pool | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> AuditResult:
    """Audit a project. Without `pool` worker processes are forked and ended (only before any thread exists).

    Raises `CannotAnswer` where the baseline cannot be read, and where it was cancelled.
    """
    board = _Board(tell)
    project = _read(root, config, request, pool, board, cancelled)
    scope = part_of((request.scope,)) if request.scope else None
    reports = list(project.reports.values())
    facts = Facts(reports, project.manifests.evidence, project.options)
    facts.models  # noqa: B018 - built once, before the workers ask for it side by side
    decisions = decisions_of(root)
    texts = texts_of(root, project.reports, project.scope.manifests)
    names = tuple(dict.fromkeys(decision.name for decision in decisions))
    manifests = project.scope.manifests if "fastapi" in facts.dependencies else ()
    releases = releases_in(root, manifests) if manifests else {}
    context = build_context(facts, texts, scope=request.scope, decisions=names, releases=releases)
    if cancelled():
        raise CannotAnswer("the audit was cancelled")
    judge = _Judge(project, facts, reports, scope, decisions, context, board)
    with ThreadPoolExecutor(len(WORKERS), thread_name_prefix="audit") as threads:
        categories = tuple(threads.map(judge.category, WORKERS))
    unread = _unread(reports, scope)
    return _result(root, project, categories, context, unread, scope)


def _read(
    root: Path, config: Config, request: AuditRequest, pool: Pool | None, board: _Board, cancelled: Callable[[], bool]
) -> Project:
    options = options_of(config, select=("audit",), ignore=(), isolated=request.isolated)
    check = CheckRequest(
        options=options,
        paths=(request.scope,) if request.scope else (),
        only_paths=request.only_paths,
        baseline=request.baseline,
        use_cache=request.use_cache,
    )
    own = pool_of_check() if pool is None else None
    try:
        project = make_project(root, config, check, own or pool or Pool(), in_process=pool is None)
        for share in project.scan():
            board.read(share)
            if cancelled():
                raise CannotAnswer("the audit was cancelled")
    finally:
        if own is not None:
            own.close()
    board.read(1.0)
    return project


class _Judge:
    """What the workers share, and one call for each."""

    def __init__(
        self,
        project: Project,
        facts: Facts,
        reports: Sequence[FileReport],
        scope: Narrow | None,
        decisions: Sequence[Decision],
        context: AuditContext,
        board: _Board,
    ) -> None:
        self.project, self.facts, self.reports, self.scope = project, facts, reports, scope
        self.decisions, self.context, self.board = decisions, context, board
        self._lines = lru_cache(maxsize=256)(self._read_lines)

    def category(self, worker: Worker) -> Category:
        """What one worker answers. One that raises is an error of its own; the others go on."""
        self.board.change(worker, stage="running")
        try:
            found = run_worker(
                worker,
                self.facts,
                covers=self._covers,
                marked=lambda findings: self.project.baseline.marked(findings, self._still_there),
                decisions=self.decisions,
                lines_of=self._lines,
                tell=lambda done: self.board.change(worker, done=done),
                has_database=self.context.has_database,
                fastapi=self.context.fastapi,
                has_code=any(self.scope is None or self.scope.covers(report.path) for report in self.reports),
            )
        except Exception as problem:
            found = failed(worker, plain_text(f"{type(problem).__name__}: {problem}", 200))
        self.board.change(worker, stage=found.status, done=len(worker.rules), score=found.score, note=found.reason)
        return found

    def _covers(self, finding: Finding) -> bool:
        return self.scope is None or self.scope.covers(finding.path)

    def _still_there(self, path: str) -> set[str]:
        report = self.project.reports.get(path)
        return {candidate.fingerprint for candidate in report.candidates} if report is not None else set()

    def _read_lines(self, path: str) -> Sequence[str]:
        try:
            return source_lines(read_regular(self.project.root / path))
        except OSError:
            return ()


def _unread(reports: Sequence[FileReport], scope: Narrow | None) -> list[str]:
    """Files that could not be read, with the reason: production code, and migrations, which may hold triggers."""
    return [
        f"{plain_text(report.path, 200)}:{report.problem.line}: {plain_text(report.problem.message, 120)}"
        for report in reports
        if report.problem is not None and not is_test_path(report.path) and (scope is None or scope.covers(report.path))
    ]


def _result(
    root: Path,
    project: Project,
    categories: tuple[Category, ...],
    context: AuditContext,
    unread: list[str],
    scope: Narrow | None,
) -> AuditResult:
    rows, _ = rows_of(root)
    before = rows[-1] if rows else None
    overall = overall_of(categories)
    verdict, why = verdict_of(categories, len(unread))
    trend, _ = trend_of(overall, before.score if before is not None else None)
    shares = [f"{row.rule}: {row.details}" for one in categories for row in one.checks if row.status == "warning"
              and "the rule failed" in row.details]  # fmt: skip
    questions = [f"could not be judged: {name}" for name in unread]
    questions += [f"{one.finding.rule} at {one.location} needs a look: {one.finding.message}" for category in categories
                  for one in category.weighing if one.finding.confidence == "needs_context"]  # fmt: skip
    return AuditResult(
        verdict=verdict,
        overall=overall,
        worst=worst_of(categories),
        categories=categories,
        context=context,
        trend=trend,
        why=why,
        questions=(*questions, *shares),
        files=sum(1 for name in project.reports if scope is None or scope.covers(name)),
        project=plain_text(root.name, 80),
        commit=_commit(root),
        before=before,
    )


def _commit(root: Path) -> str:
    try:
        return git(find_repository(root).root, "rev-parse", "--short", "HEAD").strip()
    except (CannotAnswer, GitFailed):
        return ""
