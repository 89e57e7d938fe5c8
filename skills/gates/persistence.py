"""Database access as the audit reads it: sessions, reads of one row, writes, and the order of them in a function."""

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from skills.gates.bindings import annotated_type, lookup
from skills.gates.context import FileContext, FunctionNode
from skills.gates.loops import local_nodes
from skills.gates.names import dotted, last_name
from skills.gates.patterns import lazy
from skills.gates.queries import MANAGERS, Chain, chain_of
from skills.gates.syntax import descendants
from skills.record import record

WriteKind = Literal["insert", "update", "delete"]
EventKind = Literal["fetch", "add", "write", "flush", "commit", "rollback", "set"]

_SESSION_NAME = lazy(r"(^|_)(session|sess|db|dbsession|database)$", re.I)
_CONNECTION_NAME = lazy(r"(^|_)(conn|connection|cursor|cur|tx|transaction|uow|unit_of_work)$", re.I)
_REPOSITORY = lazy(r"_?(repo|repos|repository|dao|store|gateway)$", re.I)
_OTHER_STORE = lazy(
    r"(file|blob|object|vector|key|kv|session|token|cache|data|secret|doc|document|artifact|state|feature|media|config)"
    r"_?(store|gateway)$|^_?(store|gateway)$",
    re.I,
)
GENERIC = frozenset({"repo", "repos", "repository", "dao"})
"""Names of repositories that do not say what they are about."""
_CLIENT_TYPES = ("aiohttp.", "requests.", "httpx.", "niquests.", "boto3.", "curl_cffi.")
_KEYS = frozenset({"id", "pk", "uuid", "uid", "guid"})
_ONE = frozenset({"first", "one", "one_or_none", "scalar", "get", "aget", "afirst", "scalar_one", "scalar_one_or_none"})
_REPOSITORY_READS = lazy(r"(get|find|fetch|load)(_one)?(_(by_)?(id|pk|uuid))?$")
_REPOSITORY_WRITES = lazy(r"(update|delete|reset|save|mark|remove|set|increment|touch|archive|soft_delete)(_\w+)?$")
_WRITES_SQL = lazy(r"\s*(INSERT|UPDATE|DELETE)\b", re.I)
_TABLE = lazy(r"\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+[\"`]?(?:\w+\.)?(\w+)", re.I)
_MANY = ("_many", "_all", "_bulk", "bulk_", "_batch", "batch_")
_KINDS: dict[str, WriteKind] = {"insert": "insert", "update": "update", "delete": "delete"}
_SUFFIX = lazy(r"(model|orm|entity|record|table|repo|repos|repository|dao|store|gateway)$")


@record
class Fetch:
    """One row that is read by its key. `model` is a class, or the name of a repository without its ending."""

    model: str
    key: ast.expr


@record
class Write:
    """One statement that is sent to the database: what it does, and to which model or table ("" unknown)."""

    kind: WriteKind
    model: str
    how: str


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


def model_key(name: str) -> str:
    """A name for comparing models, repositories, tables and variables: `JobModel`, `job_repo`, `jobs` are "job"."""
    bare = name.rpartition(".")[2].replace("_", "").lower()
    bare = _SUFFIX.sub("", bare) or bare
    if bare.endswith("ies"):
        return bare[:-3] + "y"
    return bare[:-1] if bare.endswith("s") and not bare.endswith("ss") else bare


def unawaited(node: ast.expr | None) -> ast.expr | None:
    """The expression behind an `await`."""
    return node.value if isinstance(node, ast.Await) else node


def is_class_name(node: ast.expr) -> bool:
    """True for `Order` and `models.Order`: what a query is about."""
    name = last_name(node) if isinstance(node, ast.Name | ast.Attribute) else ""
    return name[:1].isupper() and not name.isupper()


def is_session(node: ast.expr, context: FileContext) -> bool:
    """True where an expression is a database session by its type or, where none is given, by its name."""
    if isinstance(node, ast.Call):
        return False
    name = last_name(node)
    if isinstance(node, ast.Attribute) and last_name(node.value) in ("request", "req"):
        return False
    if not _SESSION_NAME.search(name):
        return False
    if isinstance(node, ast.Name):
        found = lookup(context, node.id, node.lineno)
        if found is not None and found.hint is not None:
            kind = annotated_type(context, found.hint) or ""
            if kind.startswith(_CLIENT_TYPES):
                return False
        value = unawaited(found.value) if found is not None else None
        if isinstance(value, ast.Call) and (context.resolve(value.func) or "").startswith(_CLIENT_TYPES):
            return False
    return _speaks_sql(context) or not _speaks_http(context)


def is_connection(node: ast.expr) -> bool:
    """True for `conn`, `cursor` and the like."""
    return not isinstance(node, ast.Call) and _CONNECTION_NAME.search(last_name(node)) is not None


def _speaks_sql(context: FileContext) -> bool:
    known = context.memo.get("speaks-sql")
    if known is None:
        known = any(
            name.startswith(("sqlalchemy", "sqlmodel", "flask_sqlalchemy"))
            or name.rpartition(".")[2] in ("AsyncSession", "SessionLocal", "SessionDep")
            for name in context.imports.values()
        )
        context.memo["speaks-sql"] = known
    return bool(known)


