"""Rows of text in aligned columns, by the width that a terminal gives each sign."""

import unicodedata
from collections.abc import Collection, Sequence


def cell_width(text: str) -> int:
    """Terminal cells: wide characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """One line a row, two spaces between the columns; those of `right` stand right, as numbers do. A column that is
    empty in every row is left out; rows may be of different length.
    """
    columns = max((len(row) for row in rows), default=0)
    widths = [max((cell_width(row[at]) for row in rows if at < len(row)), default=0) for at in range(columns)]
    return ["  ".join(_padded(row, widths, right)).rstrip() for row in rows]


def _padded(row: Sequence[str], widths: Sequence[int], right: Collection[int]) -> list[str]:
    cells = []
    for at, (cell, width) in enumerate(zip(row, widths, strict=False)):
        if width:
            room = " " * (width - cell_width(cell))
            cells.append(room + cell if at in right else cell + room)
    return cells
