"""Lines of the habits screen: what each habit cost and where it shows, and the ten measures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cockpit.agents.models import named
from cockpit.phases.habits_models import HabitsView
from cockpit.plain_text import plain_text
from skills.counted import counted
from skills.orchestrator.habit_models import BASIS, PATTERN_NAMES, HabitRow, PatternId, Violation
from skills.orchestrator.measures import Measure, figure, share
from widgets.lines import Line, Span, crop, fit, line, pad, sparkline, spread, width_of
from widgets.words import STATUS, money, tokens
from widgets.wrap import wrap_line

ADVICE: dict[PatternId, str] = {
    "sequential-tools": "reads that do not need each other's answer can be asked at once",
    "web-search-for-docs": "the documentation server of this session knows installed packages",
    "no-analysis": "say which file, what is wrong and how it is verified, or let it plan first",
    "budget-ignored": "compact before a large result, or let a sub-agent read it",
    "over-delegation": "a few calls cost less in the session itself",
    "unbacked-claim": "ask for the run after the last edit; the Stop hook can hold a claim back",
}
TABS = ("habits", "measures")
_WIDE, _NARROW, _LEAST = 92, 60, 40
_WEEKS = 12
_IN_PARTS = ("rule-compliance", "spend", "skills", "estimate-accuracy")


@dataclass(frozen=True, slots=True)
class Note:
    """A line that explains and cannot be opened."""

    spans: Line
    key: str
    right: Line = ()


Entry = HabitRow | Violation | Measure | Note


def habit_entries(view: HabitsView) -> list[Entry]:
    """Each habit with what helps against it and its dearest cases; those that cost nothing come without."""
    entries: list[Entry] = []
    for row in view.rows:
        entries.append(row)
        if row.why:
            entries.append(Note(line(("    ", "text"), (plain_text(row.why, 300), "faint")), f"why {row.id}"))
        if row.count:
            entries.append(Note(line(("    ", "text"), (ADVICE[row.id], "faint")), f"advice {row.id}"))
            entries += row.examples
    return entries


def measure_entries(view: HabitsView) -> list[Entry]:
    """Each measure with what else is to say of it, and its parts."""
    entries: list[Entry] = []
    for measure in view.measures or ():
        entries.append(measure)
        token = "warn" if measure.status == "not_run" else "faint"
        entries.append(Note(line(("    ", "text"), (plain_text(measure.detail, 300), token)), f"detail {measure.id}"))
        parts = measure.rows if measure.id in _IN_PARTS else ()
        for name, value in (part for part in parts if part[1] not in measure.detail):
            shown = line(("    ", "text"), (plain_text(name, 60), "muted"))
            entries.append(Note(shown, f"{measure.id} {name}", _part(value, measure.courses.get(name, ()))))
    return entries


def wrapped_entry(entry: Entry, width: int) -> list[Entry]:
    """A sentence in as many lines as it needs; all else as it is."""
    if not isinstance(entry, Note) or entry.right:
        return [entry]
    return [
        replace(entry, spans=spans, key=f"{entry.key} {n}") for n, spans in enumerate(wrap_line(entry.spans, width, 4))
    ]


def _part(value: str, course: Sequence[tuple[str, float]]) -> Line:
    """The value of a part with its course, and how far it went since the first week."""
    said: Line = ((plain_text(value), "muted"),)
    if len(course) < 2:
        return said
    shown = course[-_WEEKS:]
    went = shown[-1][1] - shown[0][1]
    token = "good" if went > 0 else "bad" if went < 0 else "faint"
    return (*said, (f"  {sparkline([share for _, share in shown])}", "accent"), (f" {went:+.1f}", token))


def entry_row(entry: Entry, view: HabitsView, width: int) -> Line:
    """One entry in `width` cells."""
    if isinstance(entry, Note):
        if not entry.right:
            return fit(entry.spans, width)
        if width < _NARROW:
            (value, token), *_ = entry.right
            return spread(entry.spans, ((crop(value.partition(", ")[0], 10), token),), width)
        head = fit(entry.spans, 43)
        return fit((*head, (" " * (45 - width_of(head)), "text"), *entry.right), width)
    if isinstance(entry, HabitRow):
        return habit_row(entry, trend_of(view, entry.id), width)
    return example_row(entry, width) if isinstance(entry, Violation) else measure_row(entry, width)


def habit_head(width: int) -> Line:
    """The names of the columns."""
    right = _columns("count", "seconds", "tokens", "dollars", "basis", "weeks", width, "faint")
    return spread(line(("  habit", "faint")), right, width)


def habit_row(row: HabitRow, weeks: Sequence[int], width: int) -> Line:
    """What a habit cost: `–` where it cannot apply, `?` where nobody could look."""
    glyph, _, token = STATUS[row.status]
    if row.status == "fail":  # a habit costs, it breaks nothing
        glyph, token = "!", "warn"
    left: Line = ((f"{glyph} ", token), (PATTERN_NAMES[row.id], "strong" if row.count else "muted"))
    if row.status in ("not_run", "not_applicable"):
        said = row.status.replace("_", " ") if width >= _NARROW else STATUS[row.status][1]
        if width >= _WIDE:  # where the others say their basis
            said = pad(said, 12 + _WEEKS)
        return spread(left, ((said, "faint"),), width)
    seconds = "" if row.seconds is None else f"{row.seconds:,.0f} s"
    spent = "" if row.tokens is None else tokens(row.tokens)
    usd = "" if row.usd is None else money(row.usd, floor=row.floor)
    trend = sparkline([float(value) for value in weeks[-_WEEKS:]]) if len(weeks) > 1 else ""
    right = _columns(str(row.count), seconds, spent, usd, BASIS[row.id], trend, width, "text" if row.count else "faint")
    return spread(left, right, width)


def _columns(many: str, seconds: str, spent: str, usd: str, basis: str, trend: str, width: int, token: str) -> Line:
    cells = [(pad(many, 6 if width >= _LEAST else 3, right=True), token)]
    if width >= _NARROW:
        cells += [(pad(seconds, 10, right=True), token), (pad(spent, 9, right=True), token)]
    cells.append((pad(usd, _dollar_cells(width), right=True), token))
    if width >= _WIDE:
        cells += [
            (f"  {pad(basis, 10)}", "faint"),
            (f"  {pad(trend, _WEEKS)}", "accent" if token == "text" else "faint"),
        ]
    return tuple(cells)


def _dollar_cells(width: int) -> int:
    """The cells of a column of dollars."""
    return 10 if width >= _NARROW else 8


def trend_of(view: HabitsView, pattern: PatternId) -> list[int]:
    """How often a habit was seen, week by week."""
    return [week.counts.get(pattern, 0) for week in view.weeks]


def example_row(one: Violation, width: int) -> Line:
    """One case: its transcript's line, what happened, what it cost."""
    usd = money(one.usd, floor=one.floor) if one.usd is not None else ""
    took = f"{one.seconds:,.0f} s" if one.seconds is not None and width >= _NARROW else ""
    right: Line = ((f"  {took}", "faint"), (pad(usd, _dollar_cells(width), right=True), "muted")) if usd or took else ()
    if width >= _WIDE:
        right = (*right, (" " * (14 + _WEEKS), "text"))
    place = f"{plain_text(one.session)[:8]}:{one.line}"
    roomy = width >= _NARROW
    left: list[Span] = [("    " if roomy else "  ", "text"), (pad(place, 15 if roomy else 12) + " ", "accent")]
    return spread((*left, (plain_text(one.text, 300), "text")), right, width)


