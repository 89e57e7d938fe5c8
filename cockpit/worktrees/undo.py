"""Taking back the last thing that cockpit did to worktrees: a removal or a merge."""

from dataclasses import dataclass

from cockpit.errors import CannotAnswer
from cockpit.git_command import GitFailed
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from cockpit.worktrees.alone import alone
from cockpit.worktrees.merge import Merged, read_merges, undo_merge
from cockpit.worktrees.remove import find_trashed
from cockpit.worktrees.room import sentence
from cockpit.worktrees.trash import Trashed, bring_back, read_trash


@dataclass(frozen=True, slots=True)
class Undone:
    """What was taken back: a removal or a merge, and what a person should know about it."""

    removal: Trashed | None = None
    merge: Merged | None = None
    notes: tuple[str, ...] = ()


def undo_last(repository: Repository, name: str | None = None) -> Undone:
    """Take back the last removal or merge, or the last one of `name` (a worktree, or the branch merged into).

    Raises `Refused` where something else stands in its place, `CannotAnswer` where there is nothing to take back.
    """
    with alone(repository) as room:
        trash, merges = read_trash(repository.common_dir), read_merges(repository.common_dir)
        merge = next((one for one in merges if name in (None, one.into)), None)
        if merge is not None and (name is not None or _later(merge, trash)):
            undo_merge(room, merge)
            return Undone(merge=merge)
        thing = find_trashed(trash, name)
        try:
            return Undone(removal=thing, notes=bring_back(room, thing))
        except (GitFailed, OSError) as problem:
            raise CannotAnswer(f"{plain_text(thing.name)} cannot be brought back: {sentence(problem)}") from None


def _later(merge: Merged, trash: list[Trashed]) -> bool:
    newest = trash[0].at if trash else None
    return newest is None or (merge.at is not None and merge.at > newest)
