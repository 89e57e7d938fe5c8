"""The rule of the skill runtime-performance-auditor about copies that nobody needs."""

import ast
from collections.abc import Sequence

from skills.gates.analysis.bindings import Binding, bindings, lookup, origin
from skills.gates.analysis.execution import execution_of
from skills.gates.analysis.loops import MUTATORS, changes, is_change, local_nodes, loops_around, scope_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.model import Evidence, Severity
from skills.gates.rule import Example, Rule, Watch

SKILL = "runtime-performance-auditor"
COPIES = "redundant-data-copies"

_COPIERS = frozenset({"list", "tuple", "set", "dict"})
_TAKERS = frozenset({"len", "sum", "min", "max", "any", "all", "sorted", "frozenset"})
_RANGE = frozenset({"range"})
_PASSES = frozenset({"enumerate", "reversed"})
_VIEWS = frozenset({"items", "keys", "values"})
_MAKERS = frozenset({"list", "dict", "set", "sorted", "tuple"})
_DISPLAYS = (ast.List, ast.Tuple, ast.Set, ast.ListComp, ast.SetComp)
_READERS = frozenset(
    {
        "len", "sum", "min", "max", "any", "all", "sorted", "enumerate", "zip", "set", "frozenset", "tuple", "list",
        "dict", "str", "repr", "print", "reversed", "bool",
    }
)  # fmt: skip
_READ_METHODS = frozenset(
    {
        "get", "items", "keys", "values", "index", "count", "issubset", "issuperset", "union", "intersection",
        "difference", "isdisjoint", "join",
    }
)  # fmt: skip


def _builtin(function: ast.expr, context: FileContext, names: frozenset[str]) -> str:
    """The builtin that an expression is, of these names, else ""."""
    name = (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )
    if name not in names and name not in context.imports:
        return ""
    dotted = (origin(context, function) or "").removeprefix("builtins.")
    return dotted if dotted in names else ""


def _container(found: Binding, context: FileContext) -> str:
    """The container that a binding makes: "list", "tuple", "set", "dict", else ""."""
    value = found.value
    if value is None or found.kind not in ("value", "typed"):
        return ""
    if isinstance(value, ast.Call):
        name = _builtin(value.func, context, _MAKERS)
        return "list" if name == "sorted" else name or _answered(value.func, context)
    if isinstance(value, (ast.Dict, ast.DictComp)):
        return "dict"
    return type(value).__name__.removesuffix("Comp").lower() if isinstance(value, _DISPLAYS) else ""


def _answered(function: ast.expr, context: FileContext) -> str:
    """The container that a function of this module says it answers."""
    found = lookup(context, function.id, function.lineno) if isinstance(function, ast.Name) else None
    node = found.node if found is not None and found.kind == "definition" else None
    hint = node.returns if isinstance(node, ast.FunctionDef) else None
    hint = hint.value if isinstance(hint, ast.Subscript) else hint
    return hint.id if isinstance(hint, ast.Name) and hint.id in ("list", "dict", "set", "tuple") else ""


def _known_container(name: str, line: int, context: FileContext) -> tuple[str, Binding] | None:
    """What a name of the current scope (or a tuple of the module) holds, with the binding that says so."""
    scope = scope_of(context)
    found = bindings(context, scope).get(name)
    if not found and not isinstance(scope, ast.Module):
        outer = bindings(context, context.tree).get(name, [])
        kinds = {_container(one, context) for one in outer}
        return ("tuple", outer[-1]) if kinds == {"tuple"} else None
    before = [one for one in found or () if one.line < line]
    kinds = {_container(one, context) for one in before}
    return (_container(before[-1], context), before[-1]) if before and "" not in kinds else None


def _on_loop(node: ast.For | ast.AsyncFor, context: FileContext) -> None:
    """`for x in list(xs)` where nothing changes `xs` meanwhile."""
    _looped(node.iter, node.body, context)


def _on_comprehension(node: ast.ListComp | ast.SetComp | ast.DictComp, context: FileContext) -> None:
    """`[f(x) for x in list(xs)]`, likewise."""
    for clause in node.generators:
        _looped(clause.iter, [node], context)


