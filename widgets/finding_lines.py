"""Findings as lines: a row each, the counts above them, and what stands where there is none."""

from collections.abc import Sequence
from itertools import product

from cockpit.findings.models import Check, CheckProblem, Finding, FindingsSnapshot
from cockpit.plain_text import plain_text
from skills.counted import counted
from skills.spending.amount import percent
from widgets.finding_filters import Filters, Row
from widgets.lines import Line, Span, crop_path, gauge, join, line, pad, sparkline, width_of
from widgets.words import tokens

GATE_GLYPH = {"P0": ("✖", "bad"), "P1": ("!", "warn"), "P2": ("·", "info")}
SEVERITY: dict[str, Span] = {
    "CRITICAL": ("✖", "bad"),
    "HIGH": ("!", "warn"),
    "MEDIUM": ("•", "info"),
    "LOW": ("·", "muted"),
    "INFO": ("·", "faint"),
}
_TINY = 28  # cells in which a rule beside its place would leave nothing of either
_HARDLY = 4  # cells that are better left empty than have a row out of line


def place_of(row: Finding | CheckProblem) -> str:
    """`path:line`, safe to show."""
    return f"{plain_text(row.path)}:{row.line}"


def columns(rows: Sequence[Row], width: int) -> tuple[int, int]:
    """Cells of the place and of the rule: as wide as the longest among `rows` where the message keeps half of all, else
    what nine of ten need. A place that is longer loses its first folders, a rule pushes its message on, so that a
    few long ones cost no row its message."""
    places = sorted(len(place_of(row)) for row in rows if not isinstance(row, Check)) or [0]
    rules = sorted(len(row.rule) for row in rows if isinstance(row, Finding)) or [0]
    if width < _TINY:  # which file it is tells more
        return max(8, min(_most_need(places), width - 3)), 0
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


def problem_row(row: CheckProblem | Check, size: int) -> Line:
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


def worst(snapshot: FindingsSnapshot) -> Line:
    """`✖1 !5.3K` for the narrow tab: `✓` only where everything was judged, `?` where something could not be,
    `–` where there is nothing to judge."""
    totals = {gate: sum(1 for finding in snapshot.findings if finding.gate == gate) for gate in ("P0", "P1")}
    if not any(totals.values()):
        if snapshot.phase == "checking":
            return line(("…", "muted"))
        states = {gate.status for gate in snapshot.gates}
        if snapshot.problems or "not_run" in states:
            return line(("?", "warn"))
        return line(("–", "faint")) if states == {"not_applicable"} else line(("✓", "good"))
    parts: list[Line] = []
    if totals["P0"]:
        parts.append(line((f"✖{tokens(totals['P0'])}", "bad")))
    if totals["P1"]:
        parts.append(line((f"!{tokens(totals['P1'])}", "warn")))
    return join(parts, " ")
