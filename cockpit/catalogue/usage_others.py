"""How skills were used in the sessions of Codex CLI, Gemini CLI and OpenCode.

A skill counts as loaded where its tool was called or its `SKILL.md` was read. None of their transcripts keeps the list
that the agent was given, so that offers are estimated from when a skill was put there.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from cockpit.agents.told import Told
from cockpit.agents.transcript_file import TranscriptFile
from cockpit.phases.others import other_files
from cockpit.plain_text import plain_text
from skills.standard.usage import Load, SessionUse

_FILE = re.compile(r"(?:^|[/\s'\"=])skills/(?:[\w.-]+/){0,4}([\w.-]{1,80})/SKILL\.md(?!\w)")


def other_uses(oldest: float, ours: Callable[[str], bool], seen: set[str]) -> Iterator[SessionUse]:
    """The sessions that changed since `oldest` (seconds since 1970) and began in a folder that is `ours`. What is in
    `seen` was counted already; it grows."""
    for file in other_files(oldest):
        try:
            found = _use(file, ours, seen)
        except OSError:
            continue
        if found is not None:
            yield found


def _use(file: TranscriptFile, ours: Callable[[str], bool], seen: set[str]) -> SessionUse | None:
    found, place = SessionUse(agent=file.agent), ""
    for _, told in file.read():
        for one in told:
            if one.kind == "place" and not place:
                place = one.text
                if not ours(place):
                    return None
            found = _taken(found, file, one, seen)
    return found if place else None


def _taken(found: SessionUse, file: TranscriptFile, told: Told, seen: set[str]) -> SessionUse:
    if told.at is not None and not found.began:
        found = replace(found, began=told.at.timestamp())
    key = f"{file.agent}:{told.kind}:{told.id or told.at}"
    if told.kind not in ("prompt", "call") or key in seen:
        return found
    if told.kind == "prompt":
        seen.add(key)
        return replace(found, prompts=(*found.prompts, plain_text(told.text, 20_000, multiline=True)))
    names = tuple(_loaded(told))
    if names:
        seen.add(key)
    return replace(found, loads=(*found.loads, *(Load(name) for name in names)))


def _loaded(told: Told) -> Iterator[str]:
    """The skills that a call loads."""
    texts = [value for value in told.given.values() if isinstance(value, str)]
    if told.common == "Skill":
        named = next((told.given[key] for key in ("skill", "name", "command") if key in told.given), None)
        if isinstance(named, str) and named.strip("/ "):
            yield plain_text(named.strip("/ "), 130)
    elif told.common in ("Read", "Bash"):
        yield from dict.fromkeys(plain_text(name, 130) for text in texts for name in _FILE.findall(text[:4000]))
