"""Pane 2: what it costs — day and month against the budgets, burn rate, models, and each session's context window."""

from collections.abc import Sequence
from datetime import datetime

from cockpit.agents.models import Session
from cockpit.plain_text import plain_text
from cockpit.spend.models import BudgetWindow, SpendRow, SpendSnapshot
from skills.spending.amount import percent
from widgets.line_view import FixedLines
from widgets.lines import Line, crop, gauge, join, line, pad, sparkline, width_of
from widgets.words import money, tokens
from widgets.wrap import wrapped

LEVEL_TOKEN = {
    "ok": "good",
    "info": "info",
    "warn": "warn",
    "critical": "bad",
    "exceeded": "bad",
    "blocked": "bad",
    "safe": "good",
    "alert": "warn",
}
_SHOWN = ("day", "week", "month")
_LEAVING = ("session", "week", "month", "day")
_PRESSING = {"warn", "alert", "critical", "exceeded", "blocked"}


_NO_USAGE = (
    line(("No usage in this repository yet.", "muted")),
    line(("Start an agent here: its transcripts are read as they grow.", "faint")),
    line(("Another place? Set CLAUDE_CONFIG_DIR, then cockpit doctor.", "faint")),
)
_NAME, _FIGURE, _TAIL = 12, 17, 16
_ROOMY = 44  # cells from which nothing has to be left out
_SPACIOUS = 45  # cells from which the last column has two spaces before it
_BRIEF = {"exceeded": "over", "critical": "crit"}
_LARGE = 1000  # dollars from which cents say nothing


def name_in(name: str, width: int) -> str:
    """The first column, with a gap behind it; narrower where there is less room."""
    size = _NAME if width >= _ROOMY else max(9, min(_NAME, width - 30))
    return pad(name, size - 1) + " "


def bar_row(name: str, figure: Line, used: float, level: str, width: int) -> Line:
    """`name  figure  ━━━━───  82 % warn`: every bar of the pane begins and ends in the same column."""
    token = LEVEL_TOKEN.get(level, "bad")
    head: Line = ((name_in(name, width), "muted"), *figure)
    room = width - width_of(head) - _TAIL - 2
    bar: Line = (("  ", "text"), *gauge(used / 100, min(room, 44), token)) if room >= 4 else ()
    gap = " " if width < _SPACIOUS else "  "
    return (*head, *bar, (gap, "text"), (level_in(used, level, width - width_of((*head, *bar)) - len(gap)), token))


def level_in(used: float, level: str, width: int) -> str:
    """`124 % exceeded`, its figure to the right of five cells, or the same in fewer where `width` asks for it."""
    share, brief = share_of(used), _BRIEF.get(level, level)
    forms = [f"{share:>5} {level}", f"{share} {level}", f"{share.replace(' ', '')} {level}"]
    forms += [f"{share} {brief}", f"{share.replace(' ', '')} {brief}"]
    return next((form for form in forms if len(form) <= width), forms[-1])


def share_of(of_hundred: float) -> str:
    """`82 %`, or `13 ×` from ten times on, so that the word behind it keeps its room."""
    return percent(of_hundred / 100) if of_hundred < 999.5 else f"{of_hundred / 100:.0f} ×"


def money_in(usd: float, floor: bool, width: int) -> str:
    """Dollars as exact as `width` cells allow: a figure that is cut would be another one."""
    exact = money(usd, floor=floor)
    whole = exact.rpartition(".")[0]
    mark = "≥ " if floor else ""
    forms = [] if usd >= _LARGE else [exact]
    forms += [whole, f"{mark}${usd // 100 / 10:,.1f}K", f"{mark}${usd // 1000:,.0f}K"]
    return next((form for form in forms if len(form) <= width), forms[-1])


def of_limit(limit: float) -> str:
    """` of $5` in eight cells, more where the figure takes more."""
    return f"{f' of ${limit:,.0f}' if limit == int(limit) else f' of ${limit:,.2f}':<8}"


