"""What a setting is where the environment says nothing: the defaults of `os.environ.get`, decouple and environ."""

import ast

from skills.gates.analysis.local_values import values_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.syntax import string_of

_READERS = frozenset(
    {"get", "getenv", "config", "env", "bool", "str", "list", "get_env", "get_bool", "env_bool", "Csv",
     "get_bool_from_env", "getboolean", "environ", "get_string", "get_str",
     "env_str", "get_env_var", "get_env_variable", "as_bool", "strtobool", "bool_from_env"}
)  # fmt: skip
_TRUE_WORDS = frozenset({"true", "1", "yes", "on", "y", "t"})
_TRUTH = frozenset({"strtobool", "str2bool", "str_to_bool", "to_bool", "parse_bool", "string_to_bool"})


def default_of(value: ast.expr) -> ast.expr:
    """What a setting is where the environment says nothing: the default of `os.environ.get(…, X)`, else the value."""
    if isinstance(value, ast.Compare):
        return _default_of_comparison(value)
    if isinstance(value, ast.BoolOp) and isinstance(value.op, ast.Or) and _reads_environment(value.values[0]):
        return default_of(value.values[-1])
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not):
        inner = _value_of(value.operand)
        return value if inner is None else ast.copy_location(ast.Constant(not inner.value), value)
    if not isinstance(value, ast.Call):
        return value
    name = last_name(value.func)
    if name == "split" and isinstance(value.func, ast.Attribute):
        inner_text = default_of(value.func.value)
        if inner_text is value.func.value or not _is_text(inner_text):
            return value
        parts: list[ast.expr] = [ast.Constant(part) for part in str(inner_text.value).split(",")]  # type: ignore[attr-defined]
        return ast.copy_location(ast.List(parts, ast.Load()), value)
    if name in _READERS:
        named = [keyword.value for keyword in value.keywords if keyword.arg in {"default", "fallback"}]
        defaults = named or value.args[1:2]
        if defaults:
            return defaults[0]
    return _converted(value, name)


def default_by_name(value: ast.expr, context: FileContext) -> ast.expr:
    """The same of what a name is bound to once: `DEBUG = True` and then `app.run(debug=DEBUG)`."""
    bound = values_of(value.id, context) if isinstance(value, ast.Name) else []
    return default_of(bound[0] if len(bound) == 1 and bound[0] is not None else value)


def names_section(call: ast.Call, packages: frozenset[str]) -> bool:
    """True for `parser.get("mail", "password")` in a file that imports `configparser`: the second is what is read, and
    no default."""
    if "configparser" not in packages or not isinstance(call.func, ast.Attribute) or len(call.args) < 2:
        return False
    fallback = any(word.arg == "fallback" for word in call.keywords)
    return call.func.attr in {"get", "getboolean"} and last_name(call.func.value) != "environ" and not fallback


def _converted(value: ast.Call, name: str) -> ast.expr:
    """`bool(…)`, `int(…)`, `strtobool(…)`, `….lower()` around what the environment may say."""
    if name in {"lower", "upper", "strip", "casefold", "title"} and isinstance(value.func, ast.Attribute):
        inner = default_of(value.func.value)
        if inner is value.func.value or not _is_text(inner):
            return value
        return ast.copy_location(ast.Constant(getattr(inner.value, name)()), value)  # type: ignore[attr-defined]
    if len(value.args) != 1 or not isinstance(value.func, ast.Name):
        return value
    inner = default_of(value.args[0])
    if isinstance(inner, ast.List) and name in {"list", "str"}:
        return inner
    if not isinstance(inner, ast.Constant) or inner is value.args[0]:
        return value
    text = str(inner.value)
    known: dict[str, object] = {
        **dict.fromkeys(_TRUTH, text.lower() in _TRUE_WORDS),
        "int": int(text) if text.isdecimal() else None,
        "bool": bool(inner.value),  # of text: "False" is true
        "str": inner.value,
    }
    if known.get(name) is None:
        return value
    return ast.copy_location(ast.Constant(known[name]), value)  # type: ignore[arg-type]


def _is_text(node: ast.expr) -> bool:
    return string_of(node) is not None


def _reads_environment(node: ast.expr) -> bool:
    """True for `os.environ.get(…)` and `os.getenv(…)`, which answer None where nothing is set."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return isinstance(node, ast.Call) and last_name(node.func) == "getenv"
    return node.func.attr == "getenv" or (node.func.attr == "get" and last_name(node.func.value) == "environ")


def _value_of(node: ast.expr) -> ast.Constant | None:
    """What a read of the environment answers where that says nothing, None where it is no such read."""
    default = default_of(node)
    if default is not node:
        return default if isinstance(default, ast.Constant) else None
    return ast.Constant(None) if _reads_environment(node) else None


def _default_of_comparison(value: ast.Compare) -> ast.expr:
    """`os.getenv("DEBUG", "True") == "True"`, `… in ("1", "true")`, `os.getenv("STAGE") != "production"`."""
    default, other = _value_of(value.left), value.comparators[0]
    if len(value.ops) != 1 or default is None:
        return value
    if isinstance(value.ops[0], (ast.Eq, ast.NotEq)) and isinstance(other, ast.Constant):
        same = default.value == other.value
        return ast.copy_location(ast.Constant(same if isinstance(value.ops[0], ast.Eq) else not same), value)
    if isinstance(value.ops[0], ast.In) and isinstance(other, (ast.Tuple, ast.List, ast.Set)):
        among = any(isinstance(part, ast.Constant) and part.value == default.value for part in other.elts)
        return ast.copy_location(ast.Constant(among), value)
    return value


def with_scheme(value: ast.expr, body: list[ast.stmt]) -> ast.expr:
    """`env("DEBUG")` with the default that `env = environ.Env(DEBUG=(bool, True))` gave it."""
    if not isinstance(value, ast.Call) or len(value.args) != 1 or value.keywords:
        return value
    asked = value.args[0].value if isinstance(value.args[0], ast.Constant) else None
    for statement in body:
        made = statement.value if isinstance(statement, ast.Assign) else None
        for word in made.keywords if isinstance(made, ast.Call) and last_name(made.func).endswith("Env") else ():
            if word.arg == asked and isinstance(word.value, ast.Tuple) and len(word.value.elts) == 2:
                return ast.copy_location(ast.Call(ast.Name("env"), [value.args[0], word.value.elts[1]], []), value)
    return value
