"""Who calls the function that a query stands in, and with what: a key that a caller took from a request is the
request's, one that it read itself is not."""

import ast
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from skills.gates.engine.context import FileContext, FunctionNode, Words
from skills.gates.engine.names import last_name, module_name, root_name
from skills.gates.engine.roles import is_product_path, path_role, role_of_scope
from skills.gates.engine.syntax import BLOCKS, HEADERS, descendants
from skills.gates.model import Candidate, FileReport
from skills.gates.project import Project
from skills.gates.rule import Observer, Watch
from skills.gates.tenancy.unscoped_checks import asked_by, is_validated, vetted_in
from skills.gates.tenancy.unscoped_function import SHORTCUTS, uses_of
from skills.gates.tenancy.unscoped_reach import (
    FROM_OUTSIDE,
    HANDED,
    IN_HAND,
    ROWS_OF_ALL,
    conditions_of,
    is_entry,
    is_published,
    reach_of,
    sources_of,
)
from skills.gates.tenancy.unscoped_shown import asked_beside, model_shown, shows_all
from skills.gates.tenancy.unscoped_visitors import (
    askers_of,
    asks_whose,
    is_before_sign_in,
    is_for_a_role,
    is_for_served,
    is_for_staff,
    is_public,
    lets_tenants_in,
)
from skills.gates.tenancy.unscoped_words import (
    OUTSIDE,
    SAID_BY_REQUEST,
    SCOPED,
    is_asked_for_tenant,
    names_tenant,
    parameters,
    said_later,
)

_ASKED = "service-asked"
_CALLERS = "unscoped-tenant-query: who calls a function"
_FURTHEST = 3
_READS = frozenset({"filter", "exclude", "all", "select_for_update", "order_by", "get", "aget", *SHORTCUTS})
_REQUESTS = frozenset({"view", "router", "serializer"})
_SAID = (OUTSIDE | SAID_BY_REQUEST) - {"request"}
_VALIDATED = frozenset({"validated_data", "cleaned_data", "data"})
_SERVICES = (b"service", b"selector", b"quer", b"repositor", b"use_case", b"usecase", b"interactor")
Scopes = list[ast.ClassDef | FunctionNode]


def reach_needs(query: ast.Call, role: str, context: FileContext) -> Iterator[tuple[str, str]]:
    """How a request reaches the rows of a query, as the needs of its candidate that `reaches` reads: "reach", for each
    way from a request the words of its keys and who asks before ("way"), and for a function that is handed keys, its
    name and the parameters ("handed")."""
    reach = reach_of(query, context)
    if reach.how == ROWS_OF_ALL:
        shown = shows_all(query, context) and not _is_let_through(context) and not is_for_a_role(query, context)
        yield from _shown(context) if shown else [("reach", IN_HAND)]
    elif reach.how == HANDED:
        yield "reach", HANDED
        if not _is_asked(query, reach.words, context):
            yield from dict.fromkeys(_handed(reach.words, context, _FURTHEST))
    else:
        yield "reach", reach.how
        by_request = reach.how == FROM_OUTSIDE and (role in _REQUESTS or is_entry(context))
        if by_request and not _is_asked(query, reach.words, context) and not _is_asked_by_callers(context):
            yield (
                "way",
                f"{' '.join(sorted(reach.words))}|{' '.join(sorted({*askers_of(context), *_validators(context)}))}",
            )


def model_needs(context: FileContext) -> tuple[str, ast.Assign, list[tuple[str, str]]] | None:
    """The model whose every row the class around shows, with the statement that names it and the needs of the
    candidate."""
    shown = None if _is_let_through(context) else model_shown(context)
    return (*shown, list(_shown(context))) if shown is not None else None


def _shown(context: FileContext) -> Iterator[tuple[str, str]]:
    yield "reach", ROWS_OF_ALL
    if asked := asked_beside(context):
        yield "asks", " ".join(sorted(asked))


