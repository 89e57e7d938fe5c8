"""Where the panes stand: inside the screen, apart from each other, the findings always there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Region

from widgets.panes import PANES, Wishes, regions, shape_of

wishes = st.builds(Wishes, st.integers(0, 40), st.integers(0, 20), st.integers(0, 30))


@given(st.integers(20, 320), st.integers(5, 100), wishes, st.sampled_from(PANES), st.booleans())
def test_panes_are_inside_and_do_not_overlap(width: int, height: int, wish: Wishes, active: str, zoomed: bool) -> None:
    places = regions(width, height, wish, active, zoomed=zoomed)
    screen = Region(0, 0, width, height)
    assert active in places
    for name, region in places.items():
        assert region.width > 0 and region.height > 0, name
        assert screen.contains_region(region), name
    shown = list(places.values())
    assert not any(a.overlaps(b) for n, a in enumerate(shown) for b in shown[n + 1 :])


@pytest.mark.parametrize(
    ("width", "height", "shape"),
    [
        (40, 12, "tabs"),
        (59, 40, "tabs"),
        (60, 24, "stack"),
        (80, 12, "tabs"),
        (100, 30, "columns"),
        (140, 40, "grid"),
        (300, 80, "grid"),
    ],
)
def test_the_shape_follows_the_size(width: int, height: int, shape: str) -> None:
    assert shape_of(width, height) == shape


def test_zoom_gives_one_pane_everything() -> None:
    assert regions(200, 50, Wishes(), "phase", zoomed=True) == {"phase": Region(0, 0, 200, 50)}


def test_in_the_grid_rows_that_the_phase_does_not_need_show_more_worktrees() -> None:
    heights = {name: place.height for name, place in regions(140, 38, Wishes(18, 8, 11), "findings").items()}
    assert heights["phase"] == 11 + 2 and heights["budget"] == 8 + 2 and heights["worktrees"] == 38 - 13 - 10
    heights = {name: place.height for name, place in regions(200, 48, Wishes(18, 8, 11), "findings").items()}
    assert heights["worktrees"] == 18 + 2 and heights["phase"] == 48 - 20 - 10
