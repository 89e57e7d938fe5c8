"""From reports of files to a verdict: what holds in this project, what a person silenced, what every rule
answers."""

from collections.abc import Iterable, Iterator

from skills.gates.engine.roles import READ_AS, read_as
from skills.gates.model import (
    Candidate,
    Check,
    Evidence,
    FileReport,
    Finding,
    Gate,
    GateOptions,
    ProjectEvidence,
    Suppression,
    Verdict,
)
from skills.gates.project import Project
from skills.gates.registry import COMMON, FRAMEWORKS, GATED, GATES, RULES, TASTE
from skills.gates.rule import STRICT, Rule
from skills.gates.tenancy.modes import tenancy_of

FAILED = "the rule failed"
"""In the reason of a check: the rule itself raised an error."""

GATE_ORDER: dict[Gate, int] = {"P0": 0, "P1": 1, "P2": 2, "none": 3}


def select_rules(options: GateOptions) -> frozenset[str]:
    """The names of the rules that run. `select` and `ignore` hold rule names, gates, "audit" and names of
    skills.

    Without `select` every rule of a gate runs that the profile has on, in isolation the audit rules and those
    of all profiles too. Unknown words select nothing.
    """
    if options.select:
        chosen = {name for word in options.select for name in _group(word)}
    else:
        strict = options.profile in STRICT
        chosen = {*RULES} if options.isolated else {name for name in GATED if strict or name not in TASTE}
    return frozenset(chosen - {name for word in options.ignore for name in _group(word)})


def needs_every(options: GateOptions) -> bool:
    """Whether rules are selected that look at files only when they are asked for; see `analyse`."""
    return not select_rules(options).issubset(COMMON)


def known_words() -> frozenset[str]:
    """Every word that `select` and `ignore` understand."""
    skills = {rule.skill for rule in RULES.values()}
    return frozenset({"P0", "P1", "P2", "audit", *RULES, *skills})


def _group(word: str) -> Iterable[str]:
    if word in RULES:
        return [word]
    if word == "audit":
        return [name for name, gate in GATES.items() if gate == "none"]
    if word in ("P0", "P1", "P2"):
        return [name for name, gate in GATES.items() if word == gate]
    return [name for name, rule in RULES.items() if word == rule.skill]


def settle(reports: Iterable[FileReport], project: ProjectEvidence, options: GateOptions) -> Verdict:
    """The verdict over all files in scope.

    Findings come P0 first, then by path and line, suppressed ones included and marked. Every selected rule
    answers once: not_applicable where the project does not call for it or lacks its framework, fail where something
    unsuppressed was found, not_run where a file could not be judged by it, else pass.
    """
    known = Project(reports, project, options)
    selected = select_rules(options)
    reasons = {name: _applies(RULES[name], known) for name in RULES if name in selected}
    active = {name: RULES[name] for name, reason in reasons.items() if reason is None}
    findings = findings_of(known, active)
    checks = checks_of(findings, reasons, known)
    return Verdict(tuple(findings), tuple(checks), tenancy_of(known))


def findings_of(project: Project, active: dict[str, Rule]) -> list[Finding]:
    """What the active rules find, suppressed findings included and marked, in the order of `finding_order`."""
    found: dict[Gate, list[Finding]] = {gate: [] for gate in GATE_ORDER}
    for report in project.reports:  # by path; its candidates are in order themselves
        if not report.candidates:
            continue
        taken: set[str] = set()
        role = _role_evidence(report)
        for candidate in report.candidates:
            rule = active.get(candidate.rule)
            if rule is None:
                continue
            try:
                holding = rule.holds(candidate, report, project)
            except Exception as problem:
                _failed(rule, f"{report.path}: ", problem, project)
                continue
            if holding is not None:
                found[rule.gate].append(_finding(holding, rule, report, taken, role))
    for rule in active.values():
        surveyed: set[str] = set()
        try:
            for report, candidate in _surveyed(rule, project):
                found[rule.gate].append(_finding(candidate, rule, report, surveyed, _role_evidence(report)))
        except Exception as problem:
            _failed(rule, "", problem, project)
        if surveyed:
            found[rule.gate].sort(key=finding_order)
    return [finding for gate in found.values() for finding in gate]


def finding_order(finding: Finding) -> tuple[int, str, int, int, str]:
    """By gate, path, line, column and rule."""
    return GATE_ORDER[finding.gate], finding.path, finding.line, finding.column, finding.rule


