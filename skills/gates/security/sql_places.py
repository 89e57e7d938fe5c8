"""What may stand at its place in a statement though it is no constant: a whole statement that was made elsewhere, a
name in quotes, a name of the schema that the program chose, the name or the number of a parameter."""

import ast
import re

from skills.gates.analysis.file_calls import argument_of, calls_by_name, default_of, parameters_of
from skills.gates.analysis.local_values import values_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants
from skills.gates.security.outside_text import asks_request
from skills.gates.security.sql_harmless import LAYOUT

_OF_SCHEMA = lazy(
    r"(?:^|_)(?:tables?|tbl|columns?|cols?|fields?|index|schema|view|sequence|partition|database|constraint|collections?|keyspace|dataset|catalog|warehouse)(?:_?names?)?$"
    r"|^dbname$",
    re.I,
)
_STATEMENT = lazy(r"(?:^|_)(?:sql|query|stmt|statement|select|cte|union)(?:_(?:sql|text|str(?:ing)?))?$|^sql_", re.I)
# A statement stands in brackets, behind EXPLAIN, beside UNION; a name where the grammar knows nothing else.
_BEFORE_STATEMENT = lazy(
    r"(?:^|\(|\bexplain(?:\s+analy[sz]e|\s+verbose|\s*\([^)]*\))*|\b(?:union|except|intersect)(?:\s+all)?|\bas)\s*$",
    re.I,
)
_BEFORE_NAME = lazy(
    r"(?:\b(?:from|join|into|update|table|index|view|schema|database|column|constraint|only|using|exists|table_info"
    r"|truncate|analyze)[\s(]+|\.)[\"`\[]?$",
    re.I,
)
_IN_LIST = lazy(r"(?:\bselect\s+(?:distinct\s+)?|\binto\s+\S+\s*\(\s*|,\s*)$", re.I)
_BEFORE_ORDER = lazy(r"\b(?:order|group)\s+by\s[^()]*$", re.I)
_BEFORE_COUNT = lazy(r"\b(?:limit|offset|top|fetch\s+first)\s+$", re.I)
_COUNT = lazy(r"(?:^|_)(?:limit|offset|count|size|max|start|skip|n)(?:_|$)", re.I)
_BEFORE_VALUE = lazy(
    r"(?:[=<>~]|\b(?:i?like|in|between|limit|offset|interval))[\s(\"]*$|\bvalues\s*\([^)]*$|\b(?:and|or|where)\s*$",
    re.I,
)
_PART_OF_NAME = lazy(r"[a-z]\w*_$", re.I)
_NUMBER = lazy(r"[-+ 0#,_]*\d*[,_]?(?:\.\d+)?[bcdeEfFgGnoxX%]$")


def may_stand(part: ast.expr, before: str, context: FileContext) -> bool:
    """True for a part of which the text before it says that it is no value, and the code that no client chose it."""
    if before.count("'") % 2:
        return False
    if before.endswith(("$", "%(")) or (before.endswith(":") and not before.endswith("::")):
        return True  # the name or the number of a parameter: `:{name}`, `%({name})s`, `${number}`
    if is_unknown(part, context):
        return False
    if (
        _is_quoted_name(before, part)
        or (_BEFORE_STATEMENT.search(before) and _is_statement(part, context))
        or (_BEFORE_COUNT.search(before) and _COUNT.search(_said(part)))
        or (isinstance(part, ast.Attribute) and (_PART_OF_NAME.search(before) or _BEFORE_NAME.search(before)))
    ):
        return not shows_request(part, context)
    if _BEFORE_ORDER.search(before):
        return False  # visitors choose how they want to see it sorted
    if names_schema_thing(part) or _BEFORE_NAME.search(before) or _IN_LIST.search(before):
        return _is_chosen(part, context)
    return False


def is_frame(part: ast.expr, before: str, context: FileContext) -> bool:
    """True for a part that stands where no value can, and of which the code does not show that a client chose it."""
    if before.count("'") % 2 or _BEFORE_VALUE.search(before) or is_unknown(part, context):
        return False
    if _BEFORE_ORDER.search(before) and context.function is not None:
        told = parameters_of(context.function) - {"self", "cls"}
        if any(isinstance(inner, ast.Name) and inner.id in told for inner in descendants(part)):
            return False
    return not shows_request(part, context)


