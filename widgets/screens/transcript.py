"""The transcript viewer: a session's prompts, steps and costs, live, searchable."""

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from cockpit.agents.transcript_models import Item, Transcript
from cockpit.plain_text import plain_text
from skills.counted import counted
from widgets.bindings import bind
from widgets.line_view import FixedLines
from widgets.lines import Line, gauge, line
from widgets.screens.ask import AskScreen
from widgets.screens.framed import FramedScreen
from widgets.screens.report import ReportScreen
from widgets.transcript_lines import item_row, summary_line
from widgets.virtual_list import VirtualList

_HINTS = (
    "{transcript-open} all of it · {filter} search {next-hit} {previous-hit} · {transcript-previous-prompt} "
    "{transcript-next-prompt} prompts · {transcript-next-edit} edits · {transcript-next-failure} failures · "
    "{close} close",
    "{transcript-open} all · {filter} search · {transcript-previous-prompt} {transcript-next-prompt} prompts · "
    "{transcript-next-edit} edits · {transcript-next-failure} failures · {close} close",
    "{transcript-open} all · {filter} search · {help} keys · {close}",
    "{filter} search · {help} · {close}",
)


class ItemView(VirtualList[Item]):
    """The items, one line each."""

    hits: frozenset[tuple[int, int]] = frozenset()
    wanted = ""

    def key(self, item: Item) -> Hashable:
        return item.source, item.place.line, item.kind, item.id

    def row(self, item: Item, index: int, width: int) -> Line:
        return item_row(item, width, hit=self.is_hit(item))

    def is_hit(self, item: Item) -> bool:
        """Whether the search found the item: by what its row says, or by what stands at its line."""
        if not self.wanted:
            return False
        if self.wanted in item.text.lower() or self.wanted in item.name.lower() or self.wanted in item.result.lower():
            return True
        answer = item.result_place.line if item.result_place else 0
        return bool({(item.source, item.place.line), (item.source, answer)} & self.hits)


