"""A scrolling view over lines: only what is on screen is built, strips are cached until something changes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from cockpit.actions import key_named, labels_of
from cockpit.plain_text import plain_text
from widgets.dragging import Dragging
from widgets.hints import hint_content
from widgets.lines import Line, fit, plain, width_of
from widgets.looks import looks_of

_MOST_KEPT = 512  # rows; what was scrolled away is built again
_KEYS = labels_of({})  # until the app says how a person has them


class _Drawn(NamedTuple):
    """A row as it stands on screen: its spans (None below the last line), the cursor's token, and what it became."""

    spans: Line | None
    mark: str
    strip: Strip


class LineView(Dragging, inherit_bindings=False):
    """Shows lines of spans by the line API. A subclass says how many there are and what each holds.

    `now` is the time that ages are told from; the app moves it on. `wish` is how many lines it would like to have;
    `keys` says how the keys of actions are written.
    """

    can_focus = True
    ALLOW_SELECT = False

    class Tab(Message):
        """The name of a tab was clicked."""

        def __init__(self, name: str) -> None:
            self.name = name
            super().__init__()

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.now = datetime.now(UTC)
        self._styles: dict[str, Style] = {}
        self._theme: dict[str, str] = {}
        self._rows: dict[tuple[int, int], _Drawn] = {}
        self._titles: tuple[Content, Content | None] | None = None
        self._framing = False
        self.wish = 3
        self.keys = _KEYS
        self.trouble = ""

    def line_count(self) -> int:
        """How many lines there are."""
        return 0

    def line_at(self, y: int, width: int) -> Line:
        """The spans of line `y`, made for `width` cells."""
        return ()

    def cursor_at(self) -> int | None:
        """The line that carries the cursor, if any."""
        return None

    def lines_changed(self) -> None:
        """Draw again what is not as it was."""
        self._count_changed()
        drawn, self._rows = self._rows, {}
        if self.forget_picked() or not drawn:
            self.refresh()
            return
        width, height = self.scrollable_content_region.size
        for row in range(self.scroll_offset.y, self.scroll_offset.y + height):
            before = drawn.get((row, width))
            if before is not None and (before.spans, before.mark) == self._row(row, width):
                self._rows[(row, width)] = before
            else:
                self.refresh_line(row)

    def row_changed(self, row: int) -> None:
        """Draw one line again."""
        self._rows.pop((row, self.scrollable_content_region.width), None)
        if 0 <= row - self.scroll_offset.y < self.scrollable_content_region.height:
            self.refresh_line(row)

    def _count_changed(self) -> None:
        """Tell how many lines there are. The whole screen is laid out anew only where the scrollbar comes or goes."""
        size, before, room = Size(0, self.line_count()), self.virtual_size, self.container_size.height
        if size == before:
            return
        if not room or min(size.height, before.height) <= room < max(size.height, before.height):
            self.virtual_size = size
            return
        self.set_reactive(Widget.virtual_size, size)
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = size.height
        self.scroll_target_y = self.scroll_target_y  # kept in range
        self.scroll_y = self.scroll_y

    def tick(self, now: datetime) -> None:
        """Time has passed: ages are told anew."""
        self.now = now
        self.lines_changed()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()
        self._rows.clear()
        if self._theme is not self.app.theme_variables:
            self._theme = self.app.theme_variables
            self.refresh()

    def on_resize(self) -> None:
        self._rows.clear()

    def on_focus(self) -> None:
        self.lines_changed()

    def on_blur(self) -> None:
        self.lines_changed()

    def render_line(self, y: int) -> Strip:
        """The strip of one screen row (Textual's line API)."""
        width = self.scrollable_content_region.width
        row = y + self.scroll_offset.y
        drawn = self._rows.get((row, width))
        if drawn is None:
            if len(self._rows) >= _MOST_KEPT:
                self._rows.clear()
            spans, mark = self._row(row, width)
            drawn = self._rows[(row, width)] = _Drawn(spans, mark, self._strip(spans or (), width, mark))
        return self.marked(drawn.strip, row, self.style_of("picked")) if self.dragged else drawn.strip

    def _row(self, row: int, width: int) -> tuple[Line | None, str]:
        """What stands in a row, and the token of the cursor where it is there."""
        if row >= self.line_count():
            return None, ""
        mark = ("cursor" if self.has_focus else "cursor-blur") if row == self.cursor_at() else ""
        return self.line_at(row, width), mark

    def text_at(self, y: int) -> str:
        width = self.scrollable_content_region.width
        return plain(fit(self.line_at(y, width), width))

    def style_of(self, token: str) -> Style:
        """The Rich style of a token in the theme that is on."""
        style = self._styles.get(token)
        if style is None:
            under = self._styles.get("") or self._styles.setdefault("", self.rich_style)
            style = self._styles[token] = under + looks_of(token, self._theme, under)
        return style

    def _strip(self, spans: Line, width: int, mark: str) -> Strip:
        base = self.style_of("text")
        over = looks_of(mark, self._theme, base) if mark else Style.null()
        if over.reverse:  # one bar, and readable: not a patch of each colour, and nothing dim
            over += Style(dim=False, color=base.color)
        segments = [Segment(text, base + self.style_of(token) + over) for text, token in fit(spans, width)]
        return Strip(segments).adjust_cell_length(width, base + over)

    def set_title(self, title: Line, subtitle: Line = (), *, hint: str = "") -> None:
        """The title in the border; text from outside is safe here, because it is not parsed as markup. A `hint` names
        keys, which can be clicked, and takes the place of the subtitle."""
        below = hint_content(hint) if hint else Content(plain(subtitle)) if subtitle else None
        self._entitle(Content(self.trouble or plain(title)), below)

    def fail(self, why: str) -> None:
        """Let the title say what stopped this view, until `why` is empty: what it shows is old or missing."""
        if plain_text(why, 160) == self.trouble:
            return
        self.trouble = plain_text(why, 160)
        if why:
            self._entitle(Content(self.trouble), self._titles[1] if self._titles else None)
        self.troubled()

    def troubled(self) -> None:
        """`trouble` is another: a view that says it is still reading says what stopped it instead."""

    def _entitle(self, title: Content, below: Content | None) -> None:
        if (title, below) != self._titles:
            self._titles = (title, below)
            self._framing = True
            self.border_title, self.border_subtitle = title, below
            self._framing = False

    def refresh(self, *regions: Region, **how: Any) -> Self:
        """As Textual's, which draws everything again for a title: here the frame's own two lines are enough."""
        if self._framing and not regions and self.is_mounted:
            left, top, width, height = *(-self.content_offset), *self.outer_size
            regions = (Region(left, top, width, 1), Region(left, top + height - 1, width, 1))
        return super().refresh(*regions, **how)

    def on_click(self, event: events.Click) -> None:
        """A click on a key that a line names is as good as the key, one on the name of a tab shows it."""
        offset = event.get_content_offset(self)
        if offset is None or self.dragged or not self.picks:
            return
        row = offset.y + self.scroll_offset.y
        spans = self.line_at(row, self.scrollable_content_region.width) if row < self.line_count() else ()
        for place, (text, token) in enumerate(spans):
            if width_of(spans[:place]) <= offset.x < width_of(spans[: place + 1]):
                if token == "key" and (key := key_named(text.strip())):
                    self.app.call_later(self.app.simulate_key, key)
                elif token == "tab":
                    self.post_message(self.Tab(text.strip()))
                return

    def move(self, action: str) -> None:
        """Scroll, for a view without a cursor."""
        page = max(1, self.scrollable_content_region.height - 1)
        steps = {"down": 1, "up": -1, "page-down": page, "page-up": -page}
        if action in steps:
            self.scroll_to(y=self.scroll_offset.y + steps[action], animate=False)
        elif action == "top":
            self.scroll_home(animate=False)
        elif action == "bottom":
            self.scroll_end(animate=False)


class FixedLines(LineView):
    """A view over lines that were built beforehand."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[Line] = ()

    def line_count(self) -> int:
        return len(self._lines)

    def line_at(self, y: int, width: int) -> Line:
        return self._lines[y]

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show these lines; nothing is drawn where they are the same as before."""
        shown = tuple(lines)
        if shown != self._lines:
            self._lines = shown
            self.lines_changed()
