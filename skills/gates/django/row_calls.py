"""What a call stands for where rows are concerned."""

import ast
from dataclasses import replace

from skills.gates.analysis.queries import MANAGERS
from skills.gates.django.alchemy_rows import is_query, of_query, of_result, query_of
from skills.gates.django.response_rows import validated
from skills.gates.django.row_loops import GATHERS, UNSAID, gather
from skills.gates.django.row_prefetch import columns, empty, load_later, loaded, prefetch
from skills.gates.django.row_run import Run, given_to, read_by_name, show, tell
from skills.gates.django.row_sources import elsewhere, is_elsewhere, of_object
from skills.gates.django.row_syntax import manager_of
from skills.gates.django.row_values import (
    EACH,
    EVERYTHING,
    ORDERED,
    Fields,
    Loading,
    Names,
    Result,
    Row,
    Rows,
    Value,
    covers,
    merged,
    unkeyed,
)
from skills.gates.django.row_views import given_in, of_model, own_method
from skills.gates.engine.context import FunctionNode
from skills.gates.engine.names import last_name

_SAME = frozenset(
    {"all", "filter", "exclude", "order_by", "distinct", "annotate", "alias", "reverse", "using", "select_for_update",
     "iterator", "aiterator", "complex_filter", "get_queryset", "get_query_set", "union",
     "db_manager", "raw", "page", "get_page", "none"}
)  # fmt: skip
_ONE = frozenset({"get", "first", "last", "earliest", "latest", "aget", "afirst", "alast", "create", "acreate"})
# On a related manager these ask anew even where the relation was prefetched.
NARROWS = frozenset(
    {"filter", "exclude", "order_by", "distinct", "annotate", "alias", "get", "values", "values_list", "aggregate",
     "select_related", "prefetch_related", "only", "defer", "last", "latest", "earliest", "reverse", "iterator",
     "in_bulk", "using", "union", "dates", "datetimes", "aget", "aaggregate", "alast", "alatest", "aearliest",
     "aiterator"}
)  # fmt: skip
# So do these where the rows have no order, since they order them first.
TAKES_FIRST = frozenset({"first", "afirst"})
WRITES = frozenset(
    {"add", "remove", "set", "clear", "create", "get_or_create", "update_or_create", "bulk_create", "delete", "update",
     "aadd", "aremove", "aset", "aclear", "acreate", "bulk_update", "aget_or_create", "save", "build_absolute_uri"}
)  # fmt: skip
_MANAGED = frozenset({"all", "filter", "exclude", "order_by", "select_related", "prefetch_related"})
# What is asked of a row by these, where steps lead to it, is asked of a manager.
_OF_ROWS = _SAME | _ONE | NARROWS | {"only", "defer", "count", "exists", "acount", "aexists", "contains", "none"}
_TOOLS = frozenset({"itertools", "functools", "more_itertools"})
_PAGES = frozenset({"paginate_queryset", "filter_queryset"})
_SAME_ROWS = frozenset(
    {"list", "sorted", "reversed", "tuple", "set", "iter", "tqdm", "islice", "min", "max", "filter", "Paginator"}
)


def call_value(flow: Run, node: ast.Call, names: Names) -> Value:
    """What a call answers; what it reads of rows on the way is told to the flow."""
    function = node.func
    name = last_name(function)
    if flow.on_many is not None and any(word.arg == "many" for word in node.keywords):
        _serialized(flow, node, name, names)
    if isinstance(function, ast.Attribute) and last_name(function.value) not in _TOOLS:
        return _method(flow, node, function, names)
    values = [flow.value(argument, names) for argument in _plain(node)] if name != "Prefetch" else []
    if name in {"str", "print", "hasattr", "getattr"}:
        read_by_name(flow, node, _plain(node), values)
    _lambdas(flow, node, values, names)
    if name in flow.functions and name not in names:
        return _enter(flow, node, name, values)
    _hand_on(flow, node, values)
    if name == "prefetch_related_objects":
        load_later(flow, node, names)
    if name in {"Prefetch", "dict"}:
        return _made(flow, node, values, names)
    if name in {"get_object_or_404", "aget_object_or_404", "get_list_or_404"}:
        row = _found(flow, node, values)
        return row.many() if row is not None and name == "get_list_or_404" else row
    if name == "chain":
        return _chained([value for value in values if value is not None])
    if name in {"min", "max", "filter"}:
        rows = next((value for value in values if isinstance(value, Rows)), None)
        return rows if rows is None or name == "filter" else rows.one()
    first = values[0] if values else None
    if name in _SAME_ROWS and isinstance(first, Rows):
        return first.with_loaded(frozenset({ORDERED})) if name == "sorted" else first
    return query_of(flow.context, node, values) if name == "select" else _imported(flow, node, function, names)


