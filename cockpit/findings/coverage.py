"""The newest report of coverage: the project's own coverage.json, or the one of a run of the tests from here."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

from cockpit.errors import reason_of
from cockpit.files import read_regular
from cockpit.findings.discovery import NOT_SEEN, FileMark, look
from cockpit.paths import state_dir
from cockpit.plain_text import plain_text
from skills.counted import counted
from skills.gates.model import CoverageReport

NAMES = ("coverage.json", ".coverage.json")
_LARGEST = 100_000_000


def own_report(root: Path) -> Path:
    """Where a run of the tests from here leaves its report: in the state folder, never in the repository."""
    name = blake2b(os.fsencode(os.path.realpath(root)), digest_size=12).hexdigest()
    return state_dir() / "coverage" / f"{name}.json"


def read_coverage(root: Path, files: Mapping[str, FileMark]) -> CoverageReport | None:
    """The newest report, None where there is none. One that is broken or older than a source says so in `outdated`."""
    found: list[tuple[int, Path]] = []
    for path in (*(root / name for name in NAMES), own_report(root)):
        try:
            found.append((path.stat().st_mtime_ns, path))
        except OSError:
            continue
    if not found:
        return None
    written, path = max(found)
    shown = "the last run of the tests" if path == own_report(root) else path.name
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("larger than 100 MB")
        from skills.gates.testing.coverage import parse_coverage

        report = parse_coverage(read_regular(path), shown)
    except (OSError, ValueError) as problem:
        return CoverageReport(shown, outdated=f"{shown} cannot be read: {plain_text(reason_of(problem), 120)}")
    report = replace(report, files={_relative(name, root): found for name, found in report.files.items()})
    later = sorted(name for name in report.files if name in files and _changed_ns(root, name, files[name]) > written)
    if later:
        return replace(report, outdated=older(shown, later))
    return report


def _changed_ns(root: Path, name: str, mark: FileMark) -> int:
    seen = look(root, name)[0] if mark == NOT_SEEN else mark
    return seen.mtime_ns if seen is not None else 0


def older(report: str, later: Sequence[str]) -> str:
    """Why a report says nothing any more: which files are newer, the first by name."""
    more = f" and {counted(len(later) - 1, 'more file')}" if len(later) > 1 else ""
    return f"{report} is older than {plain_text(later[0], 120)}{more}: run the tests again"


def _relative(name: str, root: Path) -> str:
    for place in (str(root), os.path.realpath(root)):
        if name.startswith(place + "/"):
            return name[len(place) + 1 :]
    return name.removeprefix("./")
