"""The tour's hints, one at a time in a line or two below the panes; any other key leaves and does what it does."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label

from widgets.hints import hint_content
from widgets.screens.leaving import Leaving


class TourScreen(Leaving[str | None]):
    """Answers with the key that left the tour, None where it was read or skipped."""

    CSS_PATH = "tour.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space,right", "turn(1)", "Next", show=False),
        Binding("left", "turn(-1)", "Back", show=False),
        Binding("escape", "dismiss(None)", "Skip", show=False),
    ]
    _OWN = frozenset(("enter", "space", "right", "left", "escape"))

    def __init__(self, hints: Sequence[str]) -> None:
        super().__init__()
        self.hints = list(hints)
        self.place = 0

    def compose(self) -> ComposeResult:
        with Vertical(id="tour"):
            yield Label(id="tour-hint")
            yield Label(id="tour-keys")

    def on_mount(self) -> None:
        self._show()

    def on_click(self) -> None:
        self.action_turn(1)

    def on_key(self, event: events.Key) -> None:
        if event.key not in self._OWN:
            event.prevent_default().stop()
            self.dismiss(event.key)

    def action_turn(self, by: int) -> None:
        """The next hint; after the last one the tour is over."""
        self.place = max(0, self.place + by)
        if self.place >= len(self.hints):
            self.dismiss(None)
        else:
            self._show()

    def _show(self) -> None:
        last = self.place == len(self.hints) - 1
        self.query_one("#tour-hint", Label).update(Content(self.hints[self.place]))
        keys = hint_content(f"enter {'done' if last else 'next'} · esc skip")
        self.query_one("#tour-keys", Label).update(keys + Content(f" · {self.place + 1} of {len(self.hints)}"))
