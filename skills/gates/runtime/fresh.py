"""What an expression makes that nobody else holds yet, and what an expression copies."""

import ast

from skills.gates.analysis.bindings import origin
from skills.gates.engine.context import FileContext
from skills.record import record

COPIERS = frozenset({"list", "tuple", "set", "frozenset", "dict", "bytes"})
_COPYING = COPIERS | {"copy", "deepcopy", "array", "tensor", "clone"}
MAKERS = frozenset({"list", "dict", "set", "frozenset", "sorted", "tuple"})
_DISPLAYS = {ast.List: "list", ast.Tuple: "tuple", ast.Set: "set", ast.Dict: "dict", ast.ListComp: "list",
             ast.SetComp: "set", ast.DictComp: "dict"}  # fmt: skip
_FUNCTIONS = {
    **dict.fromkeys(("json.load", "json.loads", "yaml.safe_load", "yaml.load", "yaml.full_load", "pickle.load",
                     "pickle.loads", "orjson.loads", "ujson.loads", "simplejson.loads", "msgpack.unpackb",
                     "msgspec.json.decode", "marshal.loads", "ast.literal_eval"), "data"),
    **dict.fromkeys(("tomllib.load", "tomllib.loads", "tomli.load", "tomli.loads", "toml.load", "toml.loads",
                     "urllib.parse.parse_qs", "dataclasses.asdict", "attrs.asdict", "attr.asdict",
                     "dict.fromkeys"), "dict"),
    **dict.fromkeys(("re.findall", "re.split", "os.listdir", "glob.glob", "shlex.split", "random.sample",
                     "random.choices", "heapq.nlargest", "heapq.nsmallest", "urllib.parse.parse_qsl",
                     "difflib.get_close_matches", "traceback.format_exception"), "list"),
    **dict.fromkeys(("struct.pack", "zlib.compress", "zlib.decompress", "gzip.compress", "gzip.decompress",
                     "base64.b64encode", "base64.b64decode", "base64.urlsafe_b64encode", "os.urandom",
                     "secrets.token_bytes", "pickle.dumps", "orjson.dumps", "msgpack.packb", "bytes.fromhex"), "bytes"),
    **dict.fromkeys(("cv2.cvtColor", "cv2.imread", "cv2.resize", "cv2.GaussianBlur", "cv2.imdecode"), "array"),
}  # fmt: skip
"""Dotted name → what it answers; "data" is a list or a dict that was read from text."""
_METHODS = {
    **dict.fromkeys(("split", "rsplit", "splitlines", "tolist", "most_common", "readlines", "fetchall"), "list"),
    **dict.fromkeys(("encode", "digest", "read_bytes", "tobytes"), "bytes"),
    **dict.fromkeys(("model_dump", "to_dict", "_asdict"), "dict"),
    "copy": "new",
}
_ARRAY_MAKERS = frozenset(
    {
        "zeros", "ones", "empty", "full", "arange", "linspace", "logspace", "eye", "identity", "concatenate", "vstack",
        "hstack", "dstack", "column_stack", "stack", "array", "copy", "zeros_like", "ones_like", "full_like", "where",
        "sort", "cumsum", "tile", "repeat", "append", "delete", "insert", "unique", "outer", "loadtxt", "genfromtxt",
        "fromstring", "pad", "roll", "exp", "log", "sqrt", "abs", "clip", "sum", "mean",
        "rand", "randn", "normal", "uniform", "randint", "random", "choice", "permutation",
    }
)  # fmt: skip
_TENSOR_MAKERS = frozenset(
    {"zeros", "ones", "empty", "full", "arange", "linspace", "eye", "cat", "stack", "tensor", "rand", "randn",
     "randint", "randperm", "zeros_like", "ones_like", "full_like", "rand_like", "randn_like", "clone"}
)  # fmt: skip
_FRAME_MAKERS = frozenset({"concat", "merge", "pivot_table", "json_normalize", "date_range", "crosstab"})
_FRAME_METHODS = frozenset(
    {"merge", "rename", "reset_index", "set_index", "fillna", "assign", "sort_values", "pivot_table", "melt", "explode",
     "groupby", "agg", "astype", "round", "isna", "isin", "value_counts", "describe"}
)  # fmt: skip
"""What answers a frame of its own; a part of one (`dropna`, `query`, a mask) is copied before it is changed."""
_AGGREGATES = frozenset({"sum", "mean", "size", "count", "min", "max", "first", "last", "median", "std", "nunique"})
_ARRAY_METHODS = frozenset({"flatten", "astype", "cumsum", "dot", "repeat", "normal", "integers", "permutation"})
_MYSQL = (b"MySQLdb", b"mysql", b"django.db")


