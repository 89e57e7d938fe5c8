"""Lists and copies that are built for nothing."""

from collections.abc import Callable

import libcst as cst

from skills.gates.fixes.cst import Dedent, below, code, last_name
from skills.gates.fixes.document import Document
from skills.gates.fixes.model import CannotFix, FixExample
from skills.gates.model import Finding

_LAZY = frozenset(
    {"frozenset", "tuple", "any", "all", "sum", "min", "max", "fsum", "prod", "from_iterable", "Counter", "deque",
     "OrderedDict"}
)  # fmt: skip
_VIEWS = frozenset({"keys", "values", "items"})
_PLAIN = (cst.Name, cst.Integer, cst.Attribute, cst.Subscript, cst.Tuple, cst.SimpleString)
_DEEDS = frozenset(
    {"save", "delete", "create", "update", "write", "send", "remove", "pop", "append", "add", "insert", "push", "run",
     "execute", "process", "charge", "print", "put", "post", "apply", "set", "register", "close", "commit", "publish",
     "notify", "cancel", "move", "copy", "upload", "install", "call", "do", "handle", "next", "discard", "emit"}
)  # fmt: skip
Rewrite = Callable[[cst.Call], cst.BaseExpression]


def fix_unnecessary_list_allocation(document: Document, finding: Finding) -> None:
    """A generator, a literal or the thing itself in the place of the list."""
    node = document.at(finding, cst.Call, cst.Subscript, cst.ListComp)
    if not isinstance(node, cst.Call) or last_name(node.func) == "pop" or "one thing up" in finding.message:
        _looked_up(document, node, finding)
        return
    if last_name(node.func) == "readlines":
        document.change(node, lambda now: cst.ensure_type(cst.ensure_type(now, cst.Call).func, cst.Attribute).value)
        return
    rewrite = _rewrite(last_name(node.func), node)
    document.change(node, rewrite)


def _looked_up(document: Document, node: cst.CSTNode, finding: Finding) -> None:
    """`x in list(d.keys())` → `x in d.keys()`; what else holds one thing differs where it is empty."""
    inner = node.args[0].value if isinstance(node, cst.Call) and len(node.args) == 1 else None
    if "one thing up" in finding.message and isinstance(inner, cst.Call) and last_name(inner.func) in _VIEWS:
        document.change(node, lambda now: cst.ensure_type(now, cst.Call).args[0].value)
        return
    if "one thing up" in finding.message:
        raise CannotFix("in a string, or an iterator that is read once, the answer would be another")
    raise CannotFix("where there is no element, the error would be another one")


def _rewrite(outer: str, node: cst.Call) -> Rewrite:
    inner = node.args[0].value
    if outer == "reduce":
        raise CannotFix("the list is not the first thing that it is given")
    if isinstance(inner, cst.ListComp):
        return _of_comprehension(outer, inner)
    if isinstance(inner, cst.Call):
        return _of_call(outer, inner)
    if len(node.args) == 1 and isinstance(inner, cst.List | cst.Tuple):
        return _of_display(outer, inner)
    already = cst.Dict | cst.DictComp if outer == "dict" else cst.Set | cst.SetComp
    if len(node.args) == 1 and isinstance(inner, already) and outer in ("dict", "set"):
        return _unwrapped
    if isinstance(inner, cst.Subscript) and outer == "set":
        return lambda now: _with_first(now, cst.ensure_type(now.args[0].value, cst.Subscript).value)
    if isinstance(inner, cst.Name):
        raise CannotFix("the list stands in a statement of its own")
    raise CannotFix("elements that compare equal would change their order")


def _unwrapped(now: cst.Call) -> cst.BaseExpression:
    found = now.args[0].value
    return found.with_changes(lpar=[*now.lpar, *found.lpar], rpar=[*found.rpar, *now.rpar])


def _with_first(now: cst.Call, value: cst.BaseExpression) -> cst.Call:
    return now.with_changes(args=[now.args[0].with_changes(value=value), *now.args[1:]])


def _of_comprehension(outer: str, inner: cst.ListComp) -> Rewrite:
    if "#" in code(inner.lbracket) + code(inner.rbracket):
        raise CannotFix("a comment stands in the brackets")
    if outer == "list":
        return _unwrapped
    if outer == "set":
        return _as_set
    if outer == "dict":
        pair = inner.elt
        if not isinstance(pair, cst.Tuple) or any(not isinstance(part, cst.Element) for part in pair.elements):
            raise CannotFix("its elements are no plain pairs")
        return _as_dict
    if outer == "len" and not isinstance(inner.elt, _PLAIN):
        raise CannotFix("counting would no longer compute the elements")
    if outer not in _LAZY and outer != "len":
        raise CannotFix(f"`{outer}` needs a list")
    calls = {last_name(call.func) for call in below(inner, cst.Call)}
    if "next" in calls:
        raise CannotFix("where `next` finds nothing, the error would be another one in a generator")
    if outer in ("any", "all") and any(name.strip("_").partition("_")[0] in _DEEDS for name in calls):
        raise CannotFix(f"`{outer}` would no longer do it for every element")
    return lambda now: _lazily(now, outer)


