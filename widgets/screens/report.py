"""A screen over the panes that shows lines and closes again: help, a report, a finding's code, what is hidden."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from widgets.line_view import FixedLines
from widgets.lines import Line, line


class ReportScreen(ModalScreen[None]):
    """Lines in a frame, scrolled with the keys of a list, closed with escape, q or the key that opened it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,space", "dismiss", "Close", show=False),
        Binding("j,down", "move('down')", "Down", show=False),
        Binding("k,up", "move('up')", "Up", show=False),
        Binding("pagedown", "move('page-down')", "Page down", show=False),
        Binding("pageup", "move('page-up')", "Page up", show=False),
        Binding("g,home", "move('top')", "First", show=False),
        Binding("G,end", "move('bottom')", "Last", show=False),
    ]

    def __init__(
        self, title: str, lines: Sequence[Line], *, hint: str = "esc close · j k scroll", key: str = ""
    ) -> None:
        super().__init__()
        self._title, self._hint, self._own_key = title, hint, key
        self._shown = list(lines)

    def compose(self) -> ComposeResult:
        yield FixedLines(id="report")

    def on_mount(self) -> None:
        view = self.query_one("#report", FixedLines)
        view.set_title(line(self._title), line(self._hint))
        view.show_lines(self._shown)
        view.focus()

    def replace(self, lines: Sequence[Line]) -> None:
        """Show other lines, when what was being read has come."""
        self._shown = list(lines)
        if self.is_mounted:
            self.query_one("#report", FixedLines).show_lines(self._shown)

    def action_move(self, step: str) -> None:
        self.query_one("#report", FixedLines).move(step)

    def on_key(self, event: object) -> None:
        if self._own_key and getattr(event, "key", "") == self._own_key:
            self.dismiss(None)


def markdown_lines(text: str) -> list[Line]:
    """A report's Markdown as lines: headings strong, bullets and table rules quiet. No markup is interpreted."""
    rows: list[Line] = []
    for raw in text.splitlines():
        bare = raw.strip()
        if bare.startswith("#"):
            rows.append(line((bare.lstrip("#").strip(), "strong")))
        elif bare.startswith(("|---", "| ---", "|:--")):
            continue
        elif bare.startswith("|"):
            cells = [cell.strip() for cell in bare.strip("|").split("|")]
            rows.append(line(("  ", "text"), ("  ".join(f"{cell:<24}" for cell in cells).rstrip(), "text")))
        elif bare.startswith(("- ", "* ")):
            rows.append(line(("  · ", "accent"), (bare[2:].replace("**", "").replace("`", ""), "text")))
        elif bare.startswith("*") and bare.endswith("*"):
            rows.append(line((bare.strip("*"), "muted")))
        else:
            rows.append(line((bare.replace("**", "").replace("`", ""), "text" if bare else "faint")))
    return rows