def _looped(over: ast.expr, body: Sequence[ast.AST], context: FileContext) -> None:
    over, backwards = _inside(over, context)
    found = _copied_for_loop(over, context)
    if found is None:
        return
    source, shown = found
    of_dict = isinstance(source, ast.Call) and _is_view(source)
    if isinstance(source, (ast.List, ast.Tuple, ast.Set, ast.ListComp, ast.SetComp)) or (
        isinstance(source, ast.Call) and _builtin(source.func, context, _RANGE)
    ):
        if not (backwards and isinstance(source, (ast.Set, ast.SetComp))):
            _report(over, f"`{shown}` copies what is only looped over", context, ())
        return
    name = source.func.value if of_dict else source  # type: ignore[attr-defined]
    if not isinstance(name, ast.Name):
        return
    known = _known_container(name.id, over.lineno, context)
    if known is None or (known[0] == "dict") != of_dict or (backwards and known[0] not in ("list", "tuple")):
        return
    if changes(body, name.id) or _handed_on(body, name.id, context) or (of_dict and not _stays_here(name.id, context)):
        return
    said = Evidence(context.path, known[1].line, f"`{name.id}` is a {known[0]}")
    _report(over, f"`{shown}` copies `{name.id}`, which the loop does not change", context, (said,))


def _inside(over: ast.expr, context: FileContext) -> tuple[ast.expr, bool]:
    """What `enumerate(…)` and `reversed(…)` in the header of a loop go over, and whether that is from its end."""
    match over:
        case ast.Call(func=ast.Name(id="enumerate" | "reversed") as function, args=[first, *_]):
            if _builtin(function, context, _PASSES):
                return first, function.id == "reversed"
    return over, False


def _is_view(call: ast.Call) -> bool:
    """True for `names.items()` and its kin."""
    return isinstance(call.func, ast.Attribute) and call.func.attr in _VIEWS and not call.args and not call.keywords


def _stays_here(name: str, context: FileContext) -> bool:
    """True where a dict of a function is filled and read, but never handed to anything that could keep it."""
    function = context.function
    if function is None:
        return False
    parents = _parents(function, context)
    return all(
        isinstance(parents.get(use), ast.Subscript)
        or _is_reading(use, parents)
        or (isinstance(above := parents.get(use), ast.Attribute) and above.attr in MUTATORS)
        for use in _uses(function, name)
    )


def _copied_for_loop(over: ast.expr, context: FileContext) -> tuple[ast.expr, str] | None:
    """(what a loop runs over a copy of, how it is copied): `list(xs)`, `xs.copy()`, `xs[:]`."""
    match over:
        case ast.Subscript(value=source, slice=ast.Slice(lower=None, upper=None, step=None)):
            return source, "[:]"
        case ast.Call(func=ast.Attribute(value=source, attr="copy"), args=[], keywords=[]):
            return source, ".copy()"
        case ast.Call(func=function, args=[source], keywords=[]):
            name = _builtin(function, context, frozenset({"list", "tuple"}))
            return (source, f"{name}(…)") if name else None
    return None


def _handed_on(body: Sequence[ast.AST], name: str, context: FileContext) -> bool:
    """True where the loop's body, or a function defined in the same scope, could reach the object by its name."""
    if any(isinstance(part, ast.Name) and part.id == name for statement in body for part in _arguments(statement)):
        return True
    scope = scope_of(context)
    if isinstance(scope, ast.Module):
        return False
    return any(
        isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        and any(is_change(part, name) for part in descendants(inner))
        for inner in local_nodes(scope)
    )


def _arguments(statement: ast.AST) -> list[ast.expr]:
    return [
        argument
        for part in descendants(statement)
        if isinstance(part, ast.Call) and not (isinstance(part.func, ast.Name) and part.func.id in _READERS)
        for argument in part.args
    ]


def _on_call(node: ast.Call, context: FileContext) -> None:
    """`list(xs).copy()`, `list(xs.copy())`: a copy of what nobody else holds."""
    function = node.func
    if isinstance(function, ast.Attribute):
        if function.attr == "copy" and not node.args and not node.keywords and _is_fresh(function.value, context):
            _report(node, "`.copy()` of what was made on the spot and nobody else holds", context, ())
    elif isinstance(function, ast.Name) and function.id in _COPIERS and len(node.args) == 1 and not node.keywords:
        inner = node.args[0]
        if _is_plain_copy(inner) and _builtin(function, context, _COPIERS):
            _report(node, f"`{function.id}(…)` copies a copy", context, ())
    elif isinstance(function, ast.Name) and function.id in _TAKERS and len(node.args) == 1:
        read = _is_plain_copy(node.args[0]) and _builtin(function, context, _TAKERS)
        if read:
            _report(node.args[0], f"`{function.id}(…)` changes nothing: it needs no copy", context, ())


def _is_plain_copy(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="copy"), args=[], keywords=[]):
            return True
    return False


def _is_fresh(node: ast.expr, context: FileContext) -> bool:
    if isinstance(node, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)):
        return True
    return isinstance(node, ast.Call) and bool(_builtin(node.func, context, _MAKERS))


