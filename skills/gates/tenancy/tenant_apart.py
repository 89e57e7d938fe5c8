"""What says the tenant by hand: which model a query is about, what a serializer takes, and where code stands apart from
what scopes queries by itself."""

import ast
import re
from collections.abc import Iterator

from skills.gates.analysis.queries import Chain, chain_of, mentioned_names
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name, root_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import role_of_scope
from skills.gates.engine.syntax import descendants, is_singleton, keyword_of, strings_in
from skills.gates.tenancy.tenant_coverage import WRITES
from skills.gates.tenancy.unscoped_visitors import is_public
from skills.gates.tenancy.unscoped_words import ASKERS

_WIDER = lazy(
    r"unscop|unfilter|without|ignor|disab|bypass|global|across|cross_|every|entire|public|system|base_|_base|raw"
    r"|^all_|_all$|all_tenants|schema_context|superuser",
    re.I,
)
_SETTER = lazy(
    r"^_?(set|activate|enter|switch|use|bind|with|in|for)_?\w*(tenant|company|org|workspace|schema)|^scope$|_context$",
    re.I,
)
# Who is in no tenant yet, or chooses one; what is only shown.
_WRITES_NO_ROW = lazy(
    r"Log_?in|Sign_?(?:in|up)|Regist|Password|Token|Invit|Select|Switch|Choose"
    r"|(?:List|Read|Log|Mini|Short|Basic)(?=[A-Z])|Detail|Response|Output|Minimal|Summary|Audit|Admin|Platform"
    r"|Simple|Brief|Nested|Compact|Preview|Lookup"
)
_ITSELF = frozenset({"self", "instance"})
_OBJECT = frozenset({"object", "get_object"})
_SETS_UP = lazy(
    r"^_?(?:seed|ensure_(?:default|system)|create_default|provision|bootstrap|set_?up_)|_defaults$"
    r"|unscop|rls_off|all_tenants",
    re.I,
)
_BEFORE = lazy(
    r"[Ss]ign_?[Uu]p|^_?register(?:_(?:user|account|company|tenant))?$"
    r"|^(?:User|Account|Company|Tenant)?Regist(?:er|ration)(?:Serializer|View|Form|API)"
    r"|Authentication$|^authenticate$"
)
_DECIDES = lazy(r"^_?(?:require|check|assert|can|has|is|may)_|permi|capabilit|_key$", re.I)
_SECRET = lazy(r"^_?(?:client|app)_secret$|credential")
_VALIDATES = lazy(r"^_?(?:validate|verify)_")
_PAST = lazy(r"^(?:execute\w*|cursor|raw)$|unscop|unfilter|^all_|_all$|^_base_manager$", re.I)
_OWN_QUERYSET = frozenset({"get_queryset", "filter_queryset", "queryset"})


def stands_apart(node: ast.Call, context: FileContext) -> str:
    """Why the mechanism may not be at work at a query, "" where nothing says so: the query asks for more than one
    tenant's rows, the block around it does, or a task was given no tenant by a middleware."""
    chain = chain_of(node)
    given = mentioned_names(node.args[0]) if node.args and last_name(node.func).endswith("_or_404") else ()
    before = [(one.manager, *(method for method, _ in one.calls)) for one in _bound_to(chain, context)]
    asked = (chain.manager, *(method for method, _ in chain.calls[:-1]), *(name for names in before for name in names))
    for method in (*asked, *filter(_PAST.search, given)):
        if _PAST.search(method) or _WIDER.search(method):
            return f"`{method}`"
    if context.holds(b"django.setup()"):
        return "a script"  # no middleware ran before it
    if whose := _tenant_in_hand(node, context):
        return whose
    for name in _around(node, context):
        if _WIDER.search(name):
            return f"`{name}`"
    function = context.function
    for scope in context.scopes:
        if _SETS_UP.search(scope.name) or _BEFORE.search(scope.name):
            return f"`{scope.name}`"
    if function is not None and role_of_scope(context.scopes, context.role) == "task":
        called = (last_name(part.func) for part in descendants(function) if isinstance(part, ast.Call))
        if not any(_SETTER.search(name) for name in called):
            return "a task"
    return ""


def _tenant_in_hand(node: ast.Call, context: FileContext) -> str:
    """Which tenant a query names that need not be the one in force, "" where nothing says so."""
    words = (word for word in node.keywords if word.arg)
    own = [word.value for word in words if not set(context.tenant_fields).isdisjoint(str(word.arg).split("__"))]
    if any(isinstance(value, ast.Name) and (value.id in _ITSELF or _is_shown(value.id, context)) for value in own):
        return "a row of the tenant itself"
    if last_name(node.func) in WRITES and any(map(_is_of_row, own)):
        return "the tenant of another row"
    if any(_is_looked_up(value, context) for value in own) and is_public(context):
        return "a tenant that the public names"
    return ""


