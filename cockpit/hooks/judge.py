"""Whether an edit would bring a P0 finding: the file as it would be, judged with what is known of the whole project.

The reports of the other files come from the cache of findings as they are there; nothing else is looked at, so that
the answer takes milliseconds. Only before an edit is refused the files that have changed since are looked at: what they
tell can take a finding back.
"""

import os
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import msgspec

from cockpit.config import Config
from cockpit.files import read_regular, source_lines
from cockpit.findings.baseline import DEFAULT, Baseline, read_baseline
from cockpit.findings.cache import Entry, ReportCache, ReportsOnDemand
from cockpit.findings.digest import digest_of
from cockpit.findings.discovery import LARGEST, FileMark, discover, is_generated, is_manifest, left_out
from cockpit.findings.options import options_of
from cockpit.git_command import GitFailed, RunningGit
from skills.gates import RULES, analyse_by, needs_every, select_rules, settle
from skills.gates.model import FileReport, Finding, GateOptions, ProjectEvidence
from skills.gates.profiles import AUTO, choose_profile
from skills.gates.registry import P0, told_to_p0
from skills.record import record

MOST_CHANGED = 60  # files that are looked at before an edit is refused


@record
class Judgement:
    """P0 findings that the edit would bring, and files that could not be judged as they would be, with the reason."""

    introduced: tuple[Finding, ...] = ()
    unjudged: tuple[str, ...] = ()


def judge_edits(root: Path, config: Config, contents: dict[str, bytes | None]) -> Judgement:
    """Judge files of the work tree `root` as they would be; None: gone. Names are POSIX paths relative to it.

    Raises `CannotAnswer` where configuration or baseline cannot be read.
    """
    options = options_of(config)
    cache = ReportsOnDemand(root, every=needs_every(options), tenant_fields=options.tenant_fields)
    known = _Known.of(cache)
    mine = {
        name: source for name, source in contents.items() if source is not None and _in_scope(root, config, name, known)
    }
    if not mine:
        return Judgement()
    evidence = _evidence(root, cache)
    if options.profile == AUTO:
        options = replace(options, profile=choose_profile(evidence.dependencies)[0])
    options = _only_p0(options)
    would_be = known.judged(options, {name: source for name, source in mine.items() if not is_generated(source)})
    unjudged = _unjudged(would_be.values(), options)
    surveyed = any(RULES[name].survey is not None for name in options.select)
    if not options.select or not (surveyed or any(report.candidates for report in would_be.values())):
        return Judgement((), unjudged)
    sources = {name: source for name in contents if (source := _stands(root, config, name, known)) is not None}
    stood = known.reports(options, sources)
    if not surveyed and all(name in stood and _says_no_more(one, stood[name]) for name, one in would_be.items()):
        return Judgement((), unjudged)  # without a look at the other files, which takes its time in a large project
    case = _Case(evidence, options, read_baseline(root / DEFAULT), frozenset(contents), known)
    before, after = _lines(sources), _lines(mine)

    def introduced(facts: Mapping[str, FileReport]) -> tuple[Finding, ...]:
        others = {name: report for name, report in facts.items() if name not in contents}
        would = case.findings({**others, **would_be})
        return _new(case.findings({**others, **stood}), before, would, after) if would else ()

    found = introduced(known.facts)
    if found and (facts := known.facts_now(root, config, options)) is not None:
        found = introduced(facts)
    return Judgement(found, unjudged)


def _says_no_more(would: FileReport, stood: FileReport) -> bool:
    """Whether a file as it would be has no candidate that it has not now, and tells the same of the project."""
    if would.problem is not None or stood.problem is not None or would.suppressions != stood.suppressions:
        return False
    fresh = {one.fingerprint for one in would.candidates} - {one.fingerprint for one in stood.candidates}
    return not fresh and told_to_p0(would) == told_to_p0(stood)


class _Known:
    """What the cache knows: the names of all files, their reports, and what these tell of the project."""

    def __init__(self, cache: ReportCache) -> None:
        self._cache = cache
        self._files: Mapping[bytes, Entry] = cache.files

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and os.fsencode(name) in self._files

    def kept(self, name: str) -> FileReport | None:
        """The report of a file, None where there is none."""
        entry = self._files.get(os.fsencode(name))
        return entry.report if entry is not None else None

    @cached_property
    def facts(self) -> dict[str, FileReport]:
        """Every report reduced to its facts."""
        found = ((os.fsdecode(key), self._cache.outline(key)) for key in self._files)
        return {name: entry.report for name, entry in found if entry is not None and entry.report is not None}

    def facts_now(self, root: Path, config: Config, options: GateOptions) -> dict[str, FileReport] | None:
        """`facts` with those of the files that changed since they were kept; None where none did, or too many to wait
        for."""
        scope = discover(root, config.checks.exclude)
        facts = {name: report for name, report in self.facts.items() if name in scope.files}
        changed = [name for name, mark in scope.files.items() if not self._holds(name, mark)]
        if len(changed) > MOST_CHANGED or not (changed or len(facts) < len(self.facts)):
            return None
        read = {name: source for name in changed if (source := _read(root, name)) is not None}
        return {**facts, **self.reports(options, {name: one for name, one in read.items() if not is_generated(one)})}

    def _holds(self, name: str, mark: FileMark) -> bool:
        entry = self._cache.outline(os.fsencode(name))
        return entry is not None and entry.holds_for(mark)

    def reports(self, options: GateOptions, sources: Mapping[str, bytes]) -> dict[str, FileReport]:
        """What the selected rules say of files: from the cache where that has seen this content."""
        found, unseen = {}, {}
        for name, source in sources.items():
            entry = self._files.get(os.fsencode(name))
            if entry is not None and entry.report is not None and entry.digest == digest_of(source):
                found[name] = _selected(entry.report, options)
            else:
                unseen[name] = source
        return {**found, **self.judged(options, unseen)}

    def judged(self, options: GateOptions, sources: Mapping[str, bytes]) -> dict[str, FileReport]:
        """What the selected rules say of files with these contents. Where the project has no tenants, the cache has
        deferred what is about them, and so does this, but where one of the files brings the first."""
        found = {}
        for name, source in sources.items():
            stood = self.kept(name)
            found[name] = _judged(options, name, source, tenants=stood is None or not stood.deferred)
        if any(report.tenants for report in found.values()):
            late = [name for name, report in found.items() if report.deferred]
            found |= {name: _judged(options, name, sources[name], tenants=True) for name in late}
        return found

    @staticmethod
    def of(cache: ReportCache) -> "_Known":
        """From a cache; worked out once for what a warm process keeps loaded."""
        kept = _worked_out.get(cache.path)
        if kept is not None and kept[0] is cache.files:
            return kept[1]
        found = _Known(cache)
        _worked_out[cache.path] = (cache.files, found)
        return found


