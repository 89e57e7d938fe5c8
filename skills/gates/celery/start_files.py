"""Files that say how processes are started: Procfiles, compose files, Dockerfiles, units, shell scripts."""

import re
from collections.abc import Iterator

from skills.gates.engine.patterns import lazy
from skills.gates.model import Evidence

_AWAY = lazy(r"(?:^|[._/-])(?:dev|local|test|ci|debug|develop|development|example|sample|demo)s?(?:[._/-]|$)", re.I)
_WORDS = lazy(r"[^\s\"',\[\]]+")
_ITEM = lazy(r"\s*-\s+(\S.*)$")
_PROGRAM = lazy(r"(?:-\s+)?(?:command|entrypoint)\s*:")
_ARGUMENTS = lazy(r"(?:args|command)\s*:")
_BEATS = frozenset({"-B", "--beat"})


def workers_with_beat(path: str, text: str) -> Iterator[Evidence]:
    """The commands of a file that start a Celery worker with the scheduler in it, each at the line on which it begins.
    Files whose path says that they are for developers or tests have none."""
    if _AWAY.search(path) or "celery" not in text:
        return
    for line, command in _commands(text.splitlines()):
        words = _WORDS.findall(command)
        celery = any(word.rpartition("/")[2] == "celery" for word in words)
        if celery and "worker" in words and not _BEATS.isdisjoint(words):
            yield Evidence(path, line, " ".join(command.split())[:120])


def _commands(lines: list[str]) -> Iterator[tuple[int, str]]:
    """(line, command): lines that a backslash continues, the items of a list below each other, and a program with the
    arguments that a line of their own has (`command:` and `args:` of a container), are one."""
    parts: list[str] = []
    began, listed, program = 0, False, False
    for number, text in enumerate(lines, 1):
        stripped = text.strip()
        if stripped.startswith(("#", ";")):
            continue
        item = _ITEM.match(text)
        argued = _ARGUMENTS.match(stripped) if program else None
        goes_on = bool(parts) and (parts[-1].endswith("\\") or (listed and item is not None) or argued is not None)
        if parts and not goes_on:
            yield began, " ".join(part.removesuffix("\\") for part in parts)
            parts = []
        began = began if parts else number
        parts.append(item[1] if item is not None else stripped)
        listed = item is not None or (argued is not None and stripped.endswith(":"))
        program = _PROGRAM.match(stripped) is not None or (program and item is not None)
    if parts:
        yield began, " ".join(parts)
