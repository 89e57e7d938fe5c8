"""Writing `# cockpit: ignore[rule] reason` at the right place of a file: a plan with its diff first, then the file."""

import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from cockpit.errors import CannotAnswer
from cockpit.findings.patch import Patch, apply_patch, encoding_of, physical_lines, read_source, unified_diff
from cockpit.plain_text import plain_text
from skills.gates import RULES, analyse
from skills.gates.model import TENANT_FIELDS, FileReport, Finding

__all__ = ["Patch", "apply_patch", "plan_ignore"]

_EXISTING = re.compile(r"#\s*cockpit: ignore\[([^\]]*)\][ \t]*[:–-]*[ \t]*(.*)")


def plan_ignore(root: Path, finding: Finding, reason: str, tenant_fields: tuple[str, ...] = TENANT_FIELDS) -> Patch:
    """The change that silences `finding` for `reason`.

    The comment goes to the end of the line of the finding, else to another line of its statement, else above it; a
    comment that is there already gets the rule added. Whether it silences the finding is tried before it is offered.
    `tenant_fields` are those that the finding was found with.
    Raises `CannotAnswer` without a reason, and where the file cannot be read or the finding is no longer in it.
    """
    said = plain_text(reason, 200).strip()
    if not said:
        raise CannotAnswer("a comment that silences a finding needs a reason")
    if not finding.path.endswith(".py"):
        raise CannotAnswer(f"{plain_text(finding.path, 200)} is no Python file: comments are read in those only")
    before = read_source(root, finding.path)
    line = _line_now(finding, analyse(finding.path, before, tenant_fields=tenant_fields))
    encoding = encoding_of(before)
    lines = physical_lines(before.decode(encoding, "surrogateescape"))
    for number, changed in _attempts(lines, line, finding, said):
        try:
            after = "".join(changed).encode(encoding, "surrogateescape")
        except UnicodeEncodeError:
            raise CannotAnswer(f"the reason cannot be written in the file's encoding ({encoding})") from None
        report = analyse(finding.path, after, tenant_fields=tenant_fields)
        if _silences(report, finding, line + (len(changed) - len(lines)), said):
            return Patch(root, finding.path, number, before, after, unified_diff(finding.path, lines, changed))
    raise CannotAnswer(
        f"{finding.path}:{line}: no place for a comment was found", "write it by hand above the statement"
    )


def _line_now(finding: Finding, report: FileReport) -> int:
    """The line of the finding in the file as it is now."""
    if report.problem is not None:
        raise CannotAnswer(
            f"{finding.path}:{report.problem.line}: {plain_text(report.problem.message, 120)}", "mend that first"
        )
    if finding.rule not in RULES:  # another tool's: it is not asked again here
        return finding.line
    stem = finding.fingerprint.partition("-")[0]
    lines = [found.line for found in report.candidates if found.rule == finding.rule and found.fingerprint == stem]
    if not lines:
        raise CannotAnswer(f"{finding.path}: the finding {finding.rule} is no longer there")
    return min(lines, key=lambda line: abs(line - finding.line))


def _attempts(lines: list[str], line: int, finding: Finding, reason: str) -> Iterator[tuple[int, list[str]]]:
    """(line, changed lines) for each place where the comment may stand, the best first."""
    closed = _closed_lines(lines)
    span = max(0, finding.end_line - finding.line)
    for number in dict.fromkeys(
        (line, line + span, *range(line + 1, line + 40), *range(line - 1, max(0, line - 40), -1))
    ):
        if 0 < number <= len(lines) and number not in closed:
            yield (
                number,
                [*lines[: number - 1], _with_comment(lines[number - 1], finding.rule, reason), *lines[number:]],
            )
    for number in range(min(line, len(lines)), max(0, line - 40), -1):
        text = lines[number - 1]
        indent = text[: len(text) - len(text.lstrip(" \t"))]
        alone = f"{indent}# cockpit: ignore[{finding.rule}] {reason}{_ending(text) or chr(10)}"
        yield number, [*lines[: number - 1], alone, *lines[number - 1 :]]


def _with_comment(text: str, rule: str, reason: str) -> str:
    ending = _ending(text)
    body = text[: len(text) - len(ending)].rstrip()
    found = _EXISTING.search(body)
    if found is None:
        return f"{body}  # cockpit: ignore[{rule}] {reason}{ending}"
    rules = [name for name in (part.strip() for part in found[1].split(",")) if name]
    rules += [] if rule in rules else [rule]
    old = found[2].strip()
    both = old if old == reason else "; ".join(part for part in (old, reason) if part)
    return f"{body[: found.start()]}# cockpit: ignore[{', '.join(rules)}] {both}{ending}"


def _ending(text: str) -> str:
    return text[len(text.rstrip("\r\n")) :]


def _closed_lines(lines: list[str]) -> set[int]:
    """Lines after which no comment can stand: inside a string of several lines, or continued by a backslash."""
    closed = {number for number, text in enumerate(lines, 1) if text.rstrip("\r\n").endswith("\\")}
    try:
        for token in tokenize.generate_tokens(iter(lines).__next__):
            if token.type not in (tokenize.NEWLINE, tokenize.NL, tokenize.ENDMARKER):
                closed.update(range(token.start[0], token.end[0]))
    except (tokenize.TokenError, SyntaxError, StopIteration):
        return closed
    return closed


def _silences(report: FileReport, finding: Finding, line: int, reason: str) -> bool:
    return report.problem is None and any(
        finding.rule in comment.rules and reason in comment.reason and comment.covers(line)
        for comment in report.suppressions
    )
