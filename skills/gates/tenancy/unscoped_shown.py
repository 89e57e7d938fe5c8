"""Whether a view shows every row of a model to whoever has signed in, or has a role that every tenant's people have."""

import ast
from collections.abc import Iterator

from skills.gates.analysis.queries import chain_of, mentioned_names
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants
from skills.gates.tenancy.unscoped_checks import HOOKS
from skills.gates.tenancy.unscoped_function import Uses, subject_of, uses_of
from skills.gates.tenancy.unscoped_reach import IN_HAND, conditions_of, sources_of
from skills.gates.tenancy.unscoped_visitors import SIGNED_IN, permissions_in
from skills.gates.tenancy.unscoped_words import ASKERS, CHECKS, names_asker, names_tenant

_ROUTES = lazy(
    r"schema|swagger|^action$|api_view|^require_|cache|csrf|atomic|^(?:List|Create|Retrieve|Update|Destroy)Model"
    r"|^(?:method_decorator|(?:static|class)method|extend_schema_view|register)$|^SuccessMessageMixin$"
)
_GENERIC = lazy(
    r"^(?:ReadOnly)?ModelViewSet$|^GenericViewSet$|^(?:Retrieve|List)\w*APIView$|^(?:List|Detail|Update|Delete)View$"
    r"|^(?:List|Create|Retrieve|Update|Destroy)ModelMixin$|^(?:LoginRequired|PermissionRequired|SuccessMessage)Mixin$"
)
NAMES_ITS_MODEL = ("ListView", "DetailView", "UpdateView", "DeleteView")
"""Django's generic views that show the rows of their `model`."""
_OWN_ROWS = frozenset({"get_queryset", "filter_queryset", "get_object", "list", "retrieve", "get"})
_ROWS = frozenset(
    {"all", "filter", "exclude", "select_related", "prefetch_related", "order_by", "annotate", "only", "distinct",
     "defer", "values", "values_list", "reverse"}
)  # fmt: skip
_PAGES = frozenset({"render", "TemplateResponse"})


def shows_all(query: ast.Call, context: FileContext) -> bool:
    """True where a view shows every row of a query: as its `queryset`, what its `get_queryset` answers, through a
    serializer of many, or in a page."""
    if asked_beside(context) is None:
        return False
    function, owner, statement = context.function, context.class_scope, context.statement
    if function is None or function.name == "get_queryset":
        if owner is None or not all(map(_GENERIC.search, map(last_name, owner.bases))):
            return False
        if function is None:
            own = {part.name for part in owner.body if isinstance(part, FunctionNode) and not _goes_on(part, context)}
            target = statement.targets[0] if isinstance(statement, ast.Assign) else None
            return target is not None and last_name(target) == "queryset" and own.isdisjoint(_OWN_ROWS)
        return isinstance(statement, ast.Return) and not _tells_callers_apart(function, context)
    if _tells_callers_apart(function, context) or last_name(query.func) not in _ROWS:
        return False
    uses = uses_of(function, context)
    bound = statement.targets[0] if isinstance(statement, ast.Assign) else None
    if function.name == "get_context_data" and isinstance(bound, ast.Subscript):
        return True  # `context["invoices"] = Invoice.objects.all()`
    names = uses.derived_from(bound.id) if isinstance(bound, ast.Name) else set()
    return _is_put_out(query, names, uses, function) and not _is_narrowed_later(names, uses, context)


def _goes_on(method: FunctionNode, context: FileContext) -> bool:
    """True for `def list(self, request): return super().list(request)`, which is there for what decorates it."""
    last = method.body[-1]
    above = chain_of(last.value).root if isinstance(last, ast.Return) and isinstance(last.value, ast.Call) else None
    return isinstance(above, ast.Call) and last_name(above) == "super" and not _names_whose(method, context)


