"""What is done with a copy and with what it was made of: read, changed, or let out of sight."""

import ast
import re
from collections.abc import Iterable

from skills.gates.analysis.bindings import bindings, origin
from skills.gates.analysis.local_values import own_nodes
from skills.gates.analysis.loops import MUTATORS, is_change, scope_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import root_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants, parents_in

READERS = frozenset(
    {
        "len", "sum", "min", "max", "any", "all", "sorted", "enumerate", "zip", "set", "frozenset", "tuple", "list",
        "dict", "str", "repr", "print", "reversed", "bool",
    }
)  # fmt: skip
_NUMBERS = frozenset({"float", "int", "abs", "round", "sum", "len", "min", "max", "bool", "str", "repr", "print", "any",
                      "all", "sorted", "isinstance"})  # fmt: skip
"""What keeps no hold of an element either."""
_READ_METHODS = frozenset(
    {
        "get", "items", "keys", "values", "index", "count", "issubset", "issuperset", "union", "intersection",
        "difference", "isdisjoint", "join",
    }
)  # fmt: skip
_COMPUTING = frozenset(
    {
        "mean", "sum", "max", "min", "std", "var", "median", "describe", "groupby", "to_dict", "to_csv", "to_json",
        "to_numpy", "to_list", "tolist", "item", "argmax", "argmin", "any", "all", "nunique", "value_counts", "corr",
        "quantile", "count", "dropna", "rename", "merge", "reset_index", "sort_values", "assign", "drop_duplicates",
        "astype", "isna", "notna", "pivot_table", "melt", "norm", "dot", "cumsum",
    }
)  # fmt: skip
"""Methods of frames, arrays and tensors that answer something of their own."""
_FACTS = frozenset({"shape", "size", "dtype", "ndim", "columns", "empty"})
_PURE = frozenset(
    {
        "print", "len", "str", "int", "float", "bool", "repr", "sorted", "min", "max", "sum", "abs", "round",
        "isinstance", "issubclass", "enumerate", "zip", "range", "list", "dict", "set", "tuple", "frozenset",
        "any", "all", "hash", "id", "type", "ord", "chr", "format", "getattr", "hasattr", "bytes", "divmod", "reversed",
        "map", "filter",
    }
)  # fmt: skip
_PURE_MODULES = frozenset(
    {"math", "json", "re", "logging", "html", "os.path", "click", "sys.stdout", "sys.stderr", "string", "statistics",
     "textwrap", "operator", "struct", "hashlib", "datetime", "decimal", "uuid", "typer", "numpy"}
)  # fmt: skip
_TEXT = frozenset(
    {"format", "join", "strip", "lstrip", "rstrip", "lower", "upper", "title", "startswith", "endswith", "replace",
     "split", "encode", "decode", "isoformat", "strftime", "ljust", "rjust", "zfill", "write", "writelines", "writerow"}
)  # fmt: skip
_LOGGERS = lazy(r"^_?(?:log|logger|logging|LOG|LOGGER|console)$")
_ALTERING = re.compile(
    r"(?:^|_)(?:remove|delete|del|drop|pop|close|discard|unregister|detach|cancel|kill|stop|move|add|insert|register|"
    r"clear|update|replace|set|notify|fire|emit|dispatch|call|run)(?:_|$)"
)


def has_arrays(context: FileContext) -> bool:
    """True where a file works with frames, arrays or tensors."""
    return not context.packages.isdisjoint(("pandas", "numpy", "torch"))


def parents_of(function: FunctionNode, context: FileContext) -> dict[ast.AST, ast.AST]:
    """What stands right above each node of a function. Walked once."""
    known = context.memo.setdefault("parents", {})
    assert isinstance(known, dict)
    if function not in known:
        known[function] = parents_in(function)
    parents: dict[ast.AST, ast.AST] = known[function]
    return parents


def uses_of(function: FunctionNode, name: str) -> list[ast.Name]:
    """The places of a function that read a name."""
    return [
        part
        for part in descendants(function)
        if isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Load)
    ]


def only_read(function: FunctionNode, name: str, context: FileContext, strict: bool = False) -> bool:
    """True where a name is used and every use only reads; `strict` where its elements must stay inside too."""
    uses = uses_of(function, name)
    parents = parents_of(function, context)
    if not uses or not all(_is_consumed(use, parents) if strict else is_reading(use, parents) for use in uses):
        return False
    # `copy += more`: what it is grown by is no reading of it
    return not any(isinstance(part, ast.AugAssign) and is_change(part, name) for part in descendants(function))


