"""Features as files: brief, contract, plan, worktrees with their task sheets; and the state that gates belong to."""

import contextlib
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

from cockpit.bench.shared import create, home_of, keep, keep_block, named, one_writer, recorded, stepped, text_of
from cockpit.clock import iso, now
from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.git_command import GitFailed, git
from cockpit.plain_text import plain_text
from cockpit.repository import Repository, find_repository
from cockpit.verify.change import Change, read_change
from skills.record import record
from skills.workflow.contract import Contract, parse_contract
from skills.workflow.feature import Feature, MadeWorktree
from skills.workflow.feature_plan import Group, PlannedTask, agent_for, groups, planned
from skills.workflow.feature_text import brief, contract, sheet
from skills.workflow.worktree_setup import TASK_FILE, free_pairs, slug_of

KIND = "feature"
OWN = tuple(
    f":(exclude){name}"
    for name in (".claude", "BRIEF.md", "RESEARCH.md", "FINDINGS.md", TASK_FILE,
                 *(f"docs/{folder}" for folder in ("features", "research", "costs", "decisions", "debug")))
)  # fmt: skip
"""Files of the workbench itself: writing them changes no state that a gate was judged at."""

_TICK = re.compile(r"\[[xX]\]")


@record
class Proposal:
    """A worktree that a task could have: branch, ports that are free now, agent and whether it is installed."""

    task: PlannedTask
    branch: str
    ports: tuple[int, ...]
    agent: str
    installed: bool
    there: bool = False


def features(repository: Repository) -> list[Feature]:
    """Every feature of the repository, the oldest first."""
    return sorted(recorded(repository, KIND, Feature), key=lambda one: one.begun)


def open_feature(repository: Repository, name: str = "") -> Feature:
    """The feature `name` (its id, or words of its title), else the one of this work tree, else the newest open one.

    Raises `CannotAnswer` where there is none.
    """
    known = named(features(repository), name)
    if not known:
        what = f"there is no feature {plain_text(name, 60)!r}" if name else "no feature is open here"
        raise CannotAnswer(what, "cockpit feature new TITLE")
    here = os.path.realpath(repository.root)
    own = [one for one in known if any(os.path.realpath(tree.path) == here for tree in one.worktrees)]
    return (own or known)[-1]


def new_feature(repository: Repository, title: str, *, priority: str, link: str, days: float | None) -> Feature:
    """Begin a feature with its BRIEF.md and CONTRACT.md; files that exist are left alone. Raises `CannotAnswer`."""
    root = repository.root
    with one_writer(repository, KIND):
        taken, slug = {one.id for one in features(repository)}, slug_of(title.lower())
        name = next(one for one in (slug, *(f"{slug}-{n}" for n in range(2, 1000))) if one not in taken)
        title = plain_text(title, 120)
        own = f"docs/features/{name}"
        first = create(root, ["BRIEF.md", f"{own}/BRIEF.md"], lambda _: brief(title, priority, link, days))
        second = create(root, [".claude/CONTRACT.md", f"{own}/CONTRACT.md"], lambda _: contract(title))
        feature = Feature(name, title, iso(now()), first, second, str(root), _head(root), priority)
        keep(repository, KIND, feature)
    return feature


def change(repository: Repository, name: str, step: Callable[[Feature], Feature]) -> Feature:
    """Apply one step to a feature and write it. Raises `CannotAnswer`."""
    with one_writer(repository, KIND):
        known = open_feature(repository, name)
        feature = stepped(known, step, closed="the feature is closed", begin="cockpit feature new TITLE")
        keep(repository, KIND, feature)
    return feature


def texts(repository: Repository, feature: Feature) -> tuple[str, str, Contract]:
    """(brief, contract as text, contract as read)."""
    home = home_of(repository, feature)
    agreed = text_of(home, feature.contract)
    return text_of(home, feature.brief), agreed, parse_contract(agreed)


def plan(repository: Repository, name: str) -> tuple[Feature, tuple[Group, ...]]:
    """Read the tasks of the brief into the feature; its groups. Raises `CannotAnswer` for a cycle and for no task."""

    def step(feature: Feature) -> Feature:
        tasks = planned(texts(repository, feature)[0])
        if not tasks:
            raise ValueError(f"{feature.brief} has no tasks: - [ ] text #id (3h) @backend depends: #other")
        groups(tasks)
        return replace(feature, tasks=tasks)

    feature = change(repository, name, step)
    return feature, groups(feature.tasks)


def proposals(repository: Repository, feature: Feature, plan: Iterable[Group]) -> list[Proposal]:
    """What the first group with open tasks needs: a worktree for each, each with a port pair of its own."""
    from cockpit.agents.installed import installed_agents
    from cockpit.worktrees.registry import is_free, read_registry_file

    group = next((one for one in plan if any(not task.done for task in one.tasks)), None)
    if group is None:
        return []
    registry = read_registry_file()
    first, last = registry.pool()
    pairs = (pair for pair in free_pairs(registry.taken(), first, last) if all(map(is_free, pair)))
    installed = [one.name for one in installed_agents(repository.root)]
    found = []
    for task in group.tasks:
        if task.done:
            continue
        made = next((one for one in feature.worktrees if one.task == task.id and Path(one.path).is_dir()), None)
        agent, there = agent_for(task.role, installed)
        ports = made.ports if made else next(pairs, ())
        branch = made.branch if made else f"feature/{feature.id}-{slug_of(task.id.lower())}"
        found.append(Proposal(task, branch, ports, agent, there, made is not None))
    return found


