"""Arrangements of panes, their file, plain glyphs, presets of keys."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.geometry import Region

import cockpit
import widgets
from cockpit.actions import ACTIONS, PRESETS, chosen_keys, keys_of
from cockpit.app_parts.looks import no_utf8
from cockpit.key_clashes import clashes
from cockpit.layouts import Layout, layout_file, read_layout, write_layout
from skills.gates.model import GLYPHS
from widgets.ascii_glyphs import ascii_of
from widgets.panes import PANES, Arrangement, Wishes, regions
from widgets.words import STATUS
from widgets.wrap import hanging, wrap_line

TAKEN = {"ctrl+b", "ctrl+s", "ctrl+q", "ctrl+j", "ctrl+h", "ctrl+m", "ctrl+p", "ctrl+space"}
arrangements = st.builds(
    Arrangement, st.permutations(PANES).map(tuple), st.frozensets(st.sampled_from(PANES), max_size=3)
)


@given(st.integers(40, 300), st.integers(12, 80), arrangements, st.sampled_from(PANES), st.booleans())
def test_every_arrangement_fills_the_screen(
    width: int, height: int, arrangement: Arrangement, active: str, zoomed: bool
) -> None:
    places = regions(width, height, Wishes(9, 8, 12), active, zoomed=zoomed, arrangement=arrangement)
    assert active in places
    assert all(Region(0, 0, width, height).contains_region(place) and place.area for place in places.values())
    shown = list(places.values())
    assert not any(a.overlaps(b) for n, a in enumerate(shown) for b in shown[n + 1 :])
    assert sum(place.area for place in shown) == width * height


@given(arrangements, st.sampled_from(PANES), st.sampled_from((-1, 1)))
def test_moving_there_and_back_changes_nothing(arrangement: Arrangement, name: str, by: int) -> None:
    moved = arrangement.moved(name, by)
    assert sorted(moved.order) == sorted(PANES)
    assert moved == arrangement or moved.moved(name, -by) == arrangement


def test_a_layout_comes_back_and_a_broken_one_is_the_usual(tmp_path) -> None:  # type: ignore[no-untyped-def]
    layout = Layout(("phase", "worktrees", "findings", "budget"), ("budget",), "phase", "mono")
    write_layout(tmp_path, layout)
    assert read_layout(tmp_path, PANES) == layout
    for broken in ("", "[]", '{"order": [1], "hidden": "budget", "zoomed": 3}', '{"hidden": ["a"]}'):
        layout_file(tmp_path).write_text(broken)
        assert read_layout(tmp_path, PANES) == Layout()


@given(st.text())
def test_ascii_is_as_wide_as_what_it_stands_for(text: str) -> None:
    text = "".join(each for each in text if cell_len(each) > 0)
    assert ascii_of(text).isascii() and cell_len(ascii_of(text)) == cell_len(text)


@pytest.mark.parametrize(
    ("environment", "plain"),
    [
        ({}, False),
        ({"LANG": "en_US.UTF-8"}, False),
        ({"LANG": "de_DE.ISO-8859-1"}, True),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, True),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, False),
        ({"LANG": "de_DE.utf8@euro"}, False),
    ],
)
def test_the_locale_says_whether_glyphs_can_be_shown(environment: dict[str, str], plain: bool) -> None:
    assert no_utf8(environment) is plain


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_presets_do_not_clash_and_need_no_taken_key(preset: str) -> None:
    chosen = chosen_keys({"preset": preset})
    assert clashes(chosen) == []
    assert all(set(keys_of(action, chosen)) - TAKEN for action in ACTIONS)


def test_own_keys_stand_over_the_preset_and_clashes_with_other_places_are_told() -> None:
    chosen = chosen_keys({"preset": "arrows", "down": "s"})
    assert chosen["down"] == "s" and any("s is both" in told for told in clashes(chosen))
    assert any("everywhere" in told for told in clashes({"fix": "q"}))
    assert any("preset" in told for told in clashes(chosen_keys({"preset": "nano"})))


def test_what_is_too_long_goes_on_below_its_own_column() -> None:
    row = (("  s             ", "key"), ("Start day: context, worktrees, costs", "text"))
    assert hanging(row) == 16
    rows = wrap_line(row, 36, hanging(row))
    assert len(rows) > 1 and all(part[0] == (" " * 16, "text") for part in rows[1:])


def test_every_glyph_of_the_widgets_has_a_plain_one() -> None:
    for path in (*Path(widgets.__file__).parent.rglob("*.py"), *Path(cockpit.__file__).parent.glob("app_parts/*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                unknown = {each for each in node.value if not each.isascii() and ascii_of(each) == "?"}
                assert not unknown, f"{path.name}: {unknown}"


def test_a_status_has_one_sign_everywhere() -> None:
    root = Path(widgets.__file__).parents[1]
    for path in (path for room in ("widgets", "cockpit", "skills") for path in (root / room).rglob("*.py")):
        assert "✗" not in path.read_text("utf-8") or path.name == "ascii_glyphs.py", path
    assert {status: sign for status, (sign, _, _) in STATUS.items()} == GLYPHS
