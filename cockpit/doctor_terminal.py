"""What the doctor tells about the terminal: size, colours, background, how copying will work, taken keys."""

import os
import shutil
import sys
from collections.abc import Iterator

from cockpit.config import Config
from cockpit.health import Check
from cockpit.paths import state_dir

_SHADE_SECONDS = 0.3
_NAMED = ("COLORTERM", "NO_COLOR", "TERM_PROGRAM", "TMUX", "STY", "SSH_TTY")


def terminal_checks(config: Config) -> Iterator[Check]:
    """Everything about the terminal that changes what a person sees or can do."""
    yield _size()
    yield _encoding()
    yield _colours(config)
    yield _background(config)
    yield _copying()
    yield _keys()


def _size() -> Check:
    term = os.environ.get("TERM", "")
    shown = [f"TERM={term or 'not set'}"]
    shown += [f"{name}={os.environ[name]}" for name in _NAMED if os.environ.get(name)]
    if not sys.stdout.isatty():
        return Check("terminal", "not_applicable", "output is not a terminal; " + ", ".join(shown))
    if term in ("", "dumb"):
        return Check("terminal", "fail", ", ".join(shown), "export TERM=xterm-256color")
    size = shutil.get_terminal_size()
    small = size.columns < 40 or size.lines < 12
    fix = "make it at least 40 columns by 12 lines" if small else ""
    return Check("terminal", "fail" if small else "pass", f"{size.columns}×{size.lines}, {', '.join(shown)}", fix)


def _encoding() -> Check:
    encoding = (sys.stdout.encoding or "unknown").lower()
    good = encoding.replace("-", "") == "utf8"
    fix = "export LANG=C.UTF-8 (until then everything is drawn in ASCII)"
    return Check("encoding", "pass" if good else "fail", encoding, "" if good else fix)


def _colours(config: Config) -> Check:
    if os.environ.get("NO_COLOR"):
        return Check("colours", "pass", "none: NO_COLOR asks for it, the theme is mono", "unset NO_COLOR for colours")
    term = os.environ.get("TERM", "")
    if os.environ.get("COLORTERM", "") in ("truecolor", "24bit") or term.endswith("-direct"):
        return Check("colours", "pass", f"16 million; theme {config.theme}")
    count = "256" if "256color" in term else "16 or fewer"
    fix = 'export COLORTERM=truecolor where the terminal has them, or theme = "ansi" for its own sixteen'
    if os.environ.get("TMUX"):
        fix = "in tmux: set -as terminal-features ',*:RGB' and export COLORTERM=truecolor, or theme = \"ansi\""
    return Check("colours", "pass", f"{count}: the colours of the themes are made of the nearest ones", fix)


def _background(config: Config) -> Check:
    if config.theme != "auto" or os.environ.get("NO_COLOR"):
        return Check("background", "not_applicable", "the theme is chosen already")
    if named := os.environ.get("COLORFGBG"):
        light = named.rpartition(";")[2] in ("7", "15")
        return Check("background", "pass", f"{'light' if light else 'dark'}, says COLORFGBG={named}")
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        return Check("background", "not_applicable", "no terminal to ask")
    from cockpit.terminal_background import BackgroundQuestion

    shade = BackgroundQuestion().answer(wait=_SHADE_SECONDS)
    if shade:
        return Check("background", "pass", f"{shade}, says the terminal (OSC 11)")
    fix = 'theme = "light" where its background is light'
    return Check("background", "not_run", "the terminal does not say: taken as dark", fix)


def _copying() -> Check:
    from cockpit.clipboard import LARGEST, tmux_hands_on, way

    chosen, why = way()
    path = state_dir() / "copied.txt"
    longer = f"; more than {LARGEST // 1000} kB goes into {path}"
    if chosen == "file":
        fix = "run cockpit in a terminal with OSC 52, or in tmux; until then paste from the file"
        return Check("copying", "not_run", f"y and a drag write to {path}: {why}", fix)
    if chosen == "tmux":
        if tmux_hands_on() is False:
            return Check(
                "copying", "pass", "tmux's buffer only (prefix ] pastes)", "tmux set -s set-clipboard external"
            )
        return Check("copying", "pass", f"{why} (prefix ] pastes)")
    if chosen == "unsure":
        fix = "hold shift and drag to select with the terminal itself, or run cockpit in tmux"
        return Check("copying", "not_run", f"{why}: y and a drag also write to {path}", fix)
    return Check("copying", "pass", f"{why}{longer}")


def _keys() -> Check:
    """Keys that the surroundings take never reach cockpit; each action has another."""
    inside = [
        name
        for name, here in (
            ("tmux takes its prefix", os.environ.get("TMUX")),
            ("GNU screen takes ctrl+a", os.environ.get("STY")),
            ("VS Code takes ctrl+p and others", os.environ.get("TERM_PROGRAM") == "vscode"),
        )
        if here
    ]
    detail = "; ".join(inside) or "nothing around cockpit takes keys"
    return Check("keys around", "pass", f"{detail}: no action needs one of them")
