"""What a person said in a user line of Claude Code, apart from what the program wrote into it."""

import re

from cockpit.plain_text import plain_text
from skills.record import record

LONGEST = 20_000
INTERRUPTED = "[Request interrupted by user"

_WRITTEN_BY_PROGRAM = (
    "system-reminder|local-command-stdout|local-command-stderr|local-command-caveat|bash-input|bash-stdout|"
    "bash-stderr|user-memory-input|task-notification|ide_opened_file|ide_selection|ide_diagnostics|"
    "command-message|command-args|command-name|command-contents|user-prompt-submit-hook|teammate-message"
)
_WRAPPED = re.compile(rf"<({_WRITTEN_BY_PROGRAM})\b[^>]*>.*?(?:</\1>|\Z)", re.DOTALL)
_COMMAND = re.compile(r"<command-name>\s*/?([\w:.-]{1,80})\s*</command-name>")
_ARGUMENTS = re.compile(r"<command-args>(.*?)</command-args>", re.DOTALL)

# commands of the program itself: they set something up or show something, and are no work for the agent
_OWN_COMMANDS = frozenset(
    [
        *("add-dir", "agents", "bashes", "bug", "clear", "color", "compact", "config", "context", "copy"),
        *("cost", "doctor", "effort", "exit", "export", "fast", "feedback", "help", "hooks", "ide", "keybindings"),
        *("login", "logout", "mcp", "memory", "model", "new", "output-style", "permissions", "plugin", "privacy"),
        *("quit", "release-notes", "rename", "resume", "rewind", "sandbox", "settings", "stats", "status"),
        *("statusline", "tasks", "terminal-setup", "theme", "todos", "upgrade", "usage", "vim"),
    ]
)


@record
class Spoken:
    """The text of a person and the slash command in it, each empty where there is none."""

    text: str = ""
    command: str = ""


def spoken(text: str) -> Spoken:
    """What the person said in the text of a user line; both parts empty where it was the program that spoke."""
    text = text[: LONGEST * 2]
    if "<" not in text:
        return Spoken(_plain(text))
    name = _COMMAND.search(text)
    if name is None:
        return Spoken(_plain(_WRAPPED.sub(" ", text)))
    command = name[1]
    if command in _OWN_COMMANDS:
        return Spoken()
    arguments = _ARGUMENTS.search(text)
    return Spoken(_plain(f"/{command} {arguments[1] if arguments else ''}"), command)


def _plain(text: str) -> str:
    return plain_text(text.strip(), LONGEST, multiline=True)
