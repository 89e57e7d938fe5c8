"""The only door for outside text: whatever comes in, nothing that a terminal or a widget would obey comes
out.
"""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cockpit.plain_text import plain_text, redact

_HOSTILE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_nasty = some.sampled_from(
    [
        "\x1b",
        "\x1b[",
        "\x1b]8;;",
        "\x9b",
        "\x07",
        "\x9c",
        "\u202e",
        "\u2066",
        "\ud800",
        "\r\n",
        "\n",
        "\t",
        "m",
        "[/x]",
        "A",
    ]
)
_texts = some.lists(_nasty | some.text(some.characters(), max_size=6), max_size=20).map("".join)


@given(_texts)
def test_one_line_and_nothing_hostile_comes_out(text: str) -> None:
    shown = plain_text(text)
    assert not _HOSTILE.search(shown)
    assert not set(shown) & set("\n\t\r\u2028\u2029")
    shown.encode("utf-8")


@given(_texts)
def test_several_lines_keep_only_newlines(text: str) -> None:
    shown = plain_text(text, multiline=True)
    assert not _HOSTILE.search(shown)
    assert "\t" not in shown
    assert "\r" not in shown


@given(_texts, some.booleans())
def test_a_second_time_changes_nothing(text: str, multiline: bool) -> None:
    once = plain_text(text, multiline=multiline)
    assert plain_text(once, multiline=multiline) == once


@given(_texts, some.integers(1, 30))
def test_a_limit_is_kept_and_a_cut_is_marked(text: str, limit: int) -> None:
    shown = plain_text(text, limit)
    assert len(shown) <= limit
    assert not _HOSTILE.search(shown)
    whole = plain_text(text)
    assert shown == whole or shown.endswith("…") or len(text) > limit * 4 + 64


@given(some.binary(max_size=60))
def test_bytes_are_read_whatever_they_are(data: bytes) -> None:
    assert not _HOSTILE.search(plain_text(data))


@given(some.text(some.characters(categories=["L", "N", "P", "S"]), max_size=40))
def test_honest_text_passes_unchanged(text: str) -> None:
    assert plain_text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;https://x.example\x1b\\link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x07after", "after"),
        ("\x9b1mbold", "bold"),
        ("a\u202eb", "a\ufffdb"),
        ("one\ntwo\r\nthree\tfour", "one two three four"),
        ("[/x][@click=app.quit]", "[/x][@click=app.quit]"),
        ("naïve ☃ 日本", "naïve ☃ 日本"),
        (5, "5"),
    ],
)
def test_what_a_terminal_obeys_is_taken_out_and_words_stay(text: object, shown: str) -> None:
    assert plain_text(text) == shown


def test_lines_are_kept_where_they_are_wanted() -> None:
    assert plain_text("a\r\nb\tc\x07", multiline=True) == "a\nb   c\ufffd"


@given(some.text(max_size=60))
def test_a_redacted_secret_shows_four_characters_at_most(secret: str) -> None:
    shown = redact(secret)
    assert shown.endswith("…")
    assert len(shown) <= 5
    assert len(shown) - 1 <= max(1, len(secret) // 3)


def test_every_bidirectional_control_is_covered() -> None:
    controls = [
        chr(code)
        for code in range(0x110000)
        if unicodedata.bidirectional(chr(code)) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    ]
    assert controls
    assert not any(sign in plain_text(f"a{sign}b") for sign in controls)
