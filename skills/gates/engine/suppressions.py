"""Comments that silence a finding: `# cockpit: ignore[rule, rule] reason`. Without a reason they silence
nothing."""

import ast
from bisect import bisect_right
from collections.abc import Iterator

from skills.gates.engine.context import lines_in
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants, statements
from skills.gates.model import Suppression

MARK = b"cockpit: ignore"
_COMMENT = lazy(r"#\s*cockpit: ignore(?:\[([^\]]*)\][ \t]*[:–-]*[ \t]*(.*)|(?=\s|$))")


def find_suppressions(source: bytes, tree: ast.Module) -> tuple[Suppression, ...]:
    """Every ignore comment of a file with the lines that it covers.

    At the end of a line it covers the statement that begins or ends there (of a compound one the header);
    alone on its line, the statement below it.
    """
    spans = _Spans(tree)
    found = []
    for line, alone, text in _comments(source):
        match = _COMMENT.search(text)
        if match is None:
            continue
        rules = tuple(name for name in (part.strip() for part in (match[1] or "").split(",")) if name)
        first, last = spans.below(line) if alone else spans.touching(line)
        found.append(Suppression(first, last, rules, (match[2] or "").strip() if rules else "", line))
    return tuple(found)


def has_foreign_marks(source: bytes) -> bool:
    """A cheap test that every file with a comment for other linters passes."""
    return b"noqa" in source or b"nosec" in source or b"NOQA" in source or b"NOSEC" in source


def find_foreign(source: bytes, tree: ast.Module) -> tuple[Suppression, ...]:
    """The comments for other linters (noqa, nosec) that silence rules of ours, with the lines that they cover.

    They cover what ours cover, and a string of several lines behind whose end they stand; `ruff: noqa` and
    `flake8: noqa` the whole file.
    """
    from skills.gates.engine.noqa import foreign_comments  # few files have one

    found = []
    spans: _Spans | None = None
    texts: dict[int, int] | None = None
    for comment in foreign_comments(source):
        if comment.whole_file:
            first, last = 1, source.count(b"\n") + 1
        else:
            spans = _Spans(tree) if spans is None else spans
            first, last = spans.touching(comment.line)
            if first == last == comment.line:
                texts = _long_texts(tree) if texts is None else texts
                first = texts.get(comment.line, first)
        found.append(Suppression(first, last, comment.rules, comment.text, comment.line, foreign=True))
    return tuple(found)


def _comments(source: bytes) -> Iterator[tuple[int, bool, str]]:
    """(line, alone on its line, text) of every comment with the mark."""
    import tokenize

    mark = MARK.decode()
    try:
        tokens = list(tokenize.tokenize(iter(source.splitlines(keepends=True)).__next__))
    except (tokenize.TokenError, SyntaxError):
        # Syntax newer than this Python's tokenizer: read line by line.
        for number, text in enumerate(lines_in(source), 1):
            before, found, comment = text.partition("# " + mark)
            if found:
                yield number, not before.strip(), found + comment
        return
    for token in tokens:
        if token.type == tokenize.COMMENT and mark in token.string:
            yield token.start[0], not token.line[: token.start[1]].strip(), token.string


def _span(node: ast.stmt) -> tuple[int, int]:
    """First and last line of a statement, or of its header where it has a body."""
    first = min([node.lineno, *(part.lineno for part in getattr(node, "decorator_list", ()))])
    body = getattr(node, "body", None)
    if isinstance(body, list) and body:
        return first, max(node.lineno, body[0].lineno - 1)
    return first, node.end_lineno or node.lineno


def _long_texts(tree: ast.Module) -> dict[int, int]:
    """Last line → first line of every string of several lines: a comment for a linter stands behind its end."""
    found: dict[int, int] = {}
    for node in descendants(tree):
        if isinstance(node, (ast.JoinedStr, ast.Constant)) and (node.end_lineno or 0) > node.lineno:
            last = node.end_lineno or node.lineno
            found[last] = min(node.lineno, found.get(last, node.lineno))
    return found


class _Spans:
    """The lines of the statements of a file, told by the line of a comment."""

    def __init__(self, tree: ast.Module) -> None:
        spans = [_span(node) for node in statements(tree)]
        self._in_order = sorted(spans)
        self._shortest: dict[int, tuple[int, int]] = {}
        for span in spans:
            for line in span:
                known = self._shortest.get(line)
                if known is None or span[1] - span[0] < known[1] - known[0]:
                    self._shortest[line] = span

    def below(self, line: int) -> tuple[int, int]:
        """First and last line of the next statement, else the line itself."""
        at = bisect_right(self._in_order, line, key=lambda span: span[0])
        return self._in_order[at] if at < len(self._in_order) else (line, line)

    def touching(self, line: int) -> tuple[int, int]:
        """First and last line of the shortest statement that begins or ends on the line, else the line itself."""
        return self._shortest.get(line, (line, line))
