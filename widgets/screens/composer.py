"""The prompt composer: a text, and beside it what is said of it, anew as it changes."""

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import TextArea

from cockpit.plain_text import plain_text
from skills.orchestrator.analysis import Analysis
from widgets.bindings import bind
from widgets.composer_lines import enhanced_lines, plan_lines, points_lines, score_line, wrapped
from widgets.line_view import FixedLines, LineView
from widgets.lines import Line, line
from widgets.screens.framed import FramedScreen

LONGEST = 200_000
_WIDE = 100
_FRAME = 6
_WAIT = 0.15  # seconds without a change until the text is judged
_HINTS = (
    "{composer-copy} copy the enhanced prompt · {composer-take} put it into the text · tab to the points · "
    "esc close (the text stays)",
    "{composer-copy} copy · {composer-take} into the text · tab points · esc close",
    "{composer-copy} copy · {composer-take} take · esc",
)
_EMPTY = (
    "Type or paste a prompt.",
    "While you type you see here how complete it is and what is missing, its risk, what kind of work it asks for, "
    "which model and skills fit, and the same prompt with its gaps filled from this repository.",
)


class PromptArea(TextArea):
    """A text to edit; what is pasted passes the door for text from outside."""

    def on_paste(self, event: events.Paste) -> None:
        """Put the text in the place of what is selected, without anything that a terminal would obey."""
        event.prevent_default().stop()
        room = max(0, LONGEST - len(self.text) + len(self.selected_text))
        text = plain_text(event.text[:room], multiline=True)
        self.move_cursor(self.replace(text, *self.selection, maintain_selection_offset=False).end_location)


class ComposerScreen(FramedScreen):
    """Asks by `Wanted` for the analysis of its text, a moment after the last change; shows the newest answer.

    `Copy` asks to copy the enhanced prompt, `Left` hands the text back when the screen closes.
    """

    CSS_PATH: ClassVar[Any] = ["framed.tcss", "composer.tcss"]

    class Wanted(Message):
        """This text is to be analysed; `number` counts the questions."""

        def __init__(self, screen: "ComposerScreen", text: str, number: int) -> None:
            self.screen, self.text, self.number = screen, text, number
            super().__init__()

    class Copy(Message):
        """The enhanced prompt is to be copied."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    class Left(Message):
        """The screen is closed; its text is kept for the next time."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("composer-copy", "copy", priority=True),
        bind("composer-take", "take", priority=True),
        Binding("escape", "leave", "Close", show=False, priority=True),  # in the text as well
        bind("copy", "copy"),
    ]

    def __init__(self, keys: Sequence[str], text: str = "") -> None:
        super().__init__(keys)
        self._text = text
        self.analysis: Analysis | None = None
        self._analysed = ""
        self.asked = 0
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="frame"), Horizontal(id="composer"):
            with Vertical(id="composer-left"):
                yield PromptArea(
                    self._text, id="prompt", soft_wrap=True, show_line_numbers=False, tab_behavior="focus", compact=True
                )
                yield FixedLines(id="enhanced", classes="grows")
            yield FixedLines(id="analysis", classes="grows")

    def on_mount(self) -> None:
        area = self.query_one(PromptArea)
        area.move_cursor(area.document.end)
        area.focus()
        self.build()
        self._ask()

    @property
    def moving(self) -> LineView:
        focused = self.focused
        return focused if isinstance(focused, LineView) else self.query_one("#analysis", FixedLines)

    @property
    def text(self) -> str:
        """What stands in the text now."""
        return plain_text(self.query_one(PromptArea).text, LONGEST, multiline=True)

    # -- what is shown --

    def show(self, analysis: Analysis, number: int, text: str) -> None:
        """Show an analysis, unless a newer question is on its way."""
        if number == self.asked:
            self.analysis, self._analysed, self.problem = analysis, text, ""
            self.build()

    def build(self) -> None:
        if not self.is_there:
            return
        wide = self.size.width >= _WIDE
        self.set_class(wide, "-wide")
        self.entitle(self._title(), _HINTS)
        enhanced, shown = self.query_one("#enhanced", FixedLines), self.query_one("#analysis", FixedLines)
        enhanced.display = wide
        left = self.size.width // 2 - _FRAME if wide else self.size.width - _FRAME
        right = left - 2 if wide else left
        rewritten = self._enhanced(left)
        enhanced.show_lines(rewritten)
        told = self._told(right)
        shown.show_lines(told if wide else [*told, (), *rewritten] if self.analysis else told)

    def _title(self) -> str:
        if self.analysis is None:
            return "Prompt"
        score = self.analysis.plan.score
        return f"Prompt · {score.score} of 100 {score.band} · risk {self.analysis.plan.risk.level}"

    def _told(self, width: int) -> list[Line]:
        if self.problem:
            return [line((self.problem, "bad"))]
        if self.analysis is None:
            return wrapped(
                [line((text, "muted" if not place else "faint")) for place, text in enumerate(_EMPTY)], width, 0
            )
        points = points_lines(self.analysis.plan.score)
        return [score_line(self.analysis, width), (), *wrapped(plan_lines(self.analysis), width), (), *points]

    def _enhanced(self, width: int) -> list[Line]:
        if self.analysis is None:
            return []
        if self.analysis.pattern == "none":
            return [line(("Nothing to add: it is complete as it is.", "good"))]
        gain = self.analysis.enhanced.score
        head = line(("enhanced", "strong"), (f"  {gain} of 100 · {self.analysis.pattern}", "muted"))
        return [head, *wrapped(enhanced_lines(self.analysis.enhanced.text), width, 2)]

    # -- what happens --

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_WAIT, self._ask)

    def _ask(self) -> None:
        text = self.text
        if not text.strip():
            self.asked += 1
            self.analysis = None
            self.build()
        elif text != self._analysed or self.analysis is None:
            self.asked += 1
            self.post_message(self.Wanted(self, text, self.asked))

    def action_copy(self) -> None:
        if self.analysis is not None:
            self.post_message(self.Copy(self.analysis.enhanced.text))

    def action_take(self) -> None:
        """Put the enhanced prompt into the text, as one change that ctrl+z takes back."""
        if self.analysis is not None and self.analysis.pattern != "none":
            area = self.query_one(PromptArea)
            area.move_cursor(area.document.start)
            area.replace(
                self.analysis.enhanced.text, area.document.start, area.document.end, maintain_selection_offset=False
            )
            area.focus()

    def action_leave(self) -> None:
        self.post_message(self.Left(self.text))
        self.dismiss(None)
