"""The verification gate as it runs: phases with their answers, what they found, whether it may be deployed."""

from collections.abc import Sequence
from time import monotonic
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import BindingType

from cockpit.plain_text import plain_text
from skills.gates.model import GLYPHS, Status
from skills.verify.model import PHASES, Answer, Verification, next_steps, recommendation, worst
from skills.verify.predeploy import Item
from widgets.bindings import bind
from widgets.lines import Line, line, next_lines, pad
from widgets.screens.listing import MOVES
from widgets.screens.rows import Row, RowsScreen
from widgets.words import STATUS

_MOST_PLACES = 20


def phase_title(phase: int) -> str:
    """The heading of a phase; 0 holds the guardrails, 13 what belongs to the lane alone."""
    if phase == 0:
        return "Guardrails"
    return f"{phase:>2} {PHASES[phase - 1]}" if phase <= len(PHASES) else "Promotion"


def rows_of(
    answers: Sequence[Answer], running: int | None, *, only_open: bool = False, seconds: int = 0, said: str = ""
) -> list[Row]:
    """Phases in their order with their answers; the one that runs is marked, with the seconds that it takes already and
    how far it `said` it is. `only_open`: what passed is left out."""
    rows: list[Row] = []
    phases = sorted({answer.phase for answer in answers} | ({running} if running else set()), key=lambda n: n or 99)
    for phase in phases:
        own = [answer for answer in answers if answer.phase == phase]
        kept = [answer for answer in own if not only_open or answer.status in ("fail", "not_run")]
        if only_open and not kept and phase != running:
            continue
        rows.append(Row(("phase", phase), _heading(phase, own, phase == running, seconds, said)))
        for answer in kept:
            rows += _answer_rows(answer)
    return rows


def _heading(phase: int, own: Sequence[Answer], runs: bool, seconds: int, said: str) -> Line:
    if runs:
        since = f" {seconds} s" if seconds > 1 else ""
        far = f" · {plain_text(said, 100)}" if said else ""
        return line(("▶ ", "accent"), (phase_title(phase), "strong"), (f"  runs…{since}{far}", "muted"))
    glyph, _, token = STATUS[worst(own)]
    return line((f"{glyph} ", token), (phase_title(phase), "strong"))


def _answer_rows(answer: Answer) -> list[Row]:
    glyph, word, token = STATUS[answer.status]
    if answer.status == "fail" and not answer.required:
        token = "warn"
    detail = plain_text(answer.detail, 300)
    note = "" if answer.required or answer.status != "fail" else " · does not block"
    shown = line(
        (f"    {glyph} {pad(word, 8)}", token),
        (plain_text(answer.title, 120), "text"),
        (f"  {detail}" if detail else "", "muted"),
        (note, "faint"),
    )
    rows = [Row((answer.phase, answer.check), shown)]
    for place in answer.places[:_MOST_PLACES]:
        shown = line(("               ", "text"), (plain_text(place, 200), "info"))
        rows.append(Row((answer.check, place), shown, "place", place))
    if len(answer.places) > _MOST_PLACES:
        more = f"               and {len(answer.places) - _MOST_PLACES} more"
        rows.append(Row((answer.check, "more"), line((more, "faint"))))
    return rows


def closing_rows(verification: Verification, items: Sequence[Item]) -> list[Row]:
    """The predeploy list, the recommendation, and what to do next."""
    rows = [Row("gap", ())]
    if items:
        rows.append(Row("predeploy", line(("Predeploy list", "strong"))))
        for item in items:
            sign, word, token = STATUS[item.status]
            by = f"  {plain_text(item.by, 80)}" if item.by else ""
            glyph = line((f"    {sign} {pad(word, 8)}", token))
            rows.append(Row(("item", item.id), (*glyph, (item.title, "text"), (by, "muted"))))
        rows.append(Row("gap2", ()))
    rows.append(Row("verdict", line((recommendation(verification), STATUS[verification.status][2]))))
    for place, step in enumerate(next_steps(verification), 1):
        rows.append(Row(("step", place), line((f"  {place}. ", "accent"), (plain_text(step, 300), "text"))))
    return rows


