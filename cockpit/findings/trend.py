"""The share of checked places that hold, day by day, in the state folder.

A place is what a person would call one: a function, a class, or the module level of a file. It is checked where its
file could be judged, and it holds where no rule of P1 finds anything in it that no comment silences; what a baseline
accepts does not hold. One row a day and repository: the last complete check of the day.
"""

import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from hashlib import blake2b
from pathlib import Path

from cockpit.clock import now
from cockpit.files import locked, write_atomically
from cockpit.findings.models import TrendPoint
from cockpit.paths import state_dir
from cockpit.repository import Repository
from skills.gates.model import FileReport, Finding

MOST_DAYS = 400
_PATIENCE = 1.0


def compliance(
    reports: Mapping[str, FileReport], findings: Iterable[Finding], rules: Iterable[str]
) -> tuple[int, int, dict[str, int]]:
    """(places, those that hold, those that do not by rule). `rules` are cockpit's own: what other tools say depends on
    which are installed."""
    own = set(rules)
    judged = {name: report.places for name, report in reports.items() if report.problem is None}
    broken = {
        (finding.rule, finding.path, finding.symbol)
        for finding in findings
        if finding.gate == "P1" and finding.rule in own and finding.suppressed is None and finding.path in judged
    }
    places = sum(judged.values())
    by_rule = Counter(rule for rule, _, _ in broken)
    held = max(0, places - len({(path, symbol) for _, path, symbol in broken}))
    return places, held, dict(sorted(by_rule.items()))


def read_trend(repository: Repository | Path) -> tuple[TrendPoint, ...]:
    """The rows of a repository (or of a root outside git), oldest first; none where none could be read."""
    return _read(_path(repository))[0]


def _read(path: Path) -> tuple[tuple[TrendPoint, ...], bool]:
    """The rows of a file, and whether all that it holds was read."""
    try:
        rows = json.loads(path.read_bytes())["days"].items()
    except FileNotFoundError:
        return (), True
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return (), False
    points = []
    for day, row in rows:
        with contextlib.suppress(
            ValueError, TypeError, AttributeError, OverflowError
        ):  # one bad row costs that day only
            points.append(_point(day, *row))
    return tuple(sorted(points, key=lambda point: point.date)[-MOST_DAYS:]), len(points) == len(rows)


def _point(day: str, places: int, held: int, broken: dict[str, int] | None = None) -> TrendPoint:
    by_rule = None if broken is None else {str(rule): int(count) for rule, count in broken.items()}
    return TrendPoint(date.fromisoformat(day), int(places), int(held), by_rule)


def with_today(
    known: tuple[TrendPoint, ...], places: int, holding: int, broken: Mapping[str, int] | None = None
) -> tuple[TrendPoint, ...]:
    """The rows with today's in the place of an earlier one of today; unchanged where nothing was checked."""
    if not places:
        return known
    point = TrendPoint(now().astimezone().date(), places, holding, broken)
    return (*(one for one in known if one.date != point.date), point)[-MOST_DAYS:]


def write_trend(repository: Repository | Path, points: tuple[TrendPoint, ...]) -> tuple[TrendPoint, ...]:
    """Keep the rows, of which the last is today's, and answer all that are kept.

    What another process wrote of other days meanwhile stays; a file that cannot be read is kept beside it. A state
    folder that cannot be written loses the trend and nothing else.
    """
    path = _path(repository)
    with contextlib.suppress(OSError), locked(path.with_suffix(".lock"), _PATIENCE):
        found, whole = _read(path)
        if not whole:
            path.replace(path.with_suffix(".broken"))
        days = {one.date: one for one in (*points[:-1], *found, *points[-1:])}
        points = tuple(days[day] for day in sorted(days))[-MOST_DAYS:]
        rows = {
            one.date.isoformat(): [one.places, one.holding, *([] if one.broken is None else [dict(one.broken)])]
            for one in points
        }
        write_atomically(path, json.dumps({"version": 1, "days": rows}) + "\n", mode=0o600)
    return points


def _path(repository: Repository | Path) -> Path:
    place = repository if isinstance(repository, Path) else repository.common_dir
    name = blake2b(os.fsencode(os.path.realpath(place)), digest_size=12).hexdigest()
    return state_dir() / "trend" / f"{name}.json"
