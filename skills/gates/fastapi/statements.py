"""What an endpoint writes: statements and documents that a call sends, rows that it changes and commits."""

import ast
import re

from skills.gates.analysis.local_values import Values
from skills.gates.engine.context import FunctionNode
from skills.gates.engine.names import dotted, last_name, shortened
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants, keyword_of, statements

_SENDS = frozenset({"execute", "exec", "scalar", "scalars", "stream", "executemany", "execute_many"})
_DML = frozenset({"insert", "update", "delete"})
_SQL = lazy(r"\s*(INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|TRUNCATE|MERGE\s+INTO|REPLACE\s+INTO)\b", re.I)


_COLLECTION_WRITES = frozenset(
    {"insert_one", "insert_many", "update_one", "update_many", "replace_one", "delete_one", "delete_many",
     "bulk_write", "find_one_and_update", "find_one_and_replace", "find_one_and_delete"}
)  # fmt: skip
_COLLECTIONS = lazy(r"(?:^|[._])(?:db|database|mongo\w*|client|coll|collections?)(?:[.\[]|$)", re.I)


def writing_document(call: ast.Call) -> str:
    """The method by which a call writes to a collection of documents, `db.orders.insert_one(…)`; "" for others: a
    class of the project may have methods of these names."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in _COLLECTION_WRITES:
        return ""
    return call.func.attr if _COLLECTIONS.search(ast.unparse(call.func.value)) else ""


def writing_statement(call: ast.Call, values: Values) -> str:
    """What a call like `db.execute(update(Order))` writes with, in words: "update(…)", "UPDATE", "orders.insert(…)";
    "" where it reads, or nothing says what it sends."""
    if last_name(call.func) not in _SENDS or not isinstance(call.func, ast.Attribute):
        return ""
    asked = call.args[0] if call.args else keyword_of(call, "query")
    made = values.get(asked.id, [None])[-1] if isinstance(asked, ast.Name) else asked
    return _of_text(made) or _of_call(made) if made is not None else ""


def _of_text(node: ast.expr) -> str:
    """The first word of SQL in a string, an f-string, and `text(…)` around one."""
    if isinstance(node, ast.Call) and last_name(node.func) in {"text", "SQL"} and node.args:
        node = node.args[0]
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    said = node.value if isinstance(node, ast.Constant) else None
    found = _SQL.match(said) if isinstance(said, str) else None
    return found[1].split()[0].upper() if found is not None else ""


def _of_call(node: ast.expr) -> str:
    """The call that a chain begins with: `update(Shop).where(…)` → "update(…)"; a table's own too."""
    while isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name):
            return f"{node.func.id}(…)" if node.func.id in _DML else ""
        if not isinstance(node.func, ast.Attribute):
            return ""
        owner = node.func.value
        if isinstance(owner, ast.Name):
            table = node.func.attr in _DML and owner.id.islower()
            return f"{owner.id}.{node.func.attr}(…)" if table else ""
        node = owner
    return ""


def changed_row(node: FunctionNode, sessions: frozenset[str], values: Values) -> tuple[ast.stmt, str] | None:
    """`order.paid_at = now` of a row that a session gave, where the endpoint commits it too."""
    commits = any(
        isinstance(part, ast.Call)
        and last_name(part.func) in {"commit", "flush"}
        and isinstance(part.func, ast.Attribute)
        and dotted(part.func.value) in sessions
        for part in descendants(node)
    )
    for part in statements(node) if commits else ():
        changed = part.value if isinstance(part, ast.Expr) else None
        given = _set_by_call(changed) if isinstance(changed, ast.Call) else None
        made = values.get(given.id, [None])[-1] if given is not None else None
        if made is not None and from_session(made, sessions):
            return part, f"`{shortened(part, 40)}` and a commit write"
        target = part.targets[0] if isinstance(part, ast.Assign) else getattr(part, "target", None)
        if isinstance(part, (ast.Assign, ast.AugAssign)) and isinstance(target, ast.Attribute):
            row = target.value
            made = values.get(row.id, [None])[-1] if isinstance(row, ast.Name) else None
            if made is not None and from_session(made, sessions):
                return part, f"`{ast.unparse(target)} = …` and a commit write"
    return None


def _set_by_call(call: ast.Call) -> ast.Name | None:
    """The row of `setattr(row, name, value)` and of SQLModel's `row.sqlmodel_update(values)`."""
    named = isinstance(call.func, ast.Name) and call.func.id == "setattr" and call.args
    row = call.args[0] if named else call.func.value if isinstance(call.func, ast.Attribute) else None
    return row if isinstance(row, ast.Name) and (named or last_name(call.func) == "sqlmodel_update") else None


def from_session(made: ast.expr, sessions: frozenset[str]) -> bool:
    """True for what a session answered: `await db.get(Order, 1)`, `db.query(Order).first()`."""
    while isinstance(made, (ast.Attribute, ast.Call, ast.Await)):
        made = made.func if isinstance(made, ast.Call) else made.value
    return isinstance(made, ast.Name) and made.id in sessions
