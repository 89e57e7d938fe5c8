"""Where code stands apart from what scopes queries by itself, and which model a query by hand is about."""

import ast
import re
from collections.abc import Iterator

from skills.gates.analysis.queries import Chain, chain_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import role_of_scope
from skills.gates.engine.syntax import descendants

_WIDER = lazy(
    r"unscop|unfilter|without|ignor|disab|bypass|global|across|cross_|every|entire|public|system|base_|_base|raw"
    r"|^all_|_all$|all_tenants|schema_context|superuser",
    re.I,
)
_SETTER = lazy(
    r"^_?(set|activate|enter|switch|use|bind|with|in|for)_?\w*(tenant|company|org|workspace|schema)|^scope$|_context$",
    re.I,
)
_OWN_QUERYSET = frozenset({"get_queryset", "filter_queryset", "queryset"})


def stands_apart(node: ast.Call, context: FileContext) -> str:
    """Why the mechanism may not be at work at a query, "" where nothing says so: the query asks for more than one
    tenant's rows, the block around it does, or a task was given no tenant by a middleware."""
    for method, _ in chain_of(node).calls[:-1]:
        if _WIDER.search(method):
            return f"`{method}()`"
    for name in _around(node, context):
        if _WIDER.search(name):
            return f"`{name}`"
    function = context.function
    if function is not None and role_of_scope(context.scopes, context.role) == "task":
        called = (last_name(part.func) for part in descendants(function) if isinstance(part, ast.Call))
        if not any(_SETTER.search(name) for name in called):
            return "a task"
    return ""


def _around(node: ast.Call, context: FileContext) -> Iterator[str]:
    """What the blocks and decorators around a node are called."""
    for scope in context.scopes:
        yield from (last_name(decorator) for decorator in scope.decorator_list)
    for part in descendants(context.function) if context.function is not None else ():
        if isinstance(part, (ast.With, ast.AsyncWith)) and part.lineno <= node.lineno <= (part.end_lineno or 0):
            yield from (last_name(item.context_expr) for item in part.items)


def model_asked(chain: Chain, context: FileContext) -> tuple[str, str]:
    """(model, manager) that a query is about: as it says, as the name says that it goes on from, or as its class says.
    "" for what is not said."""
    if chain.model:
        return _true_name(chain.model, context), chain.manager
    root = chain.root
    function = context.function
    if isinstance(root, ast.Name) and function is not None:
        for part in descendants(function):
            if (
                isinstance(part, ast.Assign)
                and isinstance(part.value, ast.Call)
                and part.value is not chain.calls[-1][1]
            ):
                bound = chain_of(part.value)
                if bound.model and any(isinstance(name, ast.Name) and name.id == root.id for name in part.targets):
                    return _true_name(bound.model, context), bound.manager
    if _OWN_QUERYSET.isdisjoint({last_name(root), *(method for method, _ in chain.calls)}) and not _is_form(root):
        return "", ""
    owner = context.class_scope
    return (_model_of_class(owner, context), "") if owner is not None else ("", "")


def asked_first(node: ast.Call, context: FileContext) -> tuple[str, str]:
    """(model, manager) that a shortcut is given: `get_object_or_404(Invoice, …)`."""
    first = node.args[0] if node.args else None
    if isinstance(first, ast.Call):
        return model_asked(chain_of(first), context)
    name = last_name(first) if first is not None else ""
    if isinstance(first, ast.Attribute) and not name[:1].isupper():
        return _true_name(last_name(first.value), context), name  # `Invoice.objects`
    return (_true_name(name, context), "") if name[:1].isupper() else ("", "")


def asked_around(node: ast.Call, context: FileContext) -> tuple[str, str]:
    """(model, manager) of the query that a condition stands in, ("", "") where it is bound to a name first."""
    above = context.parent(node)
    while isinstance(above, (ast.expr, ast.keyword)):
        if isinstance(above, ast.Call):
            found = model_asked(chain_of(above), context)
            if found[0]:
                return found
            if last_name(above.func).endswith("_or_404"):
                return asked_first(above, context)
        above = context.parent(above)
    return "", ""


def _is_form(root: ast.expr) -> bool:
    return last_name(root).lower().endswith(("serializer", "form", "formset"))


def _model_of_class(owner: ast.ClassDef, context: FileContext) -> str:
    """The model of a view or a form, as its `model`, `queryset`, `get_queryset` or Meta says it."""
    for part in owner.body:
        if isinstance(part, ast.ClassDef) and part.name == "Meta":
            found = _model_of_class(part, context)
        elif isinstance(part, ast.Assign) and last_name(part.targets[0]) == "model":
            found = _true_name(last_name(part.value), context)
        elif (isinstance(part, ast.Assign) and last_name(part.targets[0]) == "queryset") or (
            isinstance(part, FunctionNode) and part.name == "get_queryset"
        ):
            calls = (call for call in descendants(part) if isinstance(call, ast.Call))
            found = next((model for call in calls if (model := chain_of(call).model)), "")
            found = _true_name(found, context)
        else:
            continue
        if found:
            return found
    return ""


def _true_name(name: str, context: FileContext) -> str:
    return context.imports.get(name, name).rpartition(".")[2]
