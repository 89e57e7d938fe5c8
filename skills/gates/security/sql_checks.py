"""Names that were checked before they became SQL, compared with a fixed list or asked whether they are a word; and
those that no client decides: numbers, names of the schema, of a command's options, of what leaves its values out."""

import ast
import re
from collections.abc import Callable
from itertools import pairwise

from skills.gates.analysis.local_values import own_nodes, values_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants

_ONLY_WORDS = lazy(r"\b(?:pattern|regex)='\^(?:[\w|()+*?{},-]|\[[\w-]+\]|\\\\[wd])*\$'")
_VALUES = lazy(r"(?:^|_)(?:param(?:eter)?s?|args|values|bind(?:ing)?s?|vars)$", re.I)
_SCHEMA = lazy(r"(?:^|_)(?:table|column|col|index|constraint|sequence)$", re.I)
_TABLE = lazy(r"(?:^|_)(?:table|schema|column|index)(?:_?names?)?$", re.I)
# Text of a statement that somebody put together elsewhere, and the layer that speaks to the database.
_FRAGMENT = lazy(
    r"[a-z]_(?:sql|clauses?|expr(?:ession)?s?|hint|cte|predicates?|selects?|statement)$"
    r"|^sql_(?:filter|where|cond|expr|part)\w*$|^(?:where|order|group|having|join|limit)_?(?:by)?_?(?:str(?:ing)?|text|part)$"
    r"|^(?:base|inner|sub|outer)_?query$|_(?:query|select)_part$",
    re.I,
)
_OF_TEXT = frozenset(
    {"join", "format", "format_map", "replace", "strip", "lower", "upper", "get", "pop", "split", "sub"}
)
_PART = lazy(r"(?:^|_)(?:sql|clauses?|where|conditions?|predicates?|expr(?:ession)?s?|selects?|joins?)$", re.I)
_LAYER = lazy(
    r"(?:Conn(?:ection)?|Client|Store|Storage|Backend|Dialect|Driver|Adapter|Engine|Compiler|Editor|Builder|Database"
    r"|Operations|Introspection)(?:Base)?$"
)
_SETUP = lazy(
    r"(?:^|_)(?:table|schema|column|index|dataset|project|database|catalog|keyspace)s?(?:_?(?:name|id))?s?$", re.I
)
_TYPED_DICT = lazy(r"[a-z]Dict$")
_OPEN_DICTS = frozenset({"QueryDict", "MultiDict", "OrderedDict", "DefaultDict", "FormDict", "ImmutableMultiDict"})
_KIND = lazy(r"(?:Type|Enum|Status|Kind|Order|Direction|Interval|Unit|Mode|Level|Period|Granularity)$")
_VALID = lazy(r"(?:^|_)(?:valid|allowed|permitted|safe|supported|whitelisted)(?:_|$)", re.I)
_IS_WORD = frozenset({"isidentifier", "isalnum", "isalpha", "isdigit", "isdecimal", "isnumeric"})
_NUMBER_TYPES = frozenset({"int", "float", "bool", "Decimal", "UUID", "date", "datetime", "time", "timedelta", "None"})


def is_checked(node: ast.Name, context: FileContext, is_fixed: Callable[[ast.expr], bool]) -> bool:
    """True where the function cannot come to a name unless the name passed a test. `is_fixed` tells the lists that
    only hold literals."""
    function = context.function
    if function is None:
        return False
    for part in own_nodes(function, context):
        if isinstance(part, ast.Assert):
            if part.lineno < node.lineno and allows(part.test, node.id, is_fixed):
                return True
        elif isinstance(part, ast.If) and part.lineno < node.lineno:
            inside = part.body[0].lineno <= node.lineno <= (part.body[-1].end_lineno or 0)
            if inside and allows(part.test, node.id, is_fixed):
                return True
            away = _leaves(part.body[-1]) or _falls_back(part.body[-1], node.id)
            if not inside and away and _refuses(part.test, node.id, is_fixed):
                return True
    return False


