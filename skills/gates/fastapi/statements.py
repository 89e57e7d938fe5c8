"""Statements that a call sends to the database: what of them writes."""

import ast
import re

from skills.gates.analysis.local_values import Values
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import keyword_of

_SENDS = frozenset({"execute", "exec", "scalar", "scalars", "stream", "executemany", "execute_many"})
_DML = frozenset({"insert", "update", "delete"})
_SQL = lazy(r"\s*(INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|TRUNCATE|MERGE\s+INTO|REPLACE\s+INTO)\b", re.I)


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