@record
class Copied:
    """What is copied: `source`, as a `kind` ("" for its own), `deep` with all that it holds."""

    source: ast.expr
    kind: str = ""
    deep: bool = False


def builtin(function: ast.expr, context: FileContext, names: frozenset[str]) -> str:
    """The builtin that an expression is, of these names, else ""."""
    name = (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )
    if name not in names and name not in context.imports:
        return ""
    dotted = (origin(context, function) or "").removeprefix("builtins.")
    return dotted if dotted in names else ""


def copied(node: ast.expr, context: FileContext) -> Copied | None:
    """What an expression copies: `xs.copy()`, `copy.deepcopy(xs)`, `list(xs)`, `xs[:]`, `[*xs]`, `np.array(xs)`."""
    match node:
        case ast.Subscript(value=source, slice=ast.Slice(lower=None, upper=None, step=None)):
            return Copied(source, "[:]")
        case ast.List(elts=[ast.Starred(value=source)]):
            return Copied(source, "list")
        case ast.Dict(keys=[None], values=[source]):
            return Copied(source, "dict")
        case ast.ListComp(elt=ast.Name(id=one), generators=[ast.comprehension(target=ast.Name(id=other), ifs=[])]):
            return Copied(node.generators[0].iter, "list") if one == other and not _is_async(node) else None
        case ast.DictComp(key=ast.Name(id=one), value=ast.Name(id=other), generators=[ast.comprehension(ifs=[])]):
            return _of_pairs(one, other, node.generators[0])
        case ast.Call(func=ast.Attribute(value=source, attr="copy" | "clone"), args=[], keywords=words):
            return Copied(source) if all(word.arg == "deep" for word in words) else None
        case ast.Call(func=ast.Name() | ast.Attribute() as function, args=[source], keywords=[]):
            return _by_function(function, source, context)
    return None


def _is_async(node: ast.ListComp) -> bool:
    return bool(node.generators[0].is_async)


def _of_pairs(key: str, value: str, clause: ast.comprehension) -> Copied | None:
    """`{key: value for key, value in xs.items()}`"""
    match clause:
        case ast.comprehension(
            target=ast.Tuple(elts=[ast.Name(id=one), ast.Name(id=other)]),
            iter=ast.Call(func=ast.Attribute(value=source, attr="items"), args=[]),
        ):
            return Copied(source, "dict") if (one, other) == (key, value) else None
    return None


def _by_function(function: ast.Name | ast.Attribute, source: ast.expr, context: FileContext) -> Copied | None:
    if isinstance(function, ast.Attribute):
        if function.attr not in _COPYING:
            return None
    elif function.id not in COPIERS and context.imports.get(function.id, "").rpartition(".")[2] not in _COPYING:
        return None
    dotted = (origin(context, function) or "").removeprefix("builtins.")
    if dotted in ("copy.copy", "copy.deepcopy"):
        return Copied(source, deep=dotted == "copy.deepcopy")
    if dotted in ("numpy.array", "numpy.copy"):
        return Copied(source, "array")
    if dotted in ("torch.tensor", "torch.clone"):
        return Copied(source, "tensor")
    return Copied(source, dotted) if dotted in COPIERS else None