def window_row(window: BudgetWindow, width: int) -> Line:
    """`day  $4.12 of $5  ━━━━───  82 % warn` in `width` cells; the bar takes what is left."""
    size = _FIGURE - 8 if width >= _ROOMY else 7
    spent = pad(money_in(window.spent, window.floor, size), size, right=True)
    limit = window.counted
    if limit is None or window.percent is None:
        return line(
            (name_in(window.window, width), "muted"),
            (spent, "strong"),
            (f"  no budget: cockpit budget set {window.window} 5", "faint"),
        )
    figure: Line = ((spent, "strong"), (of_limit(limit), "muted"))
    return bar_row(window.window, figure, window.percent, window.level, width)


def pressing(windows: Sequence[BudgetWindow], most: int) -> list[BudgetWindow]:
    """At most so many windows, in their order: the ones that are calm leave first, of those the week before the month
    and the day. One that is at a warning or past it always stays."""
    calm = [window for window in windows if window.level not in _PRESSING]
    calm.sort(key=lambda window: (window.level == "info", _LEAVING.index(window.window)))
    gone = calm[: max(0, len(windows) - most)]
    return [window for window in windows if window not in gone]


def words(windows: Sequence[BudgetWindow], key: str) -> str:
    """The windows that reached a rung, all in one short notice, with the key that shows where it went."""
    parts = [
        f"{window.window} {'' if window.percent is None else f'{share_of(window.percent)} '}{window.level}"
        for window in windows
    ]
    return f"Budget: {', '.join(parts)} · {key} shows where it went"


def short_model(model: str) -> str:
    """`claude-opus-4-7` → `opus-4-7`: the vendor is told by the agent already."""
    name = plain_text(model, 40).removeprefix("claude-")
    stem, _, last = name.rpartition("-")
    return stem if stem and last.isdigit() and len(last) == 8 else name


def short_models(models: Sequence[str]) -> list[str]:
    """The short names, whole where two of them would be the same."""
    short = [short_model(model) for model in models]
    whole = [plain_text(model, 40).removeprefix("claude-") for model in models]
    return [one if short.count(one) == 1 else all_of_it for one, all_of_it in zip(short, whole, strict=True)]


def model_split(rows: Sequence[SpendRow], width: int) -> Line:
    """This month's share by model, dearest first, as many as fit; what has no price is said loudly."""
    total = sum(row.usd for row in rows)
    parts: list[Line] = []
    for row, name in zip(rows[:3], short_models([row.key for row in rows[:3]]), strict=True):
        if row.unpriced_tokens and not row.usd:
            parts.append(((f"{name} unpriced {tokens(row.unpriced_tokens)}", "bad"),))
        elif total:
            parts.append(((f"{name} ", "muted"), (share_of(100 * row.usd / total), "text")))
    return _fitting(parts, "  ", width)


def outlook(snapshot: SpendSnapshot, width: int) -> Line:
    """Where the month is going, and how fast money goes right now, as far as there is room."""
    parts: list[Line] = []
    month = next((window for window in snapshot.windows if window.window == "month"), None)
    if month is not None and month.projected is not None:
        parts.append(
            (
                ("→ ", "accent"),
                (f"${month.projected:,.0f}", "strong"),
                (" by month's end (estimated)", "muted"),
            )
        )
    if snapshot.burn_per_hour is not None:
        parts.append(((f"${snapshot.burn_per_hour:,.2f}/h", "text"),))
    return _fitting(parts, "   ", width)


def _fitting(parts: list[Line], gap: str, width: int) -> Line:
    """The parts in one line; the last ones leave before one of them would be cut."""
    while len(parts) > 1 and width_of(join(parts, gap)) > width:
        parts = parts[:-1]
    return join(parts, gap)


def context_row(session: Session, width: int) -> Line:
    """The context window of a live session: gauge, percent, size, level."""
    context = session.context
    if context is None:
        return ()
    size = tokens(context.window).replace(".0", "")
    used = f"{tokens(context.used)} of {size}"
    figure: Line = ((pad(f"ctx {used}", _FIGURE) if width >= _ROOMY else pad(used, 15), "muted"),)
    return bar_row(plain_text(session.branch or session.agent), figure, context.percent, context.level, width)


