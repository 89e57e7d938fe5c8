"""Rows of text in aligned columns, by the width that a terminal gives each sign."""

import os
import sys
import unicodedata
from collections.abc import Collection, Iterable, Sequence

_LEAST = 12
_LEAST_WORDS = 28
"""The cells that words beside something need; where it leaves fewer they stand below it."""


def cell_width(text: str) -> int:
    """Terminal cells: wide characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )


def output_width() -> int:
    """The cells of a line where the output is a terminal, else 0: what reads a pipe wants whole lines."""
    return os.get_terminal_size(1).columns if sys.stdout.isatty() else 0


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = (), width: int = 0) -> list[str]:
    """One line a row, two spaces between the columns; those of `right` stand right, as numbers do. A column that is
    empty in every row is left out; rows may be of different length. The longest column of words is cut, down to 12
    cells, where lines have no more than `width` cells (0: any number).
    """
    columns = max((len(row) for row in rows), default=0)
    widths = [max((cell_width(row[at]) for row in rows if at < len(row)), default=0) for at in range(columns)]
    over = sum(cells + 2 for cells in widths if cells) - 2 - width
    words = [at for at in range(columns) if at not in right]
    if width and over > 0 and words:
        longest = max(words, key=lambda at: widths[at])
        widths[longest] = max(min(_LEAST, widths[longest]), widths[longest] - over)
    return ["  ".join(_padded(row, widths, right)).rstrip() for row in rows]


def hanging(lead: str, words: str, width: int) -> list[str]:
    """`lead` and the words after it in lines of at most `width` cells (0: one line), what goes on standing below the
    words; where the lead leaves them no room they begin below it. A word is never broken: a path stays to be copied.
    """
    start = cell_width(lead)
    if not width or start + cell_width(words) <= width:
        return [(lead + words).rstrip()]
    lines = []
    if width - start < _LEAST_WORDS:
        lines, start = [lead.rstrip()], len(lead) - len(lead.lstrip()) + 4
        lead = " " * start
    for word in words.split(" "):
        if cell_width(lead) + cell_width(word) > width and cell_width(lead) > start:
            lines.append(lead.rstrip())
            lead = " " * start
        lead += f"{word} "
    return [*lines, lead.rstrip()]


def on_paper(lines: Iterable[str], width: int | None = None) -> str:
    """Lines as one text: each in as many as it needs to have at most `width` cells (0: one; None: as standard output
    has it), those after its first two cells in."""
    width = output_width() if width is None else width
    return "\n".join(part for line in lines for part in _wrapped(line, width))


def _wrapped(line: str, width: int) -> list[str]:
    start = len(line) - len(line.lstrip()) + 2
    return hanging(line[:start], line[start:], width)


def _padded(row: Sequence[str], widths: Sequence[int], right: Collection[int]) -> list[str]:
    cells = []
    for at, (cell, width) in enumerate(zip(row, widths, strict=False)):
        if width:
            cell = _cut(cell, width)
            room = " " * (width - cell_width(cell))
            cells.append(room + cell if at in right else cell + room)
    return cells


def _cut(text: str, width: int) -> str:
    """`text` in at most `width` cells."""
    if cell_width(text) <= width:
        return text
    while cell_width(text) > width - 1:
        text = text[:-1]
    return f"{text.rstrip()}…"
