"""What a function does with the database, in order."""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from skills.gates.analysis.local_values import own_nodes
from skills.gates.analysis.sessions import is_connection, is_session, unawaited
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import dotted, last_name
from skills.gates.engine.syntax import descendants
from skills.gates.persistence.database_calls import Fetch, Write, fetch_of, write_of
from skills.record import record

EventKind = Literal["fetch", "add", "write", "flush", "commit", "rollback", "set", "begin"]


@record
class Event:
    """One thing that a function does with the database. `name` is the variable or session that it is done with."""

    kind: EventKind
    node: ast.AST
    line: int
    name: str = ""
    fetch: Fetch | None = None
    write: Write | None = None


@contextmanager
def inside(function: FunctionNode, context: FileContext) -> Iterator[None]:
    """Look at a function from the callback of its definition as if the walk stood in it."""
    statement = context.statement
    context.scopes.append(function)
    try:
        yield
    finally:
        context.scopes.pop()
        context.statement = statement


_SESSION_EVENTS: dict[str, EventKind] = {
    "add": "add", "add_all": "add", "merge": "add", "delete": "add", "flush": "flush", "commit": "commit",
    "rollback": "rollback",
}  # fmt: skip


def events_of(function: FunctionNode, context: FileContext) -> list[Event]:
    """What a function does with the database, in source order; read once a file and function."""
    known = context.memo.setdefault("database-events", {})
    assert isinstance(known, dict)
    if function not in known:
        with inside(function, context):
            known[function] = list(_events(function, context))
    found: list[Event] = known[function]
    return found


def _events(function: FunctionNode, context: FileContext) -> Iterator[Event]:
    for node in own_nodes(function, context):
        if node.__class__ is ast.Call:
            assert isinstance(node, ast.Call)
            event = _event(node, context)
            if event is not None:
                yield event
        elif node.__class__ is ast.Expr:
            assert isinstance(node, ast.Expr)
            begun = _begun_by_hand(node, context)
            if begun is not None:
                yield begun
        elif isinstance(node, (ast.Assign, ast.AugAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                owner = target.value if isinstance(target, ast.Attribute) else None
                if isinstance(owner, ast.Name) and owner.id not in ("self", "cls"):
                    yield Event("set", node, node.lineno, owner.id)


def _begun_by_hand(node: ast.Expr, context: FileContext) -> Event | None:
    """`session.begin()` as a statement: the transaction lasts until the commit."""
    call = unawaited(node.value)
    function = call.func if isinstance(call, ast.Call) else None
    if not isinstance(function, ast.Attribute) or function.attr != "begin":
        return None
    owner = function.value
    begins = is_session(owner, context) or is_connection(owner)
    return Event("begin", call, node.lineno, last_name(owner)) if begins and call is not None else None


def _event(call: ast.Call, context: FileContext) -> Event | None:
    function = call.func
    if isinstance(function, ast.Attribute) and function.attr in _SESSION_EVENTS:
        owner = function.value
        kind = _SESSION_EVENTS[function.attr]
        if is_session(owner, context) or (kind in ("commit", "rollback") and is_connection(owner)):
            name = last_name(owner)
            if kind == "add" and call.args:
                given = unawaited(call.args[0])
                name = given.id if isinstance(given, ast.Name) else ""
            elif kind == "add":
                return None
            return Event(kind, call, call.lineno, name)
    fetch = fetch_of(call, context)
    if fetch is not None:
        return Event("fetch", call, call.lineno, fetch=fetch)
    write = write_of(call, context)
    if write is not None:
        return Event("write", call, call.lineno, write=write)
    return None


def session_text(call: ast.Call) -> str:
    """`self.session` of `self.session.commit()`; "" where it is not written so."""
    return (dotted(call.func.value) or "") if isinstance(call.func, ast.Attribute) else ""


def statement_of(function: FunctionNode, node: ast.AST, context: FileContext) -> ast.AST:
    """The smallest statement of a function that holds a node."""
    best: ast.AST = function
    for part in own_nodes(function, context):
        if isinstance(part, ast.stmt) and any(one is node for one in descendants(part)):
            best = part
    return best