class TranscriptScreen(FramedScreen):
    """Shows a `Transcript`; asks by messages for its full texts and for a search beyond what the rows say.

    `line` is the line of the session's own file that it opens at (0: the end of a session that runs, else the start).
    """

    class Wanted(Message):
        """The full text of an item is to be read."""

        def __init__(self, screen: "TranscriptScreen", item: Item) -> None:
            self.screen, self.item = screen, item
            super().__init__()

    class Search(Message):
        """Everything that says `text` is to be found."""

        def __init__(self, screen: "TranscriptScreen", text: str) -> None:
            self.screen, self.text = screen, text
            super().__init__()

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("close", "close"),
        Binding("space", "close", "Close", show=False),
        bind("transcript-open", "open"),
        bind("filter", "search", "Search in it"),
        bind("next-hit", "hit(1)"),
        bind("previous-hit", "hit(-1)"),
        bind("transcript-next-prompt", "jump('prompt', 1)"),
        bind("transcript-previous-prompt", "jump('prompt', -1)"),
        bind("transcript-next-edit", "jump('edit', 1)"),
        bind("transcript-previous-edit", "jump('edit', -1)"),
        bind("transcript-next-failure", "jump('failure', 1)"),
        bind("transcript-previous-failure", "jump('failure', -1)"),
    ]

    def __init__(self, title: str, *, line: int = 0, follow: bool = False) -> None:
        super().__init__(())
        self._title, self._line, self.following = plain_text(title, 160), line, follow and not line
        self.transcript: Transcript | None = None
        self._note = ""
        self.standing = False

    def compose(self) -> ComposeResult:
        with Vertical(id="frame"):
            yield ItemView(id="transcript-items", classes="grows")
            yield FixedLines(id="transcript-foot", classes="fixed")

    def on_mount(self) -> None:
        self.standing = True
        view = self.view
        view.empty = [line(("Reading the transcript…", "muted"))]
        view.lines_changed()
        view.focus()
        self.build()
        if self.transcript is not None:  # it was read before the screen stood
            self._fill(self.transcript)
        elif self.problem:
            self.fail(self.problem)

    @property
    def view(self) -> ItemView:
        return self.query_one(ItemView)

    # -- what is shown --

    def show(self, transcript: Transcript) -> None:
        """Show what was read so far; the cursor stays, or goes on with the end where it stood there."""
        self.transcript = transcript
        if self.standing:
            self._fill(transcript)

    def _fill(self, transcript: Transcript) -> None:
        view = self.view
        if transcript.done and not transcript.items:
            view.empty = [line((transcript.problem or "Nothing was said in this session yet.", "muted"))]
        view.show_items(transcript.items)
        if self._line:
            self._find_line()
        elif self.following:
            view.move_to(len(transcript.items) - 1)
        self._foot()

    def fail(self, problem: str) -> None:
        """Say why there is nothing to see."""
        self.problem = problem
        if not self.standing:
            return
        self.view.empty = [line((plain_text(problem, 300), "bad"))]
        self.view.show_items(())

    def _find_line(self) -> None:
        """Put the cursor on the line that the screen was opened at, once it was read."""
        items = self.view.items
        for index, item in enumerate(items):
            answer = item.result_place.line if item.result_place else item.place.line
            if not item.source and (item.place.line >= self._line or answer == self._line):
                self._line = 0
                self.view.move_to(index)
                height = self.view.scrollable_content_region.height
                self.view.scroll_to(y=max(0, index - height // 3), animate=False)
                return
        if self.transcript is not None and self.transcript.done:
            self._line = 0
            self.view.move_to(len(items) - 1)

    def build(self) -> None:
        self.entitle(self._title, _HINTS)
        self._foot()

    def _foot(self) -> None:
        if self.transcript is None or not self.standing:
            return
        width = self.row_width
        rows: list[Line] = [summary_line(self.transcript, width)]
        if self._note:
            rows = [line((self._note, "accent"))]
        elif not self.transcript.done:
            rows = [(("reading  ", "muted"), *gauge(self.transcript.share, max(4, min(30, width - 20)), "accent"))]
        self.fill("transcript-foot", rows)

    # -- keys --

    def action_close(self) -> None:
        if self.view.wanted:
            self.view.wanted, self.view.hits, self._note = "", frozenset(), ""
            self.view.lines_changed()
            self._foot()
        else:
            self.dismiss(None)

    def action_move(self, step: str) -> None:
        view = self.view
        view.move(step)
        self.following = step == "bottom" or (self.following and view.cursor >= len(view.items) - 1)

    def useful(self) -> str:
        """The prompt, or what the item says."""
        current = self.view.current
        return plain_text(current.text, multiline=True) if current is not None else ""

    def action_jump(self, what: str, by: int) -> None:
        """To the next prompt, edit or failure; it says so where there is none."""
        found = [index for index, item in enumerate(self.view.items) if _is(item, what)]
        if not self._to(found, by):
            self._say(f"no {'later' if by > 0 else 'earlier'} {what}")

    def _to(self, places: Sequence[int], by: int) -> bool:
        cursor = self.view.cursor
        ahead = [place for place in places if (place > cursor if by > 0 else place < cursor)]
        if not ahead:
            return False
        self.following = False
        self.view.move_to(ahead[0] if by > 0 else ahead[-1])
        self._say("")
        return True

    def _say(self, note: str) -> None:
        self._note = note
        self._foot()

    def action_search(self) -> None:
        def answered(text: str | None) -> None:
            if text is None:
                return
            self.view.wanted, self.view.hits = text.strip().lower(), frozenset()
            self.view.lines_changed()
            self._say("")
            if self.view.wanted:
                if not self._on_hit():
                    self.action_hit(1)
                self.post_message(self.Search(self, self.view.wanted))

        note = "prompts, texts, inputs, answers"
        self.app.push_screen(AskScreen("Search for", self.view.wanted, note=note), answered)

    def _on_hit(self) -> bool:
        current = self.view.current
        return current is not None and self.view.is_hit(current)

    def found(self, text: str, hits: set[tuple[int, int]]) -> None:
        """What the search through the whole files found."""
        if text != self.view.wanted:
            return
        self.view.hits = frozenset(hits)
        self.view.lines_changed()
        if not self._on_hit():
            self.action_hit(1)
        many = sum(1 for item in self.view.items if self.view.is_hit(item))
        keys = self.words("{next-hit} next · {previous-hit} previous · {close} ends the search")
        self._say(f"{counted(many, 'hit')} for “{plain_text(text, 40)}” · {keys}")

    def action_hit(self, by: int) -> None:
        """The next or previous hit, round the end."""
        places = [index for index, item in enumerate(self.view.items) if self.view.is_hit(item)]
        if not places:
            self._say("nothing says that" if self.view.wanted else self.words("{filter} searches"))
        elif not self._to(places, by):
            self.view.move_to(places[0] if by > 0 else places[-1])

    def action_open(self) -> None:
        if (item := self.view.current) is not None:
            self.post_message(self.Wanted(self, item))

    @on(VirtualList.Chosen)
    def _clicked(self) -> None:
        self.action_open()


def _is(item: Item, what: str) -> bool:
    if what == "failure":
        return item.status == "failed"
    return item.kind == "prompt" if what == "prompt" else item.role == "change"


def full_screen(item: Item, text: str, width: int) -> ReportScreen:
    """All that an item says, wrapped to `width` cells."""
    rows: list[Line] = []
    for raw in plain_text(text, multiline=True).split("\n"):
        token = "faint" if raw.startswith("── ") else "text"
        cut = raw
        while len(cut) > width:
            at = cut.rfind(" ", width // 2, width)
            at = width if at < 0 else at
            rows.append(line((cut[:at], token)))
            cut = cut[at:].lstrip()
        rows.append(line((cut, token)))
    name = f"{item.name} {item.text}" if item.kind == "call" else item.kind
    return ReportScreen(plain_text(f"line {item.place.line} · {name}", 100), rows)
