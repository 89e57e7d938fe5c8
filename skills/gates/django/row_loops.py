"""Loops over rows: what their names stand for, and the lists and dicts that they fill."""

import ast
from dataclasses import replace

from skills.gates.django.alchemy_rows import taken
from skills.gates.django.row_run import Run, descend
from skills.gates.django.row_sources import is_elsewhere
from skills.gates.django.row_syntax import counts
from skills.gates.django.row_values import (
    EMPTY,
    Fields,
    Names,
    Result,
    Row,
    Rows,
    Turn,
    Value,
    in_lists,
    keyed,
    keyed_lists,
    merged,
    unkeyed,
)
from skills.gates.engine.names import last_name

PLACE = ""
"""The origin of a number that counts rows: `orders[number]` in a loop over it is a row of each turn."""
UNSAID = "**"
"""Stands among what is loaded with a row that was made with `**fields`: some of its relations."""
GATHERS = frozenset({"append", "appendleft", "add", "extend"})


def bind_loop(flow: Run, target: ast.expr, source: ast.expr, rows: Value, line: int, names: Names) -> None:
    """Binds what a loop in this line takes of `source`, which stands for `rows`, one by one."""
    if isinstance(rows, Row):
        rows = rows.many() if rows.steps else None
    called = last_name(source.func) if isinstance(source, ast.Call) else ""
    if called == "enumerate" and isinstance(source, ast.Call) and source.args and _is_pair(target):
        rows = flow.value(source.args[0], names, quiet=True)
        flow.bind(target.elts[0], Row(PLACE, loop=line), names)  # type: ignore[attr-defined]
        target = target.elts[1]  # type: ignore[attr-defined]
        rows = rows.many() if isinstance(rows, Row) and rows.steps else rows
    if called == "zip" and isinstance(source, ast.Call) and isinstance(target, ast.Tuple):
        for part, argument in zip(target.elts, source.args, strict=False):
            bind_loop(flow, part, argument, flow.value(argument, names, quiet=True), line, names)
        return
    if called == "groupby" and isinstance(source, ast.Call) and isinstance(target, ast.Tuple):
        flow.bind(target, None, names)
        flow.bind(target.elts[-1], flow.value(source.args[0], names, quiet=True) if source.args else None, names)
        return
    takes = (called == "items" and _is_pair(target)) or (called == "values" and isinstance(target, ast.Name))
    if takes and isinstance(owner := getattr(getattr(source, "func", None), "value", None), ast.expr):
        table = flow.value(owner, names, quiet=True)
        target = target.elts[1] if isinstance(target, ast.Tuple) else target
        if (listed := in_lists(table)) is not None:
            flow.bind(target, listed, names)
            return
        rows = unkeyed(table) if called == "items" else rows
    if isinstance(rows, Result):
        for part, value in taken(rows, target, line):
            flow.bind(part, value, names)
        return
    if counts(source) or (unkeyed(rows) is not None and called != "items"):
        flow.bind(target, Row(PLACE, loop=line), names)
        return
    unknown = Turn(line) if isinstance(target, ast.Name) else None
    flow.bind(target, rows.one(line) if isinstance(rows, Rows) else unknown, names)


def _is_pair(target: ast.expr) -> bool:
    return isinstance(target, ast.Tuple) and len(target.elts) == 2


def comprehended(found: list[Value]) -> Value:
    """What a comprehension makes of rows: a list of them, or a dict with them as its values."""
    last = found[-1]
    if not isinstance(last, Row) or last.steps:
        return None
    return last.many() if len(found) == 1 else keyed(last.many())


def comprehension(flow: Run, node: ast.ListComp, names: Names) -> Value:
    """What a comprehension of any kind answers, whose loops are run on the way."""
    inner = dict(names)
    for part in node.generators:
        rows = flow.value(part.iter, inner)
        descend(flow, flow.running, rows, part, [node])
        bind_loop(flow, part.target, part.iter, rows, node.lineno, inner)
        for test in part.ifs:
            flow.value(test, inner)
    element = [getattr(node, name) for name in ("key", "value", "elt") if hasattr(node, name)]
    return comprehended([flow.value(part, inner) for part in element])


def either_of(flow: Run, node: ast.BinOp, names: Names) -> Value:
    """`late | rest`: rows of either."""
    one = flow.value(node.left, names)
    flow.value(node.right, names)
    return one if isinstance(node.op, (ast.BitOr, ast.BitAnd)) and isinstance(one, Rows) else None


def is_empty(node: ast.expr | None) -> bool:
    """`[]`, `list()`, `{}` and `defaultdict(list)`: what may be filled with rows."""
    if isinstance(node, ast.Call):
        name = last_name(node.func)
        return name == "defaultdict" or (name in {"list", "dict"} and not node.args and not node.keywords)
    return (isinstance(node, ast.List) and not node.elts) or (isinstance(node, ast.Dict) and not node.keys)


def agreed(found: list[Value]) -> Value:
    """What a function answers: what all its returns say, of the same rows with what either loads."""
    both: Names = {}
    for value in found:
        both = merged(both, {"it": value}) if both else {"it": value}
    return both.get("it")