def is_measured(name: str, context: FileContext) -> bool:
    """True for a name that the function compares with a number by size, which no text can be: `if timeout > 0`."""
    return context.function is not None and any(
        isinstance(part, ast.Compare)
        and isinstance(part.left, ast.Name)
        and part.left.id == name
        and isinstance(part.ops[0], (ast.Lt, ast.LtE, ast.Gt, ast.GtE))
        and isinstance(part.comparators[0], ast.Constant)
        and isinstance(part.comparators[0].value, int | float)
        for part in own_nodes(context.function, context)
    )


def _leaves(statement: ast.stmt) -> bool:
    return isinstance(statement, (ast.Raise, ast.Return, ast.Continue, ast.Break))


def _falls_back(statement: ast.stmt, name: str) -> bool:
    """True for `column = "name"`: what the test refused is replaced."""
    return (
        isinstance(statement, ast.Assign)
        and isinstance(statement.value, ast.Constant)
        and any(isinstance(target, ast.Name) and target.id == name for target in statement.targets)
    )


def allows(test: ast.expr, name: str, is_fixed: Callable[[ast.expr], bool]) -> bool:
    """`name in ALLOWED`, `name == "x"`, `name.isidentifier()`, and more besides with `and`."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(allows(part, name, is_fixed) for part in test.values)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _refuses(test.operand, name, is_fixed)
    return _compares(test, name, (ast.In, ast.Eq), is_fixed) or _asks_for_word(test, name)


def _refuses(test: ast.expr, name: str, is_fixed: Callable[[ast.expr], bool]) -> bool:
    """`name not in ALLOWED`, `not name.isidentifier()`, and others besides with `or`."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(_refuses(part, name, is_fixed) for part in test.values)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return allows(test.operand, name, is_fixed)
    return _compares(test, name, (ast.NotIn, ast.NotEq), is_fixed)


def _compares(
    test: ast.expr, name: str, operators: tuple[type[ast.cmpop], ...], is_fixed: Callable[[ast.expr], bool]
) -> bool:
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], operators):
        return False
    if not isinstance(test.left, ast.Name) or test.left.id != name:
        return False
    other = test.comparators[0]
    return isinstance(other, ast.Constant) if isinstance(test.ops[0], (ast.Eq, ast.NotEq)) else is_fixed(other)


def _asks_for_word(test: ast.expr, name: str) -> bool:
    """`name.isidentifier()`, and `is_valid_cidr(name)` by a check of the project's own."""
    if not isinstance(test, ast.Call):
        return False
    if isinstance(test.func, ast.Attribute) and test.func.attr in _IS_WORD:
        return isinstance(test.func.value, ast.Name) and test.func.value.id == name
    asked = bool(test.args) and isinstance(test.args[0], ast.Name) and test.args[0].id == name
    return asked and _VALID.search(last_name(test.func)) is not None


def comes_from_operator(holder: ast.expr, context: FileContext) -> bool:
    """True for the options of a command: `options["table"]` of Django's, `args.table` of argparse."""
    if last_name(holder) == "settings_dict":
        return True
    if not isinstance(holder, ast.Name):
        return False
    if holder.id == "options" and "/management/commands/" in context.path:
        return True
    bound = values_of(holder.id, context)
    return len(bound) == 1 and isinstance(bound[0], ast.Call) and last_name(bound[0].func) == "parse_args"


def is_fragment(name: str) -> bool:
    """True for a name of a part of a statement: `where_clause`, `score_expr`."""
    return _FRAGMENT.search(name) is not None


def is_made_elsewhere(node: ast.Call, name: str, context: FileContext) -> bool:
    """True for `predicate = translate(rule)` and `table = table_of(model)`: a part of a statement, by a function that
    does not lie in this file."""
    function = node.func
    if _PART.search(name) is None and _SETUP.search(name) is None:
        return False
    if isinstance(function, ast.Attribute):
        owner = last_name(function.value)
        return function.attr not in _OF_TEXT and bool(owner) and owner not in {"self", "cls", "request"}
    return last_name(function) in context.imports


