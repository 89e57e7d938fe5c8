"""The whole screen in ASCII: every glyph has a plain one of the same width, every word beside it says the same."""

import unicodedata
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_PAIRS = (
    ("─┄┈╌╴╶–—‐−", "-"),
    ("━═▔▀▄▁", "="),
    ("│┃║▏▎▍▌▐▕", "|"),
    ("╭╮╰╯┌┐└┘├┤┬┴┼╔╗╚╝╠╣", "+"),
    ("●•", "*"),
    ("◐◑", "@"),
    ("○◌", "o"),
    ("◆◇■█▇▆", "#"),
    ("▅▄", "="),
    ("▂▃", "-"),
    ("░▒▓", ":"),
    ("✓✔", "v"),
    ("✖✗×", "x"),
    ("▶▸›❯→»", ">"),
    ("◂‹←«", "<"),
    ("↑⇧", "^"),
    ("↓▼", "v"),
    ("≠", "!"),
    ("≥", ">"),
    ("≤", "<"),
    ("≈±∴", "~"),
    ("·…", "."),
    ("“”„", '"'),
    ("‘’", "'"),
)
_TABLE = {ord(glyph): plain for glyphs, plain in reversed(_PAIRS) for glyph in glyphs}


@lru_cache(4096)
def ascii_of(text: str) -> str:
    """`text` in ASCII, as wide as before: glyphs by the table, letters without their marks, the rest `?`."""
    if text.isascii():
        return text
    return "".join(each if each.isascii() else _plain(each) for each in text)


def _plain(each: str) -> str:
    if ord(each) in _TABLE:
        return _TABLE[ord(each)]
    letter = unicodedata.normalize("NFKD", each)[:1]
    width = cell_len(each)
    return letter if letter.isascii() and width == 1 else "?" * width


class AsciiFilter(LineFilter):
    """Turns what is about to be drawn into ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(ascii_of(text), style, control) for text, style, control in segments]
