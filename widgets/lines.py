"""Lines of a pane: spans of text with a semantic token each, cropped and padded by terminal cells, pure and testable.

A token (`muted`, `bad`, `accent`, …) is a meaning, not a colour: themes say what it looks like.
"""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size

from cockpit.plain_text import plain_text

Span = tuple[str, str]
Line = tuple[Span, ...]

TOKENS = (
    "text",
    "strong",
    "muted",
    "faint",
    "accent",
    "good",
    "info",
    "warn",
    "bad",
    "key",
    "track",
    "cursor",
    "cursor-blur",
    "picked",
)
"""What a span may say of itself: every theme has a colour for each."""

_BARS = "▁▂▃▄▅▆▇█"


def line(*parts: Span | str) -> Line:
    """A line of spans; a bare string has the token `text`."""
    return tuple((part, "text") if isinstance(part, str) else part for part in parts)


def width_of(spans: Iterable[Span]) -> int:
    """The cells that a line needs."""
    return sum(cell_len(text) for text, _ in spans)


def crop(text: str, width: int) -> str:
    """`text` in at most `width` cells; what is cut is marked with `…`."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    kept = text[: width - 1]
    if cell_len(kept) != width - 1:  # wide characters, or such that stand on another
        kept = set_cell_size(text, width - 1)
    return kept.rstrip() + "…"


def crop_middle(text: str, width: int) -> str:
    """A name in at most `width` cells, cut in its middle: names that begin alike end differently."""
    if cell_len(text) <= width or width < 3:
        return crop(text, width)
    end = (width - 1) // 2
    kept = text[-end:]
    while cell_len(kept) > end:
        kept = kept[1:]
    return crop(text, width - cell_len(kept)) + kept


def crop_path(path: str, width: int) -> str:
    """A path in at most `width` cells, cut at the left: the file name and line say more than the folders."""
    if cell_len(path) <= width:
        return path
    if width <= 1:
        return "…"[:width]
    kept = path
    while kept and cell_len(kept) > width - 1:
        kept = kept[1:]
    cut = kept.find("/")
    return "…" + (kept[cut:] if 0 <= cut < len(kept) - 1 and cut < 12 else kept)


def pad(text: str, width: int, *, right: bool = False) -> str:
    """`text` in exactly `width` cells; numbers stand right."""
    text = crop(text, width)
    fill = " " * max(0, width - cell_len(text))
    return fill + text if right else text + fill


def fit(spans: Line, width: int) -> Line:
    """The line in at most `width` cells; where words are cut or left out it ends with `…`."""
    kept: list[Span] = []
    left = width
    for place, (text, token) in enumerate(spans):
        size = cell_len(text)
        if size >= left:
            if any(more.strip() for more, _ in spans[place + 1 :]):
                kept.append((crop(f"{text} …", left), token))
            elif size > left:  # of spaces alone nothing is missed
                kept.append((crop(text.rstrip(), left), token))
            else:
                kept.append((text, token))
            break
        kept.append((text, token))
        left -= size
    return tuple(kept)


def spread(left: Line, right: Line, width: int) -> Line:
    """`left` and `right` at the two ends of a line; the left one gives way."""
    right = fit(right, width)
    room = width - width_of(right)
    left = fit(left, max(0, room - 1))
    return (*left, (" " * max(0, room - width_of(left)), "text"), *right)


def gauge(share: float, width: int, token: str) -> Line:
    """A bar of `width` cells, `share` (0–1, more is full) of it filled."""
    filled = max(0, min(width, round(share * width)))
    if share > 0 and not filled and width:
        filled = 1
    return (("━" * filled, token), ("─" * (width - filled), "track"))


def sparkline(values: Sequence[float]) -> str:
    """One character a value, scaled to the greatest; zero is the lowest bar."""
    top = max(values, default=0.0)
    if top <= 0:
        return _BARS[0] * len(values)
    return "".join(_BARS[min(7, round(value / top * 7))] for value in values)


def plain(spans: Line) -> str:
    """The characters of a line alone."""
    return "".join(text for text, _ in spans)


def join(parts: Sequence[Line], gap: str = "   ") -> Line:
    """Lines in one, `gap` between those that are not empty."""
    result: list[Span] = []
    for part in parts:
        if not part:
            continue
        if result:
            result.append((gap, "faint"))
        result.extend(part)
    return tuple(result)


def next_lines(step: str, width: int, most: int = 9) -> list[Line]:
    """What to do next, wrapped, at most so many lines of it."""
    import textwrap

    room = max(10, width - 7)
    text = textwrap.wrap(plain_text(step, 600), room) or [""]
    if len(text) > most:  # the last line is filled before it ends with `…`: a long path is one word
        text = [*text[: most - 1], crop(" ".join(text[most - 1 :]), room)]
    rows = [line(("next ", "accent"), ("→ ", "accent"), (text[0], "strong"))]
    return rows + [line(("       ", "text"), (more, "strong")) for more in text[1:]]
