"""A screen over the panes that shows lines and closes again: help, a report, a finding's code, what is hidden."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from widgets.bindings import bind
from widgets.lines import Line, crop_path, line
from widgets.screens.leaving import Answer, Leaving
from widgets.screens.listing import MOVES, Moving, WrappedLines

_WIDEST, _FRAME = 120, 5  # cells: the style's, and those of borders, padding and scroll bar
_FEWEST = 20  # cells of a place from which it says something


def report_room(width: int) -> int:
    """The cells of a line in a report on a terminal of `width` cells."""
    return max(20, min(_WIDEST, width) - _FRAME)


def report_title(place: str, about: str, width: int) -> str:
    """`path:line · about` in the frame of a terminal of `width` cells; the path gives way from its left."""
    room = min(_WIDEST, width) - _FRAME - 1
    rest = f" · {about}"
    if room - len(rest) < min(len(place), _FEWEST):
        return crop_path(place, room)
    return crop_path(place, room - len(rest)) + rest


class LinesScreen(Moving, Leaving[Answer]):
    """Lines in a frame, with a title and the next useful keys, scrolled with the keys of a list.

    `compact`: the frame is as high as what it says, not as high as the terminal.
    """

    def __init__(self, title: str, lines: Sequence[Line], *, hint: str, compact: bool) -> None:
        super().__init__()
        self._title, self._hint, self._compact = title, hint, compact
        self.shown = list(lines)

    def compose(self) -> ComposeResult:
        yield WrappedLines(id="report", compact=self._compact)

    def on_mount(self) -> None:
        view = self.query_one("#report", WrappedLines)
        view.set_title(line(self._title), hint=self.words(self._hint))
        view.show_lines(self.shown)
        view.focus()


class ReportScreen(LinesScreen[None]):
    """A report, closed with escape, q or the key that opened it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("close", "dismiss"),
        Binding("space", "dismiss", "Close", show=False),
        *MOVES,
    ]

    def __init__(
        self,
        title: str,
        lines: Sequence[Line],
        *,
        hint: str = "{close} close · {down} {up} scroll",
        is_help: bool = False,
        compact: bool = False,
    ) -> None:
        super().__init__(title, lines, hint=hint, compact=compact)
        self._is_help = is_help

    def replace(self, lines: Sequence[Line]) -> None:
        """Show other lines, when what was being read has come."""
        self.shown = list(lines)
        if self.is_there:
            self.query_one("#report", WrappedLines).show_lines(self.shown)

    def action_keys(self) -> None:
        """The key that opened the help closes it."""
        if self._is_help:
            self.dismiss(None)
        else:
            super().action_keys()
