"""Removing a worktree so that nothing is lost."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.git_command import GitFailed
from cockpit.phases.store import read_sessions
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from cockpit.worktrees.alone import alone
from cockpit.worktrees.cheap import Place
from cockpit.worktrees.judgement import with_presence
from cockpit.worktrees.mend import admin_of
from cockpit.worktrees.models import Worktree, WorktreesSnapshot
from cockpit.worktrees.processes import processes_in
from cockpit.worktrees.reader import Reader
from cockpit.worktrees.refused import Refused
from cockpit.worktrees.room import Room, sentence
from cockpit.worktrees.trash import Trashed, read_trash, throw_away, throw_into
from skills.workflow.worktree_setup import slug_of


@dataclass(frozen=True, slots=True)
class RemovalPlan:
    """What removing a worktree means: `safe` says that nothing can be lost, `why` the reason for that answer.

    `forbidden` is why it is not removed even when asked to: somebody works there, or git cannot tell.
    """

    tree: Worktree
    place: Place
    safe: bool
    why: str
    forbidden: str = ""


def find_worktree(snapshot: WorktreesSnapshot, name: str) -> Worktree:
    """The worktree of that name, branch, path or folder name. Raises `CannotAnswer` for none or several."""
    trees = snapshot.worktrees
    with contextlib.suppress(OSError, RuntimeError):
        real = Path(name).expanduser().resolve()
        if found := [tree for tree in trees if Path(tree.path).resolve() == real]:
            return found[0]
    for matches in (
        [tree for tree in trees if name == tree.branch],
        [tree for tree in trees if name == tree.name],
        [tree for tree in trees if slug_of(name) in (slug_of(tree.name), slug_of(tree.branch or ""))],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise CannotAnswer(f"{plain_text(name, 80)!r} names {len(matches)} worktrees", "give the path")
    raise CannotAnswer(f"there is no worktree {plain_text(name, 80)!r}", "cockpit worktree list shows them")


def look_at(repository: Repository, config: Config, name: str) -> tuple[Worktree, Place]:
    """One worktree with everything that git can tell about it now, its agent included. Raises `CannotAnswer`."""
    with contextlib.closing(Reader(repository, config)) as reader:
        cheap = reader.scan()
        survey = reader.survey(cheap)
        bare = find_worktree(reader.snapshot(cheap, survey, {}, frozenset()), name)
        place = next(place for place in cheap.places if place.path == bare.path)
        measured = reader.measure(cheap, survey, place, None, True)
        snapshot = reader.snapshot(cheap, survey, {place.path: measured}, frozenset())
    joined = with_presence(snapshot, read_sessions(repository))
    return next(tree for tree in joined.worktrees if tree.path == place.path), place


def plan_removal(repository: Repository, config: Config, name: str) -> RemovalPlan:
    """Whether the worktree can go, and why. Raises `CannotAnswer` where there is none of that name."""
    tree, place = look_at(repository, config, name)
    plan = RemovalPlan(tree, place, tree.safe_to_remove, tree.why)
    if tree.main:
        return replace(plan, safe=False, forbidden="it is the main work tree")
    if tree.problem:
        return replace(plan, safe=False, forbidden=f"git cannot tell what is in it: {tree.problem}")
    if tree.agent:
        waits = f" and waits: {tree.agent.waiting_for}" if tree.agent.waiting_for else ""
        return replace(plan, safe=False, forbidden=f"{tree.agent.agent} is {tree.agent.state} there{waits}")
    if not tree.missing:
        living = processes_in(tree.path)
        if living is None:
            return replace(plan, safe=False, why="not known whether a process works there (install lsof)")
        if living:
            more = f" and {len(living) - 2} more" if len(living) > 2 else ""
            return replace(plan, safe=False, forbidden=f"{', '.join(living[:2])}{more} works there: end it first")
    return plan


def remove_worktree(repository: Repository, config: Config, name: str, *, force: bool = False) -> Trashed:
    """Move a worktree into the trash, where `undo_last` finds it.

    Raises `Refused` where something could be lost (unless `force`) or somebody works there, `CannotAnswer` where git
    cannot tell or the move fails: then it is where it was.
    """
    with alone(repository) as room:
        return remove_in(room, config, name, force=force)


def remove_in(room: Room, config: Config, name: str, *, force: bool) -> Trashed:
    """`remove_worktree` for one who holds the lock."""
    plan = plan_removal(room.repository, config, name)
    tree = plan.tree
    shown = plain_text(tree.label)
    if plan.forbidden:
        raise Refused(f"{shown} is not removed: {plan.forbidden}")
    if not plan.safe and not force:
        raise Refused(f"{shown} is not safe to remove: {plan.why}", forceable=True)
    admin = admin_of(room.common_dir, Path(tree.path)) or plan.place.git_dir
    if admin.parent != room.common_dir / "worktrees":
        raise CannotAnswer(f"{shown}: git's folder of it is not where it should be", "git worktree repair")
    try:
        return throw_into(room, plan.place.name, Path(tree.path), admin, plan.place.ref, tree.head, plan.why)
    except (GitFailed, OSError) as problem:
        raise CannotAnswer(f"{shown} is not removed: {sentence(problem)}", "it is as it was") from None


def empty_trash(repository: Repository, keys: list[str]) -> None:
    """Delete these removed worktrees for good: the only deletion that nothing takes back."""
    with alone(repository) as room:
        for thing in read_trash(repository.common_dir):
            if thing.key in keys:
                try:
                    throw_away(room, thing)
                except (GitFailed, OSError) as problem:
                    raise CannotAnswer(f"{plain_text(thing.key)} is not deleted: {sentence(problem)}") from None


def find_trashed(trash: list[Trashed], name: str | None) -> Trashed:
    """The last removed worktree of that name, branch or path. Raises `CannotAnswer`."""
    if not trash:
        raise CannotAnswer("nothing was removed: there is nothing to bring back")
    if name is None:
        return trash[0]
    tests: tuple[Callable[[Trashed], bool], ...] = (
        lambda one: name == one.key,
        lambda one: name in (one.name, one.branch, one.path),
        lambda one: slug_of(name) in (slug_of(one.name), slug_of(one.branch or "")),
    )
    for fits in tests:
        found = next((one for one in trash if fits(one)), None)
        if found is not None:
            return found
    raise CannotAnswer(f"the trash holds no worktree {plain_text(name, 80)!r}", "cockpit worktree trash lists them")
