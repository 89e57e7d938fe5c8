"""The twelve-item checklist of a session: what the gates say of the files that it changed, and its transcript."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from cockpit.agents.models import Session
from cockpit.config import Config
from cockpit.findings.models import Check, Finding
from cockpit.plain_text import plain_text
from skills.orchestrator.checklist import ChecklistItem, RuleReading, checklist


def session_checklist(
    session: Session,
    root: str,
    checks: Iterable[Check] | None,
    findings: Iterable[Finding] = (),
    *,
    why_not: str = "the gates were not asked",
) -> tuple[ChecklistItem, ...]:
    """The list for one session in the worktree `root`. `checks` is None where the gates were not asked there."""
    if checks is None:
        return checklist(session.phases, None, why_not)
    base = f"{root.rstrip('/')}/"
    changed = {path.removeprefix(base) for path in session.changed}
    return checklist(session.phases, rule_readings(checks, findings, changed))


def rule_readings(
    checks: Iterable[Check], findings: Iterable[Finding], changed: Collection[str]
) -> Mapping[str, RuleReading]:
    """Each rule with what it found in the files of `changed` (empty: in all files)."""
    by_rule: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.suppressed is None:
            by_rule[finding.rule].append(finding)
    found: dict[str, RuleReading] = {}
    for check in checks:
        own = by_rule.get(check.rule, [])
        here = [one for one in own if not changed or one.path in changed]
        place = f"{plain_text(here[0].path, 80)}:{here[0].line}" if here else ""
        found[check.rule] = RuleReading(
            check.status, len(here), len(own) - len(here), place, plain_text(check.reason or "", 120)
        )
    return found


def checked_lists(
    sessions: Iterable[Session], roots: Iterable[Path], config: Config
) -> dict[str, tuple[ChecklistItem, ...]]:
    """The lists of sessions by id, with the gates asked once in each of their worktrees."""
    from cockpit.findings.once import CheckRequest, check_now

    places = sorted((str(root) for root in roots), key=len, reverse=True)
    asked: dict[str, tuple[tuple[Check, ...], tuple[Finding, ...]]] = {}
    lists: dict[str, tuple[ChecklistItem, ...]] = {}
    for session in sessions:
        root = next((one for one in places if session.cwd == one or session.cwd.startswith(f"{one}/")), "")
        if not root:
            lists[session.session] = session_checklist(session, "", None, why_not="its worktree is not here")
            continue
        if root not in asked:
            outcome, _ = check_now(Path(root), config, CheckRequest())
            asked[root] = (outcome.checks, outcome.findings)
        lists[session.session] = session_checklist(session, root, *asked[root])
    return lists
