"""What is said of a prompt, as lines: score, risk, plan, whom to ask, the points, the enhanced prompt."""

import re

from cockpit.plain_text import plain_text
from skills.counted import counted
from skills.orchestrator.analysis import Analysis
from skills.orchestrator.score import PromptScore, ScoreItem
from skills.spending.amount import percent
from widgets.lines import Line, Span, gauge, line, pad
from widgets.wrap import wrap_line

BAND_TOKENS = {"enhanced": "bad", "full": "warn", "light": "info", "skip": "good"}
BAND_WORDS = {
    "enhanced": "much is missing",
    "full": "a template helps",
    "light": "nearly complete",
    "skip": "complete",
}
RISK_TOKENS = {"CRITICAL": "bad", "HIGH": "warn", "MEDIUM": "info", "LOW": "muted", "NONE": "faint"}
_PRIORITY = {"P0": "bad", "P1": "warn", "P2": "info", "P3": "muted"}
_LABEL = 10
_OPEN = re.compile(r"\[[^\[\]\n]{3,120}\?\]")


def score_line(analysis: Analysis, width: int) -> Line:
    """`61 of 100 full ━━━━━━──── → 88 with what is added`."""
    score = analysis.plan.score
    token = BAND_TOKENS[score.band]
    spans: list[Span] = [(f"{score.score:>3}", token), (" of 100  ", "muted"), (f"{score.band}  ", token)]
    room = width - 50
    if room > 8:
        spans += [*gauge(score.score / 100, min(room, 30), token), ("  ", "text")]
    gain = analysis.enhanced.score - score.score
    if gain:
        spans += [("→ ", "faint"), (str(analysis.enhanced.score), "good"), (" with what is added", "muted")]
    else:
        spans.append((BAND_WORDS[score.band], "muted"))
    return tuple(spans)


def plan_lines(analysis: Analysis) -> list[Line]:
    """Everything but the points, a line each; what is empty is left out."""
    plan = analysis.plan
    keywords = ", ".join(plain_text(found.keyword, 40) for found in plan.risk.keywords)
    sure = f"{percent(plan.confidence)} sure"
    estimate = f"{counted(analysis.estimate.files, 'file')}, {analysis.estimate.minutes} min (estimated)"
    rows: list[tuple[str, list[Span]]] = [
        ("risk", [(plan.risk.level, RISK_TOKENS[plan.risk.level]), (f"  {keywords}" if keywords else "", "muted")]),
        ("task", [(plan.task, "strong"), (f"  {' → '.join(plan.flow)}", "muted")]),
        ("plan", [(plan.complexity, "strong"), (f"  {plan.complexity_why} · {sure} · {estimate}", "muted")]),
        ("model", [(plan.tier, "strong"), (f"  {analysis.model} · {plan.thinking_tokens:,} thinking tokens", "muted")]),
        ("skills", _skills(analysis)),
        ("agents", [(", ".join(analysis.agents), "text")]),
        ("commands", [(" ".join(analysis.commands), "text")]),
        (
            "tools",
            [
                (
                    "; ".join(f"{one.need}: {_tool(one.first, one.fallback, one.available)}" for one in analysis.tools),
                    "text",
                )
            ],
        ),
    ]
    lines = [((pad(name, _LABEL), "faint"), *spans) for name, spans in rows if any(text for text, _ in spans)]
    if plan.score.missing:
        lines.append(((pad("missing", _LABEL), "faint"), (", ".join(plan.score.missing), "warn")))
    return lines


def points_lines(score: PromptScore) -> list[Line]:
    """The rubric: each part with its points, each item with what earned them or what would."""
    rows: list[Line] = []
    for dimension in dict.fromkeys(item.dimension for item in score.items):
        items = [item for item in score.items if item.dimension == dimension]
        points, most = sum(item.points for item in items), sum(item.most for item in items)
        token = "good" if points == most else "warn" if points else "faint"
        rows.append(((pad(dimension, 14), "strong"), (f"{points:>3}", token), (f" of {most}", "faint")))
        rows += [_item(item) for item in items]
    return rows


def enhanced_lines(text: str) -> list[Line]:
    """The enhanced prompt: its tags stand out, and so do the questions that only a person can answer."""
    rows: list[Line] = []
    for raw in plain_text(text, multiline=True).splitlines():
        if re.fullmatch(r"\s*</?\w+>\s*", raw):
            rows.append(line((raw, "accent")))
            continue
        spans: list[Span] = []
        end = 0
        for found in _OPEN.finditer(raw):
            spans += [(raw[end : found.start()], "text"), (found.group(), "warn")]
            end = found.end()
        rows.append((*spans, (raw[end:], "text")))
    return rows


def wrapped(rows: list[Line], width: int, indent: int = _LABEL) -> list[Line]:
    """Lines that are too long, continued below with the indent of their label."""
    return [part for row in rows for part in wrap_line(row, width, indent)]


def _skills(analysis: Analysis) -> list[Span]:
    spans: list[Span] = []
    for skill in analysis.plan.skills:
        spans += [(f"{skill.priority} ", _PRIORITY[skill.priority]), (f"{skill.name}  ", "text")]
    return spans


def _tool(first: str, fallback: str, available: bool | None) -> str:
    return {True: first, False: f"{fallback} ({first} is not set up)", None: f"{first}, else {fallback}"}[available]


def _item(item: ScoreItem) -> Line:
    glyph, token = ("✓", "good") if item.points == item.most else ("~", "warn") if item.points else ("·", "faint")
    return (
        (f"  {glyph} ", token),
        (pad(item.item, 18), "text" if item.points else "muted"),
        (f"{item.points:>2}/{item.most:<2} ", "muted"),
        (plain_text(item.why, 80), "muted" if item.points else "faint"),
    )
