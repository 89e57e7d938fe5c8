"""What every screen with a list shares: the keys that move in it, and lines that wrap where they are too long."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from cockpit.actions import key_label
from widgets.bindings import bind, filled, labels, own_keys, with_keys
from widgets.line_view import FixedLines, LineView
from widgets.lines import Line, line, pad, plain, width_of
from widgets.virtual_list import VirtualList
from widgets.wrap import hanging, wrap_line

_WIDE = 400  # cells in which a row is not cut

MOVES: tuple[BindingType, ...] = (  # with the registry's ids, so that a person's own keys move here too
    *(bind(name, f"move('{name}')") for name in ("down", "up", "page-down", "page-up", "top", "bottom")),
    bind("copy", "copy"),
    bind("palette", "app.command_palette"),
    bind("help", "keys"),
)


class Moving(Screen[Any]):
    """A screen whose `MOVES` go to one view."""

    class Copied(Message):
        """A text is to be copied to where the person can paste it."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    class KeysAsked(Message):
        """Every key that works here is to be shown: one line each."""

        def __init__(self, rows: Sequence[Line]) -> None:
            self.rows = rows
            super().__init__()

    @property
    def moving(self) -> LineView:
        """The view that the keys of a list move: the list where there is one, else the first lines."""
        return next(iter(self.query(VirtualList)), None) or self.query(LineView).first()

    @cached_property
    def labels(self) -> dict[str, str]:
        """How the first key of each of this screen's actions is written."""
        return labels(self)

    def words(self, hint: str) -> str:
        """A hint with this person's keys in it: `{close} close` → `esc close`."""
        return with_keys(hint, self.labels)

    def again(self) -> Line:
        """What to do where it could not be read."""
        return filled(line(("{recheck}", "key"), (" tries again.", "muted")), self.labels)

    def longest(self, hints: Sequence[str], room: int) -> str:
        """The first of the hints, the longest comes first, that fits into `room` cells; else the last one."""
        said = [self.words(hint) for hint in hints]
        return next((hint for hint in said if len(hint) <= room), said[-1])

    def action_keys(self) -> None:
        """Every key that works here."""
        found = {title: [key_label(key) for key in keys] for title, keys in own_keys(self).items()}
        size = max(len(" ".join(keys)) for keys in found.values())
        rows = [line((pad(" ".join(keys), size + 2), "key"), (title, "text")) for title, keys in found.items()]
        self.post_message(self.KeysAsked(rows))

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
        bar = self.styles.scrollbar_size_vertical - self.scrollbar_gutter.width  # it may only come with what is wrapped
        width = min(self.scrollable_content_region.width, self.outer_size.width - self.gutter.width - bar)
        if width <= 0:
            return
        fits = all(width_of(each) <= width for each in self._whole)
        rows = self._whole if fits else [row for each in self._whole for row in wrap_line(each, width, hanging(each))]
        super().show_lines(rows)
        if self._compact:  # as high as what it says, frame included
            self.styles.height = max(1, len(rows)) + 2