def doubles_quotes(node: ast.expr | None) -> bool:
    """True for `name.replace("'", "''")`, the quoting that standard SQL has for a text, and `str.replace(name, …)`."""
    called = isinstance(node, ast.Call) and last_name(node.func) == "replace"
    return called and [part.value for part in node.args[-2:] if isinstance(part, ast.Constant)] == ["'", "''"]  # type: ignore[union-attr]


def quotes_by_hand(node: ast.expr | None) -> bool:
    """True for `f"'{name}'"` and `"'" + name + "'"`, also inside of a join: a quote in the name ends the text."""
    for part in descendants(node) if node is not None else ():
        texts = part.values if isinstance(part, ast.JoinedStr) else []
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Add):
            texts = [part.left, part.right]
        for text, after in pairwise(texts):
            quoted = isinstance(text, ast.Constant) and isinstance(text.value, str) and text.value.endswith("'")
            if quoted and not isinstance(after, ast.Constant):
                return True
    return False


def _leaves_words(node: ast.Call, context: FileContext) -> bool:
    """True for `re.sub(r"[^a-z_]", "", name)`: nothing but a word is left."""
    pattern = node.args[0] if len(node.args) > 1 and context.resolve(node.func) == "re.sub" else None
    text = pattern.value if isinstance(pattern, ast.Constant) else None
    kept = isinstance(node.args[1], ast.Constant) if pattern is not None else False
    return kept and isinstance(text, str) and re.fullmatch(r"\[\^[\w\\-]+\]\+?", text) is not None


def is_own_schema(node: ast.expr, context: FileContext) -> bool:
    """True for `self.table`, with which an object was made, and for what a class that is the layer above a database
    is given as the name of a table."""
    if isinstance(node, ast.Attribute):
        return last_name(node.value) in {"self", "cls"} and _SETUP.search(node.attr) is not None
    owner = context.class_scope
    return (
        owner is not None
        and isinstance(node, ast.Name)
        and _SETUP.search(node.id) is not None
        and any(map(_LAYER.search, (owner.name, *map(last_name, owner.bases))))
    )


def _is_kind(node: ast.Attribute, context: FileContext) -> bool:
    """True for the value of a member of an enumeration: `interval.value`, `self.value` in the enumeration itself."""
    owner = context.class_scope
    if node.attr == "value" and isinstance(node.value, ast.Name):
        if node.value.id != "self":
            return True
        return owner is not None and any(last_name(base).endswith(("Enum", "Choices")) for base in owner.bases)
    return node.attr == "key" and last_name(node.value) in {"timezone", "tz", "zone", "tzinfo"}


def dumps_model(node: ast.Call, context: FileContext) -> bool:
    """True for `data.dict()` and `data.model_dump()` of a parameter that says which model it is: its keys are the
    fields that the model's source names."""
    function = node.func
    if (
        not isinstance(function, ast.Attribute)
        or function.attr not in {"dict", "model_dump", "to_dict", "asdict"}
        or context.function is None
    ):
        return False
    arguments = context.function.args
    return any(
        argument.arg == last_name(function.value)
        and last_name(argument.annotation)[:1].isupper()
        and last_name(argument.annotation) not in {"Any", "Dict", "Mapping", "Request", "HttpRequest", "QueryDict"}
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        if argument.annotation is not None and isinstance(function.value, ast.Name)
    )


def has_fixed_keys(name: str, context: FileContext) -> bool:
    """True for a parameter whose type is a dict that names its keys: `step: StepDict`."""
    function = context.function
    arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs) if function else ()
    hints = [last_name(one.annotation) for one in arguments if one.arg == name and one.annotation is not None]
    return any(_TYPED_DICT.search(hint) is not None and hint not in _OPEN_DICTS for hint in hints)


def has_parameters(target: ast.Tuple | ast.List) -> bool:
    """True for `where, params = build(filters)`: what makes both leaves the values out of the text."""
    return any(isinstance(part, ast.Name) and _VALUES.search(part.id) for part in target.elts)


