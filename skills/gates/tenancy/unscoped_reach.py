"""Whether what a request says reaches the rows of a query: where the keys in its conditions come from."""

import ast
from collections.abc import Iterator

from skills.gates.analysis.queries import chain_of, mentioned_names
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import is_decorated, last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import function_role
from skills.gates.engine.syntax import descendants
from skills.gates.tenancy.unscoped_function import READS_ONE, SHORTCUTS, is_manager, uses_of
from skills.gates.tenancy.unscoped_words import ASKERS, OUTSIDE, ROWS, SAID_BY_REQUEST, parameters
from skills.record import record

ROWS_OF_ALL, FROM_OUTSIDE, HANDED, IN_HAND = "rows", "outside", "handed", "known"
_NARROWING = frozenset({"filter", "get", "aget", "Q", "get_or_create", "update_or_create", *SHORTCUTS})
_PUBLISHED = lazy(r"(?:^|_)(?:published|public|shared|template|global|marketplace)$|^visibility$")
# who is meant, whatever the tenant, and what is handed out to be typed in: a coupon
_SAID_TO_ALL = lazy(r"mail|user_?name|login|phone|(?:^|_)code$")
_KEY = lazy(r"(?:^|_)(?:pk|id|uuid|guid)s?$")
_RANGES = frozenset({"lt", "lte", "gt", "gte", "range", "isnull", "contains", "icontains", "date", "year"})
_LOOKUPS = frozenset({"in", "exact", "iexact"})
_GIVES_DATA = frozenset({"validate", "create", "update", "to_internal_value", "run_validation", "save"})
_CONTAINERS = frozenset(
    {"get", "getlist", "pop", "split", "strip", "keys", "values", "items", "copy", "replace", "lower", "upper",
     "setdefault", "dict", "model_dump", "tolist"}
)  # fmt: skip

_FORMS = frozenset({"self", "form"})  # the `data` of others is an answer: `response.data["id"]`


@record
class Reach:
    """How a request reaches the rows of a query.

    `how` is "rows" where no key narrows it, "outside" for a key that came with a request, "handed" for one that the
    function was given by its caller, and "known" for that of a row in hand. `words` are what the key is called.
    """

    how: str
    words: frozenset[str] = frozenset()


def reach_of(query: ast.Call, context: FileContext) -> Reach:
    """Where the keys in the conditions of a query come from. One that is known narrows it, whatever the others are."""
    found: dict[str, set[str]] = {}
    reads_one = last_name(query.func) in READS_ONE
    for name, value in conditions_of(query):
        if isinstance(value, ast.Call) and chain_of(value).model:
            continue  # its own conditions are judged with these
        sources = set(_sources(value, context, set()))
        words = {word for _, word in sources}
        is_set = name.endswith("__in") and isinstance(value, (ast.Name, ast.Call)) and bool(sources)
        hows = {how for how, _ in sources}
        is_named = name.rpartition("__")[2] not in _RANGES and not _SAID_TO_ALL.search(name)
        is_one = reads_one and is_named and FROM_OUTSIDE in hows
        if is_key(name) or is_set or is_one or any(map(_KEY.search, words)):
            how = next((one for one in (FROM_OUTSIDE, HANDED) if one in hows), IN_HAND)
            found.setdefault(how, set()).update(words)
    for how in (IN_HAND, FROM_OUTSIDE, HANDED):
        if how in found:
            return Reach(how, frozenset(found[how]))
    return Reach(ROWS_OF_ALL)


def is_published(query: ast.Call) -> bool:
    """True for rows that a condition says are there for everybody: `is_public=True`, `status=Status.PUBLISHED`."""
    return any(_PUBLISHED.search(name) or _says_published(value) for name, value in conditions_of(query))


def _says_published(value: ast.expr) -> bool:
    said = value.value if isinstance(value, ast.Constant) else last_name(value)
    return isinstance(said, str) and said.lower() in {"published", "public"}


def uses_bound(context: FileContext) -> dict[str, list[ast.AST]]:
    """Name → what the function around binds it to."""
    function = context.function
    return uses_of(function, context).bound if function is not None else {}


def _loops_of(context: FileContext) -> frozenset[str]:
    """The names that the function around binds in loops."""
    function = context.function
    return uses_of(function, context).looped if function is not None else frozenset()


def is_key(lookup: str) -> bool:
    """True for a lookup that ends in a key: "pk", "invoice_id", "uuid__in"."""
    parts = [part for part in lookup.split("__") if part not in _LOOKUPS]
    return bool(parts) and _KEY.search(parts[-1]) is not None