def _lazily(now: cst.Call, outer: str) -> cst.Call:
    """The comprehension without brackets; between parentheses where it is not the only argument."""
    first = now.args[0]
    made = cst.ensure_type(first.value, cst.ListComp)
    alone = len(now.args) == 1
    if alone:
        made = _moved_out(now, made)
    element = cst.Integer("1") if outer == "len" else made.elt
    generator = cst.GeneratorExp(element, made.for_in, lpar=[], rpar=[])
    if not alone:
        left, right = made.lbracket.whitespace_after, made.rbracket.whitespace_before
        generator = generator.with_changes(lpar=[cst.LeftParen(left)], rpar=[cst.RightParen(right)])
        return _with_first(now, generator)
    name = cst.Name("sum") if outer == "len" else now.func
    inside, behind = made.lbracket.whitespace_after, made.rbracket.whitespace_before
    if not code(inside):
        inside, behind = now.whitespace_before_args, first.whitespace_after_arg
    elif code(now.whitespace_before_args):
        behind = first.whitespace_after_arg
        if isinstance(first.comma, cst.Comma):
            behind = first.comma.whitespace_after
    only = first.with_changes(value=generator, comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=behind)
    return now.with_changes(func=name, args=[only], whitespace_before_args=inside)


def _moved_out(now: cst.Call, made: cst.ListComp) -> cst.ListComp:
    """The comprehension where its bracket stood, if that had a line of its own."""
    outer, inner = now.whitespace_before_args, made.lbracket.whitespace_after
    if not isinstance(outer, cst.ParenthesizedWhitespace) or not isinstance(inner, cst.ParenthesizedWhitespace):
        return made
    step = inner.last_line.value.removeprefix(outer.last_line.value)
    if step == inner.last_line.value and outer.last_line.value:
        return made
    return cst.ensure_type(made.visit(Dedent(step)), cst.ListComp)


def _as_set(now: cst.Call) -> cst.SetComp:
    made = cst.ensure_type(now.args[0].value, cst.ListComp)
    return cst.SetComp(made.elt, made.for_in, _left(made), _right(made), now.lpar, now.rpar)


def _left(made: cst.ListComp | cst.List) -> cst.LeftCurlyBrace:
    return cst.LeftCurlyBrace(made.lbracket.whitespace_after)


def _right(made: cst.ListComp | cst.List) -> cst.RightCurlyBrace:
    return cst.RightCurlyBrace(made.rbracket.whitespace_before)


def _as_dict(now: cst.Call) -> cst.DictComp:
    made = cst.ensure_type(now.args[0].value, cst.ListComp)
    key, value = (part.value for part in cst.ensure_type(made.elt, cst.Tuple).elements)
    return cst.DictComp(key, value, made.for_in, _left(made), _right(made), now.lpar, now.rpar)


def _of_call(outer: str, inner: cst.Call) -> Rewrite:
    name = last_name(inner.func)
    if outer == "len":
        raise CannotFix("what is counted has no length without the list")
    if outer == "list" and name == "sorted":
        return _unwrapped
    if name in ("sorted", "reversed") and outer in ("sorted", "min", "max", "reversed"):
        raise CannotFix("elements that compare equal would change their order")
    if not inner.args:
        return lambda now: now.with_changes(args=[])
    return lambda now: _with_first(now, cst.ensure_type(now.args[0].value, cst.Call).args[0].value)


def _of_display(outer: str, inner: cst.List | cst.Tuple) -> Rewrite:
    if not inner.elements and outer != "list":
        return lambda now: now.with_changes(args=[])
    if outer == "dict" or isinstance(inner, cst.Tuple):
        return _literal_dict if outer == "dict" else _by_text(outer)
    if outer == "list":
        return _unwrapped
    if outer == "set":
        return lambda now: _literal_set(now)
    return _by_text(outer)


def _literal_set(now: cst.Call) -> cst.Set:
    made = cst.ensure_type(now.args[0].value, cst.List)
    return cst.Set(made.elements, _left(made), _right(made), now.lpar, now.rpar)