def _surveyed(rule: Rule, project: Project) -> Iterator[tuple[FileReport, Candidate]]:
    if rule.survey is not None:
        yield from rule.survey(project)
    if rule.review is not None:
        yield from rule.review(project, RULES)


def _applies(rule: Rule, project: Project) -> str | None:
    try:
        return rule.applies(project)
    except Exception as problem:
        _failed(rule, "", problem, project)
        return None


def _blind(rule: Rule, project: Project) -> str | None:
    try:
        return rule.blind(project) if rule.blind is not None else None
    except Exception as problem:
        _failed(rule, "", problem, project)
        return project.failed[rule.name]


def _failed(rule: Rule, where: str, problem: Exception, project: Project) -> None:
    """A rule that fails costs its own answer only: `not_run`, with what went wrong first."""
    why = f"{problem.__class__.__name__}: {' '.join(str(problem).split())[:200]}"
    project.failed.setdefault(rule.name, f"{where}{FAILED} ({why})")


def _finding(
    candidate: Candidate, rule: Rule, report: FileReport, taken: set[str], role: tuple[Evidence, ...]
) -> Finding:
    fingerprint, ordinal = candidate.fingerprint, 1
    while fingerprint in taken:
        fingerprint, ordinal = f"{candidate.fingerprint}-{ordinal}", ordinal + 1
    taken.add(fingerprint)
    return Finding(  # by place, as a check makes tens of thousands
        rule.name,
        rule.gate,
        candidate.severity or rule.severity,
        rule.skill,
        report.path,
        candidate.line,
        candidate.column,
        candidate.end_line,
        candidate.end_column,
        candidate.symbol,
        candidate.message,
        rule.help,
        candidate.confidence,
        candidate.fixable,
        fingerprint,
        candidate.also,
        "new",
        _silenced(candidate, rule, report.suppressions) if report.suppressions else None,
        _explained(candidate.evidence, role),
        candidate.parts,
    )


def _explained(evidence: tuple[Evidence, ...], role: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """With the role of the file, but where the rule itself says which class or function has one: it knows better."""
    if evidence and any(found.text.startswith(READ_AS) for found in evidence):
        return evidence
    return evidence + role


def _role_evidence(report: FileReport) -> tuple[Evidence, ...]:
    """Why the file is read as what it is; rules look at roles."""
    if report.role == "module":
        return ()
    line = int(next((word for word in report.role_why.split() if word.isdigit()), 1))
    return (Evidence(report.path, line, f"{read_as(report.role)}, by its {report.role_why}"),)


def _silenced(candidate: Candidate, rule: Rule, suppressions: tuple[Suppression, ...]) -> str | None:
    """The reason of the comment that covers a candidate; a comment without a reason silences nothing."""
    for suppression in suppressions:
        if (
            suppression.reason
            and suppression.covers(candidate.line, *candidate.parts)
            and (rule.name in suppression.rules or any(other in suppression.rules for other in candidate.also))
        ):
            return suppression.reason
    return None


def checks_of(findings: list[Finding], reasons: dict[str, str | None], project: Project) -> list[Check]:
    """The answer of each rule. The reason of a failed one is that of the not_run behind it, where there is one."""
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.rule] = counts.get(finding.rule, 0) + (finding.suppressed is None)
    unread = [report for report in project.reports if report.problem is not None]
    crashed = dict(project.failed)
    for report in project.reports:
        for name, why in report.crashed:
            crashed.setdefault(name, f"{report.path}: {FAILED} ({why})")
    checks = []
    for name, reason in reasons.items():
        count = counts.get(name, 0)
        rule = RULES[name]
        blind = None if reason else crashed.get(name) or _blind(rule, project) or _first_unread(rule, unread)
        framework = FRAMEWORKS.get(name)
        if framework and not (reason or blind or name in counts or project.uses(framework)):
            reason = f"the project does not depend on {framework}"
        if reason is not None:
            checks.append(Check(name, "not_applicable", 0, reason))
            continue
        checks.append(Check(name, "fail" if count else "not_run" if blind else "pass", count, blind))
    return checks


def _first_unread(rule: Rule, unread: list[FileReport]) -> str | None:
    """The first file that the rule would have looked at and that could not be parsed, with the reason."""
    for report in unread:
        if report.problem and any(watch.where is None or watch.where(report.path) for watch in rule.watches):
            return f"{report.path}:{report.problem.line}: {report.problem.message}"
    return None
