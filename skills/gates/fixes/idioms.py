"""Small habits of Python, said the safe way."""

import re
from collections.abc import Iterator

import libcst as cst

from skills.gates.fixes.cst import below, code, dotted, last_name, walk
from skills.gates.fixes.document import Document
from skills.gates.fixes.model import CannotFix, FixExample
from skills.gates.model import Finding

_NAMES = ("error", "problem", "exc")
_CONSTANT = frozenset(
    {"True", "False", "None", "list", "dict", "set", "bytearray", "int", "str", "float", "bool", "tuple", "frozenset",
     "defaultdict", "OrderedDict", "Counter", "deque", "collections"}
)  # fmt: skip
_OWN_EQUALITY = frozenset({"sqlalchemy", "sqlmodel", "peewee", "pony", "numpy", "pandas", "polars", "pyspark"})
_REMEMBERS = re.compile(r"^_|cache|memo|registry")


def fix_none_comparison(document: Document, finding: Finding) -> None:
    """`x == None` → `x is None`."""
    node = document.at(finding, cst.Comparison)
    own = {name.partition(".")[0] for name in document.names.values()} & _OWN_EQUALITY
    if own and not _is_condition(document, node):
        raise CannotFix(f"a column or array of {sorted(own)[0]} would answer `==` in its own way")
    document.change(node, _asked_by_identity)


def _is_condition(document: Document, node: cst.CSTNode) -> bool:
    """Whether only the truth of an expression is asked for, which a column or an array has not."""
    inside = node
    for above in document.around(node):
        if isinstance(above, cst.BooleanOperation) or (
            isinstance(above, cst.UnaryOperation) and isinstance(above.operator, cst.Not)
        ):
            inside = above
            continue
        return isinstance(above, cst.If | cst.While | cst.Assert | cst.IfExp | cst.CompIf) and above.test is inside
    return False


def _asked_by_identity(now: cst.Comparison) -> cst.Comparison:
    left, targets = now.left, list(now.comparisons)
    if len(targets) == 1 and _is_none(left):
        left, targets[0] = targets[0].comparator, targets[0].with_changes(comparator=left)
    before: cst.BaseExpression = left
    for place, target in enumerate(targets):
        if _is_none(before) or _is_none(target.comparator):
            targets[place] = _identical(target)
        before = target.comparator
    return now.with_changes(left=left, comparisons=targets)


