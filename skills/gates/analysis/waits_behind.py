"""What a function of a file that a call runs here and now waits for outside the database."""

import ast
from collections.abc import Iterator

from skills.gates.analysis.bindings import lookup
from skills.gates.analysis.local_values import own_nodes
from skills.gates.analysis.transactions import shown_call, waits_outside
from skills.gates.analysis.waits import Waits
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.model import Evidence

_PLAIN = frozenset({"staticmethod", "classmethod", "override"})
_BEHIND = "transactions: what functions wait for"


def waits_behind(call: ast.Call, context: FileContext) -> tuple[Waits, Evidence] | None:
    """What a function of this file that a call runs here and now waits for outside the database, and where."""
    function = _run_by(call, context)
    if function is None:
        return None
    known = context.memo.setdefault(_BEHIND, {})
    assert isinstance(known, dict)
    if function not in known:
        scopes, context.scopes = context.scopes, [function]
        try:
            known[function] = next(_waiting(function, context), None)
        finally:
            context.scopes = scopes
    found: tuple[Waits, Evidence] | None = known[function]
    return found


def _waiting(function: FunctionNode, context: FileContext) -> Iterator[tuple[Waits, Evidence]]:
    for part in own_nodes(function, context):
        if isinstance(part, ast.Call) and (waits := waits_outside(part, context)) is not None:
            yield waits, Evidence(context.path, part.lineno, f"`{shown_call(part)}` {waits.what}")


def _run_by(call: ast.Call, context: FileContext) -> FunctionNode | None:
    """The function of this file that a call runs before it goes on: a plain one, or a coroutine that is awaited."""
    name = last_name(call.func)
    if not isinstance(call.func, (ast.Name, ast.Attribute)) or not context.holds(b"def %s(" % name.encode()):
        return None
    found: ast.AST | None = None
    if isinstance(call.func, ast.Name):
        bound = lookup(context, name, call.lineno)
        found = bound.node if bound is not None and bound.kind == "definition" else None
    elif isinstance(call.func.value, ast.Name) and call.func.value.id in ("self", "cls") and context.class_scope:
        own = [part for part in context.class_scope.body if isinstance(part, FunctionNode) and part.name == name]
        found = own[-1] if own else None
    if not isinstance(found, FunctionNode) or any(last_name(one) not in _PLAIN for one in found.decorator_list):
        return None
    waited = isinstance(found, ast.FunctionDef) or isinstance(context.parent(call), ast.Await)
    return found if waited else None
