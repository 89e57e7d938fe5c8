"""The workbench: every process of the repository, its next step first, its gates and what was seen."""

import textwrap
from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message

from cockpit.plain_text import plain_text
from skills.workflow.bench import Part, Process
from widgets.bindings import bind, filled
from widgets.line_view import FixedLines, LineView
from widgets.lines import Line, Span, crop, line, next_lines, pad, width_of
from widgets.screens.framed import FramedScreen
from widgets.virtual_list import VirtualList
from widgets.words import STATUS

_HINTS = (
    "{bench-show} all about it · {bench-begin} new · {bench-abandon} abandon · {recheck} again · {close} close",
    "{bench-show} · {bench-begin} new · {bench-abandon} abandon · {close}",
    "{bench-show} · {bench-begin} · {bench-abandon} · {close}",
)
_NONE = ("{bench-begin} new · {recheck} again · {close} close", "{bench-begin} new · {close}")
_STATES = {"open": ("▶", "accent"), "done": ("✓", "good"), "abandoned": ("–", "faint")}
_EMPTY = (
    line(("No process yet.", "strong")),
    line(
        ("{bench-begin}", "key"),
        (" begins one: research before a decision, a feature, a debugging case, a playbook.", "muted"),
    ),
    line(("They are the same as cockpit research, feature, debug and rollback in a shell.", "faint")),
)