def _on_assignment(node: ast.Assign, context: FileContext) -> None:
    """A copy of a local container that is only read, of a source that does not change after it."""
    function = context.function
    if function is None or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
        return
    source = _copied(node.value, context)
    copy = node.targets[0].id
    if source is None or source == copy or len(bindings(context, function).get(copy, ())) != 1:
        return
    known = _known_container(source, node.lineno, context)
    if known is None or known[1] not in bindings(context, function).get(source, ()):
        return
    if any(is_change(part, copy) for part in descendants(function)):
        return  # `copy += more`: what it is grown by is no reading of it
    if not _only_read(function, copy, context) or not _left_alone(function, source, node, context):
        return
    said = Evidence(context.path, known[1].line, f"`{source}` is a {known[0]}")
    _report(node.value, f"`{copy}` is only read: `{source}` would do, nothing changes it afterwards", context, (said,))


def _copied(value: ast.expr, context: FileContext) -> str | None:
    """The name that an expression makes a shallow copy of."""
    match value:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="copy"), args=[], keywords=[]):
            return None if origin(context, value.func) == "copy.copy" else name
        case ast.Call(func=function, args=[ast.Name(id=name)], keywords=[]):
            same = origin(context, function) == "copy.copy" or _same_kind(function, name, value, context)
            return name if same else None
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Slice(lower=None, upper=None, step=None)):
            return name
        case ast.List(elts=[ast.Starred(value=ast.Name(id=name))]) | ast.Dict(keys=[None], values=[ast.Name(id=name)]):
            return name if _same_kind(ast.Name("", ast.Load()), name, value, context) else None
    return None


def _same_kind(function: ast.expr, name: str, value: ast.expr, context: FileContext) -> bool:
    """True where the copy is of the type that its source has: else it is a conversion."""
    known = _known_container(name, value.lineno, context)
    if known is None:
        return False
    if isinstance(value, (ast.List, ast.Dict)):
        return known[0] == type(value).__name__.lower()
    return known[0] == _builtin(function, context, _COPIERS)


def _parents(function: FunctionNode, context: FileContext) -> dict[ast.AST, ast.AST]:
    known = context.memo.setdefault("parents", {})
    assert isinstance(known, dict)
    if function not in known:
        known[function] = {child: above for above in descendants(function) for child in ast.iter_child_nodes(above)}
    parents: dict[ast.AST, ast.AST] = known[function]
    return parents


def _uses(function: FunctionNode, name: str) -> list[ast.Name]:
    return [
        part
        for part in descendants(function)
        if isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Load)
    ]


def _only_read(function: FunctionNode, name: str, context: FileContext) -> bool:
    uses = _uses(function, name)
    parents = _parents(function, context)
    return bool(uses) and all(_is_reading(use, parents) for use in uses)


def _is_reading(use: ast.Name, parents: dict[ast.AST, ast.AST]) -> bool:
    """True where a use of a container neither changes it nor lets it out of sight."""
    above = parents.get(use)
    match above:
        case ast.For(iter=over) | ast.AsyncFor(iter=over) | ast.comprehension(iter=over):
            return over is use
        case ast.Subscript(value=value, ctx=ast.Load()):
            return value is use
        case ast.Compare() | ast.If() | ast.While() | ast.UnaryOp() | ast.FormattedValue():
            return True
        case ast.Attribute(attr=method):
            call = parents.get(above)
            return method in _READ_METHODS and isinstance(call, ast.Call) and call.func is above
        case ast.Call(func=ast.Name(id=function)):
            return function in _READERS
        case ast.Call(func=ast.Attribute(attr="join")):
            return True
    return False


def _left_alone(function: FunctionNode, source: str, copy: ast.Assign, context: FileContext) -> bool:
    """True where nothing can change the source once it was copied."""
    if loops_around(context, copy):
        return False
    parents = _parents(function, context)
    return all(_is_reading(use, parents) for use in _uses(function, source) if use.lineno > copy.lineno) and not any(
        is_change(part, source) and part.lineno > copy.lineno  # type: ignore[attr-defined]
        for part in descendants(function)
    )


def _report(node: ast.expr, message: str, context: FileContext, evidence: tuple[Evidence, ...]) -> None:
    kind, _ = execution_of(context)
    severity: Severity = "MEDIUM" if kind == "request_handler" and len(loops_around(context, node)) > 1 else "LOW"
    context.report(COPIES, node, message, severity=severity, evidence=evidence)


_COPIED = (b" in list(", b" in tuple(", b".copy()", b"[:]")
_PATH = "shop/stock.py"

