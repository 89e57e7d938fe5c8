"""A report's Markdown as lines."""

import re

from rich.cells import cell_len

from cockpit.plain_text import plain_text
from widgets.lines import Line, line, pad

_FRONT, _FENCE = "---", "```"


def markdown_lines(text: str) -> list[Line]:
    """A report's Markdown as lines: headings strong, bullets quiet, tables aligned, code as it stands. No markup is
    interpreted."""
    rows: list[Line] = []
    table: list[list[str]] = []
    end = _FRONT if text.startswith(_FRONT) else ""
    for raw in [*text.splitlines()[bool(end) :], ""]:
        bare = plain_text(raw).strip()
        if end or bare.startswith(_FENCE):
            if bare.startswith(end or _FENCE):
                end = "" if end else _FENCE
            else:
                rows.append(line((f"  {plain_text(raw.expandtabs(4), 300).rstrip()}", "muted")))
            continue
        if bare.startswith("|"):
            table.append([cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", bare.strip("|"))])
            continue
        rows += _table_lines(table)
        table = []
        if not bare and rows and rows[-1] and rows[-1][0][1] == "strong":
            continue  # no empty line between a heading and what it heads
        if bare.startswith("#"):
            rows.append(line((bare.lstrip("#").strip(), "strong")))
        elif bare.startswith(("- ", "* ")):
            rows.append(line(("  · ", "accent"), (_words(bare[2:]), "text")))
        elif bare.startswith("*") and bare.endswith("*"):
            rows.append(line((bare.strip("*"), "muted")))
        else:
            rows.append(line((_words(bare), "text")))
    return rows


def _table_lines(table: list[list[str]]) -> list[Line]:
    body = [cells for cells in table if not all(set(cell) <= set("-: ") for cell in cells)]
    if not body:
        return []
    sizes = [
        min(44, max(cell_len(row[place]) if place < len(row) else 0 for row in body)) for place in range(len(body[0]))
    ]
    rows: list[Line] = []
    for number, row in enumerate(body):
        cells = [pad(cell, size) for cell, size in zip(row, sizes, strict=False)]
        rows.append(line((f"  {'  '.join(cells).rstrip()}", "text" if number else "faint")))
    return rows


def _words(text: str) -> str:
    return text.replace("**", "").replace("`", "")
