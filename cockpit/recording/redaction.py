"""What leaves this machine in a recording: no home folder, no person, no prompt, no secret."""

import re
from typing import Any

from cockpit.plain_text import redact
from skills.gates.security.secret_values import known_format

_HOME = re.compile(r"(?<![\w.])/(?:home|Users)/[^/\s\"']+|(?<![\w.])/root(?=/|$)")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ASSIGNED = re.compile(
    r"((?:password|passwd|secret|token|api[_-]?key)\w*\s*[=:]\s*)[\"']?([^\s\"']{6,})", re.IGNORECASE
)
_ADDRESS = re.compile(r"(\w+://)[^/\s:@]+:[^/\s@]+@")
PROMPTS = frozenset({"prompt", "enhanced"})
"""Keys that hold a person's own words."""


def redacted(value: Any, home: str, key: str = "") -> Any:
    """The same document without what is nobody's business. `home` is the person's home folder."""
    if isinstance(value, str):
        return f"a prompt of {len(value)} characters" if key in PROMPTS and value else redacted_text(value, home)
    if isinstance(value, dict):
        return {name: redacted(part, home, name) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(part, home, key) for part in value]
    return value


def redacted_text(text: str, home: str) -> str:
    """One text without home folders, mail addresses and secrets."""
    shown = text.replace(home, "~") if len(home) > 1 else text
    shown = shown.encode("utf-8", "replace").decode()  # the name of a file may be no text
    shown = _HOME.sub("~", shown)
    shown = _MAIL.sub("…@…", _ADDRESS.sub(r"\1…@", shown))
    shown = _ASSIGNED.sub(lambda found: found[1] + redact(found[2]), shown)
    while (known := known_format(shown)) is not None and redact(known[1]) not in known[1]:
        shown = shown.replace(known[1], redact(known[1]))
    return shown
