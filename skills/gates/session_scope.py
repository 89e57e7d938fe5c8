"""Rules of the skill resource-lifecycle-auditor about sessions that are held longer than they are used, and those that
an error leaves open."""

import ast
from collections.abc import Iterator

from skills.gates.context import FileContext, FunctionNode
from skills.gates.database_events import inside
from skills.gates.execution import Execution, execution_of, is_product_path
from skills.gates.injected_sessions import STREAM_RULE, session_parameter, stream_of
from skills.gates.loops import local_nodes
from skills.gates.model import Evidence, Severity
from skills.gates.names import last_name
from skills.gates.resource_lifecycle_auditor import CLEANUP_RULE, SKILL, releases, taken
from skills.gates.roles import function_role
from skills.gates.rule import Rule, Watch
from skills.gates.session_scope_examples import ERRORS, SCOPE
from skills.gates.sessions import unawaited
from skills.gates.syntax import calls_in, descendants, names_in, stands_in
from skills.gates.transaction_auditor import waits_outside

SCOPE_RULE, ERROR_RULE = "resource-scope-mismatch", "error-path-leak"
SMALLEST_SHARE = 0.2
MOST_LINES = 50


def _lines(function: FunctionNode) -> list[int]:
    """The lines on which a statement of a function begins: blank lines and comments are none."""
    return sorted({part.lineno for part in local_nodes(function) if isinstance(part, ast.stmt)})


def _on_endpoint(node: FunctionNode, context: FileContext) -> None:
    """An injected session that is used for less than a fifth of its endpoint."""
    session = session_parameter(node, context) if function_role(node) == "router" else None
    if session is None or stream_of(node) is not None:
        return  # streams are streaming-resource-holding
    uses = [part.lineno for part in local_nodes(node) if isinstance(part, ast.Name) and part.id == session.arg]
    if not uses:
        return
    lines = _lines(node)
    first = lines[0] if lines else node.lineno
    total = (node.end_lineno or first) - first + 1
    first_use, last_use = min(uses), max(uses)
    if (last_use - first_use) / total >= SMALLEST_SHARE or _let_go(node, session.arg, last_use):
        return
    idle = [line for line in lines if not first_use <= line <= last_use]
    with inside(node, context):
        outside = _call_outside(node, first_use, last_use, context)
        if outside is None and len(idle) <= MOST_LINES:
            return
        links = [Evidence(context.path, first_use, "first use"), Evidence(context.path, last_use, "last use")]
        if outside is not None:
            links.append(Evidence(context.path, outside.lineno, "another service is called, the session is held"))
        context.report(
            SCOPE_RULE,
            session,
            f"`{session.arg}` is held for all of `{node.name}` and used in {last_use - first_use + 1} of {total} lines",
            severity="HIGH" if outside is not None else "MEDIUM",
            confidence="likely",
            evidence=tuple(links),
        )


def _let_go(function: FunctionNode, name: str, last_use: int) -> bool:
    """True where the session gives its connection back with its last use."""
    return any(
        isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and last_name(part.func.value) == name
        and part.func.attr in ("close", "aclose", "commit", "rollback") and part.lineno >= last_use
        for part in local_nodes(function)
    )  # fmt: skip


def _call_outside(function: FunctionNode, first: int, last: int, context: FileContext) -> ast.Call | None:
    """A call to another service outside of the lines in which the session is used."""
    from skills.gates.blocking_calls import FILE, TREE

    for part in local_nodes(function):
        if isinstance(part, ast.stmt):
            context.statement = part
        elif isinstance(part, ast.Call) and not first <= part.lineno <= last:
            waits = waits_outside(part, context)
            if waits is not None and waits not in (FILE, TREE):
                context.statement = function
                return part
    context.statement = function
    return None


# -- streams that open their own session, and long polls --


def on_generator(node: FunctionNode, context: FileContext) -> None:
    """A session around the `yield` of a stream of events, and a session that a long poll keeps."""
    if function_role(node) == "router":
        _long_poll(node, context)
    for part in local_nodes(node):
        if not isinstance(part, ast.With | ast.AsyncWith):
            continue
        opened = [item for item in part.items if _opens_session(item)]
        found = next(_socket(part) if _is_socket(node) else _events(part), None) if opened else None
        if found is None:
            continue
        loop, sent = found
        endless = _endless(loop)
        with inside(node, context):
            context.statement = part
            context.report(
                STREAM_RULE,
                opened[0].context_expr,
                "a session is open for as long as the stream lasts: one connection of the pool per client"
                if endless
                else "a session is open while a client takes what it read: a slow client keeps the connection",
                severity="CRITICAL" if endless else "MEDIUM",
                confidence="likely",
                evidence=(Evidence(context.path, sent.lineno, "events are sent while it is open"),),
                also=(SCOPE_RULE,),
            )
        return