redundant_data_copies = Rule(
    name=COPIES,
    gate="none",
    severity="LOW",
    skill=SKILL,
    sources=("PA-653-6",),
    catches="Copies of lists, sets, tuples and dicts that are only read: `for x in list(xs)` where nothing changes "
    "`xs`, `list(xs.copy())`, `sorted(xs.copy())`, `dict(a).copy()`, a local copy of a local container.",
    why="A copy takes memory and time for every element, and readers wonder what it protects.",
    fix="Use the original. Keep the copy where the original changes meanwhile.",
    when="In production code, where the file says that the original is a container. Not for parameters, shared state, "
    "dicts that others hold too, and conversions from one type to another.",
    watches=(
        Watch((ast.For, ast.AsyncFor), _on_loop, (b"list", b"tuple", b".copy()", b"[:]"), is_product_path),
        Watch((ast.ListComp, ast.SetComp, ast.DictComp), _on_comprehension, _COPIED, is_product_path, near=_COPIED),
        Watch((ast.Call,), _on_call, (b".copy()",), is_product_path),
        Watch((ast.Assign,), _on_assignment, (b"copy(", b"[:]", b"= list(", b"= dict(", b"= set(", b"[*", b"{**"),
              is_product_path),
    ),
    bad=(
        Example({_PATH: "sizes = ('s', 'm')\n\nfor size in list(sizes):\n    print(size)\n"}),
        Example({_PATH: "def f():\n    sizes = ['s', 'm']\n    for size in sizes.copy():\n        print(size)\n"}),
        Example({_PATH: "def f(x):\n    for size in list({x, 2}):\n        print(size)\n"}),
        Example({_PATH: "def f():\n    sizes = ['s', 'm']\n    for size in sizes[:]:\n        print(size)\n"}),
        Example({_PATH: "def f():\n    sizes = {'s', 'm'}\n    return [size.upper() for size in list(sizes)]\n"}),
        Example({_PATH: "def f():\n    sizes = ['s', 'm']\n    for n, size in enumerate(list(sizes)):\n"
                 "        print(n, size)\n"}),
        Example({_PATH: "def f(n):\n    for i in list(range(n)):\n        print(i)\n"}),
        Example({_PATH: "def f(rows):\n    found = {}\n    for row in rows:\n        found[row.key] = row\n"
                 "    for key, row in list(found.items()):\n        print(key, row)\n"}),
        Example({_PATH: "def f(x):\n    return sorted(x.copy(), key=len)\n"}),
        Example({_PATH: "def f(x):\n    return dict(x).copy()\n"}),
        Example({_PATH: "def f(x):\n    return list(x.copy())\n"}),
        Example({_PATH: "def f(rows):\n    names = {r.id: r.name for r in rows}\n    known = dict(names)\n"
                 "    return [known[r.id] for r in rows]\n"}),
    ),
    good=(
        Example({_PATH: "def f(sizes: list):\n    for size in list(sizes):\n        sizes.remove(size)\n"}),
        Example({_PATH: "def f():\n    sizes = ['s']\n    for size in list(sizes):\n        sizes.append(size)\n"}),
        Example({_PATH: "def f():\n    sizes = ['s']\n    for size in sizes[:]:\n        sizes.remove(size)\n"}),
        Example({_PATH: "HOOKS = []\n\n\ndef fire():\n    for hook in list(HOOKS):\n        hook()\n"},
                note="a hook may remove itself"),
        Example({_PATH: "def f(rows):\n    names = {r.id: r.name for r in rows}\n    mine = dict(names)\n"
                 "    mine['x'] = 1\n    return mine, names\n"}),
        Example({_PATH: "def f(rows):\n    names = [r.name for r in rows]\n    before = list(names)\n"
                 "    names.sort()\n    return before == names\n"}),
        Example({_PATH: "def f(rows):\n    names = [r.name for r in rows]\n    mine = names.copy()\n    mine += ['x']\n"
                 "    print(mine, names)\n"}),
        Example({_PATH: "def f(rows):\n    found = {}\n    for row in rows:\n        found[row.key] = row\n"
                 "    for key, row in list(found.items()):\n        if row.old:\n            found.pop(key)\n"}),
        Example({_PATH: "def f(self):\n    found = {}\n    self.found = found\n    self.fill()\n"
                 "    for row in list(found.values()):\n        row.close()\n"}, note="a close may take the row out"),
        Example({_PATH: "def f():\n    sizes = {'s', 'm'}\n    for size in reversed(list(sizes)):\n"
                 "        print(size)\n"}, note="sets have no end"),
        Example({_PATH: "def f():\n    left = ['s', 'm']\n    return [left.pop() for size in list(left)]\n"}),
        Example({_PATH: "def f(queryset):\n    rows = list(queryset)\n    return len(rows), rows[0]\n"}),
        Example({"tests/test_a.py": "def test_a():\n    for x in list([1]):\n        assert x\n"}),
    ),
)  # fmt: skip

RULES: tuple[Rule, ...] = (redundant_data_copies,)
