"""The outcome of a check as plain text: by gate and file, with the line of code, and what was looked at."""

from collections.abc import Callable, Iterator

from cockpit.findings.models import GateResult
from cockpit.findings.outcome import Outcome
from cockpit.plain_text import plain_text
from skills.gates.model import Evidence, Finding
from skills.gates.security.secret_values import shows_secret, without_literals

Lines = Callable[[str], list[str]]
_TITLES = {"P0": "P0  blocks", "P1": "P1  should be mended", "P2": "P2  worth a look", "none": "audit"}
_WORDS = {"pass": "pass", "fail": "fail", "not_run": "not run", "not_applicable": "not applicable"}


def report_lines(outcome: Outcome, lines_of: Lines, seconds: float) -> Iterator[str]:
    """The report, line by line. `lines_of` answers the lines of a file (none where it cannot be read)."""
    shown = [finding for finding in outcome.open if finding.baseline == "new"]
    for gate, title in _TITLES.items():
        group = [finding for finding in shown if finding.gate == gate]
        if group:
            yield f"{title} · {len(group)}"
            yield from _gate(group, lines_of)
            yield ""
    if outcome.problems:
        yield f"cannot be judged · {len(outcome.problems)}"
        yield from (
            f"  {plain_text(problem.path)}:{problem.line}  {plain_text(problem.message, 200)}"
            for problem in outcome.problems
        )
        yield ""
    yield from _unanswered(outcome)
    yield from _summary(outcome, seconds)


def _gate(findings: list[Finding], lines_of: Lines) -> Iterator[str]:
    places = [f"{finding.line}:{finding.column}" for finding in findings]
    wide = max(map(len, places))
    rules = max(len(finding.rule) for finding in findings)
    path, lines, said = "", list[str](), set[Evidence]()
    for finding, place in zip(findings, places, strict=True):
        if finding.path != path:
            path, lines, said = finding.path, lines_of(finding.path), set()
            yield f"  {plain_text(path)}"
        yield f"    {place:>{wide}}  {finding.rule:<{rules}}  {plain_text(finding.message, 200)}"
        if 0 < finding.line <= len(lines):
            code = lines[finding.line - 1].strip()
            shown = without_literals(code) if shows_secret(finding.rule, finding.also) else code
            yield f"    {'':>{wide}}  | {plain_text(shown, 120)}"
        for link in finding.evidence:
            if link not in said:  # what a file is, and what a chain starts with, is told once
                said.add(link)
                where = f"line {link.line}" if link.path == path else f"{plain_text(link.path)}:{link.line}"
                yield f"    {'':>{wide}}  because {where}: {plain_text(link.text, 160)}"


def _unanswered(outcome: Outcome) -> Iterator[str]:
    """Why a rule did not run, each reason once, and what else a tool that failed may have to say."""
    from skills.gates import RULES

    reasons: dict[str, list[str]] = {}
    in_part: list[str] = []
    for check in outcome.checks:
        if check.status == "not_run":
            reasons.setdefault(check.reason or "", []).append(check.rule)
        elif check.reason and check.status == "fail" and check.rule not in RULES:
            in_part.append(f"in part: {check.rule}: {plain_text(check.reason, 200)}")
    for reason, rules in reasons.items():
        yield f"not run: {', '.join(rules)}: {plain_text(reason, 200)}"
    yield from in_part
    if reasons or in_part:
        yield ""


def _summary(outcome: Outcome, seconds: float) -> Iterator[str]:
    yield "gates    " + " · ".join(_gate_words(gate) for gate in outcome.gates)
    yield f"tenancy  {outcome.tenancy.mode}: {plain_text(outcome.tenancy.why, 200)}"
    files = outcome.files
    why = ", ".join(f"{count} {reason}" for reason, count in outcome.skipped.items())
    counted = f"{files.seen} seen, {files.parsed} parsed, {files.cached} cached, {files.skipped} skipped"
    yield f"files    {counted}{f' ({why})' if why else ''} · {seconds:.2f} s"
    silenced = sum(finding.suppressed is not None for finding in outcome.findings)
    known = sum(finding.baseline == "known" for finding in outcome.open)
    if silenced or known:
        yield f"aside    {silenced} silenced by a comment, {known} known in the baseline"
    for note in outcome.notes:
        yield f"note     {plain_text(note, 200)}"


def _gate_words(gate: GateResult) -> str:
    return f"{gate.gate} {_WORDS[gate.status]}" + (f" {gate.count}" if gate.count else "")