def conditions_of(query: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """(lookup, value) of what narrows a query."""
    widening: set[ast.AST] = set()
    for call in descendants(query):
        if isinstance(call, ast.UnaryOp) and isinstance(call.op, ast.Invert):
            widening.update(descendants(call))  # `~Q(pk=own)`: all others
        elif isinstance(call, ast.Call) and last_name(call.func) in _NARROWING and call not in widening:
            yield from ((word.arg, word.value) for word in call.keywords if word.arg and word.arg != "defaults")


def sources_of(value: ast.expr, context: FileContext) -> set[tuple[str, str]]:
    """(how it came here, what it is called there) of everything that a value is made of."""
    return set(_sources(value, context, set()))


def _sources(value: ast.AST, context: FileContext, seen: set[str]) -> Iterator[tuple[str, str]]:
    if isinstance(value, ast.Name):
        yield from _of_name(value.id, context, seen)
    elif isinstance(value, (ast.Attribute, ast.Subscript)):
        yield from _of_part(value, context, seen)
    elif isinstance(value, ast.Call):
        yield from _of_call(value, context, seen)
    elif isinstance(value, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
        yield from _sources(value.elt, context, seen)
    elif isinstance(value, ast.DictComp):
        yield from _sources(value.key, context, seen)
    elif not isinstance(value, (ast.Lambda, ast.Constant)):
        for part in ast.iter_child_nodes(value):
            yield from _sources(part, context, seen)


def _of_name(name: str, context: FileContext, seen: set[str]) -> Iterator[tuple[str, str]]:
    if name in seen:
        return
    seen.add(name)
    bound = uses_bound(context).get(name, ())
    for value in bound:
        for how, word in _sources(value, context, seen):
            yield how, word
            if how != IN_HAND:
                yield how, name
    if name in parameters(context) and name not in ROWS | ASKERS | {"request"}:
        yield (FROM_OUTSIDE if is_entry(context) else HANDED), name
    elif not bound and not name[:1].isupper():
        yield IN_HAND, name


def _of_part(value: ast.Attribute | ast.Subscript, context: FileContext, seen: set[str]) -> Iterator[tuple[str, str]]:
    """`request.data["id"]`, `self.kwargs["pk"]` and `payload.id` came from outside; `invoice.id` and `request.tenant`
    are of what is in hand."""
    word = _called(value)
    names = list(_chain(value))
    if names and names[0][:1].isupper():
        return  # a constant: `Status.OPEN`
    if not ASKERS.isdisjoint(names) or names[:1] == ["view"] or "context" in names:
        yield IN_HAND, word  # a serializer reads what its view was asked for
    elif "request" in names:
        yield (IN_HAND if SAID_BY_REQUEST.isdisjoint(names) else FROM_OUTSIDE), word
    elif not OUTSIDE.isdisjoint(names[1:]) and (names[1] != "data" or names[0] in _FORMS):
        if names[0] in _loops_of(context):
            yield from _of_name(names[0], context, seen)  # `event.payload` of events in hand
        else:
            yield FROM_OUTSIDE, word
    elif isinstance(value, ast.Subscript) or names[:1] == ["kwargs"]:
        if names[:1] == ["kwargs"] and "kwargs" in parameters(context):
            yield (FROM_OUTSIDE if is_entry(context) else HANDED), word
        else:
            for how, inner in _sources(value.value, context, seen):
                yield how, word
                yield how, inner
    elif names[:1] and names[0] in OUTSIDE & parameters(context):
        yield (FROM_OUTSIDE if is_entry(context) else HANDED), word
    else:
        yield IN_HAND, word


def _of_call(call: ast.Call, context: FileContext, seen: set[str]) -> Iterator[tuple[str, str]]:
    method = last_name(call.func)
    if is_manager(chain_of(call).manager) or method in {"getattr", "values_list", "get_object"}:
        yield IN_HAND, method
    elif isinstance(call.func, ast.Attribute) and method in _CONTAINERS:
        named = [one.value for one in call.args[:1] if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        part = ast.Subscript(call.func.value, ast.Constant(named[0])) if named else call.func.value
        yield from _sources(part, context, seen)
    else:
        given = [*call.args, *(word.value for word in call.keywords)]
        names = {name for part in given for name in mentioned_names(part)}
        if not given or not ({"request", *ASKERS}.isdisjoint(names)):
            yield IN_HAND, method  # `visible_ids(request)`: whose they are was asked there
        else:
            for part in given:
                yield from _sources(part, context, seen)


def _called(value: ast.Attribute | ast.Subscript) -> str:
    if isinstance(value, ast.Attribute):
        return value.attr
    key = value.slice
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else last_name(value.value)


def _chain(value: ast.AST) -> Iterator[str]:
    """The names that lead to a part, outermost first: "self", "request", "data" of `self.request.data["id"]`."""
    if isinstance(value, ast.Attribute):
        yield from _chain(value.value)
        yield value.attr
    elif isinstance(value, ast.Name):
        yield value.id
    elif isinstance(value, ast.Subscript):
        yield from _chain(value.value)
    elif isinstance(value, ast.Call):
        yield from _chain(value.func)


def is_entry(context: FileContext) -> bool:
    """True where the function around is what a request comes to: its parameters are what the client says."""
    function = context.function
    return function is not None and is_entry_of(function, context.class_scope)


def is_entry_of(function: FunctionNode, owner: ast.ClassDef | None) -> bool:
    """As `is_entry`, for a function and the class that it stands in."""
    if function_role(function) in {"view", "router"}:
        return True
    if is_decorated(function, {"action"}):
        return True
    arguments = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    if owner is None:
        return arguments[:1] == ["request"] and not function.name.startswith("_")
    if "request" in arguments[:2]:
        return not function.name.startswith("_")
    if function.name in _GIVES_DATA or function.name.startswith("validate_"):
        return not {"validated_data", "attrs", "data", "value"}.isdisjoint(arguments)
    return False
