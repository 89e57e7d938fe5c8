"""A short list to pick from: what is hidden, for example."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from widgets.bindings import bind
from widgets.lines import Line, line
from widgets.screens.leaving import Leaving
from widgets.screens.listing import MOVES, Moving
from widgets.screens.report import report_room
from widgets.virtual_list import VirtualList
from widgets.wrap import wrapped


class _Choices(VirtualList[tuple[str, Line]]):
    def row(self, item: tuple[str, Line], index: int, width: int) -> Line:
        return item[1]


class PickScreen(Moving, Leaving[str | None]):
    """Answers with the key of the line that was picked, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("close", "dismiss"),
        bind("pick", "pick"),
        *MOVES,
    ]

    def __init__(self, title: str, choices: Sequence[tuple[str, Line]], *, hint: str, empty: str) -> None:
        super().__init__()
        self._title, self._choices, self._hint, self._empty = title, list(choices), hint, empty

    def compose(self) -> ComposeResult:
        yield _Choices(id="report")

    def on_mount(self) -> None:
        view = self.query_one("#report", _Choices)
        view.set_title(line(self._title), hint=self.words(self._hint if self._choices else "{close} close"))
        view.empty = wrapped([line((self._empty, "muted"))], report_room(self.size.width))
        view.show_items(self._choices)
        view.styles.height = view.line_count() + 2
        view.focus()

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        message.stop()
        self.action_pick()

    def action_pick(self) -> None:
        current = self.query_one("#report", _Choices).current
        self.dismiss(current[0] if current else None)
