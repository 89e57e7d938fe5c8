"""A rule of the skill resource-lifecycle-auditor: a database session that is held for as long as a stream lasts."""

import ast
from collections.abc import Iterator

from skills.gates.analysis.local_values import own_nodes
from skills.gates.analysis.loops import turns
from skills.gates.analysis.sessions import unawaited
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import function_role, is_product_path
from skills.gates.engine.syntax import defaults_of, descendants, mentions, names_in, string_of
from skills.gates.model import Evidence
from skills.gates.persistence.database_events import inside
from skills.gates.persistence.injected_sessions import (
    INJECTION_RULE,
    alias_holds,
    needs_of,
    session_parameter,
    stream_of,
)
from skills.gates.persistence.taken_resources import SKILL
from skills.gates.rule import Apart, Rule, Watch

STREAM_RULE = "streaming-resource-holding"
_LONG_POLL = 30
"""Seconds."""
STREAM_IS_FREE = "the stream itself does not use"
STREAM_USES = "the stream itself uses"
"""What the evidence says of a stream: the second look reads it."""


def _on_stream(node: FunctionNode, context: FileContext) -> None:
    session = session_parameter(node, context) if function_role(node) == "router" else None
    stream = stream_of(node) if session is not None else None
    if session is None or stream is None or _given_back(node, session.arg, stream.line):
        return
    links = [Evidence(context.path, stream.line, f"{stream.what} begins here")]
    if stream.answer is not None:
        uses = _stream_uses(node, stream.answer, session.arg)
        if not uses and _ends_with_function(node, session):
            return
        links.append(Evidence(context.path, stream.line, f"{STREAM_USES if uses else STREAM_IS_FREE} `{session.arg}`"))
    context.scopes.append(node)
    context.report(
        STREAM_RULE,
        session,
        f"`{session.arg}` is held for as long as {stream.what} lasts: one connection of the pool per client",
        severity=stream.severity,
        needs=needs_of(session, node, context),
        evidence=tuple(links),
        also=("resource-scope-mismatch", INJECTION_RULE),
    )
    context.scopes.pop()


def _stream_uses(function: FunctionNode, answer: ast.Call, name: str) -> bool:
    """True where a session goes into the stream: among its arguments, in a generator inside, or in what makes it."""
    given = [*answer.args, *(word.value for word in answer.keywords)]
    if any(mentions(value, name) for value in given):
        return True
    inner = [part for part in descendants(function) if isinstance(part, FunctionNode) and part is not function]
    named = {part.id for value in given for part in descendants(value) if isinstance(part, ast.Name)}
    if any(mentions(part, name) for part in inner if part.name in named):
        return True
    plain = {value.id for value in given if isinstance(value, ast.Name)}
    return any(
        isinstance(part, ast.Assign) and isinstance(part.value, ast.Call) and mentions(part.value, name)
        and any(isinstance(target, ast.Name) and target.id in plain for target in part.targets)
        for part in descendants(function)
    )  # fmt: skip


def _ends_with_function(function: FunctionNode, session: ast.arg) -> bool:
    """True for `Depends(get_db, scope="function")`: it ends before the answer is sent."""
    given = [*(one for arg, one in defaults_of(function.args) if arg is session and one is not None)]
    given += [session.annotation] if session.annotation is not None else []
    return any(
        word.arg == "scope" and isinstance(word.value, ast.Constant) and word.value.value == "function"
        for part in given
        for call in descendants(part)
        if isinstance(call, ast.Call)
        for word in call.keywords
    )


def _given_back(node: FunctionNode, name: str, line: int) -> bool:
    """True where the session lets its connection go before the stream begins, and the stream does not use it."""
    released = any(
        isinstance(part, ast.Call)
        and isinstance(part.func, ast.Attribute)
        and part.func.attr in ("close", "commit", "rollback", "aclose")
        and last_name(part.func.value) == name
        and part.lineno < line
        for part in descendants(node)
    )
    return released and not any(
        isinstance(part, ast.Name) and part.id == name and part.lineno >= line for part in descendants(node)
    )


def _on_generator(node: FunctionNode, context: FileContext) -> None:
    """A session around the `yield` of a stream of events, and a session that a long poll keeps."""
    if function_role(node) == "router":
        _long_poll(node, context)
    for part in own_nodes(node, context):
        if not isinstance(part, (ast.With, ast.AsyncWith)):
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
                also=("resource-scope-mismatch",),
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
        if not isinstance(part, (ast.Assign, ast.NamedExpr)):
            continue
        targets = part.targets if isinstance(part, ast.Assign) else [part.target]
        if any(asked & names_in(target) for target in targets):
            value = unawaited(part.value)
            return isinstance(value, ast.Call) and last_name(value.func).startswith("receive")
    return True