def budget_lines(snapshot: SpendSnapshot, sessions: Sequence[Session], width: int, height: int) -> list[Line]:
    """The whole pane, the most pressing within `height`; what is below it can be scrolled to."""
    if snapshot.today is None:
        if snapshot.loading is not None:
            return [
                (
                    ("Reading transcripts  ", "muted"),
                    *gauge(snapshot.loading, max(4, min(24, width - 28)), "accent"),
                )
            ]
        return [line(("Reading transcripts…", "muted"))]
    if snapshot.month is not None and not snapshot.month.requests and not snapshot.daily_total:
        return wrapped(_NO_USAGE, width)
    shown = [window for window in snapshot.windows if window.window in _SHOWN]
    live = [session for session in sessions if session.state != "ended" and session.context is not None]
    full = [session for session in live if session.context is not None and session.context.level in _PRESSING]
    going, models = outlook(snapshot, width), model_split(snapshot.by_model, width)
    extra = [join((going, models))]
    if width_of(extra[0]) > width:
        extra = [going, models]
    extra = [row for row in extra if row]
    if height < 5 and len(shown) + len(live) + len(extra) > height:
        shown = pressing(shown, 2)
    lines = [window_row(window, width) for window in shown]
    warnings = unsaid(snapshot)
    room = max(0, height - len(lines) - 1 - len(warnings))
    first = live if len(live) <= room else [*full, *(one for one in live if one not in full)][:room]
    first = first or full[: max(0, height - len(lines))]
    lines += [context_row(session, width) for session in first]
    lines += warnings + extra
    return lines + [context_row(session, width) for session in live if session not in first]


def unsaid(snapshot: SpendSnapshot) -> list[Line]:
    """What the dollars leave out."""
    lines = []
    if snapshot.unpriced_models:
        names = ", ".join(short_model(name) for name in snapshot.unpriced_models[:3])
        lines.append(line((f"! no price known for {names}: those tokens are not in the dollars", "warn")))
    if snapshot.unread:
        lines.append(line((f"! {plain_text(snapshot.unread[0], 90)}", "warn")))
    return lines


class BudgetPane(FixedLines):
    """Money and context windows."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.snapshot = SpendSnapshot()
        self.sessions: Sequence[Session] = ()
        self.set_title(line("2 Budget"))

    def show(self, snapshot: SpendSnapshot, sessions: Sequence[Session]) -> None:
        """Show a snapshot and the sessions whose context windows are watched."""
        self.snapshot, self.sessions = snapshot, sessions
        self._build()

    def troubled(self) -> None:
        self._build()

    def tick(self, now: datetime) -> None:
        self.now = now
        self._build()

    def on_resize(self) -> None:
        super().on_resize()
        self._build()

    def _told(self, width: int, height: int) -> list[Line]:
        if self.trouble and self.snapshot.today is None:
            return wrapped([line((f"Not read: {self.trouble}", "warn"))], width)
        return budget_lines(self.snapshot, self.sessions, width, height)

    def _build(self) -> None:
        size = self.scrollable_content_region
        self.wish = len(self._told(size.width or 60, 12))
        self.show_lines(self._told(size.width, size.height))
        title = "2 Budget"
        if self.snapshot.scope:
            title += f" · {plain_text(self.snapshot.scope, 30)}"
        days = [usd for _, usd in self.snapshot.daily]
        parts = [f"14 days {sparkline(days)}"] if any(days) else []
        if note := plain_text(self.snapshot.note, 160):  # what is wrong is whole before there is room for a picture
            left = self.size.width - 6
            parts = [note, *parts] if len(" · ".join([note, *parts])) <= left else [crop(note, left)]
        self.set_title(line(title), line(" · ".join(parts)) if parts else ())


def headline(snapshot: SpendSnapshot, *, brief: bool = False) -> Line:
    """Today's dollars and the last week (`brief`: without that), for the top line."""
    if snapshot.today is None:
        return ()
    days = [usd for _, usd in snapshot.daily][-7:]
    spark = f" {sparkline(days)}" if any(days) and not brief else ""
    return (
        (money(snapshot.today.usd, floor=snapshot.today.amount.floor), "strong"),
        (" today", "muted"),
        (spark, "accent"),
    )


def level_of_tightest(snapshot: SpendSnapshot) -> tuple[str, str]:
    """Percent of the budget that most is spent of, and its token, for the narrow tab."""
    known = [(window.percent, LEVEL_TOKEN[window.level]) for window in snapshot.windows if window.percent is not None]
    if not known:
        return "", "muted"
    used, token = max(known)
    return share_of(used).replace(" ", ""), token
