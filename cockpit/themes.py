"""Reads theme files: colours of Textual's design system and one colour and style for each token of a line."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from cockpit import __file__ as _here
from cockpit.errors import CannotAnswer
from cockpit.plain_text import plain_text

FOLDER = Path(_here).parent.parent / "themes"
NAMES = ("dark", "light", "high-contrast", "ansi", "mono")
_STYLES = {"bold", "dim", "italic", "underline", "reverse", "none"}


@dataclass(frozen=True, slots=True)
class ThemeFile:
    """One theme. `tokens` is token → (colour, text style, background); an empty string means *leave it*.

    `extra` are variables of Textual's own widgets.
    """

    name: str
    dark: bool
    ansi: bool
    colors: dict[str, str]
    tokens: dict[str, tuple[str, str, str]]
    extra: dict[str, str]

    def variables(self) -> dict[str, str]:
        """The style sheet variables of the tokens: `$ck-muted`, `$ck-muted-style`, `$ck-cursor-back`."""
        found: dict[str, str] = {}
        for token, (color, style, back) in self.tokens.items():
            found[f"ck-{token}"] = color or self.colors["foreground"]
            found[f"ck-{token}-style"] = style or "none"
            found[f"ck-{token}-back"] = back or self.colors["background"]
        return {**self.extra, **found}


def read_theme(path: Path) -> ThemeFile:
    """The theme in `path`. Raises `CannotAnswer` naming the file and what is wrong."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        colors = {str(key): str(value) for key, value in document["colors"].items()}
        tokens = {str(key): _token(str(value)) for key, value in document["tokens"].items()}
        extra = {str(key): str(value) for key, value in document.get("variables", {}).items()}
        dark, ansi = bool(document.get("dark", True)), bool(document.get("ansi", False))
        return ThemeFile(str(document["name"]), dark, ansi, colors, tokens, extra)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise CannotAnswer(f"{path}: not a theme file: {plain_text(problem, 120)}") from None
    except (KeyError, AttributeError) as problem:
        raise CannotAnswer(f"{path}: a theme needs name, [colors] and [tokens]: {plain_text(problem, 60)}") from None


def own_themes() -> list[ThemeFile]:
    """The themes that come with cockpit, in the order that the key goes through them."""
    return [read_theme(FOLDER / f"{name}.toml") for name in NAMES]


def choose(name: str, *, no_color: bool, background: str) -> str:
    """The theme to open with: `mono` without colour, else the one asked for; `auto` looks at the terminal's background.

    `background` is the value of COLORFGBG, whose last field is 7 or 15 on a light terminal.
    Raises `CannotAnswer` where there is no theme of that name.
    """
    if no_color:
        return "mono"
    if name == "auto":
        return "light" if background.rpartition(";")[2] in ("7", "15") else "dark"
    if name not in NAMES:
        raise CannotAnswer(f"there is no theme {plain_text(name, 40)!r}", f"use {', '.join(NAMES)}")
    return name


def _token(value: str) -> tuple[str, str, str]:
    front, _, back = value.partition(" on ") if " on " in value else (value, "", "")
    words = front.split()
    styles = [word for word in words if word in _STYLES]
    colors = [word for word in words if word not in _STYLES]
    return (colors[0] if colors else "", " ".join(style for style in styles if style != "none"), back.strip())
