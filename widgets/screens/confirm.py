"""A diff before it is applied: enter applies, escape leaves the file as it is."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from cockpit.plain_text import plain_text
from widgets.bindings import bind
from widgets.lines import Line, line
from widgets.screens.listing import MOVES
from widgets.screens.report import LinesScreen


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


class ConfirmScreen(LinesScreen[bool]):
    """Shows lines and asks once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("yes", "answer(True)"),
        bind("no", "answer(False)"),
        *MOVES,
    ]

    def __init__(self, title: str, lines: Sequence[Line], *, hint: str = "{yes} apply · {no} leave") -> None:
        super().__init__(title, lines, hint=hint, compact=True)

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)
