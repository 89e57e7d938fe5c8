"""The spend screen: where the money goes, by day and by everything else that it can be told by."""

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from cockpit.plain_text import plain_text
from cockpit.spend.dashboard_models import PERIODS, Cost, CostTable, Period, SpendDashboard, Trend
from widgets.bindings import bind, filled
from widgets.line_view import FixedLines, LineView
from widgets.lines import Line, fit, gauge, line, width_of
from widgets.screens.framed import FramedScreen
from widgets.spend_lines import (
    PERIOD_WORDS,
    TRENDS,
    Layout,
    cost_row,
    day_lines,
    empty_lines,
    layout_of,
    notes,
    tab_line,
    table_head,
    trend_head,
    trend_row,
    warnings,
    window_lines,
)
from widgets.spend_more import more_lines
from widgets.spend_plot import day_plot, heat_line
from widgets.virtual_list import VirtualList
from widgets.wrap import wrapped

_HINTS = (
    "{spend-next} or 1–9 table · {spend-period} period · {spend-budget} set budget · {spend-export} export · "
    "{recheck} again · {close} close",
    "{spend-next} table · {spend-period} period · {spend-budget} set budget · {spend-export} export · {close} close",
    "{spend-next} · {spend-period} period · {spend-budget} budget · {help} · {close}",
    "{spend-next} · {spend-period} period · {help} · {close}",
)
_WIDE = 110  # from here on the plot stands beside the windows
_PLOT = 64  # cells that 30 days want: a bar and a gap each, and the axis
_LOW = 14  # lines: below, columns have no names and only warnings are noted
_BORDERS = 2


class CostList(VirtualList[Cost | Trend]):
    """The rows of the table that is shown."""

    table: CostTable | None = None
    _layout: tuple[CostTable, int, Layout] | None = None

    def layout_in(self, width: int) -> Layout | None:
        """The columns of the table, worked out once for a width."""
        if self.table is None:
            return None
        if self._layout is None or self._layout[0] is not self.table or self._layout[1] != width:
            self._layout = (self.table, width, layout_of(self.table, width))
        return self._layout[2]

    def key(self, item: Cost | Trend) -> Hashable:
        return item.key if isinstance(item, Trend) else (item.row.key, item.at, item.session)

    def row(self, item: Cost | Trend, index: int, width: int) -> Line:
        if isinstance(item, Trend):
            return trend_row(item, width)
        layout = self.layout_in(width)
        return cost_row(self.table, item, layout, width) if self.table and layout else ()


