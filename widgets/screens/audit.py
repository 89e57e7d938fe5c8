"""The audit as it runs and what it found: workers, scores, issues by category."""

from collections.abc import Hashable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message

from cockpit.audit.models import AuditProgress
from cockpit.plain_text import plain_text
from skills.audit.model import AuditResult, Issue
from skills.counted import counted
from widgets.audit_lines import AuditRow, head_lines, progress_lines, row_line, rows_of
from widgets.bindings import bind, filled
from widgets.line_view import FixedLines
from widgets.lines import Line, line
from widgets.screens.framed import FramedScreen
from widgets.virtual_list import VirtualList

_HINTS = (
    "{audit-open} open · {audit-view} code and rule · {audit-task} write the task · {audit-report} write the report · "
    "{recheck} again · {close} close",
    "{audit-open} open · {audit-view} code · {audit-task} task · {audit-report} report · {recheck} again · {close}",
    "{audit-open} · {audit-view} · {audit-task} task · {audit-report} report · {close}",
    "{audit-open} open · {audit-task} task · {help} keys · {close}",
    "{audit-open} open · {help} · {close}",
)
_NOTHING = ("{audit-report} report · {recheck} again · {close} close", "{audit-report} report · {close}")
_RUNNING = ("{close} stop and close",)


class AuditRows(VirtualList[AuditRow]):
    """The issues under their categories; `longest` is that of their places, in cells."""

    longest = 0

    def key(self, item: AuditRow) -> Hashable:
        return item.key

    def row(self, item: AuditRow, index: int, width: int) -> Line:
        return row_line(item, width, self.longest)


class AuditScreen(FramedScreen):
    """Shows progress, then the result. Leaving it ends the run."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("audit-open", "open"),
        bind("audit-view", "view"),
        bind("audit-task", "task"),
        bind("audit-report", "report"),
        bind("recheck", "again", "Audit again"),
    ]

    class Wanted(Message):
        """An audit is to be run."""

        def __init__(self, screen: "AuditScreen") -> None:
            self.screen = screen
            super().__init__()

    class Left(Message):
        """The person left; what still runs is not wanted any more."""

    class Chosen(Message):
        """An issue is to be opened in the editor, or shown with its code and rule."""

        def __init__(self, issue: Issue, *, view: bool) -> None:
            self.issue, self.view = issue, view
            super().__init__()

    class Write(Message):
        """The task or the report is to be written."""

        def __init__(self, result: AuditResult, *, task: bool) -> None:
            self.result, self.task = result, task
            super().__init__()

    def __init__(self, name_of: str, keys: Sequence[str]) -> None:
        super().__init__(keys)
        self._name_of = plain_text(name_of, 40)
        self.progress: AuditProgress | None = None
        self.result: AuditResult | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="frame"):
            yield FixedLines(id="audit-head", classes="fixed")
            yield AuditRows(id="audit-rows", classes="grows")

    def on_mount(self) -> None:
        self.query_one(AuditRows).focus()
        self.ask(self.Wanted(self))

    @property
    def moving(self) -> AuditRows:
        return self.query_one(AuditRows)

    # -- what is shown --

    def advance(self, progress: AuditProgress) -> None:
        """So far it is."""
        self.progress = progress
        if self.result is None:
            self.build()

    def finish(self, result: AuditResult) -> None:
        """The audit has ended."""
        self.result, self.problem = result, ""
        self.build()
        if self.is_there:
            self.query_one(AuditRows).find(lambda row: row.issue is not None)  # a heading opens nothing

    def build(self) -> None:
        if not self.is_there or not self.size.width:
            return
        width = self.row_width
        rows = self.query_one(AuditRows)
        if self.result is None:
            self.entitle(f"Audit · {self._name_of}", _RUNNING)
            self.fill("audit-head", self._before(width))
            rows.empty, items = [], []
        else:
            items = rows_of(self.result, width)
            title = f"Audit · {self._name_of} · {counted(self.result.files, 'file')}"
            self.entitle(title, _HINTS if any(row.issue for row in items) else _NOTHING)
            self.fill("audit-head", [*head_lines(self.result, width, self.words("{audit-report}")), ()])
            rows.longest = max((cell_len(row.issue.location) for row in items if row.issue), default=0)
            told = line(("Nothing found. ", "muted"), ("{audit-report}", "key"), (" writes the report.", "muted"))
            rows.empty = [filled(told, self.labels)]
        rows.show_items(items)
        rows.lines_changed()

    def _before(self, width: int) -> list[Line]:
        if self.problem:
            return [line((self.problem, "bad")), self.again()]
        return progress_lines(self.progress, width) if self.progress else [line(("Reading the code…", "muted"))]

    # -- keys --

    def action_leave(self) -> None:
        self.post_message(self.Left())
        self.dismiss(None)

    def action_open(self) -> None:
        self._choose(view=False)

    def action_view(self) -> None:
        self._choose(view=True)

    def _choose(self, *, view: bool) -> None:
        row = self.query_one(AuditRows).current
        if row is not None and row.issue is not None:
            self.post_message(self.Chosen(row.issue, view=view))

    def action_task(self) -> None:
        self._write(task=True)

    def action_report(self) -> None:
        self._write(task=False)

    def _write(self, *, task: bool) -> None:
        if self.result is not None:
            self.post_message(self.Write(self.result, task=task))

    def action_again(self) -> None:
        if self.result is not None or self.problem:
            self.result, self.progress = None, None
            self.ask(self.Wanted(self))