def is_unknown(part: ast.expr, context: FileContext) -> bool:
    """True for a name that the file neither binds nor imports."""
    return isinstance(part, ast.Name) and part.id not in context.imports and not values_of(part.id, context)


def _is_statement(part: ast.expr, context: FileContext) -> bool:
    """True for a whole statement of which this function does not show how it is put together."""
    bound = values_of(part.id, context) if isinstance(part, ast.Name) else []
    shown = any(isinstance(value, (ast.JoinedStr, ast.BinOp)) for value in bound)
    return not shown and _STATEMENT.search(_said(part)) is not None


def _is_quoted_name(before: str, part: ast.expr) -> bool:
    """True for the name of a thing of the schema in the quotes that SQL has for names."""
    if not before.endswith(('"', "`")) or before.count(before[-1]) % 2 == 0:
        return False
    return names_schema_thing(part) or _BEFORE_NAME.search(before) is not None


def is_number_by_format(part: ast.FormattedValue) -> bool:
    """True for `{size:d}` and `{share:.2f}`, which fail for a text."""
    spec = part.format_spec.values if isinstance(part.format_spec, ast.JoinedStr) else []
    last = spec[-1] if spec else None
    return isinstance(last, ast.Constant) and asks_for_number(str(last.value))


def asks_for_number(spec: str) -> bool:
    """True for the part of a format behind the colon that only numbers can have."""
    return _NUMBER.match(spec) is not None


def names_schema_thing(part: ast.expr) -> bool:
    """True for a part that by what it is called names a thing of the schema, for which no driver has a parameter."""
    return _OF_SCHEMA.search(_said(part)) is not None


def _said(part: ast.expr) -> str:
    """What a part is called: `target["table_name"]` is called after its key."""
    if isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Constant):
        return str(part.slice.value)
    while isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in LAYOUT:
        part = part.func.value
    return last_name(part)


def shows_request(part: ast.expr, context: FileContext) -> bool:
    """True where the function shows that a part, or what its name stands for, comes with a request."""
    written = [part]
    if isinstance(part, ast.Name):
        written += [value for value in values_of(part.id, context) if value is not None]
    return any(asks_request(inner) for value in written for inner in descendants(value) if isinstance(inner, ast.expr))


def _is_chosen(part: ast.expr, context: FileContext) -> bool:
    """True for a name that the program chose: of the schema, and held by an object or answered by a function; what
    a private function is told; what stands for the default that a parameter has."""
    if isinstance(part, ast.Call) and last_name(part.func) == "join" and len(part.args) == 1:
        return _is_chosen(part.args[0], context)
    if shows_request(part, context):
        return False
    if isinstance(part, (ast.Attribute, ast.Subscript)):
        return names_schema_thing(part)
    bound = values_of(part.id, context) if isinstance(part, ast.Name) else []
    if not isinstance(part, ast.Name) or not bound:
        return False
    if all(isinstance(value, (ast.Call, ast.Attribute, ast.Subscript, ast.JoinedStr)) for value in bound):
        return names_schema_thing(part)
    return bound == [None] and _is_told(part, context)


def _is_told(part: ast.Name, context: FileContext) -> bool:
    """True for a parameter that the calls of the file choose: of a public function with literals, of a private one
    with anything but what they are given themselves."""
    function = context.function
    if function is None or function.decorator_list:
        return False
    given = default_of(function, part.id)
    if given is not None:
        return (isinstance(given, ast.Constant) and bool(given.value)) or last_name(given).lstrip("_").isupper()
    calls = calls_by_name(context).get(function.name, (0, []))[1]
    gifts = [(scope, argument_of(call, function, part.id)) for scope, call in calls]
    if all(isinstance(gift, ast.Constant) for _, gift in gifts):
        return bool(gifts)
    private = function.name.startswith("_") and names_schema_thing(part)
    return private and all(
        gift is not None and (names_schema_thing(gift) or last_name(gift) not in parameters_of(scope))
        for scope, gift in gifts
    )
