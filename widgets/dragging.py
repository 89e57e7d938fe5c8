"""Text picked with the mouse: a drag over lines marks them, and what is marked is copied when the button is let go."""

from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer

_STEP_SECONDS = 0.06


class Place(NamedTuple):
    """A cell of the content: its line from the top of everything, its column."""

    line: int
    column: int


def cut(text: str, start: int, end: int | None) -> str:
    """The characters of `text` in the cells from `start` up to `end` (None: to its end)."""
    head = set_cell_size(text, start) if start else ""
    whole = text if end is None or end >= cell_len(text) else set_cell_size(text, end)
    return whole[len(head) :].rstrip()


def _over(own: Style, mark: Style) -> Style:
    """The mark over a text's own style; where both reverse, the text stands as it is among the reversed."""
    return own + mark + Style(reverse=not own.reverse) if mark.reverse else own + mark


class Dragging(ScrollView):
    """A view whose text can be picked with the mouse. A subclass says what stands in a line by `text_at`."""

    class Picked(Message):
        """Text was marked, and the button let go."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    picks = True
    """Whether a drag marks text here."""

    _from: Place | None = None
    _to: Place | None = None
    _edge: Timer | None = None
    _moving = False
    dragged = False
    """Whether the mouse moved on since its button went down: what follows is no click."""

    def text_at(self, y: int) -> str:
        """The characters of line `y` as they are shown."""
        return ""

    def line_count(self) -> int:
        """How many lines there are."""
        return 0

    @property
    def picked(self) -> str:
        """The text that is marked."""
        if self._from is None or self._to is None:
            return ""
        first, last = sorted((self._from, self._to))
        lines = range(first.line, min(last.line, self.line_count() - 1) + 1)
        parts = [
            cut(self.text_at(y), first.column if y == first.line else 0, last.column + 1 if y == last.line else None)
            for y in lines
        ]
        return "\n".join(parts).strip("\n")

    def forget_picked(self) -> bool:
        """Mark nothing any more, unless the mouse is still at it. Whether anything was marked."""
        if self._from is None or self._moving:
            return False
        marked, self._from, self._to = self._to is not None, None, None
        return marked

    def marked(self, strip: Strip, y: int, style: Style) -> Strip:
        """The strip of line `y`, with `style` over what is marked in it."""
        if self._from is None or self._to is None:
            return strip
        first, last = sorted((self._from, self._to))
        if not first.line <= y <= last.line:
            return strip
        width = strip.cell_length
        start = first.column if y == first.line else 0
        end = min(width, last.column + 1) if y == last.line else width
        before, inside, after = strip.crop(0, start), strip.crop(start, end), strip.crop(end, width)
        over = Strip([Segment(text, _over(own or Style.null(), style)) for text, own, _ in inside], inside.cell_length)
        return Strip.join([before, over, after])

    def _place(self, event: events.MouseEvent) -> Place:
        offset = event.get_content_offset_capture(self)
        size = self.scrollable_content_region.size
        x, y = max(0, min(offset.x, size.width - 1)), max(0, min(offset.y, size.height - 1))
        return Place(y + self.scroll_offset.y, x)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        inside = event.get_content_offset(self) is not None
        if self._to is not None:
            self.refresh()
        self.dragged, self._to = False, None
        self._moving = inside and event.button == 1 and self.picks and self.line_count() > 0
        self._from = self._place(event) if self._moving else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if not self._moving or not event.button:
            return
        place = self._place(event)
        if not self.dragged and place == self._from:
            return
        if not self.dragged:
            self.dragged = True
            self.capture_mouse()
        self._to = place
        self._scroll_at_edge(event.get_content_offset_capture(self))
        self.refresh()

    def _scroll_at_edge(self, offset: Offset) -> None:
        """Beyond the first or last row the lines come by, for as long as the mouse stays there."""
        by = -1 if offset.y < 0 else 1 if offset.y >= self.scrollable_content_region.height else 0
        if self._edge is not None:
            self._edge.stop()
            self._edge = None
        if by:
            self._edge = self.set_interval(_STEP_SECONDS, lambda: self._scroll_on(by))

    def _scroll_on(self, by: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + by, animate=False)
        if self._to is not None:
            row = self.scroll_offset.y + (0 if by < 0 else max(0, self.scrollable_content_region.height - 1))
            self._to = Place(min(row, max(0, self.line_count() - 1)), self._to.column)
        self.refresh()

    def on_mouse_up(self) -> None:
        if not self._moving:
            return
        self._moving = False
        self.release_mouse()
        self._scroll_at_edge(Offset(0, 0))
        if text := self.picked:
            self.post_message(self.Picked(text))
