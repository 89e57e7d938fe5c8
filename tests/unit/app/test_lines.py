"""Lines of panes: what is cropped, padded and spread always has the width that was asked for."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from skills.ages import age
from skills.counted import counted
from widgets.lines import crop, crop_path, fit, gauge, line, next_lines, pad, plain, sparkline, spread, width_of
from widgets.words import money, tokens

texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Mn", "Me", "Cs", "Zl", "Zp")), max_size=40
)
spans = st.lists(st.tuples(texts, st.just("text")), max_size=6).map(tuple)


@given(texts, st.integers(0, 30))
def test_crop_and_pad_keep_to_the_width(text: str, width: int) -> None:
    assert cell_len(crop(text, width)) <= width
    assert cell_len(pad(text, width)) == width
    assert cell_len(pad(text, width, right=True)) == width
    assert cell_len(crop_path(text, width)) <= width


@given(spans, spans, st.integers(1, 60))
def test_fit_and_spread_never_overflow(
    left: tuple[tuple[str, str], ...], right: tuple[tuple[str, str], ...], width: int
) -> None:
    assert width_of(fit(left, width)) <= width
    assert width_of(spread(left, right, width)) <= width


def test_a_path_is_cut_at_the_left_at_a_folder() -> None:
    assert crop_path("accounts/api/views.py:17", 14) == "…/views.py:17"
    assert crop_path("views.py:17", 14) == "views.py:17"


@given(st.floats(0, 3), st.integers(0, 50))
def test_a_gauge_has_its_width_and_shows_the_least_share(share: float, width: int) -> None:
    bar = plain(gauge(share, width, "good"))
    assert len(bar) == width
    if share > 0 and width:
        assert bar.startswith("━")


def test_a_sparkline_has_one_bar_a_value_and_zero_is_the_lowest() -> None:
    assert sparkline([0, 1, 2, 4]) == "▁▃▅█"
    assert sparkline([0, 0]) == "▁▁"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "<1m"),
        (59, "<1m"),
        (60, "1m"),
        (3_599, "59m"),
        (3_600, "1h"),
        (86_400, "1d"),
        (86_400 * 15, "2w"),
        (-5, "<1m"),
    ],
)
def test_ages_have_one_unit(seconds: int, words: str) -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    assert age(now - timedelta(seconds=seconds), now) == words


def test_figures_read_the_same_everywhere() -> None:
    assert (money(1234.5), money(None), money(0.1, floor=True)) == ("$1,234.50", "unpriced", "≥ $0.10")
    assert [tokens(n) for n in (950, 12_345, 4_100_000, 200_000)] == ["950", "12.3K", "4.1M", "200K"]
    assert (counted(1, "file"), counted(1220, "file")) == ("1 file", "1,220 files")


def test_a_bare_string_in_a_line_is_text() -> None:
    assert line("a", ("b", "bad")) == (("a", "text"), ("b", "bad"))


def test_the_next_step_fills_the_lines_that_it_has() -> None:
    step = "n-update-delete-loop at wagtail/actions/publish_page_revision.py:51: One statement for all"
    rows = [plain(row) for row in next_lines(step, 36, most=2)]
    assert len(rows) == 2 and all(len(row) <= 36 for row in rows)
    assert rows[1].endswith("…") and len(rows[1]) > 30
    assert [plain(row) for row in next_lines("look at it", 36)] == ["next → look at it"]