def make(
    repository: Repository, config: Config, feature: Feature, proposed: Iterable[Proposal], tell: Callable[[str], None]
) -> Feature:
    """Make the worktrees that are proposed and not there; each is noted as soon as it stands. Raises `CannotAnswer`.

    A task that waits for others begins with their work, where a branch integration/… holds it.
    """
    from cockpit.worktrees.cheap import read_cheap
    from cockpit.worktrees.merge import INTEGRATION
    from cockpit.worktrees.new import make_new
    from cockpit.worktrees.refused import Refused

    inside = texts(repository, feature)[2].inside
    merged = f"{INTEGRATION}{feature.id}"
    known = read_cheap(repository, config.base).refs
    begin = merged if known is not None and known.sha(f"refs/heads/{merged}") else None
    for one in proposed:
        if one.there:
            continue
        try:
            base = begin if one.task.depends else None
            made = make_new(repository, config, one.branch, base=base, task=one.task.text, tell=tell)
        except Refused as problem:
            raise CannotAnswer(str(problem)) from None
        noted = MadeWorktree(one.task.id, one.branch, str(made.path), made.ports, one.agent)
        feature = change(repository, feature.id, lambda it, noted=noted: _with_tree(it, noted))  # type: ignore[misc]
        keep_block(made.path, TASK_FILE, feature.id, sheet(feature, one.task, one.agent, made.ports, inside))
    return feature


def _with_tree(feature: Feature, made: MadeWorktree) -> Feature:
    others = tuple(one for one in feature.worktrees if one.task != made.task)
    return replace(feature, worktrees=(*others, made))


def trees(repository: Repository, feature: Feature) -> list[tuple[str, Repository, str | None]]:
    """(name, repository, what it is compared with) of every work tree that belongs to the feature and is there.

    The one that is asked belongs to it where no worktree was made, or where a branch of its own is checked out.
    """
    found: list[tuple[str, Repository, str | None]] = []
    here = os.path.realpath(repository.root)
    for made in feature.worktrees:
        if Path(made.path).is_dir():
            with contextlib.suppress(CannotAnswer):
                found.append((made.branch, find_repository(Path(made.path)), None))
    base = _own_base(repository, feature)
    if not any(os.path.realpath(place.root) == here for _, place, _ in found) and (not found or base is None):
        found.insert(0, ("here", repository, base))
    return found


def _own_base(repository: Repository, feature: Feature) -> str | None:
    """What this work tree is compared with: where the feature began on the default branch, else that branch (None)."""
    from cockpit.worktrees.cheap import read_cheap

    try:
        branch = git(repository.root, "symbolic-ref", "--quiet", "--short", "HEAD").strip()
    except GitFailed:
        branch = ""
    on_default = branch in ("", read_cheap(repository, None).default_branch)
    return feature.start or None if on_default else None


def own_change(repository: Repository, feature: Feature) -> Change:
    """What the feature changed in this work tree."""
    return read_change(repository, _own_base(repository, feature))


def changes(repository: Repository, feature: Feature) -> dict[str, Change]:
    """The change of every work tree of the feature, by its name."""
    return {name: read_change(place, base) for name, place, base in trees(repository, feature)}


def stamps(repository: Repository, feature: Feature) -> dict[str, str]:
    """The state that each gate is judged at. A gate whose state is another one has not run."""
    first, second, _ = texts(repository, feature)
    agreed = _digest(_TICK.sub("[ ]", first), second)  # what is ticked off changes no agreement
    states = [f"{name}={state_of(place.root)}" for name, place, _ in trees(repository, feature)]
    here = state_of(repository.root)
    schema = [
        f"{path}={_digest(text_of(place.root, path) if (place.root / path).is_file() else '')}"
        for _, place, base in trees(repository, feature)
        for path in schema_paths(read_change(place, base).paths)
    ]
    return {
        "contract": agreed,
        "schema": _digest(*sorted(set(schema))),
        "parallel": _digest(agreed, *states),
        "security": here,
        "quality": here,
        "ship": here,
    }


def schema_paths(paths: Iterable[str]) -> list[str]:
    """The files of a change that define the database."""
    ends = (".sql", "models.py", ".prisma")
    return [path for path in paths if "/migrations/" in f"/{path}" or "/models/" in path or path.endswith(ends)]


def state_of(root: Path) -> str:
    """A digest of what is checked out, uncommitted changes and new files included; the files of the process do not
    count."""
    try:
        head = _head(root)
        diff = git(root, "diff", "--no-ext-diff", "--no-textconv", "--binary", "HEAD", "--", ".", *OWN) if head else ""
        new = git(root, "ls-files", "-z", "-o", "--exclude-standard", "--", ".", *OWN).split("\0")
    except GitFailed as problem:
        raise CannotAnswer(f"{plain_text(root, 120)}: {plain_text(problem.line, 120)}") from None
    marks = []
    for name in filter(None, new):
        with contextlib.suppress(OSError):
            there = (root / name).stat()
            marks.append(f"{name}:{there.st_size}:{there.st_mtime_ns}")
    return _digest(head, diff, *marks)


def _head(root: Path) -> str:
    try:
        return git(root, "rev-parse", "--verify", "--quiet", "HEAD").strip()
    except GitFailed:
        return ""


def _digest(*texts: str) -> str:
    return blake2b("\0".join(texts).encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
