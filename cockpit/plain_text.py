"""The only door for text from outside: file names, branches, prompts, tool output.

Everything that reaches a terminal or a widget passes here first. What comes out holds no escape sequence, no C0/C1
control, no bidirectional override and no lone surrogate; it is one line unless `multiline` is asked for.
"""

import re

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[\]PX^_].*?(?:\x1b\\|\x07|\x9c|$)"  # OSC, DCS, SOS, PM, APC up to their terminator
    r"|\x9b[0-?]*[ -/]*[@-~]"  # CSI as one C1 byte
    r"|\x1b[ -/]*[0-~]",  # every other escape
    re.DOTALL,
)
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and newline, DEL, C1
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # zero width, bidi, separators
    "\ud800-\udfff\U000e0000-\U000e007f]"  # lone surrogates, tag characters
)
_SPACES = re.compile(r"[\t\n\r\x0b\x0c\x85\u2028\u2029]+")


def plain_text(text: object, limit: int | None = None, *, multiline: bool = False) -> str:
    """`text` made safe to show.

    `limit` is the most characters kept; a cut is marked with `…`. Bytes are read as UTF-8 with replacement.
    """
    value = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    if limit is not None and len(value) > limit * 4 + 64:
        value = value[: limit * 4 + 64]  # what is far beyond the cut is not worth cleaning
    if not value.isascii() or not value.isprintable():
        value = _ESCAPES.sub("", value)
        value = value.replace("\r\n", "\n").expandtabs(4) if multiline else _SPACES.sub(" ", value)
        value = _UNSAFE.sub("\ufffd", value)
    if limit is not None and len(value) > limit:
        value = value[: max(0, limit - 1)].rstrip() + "…"
    return value


def redact(secret: str) -> str:
    """The first four characters of a secret at most, never more than a third of it."""
    kept = min(4, len(secret) // 3)
    return plain_text(secret[:kept]) + "…"
