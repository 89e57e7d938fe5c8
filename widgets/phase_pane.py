"""Pane 3: the six phases of an agent session, the current one lit, with its evidence and its auto-checks."""

from collections.abc import Callable, Sequence
from datetime import datetime

from rich.cells import cell_len

from cockpit.agents.models import Check, Forecast, Phase, Session
from cockpit.plain_text import plain_text
from skills.ages import age
from skills.counted import counted
from widgets.bindings import filled
from widgets.line_view import FixedLines
from widgets.lines import Line, Span, crop, join, line, pad, width_of
from widgets.words import money
from widgets.wrap import hanging, wrap_line, wrapped

_NARROW = 60  # cells below which a sentence goes on in the next line
_PROMPT = 10  # cells from which the beginning of a prompt says something

GLYPH = {
    "done": ("✓", "good"),
    "current": ("▶", "accent"),
    "skipped": ("–", "faint"),
    "pending": ("·", "faint"),
}
SHORT = {
    "Pre-Analysis": "Pre-Analysis",
    "Request Analysis": "Request",
    "Workflow Planning": "Plan",
    "Skill Coordination": "Skills",
    "Tool Optimization": "Tools",
    "Quality Assurance": "Quality",
}
STATE_GLYPH = {
    "busy": ("●", "good"),
    "waiting": ("◐", "warn"),
    "idle": ("○", "muted"),
    "ended": ("✓", "faint"),
}


_READING = (line(("Reading sessions…", "muted")),)
_NO_SESSION = (
    line(("No agent session in the last 24 hours.", "muted")),
    line(
        ("Start one: ", "faint"),
        ("{pane-1}", "key"),
        (" a worktree, ", "faint"),
        ("{open-worktree}", "key"),
        (" an agent in it", "faint"),
    ),
    line(("One runs already? cockpit doctor says where it looks.", "faint")),
)


def phase_span(phase: Phase, *, short: bool, brief: bool = False) -> Line:
    """`✓ 1 Request` with the token of its status, and `72 light` behind it where there is room."""
    glyph, token = GLYPH[phase.status]
    name = SHORT.get(phase.name, phase.name) if short else phase.name
    name_token = "strong" if phase.status == "current" else ("text" if phase.status == "done" else "faint")
    spans: Line = ((f"{glyph} ", token), (f"{phase.number} {name}", name_token))
    return (*spans, (f" {plain_text(phase.brief, 24)}", "muted")) if brief and phase.brief else spans


def track(session: Session, width: int) -> list[Line]:
    """The six phases in one line where they fit, else in a column with their evidence."""
    for short, brief in ((False, True), (True, True), (False, False), (True, False)):
        parts = [phase_span(phase, short=short, brief=brief) for phase in session.phases]
        spans = join(parts, "   " if width > 110 else "  ")
        if width_of(spans) <= width:
            return [spans]
    heads = [phase_span(phase, short=width < _NARROW) for phase in session.phases]
    size = max(map(width_of, heads), default=0) + 2
    return [
        (*head, (" " * (size - width_of(head)) + plain_text(phase.evidence, 80), "muted"))
        for head, phase in zip(heads, session.phases, strict=True)
    ]


def check_span(check: Check) -> Line:
    """`[x] text`, `[ ] text` or `[?] text`."""
    mark, token = {True: ("[x]", "good"), False: ("[ ]", "warn"), None: ("[?]", "faint")}[check.holds]
    evidence = f" ({plain_text(check.evidence, 60)})" if check.evidence else ""
    return (
        (f"{mark} ", token),
        (plain_text(check.text, 70), "text" if check.holds is not None else "muted"),
        (evidence, "muted"),
    )


def phase_lines(session: Session, width: int) -> list[Line]:
    """Everything about one session's phases."""
    rows = track(session, width)
    current = next((phase for phase in session.phases if phase.status == "current"), None)
    told = current is not None and bool(current.evidence) and current.evidence in session.summary
    if len(rows) == 1 and current is not None and current.evidence and not told:
        rows.append(line(("now  ", "faint"), (plain_text(current.evidence, 160), "text")))
    if session.summary:
        rows.append(
            line(("now  " if told else "     " * (len(rows) == 2), "faint"), (plain_text(session.summary, 200), "text"))
        )
    if current is not None:
        rows += [check_span(check) for check in current.checks]
    done = [phase for phase in session.phases if phase is not current and phase.evidence]
    if len(rows) and done and len(track(session, width)) == 1:
        rows += [
            ((pad(f"{phase.number} {phase.name}", 24), "faint"), (plain_text(phase.evidence, 160), "muted"))
            for phase in done
        ]
    return rows


