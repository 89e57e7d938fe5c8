"""A screen of rows in one frame: some stand for a place that the editor opens, and what fills it may end with it."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.message import Message

from cockpit.plain_text import plain_text
from widgets.lines import Line, line
from widgets.screens.leaving import Leaving
from widgets.screens.listing import Moving
from widgets.virtual_list import VirtualList


@dataclass(frozen=True, slots=True)
class Row:
    """One line. `kind` and `value` say what it stands for ("place": `path:line`); a plain line has the kind ""."""

    key: Hashable
    shown: Line
    kind: str = ""
    value: Any = None


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

    def on_mount(self) -> None:
        self.view.focus()
        self.build()

    def build(self) -> None:
        """Show everything anew."""

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