class SpendScreen(FramedScreen):
    """Shows a `SpendDashboard`; asks for one by `Wanted`, and for its files by `Export`."""

    class Wanted(Message):
        """The figures of a period are to be read."""

        def __init__(self, screen: "SpendScreen", period: Period) -> None:
            self.screen, self.period = screen, period
            super().__init__()

    class Budget(Message):
        """A budget is to be set; the figures are wanted again after it."""

        def __init__(self, screen: "SpendScreen") -> None:
            self.screen = screen
            super().__init__()

    class Export(Message):
        """What is shown is to be written to files."""

        def __init__(self, dashboard: SpendDashboard) -> None:
            self.dashboard = dashboard
            super().__init__()

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("spend-next", "turn(1)"),
        bind("spend-previous", "turn(-1)"),
        *(Binding(digit, f"table({place})", show=False) for place, digit in enumerate("1234567890")),
        bind("spend-period", "period"),
        bind("recheck", "again", "Read it again"),
        bind("spend-budget", "budget"),
        bind("spend-export", "export"),
    ]

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(keys)
        self.period: Period = PERIODS[0]
        self.dashboard: SpendDashboard | None = None
        self.active = 0
        self._share: float | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="frame"):
            yield FixedLines(id="spend-head", classes="fixed")
            yield CostList(id="spend-rows", classes="grows")
            yield FixedLines(id="spend-total", classes="fixed")
            yield FixedLines(id="spend-gap", classes="fixed")
            yield FixedLines(id="spend-foot", classes="fixed")

    def on_mount(self) -> None:
        self.query_one("#spend-rows").focus()
        self.ask(self.Wanted(self, self.period))

    # -- what is shown --

    def progress(self, share: float) -> None:
        """So much (0–1) of what is new has been read."""
        self._share = share
        if self.dashboard is None:
            self.build()

    def show(self, dashboard: SpendDashboard) -> None:
        """Show figures; those of a period that nobody waits for any more are left out."""
        if dashboard.period == self.period:
            self.dashboard, self.problem = dashboard, ""
            self.build()

    @property
    def names(self) -> list[str]:
        """The tables, in the order of their tabs."""
        return [*(table.name for table in self.dashboard.tables), TRENDS] if self.dashboard else []

    @property
    def table(self) -> CostTable | None:
        """The table that is shown; None: the trends."""
        tables = self.dashboard.tables if self.dashboard else ()
        return tables[self.active] if self.active < len(tables) else None

    def build(self) -> None:
        if not self.is_there or not self.size.width:
            return
        width = self.row_width
        height = self.size.height - _BORDERS
        rows = self.query_one(CostList)
        rows.table = self.table
        self._titles()
        board, table = self.dashboard, self.table
        if board is None:
            self._place([], self._waiting(width), (), [], [], height)
            return
        total: Line = trend_row(board.trend_total, width)
        if table is not None:
            layout = rows.layout_in(width)
            total = cost_row(table, None, layout, width) if table.rows and layout else ()
        most = 1 if height < _LOW else 2 if height < 26 else 4
        foot = [*warnings(board, width), *(notes(board, table, width) if height >= _LOW else [])][:most]
        head = self._head(board, width, height - len(foot) - bool(total))
        empty = (
            [line((table.note, "muted"))]
            if table and table.note
            else [filled(row, self.labels) for row in empty_lines(board)]
        )
        items = table.rows if table else board.trends
        self._place(head, wrapped(empty, width), items, [total] if total else [], foot, height)

    def _place(
        self,
        head: Sequence[Line],
        empty: Sequence[Line],
        items: Sequence[Cost | Trend],
        total: Sequence[Line],
        foot: Sequence[Line],
        height: int,
    ) -> None:
        """Put everything into its lines: the total below the last row, what a person should know at the bottom."""
        for name, lines in (("head", head), ("total", total), ("foot", foot)):
            self.fill(f"spend-{name}", lines)
        rows = self.query_one(CostList)
        rows.empty = empty
        room = max(1, height - len(head) - len(total) - len(foot))
        shown = min(len(items) or len(empty), room)
        rows.styles.height = shown
        gap = self.query_one("#spend-gap", FixedLines)
        gap.styles.height = room - shown
        gap.show_lines(
            more_lines(self.dashboard, self.active, self.row_width, room - shown - 1) if self.dashboard else ()
        )
        gap.display = room > shown
        rows.show_items(items)
        rows.lines_changed()

    def _titles(self) -> None:
        title = "Spend"
        if self.dashboard:
            title += f" · {plain_text(self.dashboard.scope, 30)}"
            title += f" · {PERIOD_WORDS[self.dashboard.period] if self.size.width > 50 else self.dashboard.period}"
            if self.dashboard.period != self.period:
                title += f" · reading {PERIOD_WORDS[self.period]}…"
            elif self.size.width >= _WIDE:
                title += f" · as of {self.dashboard.at:%H:%M}"
        self.entitle(title, _HINTS)

    def _waiting(self, width: int) -> list[Line]:
        if self.problem:
            return [line((self.problem, "bad")), self.again()]
        if self._share is None:
            return [line(("Reading transcripts and the ledger…", "muted"))]
        return [(("Reading transcripts  ", "muted"), *gauge(self._share, max(4, min(30, width - 24)), "accent"))]

    def _head(self, board: SpendDashboard, width: int, height: int) -> list[Line]:
        """Windows and plot, the tabs and the names of the columns; a third of `height` is left for the rows."""
        table = self.table
        hours = heat_line(board.hours, width) if table is not None and table.name == "hour" else []
        if not board.ever or height < 8:
            hours = []
        below = [tab_line(self.names, self.active, width), *hours]
        layout = self.query_one(CostList).layout_in(width)
        if table is None:
            below.append(trend_head(width))
        elif layout is not None and table.rows and height >= _LOW:
            below.append(table_head(table, layout, width))
        room = max(0, height - len(below) - max(3, height // 3))
        return [*self._above(board, width, room), *below]

    def _above(self, board: SpendDashboard, width: int, room: int) -> list[Line]:
        """Windows and plot: side by side where it is wide, else one above the other."""
        day = next((window for window in board.windows if window.window == "day"), None)
        soft, hard = (day.soft, day.hard) if day else (None, None)
        daily = [(label, amount.usd) for label, amount in board.daily]
        if width >= _WIDE:
            left = max(48, min(70, width - _PLOT - 2))
            windows = window_lines(board, left, min(room, 5))
            days = day_lines(board)
            if len(windows) + len(days) + 1 < room:
                windows += [(), *days]
            plot = day_plot(daily, width - left - 2, max(4, min(room - 1, 9)), soft, hard)
            return [*side_by_side(windows, plot, left + 2), ()]
        windows = window_lines(board, width, 4 if room >= 7 else 3 if room >= 5 else min(2, room))
        spare = room - len(windows)
        spent = any(usd for _, usd in daily)
        plot = day_plot(daily, width, min(8, spare - (spare > 6)), soft, hard) if spare >= 2 and spent else []
        return [*windows, *plot, *([()] if spare > 6 else [])]

    # -- keys --

    def action_turn(self, by: int) -> None:
        if self.names:
            self.action_table((self.active + by) % len(self.names))

    def action_table(self, place: int) -> None:
        """Show another table, from its top."""
        if place < len(self.names) and place != self.active:
            self.active = place
            rows = self.query_one(CostList)
            rows.show_items(())
            rows.scroll_home(animate=False)
            self.build()

    @on(LineView.Tab)
    def _tab(self, message: LineView.Tab) -> None:
        self.action_table(self.names.index(message.name))

    def action_period(self) -> None:
        """The next period; what is shown stays until its figures come."""
        self.period = PERIODS[(PERIODS.index(self.period) + 1) % len(PERIODS)]
        self.action_again()

    def action_again(self) -> None:
        self._share = None
        self.ask(self.Wanted(self, self.period))

    def action_budget(self) -> None:
        self.post_message(self.Budget(self))

    def action_export(self) -> None:
        if self.dashboard is not None:
            self.post_message(self.Export(self.dashboard))


def side_by_side(left: Sequence[Line], right: Sequence[Line], column: int) -> list[Line]:
    """Two blocks of lines, the right one from `column` on."""
    lines: list[Line] = []
    for place in range(max(len(left), len(right))):
        start = fit(left[place], column) if place < len(left) else ()
        lines.append(
            (*start, (" " * (column - width_of(start)), "text"), *(right[place] if place < len(right) else ()))
        )
    return lines
