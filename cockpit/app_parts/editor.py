"""Opening a file in the person's editor, from any part of the app."""

import subprocess
from pathlib import Path

from textual.app import SuspendNotSupported

from cockpit.app_parts.deeds import Deeds
from cockpit.editor import editor_command
from cockpit.errors import CannotAnswer
from cockpit.plain_text import plain_text


def open_in_editor(app: Deeds, path: Path, line: int = 1, column: int = 1) -> None:
    """Open a file at a place: in this terminal, or in the editor's own window. What goes wrong is a notice."""
    try:
        command = editor_command(path, line, column, app.settings.editor)
    except CannotAnswer as problem:
        app.tell(problem, bad=True)
        return
    try:
        if command.windowed:
            subprocess.Popen(
                command.words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            return
        with app.suspend():
            failure = run_here(command.words, app.watched)
        if failure:
            app.tell(failure, bad=True)
    except SuspendNotSupported:
        app.tell("An editor cannot be opened from here: this is not a terminal of its own.", bad=True)
    except OSError as problem:
        app.tell(f"The editor did not start: {problem.strerror}", bad=True)


def run_here(words: tuple[str, ...], folder: Path) -> str:
    """Run a program in this terminal. Answers a line that says what went wrong, or nothing: `App.suspend` gives the
    terminal back only where nothing is raised in it.
    """
    try:
        subprocess.run(words, cwd=folder, check=False)
    except OSError as problem:
        return f"{plain_text(words[0], 40)} did not start: {problem.strerror}"
    return ""