def _events(block: ast.With | ast.AsyncWith) -> Iterator[tuple[ast.While | ast.AsyncFor, ast.expr]]:
    """The `yield` of an event (`data: …`, an event object) in a loop of a block."""
    for loop in descendants(block):
        if isinstance(loop, (ast.While, ast.AsyncFor)):
            for part in descendants(loop):
                if isinstance(part, ast.Yield) and part.value is not None and _is_event(part.value):
                    yield loop, part


def _is_socket(node: FunctionNode) -> bool:
    """True for an endpoint of a websocket."""
    return any(last_name(one) in ("websocket", "websocket_route") for one in node.decorator_list)


def _socket(block: ast.With | ast.AsyncWith) -> Iterator[tuple[ast.While | ast.AsyncFor, ast.expr]]:
    """What a websocket waits for in a loop of a block."""
    for loop in descendants(block):
        if isinstance(loop, (ast.While, ast.AsyncFor)):
            for part in descendants(loop):
                if isinstance(part, ast.Call) and last_name(part.func).startswith(("receive", "send", "iter_")):
                    yield loop, part


def _is_event(value: ast.expr) -> bool:
    for part in descendants(value):
        text = string_of(part) or ""
        if text in ("data", "event") or text.lstrip().startswith(("data:", "event:", "id:")):
            return True
        if isinstance(part, ast.Call) and last_name(part.func) in ("ServerSentEvent", "sse", "format_sse", "sse_event"):
            return True
    return False


def _long_poll(node: FunctionNode, context: FileContext) -> None:
    session = session_parameter(node, context)
    if session is None or stream_of(node) is not None:
        return
    for loop in own_nodes(node, context):
        if isinstance(loop, (ast.While, ast.For)):
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
            if used and waits is not None and (isinstance(loop, ast.While) or _is_long(loop, waits)):
                with inside(node, context):
                    context.report(
                        STREAM_RULE,
                        session,
                        f"`{session.arg}` is held for as long as `{node.name}` waits: one connection of the pool "
                        f"per client",
                        severity="HIGH",
                        confidence="likely",
                        needs=needs_of(session, node, context),
                        evidence=(Evidence(context.path, waits.lineno, "it waits here, in a loop"),),
                        also=("resource-scope-mismatch",),
                    )
                return


def _is_long(loop: ast.For, waits: ast.Call) -> bool:
    """True where all turns of a loop together sleep for more than half a minute."""
    seconds = waits.args[0].value if waits.args and isinstance(waits.args[0], ast.Constant) else None
    return isinstance(seconds, (int, float)) and (turns(loop) or 0) * seconds > _LONG_POLL


streaming_resource_holding = Rule(
    name=STREAM_RULE,
    gate="none",
    severity="CRITICAL",
    skill=SKILL,
    sources=("PA-654-2",),
    catches="A database session that is injected into an endpoint which streams (websockets, event streams, downloads, "
    "long polls), or that is open around the `yield` of an event.",
    why="What is injected lives until the answer is sent. A stream lasts for minutes or hours, and each one keeps a "
    "connection: a pool of 15 is empty after 15 clients.",
    fix="Check rights with a session of their own before the stream (`async with session_factory() as session:`) "
    "and open one again for each read inside it.",
    when="In FastAPI endpoints and in generators of events. CRITICAL for websockets and event streams, HIGH for "
    "downloads and for long polls, whose turns are not counted or wait for more than 30 seconds together.",
    watches=(
        Watch(
            (ast.FunctionDef, ast.AsyncFunctionDef),
            _on_stream,
            (b"Streaming", b"EventSource", b"websocket"),
            is_product_path,
        ),
        Watch(
            (ast.FunctionDef, ast.AsyncFunctionDef),
            _on_generator,
            (b"yield", b"sleep(", b"wait(", b"websocket"),
            is_product_path,
        ),
    ),
    holds=alias_holds,
    bad=Apart("persistence.resource_examples.STREAMING_BAD", "persistence.session_scope_examples.STREAMS_BAD"),
    good=Apart("persistence.resource_examples.STREAMING_GOOD", "persistence.session_scope_examples.STREAMS_GOOD"),
)

RULES: tuple[Rule, ...] = (streaming_resource_holding,)
