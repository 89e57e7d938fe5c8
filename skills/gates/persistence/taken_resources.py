"""Sessions, connections, cursors and files: what takes one, what gives it back, where an error leaves it open."""

import ast
import re

from msgspec.structs import replace

from skills.gates.analysis.bindings import bindings, lookup, origin
from skills.gates.analysis.local_values import own_nodes
from skills.gates.analysis.sessions import unawaited
from skills.gates.analysis.transactions import SESSION_FACTORY
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import calls_in, descendants, stands_in
from skills.gates.model import Candidate, FileReport, Severity
from skills.gates.project import Project
from skills.gates.runtime.blocking_hops import function_elsewhere

SKILL = "resource-lifecycle-auditor"
CLEANUP_RULE = "missing-cleanup"
_SESSION_MAKERS = frozenset({"sessionmaker", "async_sessionmaker"})
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
FACTORY = "session-factory"
"""The fact that a module makes sessions by a name of its own."""
_LIBRARIES = frozenset({"sqlalchemy", "sqlmodel", "requests", "boto3", "aioboto3", "aiohttp", "httpx"})
_NOT_OF_DATABASES = ("boto3.", "botocore.", "aioboto3.", "aiobotocore.")  # their sessions hold nothing open
_OWNERS = lazy(r"(engine|pool)$", re.I)
_OF_SESSIONS = frozenset({"bind", "binds", "autoflush", "autocommit", "expire_on_commit", "future", "info", "class_",
                          "twophase", "query_cls", "sync_session_class"})  # fmt: skip
"""What a factory of sessions may be given."""
GIVERS = frozenset({"connect", "raw_connection", "acquire", "getconn", "checkout"})
_RELEASES = frozenset(
    {"close", "aclose", "dispose", "release", "shutdown", "quit", "detach", "disconnect", "terminate"}
)


def made_name(node: ast.Assign | ast.AnnAssign) -> ast.Name | None:
    """The one name that an assignment gives a value."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    target = targets[0]
    return target if len(targets) == 1 and isinstance(target, ast.Name) else None


Needs = tuple[tuple[str, str], ...]


def taken(call: ast.Call, context: FileContext) -> tuple[str, Severity, Needs] | None:
    """What a call takes that must be given back, how bad it is not to, and what the project must say for it."""
    found = _known(call, context)
    if found is not None:
        return *found, ()
    made = call.func.id if isinstance(call.func, ast.Name) and not call.args and not call.keywords else ""
    known = bindings(context, context.tree).get(made, ()) if made and SESSION_FACTORY.search(made) else ()
    if known and known[-1].kind == "import" and known[-1].name.partition(".")[0] not in _LIBRARIES:
        return "a session", "HIGH", ((FACTORY, known[-1].name),)
    return None


def made_elsewhere(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """A candidate whose session is made by what a module of the project calls its factory; None where none does."""
    for kind, name in candidate.needs:
        if function_elsewhere(kind, name, project) is None:
            return None
    return replace(candidate, needs=()) if candidate.needs else candidate


def _known(call: ast.Call, context: FileContext) -> tuple[str, Severity] | None:
    name = origin(context, call.func)
    if name in _FILES:
        return "a file", "MEDIUM"
    if any(word.arg == "bind" and "conn" in ast.unparse(word.value).lower() for word in call.keywords):
        return None  # it borrows a connection that somebody else gives back
    if name in _SESSIONS or name in _CONNECTORS:
        return "a connection" if name in _CONNECTORS else "a session", "HIGH"
    if isinstance(call.func, ast.Attribute) and call.func.attr in GIVERS and _owns(call.func.value, context):
        return "a connection", "HIGH"
    if _is_cursor(call, context):
        return "a cursor", "MEDIUM"
    if (name or "").startswith(_NOT_OF_DATABASES):
        return None
    made = last_name(call.func) if not call.args else ""
    of_rows = call.args or any(word.arg not in _OF_SESSIONS for word in call.keywords)  # a table of sessions, say
    if not of_rows and (_made_here(call, context) or (SESSION_FACTORY.search(made) and _is_factory(call, context))):
        return "a session", "HIGH"
    return None


def _owns(node: ast.expr, context: FileContext) -> bool:
    """True for a pool or an engine: by its name, or by that of the function that gave it, `await get_pool()`."""
    if _OWNERS.search(_called(node)):
        return True
    found = lookup(context, node.id, node.lineno) if isinstance(node, ast.Name) else None
    given = unawaited(found.value) if found is not None else None
    return isinstance(given, ast.Call) and _OWNERS.search(last_name(given.func)) is not None


def _called(node: ast.expr) -> str:
    """What an expression is called: the key of `app["pool"]`, else its last name."""
    key = node.slice if isinstance(node, ast.Subscript) else None
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else last_name(node)


def _is_cursor(call: ast.Call, context: FileContext) -> bool:
    """True for a cursor of a connection that somebody else has; SQLite's hold nothing."""
    function = call.func
    if not isinstance(function, ast.Attribute) or function.attr != "cursor":
        return False
    owner = last_name(function.value).lower()
    if not owner.endswith(("conn", "connection")) or any(one.startswith("sqlite3") for one in context.imports.values()):
        return False
    if any(last_name(one) == "listens_for" for scope in context.scopes for one in scope.decorator_list):
        return False  # of a connection that the pool has just made: it sets it up
    made = lookup(context, function.value.id, call.lineno) if isinstance(function.value, ast.Name) else None
    return made is None or made.kind in ("opaque", "typed", "import")