def process_line(one: Process, width: int) -> Line:
    """One process: its state, kind, title, and what is next where there is room."""
    glyph, token = _STATES[one.state]
    head: list[Span] = [(f"{glyph} ", token), (pad(one.kind, 9), "muted")]
    room = width - width_of(head)
    if width >= 100:
        title = min(44, room // 3)
        head.append((pad(plain_text(one.title, 200), title) + "  ", "text" if one.state == "open" else "muted"))
        said = one.step if one.state == "open" else f"{one.state} · {one.where}"
        head.append((crop(plain_text(said, 300), max(0, room - title - 2)), "text" if one.state == "open" else "faint"))
    else:
        head.append((crop(plain_text(one.title, 200), max(0, room)), "text" if one.state == "open" else "muted"))
    return tuple(head)


def detail_lines(one: Process, width: int, *, short: bool = False) -> list[Line]:
    """All about a process: the next step, where it stands, its parts, the commands that go on with it.

    `short`: the conditions of a gate that hold are left out.
    """
    said = dict.fromkeys(filter(None, (one.state, one.where, f"since {local_minute(one.begun)}")))  # each once
    about = " · ".join(said)
    rows = [*next_lines(one.step, width), line((crop(plain_text(about, 200), width), "muted"))]
    for part in one.parts:
        rows += [(), *part_lines(part, width, short=short)]
    rows.append(())
    rows += [line(("$ ", "faint"), (plain_text(command, 200), "info")) for command in one.commands]
    return rows


def local_minute(moment: str) -> str:
    """An ISO time to the minute where the person is; as it is where it is none."""
    try:
        return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:
        return plain_text(moment, 40)


def part_lines(part: Part, width: int, *, short: bool = False) -> list[Line]:
    """A heading with its lines; the mark says it in a glyph and a word."""
    rows = [line((plain_text(part.title, 80), "strong"))]
    for entry in part.lines:
        if short and entry.text.startswith("  ") and entry.status in ("pass", "not_applicable"):
            continue
        text, detail = plain_text(entry.text, 300), plain_text(entry.detail, 300)
        lead: list[Span] = [("  ", "text")]
        if entry.status:
            glyph, word, token = STATUS[entry.status]
            lead = [(f"  {glyph} {pad(word, 8)}", token)]
        room = width - width_of(lead)
        nested = entry.text.startswith("  ")
        shown = ("  " if nested else "") + text.strip()
        if width_of([(f"{shown}  {detail}", "text")]) <= room or not detail:
            rows.append((*lead, (crop(shown, room), "text"), (f"  {detail}" if detail else "", "muted")))
            continue
        rows.append((*lead, (crop(shown, room), "text")))
        indent = " " * (width_of(lead) + (2 if nested else 0))
        for more in textwrap.wrap(detail, max(10, width - len(indent))):
            rows.append(line((indent, "text"), (more, "muted")))
    return rows


class ProcessList(VirtualList[Process]):
    """One line a process."""

    def key(self, item: Process) -> Hashable:
        return item.kind, item.id

    def row(self, item: Process, index: int, width: int) -> Line:
        return process_line(item, width)


class BenchScreen(FramedScreen):
    """Shows processes, and the one under the cursor below. Asks by messages for everything else."""

    class Wanted(Message):
        """The processes are to be read."""

        def __init__(self, screen: "BenchScreen") -> None:
            self.screen = screen
            super().__init__()

    class Begin(Message):
        """A process is to be begun."""

        def __init__(self, screen: "BenchScreen") -> None:
            self.screen = screen
            super().__init__()

    class Chosen(Message):
        """A process is to be shown whole, or abandoned."""

        def __init__(self, screen: "BenchScreen", process: Process, deed: str) -> None:
            self.screen, self.process, self.deed = screen, process, deed
            super().__init__()

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("bench-show", "deed('show')"),
        bind("bench-begin", "begin"),
        bind("bench-abandon", "deed('abandon')"),
        bind("recheck", "again", "Read it again"),
    ]

    def __init__(self, name_of: str, keys: Sequence[str]) -> None:
        super().__init__(keys)
        self._name_of = plain_text(name_of, 60)
        self.processes: Sequence[Process] | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="frame"):
            yield ProcessList(id="bench-rows", classes="grows")
            yield FixedLines(id="bench-one", classes="fixed")

    def on_mount(self) -> None:
        self.rows.focus()
        self.action_again()

    @property
    def rows(self) -> ProcessList:
        return self.query_one(ProcessList)

    @property
    def moving(self) -> LineView:
        return self.rows

    def show(self, processes: Sequence[Process]) -> None:
        """Show what was read."""
        self.processes, self.problem = processes, ""
        self.build()

    def build(self) -> None:
        if not self.is_there:
            return
        known = self.processes
        running = sum(1 for one in known or () if one.state == "open")
        counts = f" · {running} open of {len(known)}" if known else ""
        self.entitle(f"Workbench · {self._name_of}{counts}", _HINTS if known else _NONE)
        if self.problem:
            self.rows.empty = [line((self.problem, "bad"))]
        elif known is None:
            self.rows.empty = [line(("Reading the records…", "muted"))]
        else:
            self.rows.empty = [filled(row, self.labels) for row in _EMPTY]
        self.rows.styles.height = min(len(known), max(3, self.size.height // 3)) if known else "1fr"
        self.rows.show_items(known or ())
        self.rows.lines_changed()
        self._show_current()

    def on_virtual_list_highlighted(self) -> None:
        self._show_current()

    def _show_current(self) -> None:
        one, width = self.rows.current, self.row_width
        if one is None:
            self.fill("bench-one", [])
            return
        room = self.size.height - 3 - min(len(self.rows.items), max(3, self.size.height // 3))
        rows = [line((crop(plain_text(one.title, 200), width), "strong")), *detail_lines(one, width, short=True)]
        if len(rows) > room:
            rows = [
                *rows[: max(0, room - 1)],
                filled(line(("… ", "faint"), ("{bench-show}", "key"), (" shows all of it", "faint")), self.labels),
            ]
        self.fill("bench-one", [line(("─" * max(0, width), "faint")), *rows][: max(0, room + 1)])

    def action_again(self) -> None:
        self.post_message(self.Wanted(self))

    def action_begin(self) -> None:
        self.post_message(self.Begin(self))

    def action_deed(self, deed: str) -> None:
        if (one := self.rows.current) is not None:
            self.post_message(self.Chosen(self, one, deed))
