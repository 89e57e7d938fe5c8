"""Start day: the queue first, each task with its score explained; then everything else that the morning should know."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from cockpit.plain_text import plain_text
from skills.workflow.day import StartReport
from skills.workflow.day_text import start_text
from skills.workflow.sweep import SweepCheck
from skills.workflow.tasks import Scored
from widgets.bindings import bind
from widgets.lines import Line, crop, line, pad, spread
from widgets.markdown_lines import markdown_lines
from widgets.screens.day import DayScreen, heading, rows_of, sweep_rows
from widgets.screens.rows import Row

_QUEUE = "### Today's Priority Queue"
_WIDE = 76
_NO_TASKS = ("{close} close",)
_HINTS = (
    "{start-open} open its files · {start-worktree} new worktree · {close} close",
    "{start-open} open · {start-worktree} new · {close}",
)


def queue_rows(report: StartReport, width: int) -> list[Row]:
    """Each task in two lines: what and who, then why it stands there."""
    if not report.queue:
        where = "write `- [ ] task` into TASK.md" if report.context_file else "TASK.md would hold them"
        return rows_of("no tasks", [line((f"  No open tasks: {where}.", "muted"))])
    rows: list[Row] = []
    for number, entry in enumerate(report.queue):
        agent = report.agents[number] if number < len(report.agents) else ""
        rows.append(Row(("task", entry.task.order), _task(entry, agent, width), "task", number))
        terms = " · ".join(f"{term.why} {term.points:+g}" for term in entry.terms)
        files = ", ".join(report.files[number]) if number < len(report.files) else ""
        said = f"{terms} · {files}" if files else terms
        if width < _WIDE and agent:
            said = f"{agent} · {said}"
        rows.append(Row(("why", entry.task.order), line((f"      {plain_text(said, 300)}", "faint")), "task", number))
    return rows


def _task(entry: Scored, agent: str, width: int) -> Line:
    token = {"high": "bad", "medium": "warn", "low": "muted"}[entry.level]
    if entry.blocked_by:
        token = "faint"
    left = line(
        (f"  {pad(f'{entry.score:g}', 3, right=True)} ", token),
        (plain_text(entry.task.text, 200), "faint" if entry.blocked_by else "text"),
        (f"  blocked by {', '.join(entry.blocked_by)}" if entry.blocked_by else "", "warn"),
    )
    return spread(left, line((crop(agent, 34), "accent")), width) if agent and width >= _WIDE else left


def report_lines(report: StartReport) -> list[Line]:
    """The rest of the report: without its title and without the queue, which stands above."""
    parts = start_text(report).split("\n### ")[1:]
    kept = [f"### {part}" for part in parts if f"### {part}".splitlines()[0] != _QUEUE]
    lines = markdown_lines("\n\n".join(part.strip() for part in kept))
    while lines and not "".join(text for text, _ in lines[-1]).strip():
        lines.pop()
    return lines


class StartDayScreen(DayScreen):
    """The start of the day."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("start-open", "open"),
        bind("start-worktree", "worktree"),
    ]

    class Worktree(Message):
        """Make a worktree for this task."""

        def __init__(self, task: str) -> None:
            self.task = task
            super().__init__()

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(keys)
        self.report: StartReport | None = None
        self.scans: list[SweepCheck] = []
        self.scanning = False
        self.gates: Line = ()

    def show(self, report: StartReport, gates: Line = ()) -> None:
        """The report has come, and what the gates say now; quick scans follow."""
        self.report, self.scanning, self.gates = report, True, gates
        self.build()
        if self.is_there:
            self.view.find(lambda row: row.kind == "task")

    def scanned(self, check: SweepCheck | None) -> None:
        """A quick scan has answered; None after the last one."""
        if check is None:
            self.scanning = False
        else:
            self.scans.append(check)
        self.build()

    def build(self) -> None:
        """Show everything anew."""
        if not self.is_there:
            return
        report = self.report
        rows: list[Row] = self.trouble_rows()
        if report is None:
            rows += self.step_rows()
            title = "Start day"
        else:
            git = report.git
            ahead = (
                "".join(f" {sign}{count}" for sign, count in (("↑", git.ahead), ("↓", git.behind)) if count)
                if git
                else ""
            )
            branch = (git.branch or "detached") if git else "no git"
            title = f"Start day · {report.project} · {branch}{ahead} · {', '.join(report.types) or 'no known type'}"
            rows += self.step_rows(all_of_them=False)
            rows.append(Row("queue", heading("Today's Priority Queue")))
            rows += queue_rows(report, self.width)
            rows.append(Row("gap", ()))
            rows += rows_of("report", report_lines(report))
            rows += [Row("gap2", ()), Row("scans", heading("Quick Scans", "runs…" if self.scanning else ""))]
            rows += rows_of("gates", [self.gates] if self.gates else [])
            rows += sweep_rows(self.scans, self.width)
        hints = _HINTS if report is not None and report.queue else _NO_TASKS
        self.view.set_title(line(crop(plain_text(title), self.width)), hint=self.longest(hints, self.width))
        self.show_rows(rows)

    def _task_here(self) -> int | None:
        row = self.view.current
        return row.value if row is not None and row.kind == "task" else None

    def action_open(self) -> None:
        """The task's first file, else the file of tasks."""
        number, row = self._task_here(), self.view.current
        if row is not None and row.kind == "place":
            self.post_message(self.Opened(str(row.value)))
        elif number is not None and self.report is not None:
            files = self.report.files[number] if number < len(self.report.files) else ()
            task = self.report.queue[number].task
            self.post_message(self.Opened(files[0] if files else f"?{task.text}"))

    def action_worktree(self) -> None:
        number = self._task_here()
        if number is not None and self.report is not None:
            self.post_message(self.Worktree(self.report.queue[number].task.text))
