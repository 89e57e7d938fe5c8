"""Python newer than the running one, rewritten so that `ast` can read it. Lines stay where they are.

Handles type parameters and `type` statements (PEP 695, 696), f-strings with nested quotes (PEP 701),
template strings (PEP 750) and `except A, B:` (PEP 758).
"""

import ast
import re

from skills.gates.engine.newer_strings import tree_of, without_nested_quotes
from skills.gates.engine.patterns import lazy

_HINT = lazy(
    rb"(?m)(?:^|[:;])[ \t]*(?:type[ \t]+\w+|class[ \t]+\w+[ \t]*\[|(?:async[ \t]+)?def[ \t]+\w+[ \t]*\[)"
    rb"|[fFtT][rR]?[\"']|[rR][fFtT][\"']|^[ \t]*except\b[^\r\n]*[,\\]"
)
_EXCEPT = lazy(rb"(?m)^[ \t]*except\b\*?[ \t]*")
_NAMED = lazy(rb"(?m)^([ \t]*)(type[ \t]+|class[ \t]+|(?:async[ \t]+)?def[ \t]+)(\w+)[ \t]*(?=\[|=)")
_STRING_OR_COMMENT = rb"#[^\r\n]*|'[^'\r\n]*'|\"[^\"\r\n]*\""
_BRACKET = lazy(rb"[\[\](){}]|" + _STRING_OR_COMMENT)
_OF_EXCEPT = lazy(rb"\\\r?\n|[\[\](){}:,\r\n]|\bas\b|" + _STRING_OR_COMMENT)
_BLANKED = lazy(rb"[^\r\n]*\r?\n|[^\r\n]+")
# The native parser recurses: text that nests this deep could overflow its stack.
_DEEP = lazy(rb"(?:[-+~(\[{]|not\s|lambda:?\s*|await\s){60}")
# Lines that draw a line are no depth; where a quote stands in one, it may end a string with code behind it.
_COMMENT = lazy(rb"(?m)^[ \t]*#[^\"'\r\n]*$")
_MOST_BYTES = 2_000_000
_LONGEST_PARAMETERS = 2_000  # a bracket that nothing closes is not looked for to the end of the file
_MOST_UNCLOSED = 20  # nor are many of them: such a text is none that any Python reads


def lower(source: bytes) -> ast.Module | None:
    """The tree of an equivalent that older Pythons parse, for detection only; None where there is none."""
    if len(source) > _MOST_BYTES or not _HINT.search(source):
        return None
    if _DEEP.search(source) and _DEEP.search(_COMMENT.sub(b"", source)):
        return None
    # what its text tells is enough for nearly all: LibCST takes forty times as long as `ast`, and its import longer
    grouped = _with_grouped_exceptions(source)
    plain = _without_type_parameters(grouped)
    tree = tree_of(plain) if plain != source else None
    if tree is None and (lowered := without_nested_quotes(plain)) is not None:
        tree = tree_of(lowered)
    if tree is not None:
        return tree
    return _lowered_by_libcst(without_nested_quotes(grouped) or grouped)


def _lowered_by_libcst(source: bytes) -> ast.Module | None:
    from skills.gates.engine.lowering_visitor import lowered  # LibCST takes longer to import than a hundred files

    try:
        return tree_of(lowered(source))
    except Exception:  # it has many ways to say that it cannot read something, and some are its own mistakes
        return None


def _without_type_parameters(source: bytes) -> bytes:
    """Type parameters blanked out, and `type X = …` as an assignment, by their text: right wherever `ast` agrees."""
    parts, done, unclosed = [], 0, 0
    for match in _NAMED.finditer(source):
        start = end = match.end()
        if source[start : start + 1] == b"[":
            end = _closing(source, start)
            unclosed += not end
        if unclosed > _MOST_UNCLOSED:
            return source
        if match.start() < done or not end:
            continue
        indent, keyword, name = match[1], match[2], match[3]
        head = indent + name + b" " * len(keyword) if keyword.startswith(b"type") else match[0]
        parts += [source[done : match.start()], head, _BLANKED.sub(_blank, source[start:end])]
        done = end
    return b"".join([*parts, source[done:]])


def _blank(match: re.Match[bytes]) -> bytes:
    return b"\\\n" if match[0].endswith(b"\n") else b" " * len(match[0])


def _closing(source: bytes, start: int) -> int:
    """The offset after the bracket that closes the one at `start`, 0 where none does."""
    depth = 0
    for match in _BRACKET.finditer(source, start, start + _LONGEST_PARAMETERS):
        depth += (match[0] in b"([{") - (match[0] in b")]}")
        if not depth:
            return match.end()
    return 0


def _with_grouped_exceptions(source: bytes) -> bytes:
    """`except A, B:` as `except (A, B):`; with `as` the parentheses stand there in every Python."""
    parts, done, unclosed = [], 0, 0
    for match in _EXCEPT.finditer(source):
        end = _end_of_several(source, match.end())
        unclosed += end < 0
        if unclosed > _MOST_UNCLOSED:
            return source
        if end > 0:
            parts += [source[done : match.end()], b"(", source[match.end() : end], b")"]
            done = end
    return b"".join([*parts, source[done:]])


def _end_of_several(source: bytes, start: int) -> int:
    """The offset of the colon behind the exceptions that begin at `start`, 0 where they are not several in a row, -1
    where nothing ends them."""
    depth, several = 0, False
    for match in _OF_EXCEPT.finditer(source, start, start + _LONGEST_PARAMETERS):
        token = match[0]
        depth += (token in b"([{") - (token in b")]}")
        if depth or token.startswith((b"\\", b"#", b"'", b'"')):
            continue
        if token == b":":
            return match.start() if several else 0
        if token in (b"as", b"\r", b"\n"):
            return 0
        several = several or token == b","
    return -1
