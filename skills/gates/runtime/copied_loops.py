"""Copies that are only looped over."""

import ast
from collections.abc import Sequence

from skills.gates.analysis.bindings import bindings
from skills.gates.analysis.loops import changes, scope_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.syntax import descendants
from skills.gates.model import Evidence
from skills.gates.runtime.copy_sources import SEQUENCES, is_own_container, is_shared, is_view, known_container, report
from skills.gates.runtime.copy_uses import handed_on, has_arrays, is_place, leaves_alone, stays_here
from skills.gates.runtime.fresh import builtin, copied

_PASSES = frozenset({"enumerate", "reversed", "zip", "map", "filter"})


def on_loop(node: ast.For | ast.AsyncFor, context: FileContext) -> None:
    """`for x in list(xs)` where nothing changes `xs` meanwhile."""
    _looped(node.iter, node.target, node.body, context)


def on_comprehension(node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, context: FileContext) -> None:
    """`[f(x) for x in list(xs)]`, likewise; a generator runs while what it is given to works."""
    taker = context.parent(node) if isinstance(node, ast.GeneratorExp) else None
    for clause in node.generators:
        _looped(clause.iter, clause.target, [taker if isinstance(taker, ast.Call) else node], context)


def _looped(over: ast.expr, target: ast.expr, body: Sequence[ast.AST], context: FileContext) -> None:
    """The header of a loop, or each part that `enumerate`, `zip` and their kin go over there."""
    match over:
        case ast.Call(func=ast.Name(id="enumerate" | "reversed") as function, args=[first, *_]):
            if builtin(function, context, _PASSES):
                _part(first, function.id == "reversed", target, body, context)
                return
        case ast.Call(func=ast.Name(id="zip" | "map" | "filter" | "chain") as function, args=parts):
            if function.id == "chain" or builtin(function, context, _PASSES):
                for part in parts:
                    _part(part, False, target, body, context)
                return
    _part(over, False, target, body, context)


def _part(over: ast.expr, backwards: bool, target: ast.expr, body: Sequence[ast.AST], context: FileContext) -> None:
    found = _copied_for_loop(over, context)
    if found is None:
        return
    source, shown, over = found
    of_dict = isinstance(source, ast.Call) and is_view(source)
    if isinstance(source, (ast.List, ast.Tuple, ast.Set, ast.ListComp, ast.SetComp)) or (
        isinstance(source, ast.Call) and builtin(source.func, context, frozenset({"range"}))
    ):
        if not (backwards and isinstance(source, (ast.Set, ast.SetComp))):
            report(over, f"`{shown}` copies what is only looped over", context)
        return
    name = source.func.value if of_dict else source  # type: ignore[attr-defined]
    if isinstance(name, ast.Name) and _loops_over_own(over, shown, name, body, of_dict, backwards, context):
        return
    text = f"`{ast.unparse(name)}`"
    if isinstance(name, ast.Call):  # `list(rows())`: what nobody keeps may be walked as it comes
        if _goes_over(name, body, context):
            return
        text = f"what `{ast.unparse(name.func)}(…)` answers"
        name = name.func.value if isinstance(name.func, ast.Attribute) else name.func
    plain = of_dict or shown == ".copy()" or not has_arrays(context) or is_own_container(name, context)
    if plain and is_place(name) and not (backwards or is_shared(name, context) or _is_counted(name, context)):
        turned = frozenset(part.id for part in descendants(target) if isinstance(part, ast.Name))
        parts = [part for statement in body for part in descendants(statement)]
        own = set(descendants(over))
        if leaves_alone((part for part in parts if part not in own), name, turned, context):
            report(over, f"`{shown}` copies {text}, and nothing seen here changes that", context, confidence="likely")


def _goes_over(call: ast.Call, body: Sequence[ast.AST], context: FileContext) -> bool:
    """True where a loop changes what a lazy call goes over: `for key in list(filter(f, cache.keys())): del …`."""
    given = [part.func if isinstance(part, ast.Call) and is_view(part) else part for part in call.args]
    owners = [part.value if isinstance(part, ast.Attribute) and part not in call.args else part for part in given]
    places = [part for part in owners if isinstance(part, (ast.Name, ast.Attribute, ast.Subscript)) and is_place(part)]
    parts = [part for statement in body for part in descendants(statement)]
    return any(not leaves_alone(parts, place, frozenset(), context) for place in places)


def _is_counted(name: ast.expr, context: FileContext) -> bool:
    """True for a name of what no loop runs over, and of what the module may give to others."""
    if not isinstance(name, ast.Name):
        return False
    found = bindings(context, scope_of(context)).get(name.id, ())
    return context.function is None or any(isinstance(one.value, ast.Constant) for one in found)


def _loops_over_own(
    over: ast.expr, shown: str, name: ast.Name, body: Sequence[ast.AST], of_dict: bool, backwards: bool,
    context: FileContext,
) -> bool:  # fmt: skip
    """True where the file says what a name of the scope holds, so that no more need be asked."""
    known = known_container(name.id, over.lineno, context)
    if known is None:
        return False
    if (known[0] == "dict") != of_dict or (backwards and known[0] not in SEQUENCES):
        return known[0] == "dict" or backwards
    if changes(body, name.id) or handed_on(body, name.id, context) or (of_dict and not _is_own(name.id, context)):
        return True
    said = Evidence(context.path, known[1].line, f"`{name.id}` is a {known[0]}")
    report(over, f"`{shown}` copies `{name.id}`, which the loop does not change", context, (said,))
    return True


def _is_own(name: str, context: FileContext) -> bool:
    """True where a dict of a function is filled and read, but never handed to anything that could keep it."""
    function = context.function
    return function is not None and stays_here(function, name, 1 << 30, context)


def _copied_for_loop(over: ast.expr, context: FileContext) -> tuple[ast.expr, str, ast.expr] | None:
    """(what a loop runs over a copy of, how it is copied, where): `list(xs)`, `xs.copy()`, `xs[:]`, and
    `xs.copy().items()`."""
    if isinstance(over, ast.Call) and is_view(over):
        inner = over.func.value  # type: ignore[attr-defined]
        found = copied(inner, context) if isinstance(inner, ast.Call) else None
        return (found.source, ".copy()", inner) if found and found.kind in ("", "dict") and not found.deep else None
    match over:
        case ast.ListComp():
            found = copied(over, context)
            return (found.source, "[… for …]", over) if found is not None else None
        case ast.Subscript(value=source, slice=ast.Slice(lower=None, upper=None, step=None)):
            return source, "[:]", over
        case ast.Call(func=ast.Attribute(value=source, attr="copy"), args=[], keywords=[]):
            return source, ".copy()", over
        case ast.Call(func=function, args=[source], keywords=[]):
            name = builtin(function, context, SEQUENCES)
            if isinstance(source, (ast.Starred, ast.GeneratorExp)):
                return None
            return (source, f"{name}(…)", over) if name else None
    return None
