"""Fixing a file: all findings at once, judged again; where that is not right, by rule and in halves."""

import ast
from collections import Counter
from collections.abc import Sequence
from importlib import import_module

from msgspec.structs import replace

from skills.gates import analyse
from skills.gates.engine.syntax import statements
from skills.gates.engine.walk import parse
from skills.gates.fixes.document import Document, encoded, lines_of
from skills.gates.fixes.model import CannotFix, Fixer, FixResult
from skills.gates.fixes.registry import FIXES
from skills.gates.model import FileReport, Finding

_MARK = "\ufeff"
_ORDINAL = 2


class _TooLong(CannotFix):
    """The fix alone makes a line too long: it does whatever else is fixed."""


class _State:
    """A text on the way, with its report."""

    def __init__(self, path: str, text: str, longest: int | None) -> None:
        self.path = path
        self.longest = longest
        self.text = text
        self.report = _report(path, text)
        self.first = frozenset(found.fingerprint for found in self.report.candidates)
        self.document: Document | None = None
        self.too_long: set[str] = set()
        self.fixed: set[str] = set()
        self.unfixable: dict[str, str] = {}


def fix(source: str, findings: Sequence[Finding], longest: int | None = None) -> FixResult:
    """The source with as many of the findings (of one file) mended as can be. Pure, and never raises `CannotFix`.

    A fix counts only where the finding is gone, no rule finds anything new, every statement outside the changed
    lines is what it was, and no more lines than before have more than `longest` characters (None: any length).
    """
    if not findings:
        return FixResult(source)
    mark = _MARK if source.startswith(_MARK) else ""
    try:
        state = _State(findings[0].path, source.removeprefix(_MARK), longest)
    except CannotFix as refusal:
        return FixResult(source, unfixable={finding.fingerprint: str(refusal) for finding in findings})
    known = []
    for finding in findings:
        if finding.rule not in FIXES:
            state.unfixable[finding.fingerprint] = _elsewhere(finding.rule)
        elif finding.confidence == "needs_context":
            state.unfixable[finding.fingerprint] = "only a person knows whether it matters here"
        else:
            known.append(finding)
    before = -1
    while known and before < len(state.fixed):  # one fix can make way for another
        before = len(state.fixed)
        state.unfixable = {
            key: why for key, why in state.unfixable.items() if key not in {one.fingerprint for one in known}
        }
        _fix_all(state, known)
        left = state.unfixable.keys() - state.too_long
        known = [finding for finding in known if finding.fingerprint in left]
    return FixResult(mark + state.text, frozenset(state.fixed), state.unfixable)


def _elsewhere(rule: str) -> str:
    """Why a rule that has no fixer is not mended here."""
    tool, of_tool, code = rule.partition("/")
    return (
        f"{tool} mends it itself: ruff check --fix --select {code}"
        if of_tool and tool == "ruff"
        else "this rule has none"
    )


def _fix_all(state: _State, findings: Sequence[Finding]) -> None:
    """Fix a group at once, or its halves where the group does not stand the test."""
    located = []
    for finding in findings:
        now = _located(finding, state.report, state.first)
        if now is None:
            state.unfixable[finding.fingerprint] = "it is no longer there"
        else:
            located.append(now)
    if not located:
        return
    try:
        _fix_group(state, located)
    except CannotFix as refusal:
        if len(located) == 1 or _is_whole(located):
            for finding in located:
                state.unfixable[finding.fingerprint] = str(refusal)
                if isinstance(refusal, _TooLong):
                    state.too_long.add(finding.fingerprint)
            return
        for part in _parts(located):
            _fix_all(state, part)


def _is_whole(findings: list[Finding]) -> bool:
    """Whether all are of a rule that mends all of a file or none."""
    return {finding.rule for finding in findings} == {findings[0].rule} and FIXES[findings[0].rule].whole


def _parts(findings: list[Finding]) -> list[list[Finding]]:
    """A group in parts: its rules, or the halves of a single rule's."""
    rules = dict.fromkeys(finding.rule for finding in findings)
    if len(rules) > 1:
        return [[finding for finding in findings if finding.rule == rule] for rule in rules]
    middle = len(findings) // 2
    return [findings[:middle], findings[middle:]]


def _fix_group(state: _State, findings: Sequence[Finding]) -> None:
    """Note every change, apply them, and accept the text where it stands the test. Raises `CannotFix`."""
    document = _document(state)
    done = []
    for finding in findings:
        fixer = FIXES[finding.rule]
        try:
            _run(fixer, document, finding)
        except CannotFix as refusal:
            state.unfixable[finding.fingerprint] = str(refusal)
        else:
            done.append(finding)
    if not done:
        return
    text = _text(document)
    _fits(state.text, text, state.longest)  # the cheapest question first: what fails is tried in parts
    report = _report(state.path, text)
    _accept(state.report, report, done)
    _same_elsewhere(state.text, text)
    state.text, state.report, state.document = text, report, None
    state.fixed.update(finding.fingerprint for finding in done)