def _literal_dict(now: cst.Call) -> cst.Dict:
    made = now.args[0].value
    assert isinstance(made, cst.List | cst.Tuple)
    elements = []
    for pair in made.elements:
        if not isinstance(pair.value, cst.Tuple | cst.List):
            raise CannotFix("its elements are no plain pairs")
        key, value = (part.value for part in pair.value.elements)
        elements.append(cst.DictElement(key, value, comma=pair.comma))
    left, right = cst.LeftCurlyBrace(), cst.RightCurlyBrace()
    if isinstance(made, cst.List):
        left, right = _left(made), _right(made)
    return cst.Dict(elements, left, right, now.lpar, now.rpar)


def _by_text(outer: str) -> Rewrite:
    """The literal of another bracket around the same elements."""

    def rewritten(now: cst.Call) -> cst.BaseExpression:
        made = now.args[0].value
        assert isinstance(made, cst.List | cst.Tuple)
        if outer == "tuple":
            if isinstance(made, cst.Tuple):
                return _unwrapped(now)
            elements = list(made.elements)
            if len(elements) == 1:
                elements = [elements[0].with_changes(comma=cst.Comma())]
            left, right = made.lbracket.whitespace_after, made.rbracket.whitespace_before
            return cst.Tuple(elements, [*now.lpar, cst.LeftParen(left)], [cst.RightParen(right), *now.rpar])
        elements = list(made.elements)
        if len(elements) == 1:
            elements = [elements[0].with_changes(comma=cst.MaybeSentinel.DEFAULT)]
        kind = cst.Set if outer == "set" else cst.List
        return kind(elements, lpar=now.lpar, rpar=now.rpar)

    return rewritten


def fix_redundant_data_copies(document: Document, finding: Finding) -> None:
    """The thing itself in the place of its copy."""
    node = document.at(finding, cst.Call, cst.Subscript, cst.List, cst.Dict)
    if any(True for _ in below(node, cst.Comment)):
        raise CannotFix("a comment stands in the brackets")
    if isinstance(node, cst.Call) and all(arg.keyword for arg in node.args):  # `xs.copy()`, `frame.copy(deep=True)`
        document.change(node, _owner)
    elif isinstance(node, cst.Call) and len(node.args) == 1 and "copies a copy" not in finding.message:
        document.change(node, lambda now: _outside(now, cst.ensure_type(now, cst.Call).args[0].value))
    elif isinstance(node, cst.Call) and isinstance(node.args[0].value, cst.Call):
        document.change(node, _once)
    elif isinstance(node, cst.Subscript):
        document.change(node, lambda now: _outside(now, cst.ensure_type(now, cst.Subscript).value))
    else:
        raise CannotFix("the copy is written in a way that is not rewritten")


def _outside(now: cst.BaseExpression, value: cst.BaseExpression) -> cst.BaseExpression:
    return value.with_changes(lpar=[*now.lpar, *value.lpar], rpar=[*value.rpar, *now.rpar])


def _owner(now: cst.BaseExpression) -> cst.BaseExpression:
    """`xs.copy()` → `xs`."""
    return _outside(now, cst.ensure_type(cst.ensure_type(now, cst.Call).func, cst.Attribute).value)


def _once(now: cst.BaseExpression) -> cst.BaseExpression:
    """`list(xs.copy())` → `list(xs)`."""
    call = cst.ensure_type(now, cst.Call)
    inner = cst.ensure_type(cst.ensure_type(call.args[0].value, cst.Call).func, cst.Attribute)
    return _with_first(call, inner.value)


_LIST, _COPY = "unnecessary-list-allocation", "redundant-data-copies"


def _line(before: str, after: str = "", reason: str = "") -> FixExample:
    return FixExample(_LIST, f"x = {before}  # kept\n", f"x = {after}  # kept\n", reason=reason)


