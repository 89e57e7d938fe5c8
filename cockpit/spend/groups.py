"""What the rows of `cockpit spend --by …` stand for."""

from collections.abc import Callable, Hashable
from typing import TypeVar

from cockpit.spend.calendar import TIME_GROUPS, Calendar
from cockpit.spend.places import UNATTRIBUTED, Places
from cockpit.spend.sums import Cell
from skills.spending.work import work_of

K = TypeVar("K", bound=Hashable)
KeyOf = Callable[[Cell], K]

SHARED = ("branch", "feature", "task", "commit", "repo")  # groups that some responses belong to none of


def key_of(by: str, calendar: Calendar, places: Places) -> KeyOf[str]:
    """Names the row of `cockpit spend --by BY` that a cell belongs to."""
    if by in TIME_GROUPS:
        index, labels = TIME_GROUPS.index(by), calendar.of_quarter
        return lambda cell: labels(cell.quarter)[index]
    makers: dict[str, KeyOf[str]] = {
        "total": lambda _cell: "total",
        "agent": lambda cell: cell.origin.agent,
        "model": lambda cell: cell.origin.model,
        "session": lambda cell: cell.origin.session or UNATTRIBUTED,
        "branch": lambda cell: cell.origin.branch or UNATTRIBUTED,
        "feature": lambda cell: feature_of(cell.origin.branch),
        "task": lambda cell: cell.origin.task or work_of(cell.origin.branch),
        "category": lambda cell: cell.origin.category,
        "repo": lambda cell: places.name_of(cell.origin.cwd),
    }
    return makers[by]


def feature_of(branch: str) -> str:
    """The feature that work on `branch` belongs to: the branch itself; a detached head belongs to none."""
    return UNATTRIBUTED if branch in ("", "HEAD") else branch
