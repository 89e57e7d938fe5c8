"""Querysets as they are written: of which model a chain is, by which methods it came, and what a name stands for."""

import ast

from skills.gates.analysis.queries import MANAGERS, chain_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name, module_name
from skills.gates.engine.syntax import descendants

Needs = tuple[tuple[str, str], ...]
_LAZY = frozenset(
    {"all", "filter", "exclude", "select_related", "prefetch_related", "annotate", "only", "defer", "alias", "values",
     "values_list", "using", "distinct", "get_queryset"}
)  # fmt: skip
# What answers no rows, or rows in an order.
_CUTS = frozenset(
    {"none", "get", "first", "last", "reverse", "union", "intersection", "difference", "raw", "extra", "in_bulk",
     "count", "exists", "aggregate", "latest", "earliest", "iterator", "dates", "datetimes", "create"}
)  # fmt: skip


def model_of(node: ast.expr | None, context: FileContext) -> str | None:
    """The dotted model of a queryset that is written as one chain without an order, None for all others."""
    if isinstance(node, ast.Attribute) and node.attr in MANAGERS and last_name(node.value)[:1].isupper():
        return context.resolve(node.value)
    if not isinstance(node, ast.Call):
        return None
    chain = chain_of(node)
    if not chain.manager or not chain.model:
        return None
    if any(
        name in _CUTS or (name == "order_by" and not _clears(name, call)) or _gives_one(name, call)
        for name, call in chain.calls
    ):
        return None
    return context.resolve(chain.root)


def asks_above(node: ast.expr | None) -> bool:
    """True for `super().get_queryset()`, whatever narrows it then: the rows that the class says, in their order."""
    chain = chain_of(node) if isinstance(node, ast.Call) else None
    if chain is None or not chain.calls or chain.calls[0][0] != "get_queryset":
        return False
    sets_apart = any(name in _CUTS or (name == "order_by" and not _clears(name, call)) for name, call in chain.calls)
    return isinstance(chain.root, ast.Call) and last_name(chain.root.func) == "super" and not sets_apart


def _gives_one(name: str, call: ast.Call) -> bool:
    """`filter(pk=…)`: one row needs no order."""
    return name == "filter" and any(keyword.arg in {"pk", "id", "uuid"} for keyword in call.keywords)


def _own_methods(node: ast.expr | None) -> tuple[str, ...]:
    """The methods of a chain that are none of Django's: the project knows whether they order."""
    calls = chain_of(node).calls if isinstance(node, ast.Call) else ()
    return tuple(name for name, call in calls if name not in _LAZY and not _clears(name, call))


def _clears(name: str, call: ast.Call) -> bool:
    """`order_by()` takes away what the model says."""
    return name == "order_by" and not call.args and not call.keywords


def said_of(node: ast.expr | None) -> Needs:
    """Whether a chain takes the order away, and its methods that the project knows."""
    cleared = isinstance(node, ast.Call) and any(_clears(name, call) for name, call in chain_of(node).calls)
    own = tuple(("through", name) for name in _own_methods(node))
    return (("cleared", "yes"), *own) if cleared else own


def related(node: ast.expr, context: FileContext, function: FunctionNode | None = None) -> tuple[str, str] | None:
    """(model, attribute) of `city.streets.all()` where the function (the one around, if none is given) has the city
    (or `self.city`) from a query for one row, and of `request.user.orders.all()`."""
    if not isinstance(node, ast.Call):
        return None
    chain = chain_of(node)
    root = chain.root
    if chain.manager or not isinstance(root, ast.Attribute):
        return None
    if not chain.calls or any(name not in _LAZY for name, _ in chain.calls):
        return None
    if isinstance(root.value, ast.Attribute) and root.value.attr == "user" and last_name(root.value.value) == "request":
        return "User", root.attr
    around = function or context.function
    row: ast.expr | None = root.value
    if around is not None and isinstance(row, (ast.Name, ast.Attribute)):
        row = _bound_in(around, last_name(row), context)
    owner = _row_model(row, context) if isinstance(row, ast.Call) else None
    return (owner, root.attr) if owner and last_name(root.value)[:1].islower() else None