def _is_looked_up(value: ast.expr, context: FileContext) -> bool:
    """True for a name, or the key of one, that the current function binds to a row that it reads."""
    name = root_name(value)
    for part in descendants(context.function) if context.function is not None and name else ():
        if isinstance(part, ast.Assign) and isinstance(part.value, ast.Call) and name in map(last_name, part.targets):
            return bool(chain_of(part.value).model) or last_name(part.value).endswith("_or_404")
    return False


def _is_of_row(value: ast.expr) -> bool:
    """`invoice.company`, `device.company_id`: a copy, or what belongs to a row, is its tenant's, whoever asks."""
    names = set(mentioned_names(value))
    return isinstance(value, ast.Attribute) and names.isdisjoint({"self", "cls", "request", "info", *ASKERS})


def _is_shown(name: str, context: FileContext) -> bool:
    """True for a name that the current function binds to the row that its view is about, or in a view of tenants to one
    that the address names: who runs the service looks at any of them."""
    function = context.function
    for part in descendants(function) if function is not None else ():
        if not isinstance(part, ast.Assign) or name not in map(last_name, part.targets):
            continue
        value = part.value.func if isinstance(part.value, ast.Call) else part.value
        if isinstance(value, ast.Attribute) and value.attr in _OBJECT and last_name(value.value) == "self":
            return True
        if last_name(value).endswith("_or_404") and _names_of_address(function, part.value):
            stem = name.removesuffix("_obj").replace("_", "")
            return any(scope.name.lower().replace("_", "").startswith(stem) for scope in context.scopes)
    return False


def _names_of_address(function: FunctionNode | None, lookup: ast.expr) -> bool:
    """True where a lookup goes by what a view is given beside the request."""
    given = [argument.arg for argument in function.args.args] if function is not None else []
    asked = {part.id for part in descendants(lookup) if isinstance(part, ast.Name)}
    return "request" in given and not {*given}.difference({"self", "request"}).isdisjoint(asked)


def takes_apart(function: FunctionNode, parameter: ast.arg) -> str:
    """Why a function takes the tenant for something else than to filter by it, "" where nothing says so: it is the name
    of one, it reads what the tenant is like, only writes it into a text, or goes past the mechanism."""
    name = parameter.arg
    if _SETS_UP.search(function.name) or _DECIDES.search(function.name):
        return f"`{function.name}()`"
    if _is_optional(function, name):
        return "one tenant or all"
    if not name.endswith("_id") and parameter.annotation is not None:
        kinds = {last_name(part) for part in descendants(parameter.annotation)}
        if "str" in kinds:
            return f"a name, `{name}`"
    written: set[ast.AST] = set()
    uses: set[ast.AST] = set()
    for part in (inner for statement in function.body for inner in descendants(statement)):
        if isinstance(part, ast.Attribute):
            if isinstance(part.value, ast.Name) and part.value.id == name and part.attr not in {"id", "pk"}:
                return f"`{name}.{part.attr}`"
            if _PAST.search(part.attr):
                return f"`{part.attr}`"
        elif isinstance(part, ast.Name) and part.id == name:
            uses.add(part)
        elif isinstance(part, (ast.FormattedValue, ast.Subscript, ast.Tuple)):
            told = part.slice if isinstance(part, ast.Subscript) else part  # `kept[company_id, 1]`
            written.update(descendants(told))
        elif isinstance(part, ast.Call) and last_name(part.func) == "format":
            written.update(descendants(part))  # `KEY.format(company_id=company_id)`
    return "a text or a key" if uses and uses <= written else ""


def _is_optional(function: FunctionNode, name: str) -> bool:
    """True for a parameter that may be None, and that the function asks of whether it is: for one tenant or for all."""
    given = function.args
    places = [*given.posonlyargs, *given.args][-len(given.defaults) :] if given.defaults else []
    defaults = [*zip(places, given.defaults, strict=True), *zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    if not any(one.arg == name and is_singleton(default, None) for one, default in defaults):
        return False
    tests = (part.test for part in descendants(function) if isinstance(part, (ast.If, ast.IfExp)))
    return any(isinstance(part, ast.Name) and part.id == name for test in tests for part in descendants(test))


def is_typed(parameter: ast.arg) -> bool:
    """True for `company: Company`."""
    kind = last_name(parameter.annotation) if parameter.annotation is not None else ""
    return kind.lower() == parameter.arg.replace("_", "")


def uses_otherwise(function: FunctionNode, name: str, context: FileContext) -> str:
    """Why a function that asks nothing by the tenant takes it for something else, "" where nothing says so: it compares
    a row in hand with it, or is an `__init__` that keeps it for what it is like."""
    if _VALIDATES.search(function.name):
        return f"`{function.name}()`"
    owner = context.class_scope if function.name == "__init__" else None
    for part in descendants(owner) if owner is not None else ():
        if isinstance(part, ast.Attribute) and part.attr not in {"id", "pk"} and _is_kept(part.value, name):
            return f"`self.{name}.{part.attr}`"
    return ""


def keeps_credentials(owner: ast.ClassDef) -> bool:
    """True for a class that keeps the secret of a provider: the tenant there is one of the provider's."""
    return any(
        isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store) and _SECRET.search(part.attr)
        for part in descendants(owner)
    )


