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

    def say(self, row: Finding | CheckProblem | Check | None) -> None:
        """Tell of this row; None empties it."""
        self.show_lines(words_of(row, *self.scrollable_content_region.size))


def words_of(row: Finding | CheckProblem | Check | None, width: int, height: int) -> Sequence[Line]:
    """The message of a row, then its help, in at most `height` lines of `width` cells; what is cut ends with `…`."""
    if row is None or width <= 0:
        return ()
    message = row.reason or "no reason was given" if isinstance(row, Check) else row.message
    rows = wrap_line(line((plain_text(message), "text")), width)
    if isinstance(row, Finding) and row.help and len(rows) < height:
        rows += wrap_line(line(("→ ", "accent"), (plain_text(row.help), "muted")), width, 2)
    if len(rows) > height > 0:
        *before, (text, token) = fit(rows[height - 1], width - 2)
        rows[height - 1] = (*before, (f"{text.rstrip(' …')} …", token))
    return rows[:height]
