"""What may stand inside of SQL as text: constants, numbers, quoted names, placeholders, what a compiler of SQL made."""

import ast
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from skills.gates.analysis.file_calls import argument_of, calls_by_name
from skills.gates.analysis.local_values import Scope, is_literal, own_nodes, values_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.syntax import descendants, statements
from skills.gates.security.sql_checks import (
    allows,
    comes_from_operator,
    doubles_quotes,
    dumps_model,
    has_fixed_keys,
    has_parameters,
    is_checked,
    is_decided,
    is_fragment,
    is_limited,
    is_made_elsewhere,
    is_measured,
    is_own_schema,
    leaves_values_out,
    names_schema,
    quotes_by_hand,
)
from skills.gates.security.sql_harmless import (
    COMPILERS,
    LAYOUT,
    NUMBERS,
    PLACES,
    QUOTERS,
    answers_no_text,
    is_metadata,
    is_number,
)
from skills.gates.security.sql_names import (
    LOOPS,
    alternatives,
    bound_anew,
    by_key,
    grown,
    indirect,
    is_constant,
    made_here,
    place_of,
    scope_of,
    seen_from,
)
from skills.gates.security.sql_places import is_number_by_format, may_stand

_Comprehension = ast.GeneratorExp | ast.ListComp | ast.SetComp | ast.DictComp
_LOOP_NAMES = "sql-values: names of comprehensions"
_JUDGED = "sql-values: names that are being judged"
_DEEPEST = 14
# Operators that text has not, or that make a number with a number at their side.
_ONLY_NUMBERS = (ast.Sub, ast.Pow, ast.FloorDiv, ast.LShift, ast.RShift, ast.BitAnd, ast.BitOr, ast.BitXor)
_OF_TIME = frozenset({"year", "month", "day", "hour", "minute"})


def harmless(part: ast.expr | None, context: FileContext, depth: int = 0) -> bool:
    """True for what cannot carry SQL from outside: literals, quoted names, numbers, placeholders, model metadata."""
    if depth > _DEEPEST or part is None:
        return False
    if isinstance(part, (ast.Starred, ast.FormattedValue, ast.Await, ast.NamedExpr)):
        part = part.value
    judge = _JUDGES.get(part.__class__)
    if judge is not None:
        return judge(part, context, depth)
    if is_literal(part, context):
        return True
    inside = alternatives(part)
    if (
        isinstance(part, ast.IfExp)
        and isinstance(part.body, ast.Name)
        and allows(part.test, part.body.id, partial(_is_fixed, context, depth + 1))
    ):
        inside = [part.orelse]
    return bool(inside) and all(harmless(value, context, depth + 1) for value in inside)


def _harmless_f_string(part: ast.JoinedStr, context: FileContext, depth: int) -> bool:
    before = ""
    for value in part.values:
        if isinstance(value, ast.FormattedValue):
            stands = is_number_by_format(value) or may_stand(value.value, before, context)
            if not stands and not harmless(value.value, context, depth + 1):
                return False
        before += str(value.value) if isinstance(value, ast.Constant) else "\0"
    return True


def _harmless_attribute(part: ast.Attribute, context: FileContext, depth: int) -> bool:
    if is_literal(part, context) or is_metadata(part, context) or PLACES.search(part.attr) or is_decided(part, context):
        return True
    if part.attr in {"value", "name"} and isinstance(part.value, ast.Attribute) and part.value.attr.isupper():
        return True  # a member of an enum
    if part.attr in _OF_TIME and isinstance(part.value, ast.Call):
        return last_name(part.value.func) in NUMBERS
    if last_name(part.value) in {"self", "cls"} and _is_set_once(part.attr, context, depth):
        return True
    return part.attr in {"hex", "int", "column", "db_column", "attname"} and harmless(part.value, context, depth + 1)


def _is_set_once(name: str, context: FileContext, depth: int) -> bool:
    """True for an attribute that the body of the class gives something harmless, and no method anything else."""
    owner = context.class_scope
    if owner is None:
        return False
    given = [
        part.value
        for part in owner.body
        if isinstance(part, (ast.Assign, ast.AnnAssign))
        and name in map(last_name, part.targets if isinstance(part, ast.Assign) else [part.target])
    ]
    changed = any(
        isinstance(part, ast.Attribute) and part.attr == name and isinstance(part.ctx, ast.Store)
        for part in descendants(owner)
    )
    return bool(given) and not changed and all(harmless(value, context, depth + 1) for value in given)


