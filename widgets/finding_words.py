"""What the finding under the cursor says, below a list that is too narrow to say it."""

from collections.abc import Sequence

from cockpit.findings.models import Check, CheckProblem, Finding
from cockpit.plain_text import plain_text
from widgets.line_view import FixedLines
from widgets.lines import Line, fit, line
from widgets.wrap import wrap_line


class FindingWords(FixedLines):
    """A few lines without a frame: the message, and what to do where there is room."""

    can_focus = False
    _told: Finding | CheckProblem | Check | None = None

    def say(self, row: Finding | CheckProblem | Check | None) -> None:
        """Tell of this row; None empties it."""
        self._told = row
        self.show_lines(words_of(row, *self.scrollable_content_region.size))

    def on_resize(self) -> None:
        super().on_resize()
        self.say(self._told)


def words_of(row: Finding | CheckProblem | Check | None, width: int, height: int) -> Sequence[Line]:
    """The message of a row, then its help, in at most `height` lines of `width` cells; what is cut ends with `…`."""
    if row is None or width <= 0:
        return ()
    message = row.reason or "no reason was given" if isinstance(row, Check) else row.message
    rows = _in_lines(line((plain_text(message), "text")), width, height)
    if isinstance(row, Finding) and row.help and len(rows) < height:
        rows += _in_lines(line(("→ ", "accent"), (plain_text(row.help), "muted")), width, height - len(rows))
    return rows


def _in_lines(spans: Line, width: int, height: int) -> list[Line]:
    """A sentence in at most `height` lines; the last one goes on with the rest, until it is full."""
    rows = wrap_line(spans, width, 2 if len(spans) > 1 else 0)
    if len(rows) <= height:
        return rows
    rest = [span for row in rows[height - 1 :] for span in row if span[0].strip()]
    return [*rows[: height - 1], fit(tuple(rest), width)]
