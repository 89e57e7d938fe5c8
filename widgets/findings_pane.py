"""Pane 4: what the gates found, P0 first and the file at hand first; filters, jumps, what is new since a save."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product

from cockpit.findings.models import Check, CheckProblem, Finding, FindingsSnapshot
from cockpit.plain_text import plain_text
from skills.counted import counted
from skills.spending.amount import percent
from widgets.bindings import filled
from widgets.lines import Line, Span, crop, crop_path, gauge, join, line, pad, plain, sparkline, width_of
from widgets.virtual_list import VirtualList
from widgets.words import tokens
from widgets.wrap import wrap_line

Row = Finding | CheckProblem | Check

GATE_GLYPH = {"P0": ("✖", "bad"), "P1": ("!", "warn"), "P2": ("·", "info")}
SEVERITY: dict[str, Span] = {
    "CRITICAL": ("✖", "bad"),
    "HIGH": ("!", "warn"),
    "MEDIUM": ("•", "info"),
    "LOW": ("·", "muted"),
    "INFO": ("·", "faint"),
}
_GATES = ("P0", "P1", "P2", "none")
_HARDLY = 4  # cells that are better left empty than have a row out of line
_NOTE = 16  # cells from which the beginning of a note says something


@dataclass(frozen=True, slots=True)
class Filters:
    """What a person wants to see; empty means all."""

    text: str = ""
    gate: str = ""
    rule: str = ""
    file: str = ""
    only: frozenset[str] | None = None
    """Fingerprints: what one session wrote, for example, which `only_name` says."""
    only_name: str = ""

    def __bool__(self) -> bool:
        return bool(self.text or self.gate or self.rule or self.file or self.only is not None)

    def accept(self, row: Row) -> bool:
        """Whether a row passes every filter."""
        if isinstance(row, Check):
            return not self
        if isinstance(row, CheckProblem):
            return (
                not (self.gate or self.rule or self.only is not None)
                and self.file in ("", row.path)
                and self._has(row.path, row.message)
            )
        return (
            (self.only is None or row.fingerprint in self.only)
            and self.gate in ("", row.gate)
            and self.rule in ("", row.rule)
            and self.file in ("", row.path)
            and self._has(row.path, row.rule, row.message, row.symbol)
        )

    def _has(self, *texts: str) -> bool:
        wanted = self.text.lower()
        return not wanted or any(wanted in text.lower() for text in texts)

    def words(self) -> str:
        """The filters in one line."""
        parts = [
            self.gate,
            self.rule,
            self.file.rpartition("/")[2],
            f"“{self.text}”" if self.text else "",
            self.only_name,
        ]
        return " ".join(plain_text(part, 40) for part in parts if part)


def ordered(snapshot: FindingsSnapshot, current: str) -> list[Row]:
    """P0, the files that could not be judged, P1, P2, the checks that did not run, or told a part only; the
    current file first in each."""
    findings = _current_first(snapshot.findings, current)
    over = snapshot.progress is None and not snapshot.problems  # while it runs, not yet is not unable
    unable: list[Row] = [
        check
        for check in snapshot.checks
        if over and (check.status == "not_run" or (check.status == "fail" and check.reason))
    ]
    split = next((place for place, finding in enumerate(findings) if finding.gate != "P0"), len(findings))
    return [*findings[:split], *snapshot.problems, *findings[split:], *unable]


def _current_first(found: Sequence[Finding], current: str) -> list[Finding]:
    """The findings, P0 first and by place as they come, those of the current file before the others of their gate."""
    parts: dict[str, tuple[list[Finding], list[Finding]]] = {gate: ([], []) for gate in _GATES}
    for finding in found:
        parts[finding.gate][finding.path != current].append(finding)
    return [finding for part in parts.values() for half in part for finding in half]


def place_of(row: Finding | CheckProblem) -> str:
    """`path:line`, safe to show."""
    return f"{plain_text(row.path)}:{row.line}"


def columns(rows: Sequence[Row], width: int) -> tuple[int, int]:
    """Cells of the place and of the rule: as wide as the longest among `rows` where the message keeps half of all, else
    what nine of ten need. A place that is longer loses its first folders, a rule pushes its message on, so that a
    few long ones cost no row its message."""
    places = sorted(len(place_of(row)) for row in rows if not isinstance(row, Check)) or [0]
    rules = sorted(len(row.rule) for row in rows if isinstance(row, Finding)) or [0]
    if width < 60:
        rule = min(rules[-1], max(8, width // 2 - 4))
        return max(8, min(_most_need(places), width - rule - 4)), rule
    if places[-1] + rules[-1] <= width // 2:
        return places[-1], rules[-1]
    return min(_most_need(places), max(20, width // 3)), min(_most_need(rules), 32)


def glyph_of(finding: Finding) -> Span:
    """The mark of a finding: of its gate, and of its severity where it belongs to none."""
    return GATE_GLYPH.get(finding.gate) or SEVERITY[finding.severity]


def _most_need(sizes: list[int]) -> int:
    """What nine of ten of the sorted sizes need; the longest where that is one of a few, or hardly longer."""
    most = sizes[-1 - len(sizes) // 10]
    return sizes[-1] if sizes[-1] - most <= _HARDLY else most


def finding_row(
    finding: Finding, index: int, width: int, sizes: tuple[int, int], *, new: bool, jump: bool, cost: str = ""
) -> Line:
    """One finding in `width` cells: gate, place, rule, message; then `new` and its step's cost."""
    glyph, token = glyph_of(finding)
    wide = width >= 60
    rule = plain_text(finding.rule)
    parts: list[Span] = [(f"{index + 1} " if index < 9 else "  ", "key")] if jump else []
    parts.append((f"{glyph} ", token))
    if wide:
        parts.append((pad(finding.gate if finding.gate != "none" else "", 3), token))
    parts += [
        (pad(crop_path(place_of(finding), sizes[0]), sizes[0]), "text"),
        ("  " if wide else " ", "text"),
        (pad(rule, max(sizes[1], min(len(rule), 32) if wide else 0)), token),
    ]
    shown = [word for word in ("new" if new else "", cost if wide else "") if word]
    tail = f" {' · '.join(shown)}" if shown else ""
    room = width - width_of(parts) - len(tail) - 2
    message = pad(plain_text(finding.message), room) if wide else " " * max(0, room)
    return (*parts, (f"  {message}" if room > 0 else "", "muted"), (tail, "accent"))


