"""Who waits for a person: one line each, enter goes there."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from cockpit.phases.attention import Held
from cockpit.plain_text import plain_text
from skills.ages import age
from skills.counted import counted
from widgets.bindings import bind
from widgets.lines import Line, Span, crop, line, pad, width_of
from widgets.screens.leaving import Leaving
from widgets.screens.listing import MOVES, Moving
from widgets.virtual_list import VirtualList
from widgets.wrap import wrap_line

_ROOMY, _INDENT = 24, 6  # cells that words should have below their own beginning, else they begin further left
_LEAST = 6  # lines, so that the frame does not move with every one that comes or goes
_FRAME = 5  # cells of borders, padding and scroll bar
_EVIDENCE_FROM = 100  # cells that have room for what a state was read from
_HINTS = (
    "{waiting-go} go there · {waiting-read} transcript · {close} close",
    "{waiting-go} go · {waiting-read} transcript · {close}",
)


@dataclass(frozen=True, slots=True)
class HeldLine:
    """A session of the queue, or what it waits for where that goes on in another line."""

    held: Held
    number: int = 0


def held_lines(held: Held, width: int, now: datetime) -> list[Line]:
    """One session in lines of `width` cells: since when, where, for what, and what that was read from. What an agent
    asks is told whole."""
    session = held.session
    glyph, token = ("◐", "warn") if held.asks else ("○", "muted")
    where = plain_text(session.branch or held.worktree, 40)
    parts: list[Span] = [(f"{glyph} ", token), (pad(age(session.since, now), 4, right=True), token), ("  ", "text")]
    parts.append((pad(where, 12 if width < 60 else 22), "strong" if held.asks else "text"))
    if width >= 60:
        parts.append((f" {pad(session.agent, 9)}", "muted"))
    what = session.waiting_for or "an answer"
    if not held.asks:
        what = f"finished its turn: {session.prompt}"
    room = width - width_of(parts) - 1
    proof = plain_text(session.evidence, 120) if width >= _EVIDENCE_FROM else ""
    what = plain_text(what, 300)
    if held.asks and cell_len(what) > room:
        spans = line(*parts, (f" {what}", "text"), (f"  {proof}" if proof else "", "faint"))
        return wrap_line(spans, width, width_of(parts) + 1 if room >= _ROOMY else _INDENT)
    share = min(len(proof), max(room * 2 // 5, room - cell_len(what) - 2)) if proof else 0
    shown = pad(what, room - share - 2) if proof else crop(what, room)
    why = f"  {crop(proof, share)}" if proof else ""
    return [(*parts, (f" {shown}", "text" if held.asks else "muted"), (why, "faint"))]


class HeldList(VirtualList[HeldLine]):
    """The queue."""

    def key(self, item: HeldLine) -> Hashable:
        return item.held.session.agent, item.held.session.session, item.number

    def row(self, item: HeldLine, index: int, width: int) -> Line:
        lines = held_lines(item.held, width, self.now)
        return lines[item.number] if item.number < len(lines) else ()

    @property
    def held(self) -> Held | None:
        """The session under the cursor."""
        return self.current.held if self.current is not None else None


class AttentionScreen(Moving, Leaving[Held | None]):
    """Answers with the session to go to, or None. The app shows it what is new."""

    class Read(Message):
        """The transcript of a session is wanted."""

        def __init__(self, held: Held) -> None:
            self.held = held
            super().__init__()

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("close", "dismiss"),
        bind("waiting", "dismiss"),
        bind("waiting-go", "go"),
        bind("waiting-read", "read"),
        *MOVES,
        bind("waiting-next", "move('down')"),
    ]

    def __init__(self, held: Sequence[Held], now: datetime) -> None:
        super().__init__()
        self._held, self._now, self._standing = tuple(held), now, False

    def compose(self) -> ComposeResult:
        yield HeldList(id="report")

    def on_mount(self) -> None:
        self._standing = True
        self.query_one(HeldList).focus()
        self._build()

    def on_resize(self) -> None:
        if self._standing:
            self._build()

    def show(self, held: Sequence[Held], now: datetime) -> None:
        """Show the queue as it is now; the cursor keeps its session."""
        self._held, self._now = tuple(held), now
        if self._standing:
            self._build()

    def _build(self) -> None:
        held, view = self._held, self.query_one(HeldList)
        view.now = self._now
        asking = sum(1 for one in held if one.asks)
        words = counted(asking, "agent waits for you", "agents wait for you") if asking else "No agent waits for you"
        done = len(held) - asking
        title = line(words + (f" · {done} finished" if done else ""))
        view.set_title(title, hint=self.longest(_HINTS if held else ("{close} close",), self.size.width - 6))
        view.empty = [
            line(("Nobody waits.", "muted")),
            line(("A permission dialog or a question appears here within a second.", "faint")),
        ]
        width = view.scrollable_content_region.width or self.size.width - _FRAME
        view.show_items(
            [HeldLine(one, number) for one in held for number in range(len(held_lines(one, width, self._now)))]
        )
        view.styles.height = max(_LEAST, view.line_count()) + 2

    def useful(self) -> str:
        """The session's id."""
        current = self.query_one(HeldList).held
        return plain_text(current.session.session) if current is not None else ""

    def action_go(self) -> None:
        self.dismiss(self.query_one(HeldList).held)

    def action_read(self) -> None:
        if (current := self.query_one(HeldList).held) is not None:
            self.post_message(self.Read(current))

    @on(VirtualList.Chosen)
    def _clicked(self) -> None:
        self.action_go()
