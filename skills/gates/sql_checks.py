"""Names that were checked before they became SQL: compared with a fixed list, or asked whether they are a word."""

import ast
from collections.abc import Callable

from skills.gates.context import FileContext
from skills.gates.local_values import own_nodes

_IS_WORD = frozenset({"isidentifier", "isalnum", "isalpha", "isdigit", "isdecimal", "isnumeric"})


def is_checked(node: ast.Name, context: FileContext, is_fixed: Callable[[ast.expr], bool]) -> bool:
    """True where the function cannot come to a name unless the name passed a test. `is_fixed` tells the lists that
    only hold literals."""
    function = context.function
    if function is None:
        return False
    for part in own_nodes(function, context):
        if isinstance(part, ast.Assert):
            if part.lineno < node.lineno and _allows(part.test, node.id, is_fixed):
                return True
        elif isinstance(part, ast.If) and part.lineno < node.lineno:
            inside = part.body[0].lineno <= node.lineno <= (part.body[-1].end_lineno or 0)
            if inside and _allows(part.test, node.id, is_fixed):
                return True
            if not inside and _leaves(part.body[-1]) and _refuses(part.test, node.id, is_fixed):
                return True
    return False


def _leaves(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Raise | ast.Return | ast.Continue | ast.Break)


def _allows(test: ast.expr, name: str, is_fixed: Callable[[ast.expr], bool]) -> bool:
    """`name in ALLOWED`, `name == "x"`, `name.isidentifier()`, and more besides with `and`."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(_allows(part, name, is_fixed) for part in test.values)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _refuses(test.operand, name, is_fixed)
    return _compares(test, name, (ast.In, ast.Eq), is_fixed) or _asks_for_word(test, name)


def _refuses(test: ast.expr, name: str, is_fixed: Callable[[ast.expr], bool]) -> bool:
    """`name not in ALLOWED`, `not name.isidentifier()`, and others besides with `or`."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(_refuses(part, name, is_fixed) for part in test.values)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _allows(test.operand, name, is_fixed)
    return _compares(test, name, (ast.NotIn, ast.NotEq), is_fixed)


def _compares(
    test: ast.expr, name: str, operators: tuple[type[ast.cmpop], ...], is_fixed: Callable[[ast.expr], bool]
) -> bool:
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], operators):
        return False
    if not isinstance(test.left, ast.Name) or test.left.id != name:
        return False
    other = test.comparators[0]
    return isinstance(other, ast.Constant) if isinstance(test.ops[0], ast.Eq | ast.NotEq) else is_fixed(other)


def _asks_for_word(test: ast.expr, name: str) -> bool:
    return (
        isinstance(test, ast.Call)
        and isinstance(test.func, ast.Attribute)
        and test.func.attr in _IS_WORD
        and isinstance(test.func.value, ast.Name)
        and test.func.value.id == name
    )
