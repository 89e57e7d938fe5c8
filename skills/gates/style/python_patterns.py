"""Rules of the skill python-patterns: small habits that end in wrong results."""

import ast

from skills.gates.analysis.settings_modules import is_settings_path
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import dotted, last_name, shortened
from skills.gates.engine.roles import is_product_path, is_test_path
from skills.gates.engine.syntax import is_singleton
from skills.gates.example_files import one_file
from skills.gates.rule import Rule, Watch

SKILL = "python-patterns"
MUTABLE = "mutable-default"
BARE = "bare-except"
STAR = "star-import"
TYPE = "type-comparison"
NONE = "none-comparison"

_CONTAINERS = frozenset(
    {"list", "dict", "set", "bytearray", "collections.defaultdict", "collections.OrderedDict", "collections.Counter",
     "collections.deque", "collections.ChainMap", "collections.UserDict", "collections.UserList",
     "defaultdict", "OrderedDict", "deque"}
)  # fmt: skip
_READ_ONLY = frozenset(
    {"Sequence", "Mapping", "AbstractSet", "Collection", "Container", "Iterable", "Sized", "frozenset", "tuple"}
)
_DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp)
_NONES = tuple(
    word
    for sign in (b"==", b"!=")
    for word in (sign + b" None", sign + b"None", sign + b" (None", sign + b"(None", b"None " + sign, b"None" + sign,
                 b"None) " + sign, b"None)" + sign)
)  # fmt: skip
_BROAD = frozenset({"Exception", "BaseException"})


def _on_defaults(node: FunctionNode | ast.Lambda, context: FileContext) -> None:
    arguments = node.args
    if not (arguments.defaults or any(arguments.kw_defaults)):
        return
    if "overload" in map(last_name, getattr(node, "decorator_list", ())):
        return  # it is never called
    positional = [*arguments.posonlyargs, *arguments.args][::-1]
    pairs = [*zip(positional, arguments.defaults[::-1], strict=False)]
    pairs += [(name, value) for name, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value]
    for argument, default in pairs:
        if not _is_mutable(default, context):
            continue
        if argument.annotation is not None and _is_read_only(argument.annotation, context):
            continue
        name = getattr(node, "name", "")
        symbol = context.symbol_of(name)
        message = f"`{argument.arg}={shortened(default, 30)}`: one object for all calls"
        context.report(MUTABLE, default, message, symbol=symbol)


def _on_fields(node: ast.ClassDef, context: FileContext) -> None:
    """The fields of a `NamedTuple` are the parameters of what makes one."""
    if not any(last_name(base) == "NamedTuple" for base in node.bases):
        return
    for part in node.body:
        if not isinstance(part, ast.AnnAssign) or part.value is None or not _is_mutable(part.value, context):
            continue
        if not _is_read_only(part.annotation, context):
            message = (
                f"`{ast.unparse(part.target)}={shortened(part.value, 30)}`: one object for all rows of `{node.name}`"
            )
            context.report(MUTABLE, part.value, message, symbol=context.symbol_of(node.name))


def _is_mutable(default: ast.expr, context: FileContext) -> bool:
    """True for a value that changes where it is used: a list, also inside a tuple, or a generator, which runs once."""
    if isinstance(default, ast.Call):
        return (context.resolve(default.func) or "") in _CONTAINERS
    if isinstance(default, ast.Tuple):
        return any(_is_mutable(part, context) for part in default.elts)
    if isinstance(default, ast.NamedExpr):
        return _is_mutable(default.value, context)
    return isinstance(default, _DISPLAYS)


def _is_read_only(hint: ast.expr, context: FileContext) -> bool:
    """True for an annotation with types alone that have no method to change anything: `Sequence[int] | None`."""
    if isinstance(hint, ast.BinOp):
        return _is_read_only(hint.left, context) and _is_read_only(hint.right, context)
    if isinstance(hint, ast.Constant):
        return hint.value is None
    name = last_name(hint)
    if isinstance(hint, ast.Subscript) and name in {"Optional", "Annotated", "Final"}:
        inner = hint.slice.elts[0] if isinstance(hint.slice, ast.Tuple) and hint.slice.elts else hint.slice
        return _is_read_only(inner, context)
    if isinstance(hint, ast.Subscript) and name == "Union" and isinstance(hint.slice, ast.Tuple):
        return all(_is_read_only(part, context) for part in hint.slice.elts)
    if name == "Set":  # `typing.Set` is `set` itself
        named = hint.value if isinstance(hint, ast.Subscript) else hint
        return context.resolve(named) == "collections.abc.Set"
    return name in _READ_ONLY


