"""What the day's queue is made of: the work that a task goes on with, its age, who does it, the files that it names."""

import contextlib
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.day.context import Context
from cockpit.day.git_state import read_author, read_commits
from cockpit.git_command import GitFailed, git
from cockpit.worktrees.models import WorktreesSnapshot
from skills.workflow.day import named_files
from skills.workflow.tasks import Scored, Situation

if TYPE_CHECKING:
    from skills.routing.catalogue import Lane


def own_commits(root: Path, now: datetime) -> tuple[str, ...]:
    """The subjects of this author's last five commits, with id and age; empty where git does not tell."""
    author = read_author(root)
    who = ["--fixed-strings", f"--author=<{author}>"] if author else []
    with contextlib.suppress(GitFailed):
        return read_commits(root, now, "-5", *who, "HEAD")
    return ()


def situation_of(
    blockers: tuple[str, ...],
    trees: WorktreesSnapshot | None,
    mine: tuple[str, ...],
    now: datetime,
    said: Context,
    ages: dict[str, int],
) -> Situation:
    """What the score of a task goes by: blockers, branches and own commits that go on with it, its age."""
    branches = tuple(tree.branch for tree in trees.worktrees if tree.branch and not tree.main) if trees else ()
    days = {
        task.order: max((age for line, age in ages.items() if task.text in line), default=0)
        for task in (said.tasks if ages else ())
    }
    return Situation(now.astimezone().date(), blockers, (*branches, *mine), days)


def task_ages(root: Path, now: datetime) -> dict[str, int]:
    """Days since each line of TASK.md was written, by its text; nothing where git does not tell."""
    if not (root / "TASK.md").is_file():
        return {}
    try:
        blame = git(root, "blame", "--line-porcelain", "--", "TASK.md", timeout=5.0)
    except GitFailed:
        return {}
    found: dict[str, int] = {}
    at = 0
    for line in blame.split("\n"):
        if line.startswith("author-time "):
            at = int(line[12:])
        elif line.startswith("\t"):
            found[line[1:]] = max(0, int((now.timestamp() - at) // 86400))
    return found


def agents_of(root: Path, scored: tuple[Scored, ...], names: frozenset[str]) -> tuple[str, ...]:
    """Who does each task: the role, or what stands in for one that is not installed."""
    if not scored:
        return ()
    from cockpit.agents.installed import installed_agents
    from skills.routing.agents import select_agent

    installed = installed_agents(root)
    lane = _lane(root, names)
    chosen = []
    for entry in scored:
        picked = select_agent(entry.task.text, lane, installed)
        chosen.append(picked.best.instance or picked.best.name)
    return tuple(chosen)


def _lane(root: Path, names: frozenset[str]) -> "Lane | None":
    from cockpit.findings.manifests import read_manifests
    from skills.routing.catalogue import PACKAGES

    known = [name for name in ("pyproject.toml", "requirements.txt", "setup.cfg") if name in names]
    dependencies = read_manifests(root, known).evidence.dependencies if known else {}
    return next((lane for package, lane in PACKAGES.items() if package in dependencies), None)


def files_of(root: Path, scored: tuple[Scored, ...]) -> tuple[tuple[str, ...], ...]:
    """The files that each task names, of those that git knows."""
    if not any(re.search(r"\w[./]\w", entry.task.text) for entry in scored):
        return tuple(() for _ in scored)
    try:
        names = frozenset(git(root, "ls-files", "-z").split("\0"))
    except GitFailed:
        names = frozenset()
    return tuple(named_files(entry.task.text, names) for entry in scored)
