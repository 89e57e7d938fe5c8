"""Rules of the skill runtime-performance-auditor about lists that are built only to be thrown away."""

import ast

from skills.gates.analysis.bindings import origin
from skills.gates.analysis.execution import execution_of
from skills.gates.analysis.loops import loops_around
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants, is_singleton, keyword_of
from skills.gates.model import Severity
from skills.gates.rule import Apart, Rule, Watch
from skills.gates.runtime.built_lists import Comprehension, all_lines, built_before

SKILL = "runtime-performance-auditor"
LIST = "unnecessary-list-allocation"

_OUTER = frozenset(
    {"set", "frozenset", "dict", "list", "tuple", "any", "all", "len", "sum", "min", "max", "sorted", "reversed",
     "bool"}
)  # fmt: skip
_TAKES = {"collections.Counter": 0, "collections.deque": 0, "collections.OrderedDict": 0, "functools.reduce": 1,
          "itertools.chain.from_iterable": 0, "math.fsum": 0, "math.prod": 0}  # fmt: skip
"""Callables that run once over what they are given there, and keep no hold of it."""
_ATTRIBUTES = _OUTER | {"pop"} | {name.rpartition(".")[2] for name in _TAKES}
_FROM_LIST_COMPREHENSION = {
    "set": "write the set comprehension `{… for …}`",
    "frozenset": "leave the brackets out: `frozenset(… for …)`",
    "list": "the comprehension is a list already",
    "tuple": "leave the brackets out: `tuple(… for …)`",
    "any": "leave the brackets out: `any(… for …)` stops at the first true one",
    "all": "leave the brackets out: `all(… for …)` stops at the first false one",
    "len": "count without a list: `sum(1 for …)`",
    "sum": "leave the brackets out: `sum(… for …)`",
    "min": "leave the brackets out: `min(… for …)`",
    "max": "leave the brackets out: `max(… for …)`",
    "bool": "ask `any(True for …)`, which stops at the first one",
}
_NO_FASTER = frozenset({"sum", "min", "max", "tuple"})
"""With a generator these take less memory, but no less time."""
_FROM_DISPLAY = {
    "set": "write the set `{…}`",
    "list": "write the list `[…]`",
    "tuple": "write the tuple `(…)`",
}
_OWN_DISPLAYS: dict[str, tuple[type[ast.expr], ...]] = {
    "dict": (ast.Dict, ast.DictComp),
    "set": (ast.Set, ast.SetComp),
}
_REDUNDANT_INNER = {
    "list": frozenset({"list", "tuple"}),
    "tuple": frozenset({"list", "tuple"}),
    "dict": frozenset({"list", "tuple"}),
    "set": frozenset({"list", "tuple", "set", "sorted", "reversed"}),
    "frozenset": frozenset({"list", "tuple", "set", "sorted", "reversed"}),
    "sorted": frozenset({"list", "tuple", "sorted", "reversed"}),
    "any": frozenset({"list", "tuple"}),
    "all": frozenset({"list", "tuple"}),
    "sum": frozenset({"list", "tuple"}),
    "min": frozenset({"list", "tuple", "sorted"}),
    "max": frozenset({"list", "tuple", "sorted"}),
}


def builtin(function: ast.expr, context: FileContext) -> str:
    """The name of the builtin that an expression is, "" for what is not one or is shadowed."""
    if isinstance(function, ast.Name):
        if function.id not in _OUTER and function.id not in context.imports:
            return ""
    elif not isinstance(function, ast.Attribute) or function.attr not in _OUTER:
        return ""
    name = (origin(context, function) or "").removeprefix("builtins.")
    return name if name in _OUTER else ""


def waits_inside(node: ast.AST) -> bool:
    """True where an expression awaits or yields, so that a generator in its place would mean something else. What the
    first loop of a comprehension runs over is asked for once, before."""
    if isinstance(node, (ast.ListComp, ast.SetComp)) and not node.generators[0].is_async:
        first, *more = node.generators
        return any(clause.is_async for clause in more) or any(map(waits_inside, (node.elt, *first.ifs, *more)))
    return any(
        isinstance(part, (ast.Await, ast.Yield, ast.YieldFrom))
        or (isinstance(part, (ast.ListComp, ast.GeneratorExp)) and any(clause.is_async for clause in part.generators))
        for part in descendants(node)
    )