mutable_default = Rule(
    name=MUTABLE,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-P1",),
    catches="Lists, dicts, sets and generators as defaults of parameters, also inside a tuple, and of a `NamedTuple`'s "
    "fields.",
    why="The default is made once. What one call puts into it, the next call finds there.",
    fix="Default to `None` and make the object in the body; for what is only read, a tuple or `frozenset()`.",
    when="In functions, methods and lambdas. A parameter whose type cannot be changed (`Sequence`, `Mapping`) is fine.",
    watches=(
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_defaults, (), is_product_path),
        Watch((ast.Lambda,), _on_defaults, (b"lambda",), is_product_path, near=(b"lambda",)),
        Watch((ast.ClassDef,), _on_fields, (b"NamedTuple",), is_product_path, near=(b"NamedTuple",)),
    ),
    bad=one_file(
        "shop/cart.py",
        "def add(item, cart=[]):\n    cart.append(item)\n",
        "from collections import defaultdict as dd\n\n\ndef add(item, *, cart=dd(list)):\n    pass\n",
        "add = lambda item, seen=set(): seen.add(item)\n",
        "def total(lines=(line.price for line in STOCK)):\n    return sum(lines)\n",
        "def add(item, groups=('open', [])):\n    groups[1].append(item)\n",
        "from typing import NamedTuple\n\n\nclass Cart(NamedTuple):\n    buyer: str\n    lines: list[str] = []\n",
    ),
    good=one_file(
        "shop/cart.py",
        "def add(item, cart=None):\n    cart = [] if cart is None else cart\n",
        "def add(item, cart=(), size=int()):\n    pass\n",
        "@overload\ndef add(item: int, cart: list = []) -> None: ...\n",
        "def total(prices: Sequence[int] | None = [], names: Mapping[str, int] = {}):\n    return sum(prices)\n",
        "from collections import abc\n\n\ndef known(names: abc.Set[str] = set(), pair=(1, 'a')):\n    return names\n",
        "from typing import NamedTuple\n\n\nclass Cart(NamedTuple):\n    buyer: str\n    lines: tuple[str, ...] = ()\n",
    ),
)


def _on_handler(node: ast.ExceptHandler, context: FileContext) -> None:
    if node.type is None:
        last = node.body[-1]
        if not (isinstance(last, ast.Raise) and last.exc is None):
            context.report(BARE, node, "`except:` also catches Ctrl-C, `SystemExit` and every mistake")
        return
    names = {last_name(part) for part in (node.type.elts if isinstance(node.type, ast.Tuple) else [node.type])}
    body = node.body[0]
    empty = len(node.body) == 1 and (
        isinstance(body, (ast.Pass, ast.Continue))
        or (isinstance(body, ast.Expr) and isinstance(body.value, ast.Constant))
    )
    if empty and names & _BROAD and not _explained(node, context):
        message = f"every error ends here in silence: `except {ast.unparse(node.type)}: {ast.unparse(body)}`"
        context.report(BARE, node, message, parts=(body.lineno,))


def _explained(node: ast.ExceptHandler, context: FileContext) -> bool:
    """True where a comment of three words or more says why."""
    last = node.end_lineno or node.lineno
    return any(len(line.partition("#")[2].split()) >= 3 for line in context.lines[node.lineno - 1 : last])


bare_except = Rule(
    name=BARE,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-P2",),
    catches="`except:` without a type, and `except Exception:` with nothing but `pass` or `continue`.",
    why="A typing mistake, a full disk and Ctrl-C all look like the error that was expected, and nobody hears of them.",
    fix="Catch the exception that is meant; where all are, log them with `exception(…)` or say in a comment why not.",
    when="Everywhere. A handler that raises again is left out.",
    watches=(Watch((ast.ExceptHandler,), _on_handler),),
    bad=one_file(
        "shop/cart.py",
        "try:\n    pay()\nexcept:\n    failed = True\n",
        "try:\n    pay()\nexcept Exception:\n    pass\n",
        "for order in orders:\n    try:\n        pay(order)\n    except Exception:\n        continue\n",
    ),
    good=one_file(
        "shop/cart.py",
        "try:\n    pay()\nexcept PayError:\n    pass\n",
        "try:\n    pay()\nexcept:\n    undo()\n    raise\n",
        "try:\n    pay()\nexcept Exception:\n    pass  # the mail is only a courtesy\n",
    ),
)


def _on_star(node: ast.ImportFrom, context: FileContext) -> None:
    if node.names[0].name != "*":
        return
    if not all(isinstance(part, (ast.ImportFrom, ast.Import, ast.Expr)) for part in context.tree.body):
        source = "." * node.level + (node.module or "")
        context.report(STAR, node, f"`from {source} import *`: nobody can see which names it brings")


def _may_star(path: str) -> bool:
    return not path.endswith("__init__.py") and not is_settings_path(path) and not is_test_path(path)


star_import = Rule(
    name=STAR,
    gate="P1",
    severity="LOW",
    skill=SKILL,
    sources=("PB-P3",),
    catches="`from module import *`.",
    why="Names appear from nowhere and hide others; neither people nor tools can say where one comes from.",
    fix="Import the names that are used, or the module.",
    when="Not in `__init__.py`, settings modules, tests, and modules that only pass names on, where it is customary.",
    watches=(Watch((ast.ImportFrom,), _on_star, (b"import *",), _may_star),),
    bad=one_file("shop/cart.py", "from shop.models import *\n\nrow = Order()\n"),
    good=(
        *one_file("shop/cart.py", "from shop.models import Order\n"),
        *one_file("shop/__init__.py", "from .cart import *\n"),
    ),
)