def _is_asked(query: ast.Call, words: frozenset[str], context: FileContext) -> bool:
    """True where the function around asks for the keys of a query, or shows none of its rows to a stranger."""
    function = context.function
    return (
        (function is not None and not words.isdisjoint(vetted_in(function, context)))
        or is_validated(words, context)
        or is_published(query)
        or _only_decides(query, context)
        or is_for_a_role(query, context)
        or _is_let_through(context)
    )


def _validators(context: FileContext) -> Iterator[str]:
    """The serializers and forms that the function around has validate what came."""
    function = context.function
    for call in uses_of(function, context).calls if function is not None else ():
        if (name := last_name(call.func)).endswith(("Serializer", "Form")):
            yield name


def _is_let_through(context: FileContext) -> bool:
    """True where who comes is no member of a tenant (nobody has signed in yet, everybody may read, another service
    calls, staff do, or those whom tenants serve), or is asked for his own."""
    others = is_before_sign_in(context) or is_public(context) or is_for_staff(context) or is_for_served(context)
    return others or asks_whose(context)


def _only_decides(query: ast.Call, context: FileContext) -> bool:
    """True for a query that shows and changes no row: it asks whether there is one, or for the keys that it was given,
    or only narrows other queries."""
    statement = context.statement
    columns = [getattr(value, "value", None) for value in query.args]
    keys = {"id", "pk", "uuid", *(name.removesuffix("__in") for name, _ in conditions_of(query))}
    if last_name(query.func) in {"values", "values_list"} and columns and keys.issuperset(columns):
        return True
    if last_name(query.func) in {"exists", "aexists"} or isinstance(statement, (ast.If, ast.While, ast.Assert)):
        return True
    if isinstance(statement, ast.Expr) and statement.value is query and last_name(query.func) in _READS:
        return True  # what nobody reads
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    function = context.function
    if not isinstance(target, ast.Name) or function is None:
        return False
    uses = uses_of(function, context)
    return uses.only_narrows(target.id) or (function.name.startswith("validate") and not uses.keeps(target.id))


def _handed(words: frozenset[str], context: FileContext, depth: int) -> Iterator[tuple[str, str]]:
    """The function around with what it is handed, those of its file that only hand it on, and the ways there from
    requests."""
    function = context.function
    if function is None:
        return
    name = function.name
    if name == "__init__" and context.class_scope is not None:
        name = context.class_scope.name
    arguments = _parameters(function)
    before = context.scopes, context.statement
    owner = context.class_scope
    for call, inner, scopes in _callers(context).get(name, ()) if depth else ():
        if function is inner or not _may_call(call, scopes, owner):
            continue
        context.scopes, context.statement = scopes, uses_of(inner, context).statement_of(call)
        try:
            each = [sources_of(value, context) for value in _given(call, arguments, words)]
            if any(sources and all(how == IN_HAND for how, _ in sources) for sources in each):
                continue  # the rows of a row in hand
            found = {pair for sources in each for pair in sources}
            outside = frozenset(word for how, word in found if how == FROM_OUTSIDE)
            handed = frozenset(word for how, word in found if how == HANDED)
            if (outside or handed) and _is_asked_for(outside or handed, call, inner, context):
                continue
            if outside:
                yield "way", f"{' '.join(sorted(outside))}|{' '.join(sorted(askers_of(context)))}"
            elif handed:
                yield from _handed(handed, context, depth - 1)
        finally:
            context.scopes, context.statement = before
    places = [f"{at} {argument}" for at, argument in enumerate(arguments) if argument in words]
    if places:
        yield "handed", f"{name}|{' '.join(places)}"


def _is_asked_by_callers(context: FileContext) -> bool:
    """True for a method whose row all that call it in the class ask for: `self.get_object()`."""
    function, owner = context.function, context.class_scope
    if function is None or owner is None or not isinstance(context.statement, ast.Return):
        return False
    calls = [
        found for found in _callers(context).get(function.name, ()) if owner in found[2] and found[1] is not function
    ]
    return bool(calls) and all(_is_asked_at(call, inner, scopes, context) for call, inner, scopes in calls)