def _made(flow: Run, node: ast.Call, values: list[Value], names: Names) -> Value:
    """What a `Prefetch(…)` loads, or the rows in `dict(late=orders)`."""
    if last_name(node.func) == "Prefetch":
        return Loading(prefetch(flow, node, names) or frozenset({EVERYTHING}))
    given = zip(node.keywords, values[len(node.args) :], strict=True)
    held = ((word.arg or "", rows) for word, rows in given if isinstance(rows, Rows))
    return Fields((*held,)) if node.keywords and not node.args else None


def _imported(flow: Run, node: ast.Call, function: ast.expr, names: Names) -> Rows | None:
    """`open_orders()`, `selectors.open_orders()`: rows, if the function of another file answers any."""
    owner = function.value if isinstance(function, ast.Attribute) else function
    known = isinstance(owner, ast.Name) and owner.id in flow.context.imports and owner.id not in names
    return elsewhere(flow.context.resolve(function), node.lineno) if known else None


def _chained(values: list[Value]) -> Value:
    """`chain(new, old)`: rows of one model one after the other; what either loaded counts as loaded."""
    found: Names = {}
    for value in values:
        found = merged(found, {"rows": value}) if found else {"rows": value}
    return found.get("rows")


def _serialized(flow: Run, node: ast.Call, name: str, names: Names) -> None:
    """Tells of `OrderSerializer(orders, many=True)`, and of `self.get_serializer(…)` of a class that names its own."""
    words = {word.arg: word.value for word in node.keywords}
    many, given = words.get("many"), node.args[0] if node.args else words.get("instance")
    if flow.on_many is None or given is None or not (isinstance(many, ast.Constant) and many.value is True):
        return
    if name == "get_serializer":
        if flow.owner is None or flow.method("get_serializer_class") or flow.method("get_serializer"):
            return
        name = last_name(given_in(flow.owner, "serializer_class"))
    rows = flow.value(given, names, quiet=True)
    if name and isinstance(rows, Rows):
        flow.on_many(node, flow.statement, ".".join(flow.symbols), rows, name)


def _hand_on(flow: Run, node: ast.Call, values: list[Value]) -> None:
    """Tells which rows of a loop a function that was imported is given."""
    if flow.on_given is None or not any(_in_loop(value) or _is_known(value) for value in values):
        return
    dotted = flow.context.resolve(node.func) or ""
    if elsewhere(dotted, 0) is None or any(isinstance(part, ast.Starred) for part in node.args):
        return
    places = [*map(str, range(len(node.args))), *(word.arg or "" for word in node.keywords)]
    for place, value in zip(places, values, strict=True):
        if place and isinstance(value, Row) and value.loop:
            flow.on_given(node, flow.statement, ".".join(flow.symbols), value, f"{dotted} {place}")
        elif place and isinstance(value, Rows) and _is_known(value) and last_name(node.func)[:1].islower():
            row = value.one(node.lineno)
            flow.on_given(node, flow.statement, ".".join(flow.symbols), row, f"{dotted} {EACH}{place}")


def _in_loop(value: Value) -> bool:
    return isinstance(value, Row) and value.loop != 0


def _is_known(value: Value) -> bool:
    """True for rows of which this file says what they are."""
    return isinstance(value, Rows) and value.origin != "" and not is_elsewhere(value) and unkeyed(value) is None


def _plain(node: ast.Call) -> list[ast.expr]:
    given = [*node.args, *(word.value for word in node.keywords)]
    return [part.value if isinstance(part, ast.Starred) else part for part in given]


def _found(flow: Run, node: ast.Call, values: list[Value]) -> Row | None:
    first = values[0] if values else None
    if isinstance(first, Rows):
        return first.one()
    name = flow.context.resolve(node.args[0]) if node.args else None
    return Row(name, line=node.lineno) if name and name.rpartition(".")[2][:1].isupper() else None


def _lambdas(flow: Run, node: ast.Call, values: list[Value], names: Names) -> None:
    """`sorted(orders, key=lambda order: …)`, `map(lambda order: …, orders)`: a loop without a word for it; what is
    called may hold one too: `sync_to_async(lambda: order.user)()`."""
    if isinstance(node.func, ast.Call):
        flow.value(node.func, names)
    first = last_name(node.func) in {"map", "filter", "reduce"}  # that is the function
    rows = next((value for value in values[first:] if isinstance(value, Rows)), None)
    if rows is not None and last_name(node.func) in {*_SAME_ROWS, "map", "groupby", "reduce"}:
        _keyed(flow, node, rows, names)


