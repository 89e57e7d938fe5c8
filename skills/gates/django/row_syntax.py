"""What the text of functions says, where rows are followed through them."""

import ast
from collections.abc import Iterable

from skills.gates.analysis.queries import MANAGERS
from skills.gates.django.row_values import GIVEN, OWN, Names, Row, Rows, Value
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.syntax import defaults_of, descendants, is_singleton

_FREE = frozenset({"pk", "id", "objects", "awaitable_attrs"})
_FRAMEWORKS = (
    "View", "ViewSet", "Serializer", "Admin", "Form", "FormSet", "Filter", "FilterSet", "Mutation", "Type", "Command",
    "Middleware", "Permission", "Inline", "Resource", "Manager", "QuerySet", "Loader",
)  # fmt: skip
_HELD = frozenset({"list", "List", "Sequence", "Iterable", "Collection", "set", "tuple"})
GUESS = "~"
"""Stands before the name of a variable where that is all that says what rows are of."""


def calls(source: str, name: str) -> int:
    """How many calls of that name stand in a source, by its text, which is much faster than a walk."""
    found, at = 0, source.find(f"{name}(")
    while at >= 0:
        before = source[max(0, at - 4) : at]
        if before != "def " and not (before[-1:].isalnum() or before[-1:] == "_"):
            found += 1
        at = source.find(f"{name}(", at + 1)
    return found


def left_out(node: FunctionNode, given: Names) -> list[str]:
    """The parameters that may be left out, are None then, and are left out."""
    return [
        argument.arg
        for argument, default in defaults_of(node.args)
        if is_singleton(default, None) and given.get(argument.arg) is None
    ]


def counts(source: ast.expr) -> bool:
    """True for `range(len(orders))`."""
    if not isinstance(source, ast.Call) or last_name(source.func) != "range" or len(source.args) != 1:
        return False
    return isinstance(source.args[0], ast.Call) and last_name(source.args[0].func) == "len"


def annotated(hint: ast.expr | None, line: int, context: FileContext) -> Value:
    """A parameter that is declared as a row or as rows: `order: Order`, `orders: QuerySet[Order]`, `list[Order]`."""
    if isinstance(hint, ast.Constant) and isinstance(hint.value, str):
        try:
            hint = ast.parse(hint.value, mode="eval").body
        except (SyntaxError, ValueError):
            return None
    if isinstance(hint, ast.BinOp):
        hint = hint.left if not isinstance(hint.left, ast.Constant) else hint.right
    if isinstance(hint, ast.Subscript):
        inner = hint.slice.elts[0] if isinstance(hint.slice, ast.Tuple) and hint.slice.elts else hint.slice
        kind = last_name(hint.value)
        if kind == "Optional":
            return annotated(inner, line, context)
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            inner = ast.Name(inner.value.rpartition(".")[2])
        name = context.resolve(inner)
        if kind == "QuerySet" and name:
            return Rows(name, "objects", line=line, sure=False)
        known = kind in _HELD and name is not None and name.rpartition(".")[2][:1].isupper()
        return Rows(name, GIVEN, line=line, sure=False) if known and name else None
    name = context.resolve(hint) if hint is not None else None
    return Row(name, "objects", line=line, sure=False) if name and name.rpartition(".")[2][:1].isupper() else None


def sender(node: FunctionNode) -> ast.expr | None:
    """The model that `@receiver(post_save, sender=Order)` names: the receiver's `instance` is a row of it."""
    words = [word for part in node.decorator_list if isinstance(part, ast.Call) for word in part.keywords]
    return next((word.value for word in words if word.arg == "sender"), None)


def climbed(node: ast.stmt) -> list[str]:
    """The names that a `while` loop moves on to what stands behind them: `node = node.parent`."""
    return [
        part.targets[0].id
        for part in (node.body if isinstance(node, ast.While) else ())
        if isinstance(part, ast.Assign)
        and isinstance(part.targets[0], ast.Name)
        and isinstance(part.value, ast.Attribute)
        and getattr(part.value.value, "id", "") == part.targets[0].id
    ]


def goes_on(name: str, row: str, body: Iterable[ast.AST]) -> bool:
    """True where the function of that name is called for a row: `walk(child)`, `child.walk()`."""
    return any(
        isinstance(part, ast.Call)
        and last_name(part.func) == name
        and any(
            isinstance(given, ast.Name) and given.id == row
            for given in (*part.args, *([part.func.value] if isinstance(part.func, ast.Attribute) else []))
        )
        for statement in body
        for part in descendants(statement)
    )


def guessed(owner: ast.expr) -> Rows | None:
    """`order.lines` where nothing says what `order` is: the project may have one model of that name with `lines`."""
    if not isinstance(owner, ast.Attribute) or not isinstance(owner.value, (ast.Name, ast.Attribute)):
        return None
    name = last_name(owner.value)
    if name in {"self", "cls"} or not name.islower():
        return None
    return Row(f"{GUESS}{name}", line=owner.lineno, sure=False).behind(owner.attr).many()


def is_column(name: str) -> bool:
    """True for attributes of a row that are read without a query, by their name."""
    return name in _FREE or name.startswith("_") or name.endswith("_id")


def manager_of(node: ast.Attribute, context: FileContext) -> Rows | None:
    """`Order.objects`, `Order.published`, and `self.model.objects` of which the class says the model."""
    owner = last_name(node.value) if isinstance(node.value, (ast.Name, ast.Attribute)) else ""
    if owner == "model" and node.attr in MANAGERS and getattr(getattr(node.value, "value", None), "id", "") == "self":
        return Rows(f"{OWN}model", node.attr, line=node.lineno)
    if not owner[:1].isupper() or owner.isupper() or not (node.attr in MANAGERS or node.attr.islower()):
        return None
    within = node.value.value if isinstance(node.value, ast.Attribute) and node.attr not in MANAGERS else None
    if within is not None and getattr(within, "id", "") not in context.imports:
        return None  # `row.Order.customer`: the row in a tuple
    name = context.resolve(node.value)
    return Rows(name, node.attr, line=node.lineno) if name else None


def asked_by_others(node: FunctionNode | ast.ClassDef, owner: ast.ClassDef | None) -> bool:
    """True for what a framework asks, and no code of the project: views, forms, resolvers, and their methods."""
    if isinstance(node, ast.ClassDef):
        owner = node
    elif owner is None or node.name.startswith("resolve_"):
        return owner is not None
    return any(last_name(base).endswith(_FRAMEWORKS) for base in owner.bases)


def own_row(owner: ast.ClassDef) -> Row | None:
    """`self` in the methods of a model."""
    if not any(last_name(base).endswith(("Model", "AbstractUser")) for base in owner.bases):
        return None
    return Row(owner.name, "objects", sure=False)
