"""What the two screens of the day share: rows with a cursor, and steps that stream with their status."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import BindingType

from cockpit.plain_text import plain_text
from skills.workflow.steps import Step
from skills.workflow.sweep import SweepCheck, said_of, title_of
from widgets.bindings import bind
from widgets.lines import Line, crop, line, pad
from widgets.screens.leaving import Toggled
from widgets.screens.listing import MOVES
from widgets.screens.rows import Row, RowsScreen
from widgets.words import STATUS

_STEPS: dict[str, tuple[str, str, str]] = {**STATUS, "running": ("▶", "runs…", "accent"), "waiting": ("·", "", "faint")}
_NARROW = 64
_MOST_FINDINGS = 12


def rows_of(name: str, lines: Iterable[Line]) -> list[Row]:
    """Plain lines as rows."""
    return [Row((name, number), shown) for number, shown in enumerate(lines)]


def step_row(step: Step, width: int) -> Row:
    """One step: its sign and word, its name, and what it came to."""
    glyph, word, token = _STEPS[step.status]
    name, said = (16, 9) if width >= _NARROW else (10, 6)  # the few that are longer move what follows them
    shown = line(
        (f"  {glyph} ", token),
        (f"{step.step:<{name - 1}} ", "text"),
        (f"{word:<{said - 1}} ", token),
        (plain_text(step.detail, 300), "muted"),
    )
    return Row(("step", step.step), shown)


def sweep_rows(checks: Sequence[SweepCheck], width: int) -> list[Row]:
    """The answers of a sweep with what they found."""
    found: list[Row] = []
    for check in checks:
        glyph, _, token = STATUS[check.status]
        if check.status == "fail" and not check.blocks:
            token = "warn"
        said = plain_text(said_of(check), 300)
        shown = line((f"  {glyph} ", token), (pad(title_of(check.check), 16), "text"), (said, token))
        found.append(Row(("sweep", check.check), shown))
        for number, one in enumerate(check.findings[:_MOST_FINDINGS]):
            place = one.path + (f":{one.line}" if one.line else "")
            secret = f"  {one.redacted}" if one.redacted else ""
            spans = line((f"      {crop(place, max(12, width // 2))}  ", "info"), (one.message + secret, "muted"))
            found.append(Row(("sweep", check.check, number), spans, "place" if one.path else "", place))
        if len(check.findings) > _MOST_FINDINGS:
            more = f"      and {len(check.findings) - _MOST_FINDINGS} more: cockpit sweep"
            found.append(Row(("sweep", check.check, "more"), line((more, "faint"))))
    return found


def heading(text: str, note: str = "") -> Line:
    """The heading of a section, and what may be done in it."""
    return line((text, "strong"), (f"  {note}" if note else "", "faint"))


class DayScreen(RowsScreen, Toggled):
    """Rows in a frame; steps come as they end. `keys` opened it and close it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("close", "leave"),
        *MOVES,
    ]

    class Opened(RowsScreen.Opened):
        """As `RowsScreen.Opened`."""

    class Left(RowsScreen.Left):
        """As `RowsScreen.Left`."""

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__()
        self.keys = tuple(keys)
        self.steps: dict[str, Step] = {}

    def step(self, step: Step) -> None:
        """A step began or ended."""
        self.steps[step.step] = step
        self.build()

    def step_rows(self, *, all_of_them: bool = True) -> list[Row]:
        """The steps; without `all_of_them` only those that want to be seen."""
        shown = [step for step in self.steps.values() if all_of_them or step.status in ("running", "fail", "not_run")]
        return [step_row(step, self.width) for step in shown]