def measure_row(one: Measure, width: int) -> Line:
    """A measure: its value, its denominator, its basis, and its course."""
    glyph, token = {"known": ("·", "accent"), "not_run": ("?", "warn"), "not_applicable": ("–", "faint")}[one.status]
    known = one.status == "known"
    head: Line = ((f"{glyph} ", token), (one.title, "strong" if known else "muted"))
    if width < _NARROW:
        return spread(head, ((figure(one), "text"),), width)
    left = (*head, (pad(figure(one), 44 - width_of(head), right=True), "text"))
    trend = sparkline([value for _, value in one.weeks[-_WEEKS:]]) if len(one.weeks) > 1 else ""
    right: Line = ((f"  {pad(trend, _WEEKS)}", "accent"), (f"  {one.basis}", "faint")) if width >= _WIDE else ()
    return spread((*left, (f"  {share(one)}", "muted")), right, width)


def foot_line(view: HabitsView, width: int) -> Line:
    """What was read, and what could not be."""
    of = f" of {named(view.agents)}" if view.agents else ""
    many = counted(view.sessions, "session")
    wordings = (f"{many}{of}, measured from their transcripts; dollars computed", f"{many}, dollars computed")
    spans: Line = ((next((one for one in wordings if len(one) <= width), many), "muted"),)
    if view.problems:
        spans = (*spans, (f" · {plain_text(view.problems[0], 120)}", "warn"))
        if len(view.problems) > 1:
            spans = (*spans, (f" and {len(view.problems) - 1} more", "warn"))
    return fit(spans, width)


def tabs_line(active: int) -> Line:
    """`1 habits  2 measures`."""
    spans: list[Span] = []
    for place, name in enumerate(TABS):
        on = place == active
        spans += [(f"{place + 1} ", "accent" if on else "key"), (name, "accent" if on else "tab"), ("  ", "text")]
    return tuple(spans)
