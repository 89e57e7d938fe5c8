"""What takes a copy, reads it once and keeps no hold of it."""

import ast

from skills.gates.analysis.bindings import origin
from skills.gates.engine.context import FileContext
from skills.gates.runtime.copy_sources import SEQUENCES, is_view
from skills.gates.runtime.copy_uses import has_arrays
from skills.gates.runtime.fresh import COPIERS, MAKERS, Copied, builtin

_TAKERS = frozenset({"len", "sum", "min", "max", "any", "all", "sorted", "frozenset", "print"})
_LAZY = frozenset({"enumerate", "zip", "map", "filter"})
_CONSUMERS = COPIERS | {"sorted", "sum", "min", "max", "any", "all"}
_METHODS = frozenset(
    {"join", "extend", "extendleft", "update", "writelines", "fromkeys", "union", "intersection", "difference",
     "issubset", "issuperset", "isdisjoint", "symmetric_difference", "intersection_update", "difference_update"}
)  # fmt: skip
_FUNCTIONS = frozenset({"json.dumps", "json.dump", "pprint.pprint", "yaml.dump", "yaml.safe_dump"})
_STACKS = frozenset({"concat", "concatenate", "vstack", "hstack", "stack", "dstack", "column_stack", "cat"})


def reader_of(node: ast.expr, found: Copied, context: FileContext) -> str:
    """What reads a copy where it stands, and nothing else does; "" for nothing of the kind."""
    view = found.kind == "[:]" and has_arrays(context)
    if view or (found.deep and not _keeps_nothing(context.parent(node), context)):
        return ""
    same = found.kind in ("", "[:]")
    above = context.parent(node)
    match above:
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[inside]):
            return "in" if same and inside is node else ""
        case ast.List() | ast.Tuple():
            stack = context.parent(above)
            taken = isinstance(stack, ast.Call) and stack.args[:1] == [above] and not found.kind
            return _stack(stack.func, context) if isinstance(stack, ast.Call) and taken else ""
        case ast.Call(func=ast.Name() as function):
            return _by_builtin(node, found, above, function, same, context) if node in above.args else ""
        case ast.Call(func=ast.Attribute() as function, args=[only]) if only is node:
            if same and origin(context, function) in _FUNCTIONS:
                return function.attr
            return _by_method(found, function, same, context)
        case ast.Call(func=ast.Attribute(attr="fromkeys" | "from_iterable")):
            return above.func.attr if found.kind in SEQUENCES and above.args[0] is node else ""  # type: ignore[attr-defined]
    return ""


def _keeps_nothing(above: ast.AST | None, context: FileContext) -> bool:
    """True for what keeps no element of what it is given either, so that a deep copy is no protection."""
    if not isinstance(above, ast.Call):
        return isinstance(above, ast.Compare)
    name = above.func.id if isinstance(above.func, ast.Name) else ""
    return name in ("len", "any", "all", "print") or origin(context, above.func) in _FUNCTIONS


def _stack(function: ast.expr, context: FileContext) -> str:
    name = function.attr if isinstance(function, ast.Attribute) else ""
    root = (origin(context, function) or "").partition(".")[0]
    return name if name in _STACKS and root in ("pandas", "numpy", "torch") else ""


def _by_builtin(
    node: ast.expr, found: Copied, call: ast.Call, function: ast.Name, same: bool, context: FileContext
) -> str:
    name = function.id
    if name in _LAZY and builtin(function, context, _LAZY):
        given = call.args[1:] if name in ("map", "filter") else call.args
        columns = has_arrays(context) and isinstance(found.source, ast.Subscript)  # walked faster as a list
        fits = (same or found.kind in SEQUENCES) and not columns
        return name if fits and node in given and _is_consumed(call, context) else ""
    if call.args[0] is not node or not builtin(function, context, _TAKERS):
        return ""
    view = name == "len" and found.kind in SEQUENCES and isinstance(found.source, ast.Call) and is_view(found.source)
    return name if same or view else ""


def _is_consumed(lazy: ast.Call, context: FileContext) -> bool:
    """True where a `map` or `zip` is read to its end at once."""
    above = context.parent(lazy)
    if not isinstance(above, ast.Call) or above.args[:1] != [lazy]:
        return False
    if isinstance(above.func, ast.Attribute):
        return above.func.attr in ("join", "extend", "update")
    return bool(builtin(above.func, context, _CONSUMERS))


def _by_method(found: Copied, function: ast.Attribute, same: bool, context: FileContext) -> str:
    """`", ".join(list(names))`, `found.extend(list(more))`, `settings.update(dict(more))`."""
    name, source = function.attr, found.source
    if name not in _METHODS or isinstance(source, (ast.Starred, ast.GeneratorExp)):
        return ""
    if name == "join" and not isinstance(function.value, (ast.Constant, ast.Name)):
        return ""
    by_builtin = isinstance(source, ast.Call) and builtin(source.func, context, MAKERS)
    if by_builtin and found.kind in SEQUENCES:
        return ""  # another rule tells of `list(sorted(names))`
    fits = same or found.kind in SEQUENCES or (found.kind == "dict" and name == "update")
    return name if fits and ast.unparse(function.value) != ast.unparse(source) else ""