def _opens_session(item: ast.withitem) -> bool:
    name = last_name(item.context_expr)
    bound = last_name(item.optional_vars) if item.optional_vars is not None else ""
    return isinstance(item.context_expr, ast.Call) and (
        "session" in name.lower() or bound in ("session", "db", "conn", "connection")
    ) and "Client" not in name and name != "ClientSession"  # fmt: skip


def _endless(loop: ast.While | ast.AsyncFor) -> bool:
    """False for a loop that works through pages: what it asks for is read anew in each turn, and runs out."""
    if isinstance(loop, ast.AsyncFor) or isinstance(loop.test, ast.Constant):
        return True
    asked = names_in(loop.test)
    for part in descendants(loop):
        if not isinstance(part, ast.Assign | ast.NamedExpr):
            continue
        targets = part.targets if isinstance(part, ast.Assign) else [part.target]
        if any(asked & names_in(target) for target in targets):
            value = unawaited(part.value)
            return isinstance(value, ast.Call) and last_name(value.func).startswith("receive")
    return True


def _events(block: ast.With | ast.AsyncWith) -> Iterator[tuple[ast.While | ast.AsyncFor, ast.expr]]:
    """The `yield` of an event (`data: …`, an event object) in a loop of a block."""
    for loop in descendants(block):
        if isinstance(loop, ast.While | ast.AsyncFor):
            for part in descendants(loop):
                if isinstance(part, ast.Yield) and part.value is not None and _is_event(part.value):
                    yield loop, part


def _is_socket(node: FunctionNode) -> bool:
    """True for an endpoint of a websocket."""
    return any(last_name(one) in ("websocket", "websocket_route") for one in node.decorator_list)


def _socket(block: ast.With | ast.AsyncWith) -> Iterator[tuple[ast.While | ast.AsyncFor, ast.expr]]:
    """What a websocket waits for in a loop of a block."""
    for loop in descendants(block):
        if isinstance(loop, ast.While | ast.AsyncFor):
            for part in descendants(loop):
                if isinstance(part, ast.Call) and last_name(part.func).startswith(("receive", "send", "iter_")):
                    yield loop, part


def _is_event(value: ast.expr) -> bool:
    for part in descendants(value):
        text = part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else ""
        if text in ("data", "event") or text.lstrip().startswith(("data:", "event:", "id:")):
            return True
        if isinstance(part, ast.Call) and last_name(part.func) in ("ServerSentEvent", "sse", "format_sse", "sse_event"):
            return True
    return False


def _long_poll(node: FunctionNode, context: FileContext) -> None:
    session = session_parameter(node, context)
    if session is None or stream_of(node) is not None:
        return
    for loop in local_nodes(node):
        if isinstance(loop, ast.While | ast.For):
            parts = list(descendants(loop))
            used = any(isinstance(part, ast.Name) and part.id == session.arg for part in parts)
            waits = next(
                (
                    part
                    for part in parts
                    if isinstance(part, ast.Call) and last_name(part.func) in ("sleep", "wait", "wait_for")
                ),
                None,
            )
            if used and waits is not None and isinstance(loop, ast.While):
                with inside(node, context):
                    context.report(
                        STREAM_RULE,
                        session,
                        f"`{session.arg}` is held for as long as `{node.name}` waits: one connection of the pool "
                        f"per client",
                        severity="HIGH",
                        confidence="likely",
                        evidence=(Evidence(context.path, waits.lineno, "it waits here, in a loop"),),
                        also=(SCOPE_RULE,),
                    )
                return


# -- error-path-leak --


