"""What the keys do about the audit: it runs in a thread with live progress; opening, writing report and task."""

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

from cockpit.actions import BY_ID, keys_of
from cockpit.app_parts.deeds import Deeds
from cockpit.app_parts.editor import open_in_editor
from cockpit.app_parts.findings import document_of, read_lines
from cockpit.errors import CannotAnswer
from cockpit.plain_text import plain_text
from widgets.code_view import above_in, code_lines, explanation, rule_lines
from widgets.lines import line
from widgets.screens.report import ReportScreen, report_room, report_title

if TYPE_CHECKING:
    from pathlib import Path

    from cockpit.audit.models import AuditProgress
    from cockpit.sweep.cancel import Cancel
    from skills.audit.model import AuditResult, Issue
    from widgets.screens.audit import AuditScreen

_TOLD_EVERY = 0.1


class AuditDeeds(Deeds):
    """The audit of the worktree that is watched."""

    auditing: "Cancel | None" = None
    audited: "Path | None" = None

    def do_audit(self) -> None:
        """Open the audit screen; it asks for the run."""
        from widgets.screens.audit import AuditScreen

        self.push_screen(AuditScreen(self.watched.name, keys_of(BY_ID["audit"], self.settings.keys)))

    def on_audit_screen_wanted(self, message: "AuditScreen.Wanted") -> None:
        from cockpit.sweep.cancel import Cancel

        self.auditing, self.audited = Cancel(), self.watched
        run = self._audit(message.screen, self.audited, self.auditing)
        self.run_worker(run, group="audit", exclusive=True, exit_on_error=False)

    async def _audit(self, screen: "AuditScreen", root: "Path", cancel: "Cancel") -> None:
        from cockpit.audit.run import AuditRequest, audit
        from cockpit.findings.pool import Pool

        loop = asyncio.get_running_loop()
        told = [0.0]

        def tell(progress: "AuditProgress") -> None:
            now = time.monotonic()
            if progress.read < 1 and now - told[0] < _TOLD_EVERY:
                return
            told[0] = now
            loop.call_soon_threadsafe(screen.advance, progress)

        pool = self.engine.pool if self.engine is not None else Pool()
        run = partial(
            audit, root, self.settings, AuditRequest(), tell=tell, pool=pool, cancelled=lambda: cancel.cancelled
        )
        try:
            result = await asyncio.to_thread(run)
        except (CannotAnswer, OSError) as problem:
            if not cancel.cancelled:
                screen.fail(str(problem))
            return
        screen.finish(result)

    def on_audit_screen_left(self) -> None:
        """What still runs is not wanted any more."""
        if self.auditing is not None:
            self.auditing.cancel()

    def on_audit_screen_chosen(self, message: "AuditScreen.Chosen") -> None:
        finding, root = message.issue.finding, self.audited or self.watched
        if message.view:
            self.open_once(partial(self._view_issue, message.issue, root), "issue", message.issue.location)
        else:
            open_in_editor(self, root / finding.path, finding.line, finding.column)

    async def _view_issue(self, issue: "Issue", root: "Path") -> None:
        from widgets.audit_lines import issue_details

        finding = issue.finding
        width = report_room(self.size.width)
        source, note = await asyncio.to_thread(read_lines, root / finding.path)
        rows = code_lines(finding, source, above_in(self.size.height), 12, width) if source else [line((note, "warn"))]
        document = await asyncio.to_thread(document_of, finding.rule)
        rows += [(), *explanation(finding, width), *issue_details(issue), (), *rule_lines(document, width)]
        self.push_screen(ReportScreen(report_title(plain_text(issue.location), finding.rule, self.size.width), rows))

    def on_audit_screen_write(self, message: "AuditScreen.Write") -> None:
        self.run_worker(self._write_audit(message.result, task=message.task), exit_on_error=False)

    async def _write_audit(self, result: "AuditResult", *, task: bool) -> None:
        """Write what was asked for; an existing task is never overwritten."""
        root = self.audited or self.watched

        def write() -> list[str]:
            from cockpit.audit.written import one_audit_at_a_time, write_report, write_task
            from cockpit.clock import now

            with one_audit_at_a_time(root):
                return [write_task(root, result, now())] if task else write_report(root, result, now())

        try:
            paths = await asyncio.to_thread(write)
        except (CannotAnswer, OSError) as problem:
            self.tell(problem, bad=True)
            return
        shown = next((path for path in paths if path.endswith("audit.md")), paths[0])
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        self.tell(f"Written: {shown}{more}")
