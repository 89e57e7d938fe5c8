"""The lines of `--help` in the width that there is: what an example does goes on below itself, not at the margin."""

import re

_TWO_COLUMNS = re.compile(r"( *\S.*?  +)(\S.*)")
_LEAST = 28
"""The cells that the words beside an example need; where it leaves fewer they stand below it."""


def fitted(text: str, width: int) -> str:
    """`text` in lines of at most `width` cells. A command without words beside it is left as it is, to be copied."""
    return "\n".join(part for line in text.split("\n") for part in _fitted(line, width))


def _fitted(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    import textwrap  # most lines fit

    if found := _TWO_COLUMNS.fullmatch(line):
        lead, words = found[1], found[2]
        if width - len(lead) < _LEAST:
            below = " " * (len(lead) - len(lead.lstrip()) + 4)
            return [lead.rstrip(), *(below + part for part in textwrap.wrap(words, max(1, width - len(below))))]
        first, *more = textwrap.wrap(words, width - len(lead))
        return [lead + first, *(" " * len(lead) + part for part in more)]
    if line.startswith(" "):
        return [line]
    below = "  " if line.split(maxsplit=1)[0].endswith(":") else ""
    return textwrap.wrap(line, width, subsequent_indent=below, break_long_words=False, break_on_hyphens=False)
