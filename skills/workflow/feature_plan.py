"""From the tasks of a brief to groups that run side by side (workflow orchestrator, parallelisation analysis)."""

import re
from collections.abc import Iterable, Mapping

from skills.record import record
from skills.workflow.contract import without_notes
from skills.workflow.tasks import section, sections, task_of
from skills.workflow.worktree_setup import slug_of

AGENTS: Mapping[str, tuple[str, ...]] = {
    "planning": ("feature-dev:code-architect",),
    "database": ("database-design:database-architect", "database-design:sql-pro"),
    "backend": ("backend-development:backend-architect", "python-development:fastapi-pro"),
    "frontend": ("frontend-mobile-development:frontend-developer", "javascript-typescript:typescript-pro"),
    "testing": ("unit-testing:test-automator", "tdd-workflows:tdd-orchestrator"),
    "security": ("full-stack-orchestration:security-auditor", "comprehensive-review:security-auditor"),
    "deployment": ("deployment-strategies:deployment-engineer", "cicd-automation:deployment-engineer"),
}
"""Agents by role, the first choice first; only what is an agent, and not a skill or a command."""
PORTS: Mapping[str, tuple[str, str]] = {
    "backend": ("API", "debug"),
    "frontend": ("dev server", "storybook"),
    "testing": ("test server", "coverage"),
}
"""What the two ports of a worktree are for, by role."""
_WORDS: tuple[tuple[str, str], ...] = (
    ("testing", r"tests?|testing|e2e|coverage"),
    ("security", r"security|audit|permissions?|auth\w*"),
    ("database", r"database|schema|migrations?|models?|sql|index(?:es)?"),
    ("frontend", r"frontend|ui|components?|pages?|css|react|vue"),
    ("deployment", r"deploy\w*|ci|docker|pipeline|release"),
    ("planning", r"plan\w*|design|architecture"),
)
_HOURS = re.compile(r"\((\d+(?:\.\d+)?)\s*h\)", re.IGNORECASE)
_ROLE = re.compile(r"(?<!\w)@(\w+)\b(?!\()")


@record
class PlannedTask:
    """One task. `hours` is None where nobody estimated; `depends` are ids of others."""

    id: str
    text: str
    hours: float | None = None
    role: str = "backend"
    depends: tuple[str, ...] = ()
    done: bool = False


@record
class Group:
    """Tasks that can run at the same time. `hours` is that of the longest, None where none is estimated."""

    tasks: tuple[PlannedTask, ...]

    @property
    def hours(self) -> float | None:
        """The hours of its longest task, None where none is estimated."""
        return max((one.hours for one in self.tasks if one.hours is not None), default=None)

    @property
    def parallel(self) -> bool:
        """Whether it has more than one task."""
        return len(self.tasks) > 1


def planned(brief: str) -> tuple[PlannedTask, ...]:
    """The tasks under the heading Tasks: `- [ ] text #id (3h) @backend depends: #other`. Raises `ValueError` where two
    have one id."""
    found: list[PlannedTask] = []
    for item in section(sections(without_notes(brief)), "tasks"):
        if item.mark == "none" or not item.text.strip():
            continue
        task = task_of(item)
        text = " ".join(_ROLE.sub("", _HOURS.sub("", task.text)).split())
        hours, role = _HOURS.search(item.text), _ROLE.search(item.text)
        name = task.id or slug_of(text.lower())[:40]
        named = role[1].lower() if role and role[1].lower() in AGENTS else role_of(text)
        found.append(
            PlannedTask(name, text, float(hours[1]) if hours else None, named, task.depends, item.mark == "done")
        )
    names = [one.id for one in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two tasks are called #{twice[0]}")
    return tuple(found)


def role_of(text: str) -> str:
    """The role that a task is for, by its words; backend where none says."""
    return next((role for role, words in _WORDS if re.search(rf"\b(?:{words})\b", text.lower())), "backend")


def groups(tasks: Iterable[PlannedTask]) -> tuple[Group, ...]:
    """The tasks in groups: each waits for those before it only. Raises `ValueError` naming a cycle or what is missing.

    A task that waits for one that is not there is refused too: nobody would ever begin it.
    """
    left = {one.id: one for one in tasks}
    for one in left.values():
        if lacks := [name for name in one.depends if name not in left]:
            raise ValueError(f"#{one.id} depends on #{lacks[0]}, which is no task here")
    found: list[Group] = []
    ready: set[str] = set()
    while left:
        now = [one for one in left.values() if ready.issuperset(one.depends)]
        if not now:
            raise ValueError(f"the tasks wait for each other: {' → '.join('#' + name for name in cycle(left))}")
        found.append(Group(tuple(now)))
        for one in now:
            ready.add(one.id)
            del left[one.id]
    return tuple(found)


def cycle(tasks: Mapping[str, PlannedTask]) -> list[str]:
    """The ids of one cycle, its first again at the end. Every task here waits for another one here."""
    name, seen = next(iter(tasks)), list[str]()
    while name not in seen:
        seen.append(name)
        name = next(one for one in tasks[name].depends if one in tasks)
    return [*seen[seen.index(name) :], name]


def hours_of(plan: Iterable[Group]) -> tuple[float, float, int]:
    """(hours side by side, hours one after the other, tasks that nobody estimated)."""
    known = list(plan)
    every = [one for group in known for one in group.tasks]
    return (
        sum(group.hours or 0.0 for group in known),
        sum(one.hours or 0.0 for one in every),
        sum(1 for one in every if one.hours is None),
    )


def agent_for(role: str, installed: Iterable[str]) -> tuple[str, bool]:
    """(agent, whether it is installed): the first choice that is, else the first choice."""
    there = set(installed)
    return next(((name, True) for name in AGENTS[role] if name in there), (AGENTS[role][0], False))
