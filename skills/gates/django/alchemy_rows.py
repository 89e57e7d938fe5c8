"""Rows of SQLAlchemy and SQLModel: what a query answers, what its options load, how mapped classes are related."""

import ast
from collections.abc import Iterable
from dataclasses import replace

from skills.gates.django.row_values import EVERYTHING, OWN, Result, Rows, Value
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.syntax import descendants

WORDS = (b"select(", b".query(", b".query.", b".get_or_404(")
"""One of these stands in a file that asks for such rows."""
_QUERIES = frozenset({"select", "query"})
_SAME = frozenset(
    {"where", "filter", "filter_by", "order_by", "limit", "offset", "distinct", "join", "outerjoin", "slice", "all",
     "execution_options", "with_for_update", "unique", "scalars", "yield_per", "populate_existing", "params",
     "fetchall", "having", "enable_eagerloads", "autoflush", "with_hint", "prefix_with", "fetchmany", "paginate"}
)  # fmt: skip
_ONE = frozenset({"one", "one_or_none", "scalar_one", "scalar_one_or_none", "first", "scalar", "get", "first_or_404",
                  "get_or_404", "one_or_404"})  # fmt: skip
_RUNS = frozenset({"scalars", "exec", "stream_scalars", "paginate"})
_BY_KEY = frozenset({"get", "get_one", "get_or_404"})
_LOADERS = frozenset({"joinedload", "selectinload", "subqueryload", "contains_eager", "immediateload", "raiseload",
                      "noload", "defaultload"})  # fmt: skip
_COLUMNS = frozenset({"load_only", "defer", "undefer", "undefer_group", "with_expression", "lazyload"})
_EAGER = frozenset({"joined", "selectin", "subquery", "immediate", "noload", "raise", "raise_on_sql", False})
_LISTS = frozenset({"list", "List", "set", "Set", "Sequence", "WriteOnlyMapped", "DynamicMapped", "Collection"})
_WRAPPERS = _LISTS | {"Mapped", "Optional", "Union", "None", "Annotated", "relationship", "Relationship"}
LAZY_ONE, LAZY_MANY, EAGER = "relationship", "relationships", "loaded-relationship"
BETWEEN = "relationships-between"
"""Many to many: the rows behind do not know the row that they were reached from."""


def query_of(context: FileContext, node: ast.Call, values: list[Value]) -> Value:
    """What `select(Post)`, `session.query(Post)`, `session.scalars(…)` or `session.get(Post, 1)` answers."""
    name = last_name(node.func)
    if name in _QUERIES or (name in _BY_KEY and len(node.args) > 1):
        rows, *more = [_rows_of(part, node.lineno, context) for part in node.args] or [None]
        if rows is None:
            return None
        return rows.one() if name in _BY_KEY else Result(rows, more=(*more,)) if more else rows
    first = values[0] if values else None
    if isinstance(first, Result) and first.more:
        return first if name in {"execute", "stream", "exec"} else None
    if not isinstance(first, Rows) or first.manager not in _QUERIES or first.steps:
        return None
    if name in _RUNS:
        return first
    return Result(first) if name in {"execute", "stream"} else first.one() if name == "scalar" else None


def _rows_of(node: ast.expr, line: int, context: FileContext) -> Rows | None:
    """The rows of a mapped class that a query names, None for columns and all else."""
    model = context.resolve(node) or ""
    known = model.rpartition(".")[2][:1].isupper() or (model.startswith(OWN) and model.endswith("model"))
    return Rows(model, "select", line=line) if known else None


def is_query(rows: Rows) -> bool:
    """True for rows that a query of SQLAlchemy's answers."""
    return rows.manager in _QUERIES and not rows.steps


def of_query(rows: Rows, node: ast.Call) -> Value:
    """What a method of a query, or of the rows that it answered, answers."""
    method = last_name(node.func)
    if method == "options":
        return rows.with_loaded(_options(node.args))
    if method in {"filter", "where", "filter_by"}:
        return rows.with_loaded(_empty(node))
    return rows if method in _SAME else rows.one() if method in _ONE else None


def _empty(node: ast.Call) -> frozenset[str]:
    """The relations whose keys are asked to be empty, `where(Post.author_id.is_(None))`: nothing is asked for them."""
    found = {word.arg or "" for word in node.keywords if getattr(word.value, "value", ...) is None}
    for part in node.args:
        match part:
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute(attr=name), attr="is_"), args=[ast.Constant(value=None)]
            ):
                found.add(name)
            case ast.Compare(left=ast.Attribute(attr=name), ops=[ast.Eq()], comparators=[ast.Constant(value=None)]):
                found.add(name)
    return frozenset(name.removesuffix("_id") for name in found)