def _on_compare(node: ast.Compare, context: FileContext) -> None:
    operands = [node.left, *node.comparators]
    for position, operator in enumerate(node.ops):
        if operator.__class__ not in {ast.Eq, ast.NotEq}:
            continue
        left, right = operands[position], operands[position + 1]
        if is_singleton(left, None) or is_singleton(right, None):
            other = right if is_singleton(left, None) else left
            if not _is_column(other, context):
                word = "is" if isinstance(operator, ast.Eq) else "is not"
                context.report(NONE, node, f"`{shortened(node, 50)}`: `None` is one object, ask with `{word}`")
            return


def _is_column(node: ast.expr, context: FileContext) -> bool:
    """True for SQLAlchemy's columns, data frames and the like, which give `==` a meaning of their own."""
    if isinstance(node, ast.Subscript) and not _is_asked(node, context):
        return True
    if isinstance(node, ast.Attribute) and (last_name(node.value)[:1].isupper() or last_name(node.value) == "c"):
        return True
    above = context.parent(node)
    while above is not None:
        if isinstance(above, ast.Call) and last_name(above.func) in {
            "filter",
            "where",
            "having",
            "join",
            "and_",
            "or_",
            "loc",
        }:
            return True
        above = context.parent(above)
    return False


def _is_asked(node: ast.Subscript, context: FileContext) -> bool:
    """True for `row[1]`, and for any item in the condition of a statement: a column has no truth of its own."""
    if isinstance(node.slice, ast.Constant) and type(node.slice.value) is int:
        return True
    test = getattr(context.statement, "test", None)
    if test is None or node.lineno > (test.end_lineno or test.lineno):
        return False
    above = context.parent(node)
    while above is not test and isinstance(above, (ast.Compare, ast.BoolOp, ast.UnaryOp)):
        above = context.parent(above)
    return above is test and isinstance(test, (ast.Compare, ast.BoolOp, ast.UnaryOp))


none_comparison = Rule(
    name=NONE,
    gate="P1",
    severity="LOW",
    skill=SKILL,
    sources=("PB-P5",),
    catches="`== None` and `!= None`.",
    why="`==` asks the object, and arrays, columns and mocks answer in their own way.",
    fix="Write `is None` or `is not None`; for columns `.is_(None)`.",
    when="Everywhere but on columns and in conditions of queries.",
    # two signs are looked for in every file, the sixteen ways to write them only where one stands
    watches=(Watch((ast.Compare,), _on_compare, (b"==", b"!="), near=_NONES),),
    bad=one_file(
        "shop/cart.py",
        "if total == None:\n    pass\n",
        "if None != total:\n    pass\n",
        "empty = None != total\n",
        "empty=total==None\n",
        "empty = (\n    (total)\n    != (None)\n)\n",
        "if row[1] == None or not row['x'] != None:\n    pass\n",
    ),
    good=one_file(
        "shop/cart.py",
        "if total is None:\n    pass\n",
        "rows = query.filter(Order.paid == None)\n",
        "empty = frame['paid'] == None\nif any(frame['paid'] == None):\n    pass\n",
    ),
)


def _on_type(node: ast.Compare, context: FileContext) -> None:
    for position, operator in enumerate(node.ops):
        sides = [[node.left, *node.comparators][position], node.comparators[position]]
        calls = [side for side in sides if _is_type_call(side)]
        if operator.__class__ not in {ast.Eq, ast.NotEq} or not calls:
            continue
        function = context.function
        if function is not None and function.name in {"__eq__", "__ne__", "__lt__"}:
            return
        if len(calls) == 2 and not any(_is_literal(call.args[0]) for call in calls if isinstance(call, ast.Call)):
            return
        context.report(TYPE, node, f"`{shortened(node, 50)}`: a subclass is another type, which is seldom meant")
        return


def _is_type_call(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and len(node.args) == 1 and dotted(node.func) in {"type", "builtins.type"}


def _is_literal(node: ast.expr) -> bool:
    """`type(1)`, `type([])`: a type that has a name."""
    return isinstance(node, (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set))


type_comparison = Rule(
    name=TYPE,
    gate="P1",
    severity="LOW",
    skill=SKILL,
    sources=("PB-P4",),
    catches="`type(x) == T`.",
    why="Subclasses fail the test: `bool` and `int`, a proxy and what it stands for.",
    fix="Write `isinstance(x, T)`; where exactly this class is meant, `type(x) is T`.",
    when="Everywhere but in `__eq__` and where two types are compared with each other.",
    watches=(Watch((ast.Compare,), _on_type, (b"type(",), near=(b"type(",)),),
    bad=one_file(
        "shop/cart.py",
        "if type(total) == int:\n    pass\n",
        "ok = str != type(name)\n",
        "ok = type(name) == type('')\n",
    ),
    good=one_file(
        "shop/cart.py",
        "if isinstance(total, int) or type(total) is int:\n    pass\n",
        "same = type(a) == type(b)\nkind = item.type == 'x'\n",
    ),
)


RULES: tuple[Rule, ...] = (mutable_default, bare_except, star_import, none_comparison, type_comparison)