def _harmless_item(part: ast.Subscript, context: FileContext, depth: int) -> bool:
    if is_metadata(part, context) or comes_from_operator(part.value, context):
        return True
    bound = values_of(part.value.id, context) if isinstance(part.value, ast.Name) else []
    key = part.slice.value if isinstance(part.slice, ast.Constant) else None
    calls = [value for value in bound if isinstance(value, ast.Call)]
    if calls and calls == bound and isinstance(key, str):
        return all(_answers_harmlessly(last_name(call), context, depth, key) for call in calls)
    return _holds_harmless(part.value, context, depth)


def _harmless_comprehension(part: _Comprehension, context: FileContext, depth: int) -> bool:
    """Its own loops decide what their names are, whatever the function around it binds to the same names."""
    outer = _loop_names(context)
    own = dict(outer)
    for generator in part.generators:
        for target in descendants(generator.target):
            if isinstance(target, ast.Name):
                told = place_of(generator.target, target.id) is not None
                own[target.id] = (told and all(_looped(generator, target.id, context, depth))) or any(
                    allows(test, target.id, partial(_is_fixed, context, depth + 1)) for test in generator.ifs
                )
    context.memo[_LOOP_NAMES] = own
    try:
        return harmless(part.value if isinstance(part, ast.DictComp) else part.elt, context, depth + 1)
    finally:
        context.memo[_LOOP_NAMES] = outer


def _loop_names(context: FileContext) -> dict[str, bool]:
    """Name of a comprehension around the judged expression → whether it is harmless."""
    names = context.memo.setdefault(_LOOP_NAMES, {})
    assert isinstance(names, dict)
    return names


def _harmless_sum(part: ast.BinOp, context: FileContext, depth: int) -> bool:
    numbers = any(map(is_number, (part.left, part.right))) and not isinstance(part.op, (ast.Mod, ast.Mult))
    if numbers or isinstance(part.op, _ONLY_NUMBERS):
        return True
    left = harmless(part.left, context, depth + 1)
    return left if isinstance(part.op, ast.Mult) else left and harmless(part.right, context, depth + 1)


def _harmless_call(part: ast.Call, context: FileContext, depth: int) -> bool:
    name = last_name(part.func)
    if leaves_values_out(part, context) or answers_no_text(part, context):
        return True
    if name == "join" and part.args:
        return _joins_harmless(part.args[0], context, depth)
    if name in {"str", "sorted", "list", "tuple", "set", "frozenset", "reversed", "min", "max"} and part.args:
        return all(harmless(value, context, depth + 1) for value in part.args)
    if isinstance(part.func, ast.Attribute):
        return _harmless_method(part, part.func, context, depth)
    return _answers_harmlessly(name, context, depth) or (is_fragment(name) and name in context.imports)


def _harmless_method(part: ast.Call, function: ast.Attribute, context: FileContext, depth: int) -> bool:
    name, owner = function.attr, function.value
    if name in LAYOUT or name == "format":
        filled = [*part.args, *(word.value for word in part.keywords)] if name == "format" else []
        return all(harmless(value, context, depth + 1) for value in (owner, *filled))
    if names_schema(part) and all(
        "table" in ast.unparse(value).lower() or harmless(value, context, depth + 1) for value in part.args
    ):
        return True
    if name == "get":
        picked = comes_from_operator(owner, context) or _holds_harmless(owner, context, depth)
        return picked and all(harmless(value, context, depth + 1) for value in part.args[1:])
    return is_fragment(name) or (last_name(owner) in {"self", "cls"} and _answers_harmlessly(name, context, depth))


def _answers_harmlessly(name: str, context: FileContext, depth: int, key: object = None) -> bool:
    """True for a function of the file of which every answer is harmless, or what every answer has for a key."""
    if depth + 2 > _DEEPEST:
        return False
    named = [node for node in statements(context.tree) if isinstance(node, FunctionNode) and node.name == name]
    if len(named) != 1:
        return False
    answers = [node.value for node in own_nodes(named[0], context) if isinstance(node, ast.Return)]
    if key is not None:
        answers = [by_key(node).get(key) for node in answers]
    with seen_from(named[0], context):
        return bool(answers) and all(harmless(answer, context, depth + 2) for answer in answers)


