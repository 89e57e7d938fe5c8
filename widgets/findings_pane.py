"""Pane 4: what the gates found, P0 first and the file at hand first; filters, jumps, what is new since a save."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from cockpit.findings.models import Check, CheckProblem, Finding, FindingsSnapshot
from cockpit.plain_text import plain_text
from skills.spending.amount import percent
from widgets.bindings import filled
from widgets.finding_filters import Filters, Row, ordered
from widgets.finding_lines import (
    columns,
    compliance,
    counts_line,
    finding_row,
    nothing,
    problem_row,
)
from widgets.lines import Line, crop, gauge, join, line, plain
from widgets.virtual_list import VirtualList
from widgets.wrap import wrap_line

_NOTE = 16  # cells from which the beginning of a note says something


def _hangs(row: Line) -> int:
    """Where a row goes on: below its words where it begins with a sign."""
    return 2 if row and row[0][0] in ("✓ ", "– ") else 0


class FindingsPane(VirtualList[Row]):
    """The findings of one worktree."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.snapshot = FindingsSnapshot()
        self.filters = Filters()
        self.hidden: frozenset[str] = frozenset()
        self.jumping = False
        self.costs: Mapping[str, str] = {}
        self._measured: Sequence[Row] = ()
        self._sized: tuple[int, Sequence[Row]] = (0, ())
        self._sizes = (0, 0)
        self._build()

    def key(self, item: Row) -> Hashable:
        if isinstance(item, Finding):
            return item.fingerprint, item.path
        return (item.path, item.line) if isinstance(item, CheckProblem) else item.rule

    def row(self, item: Row, index: int, width: int) -> Line:
        if not isinstance(item, Finding):
            return problem_row(item, self._columns(width)[0] + (3 if width >= 60 else 0))  # below the gates too
        new = item.fingerprint in self.snapshot.new
        return finding_row(
            item,
            index,
            width,
            self._columns(width),
            new=new,
            jump=self.jumping,
            cost=self.costs.get(item.fingerprint, ""),
        )

    def _columns(self, width: int) -> tuple[int, int]:
        """What the first thousand rows need; not measured again where only what follows them is new."""
        if self._measured is not self.items or self._sized[0] != width:
            self._measured, sized = self.items, (width, self.items[:1000])
            if sized != self._sized:
                self._sized, self._sizes = sized, columns(sized[1], width)
        return self._sizes

    @property
    def finding(self) -> Finding | None:
        """The finding under the cursor."""
        return self.current if isinstance(self.current, Finding) else None

    def show(self, snapshot: FindingsSnapshot, hidden: frozenset[str]) -> None:
        """Show a snapshot without the findings that a person hid."""
        self.snapshot, self.hidden = snapshot, hidden
        self._build()

    def on_screen(self) -> list[Finding]:
        """The findings that are on screen now."""
        top = self.scroll_offset.y
        shown = self.items[top : top + self.scrollable_content_region.height]
        return [item for item in shown if isinstance(item, Finding)]

    def show_costs(self, costs: Mapping[str, str]) -> None:
        """Say at the end of a row, by fingerprint, what the step that wrote it cost."""
        if costs != self.costs:
            self.costs = costs
            self.lines_changed()

    def filter(self, filters: Filters) -> None:
        """Show only what passes."""
        self.filters = filters
        self._build()

    def cycle_gate(self) -> None:
        """P0 → P1 → P2 → all."""
        turns = ("P0", "P1", "P2", "")
        place = (turns.index(self.filters.gate) + 1) % 4 if self.filters.gate else 0
        self.filter(replace(self.filters, gate=turns[place]))

    def toggle_rule(self) -> None:
        """Only the rule under the cursor, or all again."""
        rule = self.finding.rule if self.finding and not self.filters.rule else ""
        self.filter(replace(self.filters, rule=rule))

    def toggle_file(self) -> None:
        """Only the file under the cursor, or all again."""
        path = "" if self.filters.file or isinstance(self.current, Check | None) else self.current.path
        self.filter(replace(self.filters, file=path))

    def jump(self, on: bool) -> None:
        """Show the digits that jump, or hide them."""
        self.jumping = on
        self.lines_changed()

    def tick(self, now: datetime) -> None:
        if self._framed != bool(self.styles.border_bottom[0]):  # what stands in the title alone has another line now
            self._build()
        super().tick(now)

    def on_resize(self) -> None:
        super().on_resize()
        self._build()

    def troubled(self) -> None:
        self._build()

    def _build(self) -> None:
        snapshot = self.snapshot
        current = snapshot.saved[0] if snapshot.saved else ""
        rows = ordered(snapshot, current)
        visible, hidden = rows, 0
        if self.hidden:
            visible = [row for row in rows if not (isinstance(row, Finding) and row.fingerprint in self.hidden)]
            hidden = len(rows) - len(visible)
        if self.filters:
            visible = [row for row in visible if self.filters.accept(row)]
        told = [filled(row, self.keys) for row in nothing(snapshot, self.filters, hidden, self.trouble)]
        width = self.scrollable_content_region.width
        self.empty = [part for row in told for part in (wrap_line(row, width, _hangs(row)) if width > 0 else [row])]
        framed = self._framed = bool(self.styles.border_bottom[0])
        room = max(0, self.size.width - (6 if framed else 4))
        title = counts_line(snapshot, len(visible), self.filters, room, alone=not framed)
        self.set_title(title, self._subtitle(hidden))
        self.show_items(visible)

    def _subtitle(self, hidden: int) -> Line:
        snapshot = self.snapshot
        if snapshot.progress is not None and not self.trouble:
            return line(f"checking {plain(gauge(snapshot.progress, 16, 'accent'))} {percent(snapshot.progress)}")
        parts = [compliance(snapshot)] if snapshot.trend else []
        parts += [f"{hidden} hidden"] if hidden else []
        parts += [f"{snapshot.suppressed} ignored"] if snapshot.suppressed else []
        left = self.size.width - 6 - sum(len(part) + 3 for part in parts)  # the note gives way, never a figure
        if snapshot.note and left >= _NOTE:
            parts.insert(0, crop(plain_text(snapshot.note, 60), left))
        return join([line(part) for part in parts], " · ")
