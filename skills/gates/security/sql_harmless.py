"""Calls and names behind which no text of SQL can hide: quoters, numbers, placeholders, what a compiler of SQL made,
the metadata of models."""

import ast
import re

from skills.gates.analysis.local_values import values_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
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
     "now", "utcnow", "today", "uuid4", "uuid1", "uuid7", "UUID", "time_ns", "getpid", "getsize", "perf_counter",
     "Decimal", "timedelta", "relativedelta", "date", "datetime", "parse_date", "parse_datetime", "fromisoformat",
     "strptime", "fromtimestamp", "IP", "IPAddress", "IPNetwork", "IPv4Address", "IPv6Address", "ip_address",
     "ip_network", "ip_interface", "EUI"}
)  # fmt: skip
LAYOUT = frozenset({"strip", "lstrip", "rstrip", "lower", "upper", "dedent", "cleandoc", "encode", "decode"})
COMPILERS = frozenset(
    {"sql_with_params", "as_sql", "as_string", "mogrify", "compile", "process_lhs", "process_rhs", "get_from_clause",
     "quote_name_unless_alias", "get_attname", "get_attname_column", "sql", "to_sql"}
)  # fmt: skip
_METADATA = frozenset({"_meta", "__tablename__", "__table__"})
PLACES = lazy(r"placeholder|_marks$|^qmarks|^bind|(?:^|_)(?:(?:quoted|qualified)(?:_|$)|uuid$)", re.I)


def is_metadata(part: ast.expr, context: FileContext) -> bool:
    """True for what the source says of a model, its table, its fields, also after `meta = Order._meta`."""
    if _names_metadata(part):
        return True
    root = part
    while isinstance(root, ast.Attribute):
        root = root.value
    bound = values_of(root.id, context) if isinstance(root, ast.Name) and root is not part else []
    return bool(bound) and all(isinstance(value, ast.Attribute) and _names_metadata(value) for value in bound)


def _names_metadata(part: ast.expr) -> bool:
    return any(isinstance(inner, ast.Attribute) and inner.attr in _METADATA for inner in descendants(part))


def is_number(node: ast.expr) -> bool:
    """True for a number that is written out."""
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def answers_no_text(call: ast.Call, context: FileContext) -> bool:
    """True for a call that gives back a number, SQL that was compiled, a quoted name, a placeholder, or metadata; also
    for `qn(name)` after `qn = connection.ops.quote_name`."""
    function, name = call.func, last_name(call.func)
    if name in NUMBERS or name in COMPILERS or name.endswith(QUOTERS) or PLACES.search(name):
        return True
    if name.startswith(("visit_", "_visit_")) or is_metadata(function, context):
        return True
    bound = values_of(function.id, context) if isinstance(function, ast.Name) else []
    return bool(bound) and all(isinstance(value, ast.Attribute) and value.attr.endswith(QUOTERS) for value in bound)
