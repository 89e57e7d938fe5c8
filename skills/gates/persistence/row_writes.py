"""What a turn of a loop writes by a row itself: `order.save()`, `order.delete()`."""

import ast
import re

from skills.gates.analysis.local_values import values_of
from skills.gates.analysis.loops import local_nodes
from skills.gates.analysis.queries import MANAGERS, chain_of
from skills.gates.analysis.sessions import speaks_django, unawaited
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import is_singleton
from skills.gates.persistence.database_calls import Write

_NO_ROWS = lazy(
    r"(form|forms|formset|serializer|image|img|picture|fig|figure|plot|wb|workbook|doc|document|file|storage|cache|"
    r"session|table|writer|model_file|pdf|canvas|bucket|blob|key|message|msg)$", re.I,
)  # fmt: skip

SAVES = "saves"
_NO_MODELS = ("Form", "Serializer", "FormSet", "Formset", "Image", "Document", "Workbook")

Turns = ast.For | ast.AsyncFor | ast.comprehension


def row_write(node: ast.Call, bound: frozenset[str], loop: Turns, context: FileContext) -> Write | None:
    """`order.save()`, `order.delete()` of a row that the loop is at, or that it made."""
    function = node.func
    if not isinstance(function, ast.Attribute) or function.attr not in ("save", "asave", "delete", "adelete"):
        return None
    owner = function.value
    made = last_name(owner) if isinstance(owner, ast.Call) and isinstance(owner.func, (ast.Name, ast.Attribute)) else ""
    if made[:1].isupper() and function.attr.endswith("save") and not node.args:
        is_row = not made.endswith(_NO_MODELS) and speaks_django(context)
        return Write("insert", made, f"{made}(…).{function.attr}()") if is_row else None
    if node.args or not isinstance(owner, ast.Name) or owner.id not in bound:
        return None
    if _NO_ROWS.search(owner.id) and not (function.attr[0] == "a" or model_of(loop.iter)):
        return None
    if isinstance(context.parent(node), (ast.Attribute, ast.Call)):
        return None  # `table.delete()` makes a statement
    if not speaks_django(context):
        return None
    if function.attr.endswith("delete"):
        return Write("delete", owner.id, f"{owner.id}.{function.attr}()")
    made = _made_in(loop, owner.id) or _copied_in(loop, owner.id)
    return Write("insert" if made else "update", made or owner.id, f"{owner.id}.{function.attr}()")


def model_of(over: ast.expr | None) -> str:
    """The model of the rows that a manager found: `Message` of `Message.objects.filter(…)`; "" for other things."""
    chain = chain_of(over) if isinstance(over, ast.Call) else None
    return chain.model if chain is not None and chain.manager in MANAGERS else ""


def tell_saving(node: ast.Call, context: FileContext) -> None:
    """A fact saves (`Berth.free`) for a method that saves its own row: `self.save()`."""
    owner, function = context.class_scope, context.function
    match node.func:
        case ast.Attribute(value=ast.Name(id="self"), attr="save" | "asave") if owner is not None:
            if function in owner.body and function is not None and function.name not in ("save", "asave"):
                context.fact(SAVES, f"{owner.name}.{function.name}", "", node.lineno)


def rows_of(loop: ast.For | ast.AsyncFor, context: FileContext) -> str:
    """The model of which a loop goes over rows, one after the other; "" where the file does not say."""
    if not isinstance(loop.target, ast.Name):
        return ""
    made = values_of(loop.iter.id, context) if isinstance(loop.iter, ast.Name) else [loop.iter]
    return model_of(made[-1]) if made else ""


def _made_in(loop: Turns, name: str) -> str:
    """The class of which a turn makes a new object under this name, "" where it does not."""
    if isinstance(loop, ast.comprehension):
        return ""
    for node in local_nodes(loop):
        if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == name for one in node.targets):
            value = unawaited(node.value)
            if isinstance(value, ast.Call) and not isinstance(value.func, ast.Call):
                made = last_name(value.func)
                if made[:1].isupper() and not made.endswith(_NO_MODELS):
                    return made
    return ""


def _copied_in(loop: Turns, name: str) -> str:
    """The name itself where a turn takes the key away from the row, "" where not: `save()` then makes a new one."""
    if isinstance(loop, ast.comprehension):
        return ""
    for node in local_nodes(loop):
        if isinstance(node, ast.Assign) and is_singleton(node.value, None):
            for target in node.targets:
                if (
                    isinstance(target, ast.Attribute)
                    and target.attr in ("pk", "id")
                    and last_name(target.value) == name
                ):
                    return name
    return ""
