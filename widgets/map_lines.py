"""The maps of routing as lines: framework × lifecycle with what is lit here, agents by role, decision trees."""

from collections.abc import Mapping, Sequence

from cockpit.plain_text import plain_text
from skills.counted import counted
from skills.routing.agents import AgentRow, Candidate, Record, Selection
from skills.routing.catalogue import LEAVES
from skills.routing.lanes import LANES, LaneEvidence
from skills.routing.route import STAGES, Route, Stage, spokes_at
from skills.spending.amount import percent
from widgets.lines import Line, Span, line, pad, width_of
from widgets.words import tokens
from widgets.wrap import wrap_line

_LABEL = 10
_SHIP = {"verify": "ship"}


def lifecycle_lines(evidence: Sequence[LaneEvidence], route: Route | None, width: int) -> list[Line]:
    """Lanes by stages: lanes that this repository shows are plain, the others faint, what the task takes stands out."""
    lit: set[str] = {one.lane for one in evidence if one.firm} or {one.lane for one in evidence}
    rows = _wide_map(lit, route, width) if width >= 96 else _narrow_map(lit, route, width)
    why = [_evidence(lane, evidence, width) for lane in LANES if any(one.lane == lane for one in evidence)]
    nothing = line(("no framework in this repository: the words of a task decide", "muted"))
    return [*rows, (), *(why or [nothing])]


def route_lines(route: Route, selection: Selection, width: int) -> list[Line]:
    """The route of the typed task and its agent, with the reasons."""
    lane = route.lane + (f" (or {' or '.join(route.ambiguous)})" if route.ambiguous else "")
    stages = " → ".join(_SHIP.get(stage, stage) for stage in route.stages)
    rows: list[tuple[str, Line]] = [
        ("lane", line((lane, "strong"), (f"  {stages}", "accent"))),
        ("spokes", line((" → ".join(route.spokes) or "none: ruff's S rules, bandit and pip-audit", "text"))),
        ("core", line(("yes: framework, boundary, persistence or gate" if route.core else "no", "muted"))),
        ("agent", _agent(selection)),
        ("points", line((" · ".join(f"{why} {points:g}" for why, points in selection.best.terms), "muted"))),
        ("others", line((", ".join(f"{one.name} {one.score:g}" for one in selection.alternatives), "muted"))),
        ("leaf", line((selection.leaf, "muted"))),
        *(("test", line((text, "text"))) for text in route.test_implications),
        *(("security", line((text, "text"))) for text in route.security_implications),
        *(("because", line((plain_text(reason, 160), "muted"))) for reason in route.reasons),
        ("next", line((route.next_action, "good"))),
    ]
    shown = [((pad(name, _LABEL), "faint"), *spans) for name, spans in rows if any(text for text, _ in spans)]
    return [part for row in shown for part in wrap_line(row, width, _LABEL)]


def agent_lines(rows: Sequence[AgentRow], selection: Selection | None, width: int) -> list[Line]:
    """The catalogue by category: what is installed of each role, and how its runs went here."""
    there = sum(row.instance is not None for row in rows)
    shown: list[Line] = [line((f"{there} of {counted(len(rows), 'role')} can be called here", "muted"))]
    points = _points(selection)
    if selection is not None:
        mine = sorted((row for row in rows if row.name in points), key=lambda row: -points[row.name].score)
        shown += [(), line(("for this task", "accent")), *(_agent_row(row, points, width) for row in mine)]
    for category in dict.fromkeys(row.category for row in rows):
        shown += [(), line((category, "strong"))]
        shown += [_agent_row(row, points, width) for row in rows if row.category == category]
    return shown


def tree_lines(rows: Sequence[AgentRow], selection: Selection | None) -> list[Line]:
    """The two decision trees: the first question with a yes leads to a role."""
    have = {row.name: row.instance for row in rows}
    shown: list[Line] = []
    for tree in dict.fromkeys(leaf.tree for leaf in LEAVES):
        shown += [*([()] if shown else []), line((f"{tree}: the first yes decides", "strong"))]
        for leaf in LEAVES:
            if leaf.tree == tree:
                chosen = selection is not None and leaf.question == selection.leaf
                glyph, token = ("▶ ", "accent") if chosen else ("  ", "text")
                role = line(("→ ", "faint"), (leaf.role, "text" if have.get(leaf.role) else "faint"))
                shown.append(((glyph, token), (pad(leaf.question, 30), "strong" if chosen else "text"), *role))
    return shown


