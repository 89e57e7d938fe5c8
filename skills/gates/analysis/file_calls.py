"""The calls of one file by the name that they call, and what each gives for a parameter."""

import ast
from collections import Counter

from skills.gates.analysis.local_values import Scope, own_nodes
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.syntax import defaults_of, descendants, keyword_of

_USES = "file-calls"
_NAMES = frozenset({ast.Name, ast.Attribute})


def calls_by_name(context: FileContext) -> dict[str, tuple[int, list[tuple[Scope, ast.Call]]]]:
    """Name → (how often the file mentions it, its calls in functions and on the module level, each with its scope)."""
    known = context.memo.get(_USES)
    if isinstance(known, dict):
        return known
    every = list(descendants(context.tree))
    mentions = Counter(_named(node) for node in every if node.__class__ in _NAMES)
    calls: dict[str, list[tuple[Scope, ast.Call]]] = {}
    for scope in every:
        if isinstance(scope, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef)):
            for node in own_nodes(scope, context):
                if node.__class__ is ast.Call and (name := _named(node.func)):
                    calls.setdefault(name, []).append((scope, node))
    found = {name: (count, calls.get(name, [])) for name, count in mentions.items()}
    context.memo[_USES] = found
    return found


def _named(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def argument_of(call: ast.Call, function: FunctionNode, name: str) -> ast.expr | None:
    """What a call gives for a parameter, its default where it gives nothing; None where that cannot be said."""
    if any(isinstance(value, ast.Starred) for value in call.args) or any(item.arg is None for item in call.keywords):
        return None
    given = keyword_of(call, name)
    if given is not None:
        return given
    places = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    if isinstance(call.func, ast.Attribute) and places[:1] in (["self"], ["cls"]):
        del places[0]
    if name in places and places.index(name) < len(call.args):
        return call.args[places.index(name)]
    return default_of(function, name)


def default_of(function: FunctionNode, name: str) -> ast.expr | None:
    """What a parameter is where a call gives nothing for it."""
    return next((default for one, default in defaults_of(function.args) if one.arg == name), None)


def parameters_of(scope: Scope) -> set[str]:
    """The names that a function is given; none for a module."""
    if isinstance(scope, ast.Module):
        return set()
    return {one.arg for one in (*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs)}
