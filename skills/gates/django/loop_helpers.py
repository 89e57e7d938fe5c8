"""Loops that may turn often, and the functions of a file that they call once a turn."""

import ast
from collections.abc import Iterator
from typing import TypeGuard, cast

from skills.gates.analysis.bindings import lookup
from skills.gates.analysis.loops import changes, scope_of, turns
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.syntax import COMPREHENSIONS, descendants, statements

_CALLS = "loop helpers: calls in loops"
_PIECES = ("batch", "chunk", "page", "slice", "group")
_Found = tuple[ast.Call, ast.For | ast.AsyncFor, ast.stmt]


def scopes_at(line: int, context: FileContext) -> list[ast.ClassDef | FunctionNode]:
    """The classes and functions of a file around a line, the outermost first."""
    return [
        part
        for part in statements(context.tree)
        if isinstance(part, (ast.ClassDef, FunctionNode)) and part.lineno < line <= (part.end_lineno or part.lineno)
    ]


def takes_many(loop: ast.For | ast.AsyncFor, context: FileContext) -> bool:
    """False for a few turns that are written down, for numbered attempts, and for pieces of many rows each."""
    over = loop.iter
    if isinstance(over, ast.Name) and (over.id[:1].isupper() or _written_down(over, context)):
        return False
    name = last_name(over.func) if isinstance(over, ast.Call) else last_name(over)
    if turns(loop) is not None or name in {"range", "count"} or name.isupper() or name in {"choices", "values"}:
        return False
    if isinstance(over, ast.Attribute) and over.attr.isupper():
        return False
    if isinstance(over, ast.Name) and name.endswith(_PIECES):
        name = ""  # one piece, taken apart
    words = [name, *(part.id for part in descendants(loop.target) if isinstance(part, ast.Name))]
    return not any(piece in word.lower() for word in words for piece in _PIECES)


def _written_down(over: ast.Name, context: FileContext) -> bool:
    """True for a name that stands for a list that is written down, and is not added to."""
    bound = lookup(context, over.id, over.lineno)
    value = bound.value if bound is not None else None
    if not isinstance(value, (ast.List, ast.Tuple, ast.Set)) or not value.elts:
        return False
    return not any(isinstance(part, ast.Starred) for part in value.elts) and not changes([scope_of(context)], over.id)


def plain_helper(function: FunctionNode) -> bool:
    """False for a function that something is wrapped around: a cache, a task."""
    return all(last_name(part) in {"staticmethod", "classmethod"} for part in function.decorator_list)


def handed_over(call: ast.Call, function: FunctionNode) -> Iterator[tuple[str, ast.expr]]:
    """(parameter, what it is given) of a call of a function or of a method of the same object."""
    names = [part.arg for part in (*function.args.posonlyargs, *function.args.args)]
    if isinstance(call.func, ast.Attribute) and names[:1] and names[0] in {"self", "cls"}:
        names = names[1:]
    if not any(isinstance(part, ast.Starred) for part in call.args):
        yield from zip(names, call.args, strict=False)
    yield from ((word.arg, word.value) for word in call.keywords if word.arg)


def calls_in_loops(name: str, context: FileContext) -> list[_Found]:
    """The calls of a function of the file, or of a method of the same object, in its loops: each with the loop and the
    statement that holds it."""
    known = cast("dict[str, list[_Found]] | None", context.memo.get(_CALLS))
    if known is None:
        context.memo[_CALLS] = known = {}
        for statement in statements(context.tree):
            for call, loop in _in_loop(statement):
                known.setdefault(last_name(call.func), []).append((call, loop, statement))
    return known.get(name, [])


def _in_loop(statement: ast.stmt) -> Iterator[tuple[ast.Call, ast.For | ast.AsyncFor]]:
    if isinstance(statement, (ast.For, ast.AsyncFor)):
        for part in descendants(ast.Module(statement.body, [])):
            if _is_own(part):
                yield part, statement
    elif not isinstance(statement, (ast.While, ast.If, ast.With, ast.Try, ast.FunctionDef, ast.ClassDef)):
        for part in descendants(statement):
            if isinstance(part, COMPREHENSIONS):
                taken = part.generators[-1]
                loop = ast.For(taken.target, taken.iter, [], [], lineno=part.lineno, end_lineno=part.end_lineno)
                yield from ((inner, loop) for inner in descendants(part) if _is_own(inner))


def _is_own(node: ast.AST) -> TypeGuard[ast.Call]:
    """`label(order)`, `self.label(order)`."""
    if not isinstance(node, ast.Call):
        return False
    function = node.func
    return isinstance(function, ast.Name) or (
        isinstance(function, ast.Attribute) and getattr(function.value, "id", "") in {"self", "cls"}
    )
