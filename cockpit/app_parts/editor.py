"""Opening a file in the person's editor, from any part of the app."""

import subprocess
import threading
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
            start_apart(command.words, app.watched)
            return
        with app.suspend():
            failure = run_here(command.words, app.watched)
        if failure:
            app.tell(failure, bad=True)
    except SuspendNotSupported:
        app.tell("An editor cannot be opened from here: this is not a terminal of its own.", bad=True)
    except OSError as problem:
        app.tell(f"The editor did not start: {problem.strerror}", bad=True)


def start_apart(words: tuple[str, ...], folder: Path) -> None:
    """Start a program that has a window of its own. It goes on where this terminal is closed. Raises `OSError`."""
    nothing = subprocess.DEVNULL
    started = subprocess.Popen(words, cwd=folder, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
    threading.Thread(target=started.wait, daemon=True).start()  # so that nothing is left of it when it ends


def run_here(words: tuple[str, ...], folder: Path) -> str:
    """Run a program in this terminal. Answers a line that says what went wrong, or nothing: `App.suspend` gives the
    terminal back only where nothing is raised in it.
    """
    try:
        subprocess.run(words, cwd=folder, check=False)
    except OSError as problem:
        return f"{plain_text(words[0], 40)} did not start: {problem.strerror}"
    return ""