def _made_here(call: ast.Call, context: FileContext) -> bool:
    """True for a factory of any name that `sessionmaker` makes in this module, and for `sessionmaker(…)()`."""
    maker: ast.AST | None = call.func
    if isinstance(call.func, ast.Name):
        found = lookup(context, call.func.id, call.lineno)
        maker = found.value if found is not None else None
    return isinstance(maker, ast.Call) and (origin(context, maker.func) or "").rpartition(".")[2] in _SESSION_MAKERS


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


def last_words(node: ast.Try) -> list[ast.stmt]:
    """What a `try` runs whatever fails in it: its `finally`, and what catches everything."""
    everything = [one for one in node.handlers if one.type is None or last_name(one.type) == "BaseException"]
    return [*node.finalbody, *(statement for handler in everything for statement in handler.body)]


def leak_of(function: FunctionNode, name: str, context: FileContext) -> tuple[int, str] | None:
    """(line, how) where an error leaves open what the usual way closes; None where none does or nothing closes it."""
    closes = [part for part in own_nodes(function, context) if isinstance(part, ast.Call) and releases(part, name)]
    if not closes:
        return None
    for part in own_nodes(function, context):
        if isinstance(part, ast.Try) and any(releases(one, name) for one in calls_in(last_words(part))):
            return None
        if isinstance(part, (ast.With, ast.AsyncWith)) and any(
            isinstance(one, ast.Name) and one.id == name
            for item in part.items
            for one in descendants(item.context_expr)
        ):
            return None
    for part in own_nodes(function, context):
        lent = isinstance(part, ast.Yield) and isinstance(part.value, ast.Name) and part.value.id == name
        if isinstance(part, ast.Yield) and lent and any(close.lineno > part.lineno for close in closes):
            return part.lineno, "where whoever borrows it fails: what follows a `yield` runs in `finally` only"
        if isinstance(part, ast.Try):
            for handler in part.handlers:
                leaves = next((one for one in handler.body if isinstance(one, (ast.Return, ast.Raise))), None)
                closed = any(releases(one, name) for one in calls_in(handler.body))
                later = any(close.lineno > handler.lineno or stands_in(part.body, close) for close in closes)
                if leaves is not None and not closed and later and _uses(part.body, name) and _can_fail(part, name):
                    return leaves.lineno, "on the way out of `except`"
    return None


def _can_fail(node: ast.Try, name: str) -> bool:
    """False where the block takes the thing itself and calls nothing afterwards: what failed was the taking."""
    for place, statement in enumerate(node.body):
        if isinstance(statement, ast.Assign) and any(
            isinstance(one, ast.Name) and one.id == name for one in statement.targets
        ):
            return any(isinstance(part, ast.Call) for later in node.body[place + 1 :] for part in descendants(later))
    return True


def _uses(body: list[ast.stmt], name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for statement in body for part in descendants(statement))
