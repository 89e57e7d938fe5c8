"""Findings with one root cause become one issue, which weighs once."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from msgspec import structs

from skills.audit.model import Issue, issue_order
from skills.gates.model import Finding

GROUPS: tuple[tuple[frozenset[str], bool], ...] = (
    (frozenset({"scope-too-wide", "long-held-transaction"}), False),
    (frozenset({"n-update-delete-loop", "missing-bulk-ops"}), False),
    (frozenset({"redundant-fetch", "unnecessary-resolve", "over-fetching"}), False),
    (frozenset({"resource-scope-mismatch", "streaming-resource-holding", "factory-vs-injection"}), True),
    (frozenset({"unnecessary-list-allocation", "redundant-data-copies"}), False),
    (frozenset({"missing-cleanup", "error-path-leak"}), False),
    (frozenset({"blocking-io-in-async", "sync-sleep-in-async", "missing-to-thread"}), False),
)
"""Rules that see one defect each in its own way, and whether a function has it once (one injected session) or each of
its places does."""


WAITS = frozenset({"blocking-io-in-async", "missing-to-thread"})
"""Rules that tell of each call: those of one resource are one defect."""
_RECEIVER = re.compile(r"`(\w+)\.\w+\(")


def merged(issues: Iterable[Issue]) -> list[Issue]:
    """One issue for each root cause: the one that weighs most, the others named in its `also` and `merged`."""
    kept: list[Issue] = []
    for issue in sorted(issues, key=issue_order):
        place = next((n for n, other in enumerate(kept) if _same_cause(issue, other)), None)
        if place is None:
            kept.append(issue)
            continue
        first = kept[place]
        names = dict.fromkeys((*first.finding.also, issue.finding.rule, *issue.finding.also))
        names.pop(first.finding.rule, None)
        kept[place] = replace(
            first,
            finding=structs.replace(first.finding, also=tuple(names)),
            merged=(*first.merged, f"{issue.location} {issue.finding.rule}"),
        )
    return kept


def _same_cause(one: Issue, other: Issue) -> bool:
    first, second = one.finding, other.finding
    if first.path != second.path or bool(one.advisory) != bool(other.advisory):
        return False
    for rules, by_function in GROUPS:
        if first.rule in rules and second.rule in rules:
            if first.rule == second.rule and first.rule in WAITS:
                return _same_resource(first, second)
            if by_function:
                return bool(first.symbol) and first.symbol == second.symbol
            if first.rule == second.rule:
                return False
            return first.line <= second.end_line and second.line <= first.end_line
    return False


def _same_resource(one: Finding, other: Finding) -> bool:
    """True where two calls of one function wait for the same session, file or image."""
    if one.symbol != other.symbol or not one.symbol:
        return False
    first, second = _made_at(one), _made_at(other)
    return first is not None and first == second


def _made_at(finding: Finding) -> int | None:
    """The line that makes what a finding's call is a method of, which may be its own; None where none is named."""
    name = _RECEIVER.match(finding.message)
    for link in finding.evidence:
        if name is not None and link.path == finding.path and re.match(rf"(?!read as )[^`]*\b{name[1]}\b", link.text):
            return link.line
    return finding.line if name is not None else None


def note_lines(issues: Sequence[Issue]) -> list[str]:
    """What was counted once, a line each."""
    return [
        f"{issue.location} {issue.finding.rule} also stands for " + ", ".join(issue.merged)
        for issue in issues
        if issue.merged
    ]
