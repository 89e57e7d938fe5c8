"""Loops around a place, and what their bodies do with a name."""

import ast
from collections.abc import Iterable, Iterator
from typing import Any

from skills.gates.engine.context import FileContext, FunctionNode, Words
from skills.gates.engine.syntax import CHILDREN, descendants

_LOOPING = Words(b"for ", b"for(", b"while ", b"while(")
Loop = ast.For | ast.AsyncFor | ast.While
_NESTED = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda})
MUTATORS = frozenset(
    {
        "append", "extend", "insert", "remove", "pop", "popitem", "clear", "add", "discard", "update", "sort",
        "reverse", "setdefault", "appendleft", "popleft", "intersection_update", "difference_update",
        "symmetric_difference_update", "__setitem__", "__delitem__",
    }
)  # fmt: skip


def scope_of(context: FileContext) -> ast.Module | FunctionNode:
    """The innermost function around the current node, else the module."""
    return context.function or context.tree


def local_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """Every node of a scope's own body: nested functions and classes are yielded, not looked into."""
    stack: list[Any] = list(reversed(getattr(scope, "body", ())))
    pop, push, fields_of = stack.pop, stack.append, CHILDREN
    while stack:
        node = pop()
        if node is None or node.__class__ is str:
            continue
        yield node
        if node.__class__ in _NESTED:
            continue
        for name in fields_of[node.__class__]:
            value = getattr(node, name)
            if value.__class__ is list:
                if value:
                    stack += value[::-1]
            elif value is not None:
                push(value)


def loops_around(context: FileContext, node: ast.AST) -> list[Loop]:
    """The loops of the current scope whose body holds a node, innermost first."""
    scope = scope_of(context)
    known = context.memo.setdefault("loops", {})
    assert isinstance(known, dict)
    if scope not in known:
        looped = isinstance(scope, ast.Module) or context.mentions(_LOOPING, scope)
        known[scope] = [part for part in local_nodes(scope) if isinstance(part, Loop)] if looped else []
    line: int = node.lineno  # type: ignore[attr-defined]
    found = [loop for loop in known[scope] if loop.body[0].lineno <= line <= (loop.body[-1].end_lineno or 0)]
    return found[::-1]


def turns(loop: Loop) -> int | None:
    """How often a loop turns, where its header says so."""
    if isinstance(loop, ast.While):
        return None
    over = loop.iter
    if isinstance(over, (ast.List, ast.Tuple, ast.Set)):
        return None if any(isinstance(part, ast.Starred) for part in over.elts) else len(over.elts)
    if isinstance(over, ast.Constant) and isinstance(over.value, str):
        return len(over.value)
    if isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id == "range":
        numbers = [part.value for part in over.args if isinstance(part, ast.Constant) and isinstance(part.value, int)]
        if len(numbers) == len(over.args) and numbers and 0 not in numbers[2:3]:
            return len(range(*numbers[:3]))
    return None


def changes(nodes: Iterable[ast.AST], name: str) -> bool:
    """True where statements change the object behind a name in place."""
    return any(is_change(node, name) for statement in nodes for node in descendants(statement))


def is_change(node: ast.AST, name: str) -> bool:
    """True for `name.append(…)`, `name[…] = …`, `del name[…]`, `name += …`."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=method)):
            return owner == name and method in MUTATORS
        case ast.Subscript(value=ast.Name(id=owner), ctx=ast.Store() | ast.Del()):
            return owner == name
        case ast.AugAssign(target=ast.Name(id=owner)):
            return owner == name
        case ast.AugAssign(target=ast.Subscript(value=ast.Name(id=owner))):
            return owner == name
    return False


def blocks(statements: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """Every list of statements under these, nested functions and classes left out."""
    yield statements
    for statement in statements:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for part in (statement, *getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            for field in ("body", "orelse", "finalbody"):
                inner = getattr(part, field, None)
                if isinstance(inner, list) and inner:
                    yield from blocks(inner)
