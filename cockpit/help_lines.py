"""The lines of `--help` in the width that there is: what an example does goes on below itself, not at the margin."""

import re

from cockpit.columns import hanging

_TWO_COLUMNS = re.compile(r"( *\S.*?  +)(\S.*)")


def fitted(text: str, width: int) -> str:
    """`text` in lines of at most `width` cells. A command without words beside it is left as it is, to be copied."""
    return "\n".join(part for line in text.split("\n") for part in _fitted(line, width))


def _fitted(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    import textwrap  # most lines fit

    if found := _TWO_COLUMNS.fullmatch(line):
        return hanging(found[1], found[2], width)
    if line.startswith(" "):
        return [line]
    below = "  " if line.split(maxsplit=1)[0].endswith(":") else ""
    return textwrap.wrap(line, width, subsequent_indent=below, break_long_words=False, break_on_hyphens=False)
