"""Finds the transcripts of Claude Code: those of sessions, where each began, and those of their sub-agents."""

import contextlib
import os
import re
from pathlib import Path

from cockpit.agents.lenient import document, text
from cockpit.files import read_regular

_HEAD = 1 << 20
_CWD = re.compile(rb'"cwd"\s*:\s*("(?:[^"\\]|\\.)*")')


def transcripts(projects: Path) -> list["os.DirEntry[str]"]:
    """The main transcripts below a `projects` folder."""
    found: list[os.DirEntry[str]] = []
    for folder in _entries(projects):
        with contextlib.suppress(OSError):  # a link that leads round in a circle
            if folder.is_dir():
                found += [entry for entry in _entries(folder.path) if entry.name.endswith(".jsonl")]
    return [entry for entry in found if entry.name != "journal.jsonl"]


def _entries(folder: Path | str) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def first_cwd(path: str) -> str:
    """The `cwd` of the first line that has one, looked for in the first megabyte."""
    try:
        head = read_regular(path, _HEAD)
    except OSError:
        return ""
    for line in head.split(b"\n")[:200]:
        if b'"cwd"' in line and (value := document(line)) and (cwd := text(value.get("cwd"))):
            return cwd
    found = _CWD.search(head)
    value = document(b'{"cwd":' + found[1] + b"}") if found else None
    return text(value["cwd"]) or "" if value else ""


def written_by_subagents(transcript: Path) -> tuple[float, ...]:
    """When each sub-agent of a session last wrote, in seconds since 1970."""
    folder = transcript.with_suffix("") / "subagents"
    places: list[Path | str] = [folder]
    places += [entry.path for entry in _entries(folder / "workflows") if entry.name.startswith("wf_")]
    times: list[float] = []
    for place in places:
        for entry in _entries(place):
            if entry.name.startswith("agent-") and entry.name.endswith(".jsonl"):
                with contextlib.suppress(OSError):
                    times.append(entry.stat().st_mtime)
    return tuple(times)