def of_result(result: Result, node: ast.Call) -> Value:
    """`result.scalars()`: an executed query answers tuples until then."""
    method = last_name(node.func)
    if result.more and method in _SAME - {"scalars"}:
        return result
    if method == "scalars":
        return None if node.args else result.rows
    if method in {"scalar_one", "scalar_one_or_none", "scalar"}:
        return result.rows.one()
    return result if method in {"unique", "all", "fetchall"} else None


def taken(result: Result, target: ast.expr, line: int) -> list[tuple[ast.expr, Value]]:
    """What a loop over an executed query binds: the row in `for (order,) in …`, the tuple in `for row in …`, the rows
    in `for order, buyer in …`."""
    parts = (result.rows, *result.more)
    if isinstance(target, (ast.Tuple, ast.List)) and len(target.elts) == len(parts):
        return [
            (part, rows.one(line) if rows is not None else None) for part, rows in zip(target.elts, parts, strict=True)
        ]
    return [(target, replace(result, loop=line))]


def _options(options: Iterable[ast.expr]) -> frozenset[str]:
    """The relations that loader options load, written as lookups of Django's; everything where they cannot be read."""
    found: set[str] = set()
    for option in options:
        calls: list[ast.Call] = []
        while isinstance(option, ast.Call):
            calls.append(option)
            option = option.func.value if isinstance(option.func, ast.Attribute) else ast.Constant(None)
        path: list[str] = []
        for call in reversed(calls):
            name = last_name(call.func)
            if name == "options":
                found |= {"__".join([*path, inner]) for inner in _options(call.args)}
            elif name in _LOADERS:
                path += [_relation(part) for part in call.args] or [EVERYTHING]
                found.add("__".join(path))
            elif name not in _COLUMNS:
                return frozenset({EVERYTHING})
        if not calls:
            return frozenset({EVERYTHING})
    return frozenset(found)


def _relation(node: ast.expr) -> str:
    """`Post.author`, `Post.author.of_type(Editor)`, `"author"`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return str(node.value) if isinstance(node, ast.Constant) else EVERYTHING


def mapped_relation(statement: ast.Assign | ast.AnnAssign, call: ast.Call) -> str:
    """ "kind target other-side" of `author: Mapped[Author] = relationship(back_populates="posts")`, "" for others."""
    if last_name(call.func) not in {"relationship", "Relationship"}:
        return ""
    given = {word.arg: word.value for word in call.keywords}
    more = given.get("sa_relationship_kwargs")
    if isinstance(more, ast.Dict):
        given |= {str(key.value): value for key, value in zip(more.keys, more.values, strict=True)
                  if isinstance(key, ast.Constant)}  # fmt: skip
    hint = statement.annotation if isinstance(statement, ast.AnnAssign) else None
    words = _words(hint) if hint is not None else []
    to = given.get("argument", call.args[0] if call.args else None)
    target = next((word for word in [*(_words(to) if to is not None else []), *words] if word not in _WRAPPERS), "")
    lazy, other = given.get("lazy"), given.get("back_populates", given.get("backref"))
    if isinstance(other, ast.Call) and other.args and not any(word.arg == "lazy" and _is_eager(word.value)
                                                              for word in other.keywords):  # fmt: skip
        other = other.args[0]  # `backref("posts")`
    kind = (
        EAGER
        if lazy is not None and _is_eager(lazy)
        else BETWEEN
        if "secondary" in given
        else LAZY_MANY
        if _LISTS & set(words)
        else LAZY_ONE
    )
    side = str(other.value) if isinstance(other, ast.Constant) else ""
    return f"{kind} {target} {side}".strip() if target else ""


def _is_eager(lazy: ast.expr) -> bool:
    return isinstance(lazy, ast.Constant) and lazy.value in _EAGER


def _words(hint: ast.expr) -> list[str]:
    """The names in an annotation or in what `relationship(…)` is given, quoted or not."""
    words: list[str] = []
    for part in descendants(hint):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            words += "".join(
                letter if letter.isidentifier() or letter.isdigit() else " " for letter in part.value
            ).split()
        elif isinstance(part, ast.Name):
            words.append(part.id)
        elif isinstance(part, ast.Attribute):
            words.append(part.attr)
    return words


def is_mapped(node: ast.ClassDef) -> bool:
    """True for a class that SQLAlchemy or SQLModel maps to a table."""
    table = any(word.arg == "table" for word in node.keywords)
    return table or any(
        isinstance(part, (ast.Assign, ast.AnnAssign))
        and (
            last_name(part.targets[0] if isinstance(part, ast.Assign) else part.target) == "__tablename__"
            or (isinstance(part.value, ast.Call) and last_name(part.value.func) in _DECLARES)
        )
        for part in node.body
    )


_DECLARES = frozenset({"relationship", "Relationship", "Column", "mapped_column"})