def _keyed(flow: Run, node: ast.Call, rows: Rows, names: Names) -> None:
    """Runs the lambdas and functions, and the `attrgetter("user.name")`, that a call is given for each of the rows."""
    for part in _plain(node):
        if isinstance(part, ast.Name) and part.id == "str":
            show(flow, part, rows.one(node.lineno))
        elif isinstance(part, (ast.Name, ast.Attribute)) and (dotted := flow.context.resolve(part)):
            each = ast.copy_location(ast.Call(part, [part], []), node)
            if dotted in flow.functions and dotted not in names:
                _enter(flow, each, dotted, [rows.one(node.lineno)])
            elif dotted.partition(".")[0] != dotted:
                _hand_on(flow, each, [rows.one(node.lineno)])
        taken = len(part.args.args) if isinstance(part, ast.Lambda) else 0
        if isinstance(part, ast.Lambda) and taken == 1 + (last_name(node.func) == "reduce"):
            flow.value(part.body, {**names, part.args.args[-1].arg: rows.one(node.lineno)})
        elif isinstance(part, ast.Call) and last_name(part.func) == "attrgetter":
            for path in part.args:
                if isinstance(path, ast.Constant) and isinstance(path.value, str):
                    read: ast.expr = ast.copy_location(ast.Name("", ast.Load()), path)
                    for word in path.value.split("."):
                        read = ast.copy_location(ast.Attribute(read, word, ast.Load()), path)
                    flow.value(read, {"": rows.one(node.lineno)})


def _enter(flow: Run, node: ast.Call, name: str, values: list[Value]) -> Value:
    """Runs a function of the file with what it is called with, once for each kind of it."""
    function = flow.functions[name]
    parameters = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    given: Names = dict(zip(parameters, values[: len(node.args)], strict=False))
    for word, value in zip(node.keywords, values[len(node.args) :], strict=True):
        if word.arg:
            given[word.arg] = value
    if any(isinstance(argument, ast.Starred) for argument in node.args):
        given = {}
    key = (name, tuple(sorted((word, value) for word, value in given.items() if value is not None)))
    if key not in flow.entered:
        flow.entered[key] = None
        outer, symbols, owner, via = flow.statement, flow.symbols, flow.owner, flow.via
        if function in flow.context.tree.body:  # others may give it rows that they loaded; what is inside is the loop's
            flow.via = given_to(flow, node, given)
        flow.symbols, flow.owner = [], None
        flow.entered[key] = flow.function(function, {}, given)
        flow.statement, flow.symbols, flow.owner, flow.via = outer, symbols, owner, via
    return flow.entered[key]


def _method(flow: Run, node: ast.Call, function: ast.Attribute, names: Names) -> Value:
    method = function.attr
    if method == "Prefetch":
        return Loading(prefetch(flow, node, names) or frozenset({EVERYTHING}))
    rows = _receiver(flow, function, names)
    values: list[Value] = []
    if method not in {"select_related", "prefetch_related"}:
        values = [flow.value(argument, names) for argument in _plain(node)]
    validated(flow, node, function, values)
    if method in GATHERS and values:
        one_by_one = method != "extend" and is_elsewhere(values[0])
        gather(function.value, None if one_by_one else values[0], names)
    unknown = not isinstance(rows, Rows) or is_elsewhere(rows)
    if unknown and (asked := query_of(flow.context, node, values)) is not None:
        return asked
    if isinstance(rows, Row):
        if not rows.steps:
            return _of_row(flow, function, rows)
        _tell_method(flow, function, rows)
        rows = rows.many()
    if isinstance(rows, Result | Fields):
        return _of_held(rows, node)
    if rows is None and method in _MANAGED:
        rows = flow.guess(function.value)
    if not isinstance(rows, Rows):
        if isinstance(function.value, ast.Name) and function.value.id in flow.context.imports:
            _hand_on(flow, node, values)
            if function.value.id.islower():
                return _imported(flow, node, function, names)
        return _own(flow, node, function, names, values)
    return of_query(rows, node) if is_query(rows) else _of_rows(flow, node, rows, names)


def _of_held(rows: Result | Fields, node: ast.Call) -> Value:
    """What an executed query answers, or a dict of rows: `rows.get("late")`."""
    if isinstance(rows, Result):
        return of_result(rows, node)
    return rows.under(getattr(node.args[0], "value", None)) if node.args else None


def _tell_method(flow: Run, function: ast.Attribute, row: Row) -> None:
    """A method of the model may read a relation of the row; whether it does the project knows."""
    if row.loop and function.attr not in WRITES | _OF_ROWS:
        tell(flow, function, row, function.attr)


def _of_row(flow: Run, function: ast.Attribute, row: Row) -> Rows | None:
    """What a method of a row answers, or of an object that a parameter is declared as: `stories: StoryRepository`."""
    _tell_method(flow, function, row)
    return None if row.loop or row.sure else elsewhere(f"{row.origin}.{function.attr}", function.lineno)