def _on_leak(node: FunctionNode, context: FileContext) -> None:
    with inside(node, context):
        for made in local_nodes(node):
            if not isinstance(made, ast.Assign) or len(made.targets) != 1 or not isinstance(made.targets[0], ast.Name):
                continue
            value = unawaited(made.value)
            found = taken(value, context) if isinstance(value, ast.Call) else None
            if found is None:
                continue
            name = made.targets[0].id
            place = leak_of(node, name)
            if place is None:
                continue
            line, how = place
            kind, why = execution_of(context)
            context.statement = made
            context.report(
                ERROR_RULE,
                made,
                f"`{name}` is {found[0]} that stays open {how}",
                severity=_leak_severity(node, kind, how, found[1]),
                confidence="likely",
                evidence=(Evidence(context.path, line, "here it is left open"), *((why,) if why else ())),
                also=(CLEANUP_RULE,),
            )


def _leak_severity(function: FunctionNode, kind: Execution, how: str, worth: Severity) -> Severity:
    if worth == "MEDIUM":
        return "MEDIUM" if kind == "request_handler" else "LOW"  # a file
    if how.startswith("where whoever"):
        return "HIGH"
    return "HIGH" if kind == "request_handler" else "LOW" if kind in ("init", "cli") else "MEDIUM"


def leak_of(function: FunctionNode, name: str) -> tuple[int, str] | None:
    """(line, how) where an error leaves open what the usual way closes; None where none does or nothing closes it."""
    closes = [part for part in local_nodes(function) if isinstance(part, ast.Call) and releases(part, name)]
    if not closes:
        return None
    for part in local_nodes(function):
        if isinstance(part, ast.Try) and any(releases(one, name) for one in calls_in(part.finalbody)):
            return None
        if isinstance(part, ast.With | ast.AsyncWith) and any(
            isinstance(one, ast.Name) and one.id == name
            for item in part.items
            for one in descendants(item.context_expr)
        ):
            return None
    for part in local_nodes(function):
        lent = isinstance(part, ast.Yield) and isinstance(part.value, ast.Name) and part.value.id == name
        if isinstance(part, ast.Yield) and lent and any(close.lineno > part.lineno for close in closes):
            return part.lineno, "where whoever borrows it fails: what follows a `yield` runs in `finally` only"
        if isinstance(part, ast.Try):
            for handler in part.handlers:
                leaves = next((one for one in handler.body if isinstance(one, ast.Return | ast.Raise)), None)
                closed = any(releases(one, name) for one in calls_in(handler.body))
                later = any(close.lineno > handler.lineno or stands_in(part.body, close) for close in closes)
                if leaves is not None and not closed and later and _uses(part.body, name):
                    return leaves.lineno, "on the way out of `except`"
    return None


def _uses(body: list[ast.stmt], name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for statement in body for part in descendants(statement))


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

resource_scope_mismatch = Rule(
    name=SCOPE_RULE,
    gate="none",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PA-654-1",),
    catches="A session that is injected into an endpoint and used in less than a fifth of its lines, while another "
    "service "
    "is called or much else is done.",
    why="An injected session keeps its connection until the answer is sent: slow neighbours empty the pool for "
    "requests "
    "that need it.",
    fix="Open a session where it is used (`async with session_factory() as session:`), or commit as soon as the "
    "reads are "
    "done.",
    when="In FastAPI endpoints: HIGH where another service is called while it is held, MEDIUM where more than 50 "
    "lines do "
    "not use it. Streams are `streaming-resource-holding`.",
    watches=(Watch(_FUNCTIONS, _on_endpoint, (b"fastapi",), is_product_path),),
    bad=SCOPE[0],
    good=SCOPE[1],
)

error_path_leak = Rule(
    name=ERROR_RULE,
    gate="none",
    severity="HIGH",
    skill=SKILL,
    sources=("PA-654-5",),
    catches="Sessions, connections and files that the usual way closes and an error does not: `except` that returns or "
    "raises without closing, and generators that lend one without `finally`.",
    why="The way that leaks is the one that nobody tests: under errors the pool runs dry, and then everything fails.",
    fix="`with …:` around it, or `try: … finally: ….close()`.",
    when="In production code. HIGH in endpoints and for what a generator lends, MEDIUM elsewhere, LOW in code that "
    "runs "
    "once; files are one step less.",
    watches=(
        Watch(
            _FUNCTIONS,
            _on_leak,
            (b".close(", b".aclose(", b".release(", b".putconn(", b".disconnect("),
            is_product_path,
        ),
    ),
    bad=ERRORS[0],
    good=ERRORS[1],
)

RULES: tuple[Rule, ...] = (resource_scope_mismatch, error_path_leak)
