"""How often each sub-agent ran and did not fail, from the transcripts of one repository's sessions."""

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cockpit import paths
from cockpit.agents.claude import decode_line
from cockpit.files import Tail
from cockpit.phases.membership import Membership
from cockpit.phases.store import first_cwd, transcripts
from cockpit.repository import Repository
from skills.routing.agents import Record

LAST = timedelta(days=90)
_LAUNCHED = b'"subagent_type"'
_ANSWERED = b'"tool_result"'


def agent_runs(repository: Repository, now: datetime) -> dict[str, Record]:
    """Runs of the last 90 days by role (the name without its plugin). A run without an answer does not count."""
    answers: dict[str, tuple[str, bool]] = {}
    for path in recent_transcripts(repository, now):
        with contextlib.suppress(OSError):
            _read(path, answers)
    runs: dict[str, Record] = {}
    for role, failed in answers.values():
        before = runs.get(role, Record(0, 0))
        runs[role] = Record(before.runs + 1, before.successes + (not failed))
    return runs


def recent_transcripts(repository: Repository, now: datetime) -> Iterator[Path]:
    """The transcripts of Claude Code that belong to a repository and were written in the last 90 days."""
    membership = Membership(repository)
    oldest = (now - LAST).timestamp()
    for root in paths.claude_roots():
        for entry in transcripts(root / "projects"):
            with contextlib.suppress(OSError):
                if entry.stat().st_mtime >= oldest and membership.holds(first_cwd(entry.path)):
                    yield Path(entry.path)


def _read(path: Path, answers: dict[str, tuple[str, bool]]) -> None:
    """Put the answered launches of one transcript into `answers`, by call id: a forked session has them again."""
    open_calls: dict[bytes, str] = {}
    for block in Tail(path, counting=False).blocks():
        if _LAUNCHED not in block and not open_calls:
            continue
        for line in block.split(b"\n"):
            launches, answers_some = _LAUNCHED in line, open_calls and _ANSWERED in line
            if not launches and not (answers_some and any(call in line for call in open_calls)):
                continue
            for part in _parts(line):
                given, call = part.get("input"), part.get("id")
                if part.get("type") == "tool_use" and isinstance(given, dict) and isinstance(call, str):
                    if isinstance(name := given.get("subagent_type"), str):
                        open_calls[call.encode("utf-8", "replace")] = name.rpartition(":")[2]
                elif part.get("type") == "tool_result" and isinstance(call := part.get("tool_use_id"), str):
                    role = open_calls.pop(call.encode("utf-8", "replace"), None)
                    if role is not None:
                        answers[call] = (role, part.get("is_error") is True)


def _parts(line: bytes) -> list[dict[str, Any]]:
    value = decode_line(line) or {}
    message = value.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
