"""A one-line question at the bottom of the screen: a filter text, a reason. Enter answers, escape leaves."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label

from widgets.hints import hint_content
from widgets.screens.leaving import Leaving

Judge = Callable[[str], tuple[str, bool]]
"""What a text will do, or what is wrong with it; whether it is an answer."""


class AskScreen(Leaving[str | None]):
    """Answers with the text, or None where the person left. `Changed` tells each keystroke, for live filters.

    With `edit` the text is changed from its end; without it the first key replaces it. `judge` says below the question
    what a text will do, or what is wrong with it: that is no answer. An empty one leaves."""

    # before the input sees it: what is typed right after it is for the screen behind
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Leave", show=False, priority=True)]

    class Changed(Message):
        """The text so far."""

        def __init__(self, value: str) -> None:
            self.value = value
            super().__init__()

    def __init__(
        self, question: str, value: str = "", *, note: str = "", edit: bool = False, judge: Judge | None = None
    ) -> None:
        super().__init__()
        self._question, self._value, self._judge = question, value, judge
        self._note = judge(value)[0] if judge else note
        self._edit = edit

    def compose(self) -> ComposeResult:
        with Vertical(id="ask") as box:
            box.border_title = hint_content(" enter takes it · esc leaves ")
            yield Label(Content(self._question), id="question")
            if self._note:
                yield Label(Content(self._note), id="note")
            yield Input(self._value, id="answer", select_on_focus=not self._edit)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._judge is not None:
            self._say(*self._judge(event.value), loud=False)
        self.app.post_message(self.Changed(event.value))

    def _say(self, words: str, fine: bool, *, loud: bool) -> None:
        note = self.query_one("#note", Label)
        note.update(Content(words))
        note.set_class(loud and not fine, "-wrong")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._judge is not None and event.value.strip() and not (said := self._judge(event.value))[1]:
            self._say(*said, loud=True)
            return
        self.dismiss(event.value)