def _speaks_http(context: FileContext) -> bool:
    return any(name.startswith(_CLIENT_TYPES) for name in context.imports.values())


def speaks_django(context: FileContext) -> bool:
    """True where a file works with Django, or with another ORM whose rows save themselves."""
    known = context.memo.get("speaks-django")
    if known is None:
        roots = ("django", "rest_framework", "tortoise", "peewee", "beanie", "mongoengine", "ormar", "celery")
        known = any(
            name.partition(".")[0] in roots or ".models." in f".{name}." for name in context.imports.values()
        ) or any(word in context.source for word in (b".objects.", b"models.Model"))
        context.memo["speaks-django"] = known
    return bool(known)


def repository_of(node: ast.expr) -> str:
    """`self.job_repo` → "job": what a repository is about; "" where the expression is none."""
    name = last_name(node) if isinstance(node, ast.Name | ast.Attribute) else ""
    if not _REPOSITORY.search(name) or _OTHER_STORE.search(name):
        return ""
    return model_key(name) if model_key(name) else name


def fetch_of(call: ast.Call, context: FileContext) -> Fetch | None:
    """The row that a call reads by its key, None where it reads something else."""
    function = call.func
    name = last_name(function)
    if name in ("get_object_or_404", "aget_object_or_404") and call.args and is_class_name(call.args[0]):
        return _by_keywords(last_name(call.args[0]), call)
    if not isinstance(function, ast.Attribute):
        return None
    owner = function.value
    if name in ("get", "get_one") and len(call.args) >= 2 and is_class_name(call.args[0]):
        return Fetch(last_name(call.args[0]), call.args[1]) if is_session(owner, context) else None
    if name in ("scalar", "scalars", "execute", "exec") and call.args and is_session(owner, context):
        return _selected(call.args[0], context)
    if name in _ONE:
        found = _of_chain(chain_of(call), context)
        if found is not None:
            return found
    about = repository_of(owner)
    if about and _REPOSITORY_READS.fullmatch(name) and len(call.args) + len(call.keywords) >= 1:
        value = call.args[0] if call.args else call.keywords[0].value
        return Fetch(about, value)
    return None


def _by_keywords(model: str, call: ast.Call) -> Fetch | None:
    for word in call.keywords:
        if word.arg in _KEYS:
            return Fetch(model, word.value)
    return None


def _of_chain(chain: Chain, context: FileContext) -> Fetch | None:
    if chain.manager and chain.model:
        for method, call in chain.calls:
            if method in ("get", "aget", "filter") and (found := _by_keywords(chain.model, call)):
                return found
        return None
    if not chain.calls or chain.calls[0][0] != "query" or not is_session(chain.root, context):
        return None
    first = chain.calls[0][1]
    if len(first.args) != 1 or not is_class_name(first.args[0]):
        return None
    model = last_name(first.args[0])
    for method, call in chain.calls[1:]:
        if method == "get" and call.args:
            return Fetch(model, call.args[0])
        if method in ("filter", "filter_by", "where"):
            found = _by_keywords(model, call) or _compared(model, call.args)
            if found is not None:
                return found
    return None


def _compared(model: str, conditions: list[ast.expr]) -> Fetch | None:
    """`Model.id == key` among conditions."""
    for condition in conditions:
        if isinstance(condition, ast.Compare) and len(condition.ops) == 1 and isinstance(condition.ops[0], ast.Eq):
            sides = (condition.left, condition.comparators[0])
            for column, key in (sides, sides[::-1]):
                if isinstance(column, ast.Attribute) and column.attr in _KEYS and last_name(column.value) == model:
                    return Fetch(model, key)
    return None


def _selected(statement: ast.expr, context: FileContext) -> Fetch | None:
    """`select(Model).where(Model.id == key)`, also where a name stands for it."""
    if isinstance(statement, ast.Name):
        found = lookup(context, statement.id, statement.lineno)
        statement = found.value if found is not None and found.value is not None else statement
    if not isinstance(statement, ast.Call):
        return None
    calls = _calls_of(statement)
    select = calls[0]
    if last_name(select.func) != "select" or len(select.args) != 1 or not is_class_name(select.args[0]):
        return None
    model = last_name(select.args[0])
    for call in calls[1:]:
        if last_name(call.func) in ("where", "filter", "filter_by"):
            found_key = _by_keywords(model, call) or _compared(model, call.args)
            if found_key is not None:
                return found_key
    return None


def _calls_of(call: ast.Call) -> list[ast.Call]:
    """The calls of `f(…).g(…).h(…)`, the first one first."""
    found = [call]
    while isinstance(found[-1].func, ast.Attribute) and isinstance(found[-1].func.value, ast.Call):
        found.append(found[-1].func.value)
    return found[::-1]