EXAMPLES: tuple[FixExample, ...] = (
    _line("any([order.open for order in orders])", "any(order.open for order in orders)"),
    _line("all([o.open for o in orders],)", "all(o.open for o in orders)"),
    _line("len([o for o in orders if o.open])", "sum(1 for o in orders if o.open)"),
    _line("max([o.sum for o in orders], default=0)", "max((o.sum for o in orders), default=0)"),
    _line("(set([o.pk for o in orders])) | y", "({o.pk for o in orders}) | y"),
    _line("dict([(o.pk, o) for o in orders])", "{o.pk: o for o in orders}"),
    _line("set(['a', 'b'])", "{'a', 'b'}"),
    _line(
        "f'{set([o.pk for o in orders])}{dict([(o, 1) for o in orders])}'",
        "f'{ {o.pk for o in orders}}{ {o: 1 for o in orders}}'",
    ),
    _line("set(('a',))", "{'a'}"),
    _line("tuple([1])", "(1,)"),
    _line("list((1, 2))", "[1, 2]"),
    _line("set([])", "set()"),
    _line("dict([('a', 1), ('b', 2)])", "{'a': 1, 'b': 2}"),
    _line("list([y for y in z])", "[y for y in z]"),
    _line("sorted(list(scores), key=len)", "sorted(scores, key=len)"),
    _line("list(sorted(scores, key=len))", "sorted(scores, key=len)"),
    _line("a in list(names.keys())", "a in names.keys()"),
    _line(
        "any(\n    [\n        o.open\n        for o in orders\n    ]\n)",
        "any(\n    o.open\n    for o in orders\n)",
    ),
    _line(
        "f(\n    len(\n        [\n            o.pk\n            for o in orders\n            if (\n"
        "                o\n            )\n        ]\n    ),\n)",
        "f(\n    sum(\n        1\n        for o in orders\n        if (\n            o\n        )\n    ),\n)",
    ),
    _line("any([\n    o.open for o in orders\n])", "any(\n    o.open for o in orders\n)"),
    _line("list(scores)[0]", reason="another one"),
    _line("sorted(scores)[0]", reason="another one"),
    _line("len([pay(o) for o in orders])", reason="no longer compute"),
    _line("sorted(reversed(scores))", reason="order"),
    _line("any([order.save() for order in orders])", reason="for every element"),
    _line("sum([next(scores) for _ in orders])", reason="in a generator"),
    _line("a in list(names)", reason="a string"),
    _line("len(list(o for o in orders if o.open))", reason="no length"),
    FixExample(
        _LIST,
        "from collections import Counter\n\nkinds = Counter([o.kind for o in orders])\n",
        "from collections import Counter\n\nkinds = Counter(o.kind for o in orders)\n",
    ),
    FixExample(
        _LIST,
        "def f(path):\n    with open(path) as file:\n        return {line for line in file.readlines()}  # kept\n",
        "def f(path):\n    with open(path) as file:\n        return {line for line in file}  # kept\n",
    ),
    FixExample(
        _LIST,
        "def f(rows):\n    states = [row.open for row in rows]\n    return any(states)\n",
        reason="a statement of its own",
    ),
    _line("set({1, 2})", "{1, 2}"),
    _line("dict([[1, 2], (3, 4)])", "{1: 2, 3: 4}"),
    _line("dict([(k, v) if v else (k, 0) for k, v in rows])", reason="no plain pairs"),
    FixExample(
        _COPY,
        "def f(rows):\n    found = {}\n    for row in rows:\n        found[row.key] = row\n"
        "    for n, row in enumerate(list(found.values())):\n        print(n, row)\n"
        "    return sorted(rows.copy())\n",
        "def f(rows):\n    found = {}\n    for row in rows:\n        found[row.key] = row\n"
        "    for n, row in enumerate(found.values()):\n        print(n, row)\n    return sorted(rows)\n",
    ),
    FixExample(
        _COPY,
        "def f():\n    rows = [1, 2]\n    for row in list(rows):\n        print(row)\n    return sorted(rows).copy()\n",
        "def f():\n    rows = [1, 2]\n    for row in rows:\n        print(row)\n    return sorted(rows)\n",
    ),
    FixExample(_COPY, "def f(rows):\n    return list(rows.copy())\n", "def f(rows):\n    return list(rows)\n"),
    FixExample(
        _COPY,
        "def f():\n    rows = [1, 2]\n    return list(rows.copy())\n",
        "def f():\n    rows = [1, 2]\n    return rows\n",
    ),
    FixExample(
        _COPY,
        "def f():\n    rows = [1, 2]\n    for row in list(\n        rows,  # both\n    ):\n        print(row)\n",
        reason="a comment",
    ),
    FixExample(
        _COPY,
        "import copy\nimport json\n\n\ndef f(text):\n    return copy.deepcopy(json.loads(text))  # kept\n",
        "import copy\nimport json\n\n\ndef f(text):\n    return json.loads(text)  # kept\n",
    ),
    FixExample(
        _COPY,
        "import pandas as pd\n\n\ndef f(path):\n    return pd.read_csv(path).copy(deep=True), path.split('/')[:]\n",
        "import pandas as pd\n\n\ndef f(path):\n    return pd.read_csv(path), path.split('/')\n",
    ),
)
