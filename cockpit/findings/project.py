"""The state of the findings of one root: files in scope, their reports, ruff's answer, and what follows from them."""

import os
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.findings.baseline import Baseline
from cockpit.findings.cache import Entry, ReportCache, ReportsOnDemand
from cockpit.findings.coverage import older, read_coverage
from cockpit.findings.discovery import FileMark, Listing, Scope, discover, look
from cockpit.findings.manifests import Manifests
from cockpit.findings.models import TrendPoint
from cockpit.findings.options import options_of
from cockpit.findings.parts import OutsideAnswer
from cockpit.findings.pool import Pool
from cockpit.findings.ruff import RuffAnswer, RuffRun, kept_for, not_asked, wanted
from cockpit.findings.worker import Judged, Task, judge, shown
from cockpit.repository import Repository, find_repository
from skills.gates import RULES, needs_every, select_rules
from skills.gates.model import Check, FileReport, Finding, GateOptions, ProjectEvidence
from skills.gates.profiles import AUTO, choose_profile
from skills.gates.registry import told_to_p0
from skills.record import record

if TYPE_CHECKING:
    from cockpit.findings.tools import Tool, ToolRun

TREND_SECONDS = 60.0
FEW_FILES = 30
FEW_BYTES = 300_000


@record
class Counter:
    """How the reports of the last scan came to be."""

    parsed: set[str] = field(default_factory=set)
    cached: set[str] = field(default_factory=set)