def _is_asked_at(call: ast.Call, inner: FunctionNode, scopes: Scopes, context: FileContext) -> bool:
    before = context.scopes, context.statement
    context.scopes, context.statement = scopes, uses_of(inner, context).statement_of(call)
    try:
        later = set(said_later(context))
        return SCOPED in later or names_tenant(later, context)
    finally:
        context.scopes, context.statement = before


def _may_call(call: ast.Call, scopes: Scopes, owner: ast.ClassDef | None) -> bool:
    """False for `self.one(…)` in a class that has nothing to do with the one whose method is meant."""
    if isinstance(call.func, ast.Name):
        return owner is None or call.func.id == owner.name
    around = [scope for scope in scopes if isinstance(scope, ast.ClassDef)]
    if owner is None or not around:
        return False
    names = {owner.name, *map(last_name, owner.bases)}
    return around[-1].name in names or owner.name in map(last_name, around[-1].bases)


def _is_asked_for(outside: frozenset[str], call: ast.Call, inner: FunctionNode, context: FileContext) -> bool:
    """True where a caller asks for the keys that it hands on, or for the row that comes back."""
    if _is_let_through(context) or is_for_a_role(call, context) or _only_decides(call, context):
        return True
    later = set(said_later(context))
    return (
        not outside.isdisjoint(vetted_in(inner, context, last_name(call.func)))
        or is_asked_for_tenant(context)
        or SCOPED in later
        or names_tenant(later, context)
    )


def _parameters(function: FunctionNode) -> list[str]:
    arguments = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    if arguments[:1] in (["self"], ["cls"]):
        arguments = arguments[1:]
    return [*arguments, *(argument.arg for argument in function.args.kwonlyargs)]


def _given(call: ast.Call, arguments: list[str], words: frozenset[str]) -> Iterator[ast.expr]:
    for argument, value in zip(arguments, call.args, strict=False):
        if argument in words:
            yield value
    yield from (word.value for word in call.keywords if word.arg in words)


def _callers(context: FileContext) -> dict[str, list[tuple[ast.Call, FunctionNode, Scopes]]]:
    """Name → the calls in the file of what is called so, on nothing or on an object of the own class, with the function
    and all scopes that they stand in."""
    known = context.memo.get(_CALLERS)
    if not isinstance(known, dict):
        found: dict[str, list[tuple[ast.Call, FunctionNode, Scopes]]] = {}
        for function, scopes in _functions(context.tree, []):
            for call in uses_of(function, context).calls:
                if name := _own_name(call.func):
                    found.setdefault(name, []).append((call, function, scopes))
        known = context.memo[_CALLERS] = found
    return known


def _functions(tree: ast.AST, scopes: Scopes) -> Iterator[tuple[FunctionNode, Scopes]]:
    """Every function of a module and of its classes, with the scopes around its lines."""
    for part in ast.iter_child_nodes(tree):
        if isinstance(part, ast.ClassDef):
            yield from _functions(part, [*scopes, part])
        elif isinstance(part, FunctionNode):
            yield part, [*scopes, part]
        elif isinstance(part, (ast.If, ast.Try)):
            yield from _functions(part, scopes)


def _own_name(function: ast.expr) -> str:
    if isinstance(function, ast.Name):
        return function.id
    if isinstance(function, ast.Attribute) and last_name(function.value) in {"self", "cls"}:
        return function.attr
    return ""


def _on_module(node: ast.Module, context: FileContext) -> None:
    """Calls of what is imported from services by views, with the keys that came with a request."""
    bound = {name: source for name, source in context.imports.items() if _is_service(source)}
    if not bound:
        return
    words = Words(*(f"{name}{end}".encode() for name in bound for end in "(."))
    before = context.scopes, context.statement
    try:
        for function, scopes in _functions(node, []):
            if context.mentions(words, function):
                context.scopes = scopes
                if role_of_scope(scopes, context.role) in _REQUESTS and _may_hand_keys(function, context):
                    for call in _calls_on(context.lines_with(words), function):
                        if (name := root_name(call.func)) in bound:
                            _tell(call, bound[name], function, context)
    finally:
        context.scopes, context.statement = before


