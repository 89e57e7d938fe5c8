"""Lists of Django's admin: which columns they show, and what they load with their rows."""

import ast

from skills.gates.django.row_values import EVERYTHING
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import class_role

_CHOOSES = frozenset({"get_queryset", "get_list_display", "get_list_select_related"})


def admin_list(node: ast.ClassDef, context: FileContext) -> tuple[str, tuple[str, ...], frozenset[str]] | None:
    """(dotted model, columns, relations that come with the rows) of an admin class for one model; None for other
    classes, and for those that choose their rows themselves."""
    if class_role(node) != "admin" or not all(last_name(base) == "ModelAdmin" for base in node.bases):
        return None
    if any(isinstance(part, FunctionNode) and part.name in _CHOOSES for part in node.body):
        return None
    given = {last_name(part.targets[0]): part.value for part in node.body if isinstance(part, ast.Assign)}
    model = _registered(node, context)
    columns = _texts(given.get("list_display"))
    related = given.get("list_select_related", ast.Tuple(elts=[]))
    loaded = frozenset(_texts(related)) if isinstance(related, (ast.List, ast.Tuple)) else frozenset({EVERYTHING})
    return (model, columns, loaded) if model and columns else None


def _registered(node: ast.ClassDef, context: FileContext) -> str:
    """The model that `@admin.register(Order)` names, "" where there is none, or more than one."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and last_name(decorator) == "register" and len(decorator.args) == 1:
            return context.resolve(decorator.args[0]) or ""
    for part in context.tree.body:
        call = part.value if isinstance(part, ast.Expr) else None
        registers = isinstance(call, ast.Call) and last_name(call) == "register" and len(call.args) == 2
        if isinstance(call, ast.Call) and registers and last_name(call.args[1]) == node.name:
            return context.resolve(call.args[0]) or ""
    return ""


def _texts(node: ast.expr | None) -> tuple[str, ...]:
    parts = node.elts if isinstance(node, (ast.List, ast.Tuple)) else ()
    return tuple(part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))
