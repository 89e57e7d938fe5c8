"""Planning the fixes of findings: a patch for each file, which nothing writes until it is applied."""

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import field
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread

from cockpit.errors import CannotAnswer
from cockpit.findings.line_limit import line_limit
from cockpit.findings.patch import Patch, apply_patch, encoding_of, physical_lines, read_source, unified_diff
from cockpit.plain_text import plain_text
from skills.gates.fixes import fix
from skills.gates.model import Finding
from skills.record import record

__all__ = ["FixPlan", "Patch", "apply_patch", "plan_each", "plan_fix", "plan_fixes"]

MANY_FILES = 12


@record
class FixPlan:
    """What can be fixed: one patch a file, the fingerprints that the patches mend (by path), and why each of the
    others has no fix (fingerprint → reason)."""

    patches: tuple[Patch, ...] = ()
    fixed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)


@record
class _Planned:
    patch: Patch | None
    fixed: frozenset[str]
    refused: Mapping[str, str]


def plan_fix(root: Path, finding: Finding) -> Patch:
    """The change that mends one finding, tried before it is offered: afterwards the rule is quiet there and no rule
    says anything new. Raises `CannotAnswer` with the reason where there is none."""
    planned = _plan_file(root, finding.path, [finding])
    if planned.patch is None:
        why = planned.refused.get(finding.fingerprint, "nothing would change")
        raise CannotAnswer(
            f"no automatic fix of {finding.rule} in {plain_text(finding.path, 200)}:{finding.line}: {why}"
        )
    return planned.patch


def plan_fixes(root: Path, findings: Iterable[Finding], progress: Callable[[int, int], None] | None = None) -> FixPlan:
    """The changes that mend `findings`, all of a file in one patch.

    Many files are planned in forked processes, so call it where no other thread runs.

    `progress` is told how many files of how many are planned. Raises nothing for a file: what cannot be read or mended
    is in `refused`.
    """
    by_path: dict[str, list[Finding]] = {}
    for finding in findings:
        by_path.setdefault(finding.path, []).append(finding)
    jobs = [(root, path, by_path[path]) for path in sorted(by_path)]
    planned: list[_Planned] = []
    for result in _results(jobs):
        planned.append(result)
        if progress is not None:
            progress(len(planned), len(jobs))
    refused = {key: why for result in planned for key, why in result.refused.items()}
    fixed = {job[1]: result.fixed for job, result in zip(jobs, planned, strict=True) if result.patch is not None}
    return FixPlan(tuple(result.patch for result in planned if result.patch is not None), fixed, refused)


def plan_each(root: Path, findings: Iterable[Finding]) -> list[Patch | None]:
    """A patch for each finding alone, None where it has no fix."""
    return [result.patch for result in _results([(root, finding.path, [finding]) for finding in findings])]


def _results(jobs: list[tuple[Path, str, list[Finding]]]) -> Iterable[_Planned]:
    if len(jobs) < MANY_FILES:
        return map(_planned, jobs)
    return _in_processes(jobs)


def _in_processes(jobs: list[tuple[Path, str, list[Finding]]]) -> Iterable[_Planned]:
    with ProcessPoolExecutor(2, get_context("fork"), _end_with_parent) as pool:
        yield from pool.map(_planned, jobs, chunksize=4)


def _end_with_parent() -> None:
    """A worker whose parent is killed would wait for its next file for ever."""

    def wait() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=wait, daemon=True).start()


def _planned(job: tuple[Path, str, list[Finding]]) -> _Planned:
    root, path, findings = job
    try:
        return _plan_file(root, path, findings)
    except CannotAnswer as problem:
        why = problem.message
    except Exception as problem:  # one file that nobody foresaw must not cost the fixes of all others
        why = f"{plain_text(path, 200)} cannot be fixed ({type(problem).__name__})"
    return _Planned(None, frozenset(), {finding.fingerprint: why for finding in findings})


def _plan_file(root: Path, path: str, findings: list[Finding]) -> _Planned:
    before = read_source(root, path)
    encoding = encoding_of(before)
    try:
        text = before.decode(encoding)
    except (UnicodeError, LookupError):
        raise CannotAnswer(f"{plain_text(path, 200)} holds bytes that are no {encoding}") from None
    result = fix(text, findings, line_limit(root, path))
    if result.source == text:
        return _Planned(None, frozenset(), dict(result.unfixable))
    try:
        after = result.source.encode(encoding)
    except UnicodeError:
        raise CannotAnswer(f"the change of {plain_text(path, 200)} cannot be written in {encoding}") from None
    old, new = physical_lines(text), physical_lines(result.source)
    patch = Patch(root, path, _first_difference(old, new), before, after, unified_diff(path, old, new))
    return _Planned(patch, result.fixed, dict(result.unfixable))


def _first_difference(before: list[str], after: list[str]) -> int:
    same = zip(before, after, strict=False)
    return next((number for number, (old, new) in enumerate(same, 1) if old != new), min(len(before), len(after)) + 1)
