"""Rules of the skill resource-lifecycle-auditor: connections and sessions that are held too long or never given
back."""

import ast
import re

from skills.gates.bindings import annotated_type, bindings, lookup, origin
from skills.gates.context import FileContext, FunctionNode
from skills.gates.execution import execution_of, is_product_path, one_less
from skills.gates.model import Confidence, Evidence, Severity
from skills.gates.names import last_name
from skills.gates.resource_examples import CLEANUP, INJECTION, POOL, STREAMING
from skills.gates.roles import function_role
from skills.gates.rule import Rule, Watch
from skills.gates.session_config import on_call as tell_config
from skills.gates.session_scope_examples import STREAMS
from skills.gates.syntax import descendants

SKILL = "resource-lifecycle-auditor"
POOL_RULE = "pool-configuration"
CLEANUP_RULE = "missing-cleanup"
STREAM_RULE = "streaming-resource-holding"
INJECTION_RULE = "factory-vs-injection"

_ENGINES = frozenset(
    {
        "sqlalchemy.create_engine", "sqlalchemy.engine.create_engine", "sqlmodel.create_engine",
        "sqlalchemy.ext.asyncio.create_async_engine",
    }
)  # fmt: skip
_SESSION_NAME = re.compile(r"(^|_)(db|session|conn|connection|uow|transaction)(_|$)|session", re.I)
_SESSION_TYPES = frozenset({"Session", "AsyncSession", "Connection", "AsyncConnection", "AsyncReadSession"})
_STREAMS = frozenset({"StreamingResponse", "EventSourceResponse", "StreamingHttpResponse", "ServerSentEvents"})
_FACTORY = re.compile(r"(Session|SessionLocal|session_?factory|session_?maker|SessionMaker)$")
_SESSIONS = frozenset({"sqlalchemy.orm.Session", "sqlmodel.Session", "sqlalchemy.ext.asyncio.AsyncSession"})
_CONNECTORS = frozenset(
    {
        "psycopg2.connect", "psycopg.connect", "sqlite3.connect", "pymysql.connect", "MySQLdb.connect",
        "pyodbc.connect", "mysql.connector.connect", "oracledb.connect", "asyncpg.connect", "aiosqlite.connect",
        "socket.socket", "socket.create_connection", "aiohttp.ClientSession", "httpx.AsyncClient",
        "smtplib.SMTP", "smtplib.SMTP_SSL", "ftplib.FTP", "paramiko.SSHClient",
    }
)  # fmt: skip
_FILES = frozenset({"open", "io.open", "builtins.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open",
                    "tarfile.open", "zipfile.ZipFile", "os.fdopen", "tempfile.TemporaryFile"})  # fmt: skip
_OWNERS = re.compile(r"(engine|pool)$", re.I)
_GIVERS = frozenset({"connect", "raw_connection", "acquire", "getconn", "checkout"})
_RELEASES = frozenset(
    {"close", "aclose", "dispose", "release", "shutdown", "quit", "detach", "disconnect", "terminate"}
)
_TAKERS = frozenset({"closing", "aclosing", "enter_context", "enter_async_context", "callback",
                     "push_async_callback", "addCleanup", "finalize", "close", "push"})  # fmt: skip


_SHORT_LIVED = re.compile(r"celery|worker|task|lambda|serverless|script|migrat|alembic|job|cli|command", re.I)


