"""What one call does with the database, as the audit reads it: the row that it reads, what it writes."""

import ast
import re
from typing import Literal

from skills.gates.analysis.bindings import lookup
from skills.gates.analysis.call_targets import class_of
from skills.gates.analysis.local_values import values_of
from skills.gates.analysis.loops import local_nodes
from skills.gates.analysis.queries import MANAGERS, Chain, chain_of
from skills.gates.analysis.sessions import is_connection, is_session, model_key, repository_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name, root_name
from skills.gates.engine.patterns import lazy
from skills.record import record

WriteKind = Literal["insert", "update", "delete"]

_KEYS = frozenset({"id", "pk", "uuid", "uid", "guid"})
_ONE = frozenset({"first", "one", "one_or_none", "scalar", "get", "aget", "afirst", "scalar_one", "scalar_one_or_none"})
_REPOSITORY_READS = lazy(r"(get|find|fetch|load)(_one)?(_(by_)?(id|pk|uuid))?$")
_REPOSITORY_WRITES = lazy(
    r"(update|delete|reset|save|mark|remove|set|increment|touch|archive|soft_delete|change|patch|modify)(_\w+)?$"
)
_WRITES_SQL = lazy(r"\s*(INSERT|UPDATE|DELETE)\b", re.I)
_TABLE = lazy(r"\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+[\"`]?(?:\w+\.)?(\w+)", re.I)
_TO_TABLE = lazy(r"\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+[\"`]?", re.I)
_READS_BY_NAME = lazy(r"(?:get|fetch|find|load|read)(?:_(\w+?))?(?:_by_(?:id|pk|uuid))?$")
_SERVICE = lazy(r"(\w+?)(?:Service|Manager|CRUD|Crud|Selector|Gateway)$")
_EXECUTES = frozenset({"execute", "scalar", "scalars", "exec", "fetch", "fetchval", "fetchrow", "fetch_one"})
"""Methods of sessions, connections and pools that send the statement they are given."""
_MANY = ("_many", "_all", "_bulk", "bulk_", "_batch", "batch_")
_KINDS: dict[str, WriteKind] = {"insert": "insert", "update": "update", "delete": "delete"}


@record
class Fetch:
    """One row that is read by its key. `model` is a class, or the name of a repository without its ending."""

    model: str
    key: ast.expr


@record
class Write:
    """One statement that is sent to the database: what it does, and to which model or table ("" unknown); `many` where
    it is given a list of rows."""

    kind: WriteKind
    model: str
    how: str
    many: bool = False