_worked_out: dict[Path, tuple[object, _Known]] = {}


def _judged(options: GateOptions, name: str, source: bytes, *, tenants: bool) -> FileReport:
    """What the rules of P0 say of a file. All of them look, since one may tell facts that another asks for."""
    report = analyse_by(P0, plain(name), source, options.tenant_fields, tenants=tenants)
    return _selected(report, options)


def _selected(report: FileReport, options: GateOptions) -> FileReport:
    """A report with what the selected rules found."""
    return msgspec.structs.replace(
        report, candidates=tuple(one for one in report.candidates if one.rule in options.select)
    )


def plain(name: str) -> str:
    """A file's name as reports have it: bytes that are no UTF-8 become replacement characters."""
    return os.fsencode(name).decode("utf-8", "replace")


def _read(root: Path, name: str) -> bytes | None:
    try:
        return read_regular(root / name, LARGEST)
    except OSError:
        return None


def _in_scope(root: Path, config: Config, name: str, known: Container[str]) -> bool:
    if not name.endswith(".py") or left_out(name, known, config.checks.exclude):
        return False
    if name in known:
        return True
    try:
        RunningGit(root, "check-ignore", "-q", "--", name).answer(timeout=5.0)
    except GitFailed:
        return True
    return False


def _stands(root: Path, config: Config, name: str, known: Container[str]) -> bytes | None:
    """What a file in scope holds now."""
    source = _read(root, name) if _in_scope(root, config, name, known) else None
    return None if source is None or is_generated(source) else source


def _evidence(root: Path, cache: ReportCache) -> ProjectEvidence:
    kept = cache.manifests
    return cache.said_by_manifests(root, tuple(kept.marks) if kept is not None else _likely_manifests(root)).evidence


def _likely_manifests(root: Path) -> tuple[str, ...]:
    """Where nothing is known yet: the manifests at the root, and those of a folder of requirements."""
    found = []
    for folder in ("", "requirements/"):
        try:
            with os.scandir(root / folder) as entries:
                found += [
                    folder + entry.name for entry in entries if entry.is_file() and is_manifest(folder + entry.name)
                ]
        except OSError:
            continue
    return tuple(sorted(found))


def _only_p0(options: GateOptions) -> GateOptions:
    wanted = tuple(sorted(select_rules(options) & P0))
    return replace(options, select=wanted, ignore=())


@record
class _Case:
    """What stays the same while a file is looked at as it is and as it would be."""

    evidence: ProjectEvidence
    options: GateOptions
    baseline: Baseline
    names: frozenset[str]
    known: "_Known"

    def findings(self, reports: Mapping[str, FileReport]) -> tuple[Finding, ...]:
        """The P0 findings of the files in question that no comment and no baseline accepts."""
        verdict = settle(reports.values(), self.evidence, self.options)
        paths = {plain(name) for name in self.names}
        held = (one for one in verdict.findings if one.path in paths and one.gate == "P0" and one.suppressed is None)

        def still_there(path: str) -> set[str]:
            report = reports.get(path) if path in self.names else self.known.kept(path)
            return {candidate.fingerprint for candidate in report.candidates} if report is not None else set()

        return tuple(one for one in self.baseline.marked(tuple(held), still_there) if one.baseline == "new")


Lines = Mapping[str, list[str]]


def _new(stood: tuple[Finding, ...], before: Lines, would: tuple[Finding, ...], after: Lines) -> tuple[Finding, ...]:
    """The findings that did not stand before; one whose statement only moved (a renamed function or file) did."""
    known, stay = {one.fingerprint for one in stood}, {one.fingerprint for one in would}
    moved = Counter(
        (one.rule, _line(before.get(one.path, []), one.line)) for one in stood if one.fingerprint not in stay
    )
    fresh = []
    for finding in would:
        key = (finding.rule, _line(after.get(finding.path, []), finding.line))
        if finding.fingerprint in known:
            continue
        if moved[key]:
            moved[key] -= 1
            continue
        fresh.append(finding)
    return tuple(fresh)


def _lines(sources: Mapping[str, bytes]) -> Lines:
    return {plain(name): source_lines(source) for name, source in sources.items()}


def _line(lines: list[str], number: int) -> str:
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def _unjudged(reports: Iterable[FileReport], options: GateOptions) -> tuple[str, ...]:
    found = []
    for report in reports:
        if report.problem is not None:
            found.append(f"{report.path}:{report.problem.line}: {report.problem.message}")
        found += [f"{report.path}: the rule {rule} failed" for rule, _ in report.crashed if rule in options.select]
    return tuple(found)
