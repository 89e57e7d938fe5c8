"""From reports to an answer: settle the rules, add ruff, mark the baseline, sum up the gates, choose the exit code."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import structs

from cockpit.findings.models import CheckProblem, FileCounts, FindingsSnapshot, GateResult
from cockpit.findings.parts import Narrow, OutsideAnswer
from cockpit.findings.project import Project
from cockpit.plain_text import plain_text
from skills.gates import RULES, settle
from skills.gates.model import Check, FileReport, Finding, Gate, Status, Tenancy
from skills.gates.verdict import GATE_ORDER, finding_order
from skills.record import record

NOTHING = "there is no Python file to judge"
_BLOCKING: tuple[Gate, ...] = ("P0", "P1", "P2")


@record
class Outcome:
    """The answer of a check. `findings` include suppressed and known ones, marked; counts do not include them."""

    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]
    gates: tuple[GateResult, ...]
    tenancy: Tenancy
    problems: tuple[CheckProblem, ...]
    files: FileCounts
    skipped: Mapping[str, int]
    notes: tuple[str, ...] = ()

    @property
    def open(self) -> tuple[Finding, ...]:
        """The findings that no comment silences."""
        return tuple(finding for finding in self.findings if finding.suppressed is None)

    def check(self, rule: str) -> Check:
        """What a rule or a tool answered, with its count; not run where it was not asked."""
        return next((one for one in self.checks if one.rule == rule), Check(rule, "not_run", 0, "not asked"))

    @property
    def exit_code(self) -> int:
        """1 for an unsuppressed P0 outside the baseline, 2 where a P0 rule could not judge everything, else 0."""
        status = next((gate.status for gate in self.gates if gate.gate == "P0"), "pass")
        return {"fail": 1, "not_run": 2}.get(status, 0)

    def snapshot(self, root: str, **more: object) -> FindingsSnapshot:
        """The outcome as the pane shows it."""
        shown = self.open
        return FindingsSnapshot(
            root=root,
            findings=shown,
            gates=self.gates,
            checks=self.checks,
            problems=self.problems,
            files=self.files,
            tenancy=self.tenancy,
            suppressed=len(self.findings) - len(shown),
            **{"note": "; ".join(self.notes), **more},  # type: ignore[arg-type]
        )


def outcome_of(project: Project, narrow: Narrow | None = None) -> Outcome:
    """What the reports of a project say, for the part that `narrow` names."""
    reports = project.reports if narrow is None else narrowed(project.reports, narrow)
    verdict = settle(reports.values(), project.manifests.evidence, project.options)
    outside = {answer.check.rule: answer for answer in project.outside()}

    def in_part(finding: Finding) -> bool:
        return narrow is None or narrow.holds(finding)

    others = _outside_findings(project, outside.values(), narrow)
    marked = _marked(project, _ordered(verdict.findings, others), narrow)
    if narrow is not None and any(_is_moved(one, project) and in_part(one) for one in marked):
        whole = settle(project.whole_reports(), project.manifests.evidence, project.options)
        marked = _marked(project, _ordered(whole.findings, others), narrow)  # another place may have a better claim
    findings = tuple(filter(in_part, marked))
    counts: dict[str, int] = {}
    for finding in findings:
        if finding.suppressed is None and finding.baseline == "new":
            rule = finding.rule if finding.rule in RULES else finding.skill
            counts[rule] = counts.get(rule, 0) + 1
    asked = (*verdict.checks, *(answer.check for answer in outside.values()))
    checks = tuple(_recounted(check, counts) for check in asked)
    if not (reports if narrow is None else narrow.of(reports)):
        checks = tuple(map(_judged_nothing, checks))
    problems = [*_manifest_problems(project), *_problems(reports, narrow)]
    return Outcome(
        findings,
        tuple(sorted(checks, key=lambda check: (_gate_order(check.rule, outside), check.rule))),
        gates_of(findings, checks, outside),
        verdict.tenancy,
        tuple(sorted(problems, key=lambda problem: (problem.path, problem.line))),
        _counts(project, narrow),
        _skipped_by_reason(project, narrow),
        tuple(_notes(project)),
    )


def _marked(project: Project, findings: tuple[Finding, ...], narrow: Narrow | None) -> tuple[Finding, ...]:
    """Findings, the accepted ones marked: before what is in the part is told from the rest, since equal statements of a
    file are counted together."""
    answers = tuple(project.outside())

    def still_there(path: str) -> set[str]:
        report = project.whole_report(path)
        seen = {candidate.fingerprint for candidate in report.candidates} if report is not None else set()
        if report is not None and narrow is not None and not narrow.covers(path):  # no tool was asked about it
            seen.update(project.baseline.of_tools(path))
        return seen.union(one.fingerprint for answer in answers for one in answer.findings.get(path, ()))

    added = None if narrow is None or narrow.lines is None else narrow.holds
    return project.baseline.marked(findings, still_there, added)


def _ordered(findings: tuple[Finding, ...], others: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted((*findings, *others), key=finding_order)) if others else findings


def _is_moved(finding: Finding, project: Project) -> bool:
    """Whether a finding is accepted for a row of another place."""
    return finding.baseline == "known" and finding.fingerprint not in project.baseline.rows


def _counts(project: Project, narrow: Narrow | None) -> FileCounts:
    """How many files of the part were seen, parsed, cached and skipped."""
    names = [name for part in (project.reports, project.skipped) for name in (narrow.of(part) if narrow else part)]
    return FileCounts(
        seen=len(names),
        parsed=sum(name in project.counter.parsed for name in names),
        cached=sum(name in project.counter.cached for name in names),
        skipped=sum(name in project.skipped for name in names),
    )


def _skipped_by_reason(project: Project, narrow: Narrow | None) -> dict[str, int]:
    """How many files of the part were left out, by reason."""
    found: dict[str, int] = {}
    for name, reason in sorted(project.skipped.items(), key=lambda item: item[1]):
        if narrow is None or narrow.covers(name):
            found[reason] = found.get(reason, 0) + 1
    return found


def _notes(project: Project) -> list[str]:
    """What a person should know about how the answer came to be."""
    found = [project.cache.note] if project.cache.note else []
    if project.running:
        found.append(f"{project.running} runs")
    if project.waiting:
        found.append(project.waiting)
    outdated = [name for name, at in project.told_at.items() if at < project.saves]
    if outdated:
        found.append(f"files changed since {', '.join(sorted(outdated))} ran")
    if not project.root.is_dir():
        found.append("the folder is gone")
    elif not project.scope.by_git:
        found.append("git did not list the files: every folder was walked")
    if project.ruff_check.status == "not_run" and project.ruff_check.reason:
        found.append(project.ruff_check.reason)
    if project.profile_why:  # last: it says the same all day
        found.append(f"profile {project.options.profile}: {project.profile_why}")
    return found


def _manifest_problems(project: Project) -> list[CheckProblem]:
    return [CheckProblem(name, 1, message) for name, message in project.manifests.problems]


def narrowed(reports: Mapping[str, FileReport], narrow: Narrow) -> dict[str, FileReport]:
    """Every report, those of files outside the part reduced to their facts."""
    part = set(narrow.of(reports))
    return {
        name: report if name in part or _is_outline(report) else structs.replace(report, **_FACTS_ONLY)
        for name, report in reports.items()
    }


_FACTS_ONLY: dict[str, Any] = {"candidates": (), "suppressions": (), "problem": None, "crashed": ()}


def _is_outline(report: FileReport) -> bool:
    return not (report.candidates or report.suppressions or report.problem or report.crashed)


def gates_of(
    findings: Iterable[Finding], checks: Iterable[Check], outside: Mapping[str, "OutsideAnswer"]
) -> tuple[GateResult, ...]:
    """The answer of P0, P1 and P2: fail beats not_run beats pass; not_applicable where no rule of the gate applies.

    A rule that is not required leaves no gate unanswered.
    """
    counts: dict[Gate, int] = dict.fromkeys(_BLOCKING, 0)
    for finding in findings:
        if finding.gate in counts and finding.suppressed is None and finding.baseline == "new":
            counts[finding.gate] += 1
    states: dict[Gate, set[Status]] = {gate: set() for gate in _BLOCKING}
    for check in checks:
        if check.status != "not_run" or check.rule in outside or RULES[check.rule].required:
            for gate in _gates_of(check.rule, outside):
                states[gate].add(check.status)
    return tuple(GateResult(gate, _gate_status(counts[gate], states[gate]), counts[gate]) for gate in _BLOCKING)


def _gate_status(count: int, states: set[Status]) -> Status:
    if count:
        return "fail"
    if "not_run" in states:
        return "not_run"
    return "pass" if states & {"pass", "fail"} else "not_applicable"


def _gates_of(rule: str, outside: Mapping[str, "OutsideAnswer"]) -> tuple[Gate, ...]:
    gates = outside[rule].gates if rule in outside else (RULES[rule].gate,)
    return tuple(gate for gate in gates if gate != "none")


def _gate_order(rule: str, outside: Mapping[str, "OutsideAnswer"]) -> int:
    return GATE_ORDER[outside[rule].gates[0] if rule in outside else RULES[rule].gate]


def _recounted(check: Check, counts: dict[str, int]) -> Check:
    """The check with what the baseline and the part leave of its count."""
    if check.status in ("not_run", "not_applicable"):
        return check
    count = counts.get(check.rule, 0)
    if count or check.reason is None:
        return Check(check.rule, "fail" if count else "pass", count, check.reason)
    return Check(check.rule, "not_run", 0, check.reason)


def _judged_nothing(check: Check) -> Check:
    """The answer of a rule that no file was there for; what another tool looked at is its own affair."""
    if check.status != "pass" or check.rule not in RULES:
        return check
    return Check(check.rule, "not_applicable", 0, NOTHING)


def _outside_findings(project: Project, answers: Iterable[OutsideAnswer], narrow: Narrow | None) -> list[Finding]:
    found: list[Finding] = []
    for answer in answers:
        for name, findings in answer.findings.items():
            if narrow is not None and not narrow.covers(name):
                continue
            report = project.reports.get(name)
            found += [_silenced(finding, report) for finding in findings]
    return found


def _silenced(finding: Finding, report: FileReport | None) -> Finding:
    for comment in report.suppressions if report is not None else ():
        if (
            comment.reason
            and comment.covers(finding.line)
            and (finding.rule in comment.rules or finding.skill in comment.rules)
        ):
            return structs.replace(finding, suppressed=comment.reason)
    return finding


def _problems(reports: Mapping[str, FileReport], narrow: Narrow | None) -> list[CheckProblem]:
    found: list[CheckProblem] = []
    for report in reports.values() if narrow is None else map(reports.__getitem__, narrow.of(reports)):
        if report.problem is not None:
            found.append(CheckProblem(report.path, report.problem.line, plain_text(report.problem.message, 300)))
        found += [
            CheckProblem(report.path, 1, f"the rule {rule} failed: {plain_text(why, 200)}")
            for rule, why in report.crashed
        ]
    return found