def is_decided(node: ast.Attribute, context: FileContext) -> bool:
    """True for an attribute that no client decides: of the schema, of the dialect, a key, a kind, the options of who
    runs the program; and for a part of a statement that was put together, and judged, elsewhere."""
    if last_name(node.value).endswith("settings") or comes_from_operator(node.value, context):
        return True
    if _is_part_of_schema(node) or _is_of_dialect(node) or _is_key_of_user(node):
        return True
    return (
        is_own_schema(node, context)
        or _is_kind(node, context)
        or is_fragment(node.attr)
        or is_fragment(last_name(node.value))
    )


def leaves_values_out(node: ast.Call, context: FileContext) -> bool:
    """True for a call after which nothing of a value is left but a word or a quoted text, for one that asks for a
    name, and for `self.where(asked, params)`: what is given the list of the parameters puts the values there."""
    told = any(isinstance(part, ast.Name) and _VALUES.search(part.id) for part in node.args[1:])
    return told or _leaves_words(node, context) or doubles_quotes(node) or _asks_for_name(node)


def _is_part_of_schema(node: ast.Attribute) -> bool:
    """True for the `name` of a `column` and the `column` of a `field`: they come from where the models are."""
    owner = last_name(node.value)
    if node.attr in {"column", "db_column", "attname"}:
        return owner.endswith("field")
    return node.attr in {"name", "key", "fullname"} and _SCHEMA.search(owner) is not None


def _is_key_of_user(node: ast.Attribute) -> bool:
    """True for `request.user.id` and `self.pk`: the key of a row that is there."""
    return node.attr == "pk" or (node.attr == "id" and last_name(node.value) in {"user", "self", "instance"})


def _is_of_dialect(node: ast.Attribute) -> bool:
    """True for `db.timestamp_now`: how the database at hand writes it."""
    return isinstance(node.value, ast.Name) and node.value.id in {"db", "database", "dialect", "engine", "compiler"}


def names_schema(node: ast.Call) -> bool:
    """True for a method that says what a table is called: `self._get_table_name("orders")`, `self.table()`."""
    return isinstance(node.func, ast.Attribute) and _TABLE.search(node.func.attr) is not None


def _asks_for_name(node: ast.Call) -> bool:
    """True for `getattr(column, "name", None)`."""
    asked = node.args[1] if last_name(node.func) == "getattr" and len(node.args) > 1 else None
    return isinstance(asked, ast.Constant) and asked.value in {"name", "key", "fullname", "schema"}


def is_limited(argument: ast.arg, arguments: ast.arguments) -> bool:
    """True for a parameter that says that it is a number or one of a few, or that a pattern lets nothing but words
    into: `Query(pattern="^(name|age)$")`."""
    positional = [*arguments.posonlyargs, *arguments.args]
    given = dict(zip(reversed(positional), reversed(arguments.defaults), strict=False))
    given.update((one, value) for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value)
    told = [part for part in (argument.annotation, given.get(argument)) if isinstance(part, (ast.Subscript, ast.Call))]
    return is_numeric(argument.annotation) or any(_ONLY_WORDS.search(ast.unparse(part)) for part in told)


def is_numeric(annotation: ast.expr | None) -> bool:
    """True for a parameter that says that it is a number, a date, a UUID, one of a few literals, or of an
    enumeration."""
    if annotation is None:
        return False
    if isinstance(annotation, ast.BinOp):
        return is_numeric(annotation.left) and is_numeric(annotation.right)
    if isinstance(annotation, ast.Subscript):
        outer = last_name(annotation.value)
        return outer == "Literal" or (outer == "Optional" and is_numeric(annotation.slice))
    if isinstance(annotation, ast.Constant):
        return annotation.value is None or str(annotation.value) in _NUMBER_TYPES
    named = last_name(annotation)
    return named in _NUMBER_TYPES or _KIND.search(named) is not None
