"""Themes: every token in every theme, every text readable on its background, colour nowhere else."""

import re
from pathlib import Path

import pytest
from textual.color import Color

from cockpit.errors import CannotAnswer
from cockpit.terminal_background import shade_of
from cockpit.themes import FOLDER, NAMES, ThemeFile, all_themes, choose, own_themes, read_theme, user_folder
from widgets.lines import TOKENS

TEXTS = [token for token in TOKENS if token not in ("track", "cursor", "cursor-blur", "picked")]


def contrast(front: Color, back: Color) -> float:
    """WCAG contrast of two colours, 1 to 21."""

    def luminance(color: Color) -> float:
        parts = [value / 255 for value in (color.r, color.g, color.b)]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(front), luminance(back)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", own_themes(), ids=lambda theme: theme.name)
def test_every_text_can_be_read_on_every_background(theme: ThemeFile) -> None:
    if theme.ansi:
        assert all(value[0].startswith("ansi_") for value in theme.tokens.values() if value[0])
        return
    backs = [theme.colors["background"], theme.tokens["cursor"][2], theme.tokens["cursor-blur"][2]]
    for token in TEXTS:
        for back in backs:
            ratio = contrast(Color.parse(theme.tokens[token][0]), Color.parse(back))
            assert ratio >= 4.5, f"{theme.name}: {token} on {back} is {ratio:.2f}"
    front, _, back = theme.tokens["picked"]
    assert contrast(Color.parse(front), Color.parse(back)) >= 4.5


@pytest.mark.parametrize("theme", own_themes(), ids=lambda theme: theme.name)
def test_every_token_of_a_line_has_a_look(theme: ThemeFile) -> None:
    assert set(TOKENS) <= theme.tokens.keys()


def test_mono_has_no_colour_at_all() -> None:
    mono = read_theme(FOLDER / "mono.toml")
    assert {color for color, _, _ in mono.tokens.values()} <= {"", "ansi_default"}


def test_no_colour_stands_outside_the_themes() -> None:
    root = FOLDER.parent
    for folder in ("cockpit", "widgets", "skills"):
        for path in (root / folder).rglob("*"):
            if path.suffix in (".py", ".tcss"):
                assert not re.search(r"#[0-9a-fA-F]{6}\b", path.read_text("utf-8")), path


def test_the_theme_is_chosen_by_colour_then_name_then_background() -> None:
    assert choose("light", no_color=True, background="") == "mono"
    assert choose("ansi", no_color=False, background="") == "ansi"
    assert choose("auto", no_color=False, background="0;15") == "light"
    assert choose("auto", no_color=False, background="15;0") == "dark"
    with pytest.raises(CannotAnswer, match=", ".join(NAMES)):
        choose("neon", no_color=False, background="")


def test_a_broken_theme_file_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "mine.toml"
    broken.write_text("name = 'mine'\n")
    with pytest.raises(CannotAnswer, match=r"mine\.toml"):
        read_theme(broken)


def test_a_terminal_says_its_shade() -> None:
    assert shade_of(b"\x1b]11;rgb:fdfd/f6f6/e3e3\x1b\\\x1b[?62;c") == "light"
    assert shade_of(b"\x1b]11;rgb:1e/1e/2e\x07\x1b[?1;2c") == "dark"
    assert shade_of(b"\x1b[?62;c") == "" and shade_of(b"") == ""


def test_what_the_terminal_says_wins_over_a_guess() -> None:
    assert choose("auto", no_color=False, background="0;15", shade="dark") == "dark"
    assert choose("light", no_color=False, background="", shade="dark") == "light"


def test_own_themes_join_ours_and_a_bad_one_is_named() -> None:
    user_folder().mkdir(parents=True)
    (user_folder() / "sea.toml").write_text('name = "sea"\n[colors]\nprimary = "#00aacc"\n[tokens]\ngood = "#00ccaa"\n')
    (user_folder() / "broken.toml").write_text("name = ")
    themes, problems = all_themes()
    sea = next(theme for theme in themes if theme.name == "sea")
    assert sea.tokens["good"][0] == "#00ccaa" and sea.tokens["bad"] == read_theme(FOLDER / "dark.toml").tokens["bad"]
    assert len(problems) == 1 and "broken.toml" in problems[0]


def test_a_theme_of_the_same_name_takes_the_place_of_ours() -> None:
    user_folder().mkdir(parents=True)
    (user_folder() / "mine.toml").write_text('name = "dark"\n[colors]\nprimary = "#00aacc"\n[tokens]\n')
    themes, _ = all_themes()
    assert [theme.colors["primary"] for theme in themes if theme.name == "dark"] == ["#00aacc"]
