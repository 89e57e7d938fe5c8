"""Reads theme files: colours of Textual's design system and one colour and style for each token of a line."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cockpit import __file__ as _here
from cockpit.errors import CannotAnswer
from cockpit.paths import user_config_file
from cockpit.plain_text import plain_text

FOLDER = Path(_here).parent.parent / "themes"
NAMES = ("dark", "light", "high-contrast", "colour-blind", "ansi", "mono")
_STYLES = {"bold", "dim", "italic", "underline", "reverse", "none"}


@dataclass(frozen=True, slots=True)
class ThemeFile:
    """One theme. `tokens` is token → (colour, text style, background); an empty string means *leave it*.

    `extra` are variables of Textual's own widgets; `path` is where a person's own theme lies, None for ours.
    """

    name: str
    dark: bool
    ansi: bool
    colors: dict[str, str]
    tokens: dict[str, tuple[str, str, str]]
    extra: dict[str, str]
    path: Path | None = None

    def variables(self) -> dict[str, str]:
        """The style sheet variables of the tokens: `$ck-muted`, `$ck-muted-style`, `$ck-cursor-back`."""
        found: dict[str, str] = {}
        for token, (color, style, back) in self.tokens.items():
            found[f"ck-{token}"] = color or self.colors["foreground"]
            found[f"ck-{token}-style"] = style or "none"
            found[f"ck-{token}-back"] = back or self.colors["background"]
        return {**self.extra, **found}


def read_theme(path: Path, *, base: ThemeFile | None = None) -> ThemeFile:
    """The theme in `path`; what it leaves out is that of `base`. Raises `CannotAnswer` naming the file and what is
    wrong."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        colors = {str(key): str(value) for key, value in document["colors"].items()}
        tokens = {str(key): _token(str(value)) for key, value in document["tokens"].items()}
        extra = {str(key): str(value) for key, value in document.get("variables", {}).items()}
        dark, ansi = bool(document.get("dark", True)), bool(document.get("ansi", False))
        if base is not None:
            colors, tokens = {**base.colors, **colors}, {**base.tokens, **tokens}
        return ThemeFile(plain_text(document["name"], 40), dark, ansi, colors, tokens, extra)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise CannotAnswer(f"{path}: not a theme file: {plain_text(problem, 120)}") from None
    except (KeyError, AttributeError) as problem:
        raise CannotAnswer(f"{path}: a theme needs name, [colors] and [tokens]: {plain_text(problem, 60)}") from None


def own_themes() -> list[ThemeFile]:
    """The themes that come with cockpit, in the order that the key goes through them."""
    return [read_theme(FOLDER / f"{name}.toml") for name in NAMES]


def user_folder() -> Path:
    """Where a person's own themes lie: `themes` beside the user's configuration. It may not exist."""
    return user_config_file().parent / "themes"


def user_themes() -> tuple[list[ThemeFile], list[str]]:
    """The person's own themes by name, and a line about each file that is none. One may take the place of ours."""
    found: dict[str, ThemeFile] = {}
    problems: list[str] = []
    base = read_theme(FOLDER / "dark.toml")
    for path in sorted(user_folder().glob("*.toml")):
        try:
            theme = read_theme(path, base=base)
            found[theme.name] = replace(theme, path=path)
        except CannotAnswer as problem:
            problems.append(str(problem))
    return list(found.values()), problems


def all_themes() -> tuple[list[ThemeFile], list[str]]:
    """Ours, then the person's own, with what is wrong about them."""
    own, problems = user_themes()
    names = {theme.name for theme in own}
    return [*(theme for theme in own_themes() if theme.name not in names), *own], problems


def choose(name: str, *, no_color: bool, background: str, shade: str = "", names: Sequence[str] = NAMES) -> str:
    """The theme to open with: `mono` without colour, else the one asked for; `auto` looks at the background.

    `background` is the value of COLORFGBG, whose last field is 7 or 15 on a light terminal; `shade` is what the
    terminal itself said, "light", "dark" or "". Raises `CannotAnswer` where there is no theme of that name.
    """
    if no_color:
        return "mono"
    if name == "auto":
        return shade or ("light" if background.rpartition(";")[2] in ("7", "15") else "dark")
    if name not in names:
        raise CannotAnswer(f"there is no theme {plain_text(name, 40)!r}", f"use {', '.join(names)}")
    return name


def _token(value: str) -> tuple[str, str, str]:
    front, _, back = value.partition(" on ") if " on " in value else (value, "", "")
    words = front.split()
    styles = [word for word in words if word in _STYLES]
    colors = [word for word in words if word not in _STYLES]
    return (colors[0] if colors else "", " ".join(style for style in styles if style != "none"), back.strip())
