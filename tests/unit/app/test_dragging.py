"""Cells cut out of a row: what stands between two columns, wide characters whole."""

from widgets.dragging import cut


def test_cells_between_two_columns() -> None:
    assert cut("abcdef", 1, 4) == "bcd"
    assert cut("abcdef", 0, None) == "abcdef" and cut("abc   ", 0, None) == "abc"
    assert cut("abc", 5, 9) == "" and cut("", 0, None) == ""


def test_wide_characters_are_cut_whole() -> None:
    assert cut("日本語 x", 0, 4) == "日本"
    assert cut("日本語 x", 2, None) == "本語 x"
    assert cut("日本語", 4, 6) == "語"
