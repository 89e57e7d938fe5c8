"""A screen of rows in one frame: some stand for a place that the editor opens, and what fills it may end with it."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.message import Message

from cockpit.plain_text import plain_text
from widgets.lines import Line, line, plain, width_of
from widgets.screens.leaving import Leaving
from widgets.screens.listing import Moving
from widgets.virtual_list import VirtualList
from widgets.wrap import hanging, wrap_line

_COLUMNS = 32  # cells in which the columns of a row begin
_WIDEST = 120  # the frame's own limit, in screens.tcss


@dataclass(frozen=True, slots=True)
class Row:
    """One line. `kind` and `value` say what it stands for ("place": `path:line`); a plain line has the kind "". `whole`
    is the line that it is a part of, where that had no room in one."""

    key: Hashable
    shown: Line
    kind: str = ""
    value: Any = None
    whole: Line = ()


def wrapped_row(row: Row, width: int) -> list[Row]:
    """A row in as many lines as it needs; each stands for the same."""
    if width_of(row.shown) <= width:
        return [row]
    first, *rest = wrap_line(row.shown, width, hanging(row.shown, min(_COLUMNS, width // 2)))
    parts = [replace(row, key=(row.key, number), shown=shown) for number, shown in enumerate(rest, 1)]
    return [replace(each, whole=row.shown) for each in (replace(row, shown=first), *parts)]


class Rows(VirtualList[Row]):
    """The rows of a screen."""

    def key(self, item: Row) -> Hashable:
        return item.key

    def row(self, item: Row, index: int, width: int) -> Line:
        return item.shown


class RowsScreen(Moving, Leaving[None]):
    """Rows with a cursor. A subclass rebuilds them in `build`, and names the messages its own."""

    CSS_PATH: ClassVar[Any] = "rows.tcss"

    class Opened(Message):
        """Open a place, `path:line`, in the editor."""

        def __init__(self, place: str) -> None:
            self.place = place
            super().__init__()

    class Left(Message):
        """The person left; what still runs is not wanted any more."""

    def __init__(self) -> None:
        super().__init__()
        self.trouble = ""

    def compose(self) -> ComposeResult:
        yield Rows(id="report")

    @property
    def view(self) -> Rows:
        return self.query_one("#report", Rows)

    @property
    def width(self) -> int:
        """The cells of a row."""
        return max(20, min(self.size.width, _WIDEST) - 6)

    def on_mount(self) -> None:
        self.view.focus()
        self.build()

    def on_resize(self) -> None:
        if self.is_there:
            self.build()

    def build(self) -> None:
        """Show everything anew."""

    def show_rows(self, rows: Iterable[Row]) -> None:
        """Show rows; what is too long for one line goes on in the next."""
        self.view.show_items([part for row in rows for part in wrapped_row(row, self.width)])

    def useful(self) -> str:
        row = self.view.current
        return " ".join(plain(row.whole).split()) if row is not None and row.whole else super().useful()

    def fail(self, why: str) -> None:
        """It could not be done at all."""
        self.trouble = why
        self.build()

    def trouble_rows(self) -> list[Row]:
        """Why it could not be done, where it could not."""
        return [Row("trouble", line((plain_text(self.trouble, 300), "bad")))] if self.trouble else []

    def action_leave(self) -> None:
        self.post_message(self.Left())
        self.dismiss(None)
