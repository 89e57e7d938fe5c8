"""Transactions that nobody opened by name: a session begins one with its first write and holds it until the commit, and
what lends one for a block may commit at its end."""

import ast

from skills.gates.analysis.local_values import own_nodes
from skills.gates.analysis.sessions import is_connection, is_session
from skills.gates.analysis.transactions import (
    HELD,
    SCOPE,
    first_time,
    opens_transaction,
    shown_call,
    sleeps,
    waits_outside,
)
from skills.gates.analysis.waits import FILE, HTTP, NETWORK, TREE
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.model import Evidence
from skills.gates.persistence.database_events import Event, events_of, inside
from skills.gates.persistence.taken_resources import GIVERS

_BEGINS = ("begin", "add", "flush", "write")
_ENDS = ("commit", "rollback")


def open_at(events: list[Event], line: int) -> tuple[Event, Event] | None:
    """(what began the transaction that is open on a line, what is written after it), None where none is open."""
    begun: Event | None = None
    for event in events:
        if event.line < line:
            if event.kind in _ENDS:
                begun = None
            elif event.kind in _BEGINS and (begun is None or begun.kind == "add"):
                begun = event
        elif event.line > line and begun is not None:
            if event.kind == "rollback":
                return None
            if event.kind in (*_BEGINS, "commit"):
                return begun, event
    return None


def on_function(node: FunctionNode, context: FileContext) -> None:
    """Reports calls to other services between a session's write and its commit."""
    events = [event for event in events_of(node, context) if event.kind in (*_BEGINS, *_ENDS)]
    if len(events) < 2 or not any(event.kind in ("commit", "flush") for event in events):
        return
    with inside(node, context):
        for part in own_nodes(node, context):
            if isinstance(part, ast.stmt):
                context.statement = part
                continue
            if not isinstance(part, ast.Call) or not events[0].line < part.lineno < events[-1].line:
                continue
            if sleeps(part, context):
                between = open_at(events, part.lineno)
                if between is not None and first_time(HELD, part, context):
                    message = f"`{shown_call(part)}` sleeps between two writes of one transaction: its locks sleep too"
                    link = Evidence(context.path, between[0].line, f"`{_shown(between[0])}` begins the transaction")
                    context.report(HELD, part, message, severity="HIGH", confidence="likely", evidence=(link,))
                continue
            waits = waits_outside(part, context)
            between = open_at(events, part.lineno) if waits is not None else None
            if waits is None or between is None or not first_time(SCOPE, part, context):
                continue
            begun, after = between
            file = waits in (FILE, TREE)
            context.report(
                SCOPE,
                part,
                f"`{shown_call(part)}` {waits.what} between two writes of one transaction: its locks and its "
                "connection wait too",
                severity="MEDIUM" if file else "HIGH",
                confidence="likely",
                evidence=(
                    Evidence(context.path, begun.line, f"`{_shown(begun)}` begins the transaction"),
                    Evidence(context.path, after.line, f"`{_shown(after)}` comes after"),
                ),
                also=() if file else (HELD,),
            )


def _shown(event: Event) -> str:
    node = event.node
    return last_name(node.func) if isinstance(node, ast.Call) else event.kind


def lender_of(node: ast.With | ast.AsyncWith, context: FileContext) -> ast.Call | None:
    """`session_scope()` of `with session_scope() as session:`, which may commit at the end of the block."""
    for item in node.items:
        lender, borrowed = item.context_expr, item.optional_vars
        if borrowed is None or not isinstance(lender, ast.Call):
            continue
        name = last_name(lender)
        if name in GIVERS or opens_transaction(lender, context):
            continue
        if is_session(borrowed, context) or is_connection(borrowed):
            return lender
    return None


def tell_outside(node: ast.AsyncFunctionDef, context: FileContext) -> None:
    """A fact for each coroutine that itself waits for another service."""
    owner = context.class_scope
    if len(context.scopes) > 1 + (owner is not None):
        return  # a function inside another one
    with inside(node, context):
        for part in own_nodes(node, context):
            if not isinstance(part, ast.Call):
                continue
            waits = waits_outside(part, context)
            if waits is not None and waits in (HTTP, NETWORK):
                name = f"{owner.name}.{node.name}" if owner is not None else node.name
                context.fact("awaits", name, f"comes to `{shown_call(part)}`, which {waits.what}", part.lineno)
                return