def answering(node: ast.expr, context: FileContext) -> str:
    """The function of the module, or of another file, that answers the rows of a chain which only narrows them:
    "shop.selectors.late" of `late(day).filter(…)`, "" where there is none."""
    chain = chain_of(node) if isinstance(node, ast.Call) else None
    if chain is None or chain.manager:
        return ""
    root, calls = chain.root, chain.calls
    if isinstance(root, ast.Call):
        function: ast.expr = root.func
    elif calls and isinstance(root, ast.Name) and root.id in context.imports and root.id.islower():
        function, calls = calls[0][1].func, calls[1:]
    else:
        return ""
    if not all(name in _LAZY for name, _ in calls):
        return ""
    name = getattr(function, "id", "")
    if name and name not in context.imports:
        own = any(isinstance(part, FunctionNode) and part.name == name for part in context.tree.body)
        return f"{module_name(context.path)}.{name}" if own else ""
    named = context.resolve(function) or ""
    return named if "." in named else ""


def _row_model(row: ast.Call, context: FileContext) -> str | None:
    """The model of the one row that a call answers, also `self.get_object()` of a view that names its queryset."""
    name = last_name(row.func)
    if name == "get_object_or_404" and row.args:
        of = row.args[0]
        return context.resolve(of) if isinstance(of, (ast.Name, ast.Attribute)) else model_of(of, context)
    if name == "get_object" and context.class_scope is not None:
        rows = assigned(context.class_scope).get("queryset")
        chain = chain_of(rows) if isinstance(rows, ast.Call) else None
        return context.resolve(chain.root) if chain is not None and chain.manager in MANAGERS and chain.model else None
    made = chain_of(row)
    one = bool(made.calls) and made.calls[-1][0] in {"get", "first", "last", "latest", "earliest", "create"}
    return context.resolve(made.root) if one and made.manager in MANAGERS and made.model else None


def assigned(node: ast.ClassDef) -> dict[str, ast.expr]:
    """What the body of a class assigns, by name."""
    return {
        last_name(target): statement.value
        for statement in node.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    }


def made(rows: ast.expr, context: FileContext) -> ast.expr:
    """The expression that made rows in the function around."""
    return made_in(context.function, rows, context) if context.function is not None else rows


def made_in(function: FunctionNode, rows: ast.expr, context: FileContext) -> ast.expr:
    """The expression that made rows: what `rows` stands for, also of `rows.filter(…)`."""
    if isinstance(rows, ast.Name):
        return _bound_in(function, rows.id, context) or rows
    if isinstance(rows, ast.Call):
        chain = chain_of(rows)
        if isinstance(chain.root, ast.Name) and _narrows(rows, chain.root.id):
            return _bound_in(function, chain.root.id, context) or rows
    return rows


def bound(name: str, context: FileContext) -> ast.expr | None:
    """What a name stands for in the function around."""
    return _bound_in(context.function, name, context) if context.function is not None else None


def _bound_in(function: FunctionNode, name: str, context: FileContext) -> ast.expr | None:
    """What a name stands for where a function binds it once, or to rows of one model each time, and else only narrows
    it: `rows = rows.filter(…)`."""
    values = [
        part.value
        for part in descendants(function)
        if isinstance(part, ast.Assign) and name in {last_name(target) for target in part.targets}
    ]
    first = [value for value in values if not _narrows(value, name)]
    if len(first) > 1 and (any(map(_own_methods, first)) or len({model_of(value, context) for value in first}) > 1):
        return None
    return first[0] if first else None


def _narrows(value: ast.expr, name: str) -> bool:
    if not isinstance(value, ast.Call):
        return False
    chain = chain_of(value)
    itself = isinstance(chain.root, ast.Name) and chain.root.id == name and not chain.manager
    return itself and bool(chain.calls) and all(method in _LAZY for method, _ in chain.calls)
