"""Merging a worktree's branch without touching any work tree: git makes the merged tree, a commit and a ref from it.

Source: workflow orchestrator, parallel implementation: worktrees go into an integration branch, and that one into the
default branch after the gates.
"""

import contextlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cockpit.clock import iso, now, read_iso
from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.files import read_regular, write_atomically
from cockpit.git_command import GitFailed, git
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from cockpit.worktrees.alone import alone
from cockpit.worktrees.cheap import read_cheap
from cockpit.worktrees.measure import divergence, own_objects
from cockpit.worktrees.models import Worktree
from cockpit.worktrees.new import base_of
from cockpit.worktrees.refused import Refused
from cockpit.worktrees.remove import look_at
from cockpit.worktrees.room import Room, sentence
from cockpit.worktrees.trials import trial_merges
from skills.workflow.worktree_setup import branch_name, slug_of

INTEGRATION = "integration/"
_KEPT = 20


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What a merge would do: `source` and `onto` are commits, `old` the target's commit now (None: it is made).

    `commits` are those that come, `files` the files that change; `conflicts` the files in conflict; `refusal` why it
    is not done, "" where it can be.
    """

    tree: Worktree
    branch: str
    into: str
    source: str
    onto: str
    old: str | None
    base: str
    commits: int = 0
    files: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    refusal: str = ""

    @property
    def nothing(self) -> bool:
        """Whether all of it is in the target already."""
        return self.commits == 0


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge that was made: the target's commit before (None: it was made) and after."""

    into: str
    branch: str
    old: str | None
    new: str
    at: datetime | None = None


class Conflicted(Refused):
    """The merge would be in conflict in `files`."""

    def __init__(self, why: str, files: tuple[str, ...]) -> None:
        super().__init__(why)
        self.files = files


def plan_merge(repository: Repository, config: Config, name: str, into: str | None = None) -> MergePlan:
    """What merging the worktree `name` would do. Raises `CannotAnswer` where there is no such worktree or target."""
    tree, _ = look_at(repository, config, name)
    cheap = read_cheap(repository, config.base)
    home = repository.main_root if repository.main_root.is_dir() else repository.root
    source = tree.head
    if source is None or cheap.refs is None:
        raise CannotAnswer(f"{plain_text(name, 80)} has no commits yet", "commit something first")
    branch = tree.branch or tree.name
    target = branch_name(into) if into else INTEGRATION + slug_of(branch)
    ref = f"refs/heads/{target}"
    old = cheap.refs.sha(ref)
    if target == tree.branch:
        raise CannotAnswer(f"{target} is the branch of that worktree itself", "choose another with --into")
    if old is None and not target.startswith(INTEGRATION):
        raise CannotAnswer(f"there is no branch {plain_text(target, 80)!r}", "only integration/… branches are made")
    base, start = base_of(home, cheap, None)
    onto = old or start
    if onto is None:
        raise CannotAnswer("the base branch has no commits yet", "commit something first")
    plan = MergePlan(tree, branch, target, source, onto, old, base)
    plan = replace(plan, commits=divergence(home, onto, source)[0])
    held = next((place for place in cheap.places if place.ref == ref), None)
    if held is not None:
        path = plain_text(held.path)
        plan = replace(
            plan, refusal=f"{target} is checked out in {path}: merge there with git -C {path} merge --no-ff {branch}"
        )
    refusal = plan.refusal or _unfit(tree) or _blocked(repository, plan)
    return _foreseen(repository, home, replace(plan, refusal=refusal))


def _blocked(repository: Repository, plan: MergePlan) -> str:
    """Integration branches take everything; another branch takes nothing that an observer's blocker stands on."""
    if plan.into.startswith(INTEGRATION):
        return ""
    from cockpit.bench.blockers import open_blockers

    found = open_blockers(repository.common_dir, plan.branch)
    return f"{len(found)} open blockers, first {found[0]}; cockpit feature observe" if found else ""


def merge_worktree(repository: Repository, config: Config, name: str, into: str | None = None) -> Merged | None:
    """Merge the worktree's commits with a merge commit. None where there is nothing to merge.

    Raises `Conflicted` with the files, `Refused` where it would leave something out or disturb a work tree,
    `CannotAnswer` where git cannot do it. Then nothing has changed.
    """
    with alone(repository) as room:
        plan = plan_merge(repository, config, name, into)
        if plan.refusal:
            raise Refused(f"{plan.branch} is not merged: {plan.refusal}")
        if plan.nothing:
            return None
        if plan.conflicts:
            raise Conflicted(
                f"{plan.branch} is not merged: it would conflict with {plan.into if plan.old else plan.base}",
                plan.conflicts,
            )
        try:
            return _merge(room, plan)
        except (GitFailed, OSError) as problem:
            raise CannotAnswer(f"{plan.branch} is not merged: {_hinted(problem)}") from None