def _is_none(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"


def _identical(target: cst.ComparisonTarget) -> cst.ComparisonTarget:
    """`==` → `is`, `!=` → `is not`; both need a space around them."""
    operator = target.operator
    if not isinstance(operator, cst.Equal | cst.NotEqual):
        return target
    around = {
        name: space if code(space) else cst.SimpleWhitespace(" ")
        for name, space in (("whitespace_before", operator.whitespace_before),
                            ("whitespace_after", operator.whitespace_after))
    }  # fmt: skip
    return target.with_changes(operator=(cst.Is if isinstance(operator, cst.Equal) else cst.IsNot)(**around))


def fix_type_comparison(document: Document, finding: Finding) -> None:
    """`type(x) == T` → `type(x) is T`, which means the same; `isinstance` where `T` can have no subclass."""
    node = document.at(finding, cst.Comparison)
    if len(node.comparisons) != 1:
        raise CannotFix("it is a chain of comparisons")
    target = node.comparisons[0]
    left, right = node.left, target.comparator
    call, kind = (left, right) if last_name(left) == "type" and isinstance(left, cst.Call) else (right, left)
    if not isinstance(call, cst.Call) or not isinstance(kind, cst.Name | cst.Attribute):
        raise CannotFix("the other side is no plain name of a class")
    if dotted(kind) != "bool" or len(call.args) != 1:
        document.change(node, lambda now: now.with_changes(comparisons=[_identical(now.comparisons[0])]))
        return
    asked = cst.Call(cst.Name("isinstance"), [cst.Arg(call.args[0].value), cst.Arg(kind)])
    if isinstance(target.operator, cst.Equal):
        document.change(node, lambda now: asked.with_changes(lpar=now.lpar, rpar=now.rpar))
    else:
        document.change(node, lambda now: cst.UnaryOperation(cst.Not(), asked, lpar=now.lpar, rpar=now.rpar))


def fix_bare_except(document: Document, finding: Finding) -> None:
    """`except:` → `except Exception:`, which lets Ctrl-C and `SystemExit` through."""
    node = document.at(finding, cst.ExceptHandler)
    if node.type is not None:
        raise CannotFix("only a person knows which error is meant")
    space = cst.SimpleWhitespace(" ")
    document.change(node, lambda now: now.with_changes(type=cst.Name("Exception"), whitespace_after_except=space))


def fix_raise_without_from(document: Document, finding: Finding) -> None:
    """`raise Other(…)` → `raise Other(…) from error`; a handler without a name gets one."""
    node = document.at(finding, cst.Raise)
    handler = next((above for above in document.around(node) if isinstance(above, cst.ExceptHandler)), None)
    if handler is None or handler.type is None:
        raise CannotFix("its handler catches everything")
    if handler.name is not None:
        name = cst.ensure_type(handler.name.name, cst.Name).value
        if name in _bound_again(handler.body):
            raise CannotFix(f"`{name}` is another thing by then")
    else:
        name = _name_for(document, handler)
    document.change(node, lambda now: now.with_changes(cause=cst.From(cst.Name(name))))


def _bound_again(block: cst.BaseSuite) -> Iterator[str]:
    """The names that some statements bind or delete."""
    for node in walk(block):
        if isinstance(node, cst.AsName):
            yield dotted(node.name)
        elif isinstance(node, cst.Del):
            yield dotted(node.target)
        elif isinstance(node, cst.AssignTarget | cst.AugAssign | cst.AnnAssign | cst.NamedExpr | cst.For):
            yield from (name.value for name in _targets(node.target))


def _targets(node: cst.BaseExpression) -> Iterator[cst.Name]:
    if isinstance(node, cst.Name):
        yield node
    elif isinstance(node, cst.Tuple | cst.List):
        for element in node.elements:
            yield from _targets(element.value)


def _name_for(document: Document, handler: cst.ExceptHandler) -> str:
    """A name for what a handler catches that nothing else in the file has."""
    given = document.memo.setdefault("names of handlers", {})
    assert isinstance(given, dict)
    if handler not in given:
        taken = {node.value for node in below(document.module, cst.Name)}
        name = next((word for word in _NAMES if word not in taken), None)
        if name is None:
            raise CannotFix("no free name for what is caught")
        given[handler] = name
        document.change(handler, lambda now: now.with_changes(name=cst.AsName(cst.Name(name))))
    elif not document.is_changed(handler):
        raise CannotFix("no free name for what is caught")
    return str(given[handler])


def fix_mutable_default(document: Document, finding: Finding) -> None:
    """`def f(x=[])` → `x=None`, and the list made in the body."""
    node = document.at(finding, cst.List, cst.Dict, cst.Set, cst.Call, cst.ListComp, cst.DictComp, cst.SetComp)
    parameter = document.parents[node]
    function = document.function(node)
    if not isinstance(parameter, cst.Param) or function is None or not isinstance(function.body, cst.IndentedBlock):
        raise CannotFix("there is no body to make it in")
    if parameter not in (*function.params.params, *function.params.kwonly_params, *function.params.posonly_params):
        raise CannotFix("a lambda has no body to make it in")
    if all(_is_stub(part) for part in function.body.body):
        raise CannotFix("the function is only declared here")
    if _may_be_none(parameter) and not _is_empty(node):
        raise CannotFix("None may be passed already, and is not what is made here")
    name = parameter.name.value
    _same_by_none(document, function, name, node)
    made = document.memo.setdefault(f"defaults of {id(function)}", [])
    assert isinstance(made, list)
    made.append((name, node))
    if len(made) == 1:
        document.change(function.body, lambda now: _with_defaults(now, made))
    document.change(parameter, lambda now: _none_by_default(now, "Optional" in document.names))


def _same_by_none(document: Document, function: cst.FunctionDef, name: str, value: cst.BaseExpression) -> None:
    """Raises `CannotFix` where the function would do something else with a value that is made in its body."""
    if {part.value for part in below(value, cst.Name)} - _CONSTANT:
        raise CannotFix("its value is made of names, which may mean something else when the function runs")
    uses = [node for node in below(function.body, cst.Name) if node.value == name]
    places = [document.parents[node] for node in uses]
    for place in places:
        whole = document.parents[place] if isinstance(place, cst.ComparisonTarget) else place
        if isinstance(whole, cst.Comparison) and {"None", name} <= {part.value for part in below(whole, cst.Name)}:
            raise CannotFix("the function tells None from an empty one")
    looks = (cst.Subscript, cst.Attribute, cst.ComparisonTarget)
    written = any(
        isinstance(target.target, cst.Subscript) and dotted(target.target.value) == name
        for target in below(function.body, cst.AssignTarget)
    )
    if written and (_REMEMBERS.search(name) or all(isinstance(place, looks) for place in places)):
        raise CannotFix("the function remembers in it from call to call")


def _may_be_none(parameter: cst.Param) -> bool:
    hint = code(parameter.annotation.annotation) if parameter.annotation is not None else ""
    return "None" in hint or "Optional" in hint


def _is_empty(value: cst.CSTNode) -> bool:
    return not (value.args if isinstance(value, cst.Call) else getattr(value, "elements", (value,)))


def _is_stub(line: cst.CSTNode) -> bool:
    return isinstance(line, cst.SimpleStatementLine) and all(
        isinstance(part, cst.Expr) and isinstance(part.value, cst.Ellipsis | cst.SimpleString) for part in line.body
    )


def _none_by_default(now: cst.Param, optional: bool) -> cst.Param:
    """`x: T = []` → `x: T | None = None`, said as `Optional[T]` where the file says so already."""
    hint = now.annotation
    if hint is not None and not _may_be_none(now):
        if not isinstance(hint.annotation, cst.Name | cst.Attribute | cst.Subscript | cst.BinaryOperation):
            raise CannotFix("its type hint is not understood")
        either: cst.BaseExpression = cst.BinaryOperation(hint.annotation, cst.BitOr(), cst.Name("None"))
        if optional:
            inner = cst.SubscriptElement(cst.Index(hint.annotation))
            either = cst.Subscript(cst.Name("Optional"), [inner])
        now = now.with_changes(annotation=hint.with_changes(annotation=either))
    return now.with_changes(default=cst.Name("None"))


def _with_defaults(now: cst.BaseSuite, made: list[tuple[str, cst.BaseExpression]]) -> cst.BaseSuite:
    block = cst.ensure_type(now, cst.IndentedBlock)
    lines = []
    for name, value in made:
        test = cst.Comparison(cst.Name(name), [cst.ComparisonTarget(cst.Is(), cst.Name("None"))])
        assign = cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name(name))], value)])
        lines.append(cst.If(test, cst.IndentedBlock([assign])))
    start = 1 if isinstance(block.body[0], cst.SimpleStatementLine) and _is_stub(block.body[0]) else 0
    return block.with_changes(body=[*block.body[:start], *lines, *block.body[start:]])