def _calls_on(lines: list[int], function: FunctionNode) -> Iterator[ast.Call]:
    """The calls in those statements of a function that stand on one of some lines (in order)."""
    stack: list[Any] = [*function.body]
    while stack:
        part = stack.pop()
        at = bisect_left(lines, getattr(part, "lineno", 0))
        if at == len(lines) or lines[at] > getattr(part, "end_lineno", lines[-1]):
            continue
        for field in HEADERS[part.__class__]:
            value = getattr(part, field)
            for one in value if value.__class__ is list else (value,):
                yield from (call for call in descendants(one) if isinstance(call, ast.Call))
        for field in BLOCKS[part.__class__]:
            stack += getattr(part, field)


def _may_hand_keys(function: FunctionNode, context: FileContext) -> bool:
    """False where the body of a function names neither a parameter nor anything that a request says."""
    text = "\n".join(context.lines[function.body[0].lineno - 1 : function.end_lineno])
    return any(word in text for word in _SAID) or any(name in text for name in parameters(context) - {"request"})


def _is_service(source: str) -> bool:
    path = source.replace(".", "/")
    return path_role(path) == "service" or path_role(path.rpartition("/")[0]) == "service"


def _tell(call: ast.Call, source: str, function: FunctionNode, context: FileContext) -> None:
    keys: list[str] = []
    words: set[str] = set()
    for place, value in (*((str(at), one) for at, one in enumerate(call.args)), *_keywords(call)):
        sources = sources_of(value, context)
        said = frozenset(word for how, word in sources if how == FROM_OUTSIDE)
        if sources and not any(how != IN_HAND for how, _ in sources):
            return  # of a row in hand
        if said and said.isdisjoint(_VALIDATED):
            context.statement = uses_of(function, context).statement_of(call)
            if not _is_asked_for(said, call, function, context):
                keys.append(place)
                words |= said
    if keys:
        module = source.rpartition(".")[0] if isinstance(call.func, ast.Name) else source
        detail = (" ".join(keys), module, " ".join(sorted(words)), " ".join(sorted(askers_of(context))))
        context.fact(_ASKED, last_name(call.func), "|".join(detail))


def _keywords(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    return ((word.arg, word.value) for word in call.keywords if word.arg)


def reaches(candidate: Candidate, report: FileReport, project: Project) -> bool:
    """Whether a request reaches the rows of a candidate by something that nobody asked for before."""
    for kind, value in candidate.needs:
        if kind == "reach" and value == ROWS_OF_ALL:
            beside = (said for name, said in candidate.needs if name == "asks")
            return lets_tenants_in(asked_by(next(beside, "").split(), project))
        if kind == "way":
            words, _, asks = value.partition("|")
            if asked_by(asks.split(), project).isdisjoint(words.split()):
                return True
        elif kind == "handed" and _is_handed(value, report, project):
            return True
    return False


def _is_handed(handed: str, report: FileReport, project: Project) -> bool:
    """Whether a view calls a function of a service, and hands it a key of its request."""
    name, _, places = handed.partition("|")
    module = f".{module_name(report.path)}."
    for _, fact in project.named(_ASKED, name):
        keys, source, words, asks = fact.detail.split("|")
        # a package hands on what its modules define
        is_of_it = f".{source}." in module or module.rstrip(".") in f".{source}"
        is_handed = is_of_it and not set(places.split()).isdisjoint(keys.split())
        if is_handed and asked_by(asks.split(), project).isdisjoint(words.split()):
            return True
    return False


OBSERVERS: tuple[Observer, ...] = (
    Observer("service-calls", (Watch((ast.Module,), _on_module, _SERVICES, is_product_path, tenants=True),)),
)
"""Kinds: service-asked (name: a function or method of a service; detail: the arguments that are keys of a request|the
module that it is imported from|what the keys are called|who asks before)."""
