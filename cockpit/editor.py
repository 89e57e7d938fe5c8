"""Which command opens a file at a line: `$VISUAL`, else `$EDITOR`, with the flags that each editor understands."""

import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from cockpit.errors import CannotAnswer
from cockpit.plain_text import plain_text

_COLON = {"code", "code-insiders", "codium", "cursor", "windsurf", "zed", "subl", "hx", "helix", "micro"}
_GOTO = {"code", "code-insiders", "codium", "cursor", "windsurf"}
_WINDOWED = _GOTO | {"zed", "subl", "gvim", "pycharm", "charm", "idea", "mate", "kate", "gedit"}
_JETBRAINS = {"pycharm", "charm", "idea"}


@dataclass(frozen=True, slots=True)
class EditorCommand:
    """`words` to run; `windowed` editors open their own window, the others need the terminal."""

    words: tuple[str, ...]
    windowed: bool


def folder_command(path: Path, configured: str | None = None) -> EditorCommand:
    """The command that opens a folder in the editor. Raises `CannotAnswer` as `editor_command` does."""
    words, windowed = _editor(configured)
    return EditorCommand((*words, str(path)), windowed)


def editor_command(path: Path, line: int, column: int = 1, configured: str | None = None) -> EditorCommand:
    """The command that opens `path` at `line`. Raises `CannotAnswer` where no editor is named or it is not there."""
    words, windowed = _editor(configured)
    name = Path(words[0]).name
    if name in _GOTO:
        place: tuple[str, ...] = ("--goto", f"{path}:{line}:{column}")
    elif name in _COLON:
        place = (f"{path}:{line}:{column}",)
    elif name in _JETBRAINS:
        place = ("--line", str(line), str(path))
    else:
        place = (f"+{line}", str(path))
    return EditorCommand((*words, *place), windowed)


def _editor(configured: str | None) -> tuple[list[str], bool]:
    """The words that start the editor, and whether it opens a window of its own."""
    chosen = configured or os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not chosen:
        chosen = next((name for name in ("nvim", "vim", "vi", "nano") if shutil.which(name)), "")
    try:
        words = shlex.split(chosen)
    except ValueError:
        raise CannotAnswer(f"the editor {plain_text(chosen, 60)!r} is not a command", "set VISUAL or EDITOR") from None
    if not words:
        raise CannotAnswer("no editor is named", "set VISUAL or EDITOR, e.g. export EDITOR=vim")
    if shutil.which(words[0]) is None:
        raise CannotAnswer(f"the editor {plain_text(words[0], 60)!r} was not found", "set VISUAL or EDITOR")
    name = Path(words[0]).name
    return words, name in _WINDOWED or (name in ("emacsclient",) and "-n" in words)