_NONE, _TYPE, _BARE = "none-comparison", "type-comparison", "bare-except"
_FROM, _DEFAULT = "raise-without-from", "mutable-default"
EXAMPLES: tuple[FixExample, ...] = (
    FixExample(_NONE, "if (total== None):  # why\n    pass\n", "if (total is None):  # why\n    pass\n"),
    FixExample(_NONE, "free = None != total and x\n", "free = total is not None and x\n"),
    FixExample(_NONE, "import numpy\n\nempty = rows == None\n", reason="in its own way"),
    FixExample(
        _NONE,
        "import numpy\n\nif rows == None and (x or not None == y):\n    numpy.zeros(1)\n",
        "import numpy\n\nif rows is None and (x or not y is None):\n    numpy.zeros(1)\n",
    ),
    FixExample(_TYPE, "ok = type(x) == int or y\n", "ok = type(x) is int or y\n"),
    FixExample(_TYPE, "ok = (str != type(x.y))\n", "ok = (str is not type(x.y))\n"),
    FixExample(_TYPE, "ok = bool != type(x)\n", "ok = not isinstance(x, bool)\n"),
    FixExample(_TYPE, "ok = type(x) == 'int'\n", reason="no plain name"),
    FixExample(
        _BARE,
        "try:\n    pay()\nexcept  :  # all\n    failed = True\n",
        "try:\n    pay()\nexcept Exception:  # all\n    failed = True\n",
    ),
    FixExample(_BARE, "try:\n    pay()\nexcept Exception:\n    pass\n", reason="only a person"),
    FixExample(
        _FROM,
        "try:\n    pay()\nexcept (KeyError, OSError):\n    if late:\n        raise Late\n"
        "    raise Failed('no')  # told\n",
        "try:\n    pay()\nexcept (KeyError, OSError) as error:\n    if late:\n        raise Late from error\n"
        "    raise Failed('no') from error  # told\n",
    ),
    FixExample(
        _FROM,
        "try:\n    pay()\nexcept KeyError as e:\n    raise Failed(str(e))\n",
        "try:\n    pay()\nexcept KeyError as e:\n    raise Failed(str(e)) from e\n",
    ),
    FixExample(
        _FROM,
        "try:\n    pay()\nexcept KeyError as e:\n    e = str(e)\n    raise Failed(e)\n",
        reason="another thing",
    ),
    FixExample(
        _FROM,
        "try:\n    pay()\nexcept KeyError as e:\n    try:\n        undo()\n    except OSError as e:\n        log(e)\n"
        "    raise Failed('no')\n",
        reason="another thing",
    ),
    FixExample(
        _DEFAULT,
        'def add(item, cart=[], *, seen: dict[str, int] = {}):\n    """Add it."""\n    cart.append(item)\n',
        'def add(item, cart=None, *, seen: dict[str, int] | None = None):\n    """Add it."""\n'
        "    if cart is None:\n        cart = []\n    if seen is None:\n        seen = {}\n    cart.append(item)\n",
    ),
    FixExample(
        _DEFAULT,
        "from typing import Optional\n\n\ndef add(seen: list = []):\n    return Optional, seen\n",
        "from typing import Optional\n\n\ndef add(seen: Optional[list] = None):\n    if seen is None:\n"
        "        seen = []\n    return Optional, seen\n",
    ),
    FixExample(_DEFAULT, "def f(n, _cache={}):\n    _cache[n] = n\n    return _cache\n", reason="remembers"),
    FixExample(
        _DEFAULT,
        "def f(n, known={}):\n    if n not in known:\n        known[n] = n * n\n    return known[n]\n",
        reason="remembers",
    ),
    FixExample(_DEFAULT, "def f(a=[]):\n    if a is None:\n        return 1\n    return a\n", reason="tells None"),
    FixExample(_DEFAULT, "class A:\n    ONE = 1\n\n    def f(self, a=[ONE]):\n        return a\n", reason="of names"),
    FixExample(
        _DEFAULT, "def f(by: list[str] | None = ['-at']):\n    return send(by)\n", reason="may be passed already"
    ),
    FixExample(_DEFAULT, "add = lambda item, seen=set(): seen.add(item)\n", reason="no body"),
    FixExample(_DEFAULT, "def add(item, seen=[]): ...\n", reason="no body"),
)
