"""The skills screen: what agents can load, whether they do, and what each costs in context."""

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message

from cockpit.catalogue.models import SkillRow, SkillsReport
from cockpit.plain_text import plain_text
from skills.counted import counted
from widgets.bindings import bind
from widgets.line_view import FixedLines, LineView
from widgets.lines import Line, Span, crop, line, pad
from widgets.screens.framed import FramedScreen
from widgets.virtual_list import VirtualList
from widgets.words import tokens

_HINTS = (
    "{skills-show} show · {skills-install} install · {skills-remove} take out · {recheck} again · {close} close",
    "{skills-show} · {skills-install} install · {skills-remove} out · {close}",
    "{skills-show} · {skills-install} · {skills-remove} · {close}",
)
_PRIORITY = {"P0": "bad", "P1": "warn", "P2": "info"}
_COLUMNS = (("offered", 7), ("eligible", 8), ("used", 5), ("missed", 6), ("body", 6), ("list", 5))
_MEANING = (
    "offered: sessions · eligible: prompts that call for it · used: loads",
    "missed: called for, offered, not loaded · body, list: tokens, ~ estimated",
)


def columns_in(width: int) -> tuple[tuple[str, int], ...]:
    """The columns of figures that fit."""
    return _COLUMNS if width >= 90 else _COLUMNS[:5] if width >= 70 else (_COLUMNS[2], _COLUMNS[4])


def head_line(width: int) -> Line:
    """The names of the columns."""
    spans: list[Span] = [(pad("  skill", _name_width(width)), "faint")]
    if width >= 110:
        spans.append((pad("installed", 20), "faint"))
    spans += [(" " + pad(name, size, right=True), "faint") for name, size in columns_in(width)]
    if width >= 130:
        spans.append(("  what it is for", "faint"))
    return tuple(spans)


def skill_line(row: SkillRow, width: int) -> Line:
    """One skill: whether it is installed, its figures; `~` marks what is estimated."""
    glyph, token = ("●", "good") if row.installed else ("·", "faint")
    if row.problems:
        glyph, token = "!", "warn"
    name = pad(plain_text(row.name, 80), _name_width(width) - 2)
    spans: list[Span] = [(f"{glyph} ", token), (name, "text" if row.installed else "muted")]
    if width >= 110:
        where = ", ".join(dict.fromkeys(row.installed)) or "not installed"
        spans.append((pad(where, 20), "muted" if row.installed else "faint"))
    figures = {
        "offered": _count(row.use.offered),
        "eligible": _count(row.use.eligible),
        "used": (str(row.use.loaded) if row.use.loaded else "–", "good" if row.use.loaded else "faint"),
        "missed": (str(row.use.missed) if row.use.missed else "–", "warn" if row.use.missed else "faint"),
        "body": (("~" if row.body_basis == "estimated" else "") + tokens(row.body_tokens), "text"),
        "list": ("~" + tokens(row.listing_tokens), "muted"),
    }
    for name, size in columns_in(width):
        text, token = figures[name]
        spans.append((" " + pad(text, size, right=True), token))
    if width >= 130:
        used = _name_width(width) + 20 + sum(size + 1 for _, size in columns_in(width)) + 2
        spans += [("  ", "text")]
        if row.priority:
            spans += [(f"{row.priority} ", _PRIORITY.get(row.priority, "muted"))]
        spans.append((crop(plain_text(row.description), max(0, width - used - 3)), "muted"))
    return tuple(spans)


def _name_width(width: int) -> int:
    return 34 if width >= 60 else max(12, width - 13)


def _count(number: int) -> Span:
    return (str(number) if number else "–", "text" if number else "faint")


class SkillList(VirtualList[SkillRow]):
    """One line a skill."""

    def key(self, item: SkillRow) -> Hashable:
        return item.name

    def row(self, item: SkillRow, index: int, width: int) -> Line:
        return skill_line(item, width)


class SkillsScreen(FramedScreen):
    """Shows a `SkillsReport`. Asks by messages: what is there, a skill's text, installing one or taking it out."""

    class Wanted(Message):
        """The list is to be read."""

        def __init__(self, screen: "SkillsScreen") -> None:
            self.screen = screen
            super().__init__()

    class Chosen(Message):
        """A skill is to be shown, installed or taken out."""

        def __init__(self, screen: "SkillsScreen", name: str, deed: str) -> None:
            self.screen, self.name, self.deed = screen, name, deed
            super().__init__()

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("skills-show", "deed('show')"),
        bind("skills-install", "deed('install')"),
        bind("skills-remove", "deed('remove')"),
        bind("recheck", "again", "Read it again"),
    ]

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(keys)
        self.report: SkillsReport | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="frame"):
            yield FixedLines(id="skills-head", classes="fixed")
            yield SkillList(id="skills-rows", classes="grows")
            yield FixedLines(id="skills-foot", classes="fixed")

    def on_mount(self) -> None:
        self.rows.focus()
        self.action_again()

    @property
    def rows(self) -> SkillList:
        return self.query_one(SkillList)

    @property
    def moving(self) -> LineView:
        return self.rows

    def show(self, report: SkillsReport) -> None:
        """Show what was read."""
        self.report, self.problem = report, ""
        self.build()

    def build(self) -> None:
        if not self.is_there:
            return
        width = self.row_width
        report = self.report
        self.entitle(_title(report), _HINTS)
        self.fill("skills-head", [head_line(width)] if report else [])
        self.rows.empty = [
            line((self.problem, "bad") if self.problem else ("Reading skills and transcripts…", "muted"))
        ]
        self.rows.show_items(report.rows if report else ())
        self.rows.lines_changed()
        self.fill("skills-foot", _foot(report, width, self.size.height) if report else [])

    def action_again(self) -> None:
        self.ask(self.Wanted(self))

    def action_deed(self, deed: str) -> None:
        if (row := self.rows.current) is not None:
            self.post_message(self.Chosen(self, row.name, deed))


def _title(report: SkillsReport | None) -> str:
    if report is None:
        return "Skills"
    there = sum(bool(row.installed) for row in report.rows)
    return f"Skills · {there} installed of {len(report.rows)} · {counted(report.sessions, 'session')} in 90 days"


def _foot(report: SkillsReport, width: int, height: int) -> list[Line]:
    """What the columns mean, how full the list of descriptions is, and what could not be known."""
    rows: list[Line] = [line((note, "warn")) for note in report.notes]
    if report.lost:
        rows.append(line(("no room for the description of ", "warn"), (", ".join(report.lost), "text")))
    if height >= 14:
        share = f"{report.used:,} of {report.budget:,} characters"
        rows.append(line(("list of descriptions ", "faint"), (share, "muted")))
        if width >= 70:
            both = " · ".join(_MEANING)
            rows += [line((text, "faint")) for text in ((both,) if len(both) <= width else _MEANING)]
    return [(), *rows] if rows and height >= 14 else rows
