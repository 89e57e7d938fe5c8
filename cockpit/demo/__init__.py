"""A small real repository to look at: git history, worktrees, transcripts, live sessions and findings."""

import atexit
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from cockpit.clock import iso
from cockpit.demo import git_history, history, processes, stories
from cockpit.demo.project import branches
from cockpit.demo.transcript import Transcript, uuid_of


@dataclass
class Demo:
    """What was made. `env` holds what points cockpit at it; `close` ends the processes of its agents."""

    folder: Path
    root: Path
    claude_root: Path
    state_dir: Path
    env: dict[str, str]
    pids: tuple[int, ...] = ()
    close: Callable[[], None] = field(default=lambda: None, repr=False)


def make_demo(folder: Path, *, now: datetime, outlive: int | None = None) -> Demo:
    """Make the demo in `folder` (made where missing): the same for the same `now` and folder, but for pids.

    Its agents are small processes that end with `Demo.close`, with this process, or, with `outlive`, when the
    process of that id ends or the folder goes. Raises `CannotAnswer` without git, `OSError` where the
    folder cannot be written.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    now = now.replace(microsecond=0)
    claude, state = folder / "claude", folder / "state"
    for place in (claude, state):
        place.mkdir(exist_ok=True)
    (state / "tour-shown").write_text("by the demo\n", "utf-8")
    root = git_history.build(folder, now)
    agents = processes.Agents(outlive, folder)
    if outlive is None:
        atexit.register(agents.close)
    _register_worktrees(folder, root, claude, now)
    random = Random("acme-api")
    for talk, helpers in history.earlier_sessions(root, now, random):
        _write(claude, talk, helpers)
    _live_sessions(folder, root, claude, now, random, agents)
    return Demo(
        folder=folder,
        root=root,
        claude_root=claude,
        state_dir=state,
        env={
            "CLAUDE_CONFIG_DIR": str(claude),
            "COCKPIT_STATE_DIR": str(state),
            "COCKPIT_WORKTREES_ROOT": str(folder / "worktrees"),
        },
        pids=agents.pids,
        close=agents.close,
    )


def _live_sessions(
    folder: Path, root: Path, claude: Path, now: datetime, random: Random, agents: processes.Agents
) -> None:
    today = _earliest_today(now)
    api, login = (git_history.worktree_path(folder, name) for name in ("feature-api", "fix-login"))
    busy, helper = stories.users_endpoint(api, now, random)
    busy.ending_at(now - timedelta(seconds=6), today, helper)
    waiting = stories.login_fix(login, now, random)
    waiting.ending_at(now - timedelta(minutes=3), today)
    idle = stories.invoice_totals(root, now, random)
    idle.ending_at(max(today, now - timedelta(minutes=41)), today)
    for talk, helpers, status, wants in (
        (busy, [helper], "busy", None),
        (waiting, [], "waiting", "permission: Bash(git push -u origin fix/login)"),
        (idle, [], "idle", None),
    ):
        _write(claude, talk, helpers)
        _register_session(claude, talk, agents.start(Path(talk.cwd)), status, wants)


def _earliest_today(now: datetime) -> datetime:
    """The later of the two midnights, here and in UTC, but at least ten minutes ago."""
    here = now.astimezone().replace(hour=0, minute=0, second=0)
    utc = now.replace(hour=0, minute=0, second=0)
    return min(max(here, utc), now - timedelta(minutes=10)).astimezone(now.tzinfo)


def _write(claude: Path, talk: Transcript, helpers: list[Transcript]) -> None:
    project = claude / "projects" / re.sub(r"[^A-Za-z0-9]", "-", talk.cwd)
    talk.write(project / f"{talk.session}.jsonl")
    for helper in helpers:
        place = project / talk.session / "subagents"
        helper.write(place / f"agent-{helper.agent_id}.jsonl")
        about = {
            "agentType": "Explore" if "haiku" in helper.model else "code-reviewer",
            "description": "Look into it",
        }
        (place / f"agent-{helper.agent_id}.meta.json").write_text(json.dumps(about), "utf-8")


def _register_session(claude: Path, talk: Transcript, pid: int, status: str, waiting_for: str | None) -> None:
    updated = int(talk.clock.timestamp() * 1000)
    entry: dict[str, Any] = {
        "pid": pid,
        "sessionId": talk.session,
        "cwd": talk.cwd,
        "startedAt": int(talk.lines[0][0].timestamp() * 1000),
        "procStart": processes.started_at(pid),
        "version": "2.1.270",
        "kind": "interactive",
        "entrypoint": "cli",
        "status": status,
        "updatedAt": updated,
        "statusUpdatedAt": updated,
    }
    if waiting_for:
        entry["waitingFor"] = waiting_for
    place = claude / "sessions"
    place.mkdir(exist_ok=True)
    (place / f"{pid}.json").write_text(json.dumps(entry), "utf-8")


def _register_worktrees(folder: Path, root: Path, claude: Path, now: datetime) -> None:
    entries = []
    for branch in branches():
        made = now - timedelta(hours=branch.commits[0].hours_ago + 1)
        entries.append(
            {
                "id": uuid_of(branch.name),
                "project": "acme-api",
                "repoPath": str(root),
                "branch": branch.name,
                "branchSlug": branch.name.replace("/", "-"),
                "worktreePath": str(git_history.worktree_path(folder, branch.folder)),
                "ports": list(branch.ports),
                "createdAt": iso(made),
                "validatedAt": None,
                "agentLaunchedAt": iso(made) if branch.name in ("feature/api", "fix/login") else None,
                "task": branch.task,
                "prNumber": None,
                "status": "active",
            }
        )
    ports = [port for branch in branches() for port in branch.ports]
    registry = {"worktrees": entries, "portPool": {"start": 8100, "end": 8199, "allocated": ports}}
    (claude / "worktree-registry.json").write_text(json.dumps(registry, indent=2), "utf-8")