def _on_call(node: ast.Call, context: FileContext) -> None:
    function = node.func
    # Names first: they cost least, and nearly every call ends here.
    if isinstance(function, ast.Attribute) and function.attr not in _ATTRIBUTES:
        return
    if not node.args:
        return
    outer = builtin(node.func, context)
    if not outer:
        _on_pop(node, context)
        _on_collection(node, context)
        return
    starts = outer == "sum" and len(node.args) == 2 and not isinstance(node.args[1], ast.List)
    if (len(node.args) != 1 and not starts) or isinstance(node.args[0], ast.Starred):
        return
    inner, named = node.args[0], ""
    if isinstance(inner, ast.Name) and outer not in _NO_FASTER:
        made = built_before(node, context)
        if not isinstance(made, (ast.ListComp, ast.Call)):
            return
        named, inner = inner.id, made
    if isinstance(inner, ast.SetComp) and outer in ("any", "all") and not waits_inside(inner):
        _report(node, f"`{outer}(…)` around a set that nobody keeps: test each element as it comes", context)
    advice = _advice(outer, node, inner, context)
    if advice:
        small = outer in _NO_FASTER and isinstance(inner, ast.ListComp)
        said = f"is all that `{named}` is built for" if named else "around a list that nobody keeps"
        message = f"`{outer}({named or '…'})` {said}: {advice}"
        _report(node, message, context, "INFO" if small else None)


def _advice(outer: str, node: ast.Call, inner: ast.expr, context: FileContext) -> str:
    """What to write instead of `outer(inner)`, "" where it is fine."""
    keywords = bool(node.keywords)
    if isinstance(inner, ast.ListComp):
        return _of_comprehension(outer, inner, keywords)
    if isinstance(inner, ast.Call):
        return _of_call(outer, node, inner, context)
    if keywords and outer != "sorted":
        return ""
    if isinstance(inner, (ast.List, ast.Tuple)) and outer in ("dict", "set", "list", "tuple"):
        if outer == "dict" and all(map(_is_pair, inner.elts)):
            return "write the dict `{key: value}`"
        return _FROM_DISPLAY.get(outer, "") if inner.elts else f"write `{outer}()`"
    if isinstance(inner, _OWN_DISPLAYS.get(outer, ())):
        return f"it is a {outer} already"
    if isinstance(inner, ast.Subscript) and outer in ("set", "sorted", "reversed") and _is_reversal(inner):
        return "`[::-1]` copies the list first, for nothing"
    return ""


def _of_comprehension(outer: str, inner: ast.ListComp, keywords: bool) -> str:
    if outer == "dict":
        return "write the dict comprehension `{key: value for …}`" if _is_pair(inner.elt) and not keywords else ""
    if outer not in ("set", "list") and waits_inside(inner):
        return ""
    if keywords and outer not in ("min", "max", "sum"):
        return ""
    return _FROM_LIST_COMPREHENSION.get(outer, "")


def _is_pair(node: ast.expr) -> bool:
    """`(k, v)`, `[k, v]`, and `(k, v) if v else (k, 0)`."""
    if isinstance(node, ast.IfExp):
        return _is_pair(node.body) and _is_pair(node.orelse)
    return isinstance(node, (ast.Tuple, ast.List)) and len(node.elts) == 2


def _of_call(outer: str, node: ast.Call, inner: ast.Call, context: FileContext) -> str:
    name = builtin(inner.func, context)
    if not name or len(inner.args) > 1 or any(isinstance(part, ast.Starred) for part in inner.args):
        return ""
    if node.keywords and outer not in ("sorted", "min", "max", "sum"):
        return ""
    if outer == "len" and name in ("list", "tuple") and not inner.keywords and inner.args:
        counted = isinstance(inner.args[0], ast.GeneratorExp) and not waits_inside(inner.args[0])
        return _FROM_LIST_COMPREHENSION["len"] if counted else ""
    if name == "sorted":
        if outer == "list":
            return "`sorted` returns a list already"
        if outer == "reversed":
            return "`sorted(…, reverse=True)` needs no second pass"
        if outer == "sorted" and _words(node) != _words(inner):
            return ""
    elif inner.keywords:
        return ""
    return f"the inner `{name}(…)` is not needed" if name in _REDUNDANT_INNER.get(outer, ()) else ""


