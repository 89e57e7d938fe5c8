"""Comments that silence a finding: `# cockpit: ignore[rule, rule] reason`. Without a reason they silence
nothing."""

import ast
from collections.abc import Iterator

from skills.gates.context import decode
from skills.gates.model import Suppression
from skills.gates.patterns import lazy
from skills.gates.syntax import descendants, statements

MARK = b"cockpit: ignore"
_COMMENT = lazy(r"#\s*cockpit: ignore(?:\[([^\]]*)\][ \t]*[:–-]*[ \t]*(.*)|(?=\s|$))")


def find_suppressions(source: bytes, tree: ast.Module) -> tuple[Suppression, ...]:
    """Every ignore comment of a file with the lines that it covers.

    At the end of a line it covers the statement that begins or ends there (of a compound one the header);
    alone on its line, the statement below it.
    """
    spans = [_span(node) for node in statements(tree)]
    found = []
    for line, alone, text in _comments(source):
        match = _COMMENT.search(text)
        if match is None:
            continue
        rules = tuple(name for name in (part.strip() for part in (match[1] or "").split(",")) if name)
        first, last = _covered(line, alone, spans)
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
    from skills.gates.noqa import foreign_comments  # few files have one

    found = []
    spans: list[tuple[int, int]] | None = None
    texts: list[tuple[int, int]] | None = None
    for comment in foreign_comments(source):
        if comment.whole_file:
            first, last = 1, source.count(b"\n") + 1
        else:
            spans = [_span(node) for node in statements(tree)] if spans is None else spans
            first, last = _covered(comment.line, False, spans)
            if first == last == comment.line:
                texts = _long_texts(tree) if texts is None else texts
                first = min([start for start, end in texts if end == comment.line], default=first)
        found.append(Suppression(first, last, comment.rules, comment.text, comment.line, foreign=True))
    return tuple(found)


def _comments(source: bytes) -> Iterator[tuple[int, bool, str]]:
    """(line, alone on its line, text) of every comment with the mark."""
    import tokenize

    mark = MARK.decode()
    try:
        for token in tokenize.tokenize(iter(source.splitlines(keepends=True)).__next__):
            if token.type == tokenize.COMMENT and mark in token.string:
                yield token.start[0], not token.line[: token.start[1]].strip(), token.string
    except (tokenize.TokenError, SyntaxError):
        # Syntax newer than this Python's tokenizer: what it could not read is read line by line.
        for number, text in enumerate(decode(source).splitlines(), 1):
            before, found, comment = text.partition("# " + mark)
            if found:
                yield number, not before.strip(), found + comment


def _span(node: ast.stmt) -> tuple[int, int]:
    """First and last line of a statement, or of its header where it has a body."""
    first = min([node.lineno, *(part.lineno for part in getattr(node, "decorator_list", ()))])
    body = getattr(node, "body", None)
    if isinstance(body, list) and body:
        return first, max(node.lineno, body[0].lineno - 1)
    return first, node.end_lineno or node.lineno


def _long_texts(tree: ast.Module) -> list[tuple[int, int]]:
    """First and last line of every string of several lines: a comment for a linter stands behind its end."""
    return [
        (node.lineno, node.end_lineno or node.lineno)
        for node in descendants(tree)
        if isinstance(node, (ast.JoinedStr, ast.Constant)) and (node.end_lineno or 0) > node.lineno
    ]


def _covered(line: int, alone: bool, spans: list[tuple[int, int]]) -> tuple[int, int]:
    if alone:
        below = [span for span in spans if span[0] > line]
        return min(below, default=(line, line))
    touching = [span for span in spans if line in span]
    if not touching:
        return line, line
    first, last = min(touching, key=lambda span: span[1] - span[0])
    return min(first, line), max(last, line)
