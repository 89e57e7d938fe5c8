"""What the run through a file, and those who hear of it, are to each other."""

import ast
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

from skills.gates.django.row_syntax import goes_on, is_column
from skills.gates.django.row_values import Names, Row, Rows, Value, covers, merged
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.syntax import LEAVING
from skills.record import record


@record
class Via:
    """A call that gives a function of the file the row that loops are at, by their lines."""

    node: ast.Call
    statement: ast.AST
    symbol: str
    loops: frozenset[int]


Access = Callable[[ast.expr, ast.AST, str, Row, str, Via | None], None]
"""Called with (node, statement, symbol, row, attribute, the call that gave a function the row) for each attribute that
is read of a row in a loop."""


Given = Callable[[ast.expr, ast.AST, str, Row, str], None]
"""Called with (node, statement, symbol, row, place) where a function of another file is given a row of a loop."""

Many = Callable[[ast.expr, ast.AST, str, Rows, str], None]
"""Called with (node, statement, symbol, rows, serializer) where a serializer is made for many rows."""


Answer = Callable[[FileContext, list[str], int, Value], None]
"""Called with (context, names of the class and the function, line, what it answers) for what a function answers."""


class Run(Protocol):
    """What the run through a file, `row_flow.Flow`, offers to whoever reads a call."""

    context: FileContext
    on_access: Access
    on_given: Given | None
    on_many: Many | None
    functions: dict[str, FunctionNode]
    entered: dict[object, Value]
    statement: ast.AST
    symbols: list[str]
    owner: ast.ClassDef | None
    via: Via | None
    returned: list[Value]
    running: list[FunctionNode]

    def block(self, body: Iterable[ast.stmt], names: Names) -> None: ...

    def bind(self, target: ast.expr, value: Value, names: Names) -> None: ...

    def value(self, node: ast.expr, names: Names, *, quiet: bool = False) -> Value: ...

    def function(self, node: FunctionNode, names: Names, given: Names) -> Value: ...

    def method(self, name: str) -> FunctionNode | None: ...

    def guess(self, owner: ast.expr) -> Rows | None: ...


def tell(flow: Run, node: ast.expr, row: Row, attribute: str) -> None:
    """Tells of what is read of a row that a loop is at."""
    via = flow.via if flow.via is not None and row.loop in flow.via.loops else None
    flow.on_access(node, flow.statement, ".".join(flow.symbols), row, attribute, via)


def show(flow: Run, node: ast.expr, value: Value) -> None:
    """`f"{order}"`, `str(order)`: what a model says of its row may read a relation; whether it does the project
    knows."""
    if isinstance(value, Row) and value.loop and value.origin and (value.known or not value.steps):
        tell(flow, node, value, "__str__")


def read_by_name(flow: Run, node: ast.Call, arguments: list[ast.expr], values: list[Value]) -> None:
    """`str(order)`; `hasattr(order, "invoice")`, `getattr(order, "invoice", None)`: as `order.invoice`."""
    if last_name(node.func) in {"str", "print"}:
        for argument, value in zip(arguments, values, strict=True):
            show(flow, argument, value)
        return
    row, name = (values[0], getattr(arguments[1], "value", None)) if len(arguments) > 1 else (None, None)
    if (
        isinstance(row, Row)
        and row.loop
        and isinstance(name, str)
        and not (is_column(name) or covers(row.loaded, name))
    ):
        tell(flow, ast.copy_location(ast.Attribute(arguments[0], name, ast.Load()), node), row, name)


def given_to(flow: Run, node: ast.Call, given: Names) -> Via | None:
    """The call as the place of what a function reads of the rows that it is given; the outermost of several."""
    loops = frozenset(value.loop for value in given.values() if isinstance(value, Row) and value.loop)
    return flow.via or (Via(node, flow.statement, ".".join(flow.symbols), loops) if loops else None)


def descend(
    flow: Run, running: list[FunctionNode], rows: Value, loop: ast.For | ast.AsyncFor | ast.comprehension,
    body: Iterable[ast.AST],
) -> None:  # fmt: skip
    """Tells of a function that calls itself for each of the rows behind its row: they are asked for each time."""
    if not isinstance(rows, Row | Rows) or not rows.steps or not running or not isinstance(loop.target, ast.Name):
        return
    if goes_on(running[-1].name, loop.target.id, body):
        row = rows.one(loop.iter.lineno) if isinstance(rows, Rows) else rows
        tell(flow, loop.iter, replace(row, steps=rows.steps[:-1], again=True), rows.steps[-1])


def chosen(flow: Run, node: ast.Match, names: Names) -> None:
    """One of several cases: behind them names stand for what any that goes on made of them."""
    flow.value(node.subject, names)
    before, found = dict(names), dict(names)
    for place, case in enumerate(node.cases):
        own = dict(before)
        flow.block(case.body, own)
        if not isinstance(case.body[-1], LEAVING):
            found = merged(found, own) if place else own
    names.clear()
    names.update(found)


def handled(flow: Run, node: ast.ExceptHandler, names: Names) -> None:
    """What an error leads to, where names stand for what they did or for what is made of them then."""
    own = dict(names)
    flow.block(node.body, own)
    if not isinstance(node.body[-1], LEAVING):
        both = merged(names, own)
        names.clear()
        names.update(both)


def later(flow: Run, node: ast.Lambda, names: Names) -> Value:
    """What a lambda without parameters reads, it reads of the row that the loop is at: `sync(lambda: order.user)`."""
    if not node.args.args:
        flow.value(node.body, names)
    return None
