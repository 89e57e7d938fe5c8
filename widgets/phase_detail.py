"""Everything that is known of a session's phases: auto-checks, the twelve-item checklist, the day's own track."""

from collections.abc import Sequence
from datetime import datetime

from rich.cells import cell_len

from cockpit.agents.models import Session
from cockpit.plain_text import plain_text
from skills.ages import age
from skills.orchestrator.checklist import ChecklistItem
from skills.workflow.track import TrackStep
from widgets.lines import Line, join, line, pad, width_of
from widgets.phase_pane import GLYPH, STATE_GLYPH
from widgets.wrap import wrap_line

_MARK = {True: ("[x]", "good"), False: ("[ ]", "warn"), None: ("[?]", "faint")}
_GATE = {"P0": "bad", "P1": "warn", "P2": "info"}
_FEWEST = 6  # lines from which a part of the checklist says something
_SIDE = 74  # cells from which evidence stands beside its line, not below it


def day_line(track: Sequence[TrackStep], width: int) -> Line:
    """`day  ✓ start  · research  ▶ build  · ship`; what is pending gives way first where it is narrow."""
    if not track:
        return ()
    head: Line = (("day  ", "faint"),)
    seen = [step for step in track if step.status != "pending"]
    bare: list[Line] = [_step(step) if step.status != "pending" else ((step.name, "faint"),) for step in track]
    for steps, gap in (([_step(step) for step in track], "  "), (bare, " "), ([_step(step) for step in seen], " ")):
        spans = (*head, *join(steps, gap))
        if width_of(spans) <= width:
            return spans
    current = [step for step in track if step.status == "current"]
    return (*head, *join([_step(step) for step in current], "  "))


def _step(step: TrackStep) -> Line:
    glyph, token = GLYPH[step.status]
    return ((f"{glyph} ", token), (step.name, "strong" if step.status == "current" else token))


def detail_lines(
    session: Session | None, items: Sequence[ChecklistItem], track: Sequence[TrackStep], width: int, now: datetime
) -> list[Line]:
    """The whole of it, for a screen of `width` cells."""
    rows: list[Line] = []
    if session is not None:
        rows += [*_head(session, now), ()]
        for phase in session.phases:
            glyph, token = GLYPH[phase.status]
            name = "strong" if phase.status == "current" else "text"
            rows.append(
                line(
                    (f"{glyph} ", token),
                    (pad(f"{phase.number} {phase.name}", 24), name),
                    (plain_text(phase.evidence, 200) or phase.status, "muted"),
                )
            )
            for check in phase.checks:
                rows += _marked(check.holds, plain_text(check.text, 90), plain_text(check.evidence, 160), width)
        held = [sum(1 for item in items if item.holds is wanted) for wanted in (True, False, None)]
        told = f"{held[0]} hold, {held[1]} do not, {held[2]} not known"
        rows += [(), line(("Checklist of the change  ", "strong"), (told, "muted"))]
        for item in items:
            rows += _marked(item.holds, item.text, plain_text(item.evidence, 160), width, gate=item.gate)
    rows += [(), line(("The day  ", "strong"), (day_words(track), "muted"))]
    for step in track:
        glyph, token = GLYPH[step.status]
        told = f"{step.at.astimezone():%H:%M}  {plain_text(step.evidence, 160)}" if step.at else "no sign of it today"
        shown = "strong" if step.status == "current" else "text" if step.at else "faint"
        rows.append(line((f"{glyph} ", token), (pad(step.name, 24), shown), (told, "muted" if step.at else "faint")))
    return rows


def checklist_lines(items: Sequence[ChecklistItem], width: int, room: int) -> list[Line]:
    """The checklist below the phases, in at most `room` lines: what does not hold comes first where all is too much."""
    if room < _FEWEST or not items:
        return []
    holding = sum(1 for item in items if item.holds)
    rows: list[Line] = [
        (),
        line(("Checklist of the change  ", "muted"), (f"{holding} of {len(items)} hold", "faint")),
    ]
    if len(items) + len(rows) > room:
        items = sorted(items, key=lambda item: (True, None, False).index(item.holds), reverse=True)[: room - len(rows)]
    told = ""
    if 0 < width < _SIDE:  # no room for evidence: the words at least are whole
        marked = [row for item in items for row in _marked(item.holds, item.text, "", width, gate=item.gate)]
        rows += [part for row in marked for part in wrap_line(row, width, 9)]
        return rows[:room]
    for item in items:
        evidence = "" if item.evidence == told else plain_text(item.evidence, 160)  # a reason for many is said once
        told = item.evidence
        rows += _marked(item.holds, item.text, evidence, width or _SIDE, gate=item.gate, cut=True)
    return rows


def day_words(track: Sequence[TrackStep]) -> str:
    """How many of the steps have a sign."""
    seen = sum(1 for step in track if step.at)
    return f"{seen} of {len(track)} steps {'has' if seen == 1 else 'have'} a sign today"


def _head(session: Session, now: datetime) -> list[Line]:
    glyph, token = STATE_GLYPH[session.state]
    state = f"{glyph} {session.state} {age(session.since, now)}".rstrip()
    where = plain_text(session.branch or session.agent, 40)
    rows = [
        line((state, token), ("  ", "text"), (where, "accent"), (f"  {session.agent} {session.model or ''}", "muted")),
        line(("read from  ", "faint"), (plain_text(session.evidence, 200), "muted")),
    ]
    if session.prompt:
        rows.append(line(("prompt     ", "faint"), (plain_text(session.prompt, 300), "text")))
    return rows


def _marked(
    holds: bool | None, text: str, evidence: str, width: int, *, gate: str = "", cut: bool = False
) -> list[Line]:
    """A mark, what it is about, and the evidence beside it, or below where there is no room (`cut`: never below)."""
    mark, token = _MARK[holds]
    head: Line = (("  ", "text"), (f"{mark} ", token))
    if gate:
        head = (*head, (f"{gate} ", _GATE[gate]))
    shown = "text" if holds is not None else "muted"
    column = 50 if width >= 100 else 40
    room = column - 3 * bool(gate)
    if width >= _SIDE and (cut or (cell_len(text) <= room and cell_len(evidence) <= width - column - 8)):
        return [(*head, (pad(text, room), shown), (f"  {evidence}", "muted"))]
    rows: list[Line] = [(*head, (text, shown))]
    return [*rows, line(("      ", "text"), (evidence, "muted"))] if evidence else rows