def _words(call: ast.Call) -> frozenset[tuple[str | None, str]]:
    return frozenset((word.arg, ast.dump(word.value)) for word in call.keywords)


def _is_reversal(node: ast.Subscript) -> bool:
    match node.slice:
        case ast.Slice(lower=None, upper=None, step=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1))):
            return True
    return False


def _throwaway(node: ast.expr, context: FileContext) -> bool:
    """True for a list or tuple that is built where it stands from one iterable."""
    match node:
        case ast.ListComp():
            return not waits_inside(node)
        case ast.List(elts=[ast.Starred()]):
            return True
        case ast.Call(func=function, args=[only], keywords=[]) if not isinstance(only, ast.Starred):
            return builtin(function, context) in ("list", "tuple") and not waits_inside(only)
    return False


def _on_pop(node: ast.Call, context: FileContext) -> None:
    match node:
        case ast.Call(func=ast.Attribute(value=made, attr="pop"), args=[ast.Constant(value=0)], keywords=[]):
            if _throwaway(made, context):
                _report(node, "A list is built for its first element: `next(iter(…))` takes just that one", context)


def _on_collection(node: ast.Call, context: FileContext) -> None:
    """`Counter([… for …])`, `deque(list(xs), maxlen=3)`, `reduce(mul, [… for …])`, `next(iter([… for …]))`."""
    made = next((part for part in node.args[:2] if isinstance(part, (ast.ListComp, ast.Call))), None)
    if made is None or not isinstance(node.func, (ast.Name, ast.Attribute)):
        return
    name = origin(context, node.func) or ""
    if node.args[_TAKES.get(name, 0) :][:1] != [made]:
        return
    if name in _TAKES and _throwaway(made, context):
        _report(node, f"`{name.rpartition('.')[2]}(…)` around a list that nobody keeps: hand it the iterable", context)
    elif name == "iter" and len(node.args) == 1 and isinstance(made, ast.ListComp) and _throwaway(made, context):
        above = context.parent(node)
        if isinstance(above, ast.Call) and isinstance(above.func, ast.Name) and above.func.id == "next":
            _report(made, "A list is built for its first element: leave the brackets out", context)


def _on_test(node: ast.If | ast.While | ast.IfExp | ast.UnaryOp, context: FileContext) -> None:
    """`if [… for …]:`, `not [… for …]`, `if list(filter(…)):`"""
    tested = node.operand if isinstance(node, ast.UnaryOp) else node.test
    made = tested.args[0] if isinstance(tested, ast.Call) and len(tested.args) == 1 else None
    lazily = isinstance(made, ast.GeneratorExp) or (isinstance(made, ast.Call) and last_name(made.func) == "filter")
    if (isinstance(tested, ast.ListComp) and not waits_inside(tested)) or (lazily and _throwaway(tested, context)):
        message = "A list is built to see whether it is empty: `any(True for …)` stops at the first one"
        _report(tested, message, context)


def _on_subscript(node: ast.Subscript, context: FileContext) -> None:
    if not isinstance(node.ctx, ast.Load) or not isinstance(node.value, (ast.Call, ast.ListComp, ast.List)):
        return
    if _is_reversal(node):
        if _is_sorting(node.value, context):
            way = "leave `reverse` out" if _is_reversed(node.value) else "say `reverse=True`"
            _report(node, f"What is sorted is copied to turn it around: {way}", context)
        return
    first = isinstance(node.slice, ast.Constant) and type(node.slice.value) is int and node.slice.value == 0
    if first and _throwaway(node.value, context):
        _report(node, "A list is built for its first element: `next(iter(…))` takes just that one", context)
    elif (first or _is_last(node.slice)) and _is_sorting(node.value, context):
        best = "min" if first != _is_reversed(node.value) else "max"
        _report(node, f"Everything is sorted for one element: `{best}(…)` finds it in one pass", context)


def _is_sorting(node: ast.expr, context: FileContext) -> bool:
    """True for `sorted(…)` that says its direction."""
    if not isinstance(node, ast.Call) or len(node.args) != 1 or builtin(node.func, context) != "sorted":
        return False
    return all(
        word.arg == "key" or (word.arg == "reverse" and isinstance(word.value, ast.Constant)) for word in node.keywords
    )