def models_asked(function: FunctionNode, name: str, context: FileContext) -> Iterator[str]:
    """`Model.manager.method` of what a function reads or writes by the tenant that it takes; what its class does by
    the one that its `__init__` keeps."""
    owner = context.class_scope if function.name == "__init__" else None
    for call in descendants(owner or function):
        if isinstance(call, ast.Call) and any(_is_value(word.value, name) for word in call.keywords if word.arg):
            model, manager = model_asked(chain_of(call), context)
            if not model and last_name(call.func).endswith("_or_404"):
                model, manager = asked_first(call, context)
            if model:
                yield f"{model}.{manager}.{last_name(call.func)}"


def _is_value(value: ast.expr, name: str) -> bool:
    if isinstance(value, ast.Attribute) and value.attr in {"id", "pk"}:
        value = value.value
    return _is_kept(value, name) or (isinstance(value, ast.Name) and value.id == name)


def _is_kept(value: ast.expr, name: str) -> bool:
    """True for `self.company`, which `__init__` was given."""
    kept = isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name) and value.value.id == "self"
    return kept and last_name(value).removeprefix("_") == name


def fields_taken(node: ast.ClassDef, tenant_fields: tuple[str, ...]) -> Iterator[tuple[ast.stmt, str, list[str]]]:
    """(statement, what it is called in the class, the tenant fields) of what a serializer lets a client write."""
    if _WRITES_NO_ROW.search(node.name):
        return
    declared: set[str] = set()
    for part in node.body:
        if isinstance(part, ast.Assign):
            declared.update(map(last_name, part.targets))
            name = last_name(part.targets[0])
            if name in tenant_fields and isinstance(part.value, ast.Call) and _is_written(part.value):
                yield part, name, [name]
    meta = next((part for part in node.body if isinstance(part, ast.ClassDef) and part.name == "Meta"), None)
    listed: dict[str, list[str]] = {}
    place: ast.stmt | None = None
    for part in meta.body if meta is not None else ():
        if isinstance(part, ast.Assign):
            name = last_name(part.targets[0])
            listed[name] = list(strings_in(part.value))
            place = part if name == "fields" else place
    declared.update(name for key in ("read_only_fields", "extra_kwargs") for name in listed.get(key, ()))
    names = [name for name in listed.get("fields", ()) if name in tenant_fields and name not in declared]
    if place is not None and names:
        yield place, "Meta.fields", names


def _is_written(field: ast.Call) -> bool:
    """False for a field that is only shown, and for a company that is written as text, which is a name."""
    kind = last_name(field.func)
    shown = is_singleton(keyword_of(field, "read_only"), True)
    return kind.endswith("Field") and not shown and kind not in {"SerializerMethodField", "ReadOnlyField", "CharField"}


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
    if chain.manager and last_name(root) == "cls" and context.class_scope is not None:
        return context.class_scope.name, chain.manager
    for bound in _bound_to(chain, context):
        return _true_name(bound.model, context), bound.manager
    if _OWN_QUERYSET.isdisjoint({last_name(root), *(method for method, _ in chain.calls)}) and not _is_form(root):
        return "", ""
    owner = context.class_scope
    return (model_of_class(owner, context), "") if owner is not None else ("", "")


def _bound_to(chain: Chain, context: FileContext) -> Iterator[Chain]:
    """The queries of a model that the current function binds to the name that a chain goes on from."""
    root, function = chain.root, context.function
    if not isinstance(root, ast.Name) or function is None:
        return
    for part in descendants(function):
        if isinstance(part, ast.Assign) and isinstance(part.value, ast.Call) and part.value is not chain.calls[-1][1]:
            bound = chain_of(part.value)
            if bound.model and any(isinstance(name, ast.Name) and name.id == root.id for name in part.targets):
                yield bound


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


def model_of_class(owner: ast.ClassDef, context: FileContext) -> str:
    """The model of a view or a form, as its `model`, `queryset`, `get_queryset` or Meta says it."""
    for part in owner.body:
        if isinstance(part, ast.ClassDef) and part.name == "Meta":
            found = model_of_class(part, context)
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
