"""How the parts of an expression, and the fields of what it makes, hold what comes from a request."""

import ast

from skills.gates.analysis.local_values import values_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.syntax import BLOCKS
from skills.gates.security.request_data import Origin

# What gives back its argument, in another form.
KEEPS = frozenset(
    {"str", "list", "dict", "tuple", "set", "bytes", "sorted", "reversed", "unquote", "unquote_plus", "b64decode",
     "loads", "urlsafe_b64decode", "deepcopy", "copy", "cast", "force_str", "smart_str", "Path", "PurePath",
     "urljoin", "normpath", "realpath", "abspath", "decodebytes", "decodestring", "b32decode", "unhexlify",
     "expanduser", "resolve_url", "unescape", "next", "iter", "filter", "map", "zip", "enumerate", "OrderedDict"}
)  # fmt: skip
# Of these, what a method of another thing may be called too: `queryset.filter(…)` gives back rows.
BUILTINS = frozenset(
    {"list", "dict", "set", "next", "iter", "filter", "map", "zip", "enumerate", "reversed", "copy", "cast"}
)
METHODS = frozenset(
    {"strip", "lstrip", "rstrip", "lower", "upper", "split", "rsplit", "partition", "replace", "format", "encode",
     "decode", "title", "capitalize", "get", "getlist", "pop", "items", "values", "keys", "dict", "copy", "to_dict",
     "getfirst", "join", "read", "format_map", "setdefault", "multi_items", "lists", "splitlines", "casefold",
     "removeprefix", "removesuffix", "open", "chunks", "getvalue", "__getitem__", "get_all", "getone", "joinpath",
     "resolve"}
)  # fmt: skip
_CLASSES = "request data: classes of plain fields"
_TRIMS = frozenset({"strip", "lstrip", "rstrip", "lower", "upper", "removeprefix", "removesuffix", "casefold"})
_TAKES_APART = frozenset({"urlparse", "urlsplit", "URL"})
_OF_ADDRESS = frozenset({"hostname", "netloc", "host", "scheme"})
_EMPTY = frozenset({"list", "set", "deque", "StringIO", "ConfigParser", "RawConfigParser"})
_GROWS = frozenset({"append", "appendleft", "extend", "insert", "add", "write", "read_string", "read_dict"})


def written_as(read: ast.AST) -> str:
    """What is read, in one way for `request.GET.get("sort")` and `request.GET["sort"]`."""
    function = read.func if isinstance(read, ast.Call) else None
    if isinstance(function, ast.Attribute) and function.attr == "get" and isinstance(read, ast.Call) and read.args:
        return f"{ast.unparse(function.value)}[{ast.unparse(read.args[0])}]"
    return ast.unparse(read)


def holder(read: ast.Subscript | ast.Call) -> ast.expr | None:
    """What a key is read of: `data["owner"]` of `data["owner"]["mail"]` and of `data["owner"].get("mail")`."""
    if isinstance(read, ast.Subscript):
        return read.value if isinstance(read.slice, ast.Constant) and isinstance(read.slice.value, str) else None
    return read.func.value if isinstance(read.func, ast.Attribute) and read.func.attr == "get" else None


def cut(origin: Origin | None) -> Origin | None:
    """The same origin of a text that a column can hold: `request.POST["name"][:80]`."""
    if origin is None or origin.kind != "body":
        return origin
    return Origin("cut", origin.node, origin.line, origin.key)


def at_key(origin: Origin | None, inner: ast.expr, outer: ast.expr) -> Origin | None:
    """The same origin, named with the key that is read: `request.data["note"]`."""
    if origin is None or origin.node is not inner:
        return origin
    return Origin(origin.kind, origin.node, origin.line, outer)


def is_markup(node: ast.expr) -> bool:
    """True for `Markup("…")`, which escapes what `%` and its methods put into it."""
    return isinstance(node, ast.Call) and last_name(node.func) == "Markup"


def operands(node: ast.AST | None) -> list[ast.expr]:
    """The expressions that the value of an expression is made of."""
    if isinstance(node, ast.BinOp):
        return [] if is_markup(node.left) else [node.left, node.right]
    if isinstance(node, (ast.JoinedStr, ast.BoolOp)):
        return node.values
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return node.elts
    if isinstance(node, ast.Dict):
        return node.values
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
        return [node.elt]
    return [node.value] if isinstance(node, ast.DictComp) and not _chooses_keys(node) else []


def _chooses_keys(node: ast.DictComp) -> bool:
    """True for `{key: value for key, value in … if key in ALLOWED}`; what goes over a list of them chooses nothing."""
    key = node.key.id if isinstance(node.key, ast.Name) else ""
    if key and key == last_name(node.generators[0].target):
        return False
    return any(
        isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.In) and bool(key) and last_name(test.left) == key
        for generator in node.generators
        for test in generator.ifs
    )


