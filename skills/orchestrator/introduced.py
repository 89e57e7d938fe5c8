"""Which edit brought a line into a file: the newest one that put it there where it was not before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_LEAST = 4  # letters or digits that a line needs to be told from others by itself


@dataclass(frozen=True, slots=True)
class Change:
    """One edit of the file: what stood there (`old`; None: the whole file was written) and what came. `key` is the
    caller's name for it."""

    key: int
    old: str | None
    new: str


@dataclass(frozen=True, slots=True)
class Introduction:
    """The edit that brought the line. `sure` is False where the line alone would fit several places."""

    key: int
    sure: bool


def introduced_by(line: str, around: Sequence[str], changes: Iterable[Change]) -> Introduction | None:
    """Who brought `line`, among the edits of its file from the oldest to the newest; None: none of them.

    `around` are the lines next to it: an edit that has one of them too is preferred, and a line that says little
    (a bracket, `return`) needs one.
    """
    wanted = _bare(line)
    if not wanted:
        return None
    near = {bare for one in around if (bare := _bare(one)) and bare != wanted}
    telling = sum(character.isalnum() for character in wanted) >= _LEAST
    held: Introduction | None = None
    for change in changes:
        after = [_bare(one) for one in change.new.split("\n")]
        if wanted not in after:
            if held is not None and change.old is not None and _gone(change, wanted, held):
                held = None
            continue
        known = bool(near & set(after)) or not near
        if change.old is not None and wanted in (_bare(one) for one in change.old.split("\n")):
            continue  # it only moved or stayed
        if not (known or telling):
            continue
        if held is not None and (change.old is None or (held.sure and not known)):
            continue  # the file was written again with the line in it, or another place has the same line
        held = Introduction(change.key, known)
    return held


def _gone(change: Change, wanted: str, held: Introduction) -> bool:
    return held is not None and wanted in (_bare(one) for one in (change.old or "").split("\n"))


def _bare(line: str) -> str:
    return " ".join(line.split())