def _is_put_out(query: ast.Call, names: set[str], uses: Uses, function: FunctionNode) -> bool:
    """True for rows that a serializer of many is given, or that stand in what a page is filled with."""
    given: list[ast.expr] = []
    pages = False
    for call in uses.calls:
        name = last_name(call.func)
        pages = pages or name in _PAGES
        if name.endswith("Serializer") and any(word.arg == "many" for word in call.keywords):
            given += call.args[:1]
    for part in descendants(function) if pages else ():
        given += part.values if isinstance(part, ast.Dict) else ()
    return any(value is query or (isinstance(value, ast.Name) and value.id in names) for value in given)


def _is_narrowed_later(names: set[str], uses: Uses, context: FileContext) -> bool:
    """True where rows that have a name are filtered by what is in hand: `lines = lines.filter(invoice=invoice)`."""
    calls = (part for name in names for part in uses.said.get(name, ()) if isinstance(part, ast.Call))
    values = (value for call in calls if subject_of(call) in names for _, value in conditions_of(call))
    return any(how == IN_HAND for value in values for how, _ in sources_of(value, context))


def model_shown(context: FileContext) -> tuple[str, ast.Assign] | None:
    """The model whose every row a generic view of Django's shows, `model = Invoice`, with that statement."""
    owner = context.class_scope
    if owner is None or asked_beside(context) is None:
        return None
    if not all(map(_GENERIC.search, map(last_name, owner.bases))):
        return None
    found: tuple[str, ast.Assign] | None = None
    for part in owner.body:
        if isinstance(part, ast.Assign):
            name = last_name(part.targets[0])
            if name == "queryset":
                return None
            if name == "model":
                found = last_name(part.value), part
        elif isinstance(part, FunctionNode) and (part.name in _OWN_ROWS | {"post"} or _asks(part, context)):
            return None
    return found


def _asks(function: FunctionNode, context: FileContext) -> bool:
    """True for a method that compares whose a row is, or calls a check with who asks."""
    uses = uses_of(function, context)
    if any(_names_whose(compare, context) for compare in uses.compares):
        return True
    return any(CHECKS.search(last_name(call.func)) and names_asker(call) for call in uses.calls)


def _names_whose(part: ast.AST, context: FileContext) -> bool:
    words = set(mentioned_names(part))
    return not ASKERS.isdisjoint(words) or names_tenant(words, context)


def _tells_callers_apart(function: FunctionNode, context: FileContext) -> bool:
    """True for a function that says who asks, or names a tenant: what it shows to whom is not told by one query."""
    return _names_whose(function, context)


def asked_beside(context: FileContext) -> frozenset[str] | None:
    """What is asked of who comes beside having signed in, roles and permissions; None where nothing is asked, a tenant
    is, or a method decides."""
    asked: set[str] = set()
    for scope in context.scopes:
        asked.update(_decorators(scope))
        if isinstance(scope, ast.ClassDef):
            asked.update(last_name(base) for base in scope.bases if last_name(base).endswith("Mixin"))
            for part in scope.body:
                if isinstance(part, ast.Assign) and last_name(part.targets[0]) == "permission_classes":
                    asked.update(permissions_in(part.value))
                elif isinstance(part, FunctionNode) and part.name in {"get_permissions", *HOOKS}:
                    return None
    asked = {name for name in asked if not _ROUTES.search(name)}
    return frozenset(asked - SIGNED_IN) if asked and not names_tenant(asked, context) else None


def _decorators(scope: ast.ClassDef | FunctionNode) -> Iterator[str]:
    """The names of decorators; of `@method_decorator(login_required, name="dispatch")` what it makes one of."""
    for decorator in scope.decorator_list:
        yield last_name(decorator)
        if isinstance(decorator, ast.Call) and last_name(decorator) == "method_decorator" and decorator.args:
            given = decorator.args[0]
            yield from map(last_name, given.elts if isinstance(given, (ast.List, ast.Tuple)) else [given])