def _unfit(tree: Worktree) -> str:
    counts = tree.counts
    if tree.problem:
        return f"git cannot tell what is in it: {tree.problem}"
    if tree.operation:
        return f"{tree.operation} in progress there"
    if counts is not None and not counts.clean:
        return f"{tree.why} there would be left out: commit first"
    return ""


def _foreseen(repository: Repository, home: Path, plan: MergePlan) -> MergePlan:
    from cockpit.temporary import temporary_folder

    if plan.nothing:
        return plan
    pair = (plan.onto, plan.source)
    try:
        with temporary_folder("objects") as folder:
            found = trial_merges(home, [pair], own_objects(repository.common_dir, folder))
        changed = git(home, "diff", "--no-ext-diff", "--name-only", "-z", f"{plan.onto}...{plan.source}", "--")
    except GitFailed as problem:
        raise CannotAnswer(f"{plan.branch} cannot be merged: {_hinted(problem)}") from None
    if pair not in found:
        raise CannotAnswer(f"{plan.branch} and {plan.base} have no common past", "merge them by hand")
    files = tuple(plain_text(name, 200) for name in changed.split("\0") if name)
    return replace(plan, conflicts=found[pair].files, files=files)


def _merge(room: Room, plan: MergePlan) -> Merged:
    room.git("var", "GIT_COMMITTER_IDENT")  # nobody: git says so before anything is made
    tree = room.git("merge-tree", "--write-tree", plan.onto, plan.source).split("\n", 1)[0]
    message = f"Merge branch '{plan.branch}' into {plan.into}"
    signed = ["-S"] if _signs(room) else []
    commit = room.git("commit-tree", *signed, tree, "-p", plan.onto, "-p", plan.source, "-m", message).strip()
    ref = f"refs/heads/{plan.into}"
    room.git("update-ref", "--create-reflog", "-m", f"merge {plan.branch}: cockpit", ref, commit, plan.old or "")
    if plan.old is None:
        with contextlib.suppress(GitFailed):  # the branch is whole without it
            room.git("config", f"branch.{plan.into}.cockpit-base", plan.base)
    done = Merged(plan.into, plan.branch, plan.old, commit, now())
    kept = [one for one in read_merges(room.common_dir) if one.into != plan.into or one.new != commit]
    _write(room, [done, *kept][:_KEPT])
    return done


def _signs(room: Room) -> bool:
    try:
        return room.git("config", "--type=bool", "--get", "commit.gpgSign").strip() == "true"
    except GitFailed:
        return False


def _hinted(problem: BaseException) -> str:
    said = sentence(problem)
    if "identity unknown" in said or "ident name" in said or "auto-detect email" in said or "tell me who" in said:
        return "git does not know who you are; set user.name and user.email"
    if "usage: git merge-tree" in said or "--write-tree" in said:
        return "git 2.38 or newer is needed"
    return said


# -- undo --


def read_merges(common_dir: Path) -> list[Merged]:
    """The merges that cockpit made, the last one first."""
    try:
        rows = json.loads(read_regular(_file(common_dir), 1 << 20))["merges"]
        return [_read(row) for row in rows if isinstance(row, dict)]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def undo_merge(room: Room, merge: Merged) -> None:
    """Set the target back to where it was; a branch that the merge made goes. Raises `Refused` where it went on."""
    ref = f"refs/heads/{merge.into}"
    if any(place.ref == ref for place in read_cheap(room.repository, None).places):
        raise Refused(f"{plain_text(merge.into)} is checked out now: undo it there with git reset")
    try:
        if merge.old is None:
            room.git("update-ref", "-d", ref, merge.new)
            with contextlib.suppress(GitFailed):
                room.git("config", "--remove-section", f"branch.{merge.into}")
        else:
            room.git("update-ref", "-m", "undo merge: cockpit", ref, merge.old, merge.new)
    except GitFailed:
        raise Refused(f"{plain_text(merge.into)} went on since that merge: it stays") from None
    _write(room, [one for one in read_merges(room.common_dir) if one != merge])


def _write(room: Room, merges: list[Merged]) -> None:
    rows = [
        {"into": one.into, "branch": one.branch, "old": one.old, "new": one.new, "at": iso(one.at) if one.at else None}
        for one in merges
    ]
    write_atomically(_file(room.common_dir), json.dumps({"version": 1, "merges": rows}, indent=1) + "\n")


def _read(row: dict[str, Any]) -> Merged:
    at = read_iso(row.get("at"))
    old = row.get("old")
    return Merged(str(row["into"]), str(row["branch"]), old if isinstance(old, str) else None, str(row["new"]), at)


def _file(common_dir: Path) -> Path:
    return common_dir / "cockpit" / "merges.json"