def problem_row(row: CheckProblem | Check, width: int, size: int) -> Line:
    """What could not be judged, its place in `size` cells: never silent, never a pass."""
    if isinstance(row, Check):
        return line(
            ("? ", "warn"),
            (f"{plain_text(row.rule)} {'not run' if row.status == 'not_run' else 'told in part'}: ", "warn"),
            (plain_text(row.reason or "", 200), "muted"),
        )
    return line(
        ("? ", "warn"),
        (pad(crop_path(place_of(row), size), size) + "  ", "text"),
        (f"not judged: {plain_text(row.message, 200)}", "warn"),
    )


def counts_line(snapshot: FindingsSnapshot, shown: int, filters: Filters, room: int = 0, *, alone: bool = True) -> Line:
    """The pane's title: counts by gate, what is new, how many files. With `room`, its cells, what does not fit is left
    out whole, what the filter shows last. `alone`: there is no line below the pane, and the share of P1 stands here
    too: as much of it as fits, for which the files give way."""
    parts = []
    totals = {gate.gate: gate.count for gate in snapshot.gates}
    if snapshot.gates:
        parts += [f"{totals[gate]:,} {gate}" for gate in ("P0", "P1", "P2") if totals.get(gate)]
        if snapshot.problems:
            parts.append(f"{len(snapshot.problems)} not judged")
        elif not any(totals.values()) and snapshot.files.seen:
            parts.append("none")
    kept = [f"{shown:,} shown: {filters.words()}"] if filters else []
    parts += kept
    if snapshot.new:
        parts.append(f"{len(snapshot.new):,} new since save")
    if snapshot.resolved:
        parts.append(f"✓ {snapshot.resolved:,} resolved")
    files = [counted(snapshot.files.seen, "file")] if snapshot.files.seen and snapshot.progress is None else []
    if room and alone and snapshot.trend and snapshot.progress is None:
        for name, share, rest in product(("4 Findings", "4"), shares(snapshot), (files, [])):
            told = line(" · ".join([name, *parts, share, *rest]))
            if width_of(told) <= room:
                return told
    parts = ["4 Findings", *parts, *files]
    if room and kept and width_of(line(" · ".join(parts[: parts.index(kept[0]) + 1]))) > room:
        parts = ["4 Findings", *kept, *(part for part in parts[1:] if part not in kept)]
    while room and len(parts) > 2 and width_of(line(" · ".join(parts))) > room:
        parts.pop()
    return line(" · ".join(parts))