def is_reading(use: ast.expr, parents: dict[ast.AST, ast.AST]) -> bool:
    """True where a use of a container neither changes it nor lets it out of sight."""
    above = parents.get(use)
    match above:
        case ast.For(iter=over) | ast.AsyncFor(iter=over) | ast.comprehension(iter=over):
            return over is use
        case ast.Subscript(value=value, ctx=ast.Load(), slice=part):
            onward = parents.get(above)
            looped = isinstance(onward, (ast.For, ast.comprehension)) or (
                isinstance(onward, ast.Call) and isinstance(onward.func, ast.Name) and onward.func.id in READERS
            )
            return value is use and (not isinstance(part, ast.Slice) or looped or _is_consumed(above, parents))
        case ast.Compare() | ast.If() | ast.While() | ast.UnaryOp() | ast.FormattedValue():
            return True
        case ast.IfExp(test=test):
            return test is use
        case ast.Attribute(attr=method):
            call = parents.get(above)
            return method in _READ_METHODS and isinstance(call, ast.Call) and call.func is above
        case ast.Call(func=ast.Name(id=function)):
            return function in READERS
        case ast.Call(func=ast.Attribute(attr="join")):
            return True
    return False


def _is_consumed(use: ast.expr, parents: dict[ast.AST, ast.AST]) -> bool:
    """True where a use ends in something new: a comparison, a sum, a text, a number."""
    above = parents.get(use)
    match above:
        case ast.Compare() | ast.BinOp() | ast.UnaryOp() | ast.FormattedValue():
            return True
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            return test is use
        case ast.Subscript(value=value, ctx=ast.Load()):
            return value is use and _is_consumed(above, parents)
        case ast.Attribute(attr=name):
            call = parents.get(above)
            if isinstance(call, ast.Call) and call.func is above:
                return (name in _COMPUTING or name in _TEXT) and all(word.arg != "inplace" for word in call.keywords)
            return name in _FACTS or (isinstance(above.ctx, ast.Load) and _is_consumed(above, parents))
        case ast.Call(func=ast.Name(id=function)):
            return function in _NUMBERS
    return False


def is_read_at_once(copy: ast.expr, context: FileContext) -> bool:
    """True for `self.rooms.copy()["x"]`, `frame.copy().mean()`: a copy that ends where it stands."""
    above = context.parent(copy)
    if isinstance(above, ast.Attribute):
        call = context.parent(above)
        called = isinstance(call, ast.Call) and call.func is above
        return called and (above.attr in _COMPUTING or above.attr == "get") and _frozen(call)
    return False


def _frozen(call: ast.AST | None) -> bool:
    return isinstance(call, ast.Call) and all(word.arg != "inplace" for word in call.keywords)


def stays_here(function: FunctionNode, name: str, before: int, context: FileContext) -> bool:
    """True where all uses of a name above a line fill or read it, and no inner function knows of it."""
    parents = parents_of(function, context)
    for part in own_nodes(function, context):
        if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)) and any(
            isinstance(inner, ast.Name) and inner.id == name for inner in descendants(part)
        ):
            return False
    return all(_is_kept(use, parents) for use in uses_of(function, name) if use.lineno < before)


def _is_kept(use: ast.Name, parents: dict[ast.AST, ast.AST]) -> bool:
    above = parents.get(use)
    if isinstance(above, ast.Subscript):
        return above.value is use and not (
            isinstance(above.ctx, ast.Load) and isinstance(parents.get(above), ast.Assign)
        )
    if isinstance(above, ast.Attribute):
        call = parents.get(above)
        silent = isinstance(call, ast.Call) and isinstance(parents.get(call), ast.Expr)
        return above.attr in MUTATORS or above.attr in _READ_METHODS or silent
    return is_reading(use, parents)


def handed_on(body: Iterable[ast.AST], name: str, context: FileContext) -> bool:
    """True where the loop's body, or a function defined in the same scope, could reach the object by its name."""
    if any(isinstance(part, ast.Name) and part.id == name for statement in body for part in _arguments(statement)):
        return True
    scope = scope_of(context)
    if isinstance(scope, ast.Module):
        return False
    return any(
        isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        and any(is_change(part, name) for part in descendants(inner))
        for inner in own_nodes(scope, context)
    )