def _holds_harmless(holder: ast.expr, context: FileContext, depth: int) -> bool:
    """True for a dict, list or tuple of which every value is harmless: whichever is picked is one of a fixed list."""
    if isinstance(holder, ast.Dict):
        return all(harmless(value, context, depth + 1) for value in holder.values)
    if depth > _DEEPEST:  # two names can each be bound to the other
        return False
    if isinstance(holder, ast.Name):
        bound = values_of(holder.id, context)
        if bound:
            return all(value is not None and _holds_harmless(value, context, depth + 1) for value in bound)
    return harmless(holder, context, depth + 1)


def _joins_harmless(joined: ast.expr, context: FileContext, depth: int) -> bool:
    """`", ".join("?" for _ in rows)`, `", ".join(["%s"] * count)`, a join of quoted names or of placeholders."""
    made_by = last_name(joined.func) if isinstance(joined, ast.Call) and joined.args else ""
    if made_by == "map":
        return last_name(joined.args[0]) in NUMBERS or last_name(joined.args[0]).endswith(QUOTERS)  # type: ignore[attr-defined]
    return made_by == "repeat" or harmless(joined, context, depth + 1)


def _harmless_name(node: ast.Name, context: FileContext, depth: int) -> bool:
    """True where everything that a name is bound to, grown by or looped over is harmless, or it was checked before."""
    if _made_harmless(node, context, depth) or is_measured(node.id, context):
        return True
    return is_checked(node, context, partial(_is_fixed, context, depth + 1))


def _is_fixed(context: FileContext, depth: int, allowed: ast.expr) -> bool:
    """True for a list, set or dict of literals that stands in the source. Two names can each be checked against what
    the other made, so that the depth goes on."""
    return depth <= _DEEPEST and (_keys_harmless(allowed, context, depth) or _holds_harmless(allowed, context, depth))


def _made_harmless(node: ast.Name, context: FileContext, depth: int) -> bool:
    name = node.id
    if PLACES.search(name):
        return all(harmless(value, context, depth + 1) for value in filter(quotes_by_hand, values_of(name, context)))
    if name in (loops := _loop_names(context)):
        return loops[name]
    bound = values_of(name, context)
    if not bound:
        return (name in context.imports and name.isupper()) or _is_set_once(name, context, depth)
    scope = scope_of(name, context)
    if any(doubles_quotes(value) and value.lineno < node.lineno for value in bound if value is not None):
        return True
    settled = bound_anew(node, scope)
    if settled is not None:
        bound = [settled]
    with _judging((scope, name), context) as already:
        # `query = f"{query} LIMIT 1"`: what else it is bound to decides
        return already or _bound_harmlessly(name, scope, bound, context, depth)


@contextmanager
def _judging(key: Hashable, context: FileContext) -> Iterator[bool]:
    """Tells whether that is being judged already, because something is bound to what is made of itself."""
    judged = context.memo.setdefault(_JUDGED, set())
    assert isinstance(judged, set)
    already = key in judged
    judged.add(key)
    try:
        yield already
    finally:
        if not already:
            judged.discard(key)


def _bound_harmlessly(name: str, scope: Scope, bound: list[ast.expr | None], context: FileContext, depth: int) -> bool:
    if scope is context.tree and name.lstrip("_").isupper() and all(made_here(value) for value in bound):
        return True
    written = [value for value in bound if value is not None]
    if not all(
        harmless(value, context, depth + 1) or (isinstance(value, ast.Call) and is_made_elsewhere(value, name, context))
        for value in written
    ):
        return False
    if not all(harmless(value, context, depth + 1) for value in grown(name, scope, context)):
        return False
    told = list(_unwritten(name, scope, context, depth)) if len(written) < len(bound) else []
    return len(told) == len(bound) - len(written) and all(told)


