"""What every screen with a list shares: the keys that move in it, and lines that wrap where they are too long."""

from collections.abc import Sequence
from typing import Any

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen

from widgets.line_view import FixedLines, LineView
from widgets.lines import Line, plain, width_of
from widgets.virtual_list import VirtualList
from widgets.wrap import hanging, wrap_line

_WIDE = 400  # cells in which a row is not cut

MOVES: tuple[BindingType, ...] = (  # with the registry's ids, so that a person's own keys move here too
    Binding("j,down", "move('down')", "Down", show=False, id="down"),
    Binding("k,up", "move('up')", "Up", show=False, id="up"),
    Binding("pagedown,ctrl+d", "move('page-down')", "Page down", show=False, id="page-down"),
    Binding("pageup,ctrl+u", "move('page-up')", "Page up", show=False, id="page-up"),
    Binding("g,home", "move('top')", "First", show=False, id="top"),
    Binding("G,end", "move('bottom')", "Last", show=False, id="bottom"),
    Binding("y", "copy", "Copy", show=False, id="copy"),
)


class Moving(Screen[Any]):
    """A screen whose `MOVES` go to one view."""

    class Copied(Message):
        """A text is to be copied to where the person can paste it."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    @property
    def moving(self) -> LineView:
        """The view that the keys of a list move: the list where there is one, else the first lines."""
        return next(iter(self.query(VirtualList)), None) or self.query(LineView).first()

    def action_move(self, step: str) -> None:
        """Move in the list, or scroll."""
        self.moving.move(step)

    def useful(self) -> str:
        """What is copied: the row with the cursor, else all lines."""
        view = self.moving
        at = view.cursor_at()
        if at is not None:
            return " ".join(plain(view.line_at(at, _WIDE)).split())
        return "\n".join(plain(view.line_at(y, _WIDE)).rstrip() for y in range(view.line_count()))

    def action_copy(self) -> None:
        """Copy it."""
        if text := self.useful():
            self.post_message(self.Copied(text))


class WrappedLines(FixedLines):
    """Lines of a dialog: nothing is cut, what is too long goes on below its own text."""

    def __init__(self, *, id: str, compact: bool = False) -> None:
        super().__init__(id=id)
        self._whole: tuple[Line, ...] = ()
        self._compact = compact

    def show_lines(self, lines: Sequence[Line]) -> None:
        self._whole = tuple(lines)
        self._wrap()

    def on_resize(self) -> None:
        super().on_resize()
        self._wrap()

    def _wrap(self) -> None:
        room = self.outer_size.width - self.gutter.width - self.styles.scrollbar_size_vertical
        width = min(self.scrollable_content_region.width, room)  # the bar may only come with what is wrapped
        if width <= 0:
            return
        fits = all(width_of(each) <= width for each in self._whole)
        rows = self._whole if fits else [row for each in self._whole for row in wrap_line(each, width, hanging(each))]
        super().show_lines(rows)
        if self._compact:  # as high as what it says, frame included
            self.styles.height = max(1, len(rows)) + 2
