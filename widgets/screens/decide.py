"""Django or FastAPI: the eight questions, a line each, and what the answers decide so far."""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from skills.routing.decide import QUESTIONS, Decision, Framework, Question, decide
from widgets.bindings import bind
from widgets.lines import Line, fit, line, spread
from widgets.screens.leaving import Leaving
from widgets.screens.listing import MOVES, Moving
from widgets.screens.report import report_room
from widgets.virtual_list import VirtualList
from widgets.wrap import wrapped

NAMES: dict[Framework, str] = {"django": "Django", "fastapi": "FastAPI"}
_WIDE = 70  # cells that have room for the side that a yes speaks for


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its answer (None: open); `guessed`: the words of the task gave it."""

    question: Question
    answer: bool | None
    guessed: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A line below the questions."""

    shown: Line
    name: str


def asked_row(item: Asked, width: int) -> Line:
    """One question in `width` cells: its answer, its words, for whom a yes speaks."""
    glyph, token = {None: ("·  ", "faint"), True: ("yes", "good"), False: ("no ", "muted")}[item.answer]
    words = "strong" if item.answer is None else "text" if item.answer else "muted"
    asked = item.question.text if len(item.question.text) + len(glyph) < width else item.question.brief
    left: Line = ((f"{glyph} ", token), (asked, words))
    side = NAMES[item.question.side] + (", from your words" if item.guessed else "")
    return spread(left, ((f"  {side}", "faint"),), width) if width >= _WIDE else fit(left, width)


class QuestionList(VirtualList[Asked | Told]):
    """The questions and the outcome."""

    def key(self, item: Asked | Told) -> Hashable:
        return item.question.id if isinstance(item, Asked) else item.name

    def row(self, item: Asked | Told, index: int, width: int) -> Line:
        return asked_row(item, width) if isinstance(item, Asked) else fit(item.shown, width)


class DecideScreen(Moving, Leaving[Decision | None]):
    """Asks the eight questions; `guessed` are answers that the words of a task gave, `present` the frameworks that the
    repository uses. `w` posts the decision as one to be recorded."""

    class Recorded(Message):
        """The decision is to be written down."""

        def __init__(self, decision: Decision) -> None:
            self.decision = decision
            super().__init__()

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("close", "dismiss"),
        bind("decide-yes", "answer(True)"),
        bind("decide-no", "answer(False)"),
        bind("decide-turn", "turn"),
        bind("decide-clear", "clear"),
        bind("decide-record", "record"),
        *(move for move in MOVES if not (isinstance(move, Binding) and move.id == "copy")),
    ]

    def __init__(self, guessed: Mapping[str, bool], present: Collection[str]) -> None:
        super().__init__()
        self._guessed, self._present = dict(guessed), tuple(present)
        self.answers: dict[str, bool] = dict(guessed)

    def compose(self) -> ComposeResult:
        yield QuestionList(id="report")

    def on_mount(self) -> None:
        self.query_one(QuestionList).focus()
        self._build()

    @property
    def open(self) -> int:
        """How many questions have no answer."""
        return len(QUESTIONS) - len(self.answers)

    @property
    def decision(self) -> Decision:
        """What the answers decide; an open question counts for nobody."""
        return decide(self.answers, self._present)

    def _build(self) -> None:
        view, found = self.query_one(QuestionList), self.decision
        then = "{decide-record} write it down" if not self.open else "{decide-clear} open again"
        hints = [f"{{decide-yes}} yes · {{decide-no}} no · {what}{{close}}" for what in (f"{then} · ", "")]
        hint = self.longest(hints, min(120, self.size.width) - 6)
        view.set_title(line(f"Django or FastAPI · {len(self.answers)} of {len(QUESTIONS)} answered"), hint=hint)
        rows = [Asked(one, self.answers.get(one.id), self._is_guess(one.id)) for one in QUESTIONS]
        points = " · ".join(f"{NAMES[side]} {found.points[side]}" for side in NAMES)
        if self.open:
            said: Line = line((f"{points} · {self.open} still open", "muted"))
        elif found.framework is None:
            said = line(("A tie: ", "warn"), (found.why, "text"))
        else:
            said = line((f"{NAMES[found.framework]}: ", "accent"), (found.why, "text"))
        outcome = [Told(part, f"outcome {n}") for n, part in enumerate(wrapped([said], report_room(self.size.width)))]
        view.show_items([*rows, Told((), "gap"), *outcome])
        view.styles.height = len(rows) + len(outcome) + 3

    def _is_guess(self, name: str) -> bool:
        return name in self._guessed and self.answers.get(name) == self._guessed[name]

    def action_answer(self, yes: bool) -> None:
        """Answer the question under the cursor and go to the next one."""
        view = self.query_one(QuestionList)
        if isinstance(current := view.current, Asked):
            self.answers[current.question.id] = yes
            self._build()
            if view.cursor < len(QUESTIONS) - 1:
                view.move("down")

    def action_turn(self) -> None:
        """Yes where it was no or open, else no; the cursor stays."""
        if isinstance(current := self.query_one(QuestionList).current, Asked):
            self.answers[current.question.id] = not current.answer
            self._build()

    def action_clear(self) -> None:
        """The question under the cursor is open again."""
        if isinstance(current := self.query_one(QuestionList).current, Asked):
            self.answers.pop(current.question.id, None)
            self._build()

    def action_record(self) -> None:
        """Have the decision written down, once every question is answered."""
        if not self.open:
            self.post_message(self.Recorded(self.decision))