def _arguments(statement: ast.AST) -> list[ast.expr]:
    return [
        argument
        for part in descendants(statement)
        if isinstance(part, ast.Call) and not (isinstance(part.func, ast.Name) and part.func.id in READERS)
        for argument in part.args
    ]


def is_place(node: ast.expr) -> bool:
    """True for a name, or what attributes and keys lead to from one: `self.rooms`, `data["items"]`."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            return False
        node = node.value
    return isinstance(node, ast.Name)


def leaves_alone(parts: Iterable[ast.AST], place: ast.expr, turned: frozenset[str], context: FileContext) -> bool:
    """True where none of some nodes can change what stands at a place: they neither wait nor call what is not known,
    and change nothing there themselves. `turned` are the names of its elements in a loop."""
    root, text = root_name(place), ast.unparse(place)
    shared = not isinstance(place, ast.Name)
    aliased = not shared and _is_alias(root, context)
    for part in parts:
        if isinstance(part, (ast.Await, ast.Yield, ast.YieldFrom, ast.AsyncFor, ast.AsyncWith)):
            return False
        if isinstance(part, ast.Call):
            owner = part.func.value if isinstance(part.func, ast.Attribute) else part.func
            ends = root_name(owner) in turned and isinstance(part.func, ast.Attribute) and part.func.attr in MUTATORS
            if ends or not _is_harmless(part, root, text, shared, context):
                return False
        if isinstance(part, (ast.Name, ast.Attribute, ast.Subscript)) and not isinstance(part.ctx, ast.Load):
            written = ast.unparse(part)
            if written.startswith(text) or text.startswith((written + ".", written + "[")):
                return False
            if aliased and not isinstance(part, ast.Name):
                return False
    return True


def _is_alias(name: str, context: FileContext) -> bool:
    """True for a name that stands for a part of something: `rooms = house["rooms"]`."""
    found = bindings(context, scope_of(context)).get(name, ())
    return any(isinstance(one.value, (ast.Attribute, ast.Subscript, ast.Call)) for one in found)


def _is_harmless(call: ast.Call, root: str, text: str, shared: bool, context: FileContext) -> bool:
    function = call.func
    if isinstance(function, ast.Name):
        if function.id in _PURE or function.id[:1].isupper():
            return True
        given = any(isinstance(part, ast.Name) and part.id == root for word in call.args for part in descendants(word))
        return not shared and not given and not _ALTERING.search(function.id) and function.id in _known(context)
    if not isinstance(function, ast.Attribute):
        return False
    owner = function.value
    if function.attr in _COMPUTING and has_arrays(context):
        return all(word.arg != "inplace" for word in call.keywords)
    if isinstance(owner, (ast.Constant, ast.JoinedStr)) or function.attr in _READ_METHODS or function.attr in _TEXT:
        return True
    if function.attr in MUTATORS:
        return is_place(owner) and (root_name(owner) != root or (shared and not _overlaps(ast.unparse(owner), text)))
    if isinstance(owner, ast.Name) and _LOGGERS.search(owner.id):
        return True
    return (origin(context, owner) or "") in _PURE_MODULES


def _overlaps(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _known(context: FileContext) -> frozenset[str]:
    """The functions that the module defines or imports."""
    known = context.memo.get("functions")
    if known is None:
        names = {part.name for part in context.tree.body if isinstance(part, (ast.FunctionDef, ast.ClassDef))}
        known = context.memo["functions"] = frozenset(names | context.imports.keys())
    assert isinstance(known, frozenset)
    return known


def region(function: FunctionNode, copy: ast.stmt, uses: list[ast.Name]) -> list[ast.AST]:
    """The statements' parts between a copy and the end of its last use."""
    last = max((use.end_lineno or use.lineno for use in uses), default=copy.lineno)
    for part in descendants(function):
        if isinstance(part, (ast.For, ast.AsyncFor, ast.While)) and part.lineno <= last <= (part.end_lineno or 0):
            last = max(last, part.end_lineno or 0)
    first = copy.end_lineno or copy.lineno
    return [
        part for part in descendants(function) if isinstance(part, ast.expr | ast.stmt) and first < part.lineno <= last
    ]
