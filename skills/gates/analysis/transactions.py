"""What opens a transaction, and what a call to something outside of the database waits for."""

import ast

from skills.gates.analysis.bindings import annotated_type, lookup, origin
from skills.gates.analysis.blocking_calls import FUNCTIONS
from skills.gates.analysis.blocking_receivers import ITSELF, MAKES, RECEIVERS
from skills.gates.analysis.queries import ATOMIC
from skills.gates.analysis.receivers import TypeReader
from skills.gates.analysis.waits import FILE, HTTP, NETWORK, Waits
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy

SKILL = "transaction-correctness-auditor"
SCOPE = "scope-too-wide"
HELD = "long-held-transaction"
_SESSIONS = ("session", "db", "conn", "connection", "engine", "sessionmaker", "session_maker", "sessionlocal", "tx")
_DATABASES = ("db", "database", "conn", "connection")
_OPENERS = frozenset({"tortoise.transactions.in_transaction", "tortoise.transactions.atomic"})
_BEGINNERS = frozenset({"sessionmaker", "async_sessionmaker", "Session", "AsyncSession", "Engine", "AsyncEngine",
                        "Connection", "AsyncConnection", "create_engine", "create_async_engine"})  # fmt: skip
SESSION_FACTORY = lazy(r"(Session|SessionLocal|[Ss]ession_?[Ff]actory|[Ss]ession_?[Mm]aker)$")
"""What is called like a maker of sessions."""
_CLIENTS = ("requests.", "aiohttp.", "httpx.", "boto")
SLEEPS = frozenset({"time.sleep", "asyncio.sleep", "anyio.sleep", "trio.sleep"})
_ASYNC_CLIENTS = frozenset({"httpx.AsyncClient", "aiohttp.ClientSession", "grpc.aio.Channel"})
_ASYNC_VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "request", "send", "stream"})
_SERVICES = frozenset({"stripe", "twilio", "sendgrid", "braintree", "paypalrestsdk", "mailchimp", "plaid", "razorpay"})
_MAILS = frozenset({"aiosmtplib.send"})
_SERVICE_VERBS = frozenset(
    {"create", "retrieve", "modify", "list", "send", "capture", "confirm", "cancel", "refund", "delete", "update"}
)
_WHOLE_FILES = frozenset({"write_text", "read_text", "write_bytes", "read_bytes"})
_COPIES = frozenset(
    f"shutil.{name}"
    for name in ("copy", "copy2", "copyfile", "copyfileobj", "copytree", "move", "make_archive", "unpack_archive")
)
"""What copies the content of files, as long as they are large."""
_TYPES = TypeReader(frozenset(RECEIVERS) | _ASYNC_CLIENTS, MAKES, ITSELF)


def opens_transaction(node: ast.expr, context: FileContext) -> bool:
    """True for `transaction.atomic`, with or without a call, for `session.begin()`, and for what other libraries call
    so: `conn.transaction()`, `db.atomic()`, `in_transaction()`."""
    function = node.func if isinstance(node, ast.Call) else node
    name = last_name(function)
    if name in ("atomic", "in_transaction"):
        known = context.resolve(function) or ""
        if known in ATOMIC or known in _OPENERS:
            return True
    if not isinstance(node, ast.Call) or not isinstance(function, ast.Attribute):
        return False
    owner = function.value
    if name in ("transaction", "atomic"):
        return last_name(owner).lower().endswith(_DATABASES)
    return name == "begin" and _begins(owner, context)


def _begins(owner: ast.expr, context: FileContext) -> bool:
    """True where `begin()` of an expression is that of a session, a connection or a factory of them."""
    return last_name(owner).lower().endswith(_SESSIONS) or _lends_sessions(owner, context)


def _lends_sessions(node: ast.expr, context: FileContext) -> bool:
    """True for a name of any spelling whose annotation or value says that it begins transactions."""
    found = lookup(context, node.id, node.lineno) if isinstance(node, ast.Name) else None
    if found is None:
        return False
    call = found.value if isinstance(found.value, ast.Call) else None
    made = origin(context, call.func) if call is not None else None
    if call is not None and not call.args and SESSION_FACTORY.search(last_name(call.func)):
        return not (made or "").startswith(_CLIENTS)
    hint = found.hint.value if isinstance(found.hint, ast.Subscript) else found.hint
    kind = made or annotated_type(context, hint) or ""
    return kind.startswith(("sqlalchemy", "sqlmodel")) and kind.rpartition(".")[2] in _BEGINNERS


def first_time(rule: str, node: ast.AST, context: FileContext) -> bool:
    """True where a rule has said nothing of this node yet."""
    seen = context.memo.setdefault(rule, set())
    assert isinstance(seen, set)
    if node in seen:
        return False
    seen.add(node)
    return True


def waits_outside(call: ast.Call, context: FileContext) -> Waits | None:
    """What a call to something outside the database waits for."""
    name = origin(context, call.func)
    if name is not None:
        waits = FUNCTIONS.get(name)
        if waits is not None:
            return waits if waits in (HTTP, NETWORK, FILE) or name in _COPIES else None
        if name in _MAILS:
            return NETWORK
        root, _, rest = name.partition(".")
        if root in _SERVICES and rest and last_name(call.func) in _SERVICE_VERBS:
            return HTTP
    if not isinstance(call.func, ast.Attribute):
        return None
    owner = _TYPES.type_of(context, call.func.value)
    if owner in _ASYNC_CLIENTS:
        return HTTP if call.func.attr in _ASYNC_VERBS else None
    if owner is None and call.func.attr in _WHOLE_FILES:
        return FILE
    if owner is None and _is_client(call.func.value, call.func.attr, context):
        return HTTP
    receiver = RECEIVERS.get(owner or "")
    waits = receiver.of(call.func.attr) if receiver else None
    return waits if waits in (HTTP, NETWORK, FILE) else None


def _is_client(node: ast.expr, method: str, context: FileContext) -> bool:
    """True for what is named as a client of other services: `http_client.post(…)`, a stub of gRPC."""
    name = last_name(node).lower()
    if name.endswith(("http_client", "httpclient", "rest_client", "api_client")) or name in ("http", "_http"):
        return method in _ASYNC_VERBS
    return (
        name.endswith("stub")
        and method[:1].isupper()
        and any(one.startswith("grpc") for one in context.imports.values())
    )


def sleeps(call: ast.Call, context: FileContext) -> bool:
    """True for a call that waits for a time; `sleep(0)` only lets others run."""
    first = call.args[0] if call.args else None
    return (origin(context, call.func) or "") in SLEEPS and not (isinstance(first, ast.Constant) and first.value == 0)


def shown_call(call: ast.Call) -> str:
    """A call in a message, its name's end where it is long."""
    text = " ".join(ast.unparse(call.func).split())
    return f"{text if len(text) <= 48 else '…' + text[-47:]}(…)"
