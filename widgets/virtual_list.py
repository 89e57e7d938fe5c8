"""A list of any length with a cursor: rows are built when they come on screen."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

from textual import events
from textual.message import Message

from widgets.line_view import LineView
from widgets.lines import Line, line
from widgets.wrap import wrapped

Item = TypeVar("Item")


class _Told(Message):
    """A message about a list."""

    def __init__(self, view: "VirtualList[Any]") -> None:
        self.view = view
        super().__init__()

    @property
    def control(self) -> "VirtualList[Any]":
        return self.view


class VirtualList(LineView, Generic[Item]):
    """Rows of items, one line each.

    The cursor stays on the same item (by `key`) when the items change; at the top it stays at the top, so that the most
    pressing item is under it. `empty` is said where there are none.
    """

    class Highlighted(_Told):
        """The cursor moved to another item."""

    class Chosen(_Told):
        """An item was clicked twice: as good as enter."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.items: Sequence[Item] = ()
        self.cursor = 0
        self.empty: Sequence[Line] = ()

    def key(self, item: Item) -> Hashable:
        """What makes an item the same one after an update."""
        return item

    def row(self, item: Item, index: int, width: int) -> Line:
        """The line of an item."""
        return line(str(item))

    @property
    def current(self) -> Item | None:
        """The item under the cursor."""
        return self.items[self.cursor] if 0 <= self.cursor < len(self.items) else None

    def show_items(self, items: Sequence[Item]) -> None:
        """Show these items. The cursor keeps its item; where that is gone, its place."""
        before = self.current
        self.items = items
        if before is not None and self.cursor:
            wanted = self.key(before)
            if not (self.cursor < len(items) and self.key(items[self.cursor]) == wanted):
                self.cursor = next((n for n, item in enumerate(items) if self.key(item) == wanted), self.cursor)
        self.cursor = max(0, min(self.cursor, len(items) - 1))
        self.lines_changed()
        if (self.current is None) != (before is None) or (
            self.current is not None and before is not None and self.key(self.current) != self.key(before)
        ):
            self.post_message(self.Highlighted(self))

    def line_count(self) -> int:
        return len(self.items) or len(wrapped(self.empty, self.scrollable_content_region.width))

    def line_at(self, y: int, width: int) -> Line:
        return self.row(self.items[y], y, width) if self.items else wrapped(self.empty, width)[y]

    def on_resize(self) -> None:
        if not self.items:
            self.lines_changed()  # sentences break elsewhere

    def cursor_at(self) -> int | None:
        return self.cursor if self.items else None

    def move(self, action: str) -> None:
        """Move the cursor: down, up, page-down, page-up, top, bottom."""
        page = max(1, self.scrollable_content_region.height - 1)
        last = len(self.items) - 1
        targets: dict[str, int] = {
            "down": self.cursor + 1,
            "up": self.cursor - 1,
            "page-down": self.cursor + page,
            "page-up": self.cursor - page,
            "top": 0,
            "bottom": last,
        }
        self.move_to(targets[action])

    def move_to(self, index: int) -> None:
        """Put the cursor on item `index` (kept in range) and bring it on screen."""
        index = max(0, min(index, len(self.items) - 1))
        if not self.items or index == self.cursor:
            return
        before, self.cursor = self.cursor, index
        self.row_changed(before)
        self.row_changed(index)
        self.show_cursor()
        self.post_message(self.Highlighted(self))

    def find(self, wanted: Callable[[Item], bool]) -> bool:
        """Put the cursor on the first item that is `wanted`. False where there is none."""
        for index, item in enumerate(self.items):
            if wanted(item):
                self.move_to(index)
                return True
        return False

    def show_cursor(self) -> None:
        """Scroll as little as brings the cursor on screen."""
        height = self.scrollable_content_region.height
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif height and self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or not self.items or self.dragged:
            return
        self.move_to(offset.y + self.scroll_offset.y)
        if event.chain == 2:
            self.post_message(self.Chosen(self))
