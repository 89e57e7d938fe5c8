"""The report of an audit for a terminal: verdict, scores, and the issues of each category by file."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from cockpit.findings.report_text import Terminal
from cockpit.plain_text import plain_text
from skills.audit.model import SEVERITIES, AuditResult, Category, Issue
from skills.audit.report import since_before
from skills.audit.scoring import BEST, band_of, next_step
from skills.gates.model import Evidence

_LOOKS = {"PASS": "pass", "CONCERNS": "HIGH", "FAIL": "CRITICAL", "BLOCKED": "CRITICAL"}
_NAME = 24
_SEVERITY = max(map(len, SEVERITIES)) + 1


def text_lines(result: AuditResult, terminal: Terminal) -> Iterator[str]:
    """The report, line by line: what weighs, worst first in each file, then what does not."""
    score = "" if result.overall is None else f"  {result.overall:.1f} of 10, {band_of(result.overall)}"
    yield terminal.painted(result.verdict, _LOOKS[result.verdict]) + score
    yield from terminal.wrapped("", plain_text(result.why, 200))
    yield from terminal.wrapped("", plain_text(since_before(result), 80), "faint")
    yield from terminal.wrapped("next: ", plain_text(next_step(result), 300))
    yield ""
    for category in result.categories:
        yield from _score(category, category is result.worst, terminal)
    for category in result.categories:
        if category.weighing:
            yield ""
            head = f"{category.worker.category} · {len(category.weighing)}"
            yield terminal.painted(head, "path")
            yield from _issues(category.weighing, terminal)
        if category.advisories:
            yield ""
            yield terminal.painted(f"{category.worker.category} · {len(category.advisories)} without weight", "faint")
            yield from _issues(category.advisories, terminal)
    if result.questions:
        yield ""
        yield terminal.painted("open questions", "path")
        for question in result.questions:
            yield from terminal.wrapped("  ", plain_text(question, 300))
    yield ""
    yield from terminal.wrapped("", "read from the code, not measured · --write keeps the whole report", "faint")


def _score(category: Category, worst: bool, terminal: Terminal) -> Iterator[str]:
    lead = f"  {category.worker.category:<{_NAME}} "
    if category.score is None:
        word = "error" if category.status == "error" else "n/a"
        yield from terminal.wrapped(f"{lead}{word:>5}  ", plain_text(category.reason, 200))
        return
    counts = [f"{count} {name.lower()}" for name in SEVERITIES if (count := category.count(name))]
    mark = "  ← worst" if worst and category.score < BEST else ""
    yield f"{lead}{category.score:5.1f}  {', '.join(counts) or 'no issue'}{mark}"


def _issues(issues: Sequence[Issue], terminal: Terminal) -> Iterator[str]:
    by_place = sorted(issues, key=lambda one: (one.finding.path, one.finding.line))
    wide = max(len(str(one.finding.line)) for one in issues)
    helped: set[str] = set()
    for path, group in groupby(by_place, key=lambda one: one.finding.path):
        yield "  " + terminal.painted(plain_text(path), "path")
        said: set[Evidence] = set()
        for issue in group:
            yield from _issue(issue, wide, said, helped, terminal)


def _issue(issue: Issue, wide: int, said: set[Evidence], helped: set[str], terminal: Terminal) -> Iterator[str]:
    """`said` are the links that were told of the file, `helped` the rules of which it was told what to do."""
    finding = issue.finding
    look = "faint" if issue.advisory else finding.severity
    severity = terminal.painted(f"{finding.severity:<{_SEVERITY}}", look)
    also = f" (also {', '.join(finding.also)})" if finding.also else ""
    yield f"    {finding.line:>{wide}}  {severity} {finding.rule}{terminal.painted(also, 'faint')}"
    below = " " * (wide + 6)
    yield from terminal.wrapped(below, plain_text(finding.message, 300))
    if issue.advisory:
        yield from terminal.wrapped(below, plain_text(issue.advisory, 300), "faint")
        return
    for link in finding.evidence:
        if link not in said:
            said.add(link)
            where = f"line {link.line}" if link.path == finding.path else f"{plain_text(link.path)}:{link.line}"
            yield from terminal.wrapped(f"{below}because ", f"{where}: {plain_text(link.text, 160)}", "faint")
    if finding.rule not in helped:
        helped.add(finding.rule)
        yield from terminal.wrapped(f"{below}→ ", f"{finding.help} ({issue.effort})", "faint")
