"""Looks for one row through a session of SQLAlchemy's or SQLModel's: by which class, and by which columns."""

import ast

from skills.gates.engine.names import last_name
from skills.gates.engine.syntax import descendants

LOOKS = frozenset({"first", "one_or_none", "scalar_one_or_none", "scalar", "count"})
_RUNS = frozenset({"execute", "exec", "scalars"})
_NARROWS = frozenset({"filter", "where"})
_LOCKS = frozenset({"with_for_update", "on_conflict_do_nothing", "on_conflict_do_update"})


def asked(node: ast.expr | None) -> tuple[str, frozenset[str]] | None:
    """("User", {"email"}) of `session.query(User).filter_by(email=email).first()`, of
    `session.scalar(select(User).where(User.email == email))` and their kin; None for what looks for no row."""
    if isinstance(node, ast.Await):
        node = node.value
    if not isinstance(node, ast.Call) or last_name(node.func) not in LOOKS:
        return None
    return _query(node)


def executed(node: ast.expr) -> tuple[str, frozenset[str]] | None:
    """The same of `await session.execute(select(User).where(…))`, which is asked for its row later."""
    if isinstance(node, ast.Await):
        node = node.value
    return _query(node) if isinstance(node, ast.Call) and last_name(node.func) in _RUNS else None


def _query(node: ast.Call) -> tuple[str, frozenset[str]] | None:
    model, columns = "", set[str]()
    for call in descendants(node):
        if not isinstance(call, ast.Call):
            continue
        name = last_name(call.func)
        if name in _LOCKS:
            return None
        if name in {"query", "select"}:
            if model or len(call.args) != 1:
                return None
            root = call.args[0].value if isinstance(call.args[0], ast.Attribute) else call.args[0]
            model = root.id if isinstance(root, ast.Name) and root.id[:1].isupper() else ""
            if not model:
                return None
        elif name == "filter_by":
            columns |= {word.arg for word in call.keywords if word.arg}
        elif name in _NARROWS:
            columns |= {column for part in call.args for column in _compared(part)}
    return (model, frozenset(columns)) if model and columns else None


def _compared(test: ast.expr) -> list[str]:
    """The columns that a condition wants to be equal to something: `User.email == email`."""
    return [
        part.left.attr
        for part in descendants(test)
        if isinstance(part, ast.Compare) and isinstance(part.ops[0], ast.Eq) and isinstance(part.left, ast.Attribute)
    ]
