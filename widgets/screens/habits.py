"""Habits and measures: what the work with agents costs and where that shows."""

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from cockpit.phases.habits_models import HabitsView
from skills.orchestrator.habit_models import HabitRow, Violation
from widgets.bindings import bind
from widgets.habit_lines import (
    TABS,
    Entry,
    Note,
    entry_row,
    foot_line,
    habit_entries,
    habit_head,
    measure_entries,
    tabs_line,
    wrapped_entry,
)
from widgets.line_view import FixedLines, LineView
from widgets.lines import Line, line
from widgets.screens.framed import FramedScreen
from widgets.virtual_list import VirtualList

_HINTS = (
    "{habits-open} the transcript at the line · {habits-turn} or 1 2 · {recheck} again · {close} close",
    "{habits-open} open · {habits-turn} turn · {help} keys · {close}",
    "{habits-open} · {habits-turn} · {help} · {close}",
)
_BARE = ("{habits-turn} or 1 2 · {recheck} again · {close} close", "{habits-turn} · {help} · {close}")
_READING = "Reading transcripts…"


class EntryList(VirtualList[Entry]):
    """Habits with their cases, or measures with their parts."""

    view: HabitsView | None = None

    def key(self, item: Entry) -> Hashable:
        if isinstance(item, Violation):
            return item.pattern, item.session, item.line, item.text
        return item.key if isinstance(item, Note) else item.id

    def row(self, item: Entry, index: int, width: int) -> Line:
        return entry_row(item, self.view, width) if self.view is not None else ()


class HabitsScreen(FramedScreen):
    """Shows a `HabitsView`; asks for one by `Wanted`, and for the transcript of a case by `Opened`."""

    class Wanted(Message):
        """Habits and measures are to be read."""

        def __init__(self, screen: "HabitsScreen") -> None:
            self.screen = screen
            super().__init__()

    class Opened(Message):
        """The transcript of a case is wanted, at its line."""

        def __init__(self, case: Violation) -> None:
            self.case = case
            super().__init__()

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("habits-open", "open"),
        bind("habits-turn", "turn"),
        Binding("1", "tab(0)", "Habits", show=False),
        Binding("2", "tab(1)", "Measures", show=False),
        bind("recheck", "again", "Read it again"),
    ]

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(keys)
        self.shown: HabitsView | None = None
        self.active = 0
        self._note = _READING

    def compose(self) -> ComposeResult:
        with Vertical(id="frame"):
            yield FixedLines(id="habits-head", classes="fixed")
            yield EntryList(id="habits-rows", classes="grows")
            yield FixedLines(id="habits-foot", classes="fixed")

    def on_mount(self) -> None:
        self.query_one(EntryList).focus()
        self.ask(self.Wanted(self))

    def show(self, view: HabitsView) -> None:
        """Show what was read; measures may come later."""
        self.shown, self.problem = view, ""
        self.build()

    def progress(self, read: int) -> None:
        """So many transcripts were read."""
        self._note = f"Reading transcripts: {read}…"
        if self.shown is None:
            self.build()

    def build(self) -> None:
        if not self.is_there:
            return
        width = self.row_width
        rows, view = self.query_one(EntryList), self.shown
        cases = view is not None and self.active == 0 and any(row.examples for row in view.rows)
        self.entitle("Habits and measures", _HINTS if cases else _BARE)
        rows.view = view
        head = [tabs_line(self.active)]
        if view is not None and self.active == 0 and view.sessions and width >= 40:
            head.append(habit_head(rows.scrollable_content_region.width or width - 1))
        self.fill("habits-head", head)
        self.fill("habits-foot", [foot_line(view, width)] if view else [])
        rows.empty = self._empty(view)
        entries: list[Entry] = []
        if view is not None and (view.sessions or self.active):
            told = habit_entries(view) if self.active == 0 else measure_entries(view)
            size = rows.scrollable_content_region.width or width - 1
            entries = [part for entry in told for part in wrapped_entry(entry, size)]
        rows.show_items(entries)
        rows.lines_changed()

    def _empty(self, view: HabitsView | None) -> list[Line]:
        if self.problem:
            return [line((self.problem, "bad")), self.again()]
        if view is None:
            return [line((self._note, "muted"))]
        if self.active and view.measures is None:
            return [line(("Measuring gates, costs, skills…", "muted"))]
        return [
            line(("No session of an agent in this repository yet.", "muted")),
            line(("Habits are measured from transcripts: start an agent in a worktree.", "faint")),
        ]

    # -- keys --

    def action_turn(self) -> None:
        self.action_tab(1 - self.active)

    def action_tab(self, place: int) -> None:
        """Show the other tab, from its top."""
        if place != self.active:
            self.active = place
            rows = self.query_one(EntryList)
            rows.show_items(())
            rows.scroll_home(animate=False)
            self.build()

    def action_again(self) -> None:
        self.shown, self._note = None, _READING
        self.ask(self.Wanted(self))

    def action_open(self) -> None:
        """The case under the cursor; of a habit, its dearest one."""
        current = self.query_one(EntryList).current
        if isinstance(current, HabitRow):
            current = current.examples[0] if current.examples else None
        if isinstance(current, Violation):
            self.post_message(self.Opened(current))

    @on(LineView.Tab)
    def _tab(self, message: LineView.Tab) -> None:
        self.action_tab(TABS.index(message.name))

    @on(VirtualList.Chosen)
    def _clicked(self) -> None:
        self.action_open()
