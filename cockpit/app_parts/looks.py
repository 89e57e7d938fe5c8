"""Themes in the app: ours, and the person's own, read again when they are saved."""

import asyncio
import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.color import Color, ColorParseError
from textual.theme import Theme

from cockpit.app_parts.deeds import Deeds
from cockpit.call import Call
from cockpit.layouts import read_layout
from cockpit.plain_text import plain_text
from cockpit.themes import ThemeFile, all_themes, choose, own_themes, user_folder
from cockpit.watch_folders import watch_folders

if TYPE_CHECKING:
    from textual.filter import LineFilter


def no_utf8(environment: Mapping[str, str]) -> bool:
    """Whether the locale names an encoding that is not UTF-8; one that names none is UTF-8 by now."""
    value = next((found for name in ("LC_ALL", "LC_CTYPE", "LANG") if (found := environment.get(name))), "")
    encoding = value.partition("@")[0].partition(".")[2].lower().replace("-", "")
    return value in ("C", "POSIX") or (bool(encoding) and encoding != "utf8")


class Looks(Deeds):
    """Registers themes and chooses one."""

    looks: Sequence[ThemeFile] = ()
    look_problems: Sequence[str] = ()
    _ascii: "tuple[LineFilter, ...] | None" = None

    def use_themes(self, call: Call, *, shade: str, no_colors: bool) -> None:
        """Register every theme and put on the one that is asked for. `shade` is what the terminal said of its
        background. Raises `CannotAnswer` where there is no theme of that name."""
        self.no_colors = no_colors
        self.looks, self.look_problems = self._read_looks()
        names = [theme.name for theme in self.looks]
        kept = read_layout(self.repository.common_dir, ()).theme
        self.theme = choose(
            call.args.theme or os.environ.get("COCKPIT_THEME") or (kept if kept in names else self.settings.theme),
            no_color=no_colors,
            background=os.environ.get("COLORFGBG", ""),
            shade=shade,
            names=names,
        )

    def get_line_filters(self) -> Sequence["LineFilter"]:
        """Textual's own, and the one that draws in ASCII."""
        if self._ascii is None:
            wanted = self.settings.ascii
            self._ascii = ()
            if no_utf8(os.environ) if wanted is None else wanted:
                from widgets.ascii_glyphs import AsciiFilter

                self._ascii = (AsciiFilter(),)
        return [*super().get_line_filters(), *self._ascii]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return (self.looks or own_themes())[0].variables()

    def watch_looks(self) -> None:
        """Say what is wrong with the person's own themes, and follow their files."""
        for problem in self.look_problems:
            self.tell(problem, bad=True)
        if user_folder().is_dir():
            self.run_worker(self._follow_looks(user_folder()), group="looks", exclusive=True, exit_on_error=False)

    def do_next_theme(self) -> None:
        """The next theme; without colour there is only one."""
        if self.no_colors:
            self.tell("NO_COLOR is set: the mono theme stays.")
            return
        names = [theme.name for theme in self.looks]
        self.theme = names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else names[0]
        self.theme_by_key = True
        self.tell(f"Theme: {self.theme}", about="theme")

    async def _follow_looks(self, folder: Path) -> None:
        with contextlib.suppress(OSError, RuntimeError):  # a folder that cannot be watched keeps its themes as they are
            async for changed in watch_folders(folder):
                if not changed:
                    continue
                before = self.look_problems
                self.looks, self.look_problems = await asyncio.to_thread(_usable)
                self._offer(self.looks)
                for problem in self.look_problems:
                    self.tell(problem, bad=True)
                if not self.look_problems:
                    self.tell("Themes are read again." if not before else "Themes are right again.")
                self.refresh_css(animate=False)

    def _read_looks(self) -> tuple[list[ThemeFile], list[str]]:
        found, problems = _usable()
        self._offer(found)
        return found, problems

    def _offer(self, themes: Sequence[ThemeFile]) -> None:
        for theme in themes:
            made = Theme(theme.name, dark=theme.dark, ansi=theme.ansi, variables=theme.variables(), **theme.colors)  # type: ignore[arg-type]
            self.register_theme(made)


def _usable() -> tuple[list[ThemeFile], list[str]]:
    """The themes whose colours can be drawn, and a line about each that is left out."""
    found, problems = all_themes()
    usable = []
    for theme in found:
        wrong = _no_color(theme)
        if wrong:
            problems.append(f"theme {theme.name}: {wrong}")
        else:
            usable.append(theme)
    return usable, problems


def _no_color(theme: ThemeFile) -> str:
    """What is no colour in a theme, "" where all are."""
    if theme.path is None:  # one of ours: a test holds it
        return ""
    values = [*theme.colors.items(), *((token, part) for token, row in theme.tokens.items() for part in row[::2])]
    for key, value in values:
        try:
            if value and not value.startswith("ansi_"):
                Color.parse(value)
        except ColorParseError:
            return f"{plain_text(key, 30)} = {plain_text(value, 30)!r} is no colour, e.g. #" + "6cb2f2"
    return ""
