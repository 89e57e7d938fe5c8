"""How often each sub-agent ran and did not fail, from the transcripts of one repository's sessions."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, TypeGuard

from cockpit import paths
from cockpit.agents.lenient import document
from cockpit.agents.transcript_file import TranscriptFile
from cockpit.files import Tail
from cockpit.phases.membership import Membership
from cockpit.phases.others import other_files
from cockpit.phases.transcripts import first_cwd, transcripts
from cockpit.repository import Repository
from skills.routing.agents import Record, task_type

LAST = timedelta(days=90)
_LAUNCHED = b'"subagent_type"'
_ANSWERED = b'"tool_result"'


def agent_runs(repository: Repository, now: datetime) -> dict[str, Record]:
    """Runs of the last 90 days by role (the name without its plugin). A run without an answer does not count."""
    answers: dict[str, _Run] = {}
    for path in recent_transcripts(repository, now):
        with contextlib.suppress(OSError):
            _read(path, answers)
    ours = Membership(repository).holds
    for file in other_files((now - LAST).timestamp()):
        with contextlib.suppress(OSError):
            _read_told(file, ours, answers)
    grouped: dict[str, list[_Run]] = {}
    for run in answers.values():
        grouped.setdefault(run.role, []).append(run)
    return {role: _record(runs) for role, runs in grouped.items()}


@dataclass(frozen=True, slots=True)
class _Run:
    """One launch of an agent that was answered."""

    role: str
    task: str
    failed: bool = False
    seconds: float | None = None
    tokens: int | None = None


def _record(runs: list[_Run]) -> Record:
    seconds = [run.seconds for run in runs if run.seconds is not None]
    tokens = [run.tokens for run in runs if run.tokens is not None]
    kinds = Counter(kind for run in runs if (kind := task_type(run.task)))
    return Record(
        len(runs),
        sum(not run.failed for run in runs),
        round(median(seconds), 1) if seconds else None,
        sum(tokens) if tokens else None,
        tuple(kind for kind, _ in kinds.most_common(3)),
    )


def recent_transcripts(repository: Repository, now: datetime) -> Iterator[Path]:
    """The transcripts of Claude Code that belong to a repository and were written in the last 90 days."""
    membership = Membership(repository)
    oldest = (now - LAST).timestamp()
    for root in paths.claude_roots():
        for entry in transcripts(root / "projects"):
            with contextlib.suppress(OSError):
                if entry.stat().st_mtime >= oldest and membership.holds(first_cwd(entry.path)):
                    yield Path(entry.path)


def _read(path: Path, answers: dict[str, _Run]) -> None:
    """Put the answered launches of one transcript into `answers`, by call id: a forked session has them again."""
    open_calls: dict[bytes, _Run] = {}
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
                        task = f"{given.get('description', '')} {str(given.get('prompt', ''))[:400]}"
                        open_calls[call.encode("utf-8", "replace")] = _Run(name.rpartition(":")[2], task)
                elif part.get("type") == "tool_result" and isinstance(call := part.get("tool_use_id"), str):
                    run = open_calls.pop(call.encode("utf-8", "replace"), None)
                    if run is not None:
                        answers[call] = _answered(run, part, line)


def _read_told(file: TranscriptFile, ours: Callable[[str], bool], answers: dict[str, _Run]) -> None:
    """The same of a session of another agent; what a launch took in tokens, none of them says with its answer."""
    launched: dict[str, tuple[_Run, datetime | None]] = {}
    place = ""
    for _, told in file.read():
        for one in told:
            if one.kind == "place" and not place:
                place = one.text
                if not ours(place):
                    return
            name = next((one.given[key] for key in ("subagent_type", "agent_type") if key in one.given), None)
            if one.kind == "call" and one.common == "Task" and isinstance(name, str):
                task = f"{one.given.get('description', '')} {str(one.given.get('prompt', ''))[:400]}"
                launched[one.id] = (_Run(name.rpartition(":")[2], task), one.at)
            elif one.kind == "result" and one.id in launched:
                run, begun = launched.pop(one.id)
                seconds = max(0.0, (one.at - begun).total_seconds()) if one.at and begun else None
                answers[one.id] = replace(run, failed=one.failed, seconds=seconds)


def _answered(run: _Run, part: dict[str, Any], line: bytes) -> _Run:
    """The run with what its answer says of it; a launch in the background says nothing."""
    told = (document(line) or {}).get("toolUseResult")
    said: dict[str, Any] = told if isinstance(told, dict) and told.get("status") != "async_launched" else {}
    spent, tokens = said.get("totalDurationMs"), said.get("totalTokens")
    return replace(
        run,
        failed=part.get("is_error") is True,
        seconds=spent / 1000 if _counts(spent) else None,
        tokens=int(tokens) if _counts(tokens) else None,
    )


def _counts(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1 << 40


def _parts(line: bytes) -> list[dict[str, Any]]:
    value = document(line) or {}
    message = value.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