def write_of(call: ast.Call, context: FileContext) -> Write | None:
    """What a call writes with a statement of its own; a session's `add` and `delete` only plan a write."""
    function = call.func
    if not isinstance(function, ast.Attribute):
        return None
    method = function.attr
    if method in ("execute", "scalar", "scalars", "exec") and call.args:
        return _executed(call, context)
    bare = method.removeprefix("a")
    if bare in ("create", "update", "delete", "get_or_create", "update_or_create") or method == "update":
        found = _of_manager(call, bare)
        if found is not None:
            return found
        chain = chain_of(call)
        if chain.calls and chain.calls[0][0] == "query" and is_session(chain.root, context) and method in _KINDS:
            about = chain.calls[0][1].args
            return Write(_KINDS[method], last_name(about[0]) if about else "", f"query(…).{method}()")
    about_repo = repository_of(function.value)
    if about_repo and method in ("create", "insert"):
        return Write("insert", about_repo, f"{last_name(function.value)}.{method}()")
    if about_repo and _REPOSITORY_WRITES.fullmatch(method) and not any(many in method for many in _MANY):
        kind: WriteKind = "delete" if method.startswith(("delete", "remove", "soft_delete")) else "update"
        return Write(kind, about_repo, f"{last_name(function.value)}.{method}()")
    return None


def _of_manager(call: ast.Call, method: str) -> Write | None:
    """`Model.objects.filter(…).update(…)`."""
    chain = chain_of(call)
    if chain.manager not in MANAGERS and not (chain.manager and chain.model):
        return None
    if chain.manager in MANAGERS and not chain.model:
        name = last_name(chain.root)
        if not name:
            return None
    model = chain.model or last_name(chain.root)
    kind: WriteKind = "insert" if method in ("create", "get_or_create", "update_or_create") else _KINDS[method]
    return Write(kind, model, f"{model}.{chain.manager}.{chain.calls[-1][0]}()")


def _executed(call: ast.Call, context: FileContext) -> Write | None:
    """`execute(update(Model)…)`, `execute(text("UPDATE …"))`, `cursor.execute("DELETE …")`."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    if not (is_session(owner, context) or is_connection(owner) or last_name(owner) in ("pool", "engine")):
        return None
    statement: ast.expr | None = call.args[0]
    if isinstance(statement, ast.Name):
        found = lookup(context, statement.id, statement.lineno)
        statement = found.value if found is not None else None
    if isinstance(statement, ast.Call):
        first = _calls_of(statement)[0]
        root = first.func.value if isinstance(first.func, ast.Attribute) else None
        name = last_name(first.func)
        if name in _KINDS:
            model = last_name(first.args[0]) if first.args else last_name(root) if root is not None else ""
            if len(call.args) > 1 and _holds_rows(call.args[1], context):
                return None  # one statement for many rows
            return Write(_KINDS[name], model, f"execute({name}(…))")
        if name == "text" and first.args:
            statement = first.args[0]
    text = _text(statement)
    match = _WRITES_SQL.match(text)
    if match is None:
        return None
    table = _TABLE.match(text)
    return Write(_KINDS[match[1].lower()], table[1] if table else "", f'execute("{match[1].upper()} …")')


def _holds_rows(node: ast.expr, context: FileContext) -> bool:
    """True for parameters that are a list of rows."""
    if isinstance(node, ast.Name):
        found = lookup(context, node.id, node.lineno)
        node = found.value if found is not None and found.value is not None else node
    return isinstance(node, ast.List | ast.ListComp)


def _text(node: ast.expr | None) -> str:
    """The beginning of a string, also of an f-string or a sum."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr) and node.values:
        return _text(node.values[0])
    if isinstance(node, ast.BinOp):
        return _text(node.left)
    return ""


_SESSION_EVENTS: dict[str, EventKind] = {
    "add": "add", "add_all": "add", "merge": "add", "delete": "add", "flush": "flush", "commit": "commit",
    "rollback": "rollback",
}  # fmt: skip


def nodes_of(function: FunctionNode, context: FileContext) -> list[ast.AST]:
    """Every node of a function's own body, in source order; read once a file and function."""
    known = context.memo.setdefault("function-nodes", {})
    assert isinstance(known, dict)
    if function not in known:
        known[function] = list(local_nodes(function))
    found: list[ast.AST] = known[function]
    return found


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
    for node in nodes_of(function, context):
        if node.__class__ is ast.Call:
            assert isinstance(node, ast.Call)
            event = _event(node, context)
            if event is not None:
                yield event
        elif isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                owner = target.value if isinstance(target, ast.Attribute) else None
                if isinstance(owner, ast.Name) and owner.id not in ("self", "cls"):
                    yield Event("set", node, node.lineno, owner.id)


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


def names_in(node: ast.AST) -> set[str]:
    """The names that an expression reads."""
    return {part.id for part in descendants(node) if isinstance(part, ast.Name)}


def session_text(call: ast.Call) -> str:
    """`self.session` of `self.session.commit()`; "" where it is not written so."""
    return (dotted(call.func.value) or "") if isinstance(call.func, ast.Attribute) else ""


def statement_of(function: FunctionNode, node: ast.AST) -> ast.AST:
    """The smallest statement of a function that holds a node."""
    best: ast.AST = function
    for part in local_nodes(function):
        if isinstance(part, ast.stmt) and any(one is node for one in descendants(part)):
            best = part
    return best