def made(node: ast.expr, context: FileContext) -> str:
    """The kind of thing that an expression makes and nobody else holds: "list", "dict", "data", "array", …; "new"
    where the kind is not told, "" where it may be held elsewhere."""
    match node:
        case ast.Call():
            return _called(node, context)
        case ast.Constant(value=bytes()):
            return "bytes"
        case ast.BinOp(left=left, op=ast.Add() | ast.Mult(), right=right):
            kinds = {made(left, context), made(right, context)} & {"list", "tuple", "bytes", "array"}
            return kinds.pop() if len(kinds) == 1 else "new"
        case ast.BinOp(op=ast.Sub() | ast.Div() | ast.BitOr() | ast.BitAnd()):
            return "new"
        case ast.IfExp(body=first, orelse=second):
            kind = made(first, context)
            return kind if kind == made(second, context) else ""
        case ast.Subscript(value=value, slice=ast.Constant() | ast.Name()):
            return "data" if made(value, context) == "data" else ""  # a part of what was read from text
        case ast.Await(value=value):
            return made(value, context) if isinstance(value, ast.Call) else ""
    return _DISPLAYS.get(node.__class__, "")


def _called(node: ast.Call, context: FileContext) -> str:
    function = node.func
    name = builtin(function, context, MAKERS)
    if name:
        return "list" if name == "sorted" else name
    dotted = origin(context, function) or ""
    if dotted in _FUNCTIONS:
        return _FUNCTIONS[dotted]
    root, last = dotted.partition(".")[0], dotted.rpartition(".")[2]
    if root in ("numpy", "torch", "pandas") and dotted != last:
        return _of_library(root, last, node)
    if isinstance(function, ast.Attribute):
        return _of_method(function, node, context)
    return ""


def _of_library(root: str, last: str, node: ast.Call) -> str:
    if root == "numpy":
        return (
            "array" if last in _ARRAY_MAKERS and not any(word.arg in ("copy", "out") for word in node.keywords) else ""
        )
    if root == "torch":
        return "tensor" if last in _TENSOR_MAKERS else ""
    if last.startswith("read_") or last in _FRAME_MAKERS:
        return "frame"
    new = (
        last == "DataFrame" and node.args and isinstance(node.args[0], (ast.List, ast.Dict, ast.ListComp, ast.DictComp))
    )
    return "frame" if new else ""


def _of_method(function: ast.Attribute, node: ast.Call, context: FileContext) -> str:
    method, owner = function.attr, function.value
    if method == "json" and not node.args:
        return "data" if isinstance(owner, ast.Name) and owner.id in ("r", "res", "resp", "response", "reply") else ""
    if method in _METHODS:
        texts = isinstance(owner, ast.Attribute) and owner.attr == "str"  # a column of texts
        texts |= method in ("split", "rsplit") and bool(node.args) and not isinstance(node.args[0], ast.Constant)
        rows = method == "fetchall" and any(map(context.holds, _MYSQL))  # a tuple there
        return "" if texts or rows else _METHODS[method]
    if method in _ARRAY_METHODS and "numpy" in context.packages:
        return "array"
    if context.packages.isdisjoint(("pandas", "geopandas")) or any(
        word.arg in ("inplace", "copy") for word in node.keywords
    ):
        return ""
    if method in _FRAME_METHODS:
        return "frame"
    grouped = owner.value if isinstance(owner, ast.Subscript) else owner
    by = isinstance(grouped, ast.Call) and isinstance(grouped.func, ast.Attribute) and grouped.func.attr == "groupby"
    return "frame" if by and method in _AGGREGATES else ""


def is_deeply_new(node: ast.expr, context: FileContext) -> bool:
    """True where nobody else holds any part of what an expression makes."""
    match node:
        case ast.Constant():
            return True
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return all(is_deeply_new(part, context) for part in parts)
        case ast.Dict(keys=keys, values=values):
            return None not in keys and all(is_deeply_new(value, context) for value in values)
        case ast.Call() | ast.Await():
            call = node.value if isinstance(node, ast.Await) else node
            if isinstance(call, ast.Call) and (origin(context, call.func) or "") in ("copy.deepcopy", *MAKERS):
                given = [*call.args, *(word.value for word in call.keywords)]
                return (origin(context, call.func) or "") == "copy.deepcopy" or all(
                    is_deeply_new(part, context) for part in given
                )
            return made(node, context) in ("data", "array", "bytes") or _loads(node, context)
    return False


def _loads(node: ast.expr, context: FileContext) -> bool:
    return isinstance(node, ast.Call) and "load" in (origin(context, node.func) or "").rpartition(".")[2]