def _wide_map(lit: set[str], route: Route | None, width: int) -> list[Line]:
    column = min(32, (width - 14) // len(STAGES))
    head: list[Span] = [(pad("", 14), "faint")]
    head += [(pad(_SHIP.get(stage, stage), column), "faint") for stage in STAGES]
    rows: list[Line] = [tuple(head)]
    for lane in LANES:
        cells = [(spokes_at(lane, stage) or ("ruff S, bandit",)) for stage in STAGES]
        for depth in range(max(map(len, cells))):
            name = line(
                (f"{'●' if lane in lit else '·'} ", "good" if lane in lit else "faint"), (pad(lane, 12), "strong")
            )
            spans: list[Span] = [*name] if not depth else [(" " * 14, "text")]
            for stage, cell in zip(STAGES, cells, strict=True):
                text = cell[depth] if depth < len(cell) else ""
                token = _token(lane, stage, text, lit, route)
                spans.append((pad(f"▸{text}" if token == "accent" else text, column - 1) + " ", token))
            rows.append(tuple(spans))
    return rows


def _narrow_map(lit: set[str], route: Route | None, width: int) -> list[Line]:
    rows: list[Line] = []
    for lane in LANES:
        rows.append(line((f"{'●' if lane in lit else '·'} ", "good" if lane in lit else "faint"), (lane, "strong")))
        for stage in STAGES:
            spans: list[Span] = [(f"  {pad(_SHIP.get(stage, stage), 10)}", "faint")]
            for name in spokes_at(lane, stage) or ("ruff S, bandit",):
                token = _token(lane, stage, name, lit, route)
                spans.append((f"{'▸' if token == 'accent' else ''}{name}  ", token))
            longest = max(len(text.strip()) for text, _ in spans[1:])
            rows += wrap_line(tuple(spans), width, 12 if longest <= width - 12 else 4)
    return rows


def _token(lane: str, stage: Stage, name: str, lit: set[str], route: Route | None) -> str:
    if route is not None and lane == route.lane and stage in route.stages and name in route.spokes:
        return "accent"
    return "text" if lane in lit else "faint"


def _evidence(lane: str, evidence: Sequence[LaneEvidence], width: int) -> Line:
    found = [one for one in evidence if one.lane == lane]
    more = f" and {len(found) - 1:,} more" if len(found) > 1 else ""
    return line((pad(lane, 14), "muted"), (plain_text(found[0].why, max(20, width - 28)), "text"), (more, "faint"))


def _agent(selection: Selection) -> Line:
    best = selection.best
    spans: list[Span] = [(best.name, "strong"), (f"  {best.score:g} points, {selection.confidence:g} ahead", "muted")]
    if best.instance is None:
        spans.append((f"  not installed: use {selection.fallback}", "warn"))
    elif best.instance != best.name:
        spans.append((f"  as {best.instance}", "muted"))
    if best.record is not None:
        spans.append((f"  {_history(best.record)}", "good"))
    return tuple(spans)


def _points(selection: Selection | None) -> Mapping[str, Candidate]:
    return {one.name: one for one in (selection.best, *selection.alternatives)} if selection else {}


def _agent_row(row: AgentRow, points: Mapping[str, Candidate], width: int) -> Line:
    glyph, token = ("●", "good") if row.instance else ("·", "faint")
    spans: list[Span] = [(f"  {glyph} ", token), (pad(row.name, 24), "text" if row.instance else "faint")]
    scored = points.get(row.name)
    spans.append((pad(f"{scored.score:g}" if scored else "", 5, right=True) + "  ", "accent"))
    if row.record is not None:
        spans.append((_history(row.record), "text"))
    elif row.instance is not None and row.instance != row.name and width > 60:
        spans.append((row.instance, "muted"))
    elif row.instance is None and width > 60:
        spans.append(("not installed", "faint"))
    if row.derived and width > 100:
        spans += [(" " * max(2, 76 - width_of(tuple(spans))), "text"), ("keywords derived", "faint")]
    return tuple(spans)


def _history(record: Record) -> str:
    """Runs, the share that did not fail, the median time and all tokens; measured."""
    parts = [counted(record.runs, "run"), f"{percent(record.successes / record.runs)} good" if record.runs else ""]
    parts += [f"{record.seconds:.0f}s each" if record.seconds is not None else ""]
    parts += [f"{tokens(record.tokens)} tokens" if record.tokens is not None else ""]
    parts += [f"mostly {record.tasks[0]}" if record.tasks else ""]
    return " · ".join(part for part in parts if part)
