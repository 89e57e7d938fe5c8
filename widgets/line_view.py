"""A scrolling view over lines: only what is on screen is built, strips are cached until something changes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip

from cockpit.actions import key_named, labels_of
from cockpit.plain_text import plain_text
from widgets.dragging import Dragging
from widgets.hints import hint_content
from widgets.lines import TOKENS, Line, fit, plain, width_of


class LineView(Dragging, inherit_bindings=False):
    """Shows lines of spans by the line API. A subclass says how many there are and what each holds.

    `now` is the time that ages are told from; the app moves it on. `wish` is how many lines it would like to have;
    `keys` says how the keys of actions are written.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line--{token}" for token in TOKENS}
    can_focus = True
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.now = datetime.now(UTC)
        self._styles: dict[str, Style] = {}
        self._strips: dict[tuple[int, int], Strip] = {}
        self.wish = 3
        self.keys = labels_of({})
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
        """Forget what was built and draw again."""
        self.forget_picked()
        self._strips.clear()
        size = Size(0, self.line_count())
        if self.virtual_size != size:
            self.virtual_size = size
        self.refresh()

    def tick(self, now: datetime) -> None:
        """Time has passed: ages are told anew."""
        self.now = now
        self.lines_changed()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()
        self._strips.clear()

    def on_resize(self) -> None:
        self._strips.clear()

    def on_focus(self) -> None:
        self.lines_changed()

    def on_blur(self) -> None:
        self.lines_changed()

    def render_line(self, y: int) -> Strip:
        """The strip of one screen row (Textual's line API)."""
        width = self.scrollable_content_region.width
        row = y + self.scroll_offset.y
        if row >= self.line_count():
            return Strip.blank(width, self.style_of("text"))
        strip = self._strips.get((row, width))
        if strip is None:
            strip = self._strips[(row, width)] = self._strip(self.line_at(row, width), width, row == self.cursor_at())
        return self.marked(strip, row, self.style_of("picked")) if self.dragged else strip

    def text_at(self, y: int) -> str:
        width = self.scrollable_content_region.width
        return plain(fit(self.line_at(y, width), width))

    def style_of(self, token: str) -> Style:
        """The Rich style of a token in the theme that is on."""
        style = self._styles.get(token)
        if style is None:
            style = self._styles[token] = self.get_component_rich_style(f"line--{token}")
        return style

    def _strip(self, spans: Line, width: int, cursor: bool) -> Strip:
        base = self.style_of("text")
        over = Style.null()
        if cursor:
            over = self.get_component_rich_style(f"line--{'cursor' if self.has_focus else 'cursor-blur'}", partial=True)
        segments = [Segment(text, base + self.style_of(token) + over) for text, token in fit(spans, width)]
        return Strip(segments).adjust_cell_length(width, base + over)

    def set_title(self, title: Line, subtitle: Line = (), *, hint: str = "") -> None:
        """The title in the border; text from outside is safe here, because it is not parsed as markup. A `hint` names
        keys, which can be clicked, and takes the place of the subtitle."""
        self.border_title = Content(self.trouble or plain(title))
        self.border_subtitle = hint_content(hint) if hint else Content(plain(subtitle)) if subtitle else None

    def fail(self, why: str) -> None:
        """Let the title say what stopped this view, until `why` is empty: what it shows is old or missing."""
        self.trouble = plain_text(why, 160)
        if why:
            self.border_title = Content(self.trouble)

    def on_click(self, event: events.Click) -> None:
        """A click on a key that a line names is as good as the key."""
        offset = event.get_content_offset(self)
        if offset is None or self.dragged or not self.picks:
            return
        row = offset.y + self.scroll_offset.y
        spans = self.line_at(row, self.scrollable_content_region.width) if row < self.line_count() else ()
        for place, (text, token) in enumerate(spans):
            if width_of(spans[:place]) <= offset.x < width_of(spans[: place + 1]):
                if token == "key" and (key := key_named(text.strip())):
                    self.app.call_later(self.app.simulate_key, key)
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
        if lines != self._lines:
            self._lines = tuple(lines)
            self.lines_changed()
