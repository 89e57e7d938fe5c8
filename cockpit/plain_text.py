"""The only door for text from outside: file names, branches, prompts, tool output.

Everything that reaches a terminal or a widget passes here first. What comes out holds no escape sequence, no C0/C1
control, no bidirectional override and no lone surrogate; it is one line unless `multiline` is asked for.
"""

import re
from functools import cache

_ESCAPES = (
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[\]PX^_].*?(?:\x1b\\|\x07|\x9c|$)"  # OSC, DCS, SOS, PM, APC up to their terminator
    r"|\x9b[0-?]*[ -/]*[@-~]"  # CSI as one C1 byte
    r"|\x1b[ -/]*[0-~]"  # every other escape
)
_UNSAFE = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and newline, DEL, C1
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # zero width, bidi, separators
    "\ud800-\udfff\U000e0000-\U000e007f]"  # lone surrogates, tag characters
)
_SPACES = r"[\t\n\r\x0b\x0c\x85\u2028\u2029]+"


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Compiled where there is something to clean: most text is plain, and every hook would pay for it."""
    return re.compile(_ESCAPES, re.DOTALL), re.compile(_SPACES), re.compile(_UNSAFE)


def plain_text(text: object, limit: int | None = None, *, multiline: bool = False) -> str:
    """`text` made safe to show.

    `limit` is the most characters kept; a cut is marked with `…`. Bytes are read as UTF-8 with replacement.
    """
    value = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    if limit is not None and len(value) > limit * 4 + 64:
        value = value[: limit * 4 + 64]  # what is far beyond the cut is not worth cleaning
    if not value.isascii() or not value.isprintable():
        escapes, spaces, unsafe = _patterns()
        value = escapes.sub("", value)
        value = value.replace("\r\n", "\n").expandtabs(4) if multiline else spaces.sub(" ", value)
        value = unsafe.sub("\ufffd", value)
    if limit is not None and len(value) > limit:
        value = value[: max(0, limit - 1)].rstrip() + "…"
    return value


def redact(secret: str) -> str:
    """The first four characters of a secret at most, never more than a third of it."""
    kept = min(4, len(secret) // 3)
    return plain_text(secret[:kept]) + "…"
