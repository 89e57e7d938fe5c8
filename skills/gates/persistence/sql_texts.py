"""What SQL tells of triggers and channels, in a file of its own or in a string of Python."""

import re
from collections.abc import Iterator

from skills.gates.engine.patterns import lazy
from skills.gates.model import Fact

# Words of prose are written small; a statement begins with its keyword.
_NAME = r"\"?([A-Za-z_][\w.:-]*|\{\})\"?\s*(?=[,;']|$)"
NOTIFY = lazy(rf"(?:^|[;'\"]|EXECUTE)\s*NOTIFY\s+{_NAME}|pg_notify\(\s*'([^']+)'", re.M)
LISTEN = lazy(rf"(?:^|[;'\"])\s*LISTEN\s+{_NAME}", re.M)
NOTIFY_ANY = lazy(rf"(?:^|[;'\"]|EXECUTE)\s*NOTIFY\s+{_NAME}|pg_notify\(\s*'([^']+)'", re.M | re.I)
LISTEN_ANY = lazy(rf"(?:^|[;'\"])\s*LISTEN\s+{_NAME}", re.M | re.I)
_COMPUTED = lazy(r"(?:PERFORM|SELECT)\s+pg_notify\(\s*[A-Za-z_]|NOTIFY\s+%", re.I)
_TRIGGER = lazy(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:CONSTRAINT\s+)?TRIGGER\s+\S+\s+(?:BEFORE|AFTER|INSTEAD\s+OF)\s+([\w\s,]+?)\s+ON\s+"
    r"[\"`]?(?:\w+[\"`]?\.[\"`]?)?(\w+)[\"`]?.*?EXECUTE\s+(?:FUNCTION|PROCEDURE)\s+[\"`]?(?:\w+\.)?(\w+)", re.I | re.S,
)  # fmt: skip
_FUNCTION = lazy(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?FUNCTION\s+[\"`]?(?:\w+\.)?(\w+).*?(?=CREATE\s+(?:OR\s+REPLACE\s+)?FUNCTION|\Z)",
    re.I | re.S,
)
_BODY = lazy(r"AS\s+(\$\w*\$)(.*?)\1", re.I | re.S)
_REACHES = lazy(
    r"\b(?:INSERT\s+INTO|UPDATE\s+[\w.\"]+\s+(?:AS\s+)?\w*\s*SET|DELETE\s+FROM|NOTIFY|pg_notify|REFRESH|PERFORM|EXECUTE|CALL)\b",
    re.I,
)
"""What a function does to anything but the row that it is given."""
_COMMENT = lazy(r"--[^\n]*")


def trigger_facts(text: str, line: int = 1) -> Iterator[Fact]:
    """Facts: trigger (table; detail "function event"), notifies (function; detail channel), stamps (a function that
    changes nothing but the row which it is given). `line` is the first one."""
    upper = text.upper()
    if "TRIGGER" in upper:
        for match in _TRIGGER.finditer(text):
            detail = f"{match[3].lower()} {' '.join(match[1].upper().split())}"
            yield Fact("trigger", match[2].lower(), detail, line + text.count("\n", 0, match.start()))
    if "FUNCTION" in upper:
        for match in _FUNCTION.finditer(text):
            for sent in NOTIFY_ANY.finditer(match[0]):
                channel = next(group for group in sent.groups() if group)
                at = line + text.count("\n", 0, match.start() + sent.start())
                yield Fact("notifies", match[1].lower(), channel, at)
            body = _BODY.search(match[0]) if "TRIGGER" in upper else None
            if body is not None and not _REACHES.search(body[2]):
                yield Fact("stamps", match[1].lower(), "", line + text.count("\n", 0, match.start()))


def file_facts(source: str) -> tuple[Fact, ...]:
    """What a file of SQL tells: its triggers, and what is sent to channels ("?" where the name is computed)."""
    text = _COMMENT.sub("", source)
    found = list(trigger_facts(text))
    for match in NOTIFY_ANY.finditer(text):
        name = next(group for group in match.groups() if group)
        found.append(Fact("channel-pub", name, "pg", 1 + text.count("\n", 0, match.start())))
    for match in _COMPUTED.finditer(text):
        found.append(Fact("channel-pub", "?", "pg", 1 + text.count("\n", 0, match.start())))
    return tuple(found)