def fields_of(flow: Run, node: ast.Dict, names: Names) -> Fields | None:
    """`{"open": Order.objects.filter(paid=False), "day": day}`: a dict with rows under keys that are written out."""
    found: list[tuple[str, Rows]] = []
    for key, part in zip(node.keys, node.values, strict=True):
        if key is not None and key.__class__ is not ast.Constant:
            flow.value(key, names)
        rows = flow.value(part, names) if part.__class__ is not ast.Constant else None
        if isinstance(rows, Rows) and isinstance(key, ast.Constant) and isinstance(key.value, str):
            found.append((key.value, rows))
    return Fields((*found,)) if found else None


def one_of(flow: Run, node: ast.BoolOp, names: Names) -> Value:
    """`orders or []`, `orders or Order.objects.all()`: the rows of the last that is known, where what stands behind it
    is a list that is empty; of two that are alike what either loads."""
    values = [flow.value(part, names) for part in node.values]
    while len(values) > 1 and is_empty(node.values[len(values) - 1]):
        values.pop()
    if not isinstance(node.op, ast.Or) or len(values) > 2:
        return None
    one, last = values[0], values[-1]
    if isinstance(one, Rows) and isinstance(last, Rows) and one.origin == last.origin:
        return merged({"it": one}, {"it": last})["it"]
    return last if isinstance(last, Rows) else None


def gather(target: ast.expr, given: Value, names: Names) -> None:
    """`found.append(order)`: a list that was empty holds rows then; of two models it is not known what it holds. Of
    `(late if order.late else rest).append(order)` either may be the list."""
    if isinstance(target, ast.IfExp):
        gather(target.body, given, names)
        gather(target.orelse, given, names)
        return
    if not isinstance(target, ast.Name):
        kept(target, given, names, lists=True)
        return
    name = target.id
    held = names.get(name)
    if isinstance(given, Row) and not given.steps and given.origin and UNSAID not in given.loaded:
        given = given.many()
    if isinstance(held, Rows) and (not held.origin or isinstance(given, Rows)):
        names[name] = merged({name: held}, {name: given if isinstance(given, Rows) else None})[name]


def kept(target: ast.expr, given: Value, names: Names, *, lists: bool = False) -> None:
    """`found[order.pk] = order`; with `lists`, `found.setdefault(day, []).append(order)` and `found[day].append(…)`."""
    if isinstance(target, ast.Call) and last_name(target.func) == "setdefault":
        target = target.func
    owner = target.value if isinstance(target, (ast.Subscript, ast.Attribute)) else None
    held = names.get(owner.id) if isinstance(owner, ast.Name) else None
    key = getattr(getattr(target, "slice", None), "value", None)
    if isinstance(owner, ast.Name) and isinstance(key, str) and (held == EMPTY or isinstance(held, Fields)):
        before = [one for one in held.held if one[0] != key] if isinstance(held, Fields) else []
        if isinstance(given, Rows) or before:
            names[owner.id] = Fields((*before, *([(key, given)] if isinstance(given, Rows) else [])))
            return
    if not isinstance(owner, ast.Name) or not isinstance(held, Rows):
        return
    if held.origin and unkeyed(held) is None and in_lists(held) is None:
        return
    rows = given.many() if isinstance(given, Row) and not given.steps and UNSAID not in given.loaded else None
    table = None if rows is None or not rows.origin else keyed_lists(rows) if lists else keyed(rows)
    names[owner.id] = merged({"it": held}, {"it": table})["it"]


def made_empty(target: ast.expr, given: ast.expr | None, names: Names) -> bool:
    """Binds a name to a list that is empty."""
    if isinstance(target, ast.Name) and is_empty(given):
        names[target.id] = EMPTY
        return True
    return False


def held(name: str, names: Names) -> Value:
    """What a name stands for; a list that is empty is nothing."""
    value = names.get(name)
    return None if isinstance(value, Turn) or (isinstance(value, Rows) and not value.origin) else value


def grown(target: ast.expr, value: Value, names: Names) -> None:
    """`found += orders`."""
    if isinstance(target, ast.Name):
        gather(target, value, names)


def picked(flow: Run, node: ast.Subscript, names: Names) -> Value:
    """One of some rows, or several of them: `orders[0]`, `orders[:9]`, `by_key[key]`."""
    rows = flow.value(node.value, names)
    flow.value(node.slice, names)
    key = node.slice.value if isinstance(node.slice, ast.Constant) else None
    if isinstance(rows, Fields):
        return rows.under(key)
    if not isinstance(rows, Rows):
        return rows.one() if isinstance(rows, Result) and rows.loop else None
    if isinstance(key, str) and key.isidentifier() and is_elsewhere(rows):
        return replace(rows, origin=f"{rows.origin}[{key}]")
    if (listed := in_lists(rows)) is not None:
        return listed
    if not isinstance(node.slice, ast.Slice):
        place = names.get(node.slice.id) if isinstance(node.slice, ast.Name) else None
        table = unkeyed(rows)
        turned = isinstance(place, Turn) and table is not None
        counted = isinstance(place, Row) and place.origin == PLACE
        return (table or rows).one(place.loop if isinstance(place, (Row, Turn)) and (turned or counted) else 0)
    upper = node.slice.upper
    return None if isinstance(upper, ast.Constant) and upper.value in {0, 1} else rows


def alone(names: Names, line: int) -> None:
    """Behind a loop its row is one row."""
    for name, value in names.items():
        if isinstance(value, Row) and value.loop == line:
            names[name] = replace(value, loop=0)
        elif isinstance(value, Turn) and value.loop == line:
            names[name] = None
