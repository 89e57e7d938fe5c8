"""Code with a finding in it: the lines around it, what the rule says, and the evidence."""

from collections.abc import Mapping, Sequence

from rich.cells import cell_len

from cockpit.findings.models import CheckProblem, Finding
from cockpit.plain_text import plain_text
from skills.gates.security.secret_values import shows_secret, without_literals
from widgets.finding_lines import glyph_of
from widgets.line_view import FixedLines
from widgets.lines import Line, Span, line, pad


def wrapped(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` characters, cut at spaces."""
    import textwrap

    return textwrap.wrap(plain_text(text), max(20, width)) or [""]


def above_in(height: int) -> int:
    """How many lines of code stand above a finding, so that its own is on screen in a terminal of `height` lines."""
    return max(2, min(8, height // 5))


def code_lines(
    row: Finding | CheckProblem, source: Sequence[str], above: int, below: int, width: int = 200
) -> list[Line]:
    """The lines of a finding, or of a place that could not be judged, with their numbers; the lines around them
    dimmer, carets under a finding's place where they fit into `width` cells, else the place itself stands out. Of a
    secret only the beginning is shown."""
    glyph, token = glyph_of(row) if isinstance(row, Finding) else ("?", "warn")
    end = max(row.end_line, row.line) if isinstance(row, Finding) else row.line
    secret = isinstance(row, Finding) and shows_secret(row.rule, row.also)
    rows: list[Line] = []
    last = min(len(source), end + below)
    size = len(str(last))
    for number in range(max(1, row.line - above), last + 1):
        inside = row.line <= number <= end
        text = _shown(without_literals(source[number - 1]) if secret and inside else source[number - 1])
        mark: Span = (f"{glyph if number == row.line else ' '} ", token)
        head: Line = (mark, (f"{number:>{size}} ", "faint"))
        if secret or not (isinstance(row, Finding) and number == row.line == end and row.end_column > row.column):
            rows.append((*head, (text, "strong" if inside else "muted")))
            continue
        before, place = (_shown(source[number - 1][: column - 1]) for column in (row.column, row.end_column))
        place = place[len(before) :]
        if size + 3 + cell_len(text) > width:
            rest = text[len(before) + len(place) :]
            rows.append((*head, (before, "strong"), (place, token), (rest, "strong")))
        else:
            carets = " " * cell_len(before) + "^" * min(120, max(1, cell_len(place)))
            rows += [(*head, (text, "strong")), ((" " * (size + 3), "text"), (carets, token))]
    return rows


def _shown(code: str) -> str:
    """A line of code, or its beginning, as it is drawn."""
    return plain_text(code.expandtabs(4), 300)


def explanation(finding: Finding | CheckProblem, width: int) -> list[Line]:
    """Message, help and the chain of evidence; of what could not be judged, why not."""
    if isinstance(finding, CheckProblem):
        return [line(("? ", "warn"), (text, "text")) for text in wrapped(finding.message, width - 2)]
    rows = [line((text, "text")) for text in wrapped(finding.message, width)]
    if finding.help:
        rows += [
            line(("→ " if not place else "  ", "accent"), (text, "muted"))
            for place, text in enumerate(wrapped(finding.help, width - 2))
        ]
    for link in finding.evidence:
        where = f"{plain_text(link.path)}:{link.line}" if link.line else plain_text(link.path)
        rows.append(line(("because ", "faint"), (f"{where} ", "info"), (plain_text(link.text, 200), "muted")))
    facts = [
        "audit" if finding.gate == "none" else finding.gate,
        finding.severity,
        finding.confidence,
        finding.skill,
        f"in {finding.symbol}" if finding.symbol else "",
    ]
    rows.append(line((plain_text(" · ".join(fact for fact in facts if fact)), "faint")))
    return rows


def rule_lines(document: Mapping[str, object], width: int) -> list[Line]:
    """What `cockpit rules` says about a rule: what it catches, why, when, its sources, and a bad and a good example."""
    rows: list[Line] = []
    sources = document.get("sources")
    said = {**document, "source": ", ".join(map(str, sources)) if isinstance(sources, list) else ""}
    for key in ("catches", "why", "when", "source"):
        if text := str(said.get(key) or ""):
            lead = pad(key, 9)
            for place, part in enumerate(wrapped(text, width - 10)):
                rows.append(line((lead if not place else " " * 9, "faint"), (part, "text")))
    for key, token in (("bad", "bad"), ("good", "good")):
        examples = document.get(key)
        shown = examples[-1] if isinstance(examples, list) and examples else None
        if isinstance(shown, Mapping):
            rows += [(), line((f"{key}  ", token), (plain_text(shown.get("path", "")), "faint"))]
            source = str(shown.get("source", "")).rstrip().splitlines()
            rows += [line(("│ ", token), (plain_text(text.expandtabs(4), 300), "muted")) for text in source]
    return rows


class CodeView(FixedLines):
    """Shows a finding in its code. `show` is given the file's lines; this widget reads nothing."""

    def show(self, finding: Finding | None, source: Sequence[str], *, note: str = "") -> None:
        """Show `finding` in `source` (the file's lines; empty where it could not be read, `note` says why)."""
        if finding is None:
            self.set_title(line("Code"))
            self.show_lines([line(("Choose a finding to see its code.", "faint"))])
            return
        self.set_title(line(f"{plain_text(finding.path)}:{finding.line} · {plain_text(finding.rule)}"))
        width, height = self.scrollable_content_region.size
        text = explanation(finding, max(30, width - 1))
        room = max(3, height - len(text) - 3)
        above = min(6, room // 2)
        rows = code_lines(finding, source, above, max(1, room - above - 1), width) if source else [line((note, "warn"))]
        self.show_lines([*rows, (), *text])
