"""Python newer than the running one, rewritten so that `ast` can read it. Lines stay where they are.

Handles type parameters and `type` statements (PEP 695, 696), f-strings with nested quotes (PEP 701),
template strings (PEP 750) and `except A, B:` (PEP 758).
"""

import ast
import re
from functools import cache
from typing import Any

from skills.gates.engine.newer_strings import tree_of, without_nested_quotes
from skills.gates.engine.patterns import lazy

_HINT = lazy(
    rb"(?m)^[ \t]*(?:type[ \t]+\w+|class[ \t]+\w+[ \t]*\[|(?:async[ \t]+)?def[ \t]+\w+[ \t]*\[)"
    rb"|[fFtT][rR]?[\"']|[rR][fFtT][\"']|^[ \t]*except\*?[ \t]+[\w.]+[ \t]*,"
)
_EXCEPT = lazy(rb"(?m)^([ \t]*except\*?[ \t]+)([\w.]+(?:[ \t]*,[ \t]*[\w.]+)+)([ \t]*:)")
_NAMED = lazy(rb"(?m)^([ \t]*)(type[ \t]+|class[ \t]+|(?:async[ \t]+)?def[ \t]+)(\w+)[ \t]*(?=\[|=)")
_BRACKET = lazy(rb"[\[\](){}]")
_BLANKED = lazy(rb"[^\r\n]*\r?\n|[^\r\n]+")
# The native parser recurses: text that nests this deep could overflow its stack.
_DEEP = lazy(rb"(?:[-+~(\[{]|not\s|lambda:?\s*|await\s){60}")
# Lines that draw a line are no depth; where a quote stands in one, it may end a string with code behind it.
_COMMENT = lazy(rb"(?m)^[ \t]*#[^\"'\r\n]*$")
_MOST_BYTES = 2_000_000
_LONGEST_PARAMETERS = 2_000  # a bracket that nothing closes is not looked for to the end of the file


def lower(source: bytes) -> ast.Module | None:
    """The tree of an equivalent that older Pythons parse, for detection only; None where there is none."""
    if len(source) > _MOST_BYTES or not _HINT.search(source):
        return None
    if _DEEP.search(source) and _DEEP.search(_COMMENT.sub(b"", source)):
        return None
    # what its text tells is enough for nearly all: LibCST takes forty times as long as `ast`, and its import longer
    plain = _without_type_parameters(_EXCEPT.sub(rb"\1(\2)\3", source))
    tree = tree_of(plain) if plain != source else None
    if tree is None and (lowered := without_nested_quotes(plain)) is not None:
        tree = tree_of(lowered)
    if tree is not None:
        return tree
    return _lowered_by_libcst(plain)


def _lowered_by_libcst(source: bytes) -> ast.Module | None:
    import libcst

    try:
        module = libcst.parse_module(source)
    except (libcst.ParserSyntaxError, UnicodeError, SyntaxError, LookupError, RecursionError):
        return None
    try:
        return tree_of(module.visit(_transformer()()).bytes)
    except (libcst.CSTValidationError, RecursionError):
        return None


def _without_type_parameters(source: bytes) -> bytes:
    """Type parameters blanked out, and `type X = …` as an assignment, by their text: right wherever `ast` agrees."""
    parts, done = [], 0
    for match in _NAMED.finditer(source):
        start = end = match.end()
        if source[start : start + 1] == b"[":
            end = _closing(source, start)
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
        depth += 1 if match[0] in b"([{" else -1
        if not depth:
            return match.end()
    return 0


@cache
def _transformer() -> Any:
    """The class that rewrites, made on first use: importing LibCST takes longer than checking a hundred
    files."""
    import libcst

    blank = libcst.Module([])

    def folded(node: libcst.CSTNode | None) -> libcst.SimpleWhitespace:
        code = blank.code_for_node(node) if node is not None else ""
        return libcst.SimpleWhitespace("\\\n" * code.count("\n"))

    def plain_string(node: libcst.BaseExpression) -> libcst.BaseExpression:
        code = blank.code_for_node(node)
        if tree_of(f"({code}\n)"):
            return node
        quote = '"""' if "\n" in code else '"'
        return libcst.SimpleString(quote + "\n" * code.count("\n") + quote)

    class Lowering(libcst.CSTTransformer):
        def leave_FunctionDef(  # noqa: N802
            self, original_node: libcst.FunctionDef, updated_node: libcst.FunctionDef
        ) -> libcst.FunctionDef:
            if updated_node.type_parameters is None:
                return updated_node
            return updated_node.with_changes(
                type_parameters=None, whitespace_before_params=folded(original_node.type_parameters)
            )

        def leave_ClassDef(  # noqa: N802
            self, original_node: libcst.ClassDef, updated_node: libcst.ClassDef
        ) -> libcst.ClassDef:
            if updated_node.type_parameters is None:
                return updated_node
            return updated_node.with_changes(
                type_parameters=None, whitespace_after_name=folded(original_node.type_parameters)
            )

        def leave_TypeAlias(  # noqa: N802
            self, original_node: libcst.TypeAlias, updated_node: libcst.TypeAlias
        ) -> libcst.Assign:
            target = libcst.AssignTarget(
                updated_node.name, whitespace_before_equal=folded(original_node.type_parameters)
            )
            return libcst.Assign([target], updated_node.value, semicolon=updated_node.semicolon)

        def leave_FormattedString(  # noqa: N802
            self, original_node: libcst.FormattedString, updated_node: libcst.FormattedString
        ) -> libcst.BaseExpression:
            return plain_string(updated_node)

        def leave_TemplatedString(  # noqa: N802
            self, original_node: libcst.TemplatedString, updated_node: libcst.TemplatedString
        ) -> libcst.BaseExpression:
            # What stands in its braces is judged as in an f-string of the same text.
            code = re.sub(
                r"^([tT])|^([rR])[tT]", lambda prefix: f"f{prefix[2] or ''}", blank.code_for_node(updated_node)
            )
            if tree_of(f"({code}\n)"):
                return libcst.parse_expression(code)
            return plain_string(updated_node)

    return Lowering
