"""What today's transcripts of Claude Code say about the day: finished to-dos, corrections, commands that failed."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cockpit import paths
from cockpit.agents.claude_values import blocks_of, not_a_person
from cockpit.agents.lenient import document
from cockpit.clock import read_iso
from cockpit.files import Tail, read_regular
from cockpit.phases.membership import Membership
from cockpit.phases.transcripts import first_cwd, transcripts
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from skills.workflow.learnings import is_correction
from skills.workflow.sweep import without_secrets

_WANTED = (
    b'"TodoWrite"',
    b'"TaskCreate"',
    b'"TaskUpdate"',
    b'"Bash"',
    b'"is_error":true',
    b'"is_error": true',
    b'"user"',
)
_LONGEST = 200


@dataclass(slots=True)
class Talk:
    """To-dos that were finished, prompts that correct, and commands with how often they failed."""

    completed: list[str] = field(default_factory=list)
    corrections: list[str] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)


def read_talk(repository: Repository, since: datetime) -> Talk:
    """The talk since then in every session of the repository. What cannot be read is passed over."""
    membership = Membership(repository)
    talk = Talk()
    for root in paths.claude_roots():
        for found in transcripts(root / "projects"):
            try:
                if found.stat().st_mtime >= since.timestamp() and membership.holds(first_cwd(found.path)):
                    _Reading(since, talk).read(Path(found.path))
                    _tasks(root / "tasks" / Path(found.path).stem, since, talk)
            except OSError:
                continue
    talk.completed = list(dict.fromkeys(map(without_secrets, talk.completed)))
    talk.corrections = list(dict.fromkeys(map(without_secrets, talk.corrections)))
    talk.failures = Counter({without_secrets(command): times for command, times in talk.failures.items()})
    return talk


class _Reading:
    """One transcript, read into `talk`: what was said before `since` only explains what comes after it."""

    def __init__(self, since: datetime, talk: Talk) -> None:
        self.since, self.talk = since.timestamp(), talk
        self.subjects: list[str] = []  # of the tasks, in the order of their numbers
        self.listed: dict[str, str] = {}  # to-do → its status
        self.commands: dict[str, str] = {}  # id of a call that has no answer yet → its command

    def read(self, path: Path) -> None:
        """Read it. Raises `OSError`."""
        for block in Tail(path, counting=False).blocks():
            for line in block.split(b"\n"):
                if any(word in line for word in _WANTED) and (value := document(line)) is not None:
                    self._take(value)
        self.talk.completed += [text for text, status in self.listed.items() if status == "completed"]

    def _take(self, value: dict[str, Any]) -> None:
        fresh = _at(value) >= self.since
        message = value.get("message")
        content = message.get("content") if isinstance(message, dict) else None
        if value.get("type") == "user":
            self._said(value, content, fresh=fresh)
            return
        for part in blocks_of(content):
            given = part.get("input")
            if part.get("type") == "tool_use" and isinstance(given, dict):
                self._called(str(part.get("name")), str(part.get("id")), given, fresh=fresh)

    def _called(self, name: str, call: str, given: dict[str, Any], *, fresh: bool) -> None:
        if name == "TodoWrite" and isinstance(given.get("todos"), list):
            for row in given["todos"]:
                if isinstance(row, dict) and (fresh or row.get("status") != "completed"):
                    self.listed[plain_text(row.get("content", ""), _LONGEST)] = str(row.get("status"))
        elif name == "TaskCreate":
            self.subjects.append(plain_text(given.get("subject", ""), _LONGEST))
        elif name == "TaskUpdate" and given.get("status") == "completed" and fresh:
            named = plain_text(given["subject"], _LONGEST) if given.get("subject") else self._subject(given)
            self.talk.completed += [named] if named else []
        elif name == "Bash":
            self.commands[call] = plain_text(str(given.get("command", "")).strip().split("\n")[0], 80)

    def _subject(self, given: dict[str, Any]) -> str:
        number = str(given.get("taskId", ""))
        return self.subjects[int(number) - 1] if number.isdecimal() and 0 < int(number) <= len(self.subjects) else ""

    def _said(self, value: dict[str, Any], content: object, *, fresh: bool) -> None:
        for part in blocks_of(content):
            if part.get("type") == "tool_result":
                command = self.commands.pop(str(part.get("tool_use_id")), "")
                if command and part.get("is_error") is True and fresh:
                    self.talk.failures[command] += 1
            elif part.get("type") == "text" and fresh and not not_a_person(value):
                text = plain_text(str(part.get("text", "")).strip(), 400)
                if is_correction(text):
                    self.talk.corrections.append(text)


def _tasks(folder: Path, since: datetime, talk: Talk) -> None:
    """Tasks that Claude Code keeps as files, finished since then."""
    for path in sorted(folder.glob("*.json")):
        try:
            if path.stat().st_mtime < since.timestamp():
                continue
            row = json.loads(read_regular(path, 262_144))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(row, dict) and row.get("status") == "completed" and row.get("subject"):
            talk.completed.append(plain_text(row["subject"], _LONGEST))


def _at(value: dict[str, Any]) -> float:
    moment = read_iso(value.get("timestamp"))
    return moment.timestamp() if moment is not None else 0.0
