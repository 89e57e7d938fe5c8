"""The observers at work: each worktree of a feature, what they say, and the three files that people read."""

import re
from dataclasses import replace
from pathlib import Path

from cockpit.bench.feature import change, texts, trees
from cockpit.bench.shared import home_of, keep_block
from cockpit.clock import iso, now
from cockpit.errors import CannotAnswer, cannot_write
from cockpit.files import read_regular
from cockpit.findings.discovery import is_api_schema
from cockpit.git_command import GitFailed, git
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from cockpit.verify.change import Change, read_change
from cockpit.worktrees.setup_files import REPORTS, exclude
from skills.gates.engine.roles import is_test_path
from skills.workflow.feature import Feature, Noted, noted, open_blockers
from skills.workflow.feature_text import alerts_text, open_first
from skills.workflow.observers import ARCHITECTURE, Work, doubts, is_own, observe, report

_LARGEST = 1_000_000
_MOST_TESTS = 20_000_000
_CODE = (".py", ".js", ".jsx", ".ts", ".tsx")
_AROUND = re.compile(r"(^|/)(urls|routers?|views|viewsets|serializers|api)(/\w+)?\.py$")
_MOST_AROUND = 400
_FOLDER = ".claude"


def observe_all(repository: Repository, name: str) -> tuple[Feature, list[tuple[str, str, str]]]:
    """Look at every worktree of a feature; the feature with its alerts, and what a devil's advocate asks.

    Raises `CannotAnswer` where a change cannot be read: what was not looked at is never clean.
    """
    from cockpit.bench.feature import open_feature

    feature = open_feature(repository, name)
    agreed = texts(repository, feature)[2]
    works, roots = {}, {}
    for tree, place, base in trees(repository, feature):
        found = read_change(place, base)
        if found.why:
            raise CannotAnswer(f"{tree}: {found.why}")
        works[tree], roots[tree] = work_of(place.root, found), place.root
    works = _with_tests(works)
    at = iso(now())

    def step(known: Feature) -> Feature:
        for tree, work in works.items():
            known = noted(known, tree, observe(work, agreed), at)
        return replace(known, observed=at)

    feature = change(repository, feature.id, step)
    write_reports(repository, feature)
    asked = []
    for tree, work in works.items():
        others = [
            path
            for name, other in works.items()
            if name not in (tree, "here")
            for path in sorted(set(other.paths).intersection(work.paths))
            if not is_own(path) and _text(roots[name], path) != _text(roots[tree], path)
        ]
        asked += doubts(work, agreed, others if tree != "here" else ())
    return feature, list(dict.fromkeys(asked))


def _with_tests(works: dict[str, Work]) -> dict[str, Work]:
    """The same, each with the tests that the others bring: one worktree may test what another one makes."""
    brought = {name: [text for path, text in one.files.items() if is_test_path(path)] for name, one in works.items()}
    found = {}
    for name, one in works.items():
        more = [text for by, texts in brought.items() if by != name for text in texts]
        found[name] = replace(one, tests="\n".join([one.tests, *more]))
    return found


def work_of(root: Path, found: Change) -> Work:
    """What the observers are given of one work tree."""
    files = {path: _text(root, path) for path in found.paths if path.endswith(_CODE) and (root / path).is_file()}
    documents = {path: _text(root, path) for path in found.paths if is_api_schema(path) and (root / path).is_file()}
    tests, size = [], 0
    around: dict[str, str] = {}
    try:
        names = git(root, "ls-files", "-z", "-c", "-o", "--exclude-standard").split("\0")
    except GitFailed as problem:
        raise CannotAnswer(f"{plain_text(root, 120)}: {plain_text(problem.line, 120)}") from None
    for name in names:
        if name.endswith(_CODE) and (is_test_path(name) or ".test." in name or ".spec." in name) and size < _MOST_TESTS:
            tests.append(_text(root, name))
            size += len(tests[-1])
        elif _AROUND.search(name) and name not in files and len(around) < _MOST_AROUND:
            around[name] = _text(root, name)
    return Work(found.added, found.removed or {}, found.paths, files, "\n".join(tests), around, documents)


def write_reports(repository: Repository, feature: Feature) -> list[str]:
    """Write the three files, each with its block of this feature; their names."""
    home = home_of(repository, feature)
    shown = [one for one in open_first(feature.alerts) if one.state == "OPEN"]
    quality = [one.alert for one in shown if one.alert.observer not in ARCHITECTURE]
    architecture = [one.alert for one in shown if one.alert.observer in ARCHITECTURE]
    bodies = {
        "OBSERVER_QUALITY.md": report(f"{feature.title}, {feature.observed}", quality),
        "OBSERVER_ARCH.md": report(f"{feature.title}, {feature.observed}", architecture),
        "OBSERVER_ALERTS.md": alerts_text(feature),
    }
    try:
        exclude(repository.common_dir, REPORTS)
    except OSError as problem:
        raise cannot_write("git's info/exclude", problem) from None
    for name, body in bodies.items():
        keep_block(home, f"{_FOLDER}/{name}", feature.id, body)
    return [f"{_FOLDER}/{name}" for name in bodies]


def resolve(repository: Repository, name: str, number: int, reason: str, who: str) -> Feature:
    """Close alert `number` (from 1, as listed) for a reason; recorded. Raises `CannotAnswer`."""

    def step(feature: Feature) -> Feature:
        listed = open_first(feature.alerts)
        if not 1 <= number <= len(listed) or listed[number - 1].state != "OPEN":
            raise ValueError(f"there is no open alert {number}")
        if not reason.strip():
            raise ValueError("an alert is closed for a reason: --reason TEXT")
        one = listed[number - 1]
        closed = Noted(one.alert, one.by, one.at, "RESOLVED", f"{who}, {iso(now())}: {plain_text(reason, 200)}")
        return replace(feature, alerts=tuple(closed if other == one else other for other in feature.alerts))

    feature = change(repository, name, step)
    write_reports(repository, feature)
    return feature


def blockers_of(feature: Feature) -> str:
    """The first open blocker in words, "" where there is none."""
    found = open_blockers(feature)
    return f"{len(found)} open: {found[0].alert.text()}" if found else ""


def _text(root: Path, name: str) -> str:
    try:
        return read_regular(root / name, _LARGEST).decode("utf-8", "replace")
    except OSError:
        return ""
