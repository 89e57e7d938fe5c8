"""Hints: the next useful keys in words, e.g. `enter merge · esc leave`. A click on one is as good as its key."""

import re
from collections.abc import Iterator

from textual.content import Content
from textual.style import Style

from cockpit.actions import key_named

_WORD = re.compile(r"\S+")
_GAP = " · "


def hint_content(text: str) -> Content:
    """A hint for a border: its keys stand out, and each presses its key, words included, where it is clicked."""
    content = Content(text)
    for start, end, words, key in keys_in(text):
        content = content.stylize("bold", start, end)
        content = content.stylize(Style.from_meta({"@click": f"app.press({key!r})"}), start, words)
    return content


def keys_in(text: str) -> Iterator[tuple[int, int, int, str]]:
    """The keys that a hint names: where each begins and ends, where its words end, and Textual's name for it.

    Keys stand first in a part; of what comes later only digits are keys, because a letter there is a word."""
    found: list[tuple[int, int, str]] = []
    ends: list[int] = []
    at = 0
    for part in text.split(_GAP):
        leading = True
        for word in _WORD.finditer(part):
            key = key_named(word[0]) if leading or word[0].isdigit() else ""
            leading = leading and bool(key)
            if key:
                ends = [*ends, at + word.start() - 1] if found and len(ends) < len(found) else ends
                found.append((at + word.start(), at + word.end(), key))
        if len(ends) < len(found):
            ends.append(at + len(part))
        at += len(part) + len(_GAP)
    for (start, end, key), words in zip(found, ends, strict=True):
        yield start, end, max(end, words), key