def header(statement: ast.stmt) -> list[ast.AST]:
    """The expressions of a statement itself, without its blocks."""
    if not BLOCKS[statement.__class__]:
        return [statement]
    if isinstance(statement, (ast.If, ast.While)):
        return [statement.test]
    if isinstance(statement, (ast.For, ast.AsyncFor)):
        return [statement.iter]
    if isinstance(statement, (ast.With, ast.AsyncWith)):
        return [item.context_expr for item in statement.items]
    if isinstance(statement, ast.Match):
        return [statement.subject]
    return [] if hasattr(statement, "handlers") else [statement]


def fields_of(value: ast.expr, context: FileContext) -> dict[str, ast.expr] | None:
    """Key → value of what the source writes field by field: `{"name": name}`, `dict(name=name)` and
    `Wanted(name)` of a dataclass or named tuple of this file; None for others."""
    if isinstance(value, ast.Dict):
        keys = [key.value if isinstance(key, ast.Constant) else None for key in value.keys]
        if not all(isinstance(key, str) for key in keys):
            return None
        return dict(zip(map(str, keys), value.values, strict=True))
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name):
        return None
    if any(word.arg is None for word in value.keywords) or any(isinstance(one, ast.Starred) for one in value.args):
        return None
    named = {str(word.arg): word.value for word in value.keywords}
    if value.func.id == "dict":
        return None if value.args else named
    fields = _plain_classes(context).get(value.func.id)
    return None if fields is None else dict(zip(fields, value.args, strict=False)) | named


def _plain_classes(context: FileContext) -> dict[str, list[str]]:
    """Class → its fields, for dataclasses and named tuples of the file that look at nothing they are given."""
    known = context.memo.get(_CLASSES)
    if known is None:
        known = context.memo[_CLASSES] = {
            node.name: [part.target.id for part in node.body if _is_field(part)]  # type: ignore[attr-defined]
            for node in context.tree.body
            if isinstance(node, ast.ClassDef) and _is_plain(node)
        }
    assert isinstance(known, dict)
    return known


def _is_field(part: ast.stmt) -> bool:
    return isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)


def _is_plain(node: ast.ClassDef) -> bool:
    marked = any(last_name(one) in {"dataclass", "define", "frozen", "attrs", "s"} for one in node.decorator_list)
    if not marked and [last_name(base) for base in node.bases] != ["NamedTuple"]:
        return False
    return not any(
        getattr(part, "name", "") in {"__post_init__", "__attrs_post_init__", "__new__"} for part in node.body
    )


def grown(statement: ast.Expr) -> tuple[str, list[ast.expr]] | None:
    """(list, what it is given) of `parts.append(name)` and its like, None for others; of a pair or a record nobody
    knows later which part is which."""
    call = statement.value
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr not in _GROWS:
        return None
    given = [one for one in call.args if not isinstance(one, (ast.Tuple, ast.Dict))]
    return (call.func.value.id, given) if isinstance(call.func.value, ast.Name) else None


def is_empty(value: ast.expr) -> bool:
    """True for `list()`, `set()`, `StringIO()` and `ConfigParser()`."""
    return isinstance(value, ast.Call) and not value.args and last_name(value.func) in _EMPTY


def is_key_of_table(node: ast.AST, context: FileContext) -> bool:
    """True for `KINDS[kind]` of a dict that the source writes out: behind it, the key is one of its own."""
    if (
        not isinstance(node, ast.Subscript)
        or not isinstance(node.slice, ast.Name)
        or not isinstance(node.value, ast.Name)
    ):
        return False
    tables = values_of(node.value.id, context)
    return bool(tables) and all(isinstance(one, ast.Dict) and one.keys and None not in one.keys for one in tables)


def read_field(node: ast.AST | None) -> tuple[ast.expr | None, str]:
    """(whose, which) of `options["name"]`, `options.get("name")` and `wanted.name`; (None, "") for others."""
    if isinstance(node, ast.Attribute):
        return node.value, node.attr
    if isinstance(node, ast.Subscript):
        owner, key = node.value, node.slice
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
        owner, key = node.func.value, node.args[0]
    else:
        return None, ""
    return (owner, key.value) if isinstance(key, ast.Constant) and isinstance(key.value, str) else (None, "")


def trimmed(value: ast.expr) -> str:
    """The name of which a value is the same without its spaces, sign or case: "sort" of `sort.lstrip("-")`; or a part
    that says where it leads: "url" of `urlsplit(url).hostname`."""
    while isinstance(value, ast.Attribute) and value.attr in _OF_ADDRESS:
        value = value.value
    function = value.func if isinstance(value, ast.Call) else None
    if function is not None and last_name(function) in _TAKES_APART and value.args:  # type: ignore[attr-defined]
        return last_name(value.args[0])  # type: ignore[attr-defined]
    if not isinstance(function, ast.Attribute) or function.attr not in _TRIMS:
        return ""
    return function.value.id if isinstance(function.value, ast.Name) else ""
