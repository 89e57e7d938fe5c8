"""What functions answer where rows are concerned, and the schemas of endpoints that are given them."""

import ast
from dataclasses import replace

from skills.gates.django.row_run import Run
from skills.gates.django.row_values import Names, Row, Rows, Value, merged
from skills.gates.engine.context import FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.syntax import LEAVING

_LISTS = frozenset({"list", "List", "Sequence", "Iterable", "set", "Page", "LimitOffsetPage", "Annotated"})
_GIVEN = frozenset({"response_model", "response"})
_VERBS = frozenset({"get", "post", "put", "patch", "delete", "api_route", "route"})
_OF_ONE = frozenset({"retrieve", "update", "partial_update", "destroy"})
_MADE = frozenset({"model_validate", "from_orm"})


def answered(flow: Run, node: ast.Return | ast.YieldFrom, names: Names) -> Value:
    """Notes what a function answers; `return`, `return None` and `return []` say nothing about it."""
    given = node.value
    value = flow.value(given, names) if given is not None else None
    nothing = given is None or (isinstance(given, ast.Constant) and given.value is None)
    if not nothing and not (isinstance(given, ast.List) and not given.elts):
        flow.returned.append(_left(value, flow.running[-1]) if flow.running else value)
        schema = listed_schema(flow.running[-1]) if flow.running and flow.on_many is not None else ""
        if schema and flow.on_many is not None and given is not None and isinstance(value, Rows):
            flow.on_many(given, flow.statement, ".".join(flow.symbols), value, schema)
    return None


def branched(flow: Run, node: ast.If, names: Names) -> None:
    """One of two ways: behind them names stand for what those that go on made of them."""
    flow.value(node.test, names)
    other = dict(names)
    if flow.running and flow.running[-1].name == "get_queryset" and _asks_for_one(node.test):
        outer, flow.returned = flow.returned, []
        flow.block(node.body, other)
        flow.returned = outer
        flow.block(node.orelse, names)
        return
    _once(flow.running, node.body, names)
    flow.block(node.body, names)
    flow.block(node.orelse, other)
    joined = other if isinstance(node.body[-1], LEAVING) else merged(names, other)
    names.clear()
    names.update(joined)


def _asks_for_one(test: ast.expr) -> bool:
    """True for `self.action == "retrieve"`, and for several such actions: what is done then is done for no list."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or last_name(test.left) != "action":
        return False
    given = test.comparators[0]
    parts = given.elts if isinstance(given, (ast.List, ast.Tuple, ast.Set)) else [given]
    named = {getattr(part, "value", None) for part in parts}
    return isinstance(test.ops[0], (ast.Eq, ast.In)) and bool(named) and named <= _OF_ONE


def _once(running: list[FunctionNode], body: list[ast.stmt], names: Names) -> None:
    """What leaves the function is done for one row of its loops: `if order.late: raise Late(order.user)`."""
    if running and isinstance(body[-1], (ast.Return, ast.Raise)):
        for name, value in names.items():
            names[name] = _left(value, running[-1])


def _left(value: Value, function: FunctionNode) -> Value:
    """A row that a function answers from within a loop of its own is one row."""
    if isinstance(value, Row) and function.lineno <= value.loop <= (function.end_lineno or 0):
        return replace(value, loop=0)
    return value


def yielded(flow: Run, node: ast.Yield, names: Names) -> Value:
    """A generator answers the rows that it hands out one by one."""
    value = flow.value(node.value, names) if node.value is not None else None
    flow.returned.append(value.many() if isinstance(value, Row) and not value.steps else None)
    return None


def listed_schema(function: FunctionNode) -> str:
    """`StoryOut` of an endpoint that answers a list of them, by `response_model=list[StoryOut]` or its annotation."""
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and last_name(decorator) in _VERBS:
            given = next((word.value for word in decorator.keywords if word.arg in _GIVEN), function.returns)
            return _listed(given)
    return ""


def _listed(hint: ast.expr | None) -> str:
    if not isinstance(hint, ast.Subscript) or last_name(hint.value) not in _LISTS:
        return ""
    inner = hint.slice.elts[0] if isinstance(hint.slice, ast.Tuple) and hint.slice.elts else hint.slice
    return _listed(inner) if isinstance(inner, ast.Subscript) else last_name(inner)


def validated(flow: Run, node: ast.Call, function: ast.Attribute, values: list[Value]) -> None:
    """Tells of `StoryOut.model_validate(story)` for each row of a loop."""
    row = values[0] if values and function.attr in _MADE else None
    if flow.on_many is not None and isinstance(row, Row) and row.loop and not row.steps:
        flow.on_many(node, flow.statement, ".".join(flow.symbols), row.many(), last_name(function.value))
