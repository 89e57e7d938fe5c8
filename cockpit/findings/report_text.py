"""The outcome of a check as text: by gate and file, with the line of code, and what was looked at.

A terminal is given it in its own colours, and in lines that fit; a pipe has one line for each thing.
"""

import os
import sys
from collections.abc import Callable, Iterator

from cockpit.findings.models import GateResult
from cockpit.findings.outcome import Outcome
from cockpit.plain_text import plain_text
from skills.gates.model import Evidence, Finding
from skills.gates.security.secret_values import shows_secret, without_literals
from skills.record import record

Lines = Callable[[str], list[str]]
_TITLES = {"P0": "P0  blocks", "P1": "P1  should be mended", "P2": "P2  worth a look", "none": "audit"}
_WORDS = {"pass": "pass", "fail": "fail", "not_run": "not run", "not_applicable": "not applicable"}
_COLOURS = {"P0": "1;31", "P1": "33", "P2": "36", "none": "36", "pass": "32", "not_run": "33"}
_COLOURS |= {"path": "1", "faint": "2", "CRITICAL": "1;31", "HIGH": "33", "MEDIUM": "36"}
_LEAST = 24
"""The cells that a message needs beside its place and rule; it stands below them where it has fewer."""

_GATES = 72
"""The cells that the answers of three gates may need on one line."""


@record
class Terminal:
    """What a report is written for: `width` cells, 0 for lines of any length."""

    width: int = 0
    colours: bool = False

    @classmethod
    def of_output(cls) -> "Terminal | None":
        """That of the output; None where it is a pipe, a file, or who asked a warm process."""
        if not sys.stdout.isatty():
            return None
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return cls(os.get_terminal_size(1).columns, not plain)

    def painted(self, text: str, look: str) -> str:
        """The text in the colour of a gate, a status or a part."""
        return f"\x1b[{_COLOURS[look]}m{text}\x1b[0m" if self.colours and look in _COLOURS else text

    def wrapped(self, lead: str, text: str, look: str = "") -> Iterator[str]:
        """`text` behind `lead`; what does not fit goes on below its beginning."""
        if not self.width or len(lead) + len(text) <= self.width:
            yield lead + self.painted(text, look)
            return
        import textwrap  # most lines fit, and a hook feels the import

        for line in textwrap.wrap(text, max(_LEAST, self.width - len(lead))) or [""]:
            yield lead + self.painted(line, look)
            lead = " " * len(lead)

    def cut(self, text: str, room: int) -> str:
        """The beginning of a line of code, as much as fits beside `room` cells."""
        return text if not self.width or len(text) <= self.width - room else f"{text[: max(8, self.width - room - 1)]}…"


def report_lines(outcome: Outcome, lines_of: Lines, seconds: float, terminal: Terminal | None = None) -> Iterator[str]:
    """The report, line by line. `lines_of` answers the lines of a file (none where it cannot be read)."""
    terminal = terminal or Terminal()
    shown = [finding for finding in outcome.open if finding.baseline == "new"]
    for gate, title in _TITLES.items():
        group = [finding for finding in shown if finding.gate == gate]
        if group:
            yield terminal.painted(f"{title} · {len(group)}", gate)
            yield from _gate(group, lines_of, terminal)
            yield ""
    if outcome.problems:
        yield terminal.painted(f"cannot be judged · {len(outcome.problems)}", "P0")
        for problem in outcome.problems:
            lead = f"  {plain_text(problem.path)}:{problem.line}  "
            yield from terminal.wrapped(lead, plain_text(problem.message, 200))
        yield ""
    yield from _unanswered(outcome, terminal)
    yield from _summary(outcome, seconds, terminal)


def _gate(findings: list[Finding], lines_of: Lines, terminal: Terminal) -> Iterator[str]:
    places = [f"{finding.line}:{finding.column}" for finding in findings]
    wide = max(map(len, places))
    rules = max(len(finding.rule) for finding in findings)
    below = " " * (wide + 6)
    path, lines, said = "", list[str](), set[Evidence]()
    for finding, place in zip(findings, places, strict=True):
        if finding.path != path:
            path, lines, said = finding.path, lines_of(finding.path), set()
            yield "  " + terminal.painted(plain_text(path), "path")
        message = plain_text(finding.message, 200)
        head = f"    {place:>{wide}}  " + terminal.painted(f"{finding.rule:<{rules}}", finding.gate)
        if terminal.width and terminal.width - len(below) - rules - 2 < min(_LEAST, len(message)):
            yield head
            yield from terminal.wrapped(below, message)
        else:
            beside = below + " " * (rules + 2)
            first, *more = terminal.wrapped(beside, message)
            yield f"{head}  {first[len(beside) :]}"
            yield from more
        if 0 < finding.line <= len(lines):
            code = lines[finding.line - 1].strip()
            shown = without_literals(code) if shows_secret(finding.rule, finding.also) else code
            yield below + terminal.painted(f"| {terminal.cut(plain_text(shown, 120), len(below) + 2)}", "faint")
        for link in finding.evidence:
            if link not in said:  # what a file is, and what a chain starts with, is told once
                said.add(link)
                where = f"line {link.line}" if link.path == path else f"{plain_text(link.path)}:{link.line}"
                yield from terminal.wrapped(below, f"because {where}: {plain_text(link.text, 160)}", "faint")


def _unanswered(outcome: Outcome, terminal: Terminal) -> Iterator[str]:
    """Why a rule did not run, each reason once, and what else a tool that failed may have to say."""
    from skills.gates import RULES

    reasons: dict[str, list[str]] = {}
    in_part: list[str] = []
    for check in outcome.checks:
        if check.status == "not_run":
            reasons.setdefault(check.reason or "", []).append(check.rule)
        elif check.reason and check.status == "fail" and check.rule not in RULES:
            in_part.append(f"{check.rule}: {plain_text(check.reason, 200)}")
    for reason, rules in reasons.items():
        yield from terminal.wrapped("not run: ", f"{', '.join(rules)}: {plain_text(reason, 200)}", "not_run")
    for told in in_part:
        yield from terminal.wrapped("in part: ", told, "not_run")
    if reasons or in_part:
        yield ""


def _summary(outcome: Outcome, seconds: float, terminal: Terminal) -> Iterator[str]:
    gap = " · " if not 0 < terminal.width < _GATES else "\n         "
    yield "gates    " + gap.join(_gate_words(gate, terminal) for gate in outcome.gates)
    yield from terminal.wrapped("tenancy  ", f"{outcome.tenancy.mode}: {plain_text(outcome.tenancy.why, 200)}")
    files = outcome.files
    why = ", ".join(f"{count} {reason}" for reason, count in outcome.skipped.items())
    counted = f"{files.seen} seen, {files.parsed} parsed, {files.cached} cached, {files.skipped} skipped"
    yield from terminal.wrapped("files    ", f"{counted}{f' ({why})' if why else ''} · {seconds:.2f} s")
    silenced = sum(finding.suppressed is not None for finding in outcome.findings)
    known = sum(finding.baseline == "known" for finding in outcome.open)
    if silenced or known:
        yield from terminal.wrapped("aside    ", f"{silenced} silenced by a comment, {known} known in the baseline")
    for note in outcome.notes:
        yield from terminal.wrapped("note     ", plain_text(note, 200))


def _gate_words(gate: GateResult, terminal: Terminal) -> str:
    words = f"{gate.gate} {_WORDS[gate.status]}" + (f" {gate.count}" if gate.count else "")
    return terminal.painted(words, gate.gate if gate.status == "fail" else gate.status)
