"""What the names of one function, or of the module, are bound to, read without following any call."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from skills.gates.analysis.loops import local_nodes
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.syntax import SCOPES, descendants

Scope = ast.Module | FunctionNode
Values = dict[str, list[ast.expr | None]]
_MEMO, _OWN, _SAID = "local-values", "local-values: nodes", "local-values: statements"
_BINDING = frozenset(
    {ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.AugAssign, ast.For, ast.AsyncFor, ast.comprehension, ast.withitem}
) | SCOPES  # fmt: skip
_REQUEST_PARTS = frozenset({"GET", "POST", "FILES", "COOKIES", "META", "REQUEST", "DATA", "QUERY_STRING"})


def own_nodes(scope: Scope, context: FileContext) -> list[ast.AST]:
    """Everything in a function or module in source order, without what the functions and classes inside it hold.

    Walked once a file and scope."""
    known = context.memo.setdefault(_OWN, {})
    assert isinstance(known, dict)
    found: list[ast.AST] | None = known.get(scope)
    if found is None:
        found = known[scope] = list(local_nodes(scope))
    return found


@dataclass
class Said:
    """The assignments to each name and the calls on each, anywhere in a function: read once, whatever is asked."""

    assigned: dict[str, list[ast.Assign]] = field(default_factory=dict)
    asked: dict[str, set[str]] = field(default_factory=dict)  # name → the methods that are called on it


def said_in(scope: Scope, context: FileContext) -> Said:
    """What a function, and those inside it, assign to names and call on them."""
    known = context.memo.setdefault(_SAID, {})
    assert isinstance(known, dict)
    said: Said | None = known.get(scope)
    if said is None:
        said = known[scope] = Said()
        for part in descendants(scope):
            if isinstance(part, ast.Assign):
                for target in part.targets:
                    first = target.elts[0] if isinstance(target, ast.Tuple) and target.elts else target
                    if isinstance(first, ast.Name):
                        said.assigned.setdefault(first.id, []).append(part)
            elif isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
                owner = part.func.value
                if isinstance(owner, ast.Name):
                    said.asked.setdefault(owner.id, set()).add(part.func.attr)
    return said


def local_values(scope: Scope, context: FileContext) -> Values:
    """Name → every expression that the scope binds it to, in order; None stands for what is not written there."""
    known = context.memo.setdefault(_MEMO, {})
    assert isinstance(known, dict)
    found: Values | None = known.get(scope)
    if found is None:
        found = known[scope] = _read(scope, context)
    return found


def _read(scope: Scope, context: FileContext) -> Values:
    found: Values = {}
    if not isinstance(scope, ast.Module):
        arguments = scope.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        found.update({argument.arg: [None] for argument in every if argument is not None})
    for node in own_nodes(scope, context):
        if node.__class__ in _BINDING:
            for name, value in _bound(node):
                found.setdefault(name, []).append(value)
    return found


def _bound(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _target(target, node.value)
    elif isinstance(node, (ast.AnnAssign, ast.NamedExpr, ast.AugAssign)):
        if node.value is not None:
            yield from _target(node.target, node.value)
    elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
        written = node.iter.elts if isinstance(node.iter, (ast.Tuple, ast.List, ast.Set)) else []
        for element in written:
            yield from _target(node.target, element)
        if not written:
            yield from _target(node.target, None)
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        yield from _target(node.optional_vars, node.context_expr)
    elif isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        yield node.name, None


def _target(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[str, ast.expr | None]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Starred):
        yield from _target(target.value, None)
    elif isinstance(target, (ast.Tuple, ast.List)):
        parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
        aligned = len(parts) == len(target.elts) and not any(isinstance(part, ast.Starred) for part in parts)
        for place, part in enumerate(target.elts):
            yield from _target(part, parts[place] if aligned else None)


def values_of(name: str, context: FileContext) -> list[ast.expr | None]:
    """What a name is bound to, seen from the current node: in its function, else in the module; [] if nowhere."""
    scope = context.function
    found = local_values(scope, context).get(name) if scope is not None else None
    if found is None:
        found = local_values(context.tree, context).get(name)
    return found or []


def is_literal(node: ast.expr | None, context: FileContext, depth: int = 0) -> bool:
    """True for what is the same in every run: literals, constants, and names that are bound to such only."""
    if node is None or depth > 4:
        return False
    if isinstance(node, ast.Name):
        values = values_of(node.id, context)
        if not values:
            return node.id in context.imports and node.id.isupper()
        return all(is_literal(value, context, depth + 1) for value in values)
    if isinstance(node, ast.Attribute):
        return node.attr.isupper() and node.attr not in _REQUEST_PARTS
    parts = _parts(node)
    return parts is not None and all(is_literal(part, context, depth + 1) for part in parts)


def _parts(node: ast.expr) -> list[ast.expr] | None:
    """The expressions that decide the value of a literal, None for what is no literal."""
    if isinstance(node, ast.Constant):
        return []
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, (ast.BoolOp, ast.JoinedStr)):
        return node.values
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return node.elts
    if isinstance(node, (ast.FormattedValue, ast.Starred)):
        return [node.value]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    return None
