"""Repositories, registries and transcripts for tests of sessions."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cockpit.agents.models import Session
from cockpit.phases.store import read_sessions
from cockpit.repository import Repository, find_repository
from skills.orchestrator.model import PHASE_NAMES
from tests.git import git
from tests.unit.claude_lines import Talk

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def made(folder: Path) -> Repository:
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "start")
    return find_repository(folder)


def talk_at(repository: Repository, minutes: float, session: str = "5e55", cwd: Path | None = None) -> Talk:
    talk = Talk(session, str(cwd or repository.root), at=NOW - timedelta(minutes=minutes))
    talk.prompt("Add a users endpoint")
    return talk


def register(claude: Path, session: str, pid: int, **more: Any) -> Path:
    path = claude / "sessions" / f"{pid}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"pid": pid, "sessionId": session, **more}), "utf-8")
    return path


def only(repository: Repository) -> Session:
    (session,) = read_sessions(repository).sessions
    (state,) = read_sessions(repository, phases=False).sessions
    assert state == replace(session, phase=0, phase_name=PHASE_NAMES[0], phases=(), summary="", context=None)
    return session


def dead_pid() -> int:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    return gone.pid
