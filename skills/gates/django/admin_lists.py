"""Lists of Django's admin: which rows they show, what comes with these, and what is asked of each of them."""

import ast
from collections.abc import Iterator

from skills.gates.django.row_values import EVERYTHING, Rows
from skills.gates.engine.context import FileContext, FunctionNode, Words
from skills.gates.engine.names import is_decorated, last_name
from skills.gates.engine.roles import class_role
from skills.gates.engine.syntax import is_singleton, string_of
from skills.record import record

# Django's own, and those of packages that leave the rows as they are.
_LISTS = frozenset(
    {"ModelAdmin", "GISModelAdmin", "OSMGeoAdmin", "ImportExportModelAdmin", "ImportExportActionModelAdmin",
     "ExportActionModelAdmin", "ExportMixin", "ImportExportMixin", "SimpleHistoryAdmin", "VersionAdmin",
     "GuardedModelAdmin", "TranslationAdmin"}
)  # fmt: skip
_INLINES = frozenset({"TabularInline", "StackedInline", "GenericTabularInline", "GenericStackedInline"})
_JOINING = Words(b"select_related(")
_CHOOSES = frozenset({"get_list_display", "get_list_select_related"})


@record
class AdminList:
    """The rows of a list before the class narrows them, the names of its columns, and of an inline the model on whose
    page it stands, which its rows know. `joins` where nothing says what to load: the admin loads the foreign keys that
    hold a row each time then, if it shows one."""

    rows: Rows
    columns: tuple[str, ...]
    functions: tuple[str, ...] = ()
    parent: str = ""
    joins: bool = False


def admin_list(node: ast.ClassDef, context: FileContext) -> AdminList | None:
    """The list of an admin class for one model, or of an inline; None for other classes, and for those that choose
    their columns while they run."""
    bases = {last_name(base) for base in node.bases}
    given = _given(node)
    if any(isinstance(part, FunctionNode) and part.name in _CHOOSES for part in node.body) or not bases:
        return None
    if bases <= _INLINES:
        model, parent = context.resolve(given.get("model", node)) or "", _parent(node.name, context)
        columns = (*_texts(given.get("readonly_fields")), *_texts(given.get("fields")))
        return AdminList(Rows(model, "objects", line=node.lineno), columns, parent=parent) if model and parent else None
    if class_role(node) != "admin" or not bases <= _LISTS:
        return None
    model, shown = _registered(node, context), given.get("list_display")
    related = given.get("list_select_related", ast.Tuple(elts=[]))
    loaded = frozenset(_texts(related)) if isinstance(related, (ast.List, ast.Tuple)) else frozenset({EVERYTHING})
    columns = _texts(shown) if shown is not None else ("__str__",)
    joins = "list_select_related" not in given or is_singleton(related, False)
    joins &= not any(
        isinstance(part, FunctionNode) and part.name == "get_queryset" and context.mentions(_JOINING, part)
        for part in node.body
    )
    rows = Rows(model, "objects", (), loaded, node.lineno)
    return AdminList(rows, columns, _names(shown), joins=joins) if model else None


def fields_shown(node: ast.ClassDef, listed: AdminList) -> Iterator[tuple[ast.AST, ast.expr, str]]:
    """(statement, place, name) of the columns that are read of the row itself: its relations, properties, methods and
    what it says of itself."""
    own = {part.name for part in node.body if isinstance(part, FunctionNode)}
    for part in node.body:
        if isinstance(part, ast.Assign) and last_name(part.targets[0]) == "list_display":
            for column in part.value.elts if isinstance(part.value, (ast.List, ast.Tuple)) else ():
                name = string_of(column) or ""
                if name in listed.columns and name not in own and "__" not in name.strip("_"):
                    yield part, column, name
            return
    if listed.columns == ("__str__",) and "__str__" not in own:
        yield node, ast.copy_location(ast.Constant("__str__"), node), "__str__"


def asked_of_each(node: ast.ClassDef, listed: AdminList, context: FileContext) -> Iterator[tuple[FunctionNode, int]]:
    """(function, place of its row) of the columns that are methods of the class or functions of the module."""
    for part in node.body:
        if isinstance(part, FunctionNode) and part.name in listed.columns and len(part.args.args) == 2:
            yield part, 1
    yield from _of_module(listed.functions, 1, context)


def shown(node: ast.ClassDef, listed: AdminList) -> Iterator[FunctionNode]:
    """The methods that are given the one row of a page as `obj`: `save_model`, and those that only it shows."""
    for part in node.body:
        given = [argument.arg for argument in part.args.args] if isinstance(part, FunctionNode) else []
        if isinstance(part, FunctionNode) and "obj" in given and part.name not in listed.columns:
            yield part


def actions(node: ast.ClassDef, context: FileContext) -> Iterator[FunctionNode]:
    """The functions that are given the rows which were chosen in a list: their third parameter."""
    offered = _given(node).get("actions")
    named = _texts(offered)
    for part in node.body:
        takes_rows = isinstance(part, FunctionNode) and len(part.args.args) == 3
        if isinstance(part, FunctionNode) and takes_rows and (part.name in named or is_decorated(part, {"action"})):
            yield part
    for function, _ in _of_module(_names(offered), 3, context):
        yield function


def _of_module(names: tuple[str, ...], parameters: int, context: FileContext) -> Iterator[tuple[FunctionNode, int]]:
    for part in context.tree.body if names else ():
        if isinstance(part, FunctionNode) and part.name in names and len(part.args.args) == parameters:
            yield part, 0


def _given(node: ast.ClassDef) -> dict[str, ast.expr]:
    return {last_name(part.targets[0]): part.value for part in node.body if isinstance(part, ast.Assign)}


def _parent(inline: str, context: FileContext) -> str:
    """The model of the class of this file that shows an inline."""
    for part in context.tree.body:
        if isinstance(part, ast.ClassDef) and inline in _names(_given(part).get("inlines")):
            return _registered(part, context)
    return ""


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
    return tuple(text for part in parts if (text := string_of(part)) is not None)


def _names(node: ast.expr | None) -> tuple[str, ...]:
    parts = node.elts if isinstance(node, (ast.List, ast.Tuple)) else ()
    return tuple(part.id for part in parts if isinstance(part, ast.Name))
