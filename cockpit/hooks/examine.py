"""What the doctor says of hooks: those of git and of each agent, the warm process that answers, the spool."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from cockpit.agents.models import Agent
from cockpit.clock import iso
from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.health import Check
from cockpit.hooks.agents import AGENTS, agent_status, found_agents, shown
from cockpit.hooks.drain import lost_so_far, waiting_files
from cockpit.hooks.git import hook_status
from cockpit.hooks.memory import hints_counted
from cockpit.hooks.signs import HookSigns
from cockpit.hooks.spool import spool_folder
from cockpit.repository import Repository
from cockpit.warm.client import ask, socket_path
from skills.counted import counted

_SILENT = "hooks work by themselves then, more slowly"


def hook_checks(repository: Repository | None, config: Config) -> Iterator[Check]:
    """One check for each; what cannot be looked at is `not_run` with the reason, and the others go on."""
    signs = HookSigns()
    signs.refresh()
    yield _guarded("git hook", lambda: _git(repository))
    root = repository.root if repository is not None else None
    present = found_agents()
    for agent in AGENTS:
        yield _guarded(f"{agent} hooks", lambda agent=agent: _agent(agent, root, config, agent in present, signs))  # type: ignore[misc]
    yield _guarded("warm process", lambda: _warm(repository))
    yield _guarded("hook spool", _spool)
    count, tokens = hints_counted()
    if count:
        yield Check("hints", "pass", f"{count} added to prompts, about {tokens:,} tokens (estimated)")


def _guarded(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except CannotAnswer as problem:
        return Check(name, "not_run", problem.message, problem.hint)
    except OSError as problem:
        return Check(name, "not_run", f"{problem.filename}: {problem.strerror}")


def _git(repository: Repository | None) -> Check:
    if repository is None:
        return Check("git hook", "not_applicable", "no repository")
    found = hook_status(repository)
    detail = found.note or f"the pre-commit hook is {found.state}"
    wanted = found.state == "installed"
    return Check(
        "git hook", "pass" if wanted else "not_applicable", detail, "" if wanted else "cockpit hooks install --git"
    )


def _agent(agent: Agent, root: Path | None, config: Config, present: bool, signs: HookSigns) -> Check:
    name, install = f"{agent} hooks", f"cockpit hooks install --agent {agent}"
    scopes = ["user", "project"] if root is not None else ["user"]
    rows = [agent_status(agent, scope, root, config.hooks) for scope in scopes]  # type: ignore[arg-type]
    broken = next((row for row in rows if row.state == "unreadable"), None)
    if broken is not None:
        return Check(name, "fail", broken.note, "mend that file, or leave it: cockpit does not touch it")
    here = [row for row in rows if row.state != "absent"]
    if not here:
        why = "not installed" if present else f"{agent} was not found"
        return Check(name, "not_applicable", why, install if present else "")
    row = here[0]
    seen = signs.seen(agent)
    told = f"last event {iso(seen)}" if seen is not None else "no event was told yet"
    if agent == "codex" and seen is None:
        told += ": trust them in /hooks of Codex"
    detail = f"{row.scope}: {shown(row)}; {told}"
    return Check(name, "fail" if row.state == "changed" else "pass", detail, install if row.state == "changed" else "")


def _warm(repository: Repository | None) -> Check:
    if repository is None:
        return Check("warm process", "not_applicable", "no repository")
    path = socket_path(str(repository.common_dir))
    if not os.path.lexists(path):
        return Check("warm process", "not_applicable", f"no cockpit is open here: {_SILENT}")
    if ask("command", ["--version"], folder=str(repository.root), seconds=2.0) is not None:
        return Check("warm process", "pass", f"answers at {path}")
    off = os.environ.get("COCKPIT_WARM") == "0"
    why = "COCKPIT_WARM=0 keeps it out" if off else f"{path} is there and does not answer, or is another version"
    return Check("warm process", "not_run", f"{why}: {_SILENT}", "" if off else "close and open cockpit here")


def _spool() -> Check:
    lost = lost_so_far()
    told = [f"{counted(lost.garbage, 'file')} held no event"] if lost.garbage else []
    told += [f"{lost.dropped} were too many or too old"] if lost.dropped else []
    if not spool_folder().is_dir():
        return Check("hook spool", "not_applicable", "; ".join(["cockpit is off: hooks are silent", *told]))
    said = "; ".join([f"{spool_folder()}: {waiting_files()} events wait", *told])
    return Check("hook spool", "fail" if waiting_files() > 1000 else "pass", said)
