"""Small tools for LibCST trees. Only imported where something is fixed."""

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

import libcst as cst

Node = TypeVar("Node", bound=cst.CSTNode)


@cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    return tuple(column.name for column in fields(kind) if not column.name.startswith("__"))


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The child nodes of a node, whitespace included."""
    for name in _fields(type(node)):
        value: Any = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            yield value
        elif isinstance(value, list | tuple):
            for part in value:
                if isinstance(part, cst.CSTNode):
                    yield part


def walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """A node and everything below it, in no certain order."""
    stack = [node]
    while stack:
        found = stack.pop()
        yield found
        stack.extend(children(found))


_WITHOUT_STATEMENTS = (
    cst.BaseExpression,
    cst.BaseParenthesizableWhitespace,
    cst.EmptyLine,
    cst.TrailingWhitespace,
    cst.Parameters,
    cst.Annotation,
    cst.Decorator,
    cst.Arg,
    cst.WithItem,
    cst.AsName,
)


def holds_statements(node: cst.CSTNode) -> bool:
    """Whether statements may stand in a node: a transformer of statements need not look into the others."""
    return not isinstance(node, _WITHOUT_STATEMENTS)


def is_docstring(node: cst.CSTNode) -> bool:
    """True for a statement that is nothing but a string."""
    if not isinstance(node, cst.SimpleStatementLine) or not isinstance(node.body[0], cst.Expr):
        return False
    return isinstance(node.body[0].value, cst.SimpleString | cst.ConcatenatedString)


def below(node: cst.CSTNode, kind: type[Node]) -> Iterator[Node]:
    """The nodes of one kind at or below a node."""
    return (found for found in walk(node) if isinstance(found, kind))


def dotted(node: cst.CSTNode | None) -> str:
    """ "a.b.c" for a chain of attributes on a name, else ""."""
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if not isinstance(node, cst.Name):
        return ""
    parts.append(node.value)
    return ".".join(reversed(parts))


def last_name(node: cst.CSTNode | None) -> str:
    """The last name of an expression: `a.b.C[T]`, `C(…)` → "C"; "" where there is none."""
    while isinstance(node, cst.Call | cst.Subscript):
        node = node.func if isinstance(node, cst.Call) else node.value
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""


def chain(name: str) -> cst.Name | cst.Attribute:
    """The expression of a dotted name."""
    first, *rest = name.split(".")
    found: cst.Name | cst.Attribute = cst.Name(first)
    for part in rest:
        found = cst.Attribute(found, cst.Name(part))
    return found


GONE = "__gone_statement__"


def gone() -> cst.Expr:
    """What stands where a small statement was taken away, until its line is tidied."""
    return cst.Expr(cst.Name(GONE))


def is_gone(node: cst.CSTNode) -> bool:
    """Whether a small statement was taken away."""
    return isinstance(node, cst.Expr) and isinstance(node.value, cst.Name) and node.value.value == GONE


def parenthesized(node: Node) -> Node:
    """The expression in parentheses of its own."""
    return node.with_changes(lpar=[cst.LeftParen(), *node.lpar], rpar=[*node.rpar, cst.RightParen()])  # type: ignore[attr-defined]


def statement(expression: cst.BaseExpression, name: str = "") -> cst.SimpleStatementLine:
    """`expression` as a line, its value bound to `name` where there is one."""
    if name:
        return cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name(name))], expression)])
    return cst.SimpleStatementLine([cst.Expr(expression)])


def code(node: cst.CSTNode) -> str:
    """The text of a node."""
    return cst.Module([]).code_for_node(node)


class Dedent(cst.CSTTransformer):
    """Takes one step of indentation from the lines inside of brackets."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self.step = step

    def leave_ParenthesizedWhitespace(  # noqa: N802
        self, original_node: cst.ParenthesizedWhitespace, updated_node: cst.ParenthesizedWhitespace
    ) -> cst.ParenthesizedWhitespace:
        last = updated_node.last_line
        return updated_node.with_changes(last_line=last.with_changes(value=last.value.removesuffix(self.step)))
