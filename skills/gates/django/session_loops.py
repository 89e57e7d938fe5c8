"""Queries of a session, a connection or a cursor in a loop, for the rule query-in-loop."""

import ast
import re
from itertools import pairwise

from skills.gates.analysis.bindings import lookup
from skills.gates.analysis.queries import chain_of
from skills.gates.analysis.sessions import is_connection, is_session
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants

WORDS = (b"sqlalchemy", b"sqlmodel", b"cursor", b".query.", b"asyncpg")
"""One of these stands in a file that asks a session or a cursor."""
RUNS = (b"ecute(", b".scalar", b".exec(", b".get(", b".query", b".refresh(", b".fetch", b".stream")
"""How a query is run: one of these stands on the line."""
_OF_SESSIONS = frozenset({"execute", "scalar", "scalars", "exec", "stream", "stream_scalars"})
_OF_CONNECTIONS = frozenset({"execute", "fetch", "fetchrow", "fetchval", "fetch_one", "fetch_all", "fetch_val"})
_ENDS = frozenset({"all", "first", "one", "one_or_none", "scalar", "count", "get", "first_or_404", "get_or_404"})
_WRITES = frozenset({"insert", "update", "delete"})
_MANY = frozenset({"in_", "any_", "executemany", "insert_many", "bulk_insert_mappings", "values"})
_READS = lazy(r"\s*(SELECT|WITH)\b", re.I)
_MANY_SQL = lazy(r"\b(ANY\s*\(|IN\s+(:|%|\?|\())", re.I)


def asked_of_session(node: ast.Call, context: FileContext) -> tuple[str, list[ast.expr]] | None:
    """(what is asked, the expressions that say for which) of a call that reads by itself; None for what writes, what
    asks for many rows at once, and all else."""
    function = node.func
    if not isinstance(function, ast.Attribute):
        return None
    name, owner = function.attr, function.value
    given = [*node.args, *(word.value for word in node.keywords)]
    if name in ("get", "get_one", "refresh") and node.args:
        by_key = name != "refresh" and len(given) > 1 and last_name(node.args[0])[:1].isupper()
        if (by_key or name == "refresh") and is_session(owner, context):
            return f"`{last_name(node.args[0])}`", given
    if name in _OF_SESSIONS | _OF_CONNECTIONS and node.args:
        known = is_connection(owner) if name in _OF_CONNECTIONS else False
        return _run(node, given, context) if known or (name in _OF_SESSIONS and is_session(owner, context)) else None
    return _chained(node, context) if name in _ENDS and context.holds(b".query") else None


def asked_of_query(node: ast.Call, context: FileContext) -> str:
    """The model of `session.query(Post).filter(Post.topic == topic)`, which asks once somebody reads it; "" for what
    asks for many rows at once, and all else."""
    chain = chain_of(node)
    first = chain.calls[0] if chain.calls else None
    if first is None or first[0] != "query" or not first[1].args or not is_session(chain.root, context):
        return ""
    calls = {last_name(part.func) for part in descendants(node) if isinstance(part, ast.Call)}
    return "" if calls & _MANY else last_name(first[1].args[0])


def _run(node: ast.Call, given: list[ast.expr], context: FileContext) -> tuple[str, list[ast.expr]] | None:
    statement = node.args[0]
    if isinstance(statement, ast.Name):
        bound = lookup(context, statement.id, statement.lineno)
        if bound is not None and bound.value is not None:
            statement = bound.value
    calls = {last_name(part.func) for part in descendants(statement) if isinstance(part, ast.Call)}
    texts = [str(part.value) for part in descendants(statement) if isinstance(part, ast.Constant)]
    reads = "select" in calls or (bool(texts) and _READS.match(texts[0]) is not None)
    if not reads or _names_table(statement) or calls & (_WRITES | _MANY) or any(map(_MANY_SQL.search, texts)):
        return None
    return "the database", [*given, statement]


def _names_table(statement: ast.expr) -> bool:
    """True for `f"SELECT … FROM {table}"`: another table each turn."""
    parts = statement.values if isinstance(statement, ast.JoinedStr) else []
    return any(
        isinstance(after, ast.FormattedValue) and isinstance(text, ast.Constant)
        and str(text.value).rstrip(" \"`.").upper().endswith(("FROM", "JOIN", "TABLE"))
        for text, after in pairwise(parts)
    )  # fmt: skip


def _chained(node: ast.Call, context: FileContext) -> tuple[str, list[ast.expr]] | None:
    """`session.query(Post).filter(Post.id == key).one()`, `Post.query.get(key)`."""
    chain = chain_of(node)
    first = chain.calls[0] if chain.calls else None
    if chain.manager == "query" and chain.model:
        model = chain.model
    elif first is not None and first[0] == "query" and first[1].args and is_session(chain.root, context):
        model = last_name(first[1].args[0])
    else:
        return None
    given = [part for _, call in chain.calls for part in (*call.args, *(word.value for word in call.keywords))]
    calls = {last_name(part.func) for value in given for part in descendants(value) if isinstance(part, ast.Call)}
    return None if calls & _MANY or not model else (f"`{model}`", given)
