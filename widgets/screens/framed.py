"""A screen that fills the terminal with one frame: its title, its keys, and the lists in it share their habits."""

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from cockpit.plain_text import plain_text
from widgets.bindings import bind
from widgets.hints import hint_content
from widgets.line_view import FixedLines
from widgets.lines import Line
from widgets.screens.leaving import Toggled
from widgets.screens.listing import MOVES, Moving


class FramedScreen(Moving, Toggled):
    """A frame with a title and the next useful keys below. `keys` are those that opened it: they close it too.

    A subclass composes `Vertical(id="frame")` and rebuilds what is in it in `build`, which says `problem` where there
    is one.
    """

    CSS_PATH: ClassVar[Any] = "framed.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [bind("close", "leave"), *MOVES]

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__()
        self.keys = tuple(keys)
        self.problem = ""

    @property
    def row_width(self) -> int:
        """The cells of a row: what borders, padding and the scroll bar leave."""
        return max(0, self.size.width - 5)

    def fail(self, problem: str) -> None:
        """Say why there is nothing to show."""
        self.problem = plain_text(problem, 300)
        self.build()

    def build(self) -> None:
        """Show everything anew for the size that the screen has."""

    def ask(self, message: Message) -> None:
        """Ask for what is to be shown; why there was nothing the last time is forgotten."""
        self.problem = ""
        self.build()
        self.post_message(message)

    def on_resize(self) -> None:
        """The width has changed."""
        if self.is_there:
            self.build()

    def entitle(self, title: str, hints: Sequence[str]) -> None:
        """The frame's title, and the longest of the hints that fits."""
        frame = self.query_one("#frame", Vertical)
        room = self.size.width - 6
        frame.border_title = Content(title if len(title) <= room else title[: max(0, room - 1)] + "…")
        frame.border_subtitle = hint_content(self.longest(hints, room))

    def fill(self, name: str, lines: Sequence[Line]) -> int:
        """Show lines in a part that is as high as they are. Returns how many there are."""
        view = self.query_one(f"#{name}", FixedLines)
        view.styles.height = len(lines)
        view.display = bool(lines)
        view.show_lines(lines)
        return len(lines)
