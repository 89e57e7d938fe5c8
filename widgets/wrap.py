"""Breaks a line of spans at words, so that nothing that a person should read is cut."""

import re
from collections.abc import Iterable

from rich.cells import cell_len

from widgets.lines import Line, Span, plain, width_of

_COLUMNS = 20  # cells in which the columns of a dialog begin
_PARTS = ("/(,=", "-_.:")  # after which a long word is best broken, and second best
_FEWEST = 4  # cells that are worth beginning a long word in


def wrap_line(spans: Line, width: int, indent: int = 0) -> list[Line]:
    """The line in as many as it needs, continued after `indent` cells. A word that no line holds is broken."""
    if width_of(spans) <= width or width <= indent + 4:
        return [spans]
    rows: list[list[Span]] = [[]]
    used = 0
    for text, token in spans:
        for piece in _pieces(text):
            while cell_len(piece.rstrip()) > width - indent:  # no line holds it
                part = _head(piece, width - used) if width - used >= _FEWEST else ""
                rows[-1] += [(part, token)] * bool(part)
                rows.append([(" " * indent, "text")] if indent else [])
                piece, used = piece[len(part) :], indent
            size = cell_len(piece)
            if used + cell_len(piece.rstrip()) > width and used > (indent if len(rows) > 1 else 0):
                rows.append([(" " * indent, "text")] if indent else [])
                used = indent
                piece = piece.lstrip()
                size = cell_len(piece)
            rows[-1].append((piece, token))
            used += size
    return [tuple(row) for row in rows]


def _head(text: str, width: int) -> str:
    """As much of the beginning as fits into `width` cells, up to the end of a part of a path or of code where one ends
    not far before."""
    end = min(len(text), width)
    while end > 1 and cell_len(text[:end]) > width:
        end -= 1
    parts = (max(text.rfind(mark, 0, end) for mark in marks) + 1 for marks in _PARTS)
    return text[: next((part for part in parts if part > end // 2), end)]


def wrapped(rows: Iterable[Line], width: int) -> list[Line]:
    """Sentences in `width` cells; as they are where the width is not known yet."""
    return [part for row in rows for part in (wrap_line(row, width) if width > 0 else [row])]


def _pieces(text: str) -> list[str]:
    """Words with the spaces that follow them."""
    found: list[str] = []
    start = 0
    for place in range(1, len(text)):
        if text[place - 1] == " " and text[place] != " ":
            found.append(text[start:place])
            start = place
    return [*found, text[start:]] if text else []


def hanging(spans: Line, columns: int = _COLUMNS) -> int:
    """Where what is broken goes on: below the last column that begins in the first `columns` cells, else a little
    inwards."""
    text = plain(spans)
    start = len(text) - len(text.lstrip())
    column = max((found.end() for found in re.finditer(r"\S {2,}(?=\S)", text[:columns])), default=0)
    return column or start + 2
