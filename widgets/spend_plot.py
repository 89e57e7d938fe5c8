"""Plots of money by block characters: a bar for each day, a heat line of the hours. Pure and testable."""

import math
from collections.abc import Sequence
from datetime import date

from widgets.lines import Line, Span, line, pad

_BARS = "▁▂▃▄▅▆▇█"
_HEAT = "·░▒▓█"
_WEEK = 7


def nice_top(value: float) -> float:
    """The least of 1, 2, 3, 4, 6, 8, 10, 20, … (or 0.08, 0.1, …) that is not below `value`: the top of an axis."""
    if value <= 0.01:
        return 0.01
    size = 10.0 ** math.floor(math.log10(value))
    return next(round(step * size, 6) for step in (1, 2, 3, 4, 6, 8, 10) if step * size >= value * (1 - 1e-9))


def axis_label(usd: float) -> str:
    """Dollars of an axis: cents only where they matter."""
    return f"${usd:,.0f}" if usd == int(usd) else f"${usd:,.2f}"


def _day(label: str) -> str:
    day = date.fromisoformat(label)
    return f"{day.day} {day:%b}"


def _token(usd: float, soft: float | None, hard: float | None) -> str:
    if hard is not None and usd > hard:
        return "bad"
    return "warn" if soft is not None and usd > soft else "accent"


def day_plot(
    days: Sequence[tuple[str, float]], width: int, height: int, soft: float | None = None, hard: float | None = None
) -> list[Line]:
    """Bars of `days` (ISO date and dollars, oldest first) in `width` × `height` cells, the last line names days.

    Bars are as wide as there is room for; where there is no room for all, the last days are shown. A day without
    cost is a dot. A day past the `soft` or `hard` limit (dollars) has the token of its level.
    """
    rows = height - 1
    if rows < 1 or not days:
        return []
    top = nice_top(max(usd for _, usd in days))
    labels = {rows - 1: axis_label(top)}
    if rows >= 4 and rows % 2 == 0 and axis_label(top / 2) != axis_label(top):
        labels[rows // 2 - 1] = axis_label(top / 2)
    margin = max(len(text) for text in labels.values()) + 1
    slot = max(1, min(8, (width - margin + 1) // len(days)))
    bar = slot - 1 if slot > 1 else 1
    shown = list(days)[-max(1, width - margin) :]
    eighths = [max(1, round(usd / top * rows * 8)) if usd > 0 else 0 for _, usd in shown]
    lines: list[Line] = []
    for row in reversed(range(rows)):
        spans: list[Span] = [(pad(labels.get(row, ""), margin - 1, right=True) + " ", "faint")]
        for place, ((_, usd), size) in enumerate(zip(shown, eighths, strict=True), 1):
            text, token = " " * bar, "text"
            if size > row * 8:
                text, token = _BARS[min(8, size - row * 8) - 1] * bar, _token(usd, soft, hard)
            elif not row and not size:
                text, token = "·".ljust(bar), "faint"
            spans.append((text + " " * (slot - bar if place < len(shown) else 0), token))
        lines.append(_merged(spans))
    return [*lines, line((" " * margin + _day_names([label for label, _ in shown], slot, bar), "faint"))]


def _day_names(labels: Sequence[str], slot: int, bar: int) -> str:
    """The names of today and of every seventh day before it, each under its bar, as many as fit."""
    size = (len(labels) - 1) * slot + bar
    cells = [" "] * max(size, len("today"))
    free = len(cells) + 1
    for back in range(0, len(labels), _WEEK):
        place = (len(labels) - 1 - back) * slot
        text = _day(labels[-1 - back]) if back else "today"
        start = min(place, len(cells) - len(text))
        if start >= 0 and start + len(text) < free:
            cells[start : start + len(text)] = text
            free = start - 1
    return "".join(cells)


def _merged(spans: Sequence[Span]) -> Line:
    """The same line with fewer spans."""
    kept: list[Span] = []
    for text, token in spans:
        if kept and (kept[-1][1] == token or not text.strip()):
            kept[-1] = (kept[-1][0] + text, kept[-1][1])
        else:
            kept.append((text, token))
    return tuple(kept)


def heat_line(hours: Sequence[float], width: int) -> list[Line]:
    """24 hours of the day in one line, the dearer the denser, with the hours' names below."""
    slot = max(1, min(4, (width - 1) // 24))
    top = max(hours, default=0.0)
    spans: list[Span] = [(" ", "text")]
    for usd in hours:
        level = 0 if usd <= 0 or top <= 0 else 1 + min(3, int(usd / top * 3.999))
        text = _HEAT[level] * slot if level else "·".ljust(slot)
        spans.append((text, "accent" if level else "faint"))
    names = [" "] * (24 * slot + 1)
    for hour in range(0, 24, 3 if slot > 1 else 6):
        text = f"{hour:02d}"
        names[hour * slot + 1 : hour * slot + 1 + len(text)] = text
    return [_merged(spans), line(("".join(names), "faint"))]
