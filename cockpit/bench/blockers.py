"""Open blockers of the observers, read for whoever is about to share work: a merge, the end of the day."""

from collections.abc import Iterator
from pathlib import Path

from cockpit.bench.records import read_records
from cockpit.plain_text import plain_text


def open_blockers(common_dir: Path, branch: str = "") -> list[str]:
    """What stands open in the features that are worked on, as one line each; of one branch only where it is named.

    A feature's own integration branch and the work tree that it began in hold the blockers of all its worktrees.
    """
    found = []
    for row in read_records(common_dir, "feature").values():
        if row.get("ended") or row.get("abandoned"):
            continue
        whole = branch in ("", f"integration/{row.get('id')}", f"feature/{row.get('id')}")
        for one in _rows(row.get("alerts")):
            alert = one.get("alert")
            if not isinstance(alert, dict) or one.get("state") != "OPEN" or alert.get("severity") != "BLOCKER":
                continue
            if whole or one.get("by") == branch:
                said = f"{alert.get('path')}:{alert.get('line')} {alert.get('what')} ({one.get('by')})"
                found.append(plain_text(said, 200))
    return found


def _rows(value: object) -> Iterator[dict[str, object]]:
    for row in value if isinstance(value, list) else ():
        if isinstance(row, dict):
            yield row
