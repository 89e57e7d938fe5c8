"""A screen over the panes that shows lines and closes again: help, a report, a finding's code, what is hidden."""

import re
from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from cockpit.plain_text import plain_text
from widgets.bindings import bind
from widgets.lines import Line, line, pad
from widgets.screens.listing import MOVES, Moving, WrappedLines


class ReportScreen(Moving, ModalScreen[None]):
    """Lines in a frame, scrolled with the keys of a list, closed with escape, q or the key that opened it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("close", "dismiss"),
        Binding("space", "dismiss", "Close", show=False),
        *MOVES,
    ]

    def __init__(
        self,
        title: str,
        lines: Sequence[Line],
        *,
        hint: str = "{close} close · {down} {up} scroll",
        is_help: bool = False,
        compact: bool = False,
    ) -> None:
        super().__init__()
        self._compact = compact
        self._title, self._hint, self._is_help = title, hint, is_help
        self.shown = list(lines)

    def compose(self) -> ComposeResult:
        yield WrappedLines(id="report", compact=self._compact)

    def on_mount(self) -> None:
        view = self.query_one("#report", WrappedLines)
        view.set_title(line(self._title), hint=self.words(self._hint))
        view.show_lines(self.shown)
        view.focus()

    def replace(self, lines: Sequence[Line]) -> None:
        """Show other lines, when what was being read has come."""
        self.shown = list(lines)
        if self.is_mounted:
            self.query_one("#report", WrappedLines).show_lines(self.shown)

    def action_keys(self) -> None:
        """The key that opened the help closes it."""
        if self._is_help:
            self.dismiss(None)
        else:
            super().action_keys()


def markdown_lines(text: str) -> list[Line]:
    """A report's Markdown as lines: headings strong, bullets quiet, tables aligned. No markup is interpreted."""
    rows: list[Line] = []
    table: list[list[str]] = []
    for raw in [*text.splitlines(), ""]:
        bare = plain_text(raw).strip()
        if bare.startswith("|"):
            table.append([cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", bare.strip("|"))])
            continue
        rows += _table_lines(table)
        table = []
        if not bare and rows and rows[-1] and rows[-1][0][1] == "strong":
            continue  # no empty line between a heading and what it heads
        if bare.startswith("#"):
            rows.append(line((bare.lstrip("#").strip(), "strong")))
        elif bare.startswith(("- ", "* ")):
            rows.append(line(("  · ", "accent"), (_words(bare[2:]), "text")))
        elif bare.startswith("*") and bare.endswith("*"):
            rows.append(line((bare.strip("*"), "muted")))
        else:
            rows.append(line((_words(bare), "text")))
    return rows


def _table_lines(table: list[list[str]]) -> list[Line]:
    body = [cells for cells in table if not all(set(cell) <= set("-: ") for cell in cells)]
    if not body:
        return []
    sizes = [
        min(44, max(cell_len(row[place]) if place < len(row) else 0 for row in body)) for place in range(len(body[0]))
    ]
    rows: list[Line] = []
    for number, row in enumerate(body):
        cells = [pad(cell, size) for cell, size in zip(row, sizes, strict=False)]
        rows.append(line((f"  {'  '.join(cells).rstrip()}", "text" if number else "faint")))
    return rows


def _words(text: str) -> str:
    return text.replace("**", "").replace("`", "")