def _is_last(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and ast.unparse(node) == "-1"


def _is_reversed(call: ast.expr) -> bool:
    return isinstance(call, ast.Call) and is_singleton(keyword_of(call, "reverse"), True)


def _on_compare(node: ast.Compare, context: FileContext) -> None:
    """`x in list(y)`, `x in [… for …]`."""
    if len(node.ops) != 1 or not isinstance(node.ops[0], (ast.In, ast.NotIn)):
        return
    inside = node.comparators[0]
    if isinstance(inside, ast.ListComp):
        if waits_inside(inside):
            return
        if loops_around(context, node):
            message = "A list is built in every iteration to look one thing up: build a set before the loop"
        else:
            message = "A list is built to look one thing up: without brackets the search stops where it is found"
        _report(inside, message, context)
    elif isinstance(inside, ast.Call) and len(inside.args) == 1 and _throwaway(inside, context):
        _report(inside, "A list is built to look one thing up: ask the iterable itself", context)


def _on_loop(node: ast.For, context: FileContext) -> None:
    """`for line in file.readlines():`"""
    if all_lines(node.iter, [*node.body], context):
        _report(node.iter, _LINES, context)


def _on_clauses(node: Comprehension, context: FileContext) -> None:
    """`[line.strip() for line in file.readlines()]`"""
    for clause in node.generators:
        if all_lines(clause.iter, [node], context):
            _report(clause.iter, _LINES, context)


def _report(node: ast.expr, message: str, context: FileContext, severity: Severity | None = None) -> None:
    if severity is None:
        hot = execution_of(context)[0] == "request_handler" or bool(loops_around(context, node))
        severity = "MEDIUM" if hot and not _over_display(node) else "LOW"
    context.report(LIST, node, message, severity=severity)


def _over_display(node: ast.expr) -> bool:
    """True where the elements stand in the source, so that they are few."""
    return any(
        isinstance(part, ast.ListComp) and isinstance(part.generators[0].iter, (ast.List, ast.Tuple))
        for part in descendants(node)
    ) or (isinstance(node, ast.Call) and isinstance(node.args[0], (ast.List, ast.Tuple)))


_TESTS = (b"if [", b"while [", b"not [", b"if list(", b"while list(", b"not list(")
_READS = (b".readlines()",)
_LINES = "every line of the file is held at once: walk over the file itself"

unnecessary_list_allocation = Rule(
    name=LIST,
    gate="none",
    severity="LOW",
    skill=SKILL,
    sources=("PA-653-2",),
    catches="Lists (and tuples) that are built only to be counted, tested, copied into something else, or read at one "
    "place: `len([…])`, `any([…])`, `set([…])`, `dict([…])`, `list(list(x))`, `sorted(list(x))`, `list(x)[0]`, "
    "`for line in file.readlines()`.",
    why="The list takes memory and time for every element and is thrown away at once; `any` and `all` lose their "
    "early exit.",
    fix="Hand the iterable or a generator over, or write the comprehension of the type that you want.",
    when="In production code. MEDIUM in loops and while a request waits, else LOW; INFO for sums and extremes. "
    "`''.join([…])` is not reported: join needs a list anyway and is slower with a generator. Nor is a list that "
    "awaits inside. A list with a name counts where the next statement is its one reader.",
    watches=(
        Watch((ast.Call,), _on_call, (), is_product_path),
        Watch((ast.Subscript,), _on_subscript, (b"[0]", b"[-1]", b"[::-1]"), is_product_path),
        Watch((ast.If, ast.While, ast.IfExp, ast.UnaryOp), _on_test, _TESTS, is_product_path, near=_TESTS),
        Watch((ast.For,), _on_loop, _READS, is_product_path, near=_READS),
        Watch(
            (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
            _on_clauses,
            _READS,
            is_product_path,
            near=_READS,
        ),
        Watch((ast.Compare,), _on_compare, (b" in list(", b" in tuple(", b" in ["), is_product_path),
    ),
    bad=Apart("runtime.allocation_examples.ALLOCATION_BAD"),
    good=Apart("runtime.allocation_examples.ALLOCATION_GOOD"),
)

RULES: tuple[Rule, ...] = (unnecessary_list_allocation,)
