"""Comments that silence a finding: `# cockpit: ignore[rule, rule] reason`. Without a reason they silence
nothing."""

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any

from skills.gates.engine.context import lines_in
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import BLOCKS, SCOPES, descendants, header_of
from skills.gates.model import MARK, Suppression

_NEXT = r"(?=#[ \t]*(?:cockpit:|noqa\b|nosec\b|ruff:|flake8:|type:|mypy:|pyright:|pylint:|fmt:|isort:|pragma\b)|$)"
_COMMENT = lazy(
    rf"#\s*cockpit:\s*ignore(?:\s*\[(?P<rules>[^\]]*)\][ \t]*[:–—-]*[ \t]*(?P<reason>.*?)[ \t]*{_NEXT}|(?=[\s\[-]|$))"
)
_WORD = lazy(r"\w")


def find_suppressions(source: bytes, tree: ast.Module) -> tuple[Suppression, ...]:
    """Every ignore comment of a file with the lines that it covers.

    At the end of a line it covers the statement that begins or ends there (of a compound one the header);
    alone on its line, the statement below it. Inside a statement it covers its line, or the next one with code
    where it stands alone, and in the header of a function or class that one's own line as well.
    """
    spans = _Spans(source, tree)
    found = []
    for line, alone, text in _comments(source):
        for match in _COMMENT.finditer(text):
            rules = tuple(name for name in (part.strip() for part in (match["rules"] or "").split(",")) if name)
            reason = match["reason"] or ""
            first, last, head = spans.below(line) if alone else spans.touching(line)
            said = reason if rules and _WORD.search(reason) else ""
            found.append(Suppression(first, last, rules, said, line, head=head))
    return tuple(found)


def has_foreign_marks(source: bytes) -> bool:
    """A cheap test that every file with a comment for other linters passes."""
    return b"noqa" in source or b"nosec" in source or b"NOQA" in source or b"NOSEC" in source


def find_foreign(source: bytes, tree: ast.Module) -> tuple[Suppression, ...]:
    """The comments for other linters (noqa, nosec) that silence rules of ours, with the lines that they cover.

    They cover what ours cover, and a string of several lines behind whose end they stand; `ruff: noqa` and
    `flake8: noqa` the whole file. What a string says is no comment.
    """
    from skills.gates.engine.noqa import foreign_comments  # few files have one

    texts: _Texts | None = None
    spans: _Spans | None = None
    found = []
    for comment in foreign_comments(source):
        if comment.doubtful:
            texts = _Texts(source, tree) if texts is None else texts
            if texts.hold(comment.line, comment.column):
                continue
        head = 0
        if comment.whole_file:
            first, last = 1, source.count(b"\n") + 1
        else:
            spans = _Spans(source, tree) if spans is None else spans
            first, last, head = spans.touching(comment.line)
            if first == last == comment.line:
                texts = _Texts(source, tree) if texts is None else texts
                first = texts.begin_of(comment.line)
        found.append(Suppression(first, last, comment.rules, comment.text, comment.line, foreign=True, head=head))
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


class _Texts:
    """Where the strings of a file stand."""

    def __init__(self, source: bytes, tree: ast.Module) -> None:
        self._source = source
        self._begins: dict[int, int] = {}  # last line → first line of every string of several lines
        self._places: dict[int, list[tuple[int, int]]] = {}  # line → columns (from, to) of strings of that line alone
        self._long: list[tuple[int, int]] = []
        self._signs: set[tuple[int, int]] | None = None
        self._read = False
        for node in descendants(tree):
            if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
                first, last = node.lineno, node.end_lineno or node.lineno
                if last > first:
                    self._begins[last] = min(first, self._begins.get(last, first))
                    self._long.append((first, last))
                else:
                    self._places.setdefault(first, []).append((node.col_offset, node.end_col_offset or 0))

    def begin_of(self, line: int) -> int:
        """The line on which the string of several lines begins that ends on this one, else the line itself."""
        return self._begins.get(line, line)

    def hold(self, line: int, column: int) -> bool:
        """True where what stands there (column in bytes, from 0) is part of a string."""
        if any(first <= column < last for first, last in self._places.get(line, ())):
            return True
        if not any(first <= line <= last for first, last in self._long):
            return False
        if not self._read:  # between the parts of a string there can be comments: only the tokenizer knows
            self._signs, self._read = _comment_signs(self._source), True
        return self._signs is not None and (line, column) not in self._signs


def _comment_signs(source: bytes) -> set[tuple[int, int]] | None:
    """(line, column in bytes) of every # that begins a comment or stands in one; None where the tokenizer gives up."""
    import tokenize

    found: set[tuple[int, int]] = set()
    try:
        for token in tokenize.tokenize(iter(source.splitlines(keepends=True)).__next__):
            if token.type == tokenize.COMMENT:
                start = len(token.line[: token.start[1]].encode("utf-8", "replace"))
                signs = token.string.encode("utf-8", "replace")
                found.update((token.start[0], start + at) for at, sign in enumerate(signs) if sign == ord("#"))
    except (tokenize.TokenError, SyntaxError):
        return None
    return found


class _Spans:
    """The lines of the statements of a file, of those with a block the headers, told by the line of a comment."""

    def __init__(self, source: bytes, tree: ast.Module) -> None:
        self._lines = lines_in(source)
        self._heads: dict[tuple[int, int], int] = {}
        self._in_order: list[tuple[int, int]] = []
        self._shortest: dict[int, tuple[int, int]] = {}
        stack: list[Any] = [tree]
        while stack:
            node = stack.pop()
            if node is not tree:
                self._add(node)
            for name in BLOCKS[node.__class__]:
                stack += getattr(node, name)
        self._in_order.sort()

    def _add(self, node: ast.AST) -> None:
        header = header_of(node, self._lines)
        first, last = span = header[0], header[-1]
        self._in_order.append(span)
        if node.__class__ in SCOPES:
            self._heads[span] = node.lineno  # type: ignore[attr-defined]
        for end in span:
            known = self._shortest.get(end)
            if known is None or last - first < known[1] - known[0]:
                self._shortest[end] = span

    def _has_code(self, line: int) -> bool:
        text = self._lines[line - 1].strip() if line <= len(self._lines) else ""
        return bool(text) and not text.startswith("#")

    def below(self, line: int) -> tuple[int, int, int]:
        """What a comment alone on its line covers: first and last line, and the line of a header around it, else 0."""
        inside = self._around(line)
        if inside is not None:
            code = next((at for at in range(line + 1, inside[1] + 1) if self._has_code(at)), line)
            return code, code, self._heads.get(inside, 0)
        at = bisect_right(self._in_order, line, key=lambda span: span[0])
        return (*(self._in_order[at] if at < len(self._in_order) else (line, line)), 0)

    def touching(self, line: int) -> tuple[int, int, int]:
        """What a comment at the end of a line covers: the shortest statement that begins or ends there, else the line
        itself, and the line of a header around it, else 0."""
        known = self._shortest.get(line)
        if known is not None:
            return (*known, 0)
        inside = self._around(line)
        return line, line, self._heads.get(inside, 0) if inside is not None else 0

    def _around(self, line: int) -> tuple[int, int] | None:
        """The statement that began before the line and goes on behind it."""
        at = bisect_left(self._in_order, line, key=lambda span: span[0]) - 1
        return self._in_order[at] if at >= 0 and self._in_order[at][1] > line else None