def _unwritten(name: str, scope: Scope, context: FileContext, depth: int) -> Iterator[bool]:
    """For each binding that has no expression of its own, whether it is harmless: parameters, loops, calls."""
    if not isinstance(scope, ast.Module):
        arguments = scope.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if argument.arg == name:
                known = is_limited(argument, arguments) or is_fragment(name)
                yield known or is_own_schema(ast.Name(name), context) or _called_harmlessly(scope, name, context, depth)
    for node in indirect(scope, context):
        if isinstance(node, LOOPS):
            if not isinstance(node.iter, (ast.Tuple, ast.List, ast.Set)) or place_of(node.target, name) is None:
                yield from _looped(node, name, context, depth)
        elif isinstance(node, ast.Assign):
            called = node.value.value if isinstance(node.value, ast.Await) else node.value
            for target in node.targets:
                if not isinstance(called, ast.Call):
                    break
                at = place_of(target, name) if isinstance(target, (ast.Tuple, ast.List)) else None
                if at is not None and isinstance(target, (ast.Tuple, ast.List)):
                    made = last_name(called.func)
                    known = made in COMPILERS or has_parameters(target) or is_fragment(name)
                    yield known or _answers_harmlessly(made, context, depth, at)


def _looped(
    node: ast.For | ast.AsyncFor | ast.comprehension, name: str, context: FileContext, depth: int
) -> Iterator[bool]:
    place = place_of(node.target, name)
    if place is None:
        return
    over = node.iter
    if isinstance(over, ast.Call) and last_name(over.func) in {"range", "count"}:
        yield True
    elif isinstance(over, ast.Call) and last_name(over.func) == "enumerate" and over.args:
        yield place == 0 or _holds_harmless(over.args[0], context, depth)
    elif (
        isinstance(over, ast.Call)
        and isinstance(over.func, ast.Attribute)
        and over.func.attr in {"items", "values", "keys"}
    ):
        keys = over.func.attr == "keys" or (over.func.attr == "items" and place == 0)
        yield (_keys_harmless if keys else _holds_harmless)(over.func.value, context, depth)
    elif isinstance(node.target, ast.Name):
        yield _holds_harmless(over, context, depth)
    else:
        yield is_literal(over, context) or is_constant(over, context)


def _keys_harmless(holder: ast.expr, context: FileContext, depth: int) -> bool:
    if isinstance(holder, ast.Name):
        return _keys_of_name_harmless(holder, context, depth)
    if isinstance(holder, ast.Dict):
        return all(harmless(key, context, depth + 1) for key in holder.keys)
    if isinstance(holder, ast.DictComp):
        return _harmless_comprehension(ast.SetComp(holder.key, holder.generators), context, depth + 1)
    if isinstance(holder, ast.Call):
        return dumps_model(holder, context)
    return isinstance(holder, ast.Attribute) and holder.attr.isupper()


def _keys_of_name_harmless(holder: ast.Name, context: FileContext, depth: int) -> bool:
    bound = values_of(holder.id, context) if depth <= _DEEPEST else []
    with _judging(("keys of", scope_of(holder.id, context), holder.id), context) as already:
        # `data = {key: value for key, value in data.items() if value}`: what it was before decides
        return already or (
            bool(bound)
            and all(
                _keys_harmless(value, context, depth + 1) if value is not None else has_fixed_keys(holder.id, context)
                for value in bound
            )
        )


def _called_harmlessly(function: FunctionNode, name: str, context: FileContext, depth: int) -> bool:
    """True for a parameter of a private function that every call of the file gives something harmless."""
    if not function.name.startswith("_") or function.name.startswith("__") or depth > _DEEPEST:
        return False
    mentions, calls = calls_by_name(context).get(function.name, (0, []))
    for scope, call in calls:
        with seen_from(scope, context):
            if not harmless(argument_of(call, function, name), context, depth + 2):
                return False
    return len(calls) == mentions > 0


_JUDGES: dict[type[ast.expr], Callable[[Any, FileContext, int], bool]] = {
    ast.Name: _harmless_name,
    ast.Attribute: _harmless_attribute,
    ast.Subscript: _harmless_item,
    ast.Call: _harmless_call,
    ast.BinOp: _harmless_sum,
    ast.JoinedStr: _harmless_f_string,
    **dict.fromkeys((ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp), _harmless_comprehension),
    **dict.fromkeys((ast.Compare, ast.UnaryOp), lambda *_: True),  # a truth or a number
}