def forecast_words(forecast: Forecast | None, now: datetime) -> str:
    """`19 turns to compaction · next $0.31 · cache 4m`: what is known of it; computed."""
    if forecast is None:
        return ""
    parts = []
    if forecast.turns_left is not None:
        parts.append(f"{counted(forecast.turns_left, 'turn')} to compaction")
    warm = forecast.cache_until is not None and forecast.cache_until > now
    cost = forecast.next_usd if warm else forecast.next_usd_cold
    if cost is not None:
        parts.append(f"next {money(cost)}")
    if forecast.cache_until is not None:
        parts.append(f"cache {age(now, forecast.cache_until)}" if warm else "cache cold")
    return " · ".join(parts)


class PhasePane(FixedLines):
    """One session at a time; the app says which."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.sessions: Sequence[Session] = ()
        self.chosen: str = ""
        self.read = False
        self.note = ""
        self._day: Callable[[int], Line] = lambda width: ()
        self._more: Callable[[int, int], list[Line]] = lambda width, room: []
        self.set_title(line("3 Phase"))

    @property
    def current(self) -> Session | None:
        """The session that is shown: the chosen one, else the first (who waits, then who is busy)."""
        for session in self.sessions:
            if session.session == self.chosen:
                return session
        return self.sessions[0] if self.sessions else None

    def show(self, sessions: Sequence[Session], note: str = "") -> None:
        """Show sessions; the chosen one stays. `note` is what a person should know of how they are read."""
        self.sessions, self.note, self.read = sessions, plain_text(note, 60), True
        self._build()

    def show_day(self, day: Callable[[int], Line]) -> None:
        """Say where the day stands, in the last line; `day` makes it for a width."""
        self._day = day
        self._build()

    def show_more(self, more: Callable[[int, int], list[Line]]) -> None:
        """Say what fills the room that is left; `more` makes it for a width and a number of lines."""
        self._more = more
        self._build()

    def troubled(self) -> None:
        self._build()

    def choose(self, session: str) -> None:
        """Show this session."""
        self.chosen = session
        self._build()

    def step(self, by: int) -> None:
        """Show the next or previous session."""
        shown = self.current
        if shown is None:
            return
        place = self.sessions.index(shown)
        self.choose(self.sessions[(place + by) % len(self.sessions)].session)

    def on_resize(self) -> None:
        super().on_resize()
        self._build()

    def _build(self) -> None:
        session = self.current
        if session is None:
            self.set_title(line("3 Phase"), line((self.note, "warn")) if self.note else ())
            stopped = (line((f"Not read: {self.trouble}", "warn")),) if self.trouble and not self.read else ()
            told = [filled(row, self.keys) for row in (stopped or (_NO_SESSION if self.read else _READING))]
            rows = wrapped(told, self.scrollable_content_region.width)
            self.wish = len(rows)
            self.show_lines(rows)
            return
        width = self.scrollable_content_region.width
        lines = phase_lines(session, width)
        if 0 < width < _NARROW:
            lines = [part for each in lines for part in wrap_line(each, width, max(4, hanging(each)))]
        if day := self._day(width):
            lines.append(day)
        self.wish = len(lines)
        lines += self._more(width, self.scrollable_content_region.height - len(lines))
        self.show_lines(lines)
        self._title(session)

    def _title(self, session: Session) -> None:
        glyph, _ = STATE_GLYPH[session.state]
        state = "waits" if session.state == "waiting" else session.state
        where = plain_text(session.branch or session.agent, 28)
        position = f" ({self.sessions.index(session) + 1} of {len(self.sessions)})" if len(self.sessions) > 1 else ""
        title = f"3 Phase · {where}{position} · {glyph} {state} {age(session.since, self.now)}".rstrip()
        room = max(10, self.size.width - 6)
        left = room - cell_len(title) - len(" · “”")
        if session.prompt and left >= _PROMPT:
            title += f" · “{crop(plain_text(session.prompt, left), left)}”"
        self.set_title(line(crop(title, room)), self._costs(session))

    def _costs(self, session: Session) -> Line:
        parts = [self.note] if self.note else []
        parts += [f"{money(session.usd, floor=session.floor)} this session"] if session.usd is not None else []
        parts += [forecast_words(session.forecast, self.now)] if session.state != "ended" else []
        return line(crop(" · ".join(part for part in parts if part), max(0, self.size.width - 6)))


def summary(session: Session | None) -> Line:
    """`phase 4/5` for the top line."""
    if session is None:
        return ()
    parts: list[Span] = [("phase ", "muted"), (f"{session.phase}/5", "strong")]
    return tuple(parts)
