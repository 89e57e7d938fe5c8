"""A diff before it is applied: enter applies, escape leaves the file as it is."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from cockpit.plain_text import plain_text
from widgets.bindings import bind
from widgets.lines import Line, line
from widgets.screens.leaving import Leaving
from widgets.screens.listing import MOVES, Moving, WrappedLines


def diff_lines(diff: str) -> list[Line]:
    """A unified diff as lines: what comes is good, what goes is bad, the rest is quiet."""
    rows: list[Line] = []
    for raw in diff.removesuffix("\n").replace("\r\n", "\n").split("\n"):
        token = "good" if raw.startswith("+") else "bad" if raw.startswith("-") else "muted"
        rows.append(
            line(
                (
                    plain_text(raw.expandtabs(4), 300),
                    "faint" if raw.startswith(("+++", "---", "@@")) else token,
                )
            )
        )
    return rows


class ConfirmScreen(Moving, Leaving[bool]):
    """Shows lines and asks once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("yes", "answer(True)"),
        bind("no", "answer(False)"),
        *MOVES,
    ]

    def __init__(self, title: str, lines: Sequence[Line], *, hint: str = "{yes} apply · {no} leave") -> None:
        super().__init__()
        self._title, self.shown, self._hint = title, list(lines), hint

    def compose(self) -> ComposeResult:
        yield WrappedLines(id="report", compact=True)

    def on_mount(self) -> None:
        view = self.query_one("#report", WrappedLines)
        view.set_title(line(self._title), hint=self.words(self._hint))
        view.show_lines(self.shown)
        view.focus()

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)