def _document(state: _State) -> Document:
    """The text on the way, parsed once for all groups that are tried on it."""
    if state.document is None:
        needs = {
            (found.rule, found.line, found.column, found.end_line, found.end_column): found.needs
            for found in state.report.candidates
        }
        state.document = Document(state.path, state.text, needs)
    return state.document.again()


def _run(fixer: Fixer, document: Document, finding: Finding) -> None:
    mark = document.mark()
    try:
        getattr(import_module(fixer.module), fixer.function)(document, finding)
    except CannotFix:
        document.take_back(mark)
        raise
    except Exception as error:  # a fixer's own mistake must not cost the fixes of the others
        document.take_back(mark)
        raise CannotFix(f"its fixer failed ({type(error).__name__}: {error})"[:200]) from error


def _text(document: Document) -> str:
    try:
        return document.text()
    except CannotFix:
        raise
    except Exception as error:  # changes that no valid tree follows from are refused, whatever they trip over
        raise CannotFix(f"the change makes no valid code ({type(error).__name__}: {error})"[:200]) from error


def _report(path: str, text: str) -> FileReport:
    report = analyse(path, encoded(text))
    if report.problem is not None:
        raise CannotFix(report.problem.message)
    return report


def _located(finding: Finding, report: FileReport, first: frozenset[str]) -> Finding | None:
    """The finding where it stands now, None where it does not.

    Among equal statements the ordinal in the fingerprint counts; it shifts where an equal one before was mended. Where
    a fix changed the statement that it stands in, it is one that the file did not have at `first`: no fix adds any.
    """
    of_rule = [found for found in report.candidates if found.rule == finding.rule]
    known = finding.fingerprint.partition("-")[0]
    same = [found for found in of_rule if found.fingerprint == known]
    same = same or [found for found in of_rule if found.fingerprint[:-_ORDINAL] == known[:-_ORDINAL]]
    same = same or [found for found in of_rule if found.symbol == finding.symbol and found.fingerprint not in first]
    if not same:
        return None
    now = min(same, key=lambda found: (abs(found.line - finding.line), abs(found.column - finding.column)))
    return replace(finding, line=now.line, column=now.column, end_line=now.end_line, end_column=now.end_column)


def _accept(before: FileReport, after: FileReport, done: Sequence[Finding]) -> None:
    """Raises `CannotFix` unless the findings are gone and no rule has more to say than before."""
    old, new = (Counter(found.rule for found in report.candidates) for report in (before, after))
    mended = Counter(finding.rule for finding in done)
    for rule in mended:
        if new[rule] > old[rule] - mended[rule]:
            raise CannotFix("the rule still finds it afterwards")
    for rule in new:
        if new[rule] > old[rule]:
            raise CannotFix(f"the change would be a finding of {rule}")
    if set(after.crashed) - set(before.crashed):
        raise CannotFix("a rule fails on the changed file")


def _fits(before: str, after: str, longest: int | None) -> None:
    """Raises `CannotFix` where more lines than before are longer than the project lets them be."""
    if longest is None:
        return
    old, new = (sum(len(line.rstrip("\r\n")) > longest for line in lines_of(text)) for text in (before, after))
    if new > old:
        raise _TooLong(f"a line would be longer than the {longest} characters that the project allows")


def _same_elsewhere(before: str, after: str) -> None:
    """Raises `CannotFix` where a statement outside the changed lines is no longer what it was."""
    old, new = lines_of(before), lines_of(after)
    same = 0
    while same < min(len(old), len(new)) and old[same] == new[same]:
        same += 1
    end = 0
    while end < min(len(old), len(new)) - same and old[-1 - end] == new[-1 - end]:
        end += 1
    untouched = _statements(before, same, len(old) - end)
    if untouched - _statements(after, len(new), len(new)):
        raise CannotFix("the change would reach beyond its own lines")


def _statements(text: str, first: int, last: int) -> Counter[str]:
    """The statements (headers of those with a body) outside of the lines first < line <= last."""
    tree, _ = parse(encoded(text))
    if tree is None:
        raise CannotFix("the changed file would not parse")
    found: Counter[str] = Counter()
    for node in statements(tree):
        if (node.end_lineno or node.lineno) <= first or node.lineno > last or first >= last:
            bodies = {name: getattr(node, name) for name in ("body", "orelse", "finalbody", "handlers", "cases")
                      if isinstance(getattr(node, name, None), list)}  # fmt: skip
            for name in bodies:
                setattr(node, name, [])
            found[ast.dump(node)] += 1
            for name, body in bodies.items():
                setattr(node, name, body)
    return found