def is_class_name(node: ast.expr) -> bool:
    """True for `Order` and `models.Order`: what a query is about."""
    name = last_name(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""
    return name[:1].isupper() and not name.isupper()


def fetch_of(call: ast.Call, context: FileContext) -> Fetch | None:
    """The row that a call reads by its key, None where it reads something else."""
    function = call.func
    name = last_name(function)
    if name in ("get_object_or_404", "aget_object_or_404") and call.args and is_class_name(call.args[0]):
        return _by_keywords(last_name(call.args[0]), call)
    named = _READS_BY_NAME.match(name)
    if named is not None and (found := _by_helper(named[1] or "", call, context)):
        return found
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
    about = repository_of(owner, context) if _REPOSITORY_READS.fullmatch(name) else ""
    if about:
        given = [*call.args, *(word.value for word in call.keywords)]
        key = next((value for value in given if not is_session(value, context)), None)
        return Fetch(about, key) if key is not None else None
    return None


def _by_helper(about: str, call: ast.Call, context: FileContext) -> Fetch | None:
    """`get_order(session, order_id)`, `crud.get_order_by_id(session, order.id)`, `orders.get(order_id)` of an
    `OrderService`: what the function, or the class, is named after is what the key is named after."""
    given = [*call.args, *(word.value for word in call.keywords)]
    keys = [value for value in given if not is_session(value, context)]
    if len(keys) != 1:
        return None
    key = keys[0]
    owner = key.value if isinstance(key, ast.Attribute) and key.attr in _KEYS else None
    named, _, suffix = (key.id if isinstance(key, ast.Name) else "").rpartition("_")
    about_key = model_key(last_name(owner)) if owner is not None else model_key(named) if suffix in _KEYS else ""
    if not about_key:
        return None
    if len(given) == 1:  # no session says that this asks a database: the class may
        kind = class_of(call.func.value, context) if isinstance(call.func, ast.Attribute) else ""
        of_class = _SERVICE.fullmatch(kind)
        about = (about or of_class[1]) if of_class else ""
    return Fetch(about, key) if about and model_key(about) == about_key else None


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
            if method == "get" and chain.manager == "query" and len(call.args) == 1:  # `Order.query.get(key)`
                return Fetch(chain.model, call.args[0])
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
    if method in _EXECUTES and call.args:
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
    inserts = method in ("create", "insert")
    writes = inserts or (_REPOSITORY_WRITES.fullmatch(method) and not any(many in method for many in _MANY))
    about_repo = repository_of(function.value, context) if writes else ""
    if about_repo and inserts:
        return Write("insert", about_repo, f"{last_name(function.value)}.{method}()")
    if about_repo:
        kind: WriteKind = "delete" if method.startswith(("delete", "remove", "soft_delete")) else "update"
        return Write(kind, about_repo, f"{last_name(function.value)}.{method}()")
    return None


def _of_manager(call: ast.Call, method: str) -> Write | None:
    """`Model.objects.filter(…).update(…)`."""
    chain = chain_of(call)
    related = last_name(chain.root) if isinstance(chain.root, ast.Attribute) and not chain.manager else ""
    if related.endswith("_set") and not call.args and (call.keywords or len(chain.calls) > 1):  # a set takes no words
        return Write(_KINDS.get(method, "insert"), related.removesuffix("_set"), f"{related}.{chain.calls[-1][0]}()")
    asked = chain.calls[0][0] in ("all", "filter", "exclude")  # `order.lines.all().delete()`
    if related and asked and len(chain.calls) > 1 and method in ("update", "delete"):
        return Write(_KINDS[method], related, f"{related}.{chain.calls[0][0]}(…).{chain.calls[-1][0]}()")
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
    if not (is_session(owner, context) or is_connection(owner) or last_name(owner).endswith(("pool", "engine"))):
        return None
    statement: ast.expr | None = call.args[0]
    if isinstance(statement, ast.Name):
        found = lookup(context, statement.id, statement.lineno)
        statement = found.value if found is not None else None
    return _sent_by(statement, call, context)


def _sent_by(statement: ast.expr | None, call: ast.Call, context: FileContext) -> Write | None:
    """What a call writes that is given a statement: one of SQLAlchemy, or a text."""
    if isinstance(statement, ast.Call):
        first = _calls_of(statement)[0]
        root = first.func.value if isinstance(first.func, ast.Attribute) else None
        name = last_name(first.func)
        if isinstance(first.func, ast.Name):  # `insert as upsert`
            name = context.imports.get(name, name).rpartition(".")[2]
        if name in _KINDS:
            model = last_name(first.args[0]) if first.args else last_name(root) if root is not None else ""
            many = len(call.args) > 1 and _holds_rows(call.args[1], context)
            return Write(_KINDS[name], model, f"execute({name}(…))", many)
        if name == "text" and first.args:
            statement = first.args[0]
    text = _text(statement)
    match = _WRITES_SQL.match(text)
    if match is None:
        return None
    table = _TABLE.match(text)
    about = table[1] if table else _put_in(statement) if _TO_TABLE.fullmatch(text) else ""
    return Write(_KINDS[match[1].lower()], about, f'execute("{match[1].upper()} …")')


def _put_in(statement: ast.expr | None) -> str:
    """The name that an f-string puts in first, in braces: `{table}` of `f"DELETE FROM {table}"`; "" for none."""
    parts = statement.values if isinstance(statement, ast.JoinedStr) else []
    name = next((root_name(part.value) for part in parts if isinstance(part, ast.FormattedValue)), "")
    return f"{{{name}}}" if name else ""


def write_in_list(call: ast.Call, over: ast.expr, context: FileContext) -> Write | None:
    """What a call writes that sends each of the statements that one expression made: of a comprehension, or appended in
    a loop."""
    if last_name(call.func) not in _EXECUTES:
        return None
    for display in values_of(over.id, context) if isinstance(over, ast.Name) else [over]:
        if isinstance(display, (ast.ListComp, ast.GeneratorExp, ast.SetComp)):
            return _sent_by(display.elt, call, context)
    if not isinstance(over, ast.Name) or context.function is None:
        return None
    loops = [part for part in local_nodes(context.function) if isinstance(part, (ast.For, ast.AsyncFor))]
    for part in (part for loop in loops for part in local_nodes(loop)):
        if not isinstance(part, ast.Call) or not part.args or not isinstance(part.func, ast.Attribute):
            continue
        if part.func.attr == "append" and last_name(part.func.value) == over.id:
            return _sent_by(part.args[0], call, context)
    return None


def _holds_rows(node: ast.expr, context: FileContext) -> bool:
    """True for parameters that are a list of rows."""
    if isinstance(node, ast.Name):
        found = lookup(context, node.id, node.lineno)
        node = found.value if found is not None and found.value is not None else node
    return isinstance(node, (ast.List, ast.ListComp))


def _text(node: ast.expr | None) -> str:
    """The beginning of a string, also of an f-string or a sum."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr) and node.values:
        return _text(node.values[0])
    if isinstance(node, ast.BinOp):
        return _text(node.left)
    return ""