class VerifyScreen(RowsScreen):
    """Shows answers as they come, and how far the phase that runs `said` it is. Leaving it ends the run."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("close", "leave"),
        bind("verify", "leave"),
        bind("verify-only-open", "only_open"),
        bind("verify-open", "open"),
        *MOVES,
    ]

    class Opened(RowsScreen.Opened):
        """As `RowsScreen.Opened`."""

    class Left(RowsScreen.Left):
        """As `RowsScreen.Left`."""

    def __init__(self, name_of: str) -> None:
        super().__init__()
        self._name_of = name_of
        self.answers: list[Answer] = []
        self.running: int | None = 1
        self.first: list[Row] = []
        self.closing: list[Row] = []
        self.said = ""
        self._only_open = False
        self._followed: Row | None = None
        self._began = monotonic()

    def on_mount(self) -> None:
        self._pulse = self.set_interval(1, self.build)

    def begin(self, phase: int) -> None:
        """A phase runs."""
        self.running, self.said, self._began = phase, "", monotonic()
        self.build()

    def add(self, answer: Answer) -> None:
        """An answer came."""
        self.answers.append(answer)
        self.build()

    def finish(self, verification: Verification, items: Sequence[Item]) -> None:
        """All phases are through."""
        self.answers = [*verification.answers, *verification.guardrails]
        self.running, self.closing = None, closing_rows(verification, items)
        steps = next_steps(verification) or [recommendation(verification)]
        shown = next_lines(steps[0], self.size.width - 6, most=4)
        self.first = [*(Row(("next", number), one) for number, one in enumerate(shown)), Row("gap0", ())]
        at_work = self.is_there and self._followed is not None and self.view.current is self._followed
        self.build()
        if at_work:
            self.view.move("top")

    def fail(self, why: str) -> None:
        """It could not run at all."""
        self.running = None
        super().fail(why)

    def build(self) -> None:
        if not self.is_there:
            return
        counts: dict[Status, int] = {
            word: sum(1 for one in self.answers if one.status == word) for word in ("pass", "fail", "not_run")
        }
        said = f"{counts['pass']} pass · {counts['fail']} fail · {counts['not_run']} not run"
        brief = " ".join(f"{count} {GLYPHS[word]}" for word, count in counts.items())
        running = "" if self.running is None else f" · phase {self.running} of {len(PHASES)}"
        named = f"Verify {plain_text(self._name_of, 40)}"
        titles = (f"{named} · {said}{running}", f"{named} · {brief}{running}", f"Verify · {brief}{running}")
        room = self.size.width - 6
        title = next((one for one in titles if cell_len(one) <= room), titles[-1])
        self.view.set_title(line(title), hint=self.longest(self._hints(), room))
        if self.running is None:
            self._pulse.stop()
        seconds = int(monotonic() - self._began)
        rows = rows_of(self.answers, self.running, only_open=self._only_open, seconds=seconds, said=self.said)
        followed = self.running is not None and self.view.current is self._followed
        self.show_rows([*self.first, *rows, *self.closing, *self.trouble_rows()])
        if followed:  # until the person goes elsewhere
            self.view.find(lambda row: row.key == ("phase", self.running))
            self.call_after_refresh(self.view.show_cursor)  # it may be the row with which the list outgrows its frame
        self._followed = self.view.current if followed else None

    def _hints(self) -> tuple[str, ...]:
        shown = "all of it" if self._only_open else "open ones"
        close = "close" if self.running is None else "stop and close"
        return (
            f"{{verify-open}} open · {{verify-only-open}} {shown} · {{close}} {close}",
            f"{{verify-open}} open · {{verify-only-open}} {shown} · {{close}}",
        )

    def action_only_open(self) -> None:
        self._only_open = not self._only_open
        self.build()

    def useful(self) -> str:
        """The place of a row that has one."""
        return self._place() or super().useful()

    def _place(self) -> str:
        row = self.view.current
        return str(row.value) if row is not None and row.kind == "place" else ""

    def action_open(self) -> None:
        if place := self._place():
            self.post_message(self.Opened(place))