def _of_rows(flow: Run, node: ast.Call, rows: Rows, names: Names) -> Value:
    """What a method of a queryset, a manager or a list of rows answers."""
    method = last_name(node.func)
    if (answered := of_object(rows, method)) is not None:
        return answered
    if method == "sort":
        _keyed(flow, node, rows, names)
    if method == "only" or method == "defer":
        return columns(rows, node)
    if method in _SAME:
        return rows.with_loaded(frozenset({ORDERED}) if method == "order_by" and node.args else empty(node))
    if method == "values" and not node.args and (table := unkeyed(rows)) is not None:
        return table
    if method == "select_related" or method == "prefetch_related":
        return loaded(flow, rows, node, names)
    if method in _ONE:
        given = frozenset(word.arg or UNSAID for word in node.keywords) if method in WRITES else frozenset()
        return rows.with_loaded(given).one()  # what a row was made with it holds
    # A method of the project's own manager: what it does to the rows the project knows.
    return None if rows.steps or rows.line == 0 else replace(rows, through=(*rows.through, method))


def without_all(node: ast.expr) -> ast.expr:
    """`order.lines` of `order.lines.all()`: the same rows."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "all":
        node = node.func.value
    return node


def _receiver(flow: Run, function: ast.Attribute, names: Names) -> Value:
    """What a method is called on. Writing through a relation reads nothing of it; narrowing it asks anew."""
    owner = function.value
    if function.attr in NARROWS | TAKES_FIRST:
        owner = without_all(owner)
    if not isinstance(owner, ast.Attribute) or manager_of(owner, flow.context) is not None:
        return flow.value(owner, names, quiet=isinstance(owner, ast.Call) and function.attr in WRITES)
    if function.attr in WRITES:
        row = flow.value(owner.value, names)
        return row.behind(owner.attr) if isinstance(row, Row) else None
    if function.attr in NARROWS or function.attr in TAKES_FIRST:
        row = flow.value(owner.value, names, quiet=True)
        if isinstance(row, Row) and covers(row.loaded, owner.attr):
            behind = row.behind(owner.attr)
            if row.loop:
                tell(flow, owner, row, owner.attr)
            else:
                flow.value(owner, names)
            # What is asked anew comes without what was loaded behind it.
            return replace(behind, loaded=frozenset()) if function.attr in NARROWS else behind
    return flow.value(owner, names)


def _own(flow: Run, node: ast.Call, function: ast.Attribute, names: Names, values: list[Value]) -> Value:
    """`self.get_queryset()` and `self.get_object()` of a class that says its `queryset`; `self.line(order)`."""
    owner = function.value
    is_self = isinstance(owner, ast.Name) and owner.id in {"self", "cls"}
    is_super = isinstance(owner, ast.Call) and last_name(owner.func) == "super"
    if not is_self and not is_super:
        return _of_class(flow, function)
    if function.attr in _PAGES and is_self and node.args and flow.method(function.attr) is None:
        return flow.value(node.args[0], names, quiet=True)
    declared = names.get("self.queryset") or names.get("self.model") or of_model(flow)
    if function.attr == "get_queryset" and isinstance(declared, Rows):
        defined = flow.method("get_queryset")
        return declared if defined is None or is_super else own_method(flow, defined, names)
    if function.attr == "get_object" and isinstance(declared, Rows) and flow.method("get_object") is None:
        return declared.one()
    defined = flow.method(function.attr) if is_self else None
    looped = any(_in_loop(value) or _is_known(value) for value in values)
    if defined is None or not (looped or any(isinstance(part, ast.Return) for part in defined.body)):
        return None
    return own_method(flow, defined, names, _given_to(node, defined, values) if values else None)


def _of_class(flow: Run, function: ast.Attribute) -> Rows | None:
    """`Order.late()`: rows of the class, if the project shows a method of it that answers them."""
    rows = manager_of(function, flow.context) if function.attr not in MANAGERS else None
    return replace(rows, manager="objects", through=(f"{function.attr}()",)) if rows is not None else None


def _given_to(node: ast.Call, method: FunctionNode, values: list[Value]) -> Names:
    """What the parameters of a method, `self` left out, are given."""
    parameters = [argument.arg for argument in (*method.args.posonlyargs, *method.args.args)][1:]
    given: Names = dict(zip(parameters, values[: len(node.args)], strict=False))
    given.update((word.arg, value) for word, value in zip(node.keywords, values[len(node.args) :], strict=True)
                 if word.arg)  # fmt: skip
    return {} if any(isinstance(argument, ast.Starred) for argument in node.args) else given
