"""Coverage of the tests: what a report of coverage.py says, and whether it is enough for the profile."""

from collections.abc import Iterator
from typing import Any

from skills.gates.engine.fingerprints import on_line
from skills.gates.model import Candidate, CoverageReport, FileCoverage, FileReport
from skills.gates.profiles import PROFILES, component_of
from skills.gates.project import Project
from skills.gates.rule import Example, Rule

NAME = "missing-coverage"
_NOT_COUNTED = frozenset({"test", "migration"})
_MOST_RANGES = 4


def parse_coverage(text: str | bytes, path: str = "coverage.json") -> CoverageReport:
    """The report that `coverage json` writes. Raises `ValueError` where it is none."""
    try:
        import json  # few runs have a report, and a hook feels the import

        document = json.loads(text)
        files = document["files"]
        return CoverageReport(path, {str(name).replace("\\", "/"): _file(row) for name, row in files.items()})
    except (KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise ValueError(f"not a report of coverage ({type(problem).__name__})") from None


def _file(row: dict[str, Any]) -> FileCoverage:
    summary = row["summary"]
    statements, covered = int(summary["num_statements"]), int(summary["covered_lines"])
    missing = tuple(sorted(int(line) for line in row.get("missing_lines") or ()))
    return FileCoverage(max(0, statements), max(0, min(covered, statements)), missing)


def _blind(project: Project) -> str | None:
    report = project.coverage
    if report is None:
        return "no coverage.json: cockpit check --tools pytest, or coverage run and coverage json"
    if not report.outdated and not any(found.statements for found in report.files.values()):
        return f"{report.path} measured no statement: run the tests again, with the project's code as its source"
    return report.outdated or None


Counted = list[tuple[FileReport, FileCoverage]]


def _survey(project: Project) -> Iterator[tuple[FileReport, Candidate]]:
    if project.coverage is None or project.coverage.outdated:
        return
    profile = PROFILES.get(project.options.profile, PROFILES["default"])
    counted: Counted = [
        (report, found)
        for report in project.reports
        if report.role not in _NOT_COUNTED
        and (found := project.coverage.files.get(report.path)) is not None
        and found.statements
    ]
    if profile.per_file is not None:
        for report, found in counted:
            if _percent([(report, found)]) < profile.per_file:
                yield _found([(report, found)], report.path, "the file", profile.per_file)
    for component, wanted in (profile.components or {}).items():
        part = [pair for pair in counted if component_of(pair[0].path, pair[0].role) == component]
        if part and _percent(part) < wanted:
            yield _found(part, component, component, wanted)
    if profile.overall is not None and counted and _percent(counted) < profile.overall:
        yield _found(counted, "project", "the project", profile.overall)


def _percent(counted: Counted) -> float:
    return 100.0 * sum(found.covered for _, found in counted) / sum(found.statements for _, found in counted)


def _found(counted: Counted, scope: str, what: str, wanted: float) -> tuple[FileReport, Candidate]:
    """The finding about a part of the project, at the file of it that lacks most."""
    report, worst = max(counted, key=lambda pair: (pair[1].statements - pair[1].covered, pair[0].path))
    line = worst.missing[0] if worst.missing else 1
    lacks = worst.statements - worst.covered
    of_it = f"; here {lacks} of {worst.statements} statements are not run" if len(counted) > 1 else ""
    share = int(_percent(counted) * 10) / 10  # never rounded up to what is asked for
    message = f"tests cover {share:g} % of {what}, {wanted:g} % is asked for{of_it}"
    if worst.missing:
        message += f": lines {_ranges(worst.missing)}"
    return report, on_line(NAME, report.path, line, message, text="", scope=scope)


def _ranges(lines: tuple[int, ...]) -> str:
    """Lines as ranges, the first few: "3-5, 9"."""
    ranges: list[list[int]] = []
    for line in lines:
        if ranges and line == ranges[-1][1] + 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    words = [str(first) if first == last else f"{first}-{last}" for first, last in ranges[:_MOST_RANGES]]
    return ", ".join(words) + (", …" if len(ranges) > _MOST_RANGES else "")


_FILES = {
    "apps/billing/services.py": "def total(order):\n    if order.paid:\n        return 0\n    return order.sum\n",
    "tests/test_total.py": "def test_total(order):\n    assert total(order)\n",
}
_BAD = (
    '{"files": {"apps/billing/services.py": {"summary": {"num_statements": 4, "covered_lines": 3},'
    ' "missing_lines": [3]}}}'
)
_GOOD = _BAD.replace('"covered_lines": 3', '"covered_lines": 4').replace("[3]", "[]")

RULES = (
    Rule(
        name=NAME,
        gate="P1",
        severity="MEDIUM",
        skill="django-testing-patterns",
        sources=("BN-S6", "PB-DT1", "PB-T1"),
        catches="Tests that run fewer statements of the project, a component or a file than the profile asks for.",
        why="What no test runs is changed in the dark; a number per component shows where.",
        fix="Write a test for the lines named, or take out what nobody calls.",
        when="The project has tests, and a coverage.json that is newer than the sources it is about.",
        watches=(),
        bad=(Example(_FILES, coverage=_BAD),),
        good=(Example(_FILES, coverage=_GOOD),),
        applies=Project.why_no_tests,
        survey=_survey,
        blind=_blind,
        required=False,
    ),
)
