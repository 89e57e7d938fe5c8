"""Work that takes more than a moment: its steps as they come, escape to stop it."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from cockpit.plain_text import plain_text
from widgets.bindings import bind, labels, with_keys
from widgets.line_view import FixedLines
from widgets.lines import Line, line
from widgets.screens.leaving import Leaving

_LEAST = 8  # lines, so that the frame does not grow with every step


def step_lines(steps: Sequence[str]) -> list[Line]:
    """The steps so far: all but the last are done."""
    rows = [line(("✓ ", "good"), (plain_text(step, 200), "muted")) for step in steps[:-1]]
    return [*rows, *(line(("▶ ", "accent"), (plain_text(step, 200), "text")) for step in steps[-1:])]


class StepsScreen(Leaving[None]):
    """Shows steps until its opener dismisses it. `Stop` says that the person wants no more of it."""

    class Stop(Message):
        """Escape was pressed."""

        def __init__(self, screen: "StepsScreen") -> None:
            self.screen = screen
            super().__init__()

    BINDINGS: ClassVar[list[BindingType]] = [bind("close", "stop")]

    def __init__(self, title: str, steps: Sequence[str], *, hint: str) -> None:
        super().__init__()
        self._title, self._hint = title, hint
        self.steps = list(steps)

    def compose(self) -> ComposeResult:
        yield FixedLines(id="report")

    def on_mount(self) -> None:
        view = self.query_one("#report", FixedLines)
        view.set_title(line(self._title), hint=with_keys(self._hint, labels(self)))
        self._build()
        view.focus()

    def show(self, steps: Sequence[str]) -> None:
        """Show these steps."""
        self.steps = list(steps)
        if self.is_there:
            self._build()

    def _build(self) -> None:
        view = self.query_one("#report", FixedLines)
        view.show_lines(step_lines(self.steps))
        view.styles.height = max(_LEAST, len(self.steps)) + 2

    def action_stop(self) -> None:
        self.post_message(self.Stop(self))
