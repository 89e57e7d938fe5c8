"""What names stand for where SQL is put together: who binds them, what lists gather, what loops and calls give them."""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from skills.gates.analysis.file_calls import parameters_of
from skills.gates.analysis.local_values import Scope, local_values, own_nodes, values_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.syntax import descendants

_INDIRECT = "sql-values: loops and calls taken apart"
LOOPS = (ast.For, ast.AsyncFor, ast.comprehension)
_OUTSIDE = frozenset({"environ", "getenv", "argv", "input", "open", "read", "read_text", "loads", "load", "get"})
_GROW = frozenset({"append", "add", "insert", "extend", "appendleft"})


def scope_of(name: str, context: FileContext) -> Scope:
    """The function or module that binds a name which is read here."""
    function = context.function
    return function if function is not None and name in local_values(function, context) else context.tree


def bound_anew(name: ast.Name, scope: Scope) -> ast.expr | None:
    """What a parameter is bound to by a statement of the function's own block before it is read, whatever it was
    before: `way = "ASC" if way == "up" else "DESC"`; None for other names."""
    if isinstance(scope, ast.Module) or name.id not in parameters_of(scope):
        return None
    last = None
    for statement in scope.body:
        if statement.lineno < name.lineno and isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            if isinstance(target, ast.Name) and target.id == name.id:
                last = statement.value
    return last


def is_constant(node: ast.expr, context: FileContext) -> bool:
    """True for a constant of the module, whatever it is built of, that nothing outside of the source decides."""
    if not isinstance(node, ast.Name) or not node.id.lstrip("_").isupper():
        return False
    bound = values_of(node.id, context)
    return bool(bound) and scope_of(node.id, context) is context.tree and all(made_here(value) for value in bound)


def made_here(value: ast.expr | None) -> bool:
    """True for the value of a constant that nothing outside of the source decides."""
    return value is not None and not any(
        isinstance(part, (ast.Name, ast.Attribute)) and last_name(part) in _OUTSIDE for part in descendants(value)
    )


def grown(name: str, scope: Scope, context: FileContext) -> Iterator[ast.expr]:
    """What is put into a list of that name after it was made."""
    for node in own_nodes(scope, context):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _GROW
            and node.args
        ):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id == name:
                yield node.args[-1]


def indirect(scope: Scope, context: FileContext) -> list[Any]:
    """The loops of a scope, and where it takes apart what calls return."""
    known = context.memo.setdefault(_INDIRECT, {})
    assert isinstance(known, dict)
    found: list[Any] | None = known.get(scope)
    if found is None:
        found = known[scope] = [
            node
            for node in own_nodes(scope, context)
            if isinstance(node, LOOPS)
            or (isinstance(node, ast.Assign) and isinstance(node.value, (ast.Call, ast.Await)))
        ]
    return found


def place_of(target: ast.expr, name: str) -> int | None:
    """Where a loop or an assignment puts a name: 0 for the name alone, its place in a tuple, None for elsewhere."""
    parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
    return next((at for at, part in enumerate(parts) if isinstance(part, ast.Name) and part.id == name), None)


def by_key(node: ast.expr | None) -> dict[Any, ast.expr]:
    """What a dict that is written out holds under its constant keys, and a tuple at its places."""
    if not isinstance(node, ast.Dict):
        return dict(enumerate(node.elts)) if isinstance(node, ast.Tuple) else {}
    return {
        key.value: value for key, value in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)
    }


@contextmanager
def seen_from(scope: Scope, context: FileContext) -> Iterator[None]:
    """Names are looked up as that function sees them."""
    before = context.scopes
    context.scopes = [] if isinstance(scope, ast.Module) else [scope]
    try:
        yield
    finally:
        context.scopes = before


def alternatives(part: ast.expr) -> list[ast.expr]:
    """What a value is made of or chosen from."""
    if isinstance(part, ast.IfExp):
        return [part.body, part.orelse]
    if isinstance(part, ast.BoolOp):
        return part.values
    if isinstance(part, (ast.Tuple, ast.List, ast.Set)):
        return part.elts
    return []