class Project:
    """Reports of every file below `root`, kept current by `scan` (everything) and `update` (what was saved)."""

    def __init__(
        self,
        root: Path,
        config: Config,
        pool: Pool | None = None,
        *,
        options: GateOptions | None = None,
        use_cache: bool = True,
        in_process: bool = False,
        only: tuple[str, ...] | None = None,
        on_demand: bool = False,
    ) -> None:
        self.root = root
        self.config = config
        self.options = options or options_of(config)
        self.asked_profile = self.options.profile
        self.every = needs_every(self.options)
        self.profile_why = ""
        self.pool = pool
        self.in_process = in_process
        self.only = only
        cache = ReportsOnDemand if on_demand else ReportCache
        self.cache = cache(root, enabled=use_cache, every=self.every, tenant_fields=self.options.tenant_fields)
        self.baseline = Baseline()
        self.scope = Scope()
        self.sources: dict[str, bytes] = {}
        self.manifests = Manifests(ProjectEvidence())
        self.reports: dict[str, FileReport] = {}
        self.outlined: set[str] = set()
        self.tenants = False
        self.skipped: dict[str, str] = {}
        self.counter = Counter()
        self.ruff_check = Check("ruff", "not_run", 0, "not asked yet")
        self.ruff_findings: dict[str, tuple[Finding, ...]] = {}
        self.ruff_modules: Path | None = None  # what stands for those that were there when ruff was asked about all
        self.tool_answers: dict[str, OutsideAnswer] = {}
        self.running = self.waiting = ""
        self.saves = 0
        self.told_at: dict[str, int] = {}
        self.trend: tuple[TrendPoint, ...] = ()
        self._trend_owed = False
        self._trend_written = 0.0

    def scan(self, listing: Listing | None = None) -> Generator[float, None, None]:
        """Judge every file anew, from the cache where it is unchanged. Yields the share that is done. `listing` is
        git's list of all files where the caller has begun to make it."""
        self.scope = discover(self.root, self.config.checks.exclude, self.only, listed=listing)
        self.read_manifests()
        self.skipped = dict(self.scope.skipped)
        self.counter = Counter()
        before = dict(self.reports)
        for gone in self.reports.keys() - self.scope.files.keys():
            del self.reports[gone]
        self._forget(self.cache.files, self.scope.files)
        tasks = [task for name, mark in self.scope.files.items() if (task := self._task(name, mark)) is not None]
        # large files go first, so the share is of bytes: a share of files would seem to stand still
        sizes = {task.name: task.size + 1 for task in tasks}
        total = sum(mark.size + 1 for mark in self.scope.files.values()) or 1
        left = sum(sizes.values())
        if tasks:
            yield max(0.0, 1 - left / total)
        for answers in self._judged(tasks):
            left -= sum(sizes.pop(answer.name, 0) for answer in answers)
            yield max(0.0, 1 - left / total)
        self.saves += bool(before and self._changed_since(before))
        self.cache.save()

    def update(self, names: Iterable[str]) -> set[str]:
        """Look again at these files: changed, new, gone. Answers the names whose report changed."""
        before = dict(self.reports)
        tasks: list[Task] = []
        unknown = tuple(name for name in names if name not in self.scope.files)
        found = discover(self.root, self.config.checks.exclude, unknown) if unknown else Scope()
        self.scope = replace(
            self.scope,
            files={**self.scope.files, **found.files},
            folders=self.scope.folders | found.folders,
        )
        self.skipped |= found.skipped
        for name in sorted({*names} - {*unknown} | found.files.keys()):
            mark, reason = look(self.root, name)
            if mark is None:
                self._drop(name, reason)
                continue
            known = self.cache.files.get(os.fsencode(name))
            digest = known.digest if known is not None and name in self.reports else b""
            tasks.append(self.asked(os.fsencode(name), mark.size, digest))
        for _ in self._judged(tasks):
            pass
        changed = self._changed_since(before)
        self._outdate_coverage(changed)
        if any(told_to_p0(before.get(name)) != told_to_p0(self.reports.get(name)) for name in changed):
            self.cache.save()  # an agent's edit is judged by what is kept of the other files
        self.saves += bool(changed)
        return changed

    def _changed_since(self, before: Mapping[str, FileReport]) -> set[str]:
        """The files whose report is another one than before, or is new or gone."""
        now = self.reports
        return {name for name in before.keys() | now.keys() if before.get(name) is not now.get(name)}

    def _judged(self, tasks: list[Task]) -> Iterator[list[Judged]]:
        """Judge files and take what is said of them; then those of which something was deferred, where there are
        tenants after all."""
        while tasks := tasks or self._deferred():
            for answers in self.answers(tasks):
                for answer in answers:
                    self.take(answer)
                yield answers
            tasks = []

    def _deferred(self) -> list[Task]:
        return [self.asked(os.fsencode(name), self.scope.files[name].size) for name in self.deferred()]

    def deferred(self) -> list[str]:
        """The files that are to be judged again because a model belongs to a tenant, and they were judged before that
        was known."""
        if not self.tenants:
            return []
        return [name for name, report in self.reports.items() if report.deferred and name in self.scope.files]

    def _outdate_coverage(self, changed: set[str]) -> None:
        """Believe no report of coverage about files that have changed since."""
        evidence = self.manifests.evidence
        coverage = evidence.coverage
        if coverage is not None and not coverage.outdated and (later := sorted(changed & coverage.files.keys())):
            outdated = older(coverage.path, later)
            evidence = replace(evidence, coverage=replace(coverage, outdated=outdated))
            self.manifests = replace(self.manifests, evidence=evidence)

    def read_manifests(self, sources: Mapping[str, bytes] | None = None) -> None:
        """Read the project's dependencies (in `sources` where they hold a manifest) and its report of coverage again;
        choose the profile where nobody did."""
        said = self.cache.said_by_manifests(self.root, self.scope.manifests, sources)
        coverage = read_coverage(self.root, self.scope.files)
        self.manifests = replace(said, evidence=replace(said.evidence, coverage=coverage))
        if self.asked_profile == AUTO:
            name, self.profile_why = choose_profile(self.manifests.evidence.dependencies)
            self.options = replace(self.options, profile=name)

    def begin_ruff(self, names: Iterable[str] | None, run: RuffRun) -> None:
        """Let ruff begin with `names` (None: everything), where the project uses it; `ask_ruff` waits for it."""
        if not_asked(self.root, self.options, self.config.checks.ruff, self.manifests.ruff) is None:
            run.kept = self.kept_by_ruff()
            run.begin(_beyond(self._in_files(names), self.sources, self.scope.files))

    def ask_ruff(self, names: Iterable[str] | None = None, run: RuffRun | None = None) -> None:
        """Ask ruff about `names`, or about everything (None), where the project uses it. Waits for the answer."""
        refused = not_asked(self.root, self.options, self.config.checks.ruff, self.manifests.ruff)
        if refused is not None:
            self.ruff_check, self.ruff_findings = refused, {}
            return
        run = run or RuffRun(self.root)
        run.kept = self.kept_by_ruff()
        asked = self._in_files(names)
        answer = run.answer(_beyond(asked, self.sources, self.scope.files), self._asked_sources(asked))
        self.take_ruff(asked, answer)

    def kept_by_ruff(self) -> Path | None:
        """The folder in which ruff keeps what it knows, another one where other modules can be imported."""
        files, skipped = self.scope.files, self.skipped.items()
        left_out = (f"{name}\0{why}" for name, why in skipped if name not in files)  # imported all the same
        return self.cache.ruff and kept_for(self.cache.ruff, (*files, *left_out))

    def _in_files(self, names: Iterable[str] | None) -> set[str] | None:
        return None if names is None else {name for name in names if name in self.scope.files}

    def take_ruff(self, asked: set[str] | None, answer: RuffAnswer) -> None:
        """Put ruff's answer about `asked` (None: everything) in the place of the one before."""
        self.ruff_check = answer.check
        if answer.check.status == "not_run":
            return
        if asked is None:
            self.ruff_modules = self.kept_by_ruff()
        kept = {} if asked is None else {name: found for name, found in self.ruff_findings.items() if name not in asked}
        new = {
            name: found
            for name, found in answer.findings.items()
            if name in self.scope.files and name not in self.skipped
        }
        self.ruff_findings = {name: found for name, found in (kept | new).items() if found}

    def ask_tools(self, tools: Iterable["Tool"], run: "ToolRun") -> None:
        """Ask other tools, one after the other; each answer takes the place of the one before. Waits for them."""
        for tool in tools:
            if run.cancelled:
                return
            saves = self.saves
            answer = run.answer(tool)
            if answer.check.reason != "cancelled":
                findings = {name: found for name, found in answer.findings.items() if self._in_scope(name)}
                status = "fail" if findings else "pass" if answer.findings else answer.check.status
                told = replace(answer, check=replace(answer.check, status=status), findings=findings)
                # another thread may be reading the ones before
                self.tool_answers = {**self.tool_answers, tool.name: told}
                self.told_at = {**self.told_at, tool.name: saves}
        if any(tool.name == "pytest" for tool in tools):
            self.read_manifests()  # it may have written a report of coverage

    def _in_scope(self, name: str) -> bool:
        return name in self.scope.files or not (name.endswith(".py") or name in self.skipped)

    def outside(self) -> Iterator[OutsideAnswer]:
        """What other tools said: ruff, then the others in the order in which they were asked."""
        findings = {
            name: kept
            for name, found in self.ruff_findings.items()
            if (kept := tuple(finding for finding in found if wanted(finding, self.options)))
        }
        yield OutsideAnswer(self.ruff_check, ("P1", "P2"), findings)
        yield from self.tool_answers.values()

    def record_trend(self, findings: Iterable[Finding]) -> None:
        """Note today's share of P1, where every rule of P1 was asked about every file that the configuration has asked.
        It is written at most once a minute: `save_trend` writes what is left."""
        asked = replace(self.options, profile=self.asked_profile)
        if asked != options_of(self.config) or self.only is not None:
            return
        if asked.select and not any(RULES[name].gate == "P1" for name in select_rules(asked)):
            return
        from cockpit.findings.trend import compliance, read_trend, with_today

        known = self.trend if self._trend_written else read_trend(self._trend_of)
        self.trend = with_today(known, *compliance(self.reports, findings, RULES))
        self._trend_owed = self._trend_owed or self.trend != known
        if not self._trend_written or time.monotonic() - self._trend_written > TREND_SECONDS:
            self.save_trend()

    def save_trend(self) -> None:
        """Write the trend, where it changed since it was written."""
        if self._trend_owed:
            from cockpit.findings.trend import write_trend

            self.trend = write_trend(self._trend_of, self.trend)
        self._trend_owed, self._trend_written = False, time.monotonic()

    @cached_property
    def _trend_of(self) -> Repository | Path:
        try:
            return find_repository(self.root)
        except CannotAnswer:
            return self.root

    def whole_report(self, name: str) -> FileReport | None:
        """The report of a file with all that was found in it, also where `reports` has only what it tells of the
        project."""
        entry = self.cache.files.get(os.fsencode(name)) if name in self.outlined else None
        return self.reports.get(name) if entry is None else entry.report

    def whole_reports(self) -> list[FileReport]:
        """Every report as `whole_report` has it."""
        return [report for name in self.reports if (report := self.whole_report(name)) is not None]

    def _task(self, name: str, mark: FileMark) -> Task | None:
        """What is to be asked about a file, None where the cache answers."""
        key = os.fsencode(name)
        entry = self.cache.files.get(key)
        if entry is None:
            return self.asked(key, mark.size)
        if entry.holds_for(mark):
            self.take_known(name, entry)
            return None
        return self.asked(key, mark.size, entry.digest)

    def asked(self, key: bytes, size: int, known: bytes = b"", source: bytes | None = None) -> Task:
        """The task to judge a file: its content `source`, or that of the work tree where it is not the `known` one."""
        return Task(key, size, known, source, self.every, self.options.tenant_fields)

    def take_known(self, name: str, entry: Entry, *, outlined: bool = False) -> None:
        """Take what the cache says of a file, or only what that tells of the project (`outlined`)."""
        (self.outlined.add if outlined else self.outlined.discard)(name)
        self.counter.cached.add(name)
        self.counter.parsed.discard(name)
        if entry.report is not None:
            self.reports[name] = entry.report
            self.tenants = self.tenants or entry.report.tenants
            self.skipped.pop(name, None)
        else:
            self.reports.pop(name, None)
            self.skipped[name] = entry.skip

    def answers(self, tasks: list[Task]) -> Iterator[list[Judged]]:
        """Judge files: here where they are few, else in the pool."""
        few = len(tasks) < FEW_FILES and sum(task.size for task in tasks) < FEW_BYTES
        if self.pool is None or (self.in_process and few):
            place = os.fsencode(self.root)
            for task in tasks:
                yield [judge(place, task, tenants=self.tenants)]
            return
        yield from self.pool.run(self.root, tasks, lambda: self.tenants)

    def take(self, answer: Judged) -> None:
        """Take what was said of a file, and keep it: that of the index, where its content is in `sources`, apart."""
        name = os.fsdecode(answer.name)
        kept = self.cache.staged if name in self.sources else self.cache.files
        if answer.gone:
            self._drop(name, "")
            return
        entry = kept.get(answer.name)
        if answer.report is None and not answer.skip and entry is not None:
            kept[answer.name] = msgspec.structs.replace(entry, mark=answer.mark, read_ns=answer.read_ns)
            self.cache.changed = True
            self.take_known(name, entry)
            return
        fresh = Entry(answer.digest, answer.report, answer.mark, answer.read_ns, answer.skip)
        if answer.digest:
            kept[answer.name] = fresh
            self.cache.changed = True
        self.take_known(name, fresh)
        self.counter.cached.discard(name)
        if answer.digest:  # else it could not be read
            self.counter.parsed.add(name)
        else:
            self.counter.parsed.discard(name)
        if answer.mark is not None:
            self.scope.files[name] = answer.mark

    def _drop(self, name: str, reason: str) -> None:
        self.scope.files.pop(name, None)
        if self.cache.files.pop(os.fsencode(name), None) is not None:
            self.cache.changed = True
        self.ruff_findings.pop(name, None)
        self.counter.parsed.discard(name)
        self.counter.cached.discard(name)
        self.skipped.pop(name, None)
        if reason:
            self.skipped[name] = reason
        self.reports.pop(name, None)

    def _forget(self, kept: MutableMapping[bytes, Entry], files: Iterable[str]) -> None:
        gone = kept.keys() - {os.fsencode(name) for name in files}
        for key in gone:
            del kept[key]
        self.cache.changed = self.cache.changed or bool(gone)

    def _asked_sources(self, asked: set[str] | None) -> dict[str, bytes]:
        return {
            shown(os.fsencode(name)): source for name, source in self.sources.items() if asked is None or name in asked
        }


def _beyond(asked: set[str] | None, sources: Mapping[str, bytes], files: Mapping[str, FileMark]) -> set[str] | None:
    """The names to give to ruff as files: those whose content is the work tree's own."""
    if not sources:
        return asked
    return (set(files) if asked is None else asked) - sources.keys()