def _on_engine(node: ast.Call, context: FileContext) -> None:
    if origin(context, node.func) not in _ENGINES:
        return
    words = {word.arg: word.value for word in node.keywords}
    for name, bad in (("max_overflow", -1), ("pool_size", 0)):
        value = words.get(name)
        if value is not None and _number(value) == bad:
            message = f"`{name}={bad}` sets no limit: every waiting request opens one more connection"
            context.report(POOL_RULE, value, message, severity="HIGH")
    pool = words.get("poolclass")
    if pool is not None and last_name(pool) == "NullPool" and not _SHORT_LIVED.search(context.path):
        message = "`NullPool` opens a connection for each request: right behind a pooler or in serverless code only"
        context.report(POOL_RULE, pool, message, severity="LOW", confidence="needs_context")
    if context.role == "command" or "scripts" in context.path.split("/")[:-1]:
        return
    if None in words or "poolclass" in words or "creator" in words or "pool" in words or _is_local(node):
        return
    if "pool_pre_ping" not in words and "pool_recycle" not in words:
        message = (
            "The engine has neither `pool_pre_ping` nor `pool_recycle`: a connection that the server dropped meanwhile "
            "fails the request that gets it"
        )
        context.report(POOL_RULE, node, message, severity="MEDIUM")


def _number(node: ast.expr) -> object:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        return -node.operand.value if isinstance(node.operand.value, int) else None
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def _is_local(node: ast.Call) -> bool:
    """True for an engine on a file or in memory."""
    texts = [part.value for part in descendants(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return any(text.startswith("sqlite") for text in texts)


def _on_assignment(node: ast.Assign, context: FileContext) -> None:
    function = context.function
    target = node.targets[0]
    if function is None or len(node.targets) != 1 or not isinstance(target, ast.Name):
        return
    value = node.value.value if isinstance(node.value, ast.Await) else node.value
    if not isinstance(value, ast.Call):
        return
    found = taken(value, context)
    if found is None:
        return
    what, severity = found
    state = _fate(function, target.id, node)
    if state == "cared for":
        return
    from skills.gates.session_scope import leak_of  # it is built on this file

    if state == "closed" and leak_of(function, target.id) is not None:
        return  # said by error-path-leak
    lower: Severity = "MEDIUM" if severity == "HIGH" else "LOW"
    message = (
        f"`{target.id}` is {what} that nobody closes: use `with`, or close it in `finally`"
        if state == "forgotten"
        else f"`{target.id}` is {what} that is closed only where nothing fails before: use `with`, or `finally`"
    )
    confidence: Confidence = "confirmed" if state == "forgotten" else "likely"
    weight = severity if state == "forgotten" else lower
    kind, why = execution_of(context)
    links: tuple[Evidence, ...] = (why,) if why is not None else ()
    if kind == "cli" and why is not None and weight != "LOW":  # the process ends, and gives everything back
        links += (Evidence(context.path, why.line, f"lowered from {weight} to {one_less(weight)}: the process ends"),)
        weight = one_less(weight)
    context.report(CLEANUP_RULE, node, message, severity=weight, confidence=confidence, evidence=links)


def taken(call: ast.Call, context: FileContext) -> tuple[str, Severity] | None:
    """What a call takes that must be given back, and how bad it is not to."""
    name = origin(context, call.func)
    if name in _FILES:
        return "a file", "MEDIUM"
    if any(word.arg == "bind" and "conn" in ast.unparse(word.value).lower() for word in call.keywords):
        return None  # it borrows a connection that somebody else gives back
    if name in _SESSIONS or name in _CONNECTORS:
        return "a connection" if name in _CONNECTORS else "a session", "HIGH"
    if (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in _GIVERS
        and _OWNERS.search(last_name(call.func.value))
    ):
        return "a connection", "HIGH"
    if _is_cursor(call, context):
        return "a cursor", "MEDIUM"
    made = last_name(call.func) if not call.args else ""
    if made and _FACTORY.search(made) and _is_factory(call, context):
        return "a session", "HIGH"
    return None


def _is_cursor(call: ast.Call, context: FileContext) -> bool:
    """True for a cursor of a connection that somebody else has; SQLite's hold nothing."""
    function = call.func
    if not isinstance(function, ast.Attribute) or function.attr != "cursor":
        return False
    owner = last_name(function.value).lower()
    if not owner.endswith(("conn", "connection")) or any(one.startswith("sqlite3") for one in context.imports.values()):
        return False
    made = lookup(context, function.value.id, call.lineno) if isinstance(function.value, ast.Name) else None
    return made is None or made.kind in ("opaque", "typed", "import")


def _is_factory(call: ast.Call, context: FileContext) -> bool:
    """True for `SessionLocal()`: made by sessionmaker here, or imported from a module about databases."""
    if not isinstance(call.func, ast.Name) or call.func.id.lower() in ("sessionmaker", "async_sessionmaker"):
        return False
    known = bindings(context, context.tree).get(call.func.id, ())
    for found in known:
        if isinstance(found.value, ast.Call):
            return last_name(found.value.func) in ("sessionmaker", "async_sessionmaker", "scoped_session")
        if found.kind == "import":
            return re.search(r"(^|\.)(db|database|session|sessions|models|sql|persistence)\b", found.name) is not None
    return not known and call.func.id.lower().endswith(("sessionlocal", "session_factory", "session_maker"))


def _fate(function: FunctionNode, name: str, made: ast.stmt) -> str:
    """What becomes of a resource: "cared for", "closed" where nothing fails, "forgotten"."""
    others = [node for node in descendants(function) if node is not made]
    if any(_cares(node, name) for node in others):
        return "cared for"
    return "closed" if any(isinstance(node, ast.Call) and releases(node, name) for node in others) else "forgotten"


def _cares(node: ast.AST, name: str) -> bool:
    """True where a statement or call closes a resource whatever happens, or hands it over."""
    match node:
        case ast.With(items=items) | ast.AsyncWith(items=items):
            return any(_mentions(item.context_expr, name) for item in items)
        case ast.Try(finalbody=last):
            return any(_mentions(statement, name) for statement in last)
        case ast.Return(value=ast.expr() as value) | ast.Yield(value=ast.expr() as value):
            return _hands_over(value, name)
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
            return _hands_over(value, name)
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return name in names
    return isinstance(node, ast.Call) and _passes(node, name)


def _mentions(node: ast.AST, name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for part in descendants(node))


def _hands_over(value: ast.expr, name: str) -> bool:
    """True where the resource itself, alone or in a display, is what is handed over."""
    if isinstance(value, ast.Name):
        return value.id == name
    if isinstance(value, ast.Tuple | ast.List | ast.Set):
        return any(_hands_over(part, name) for part in value.elts)
    if isinstance(value, ast.Dict):
        return any(_hands_over(part, name) for part in value.values)
    return isinstance(value, ast.Lambda | ast.IfExp | ast.NamedExpr | ast.BoolOp) and _mentions(value, name)


def _passes(call: ast.Call, name: str) -> bool:
    """True where the resource goes to something that closes or keeps it."""
    values = [*call.args, *(word.value for word in call.keywords)]
    if not any(
        _hands_over(value, name) or (isinstance(value, ast.Attribute) and _mentions(value, name)) for value in values
    ):
        return False
    taker = last_name(call.func)
    return taker in _TAKERS or taker[:1].isupper() or taker in ("append", "add", "put", "setattr", "partial", "submit")


def releases(call: ast.Call, name: str) -> bool:
    """True for `name.close()`, and for `pool.release(name)`."""
    function = call.func
    if not isinstance(function, ast.Attribute):
        return False
    if function.attr in _RELEASES and last_name(function.value) == name:
        return True
    return function.attr in ("release", "putconn") and any(
        isinstance(one, ast.Name) and one.id == name for one in call.args
    )


def session_parameter(function: FunctionNode, context: FileContext) -> ast.arg | None:
    """The parameter that a framework fills with a database session."""
    args = function.args
    plain = [*args.posonlyargs, *args.args]
    defaults = dict(zip(reversed(plain), reversed(args.defaults), strict=False))
    defaults.update((arg, default) for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True) if default)
    for arg in (*plain, *args.kwonlyargs):
        default = defaults.get(arg)
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
    if session is None or stream is None or _given_back(node, session.arg, stream[0]):
        return
    held, what, severity = stream
    context.scopes.append(node)
    context.report(
        STREAM_RULE,
        session,
        f"`{session.arg}` is held for as long as {what} lasts: one connection of the pool per client",
        severity=severity,
        evidence=(Evidence(context.path, held, f"{what} begins here"),),
        also=("resource-scope-mismatch", INJECTION_RULE),
    )
    context.scopes.pop()


def _on_generator(node: FunctionNode, context: FileContext) -> None:
    from skills.gates.session_scope import on_generator

    on_generator(node, context)


def stream_of(node: FunctionNode) -> tuple[int, str, Severity] | None:
    """(line, what, severity) of the stream that an endpoint answers with."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and last_name(decorator.func) in ("websocket", "websocket_route"):
            return decorator.lineno, "the websocket", "CRITICAL"
    for part in descendants(node):
        if isinstance(part, ast.Call) and last_name(part.func) in _STREAMS:
            name = last_name(part.func)
            events = name == "EventSourceResponse" or any(
                isinstance(text, ast.Constant) and text.value == "text/event-stream" for text in descendants(part)
            )
            return part.lineno, "the event stream" if events else "the download", "CRITICAL" if events else "HIGH"
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
                f"`{session.arg}` belongs to the request and goes to a task that outlives it: the task finds it closed",
                evidence=(Evidence(context.path, session.lineno, f"`{session.arg}` is injected for the request"),),
            )
    context.statement = statement
    context.scopes.pop()


pool_configuration = Rule(
    name=POOL_RULE,
    gate="none",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PA-654-4",),
    catches="SQLAlchemy engines whose pool has no limit (`max_overflow=-1`, `pool_size=0`), and engines that neither "
    "test nor renew their connections.",
    why="Without a limit a busy moment takes every connection that the server has; without `pool_pre_ping` or "
    "`pool_recycle` the first requests after a restart or an idle time-out fail.",
    fix="`create_engine(url, pool_pre_ping=True, pool_recycle=1800, pool_size=…, max_overflow=…)`: replicas × workers "
    "× (pool_size + max_overflow) must stay below the server's limit.",
    when="In production code. HIGH without a limit, MEDIUM without a test. Not for SQLite, engines with their own pool "
    "class and unpacked options. The defaults (5 and 10 more) are a limit.",
    watches=(
        Watch((ast.Call,), _on_engine, (b"create_engine", b"create_async_engine"), is_product_path),
        Watch((ast.Call,), tell_config, (b"create_engine", b"create_async_engine", b"sessionmaker", b"scoped_session"),
              is_product_path),
    ),
    bad=POOL[0],
    good=POOL[1],
)  # fmt: skip

missing_cleanup = Rule(
    name=CLEANUP_RULE,
    gate="none",
    severity="HIGH",
    skill=SKILL,
    sources=("PA-654-3",),
    catches="Sessions, connections, cursors and files that a function opens and neither closes for sure nor hands on.",
    why="Every error on the way leaves one open. The pool runs dry, or the process runs out of file descriptors, long "
    "after the cause.",
    fix="`with open(…) as f:`, `async with Session() as session:`, `contextlib.closing(…)`, or close in `finally`.",
    when="In functions of production code: HIGH for sessions and connections, MEDIUM for files and cursors; one "
    "step less in commands, and where it "
    "is closed but not in `finally`. Not where it is returned, yielded, stored, or given to what closes it.",
    watches=(
        Watch(
            (ast.Assign,),
            _on_assignment,
            (
                b"open(",
                b"ession",
                b"connect(",
                b"acquire(",
                b"getconn(",
                b"socket",
                b"SMTP",
                b"FTP",
                b"Client(",
                b"cursor(",
            ),
            is_product_path,
        ),
    ),
    bad=CLEANUP[0],
    good=CLEANUP[1],
)

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

RULES: tuple[Rule, ...] = (
    pool_configuration, missing_cleanup, streaming_resource_holding, factory_vs_injection,
)  # fmt: skip
