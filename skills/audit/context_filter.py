"""The second look at a finding: decisions that plan it, and circumstances that make it smaller.

A reason that the rule itself has used for its severity lowers nothing again; the floor is LOW.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from msgspec import structs

from skills.audit.fastapi_lifetime import FROM, UNTIL, FastapiRelease, release_for
from skills.audit.model import Issue
from skills.audit.workers import effort_of
from skills.gates.analysis.execution import one_less
from skills.gates.engine.patterns import lazy
from skills.gates.model import Evidence, Finding
from skills.gates.persistence.session_streams import STREAM_IS_FREE, STREAM_USES
from skills.record import record

WEIGHED = frozenset(
    {"blocking-io-in-async", "redundant-fetch", "scope-too-wide", "missing-to-thread", "resource-scope-mismatch",
     "streaming-resource-holding"}
)  # fmt: skip
"""The rules that circumstances may lower."""
ENOUGH_TO_ADVISE = 3
SMALL_ITEMS = 100
_TIMEOUT = lazy(r"\btimeout\s*=|\bwait_for\(|\basyncio\.timeout\(|\bmove_on_after\(|\bfail_after\(|statement_timeout")
_SMALL = lazy(r"\[:(\d+)\]|\.limit\((\d+)\)|\brange\((\d+)\)|\.read\((\d+)\)")
_JOBS = frozenset({"tasks", "jobs", "cron", "workers", "scheduler"})


@record
class Decision:
    """An architecture decision: its name and its text in lower case."""

    name: str
    text: str


Lines = Callable[[str], Sequence[str]]


def judged(
    finding: Finding, decisions: Sequence[Decision], lines_of: Lines, fastapi: tuple[FastapiRelease, ...] = ()
) -> Issue:
    """The issue that a finding is, after both looks."""
    issue = Issue(finding, finding.severity, effort_of(finding.rule), _rule_steps(finding))
    if finding.suppressed is not None:
        return replace(issue, advisory=f"[Waived: {finding.suppressed}]")
    if finding.baseline == "known":
        return replace(issue, advisory="[Known: accepted in the baseline]")
    plan = _planned(finding, decisions)
    if plan is not None:
        return _told(
            issue, f"[Planned: {plan.name}]", Evidence(plan.name, 0, f"this decision names `{finding.rule}` here")
        )
    if finding.rule not in WEIGHED:
        return issue
    return _weighed(_by_release(issue, fastapi), lines_of)


def _by_release(issue: Issue, fastapi: tuple[FastapiRelease, ...]) -> Issue:
    """A stream that does not use the injected session holds none where FastAPI ends dependencies before the answer."""
    finding = issue.finding
    said = " ".join(link.text for link in finding.evidence)
    release = release_for(finding.path, fastapi) if STREAM_IS_FREE in said or STREAM_USES in said else None
    if release is None:
        return issue
    path, _, line = release.place.rpartition(":")
    if not release.ends_early:
        known = f"FastAPI {release.said}: what is injected is held until the last byte is sent"
        if release.lowest >= UNTIL or release.highest <= FROM:
            return replace(issue, finding=_linked(finding, Evidence(path, int(line), known)))
        return issue
    early = f"FastAPI {release.said} ends dependencies before the answer is sent"
    if STREAM_IS_FREE not in said:
        return replace(issue, finding=_linked(finding, Evidence(path, int(line), f"{early}: the stream opens it anew")))
    if finding.severity == "LOW":
        return issue
    step = f"lowered from {finding.severity} to LOW: {early} (0.118 and later hold them until its end)"
    lowered = structs.replace(_linked(finding, Evidence(path, int(line), step)), severity="LOW")
    return replace(issue, finding=lowered, steps=(*issue.steps, step))


def _linked(finding: Finding, link: Evidence) -> Finding:
    return structs.replace(finding, evidence=(*finding.evidence, link))


def _rule_steps(finding: Finding) -> tuple[str, ...]:
    """What the rule itself says of its severity."""
    return tuple(link.text for link in finding.evidence if link.text.startswith("lowered from"))


def _planned(finding: Finding, decisions: Sequence[Decision]) -> Decision | None:
    """The decision that names the rule and the place: the file, or the class or function."""
    names = (finding.rule, finding.rule.replace("-", "_"), finding.rule.replace("-", " "))
    place = [finding.path.lower(), finding.path.rpartition("/")[2].lower()]
    symbol = finding.symbol.rpartition(".")[2].lower()
    for decision in decisions:
        if any(name in decision.text for name in names) and (
            any(one in decision.text for one in place) or (len(symbol) > 3 and symbol in decision.text)
        ):
            return decision
    return None


def _weighed(issue: Issue, lines_of: Lines) -> Issue:
    finding = issue.finding
    used, fresh = _reasons(finding, lines_of)
    if len(used) + len(fresh) >= ENOUGH_TO_ADVISE:
        why = "; ".join((*used, *fresh))
        return _told(issue, f"[Advisory: {why}]", Evidence(finding.path, finding.line, why))
    if not fresh or finding.severity in ("LOW", "INFO"):
        return issue
    lowered = one_less(finding.severity)
    step = f"lowered from {finding.severity} to {lowered}: {'; '.join(fresh)}"
    evidence = (*finding.evidence, Evidence(finding.path, finding.line, step))
    weighed = structs.replace(finding, severity=lowered, evidence=evidence)
    return replace(issue, finding=weighed, steps=(*issue.steps, step))


def _told(issue: Issue, advisory: str, link: Evidence) -> Issue:
    return replace(issue, finding=_linked(issue.finding, link), advisory=advisory)


def _reasons(finding: Finding, lines_of: Lines) -> tuple[list[str], list[str]]:
    """(reasons that the rule has used, reasons that it has not) for a smaller severity."""
    said = " ".join(link.text for link in finding.evidence)
    used: list[str] = []
    fresh: list[str] = []
    if "runs once" in said:
        used.append("it runs once")
    if "background" in said or _JOBS.intersection(finding.path.split("/")) or " is a task" in said:
        used.append("it runs in the background")
    near = _near(finding, lines_of)
    if finding.rule in ("streaming-resource-holding", "resource-scope-mismatch"):
        return used, fresh  # a timeout near a parameter says nothing of how long it is held
    if _TIMEOUT.search(near):
        fresh.append("a timeout limits it")
    sizes = [int(number) for match in _SMALL.finditer(near) for number in match.groups() if number]
    if sizes and max(sizes) <= SMALL_ITEMS:
        fresh.append(f"at most {max(sizes)} items")
    return used, fresh


def _near(finding: Finding, lines_of: Lines) -> str:
    """The lines of a finding, and the two before it, where a client is opened."""
    lines = lines_of(finding.path)
    return re.sub(r"#.*", "", "\n".join(lines[max(0, finding.line - 3) : finding.end_line]))