def nothing(snapshot: FindingsSnapshot, filters: Filters, hidden: int, trouble: str = "") -> list[Line]:
    """What stands where there is no row: that all is well and why, that nothing matches, or what stopped the check."""
    if trouble and snapshot.phase == "checking":
        return [line(("Nothing was judged: ", "warn"), (trouble, "text"))]
    if snapshot.progress is not None or snapshot.phase == "checking":
        return [(("Checking…  ", "muted"), *gauge(snapshot.progress or 0.0, 24, "accent"))]
    if filters:
        matches = ("Nothing matches ", "muted"), (filters.words(), "text"), (" · ", "faint")
        return [line(*matches, ("{back}", "key"), (" shows all", "faint"))]
    if not snapshot.files.seen:
        elsewhere = ("Another worktree: ", "faint"), ("{pane-1}", "key"), (", then ", "faint")
        return [
            line(("No Python files here yet.", "muted")),
            line(("They are checked as soon as they are saved.", "faint")),
            line(*elsewhere, ("{check-worktree}", "key")),
        ]
    passed = sum(1 for check in snapshot.checks if check.status == "pass")
    said = f"Nothing found in {counted(snapshot.files.seen, 'file')}: {counted(passed, 'rule')} passed"
    lines = [line(("✓ ", "good"), (said, "text"))]
    for check in snapshot.checks:
        if check.status == "not_applicable":
            why = f"{plain_text(check.rule)} not applicable: {plain_text(check.reason or '', 160)}"
            lines.append(line(("– ", "faint"), (why, "muted")))
    if hidden:
        aside = f"{counted(hidden, 'finding')} hidden until they change: "
        lines.append(line((aside, "muted"), ("{hidden}", "key"), (" lists them", "muted")))
    return lines


def _hangs(row: Line) -> int:
    """Where a row goes on: below its words where it begins with a sign."""
    return 2 if row and row[0][0] in ("✓ ", "– ") else 0


def compliance(snapshot: FindingsSnapshot) -> str:
    """`P1 holds 93 %, goal 95 % ▅▆▇`: today's share, the goal, and the days before."""
    judged = " of what was judged" if snapshot.problems else ""
    return f"P1 holds {percent(snapshot.trend[-1].share)}{judged}, goal 95 %{_days(snapshot, 14)}"


def shares(snapshot: FindingsSnapshot) -> tuple[str, ...]:
    """The same in ever fewer words; that not all was judged stands beside it in the title."""
    today, week = percent(snapshot.trend[-1].share), _days(snapshot, 7)
    return compliance(snapshot), f"P1 holds {today}{week}", f"P1 {today}{week}", f"P1 {today}"


def _days(snapshot: FindingsSnapshot, most: int) -> str:
    """A bar for each of the last days, where there are several."""
    held = [point.share for point in snapshot.trend[-most:]]
    # a share moves by points: with bars that start at nought, all days would look the same
    floor = min(held) - max(0.02, (max(held) - min(held)) / 4)
    return f" {sparkline([share - floor for share in held])}" if len(held) > 1 else ""


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
            return problem_row(item, width, self._columns(width)[0] + (3 if width >= 60 else 0))  # below the gates too
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


def worst(snapshot: FindingsSnapshot) -> Line:
    """`✖1 !5.3K` for the narrow tab: `✓` only where everything was judged, `?` where something could not be."""
    totals = {gate: sum(1 for finding in snapshot.findings if finding.gate == gate) for gate in ("P0", "P1")}
    if not any(totals.values()):
        if snapshot.phase == "checking":
            return line(("…", "muted"))
        unsure = snapshot.problems or any(gate.status == "not_run" for gate in snapshot.gates)
        return line(("?", "warn")) if unsure else line(("✓", "good"))
    parts: list[Line] = []
    if totals["P0"]:
        parts.append(line((f"✖{tokens(totals['P0'])}", "bad")))
    if totals["P1"]:
        parts.append(line((f"!{tokens(totals['P1'])}", "warn")))
    return join(parts, " ")
