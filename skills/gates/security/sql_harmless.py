"""Calls and names behind which no text of SQL can hide: quoters, numbers, placeholders, what a compiler of SQL made,
the metadata of models."""

import ast
import re

from skills.gates.analysis.local_values import values_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants

# What quotes a name, or can hold nothing but a number.
QUOTERS = (
    "quote_name",
    "quote_ident",
    "quote_identifier",
    "quote",
    "quoted_name",
    "qualified_name",
    "quoted_ident",
    "quoted_identifier",
    "escape_identifier",
    "literal",
    "Identifier",
    "SQL",
)
NUMBERS = frozenset(
    {"int", "float", "len", "bool", "abs", "round", "sum", "ord", "id", "hash", "isoformat", "strftime", "timestamp",
     "now", "utcnow", "today", "uuid4",
     "uuid1", "uuid7", "time_ns", "getpid", "perf_counter"}
)  # fmt: skip
COMPILERS = frozenset(
    {"sql_with_params", "as_sql", "as_string", "mogrify", "compile", "process_lhs", "process_rhs", "get_from_clause",
     "quote_name_unless_alias", "get_attname", "get_attname_column"}
)  # fmt: skip
_METADATA = frozenset({"_meta", "__tablename__", "__table__"})
PLACES = lazy(r"placeholder|_marks$|^qmarks|^bind|(?:^|_)(?:quoted(?:_|$)|uuid$)", re.I)


def is_metadata(part: ast.expr) -> bool:
    """True for what the source says of a model: its table, its fields."""
    return any(isinstance(inner, ast.Attribute) and inner.attr in _METADATA for inner in descendants(part))


def is_of_metadata(part: ast.Attribute, context: FileContext) -> bool:
    """True for `meta.db_table` after `meta = Order._meta`."""
    root: ast.expr = part
    while isinstance(root, ast.Attribute):
        root = root.value
    bound = values_of(root.id, context) if isinstance(root, ast.Name) else []
    return bool(bound) and all(isinstance(value, ast.Attribute) and is_metadata(value) for value in bound)


def is_number(node: ast.expr) -> bool:
    """True for a number that is written out."""
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def makes_no_text(name: str) -> bool:
    """True for a function that gives back a number, SQL that was compiled, a quoted name or a placeholder."""
    known = name in NUMBERS or name in COMPILERS or name.endswith(QUOTERS) or name.startswith(("visit_", "_visit_"))
    return known or PLACES.search(name) is not None


def stands_for_quoter(function: ast.expr, context: FileContext) -> bool:
    """True for `qn` after `qn = connection.ops.quote_name`."""
    bound = values_of(function.id, context) if isinstance(function, ast.Name) else []
    return bool(bound) and all(isinstance(value, ast.Attribute) and value.attr.endswith(QUOTERS) for value in bound)
