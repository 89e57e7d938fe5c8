"""Rules of the skill resource-lifecycle-auditor about the session that a framework lends to an endpoint: held by a
stream, or handed to a task that outlives the answer."""

import ast
import re

from skills.gates.bindings import annotated_type
from skills.gates.context import FileContext, FunctionNode
from skills.gates.execution import is_product_path
from skills.gates.model import Evidence, Severity
from skills.gates.names import last_name
from skills.gates.resource_examples import INJECTION, STREAMING
from skills.gates.resource_lifecycle_auditor import SKILL
from skills.gates.roles import function_role
from skills.gates.rule import Rule, Watch
from skills.gates.session_scope_examples import STREAMS
from skills.gates.syntax import defaults_of, descendants, mentions
from skills.record import record

STREAM_RULE, INJECTION_RULE = "streaming-resource-holding", "factory-vs-injection"
STREAM_IS_FREE, STREAM_USES = "the stream itself does not use", "the stream itself uses"
"""What the evidence says of a stream: the second look reads it."""
_SESSION_NAME = re.compile(r"(^|_)(db|session|conn|connection|uow|transaction)(_|$)|session", re.I)
_SESSION_TYPES = frozenset({"Session", "AsyncSession", "Connection", "AsyncConnection", "AsyncReadSession"})
_STREAMS = frozenset({"StreamingResponse", "EventSourceResponse", "StreamingHttpResponse", "ServerSentEvents"})


def session_parameter(function: FunctionNode, context: FileContext) -> ast.arg | None:
    """The parameter that a framework fills with a database session."""
    for arg, default in defaults_of(function.args):
        given = isinstance(default, ast.Call) and last_name(default.func) in ("Depends", "Security")
        if given and isinstance(default, ast.Call) and default.args:
            if _SESSION_NAME.search(last_name(default.args[0])):
                return arg
        elif arg.annotation is not None and _is_session(arg.annotation, context):
            return arg
    return None


def _is_session(annotation: ast.expr, context: FileContext) -> bool:
    if (annotated_type(context, annotation) or "").rpartition(".")[2] in _SESSION_TYPES:
        return True
    if isinstance(annotation, ast.Subscript) and last_name(annotation.value) == "Annotated":
        return any(isinstance(part, ast.Call) and last_name(part.func) == "Depends" and part.args
                   and _SESSION_NAME.search(last_name(part.args[0])) is not None
                   for part in descendants(annotation))  # fmt: skip
    name = last_name(annotation)
    return name.endswith(("SessionDep", "DBSession", "DbSession", "DatabaseSession", "DbDep", "SessionDependency"))


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
        evidence=tuple(links),
        also=("resource-scope-mismatch", INJECTION_RULE),
    )
    context.scopes.pop()


def _on_generator(node: FunctionNode, context: FileContext) -> None:
    from skills.gates.session_scope import on_generator

    on_generator(node, context)


@record
class Stream:
    """The stream that an endpoint answers with: where it begins, what it is, what it weighs, and the answer that is
    made (None for a websocket)."""

    line: int
    what: str
    severity: Severity
    answer: ast.Call | None = None


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


def stream_of(node: FunctionNode) -> Stream | None:
    """The stream that an endpoint answers with."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and last_name(decorator.func) in ("websocket", "websocket_route"):
            return Stream(decorator.lineno, "the websocket", "CRITICAL")
    for part in descendants(node):
        if isinstance(part, ast.Call) and last_name(part.func) in _STREAMS:
            name = last_name(part.func)
            events = name == "EventSourceResponse" or any(
                isinstance(text, ast.Constant) and text.value == "text/event-stream" for text in descendants(part)
            )
            if events:
                return Stream(part.lineno, "the event stream", "CRITICAL", part)
            return Stream(part.lineno, "the download", "HIGH", part)
    return None


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


def _on_background(node: FunctionNode, context: FileContext) -> None:
    """`background_tasks.add_task(send, db)`, `asyncio.create_task(send(db))`."""
    session = session_parameter(node, context) if function_role(node) == "router" else None
    if session is None or stream_of(node) is not None:
        return
    context.scopes.append(node)
    statement = context.statement
    for part in descendants(node):
        if not isinstance(part, ast.Call) or last_name(part.func) not in ("add_task", "create_task", "ensure_future"):
            continue
        values = [*part.args, *(word.value for word in part.keywords)]
        inner = [value for call in values if isinstance(call, ast.Call) for value in call.args]
        if any(isinstance(value, ast.Name) and value.id == session.arg for value in (*values, *inner)):
            context.statement = part
            context.report(
                INJECTION_RULE,
                part,
                f"`{session.arg}` belongs to the request and goes to a task that outlives the answer: by then it is "
                "closed, or it is held until the task ends",
                evidence=(Evidence(context.path, session.lineno, f"`{session.arg}` is injected for the request"),),
            )
    context.statement = statement
    context.scopes.pop()


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
    "downloads and long polls.",
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
    bad=(*STREAMING[0], *STREAMS[0]),
    good=(*STREAMING[1], *STREAMS[1]),
)

factory_vs_injection = Rule(
    name=INJECTION_RULE,
    gate="none",
    severity="HIGH",
    skill=SKILL,
    sources=("PA-654-6",),
    catches="A session of the request that is handed to a background task.",
    why="The request closes its session when it is answered; the task then works with a closed one, or both use one "
    "session at the same time.",
    fix="Hand ids on, and let the task open a session of its own from the factory.",
    when="In FastAPI endpoints. A stream with an injected session is `streaming-resource-holding`.",
    watches=(
        Watch(
            (ast.FunctionDef, ast.AsyncFunctionDef),
            _on_background,
            (b"add_task", b"create_task", b"ensure_future"),
            is_product_path,
        ),
    ),
    bad=INJECTION[0],
    good=INJECTION[1],
)

RULES: tuple[Rule, ...] = (streaming_resource_holding, factory_vs_injection)
