"""End day: what would be written, for a person to edit in place; then the steps as they run, and what they found."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal

from textual.binding import BindingType
from textual.message import Message

from cockpit.plain_text import plain_text
from skills.counted import counted
from skills.workflow.day import EndReport
from skills.workflow.day_text import end_text
from skills.workflow.handover import Handover, entries, tidy
from skills.workflow.learnings import Learning
from skills.workflow.steps import Step
from skills.workflow.sweep import SweepCheck
from widgets.bindings import bind
from widgets.lines import Line, crop, line, pad
from widgets.markdown_lines import markdown_lines
from widgets.screens.ask import AskScreen
from widgets.screens.day import DayScreen, heading, rows_of, sweep_rows
from widgets.screens.rows import Row

Part = Literal["completed", "blockers", "decisions", "tomorrow"]
_PARTS: tuple[tuple[Part, str, str], ...] = (
    ("completed", "Completed This Session", "✓"),
    ("blockers", "Blockers", "!"),
    ("decisions", "Decisions Made", "·"),
    ("tomorrow", "Tomorrow's Priorities", "→"),
)
_DRAFT_HINTS = (
    "{end-edit} edit · {end-add} add · {end-take-out} take out · {end-later} {end-earlier} move · {end-keep} keep · "
    "{end-write} write · {close} leave",
    "{end-edit} edit · {end-add} add · {end-take-out} take out · {end-write} write · {help} keys · {close} leave",
    "{end-edit} edit · {end-write} write · {help} keys · {close}",
    "{end-write} write · {help} · {close}",
)
_TITLES: dict[str, str] = {part: title for part, title, _ in _PARTS}


class EndDayScreen(DayScreen):
    """The end of the day: a draft first, written with one key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("end-edit", "edit"),
        bind("end-add", "add"),
        bind("end-take-out", "take_out"),
        bind("end-later", "shift(1)"),
        bind("end-earlier", "shift(-1)"),
        bind("end-keep", "keep"),
        bind("end-write", "write"),
        bind("end-send", "send"),
    ]

    class Write(Message):
        """Write the draft as it is now. `confirmed` are the ids of learnings to keep, `dropped` those to forget."""

        def __init__(self, screen: "EndDayScreen", handover: Handover, confirmed: set[str], dropped: set[str]) -> None:
            self.screen, self.handover, self.confirmed, self.dropped = screen, handover, confirmed, dropped
            super().__init__()

    class Send(Message):
        """Show the message to the webhook, and send it if the person agrees."""

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(keys)
        self.handover: Handover | None = None
        self.report: EndReport | None = None
        self.learnings: tuple[Learning, ...] = ()
        self.confirmed: set[str] = set()
        self.dropped: set[str] = set()
        self.notes: tuple[str, ...] = ()
        self.writing = self.done = False
        self.checks: tuple[SweepCheck, ...] = ()
        self.verdict: Line = ()
        self._progress = ""

    def show_draft(
        self, handover: Handover, learnings: tuple[Learning, ...], notes: tuple[str, ...], report: EndReport
    ) -> None:
        """What would be written."""
        self.handover, self.learnings, self.notes, self.report = handover, learnings, notes, report
        self.build()
        if self.is_there:
            self.view.find(lambda row: row.kind == "head" and row.value == "decisions")

    def progress(self, text: str) -> None:
        """How far the sweep is."""
        self._progress = text
        if (step := self.steps.get("sweep")) is not None and step.status == "running":
            self.steps["sweep"] = Step("sweep", "running", text)
            self.build()

    def finish(self, checks: tuple[SweepCheck, ...], verdict: Line, report: EndReport) -> None:
        """All steps are through."""
        self.checks, self.verdict, self.report, self.done = checks, verdict, report, True
        self.build()
        if self.is_there:
            self.view.move("top")

    def build(self) -> None:
        """Show everything anew."""
        if not self.is_there:
            return
        rows = self.trouble_rows()
        if self.writing:
            rows += [*rows_of("verdict", [self.verdict] if self.verdict else []), *self.step_rows()]
            if self.checks:
                rows += [Row("gap", ()), Row("sweep", heading("Security Sweep")), *sweep_rows(self.checks, self.width)]
            if self.done and self.report is not None:
                rows += [Row("gap2", ()), *rows_of("report", _rest(self.report))]
            hint: tuple[str, ...] = (
                ("{end-send} send a summary · {close} close",)
                if self.done
                else ("{close} leaves; what is saved stays saved", "{close}")
            )
        elif self.handover is None:
            rows += rows_of("reading", [line(("Reading commits, tasks, transcripts and costs…", "muted"))] * (not rows))
            hint = ("{close} close",)
        else:
            rows += self._draft_rows(self.handover)
            hint = _DRAFT_HINTS
        size = f" · {self.handover.duration}" if self.handover and self.handover.duration else ""
        state = "written" if self.done else "writing" if self.writing else "nothing is written yet"
        self.view.set_title(line(crop(f"End day{size} · {state}", self.width)), hint=self.longest(hint, self.width))
        self.show_rows(rows)

    def _draft_rows(self, handover: Handover) -> list[Row]:
        metrics = handover.metrics
        told = [
            f"? {many}" if value is None else counted(value, one, many)
            for value, one, many in (
                (metrics.commits, "commit", "commits"),
                (metrics.files_changed, "file", "files"),
                (metrics.tests_added, "test added", "tests added"),
            )
        ]
        told.append("coverage unknown" if metrics.coverage is None else f"coverage {metrics.coverage:g} %")
        rows = [Row("metrics", line((" · ".join(told), "muted"))), Row("gap", ())]
        for part, title, sign in _PARTS:
            texts: tuple[str, ...] = getattr(handover, part)
            rows.append(
                Row(("head", part), heading(title, "" if texts else self.words("{end-add} adds one")), "head", part)
            )
            for number, text in enumerate(texts):
                spans = line((f"  {sign} ", "accent"), (plain_text(text, 300), "text"))
                rows.append(Row((part, text), spans, "entry", (part, number)))
        rows += self._progress_rows(handover)
        rows += self._learning_rows()
        if self.notes:
            rows += [Row("notes", heading("Said on the Way"))]
            rows += rows_of("note", [line((f"  {plain_text(note, 300)}", "warn")) for note in self.notes])
        if self.report is not None and self.report.unsafe:
            rows.append(Row("unsafe", heading("Uncommitted or Unpushed")))
            unsafe = [line((f"  {name}: ", "text"), (what, "warn")) for name, what in self.report.unsafe]
            rows += rows_of("unsafe", unsafe)
        return rows

    def _progress_rows(self, handover: Handover) -> list[Row]:
        rows = [Row(("head", "open"), heading("In Progress"))] if handover.in_progress else []
        for number, one in enumerate(handover.in_progress):
            said = " · ".join(filter(None, (one.branch, one.status, one.blockers)))
            spans = line(
                ("  ◐ ", "accent"), (plain_text(one.task, 200), "text"), (f"  {plain_text(said, 200)}", "muted")
            )
            rows.append(Row(("open", number), spans, "entry", ("in_progress", number)))
        return rows

    def _learning_rows(self) -> list[Row]:
        shown = [one for one in self.learnings if one.id not in self.dropped]
        rows = (
            [Row(("head", "learnings"), heading("Learnings", self.words("{end-keep} keeps one in docs/learnings")))]
            if shown
            else []
        )
        for one in shown:
            kept = one.id in self.confirmed
            spans = line(
                ("  [x] " if kept else "  [ ] ", "good" if kept else "faint"),
                (pad(one.kind, 14), "accent"),
                (plain_text(one.text, 300), "text"),
            )
            rows.append(Row(("learning", one.id), spans, "learning", one.id))
        return rows

    # -- editing --

    def _here(self) -> tuple[str, int] | None:
        """The part and place under the cursor; -1 on its heading."""
        row = self.view.current
        if self.writing or self.handover is None or row is None:
            return None
        if row.kind == "head":
            return str(row.value), -1
        return row.value if row.kind == "entry" else None

    def action_edit(self) -> None:
        """Edit the entry in place; on a heading, add one."""
        row = self.view.current
        if row is not None and row.kind == "place":
            self.post_message(self.Opened(str(row.value)))
            return
        if row is not None and row.kind == "learning" and not self.writing:
            self._edit_learning(str(row.value))
            return
        here = self._here()
        if here is None or here[0] == "in_progress":
            return
        part, number = here
        if number < 0:
            self._ask(part, None)
        else:
            self._ask(part, number)

    def action_add(self) -> None:
        here = self._here()
        part = here[0] if here is not None and here[0] in _TITLES else "decisions"
        if self.handover is not None and not self.writing:
            self._ask(part, None)

    def _ask(self, part: str, number: int | None) -> None:
        texts: list[str] = list(getattr(self.handover, part))
        old = texts[number] if number is not None else ""

        def answered(text: str | None) -> None:
            if text is None:
                return
            if number is None:
                texts.append(text)
            else:
                texts[number] = text
            self._set(part, texts)
            said = entries([text])
            self.view.find(lambda row: bool(said) and row.key == (part, said[0]))

        self.app.push_screen(AskScreen(_TITLES.get(part, part), old, edit=True), answered)

    def _edit_learning(self, wanted: str) -> None:
        old = next(one for one in self.learnings if one.id == wanted)

        def answered(text: str | None) -> None:
            said = entries([text or ""])
            if not said:
                return
            new = replace(old, text=said[0])
            self.learnings = tuple(new if one.id == wanted else one for one in self.learnings)
            self.confirmed = (self.confirmed - {wanted}) | {new.id}
            self.build()

        self.app.push_screen(
            AskScreen("What was learnt", old.text, note=f"{old.kind}, from {old.source}", edit=True), answered
        )

    def action_take_out(self) -> None:
        """Leave an entry out of what is written; a learning is never proposed again."""
        row, here = self.view.current, self._here()
        if row is not None and row.kind == "learning" and not self.writing:
            self.dropped.add(str(row.value))
            self.confirmed.discard(str(row.value))
            self.build()
        elif here is not None and here[1] >= 0:
            part, number = here
            values = list(getattr(self.handover, part))
            del values[number]
            self._set(part, values)

    def action_shift(self, by: int) -> None:
        """Move an entry up or down in its list."""
        here = self._here()
        if here is None or here[1] < 0 or here[0] not in _TITLES:
            return
        part, number = here
        texts = list(getattr(self.handover, part))
        if 0 <= number + by < len(texts):
            texts[number], texts[number + by] = texts[number + by], texts[number]
            self._set(part, texts)

    def _set(self, part: str, values: Sequence[object]) -> None:
        assert self.handover is not None
        changed: dict[str, object] = {part: tuple(values)}
        self.handover = tidy(replace(self.handover, **changed))  # type: ignore[arg-type]
        self.build()

    def action_keep(self) -> None:
        row = self.view.current
        if row is not None and row.kind == "learning" and not self.writing:
            self.confirmed ^= {str(row.value)}
            self.build()

    def action_write(self) -> None:
        if self.handover is None or self.writing:
            return
        self.writing = True
        self.build()
        self.post_message(self.Write(self, self.handover, set(self.confirmed), set(self.dropped)))

    def action_send(self) -> None:
        if self.done:
            self.post_message(self.Send())


def _rest(report: EndReport) -> list[Line]:
    """The report without its title, its steps and the sweep, which stand above."""
    skipped = ("Steps", "Security Sweep")
    parts = end_text(report).split("\n### ")[1:]
    kept = [f"### {part}".strip() for part in parts if part.splitlines()[0] not in skipped]
    return markdown_lines("\n\n".join(kept))
