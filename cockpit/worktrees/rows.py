"""What is known of the worktrees after each stage, and the row that comes out of both."""

from dataclasses import field, replace
from datetime import datetime

from cockpit.clock import at_seconds
from cockpit.plain_text import plain_text
from cockpit.worktrees.cheap import Base, Cheap, Place
from cockpit.worktrees.models import Counts, Merged, Worktree
from skills.record import record

_DAY = 86400

Key = tuple[object, ...]


@record
class Survey:
    """What one `for-each-ref` told of all branches: the base in force, upstreams by ref, commit times by
    object id.
    """

    base: Base | None
    upstreams: dict[str, Base]
    committed: dict[str, int]
    trees: dict[str, str]
    note: str = ""
    own_bases: dict[str, Base] = field(default_factory=dict)


@record
class Measured:
    """Stage two of one worktree; None is "could not be told". `seconds` is how long its status took."""

    key: Key
    counts: Counts | None = None
    counted_at: datetime | None = None
    seconds: float = 0.0
    base: str | None = None
    ahead: int | None = None
    behind: int | None = None
    merged: Merged | None = None
    unpushed: int | None = None
    ignored: tuple[str, ...] | None = ()
    problem: str | None = None


def row_of(place: Place, cheap: Cheap, survey: Survey | None, found: Measured | None, now: datetime) -> Worktree:
    """The row of a worktree; what was not measured yet is None in it."""
    own = is_own_base(cheap, place)
    seconds = survey.committed.get(place.head) if survey and place.head else None
    base = cheap.bases[0].name if cheap.bases and not own else None
    row = Worktree(
        name=plain_text(place.name, 200),
        path=place.path,
        branch=plain_text(place.branch, 200) if place.branch else None,
        head=place.head,
        main=place.main,
        own_base=own,
        base=plain_text(base, 200) if base else None,
        committed_at=at_seconds(seconds) if seconds is not None else None,
        stale_days=max(0, int(now.timestamp()) - seconds) // _DAY if seconds is not None else None,
        operation=place.operation,
        rebasing=plain_text(place.rebasing, 200) if place.rebasing else None,
        locked=place.locked,
        lock_reason=plain_text(place.lock_reason, 200) if place.lock_reason else None,
        missing=place.missing,
        problem=plain_text(place.problem, 200) if place.problem else None,
    )
    if found is None:
        return row
    return replace(
        row,
        base=plain_text(found.base, 200) if found.base else None,
        ahead=found.ahead,
        behind=found.behind,
        counts=found.counts,
        counted_at=found.counted_at,
        merged=found.merged,
        unpushed=found.unpushed,
        ignored=found.ignored,
        problem=plain_text(found.problem, 200) if found.problem else None,
    )


def is_own_base(cheap: Cheap, place: Place) -> bool:
    """Whether a base branch itself is checked out there."""
    return place.ref is not None and any(place.ref == base.ref for base in cheap.bases)


def has_work(place: Place, row: Measured | None) -> bool:
    """Whether the worktree has commits that somebody will want to merge."""
    return bool(row and not place.missing and row.ahead and row.merged not in ("ancestor", "squash"))


def nothing_of_its_own(place: Place, row: Measured) -> bool:
    """Whether only its ignored files could still be lost with the worktree."""
    return row.merged in ("ancestor", "squash") if place.ref else row.unpushed == 0
