"""Rows in a certain order, and rows that are looked for or created in one step."""

import libcst as cst

from skills.gates.fixes.cst import below, code, last_name, walk
from skills.gates.fixes.document import Document
from skills.gates.fixes.model import CannotFix, FixExample
from skills.gates.model import Finding

_NO_ROWS = frozenset({"union", "intersection", "difference", "dates", "datetimes", "raw", "reverse", "aggregate"})
_HARMLESS = frozenset(
    {"now", "today", "utcnow", "localtime", "uuid4", "str", "int", "float", "bool", "len", "list", "dict", "set",
     "tuple", "Decimal", "timedelta", "date", "datetime", "lower", "upper", "strip", "get", "slugify", "format", "join"}
)  # fmt: skip


def fix_unordered_queryset(document: Document, finding: Finding) -> None:
    """`.order_by("pk")` at the end of the chain; `ordering` for a view that names its model only."""
    node = document.at(finding, cst.Call, cst.Subscript, cst.Attribute, cst.Name)
    if isinstance(node, cst.Name):
        _order_view(document, node)
        return
    rows: cst.BaseExpression = node
    if isinstance(node, cst.Subscript):
        rows = node.value
    elif isinstance(node, cst.Call) and code(node.func).endswith("Paginator"):
        rows = node.args[0].value
    if not isinstance(rows, cst.Call | cst.Attribute):
        raise CannotFix("the rows are asked for in another place")
    _can_be_ordered(rows)
    document.change(rows, lambda now: _ordered(now, document.quote))


def _can_be_ordered(rows: cst.BaseExpression) -> None:
    """Raises `CannotFix` where an order by the key would be an error, or would make other groups."""
    methods: dict[str, cst.Call | None] = {}
    node: cst.BaseExpression = rows
    while isinstance(node, cst.Call | cst.Attribute | cst.Subscript):
        if isinstance(node, cst.Subscript):
            raise CannotFix("the rows are cut before")
        if isinstance(node, cst.Attribute):
            methods.setdefault(node.attr.value, None)
            node = node.value
        else:
            if isinstance(node.func, cst.Attribute):
                methods[node.func.attr.value] = node
            node = node.func
    distinct = methods.get("distinct")
    picked = "values" in methods or "values_list" in methods
    if methods.keys() & _NO_ROWS or (picked and (distinct is not None or methods.keys() & {"annotate", "alias"})):
        raise CannotFix("an order by the key would give other rows: only a person knows by what")
    if distinct is not None and distinct.args:
        raise CannotFix("the columns that are to differ have to come first in the order")


def _ordered(now: cst.BaseExpression, quote: str) -> cst.Call:
    return cst.Call(cst.Attribute(now, cst.Name("order_by")), [cst.Arg(_text("pk", quote))])


def _text(word: str, quote: str) -> cst.SimpleString:
    return cst.SimpleString(f"{quote}{word}{quote}")


def _order_view(document: Document, node: cst.Name) -> None:
    assign = document.parents[node]
    line = document.parents[assign]
    if not isinstance(assign, cst.Assign) or not isinstance(line, cst.SimpleStatementLine):
        raise CannotFix("the rows are asked for in another place")
    new = cst.Assign([cst.AssignTarget(cst.Name("ordering"))], cst.List([cst.Element(_text("pk", document.quote))]))
    document.change(line, lambda now: cst.FlattenSentinel([now, cst.SimpleStatementLine([new])]))


def fix_exists_then_create(document: Document, finding: Finding) -> None:
    """`if not X.filter(a=1).exists(): X.create(a=1, b=2)` → `X.get_or_create(a=1, defaults={"b": 2})`."""
    look = document.at(finding, cst.Call)
    whole = next((above for above in document.around(look) if isinstance(above, cst.If)), None)
    call = _only_call(whole) if whole is not None and whole.orelse is None else None
    if whole is None or call is None or all(part is not look for part in walk(whole.test)):
        raise CannotFix("more depends on the answer than the creation")
    if isinstance(document.parents[whole], cst.If):
        raise CannotFix("it stands in an `elif`")
    asides = [*below(whole.test, cst.Comment), *(line for line in getattr(whole.body, "footer", ()) if line.comment)]
    if asides:
        raise CannotFix("a comment stands in the question or behind the answer")
    manager, wanted = _asked(whole.test)
    creation = _words(call)
    if not isinstance(call.func, cst.Attribute) or call.func.attr.value != "create" or code(call.func.value) != manager:
        raise CannotFix("it is not created by the manager that looked for it")
    if any("__" in name or creation.get(name) != value for name, value in wanted.items()):
        raise CannotFix("it is created with other values than were looked for")
    if any(
        _does_something(argument.value)
        for argument in call.args
        if argument.keyword and argument.keyword.value not in wanted
    ):
        raise CannotFix("a value would be made even where the row is there already")
    document.change(whole, lambda now: _in_one_step(now, set(wanted), document.quote))


def _does_something(value: cst.BaseExpression) -> bool:
    """Whether a value is more than looked up: by a call that may have effects, or a wait."""
    return any(
        isinstance(node, cst.Await | cst.Yield | cst.NamedExpr)
        or (isinstance(node, cst.Call) and last_name(node.func) not in _HARMLESS)
        for node in walk(value)
    )


def _only_call(whole: cst.If) -> cst.Call | None:
    """The call that is all of the body; None where more stands there."""
    body = whole.body.body
    line = body[0]
    small = line.body if isinstance(line, cst.SimpleStatementLine) else [line]
    only = small[0] if len(body) == 1 and len(small) == 1 else None
    return only.value if isinstance(only, cst.Expr) and isinstance(only.value, cst.Call) else None


def _asked(test: cst.BaseExpression) -> tuple[str, dict[str, str]]:
    """The manager and the columns of `not X.filter(…).exists()`."""
    exists = test.expression if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not) else None
    chain = exists.func if isinstance(exists, cst.Call) and not exists.args else None
    if isinstance(chain, cst.Attribute) and chain.attr.value == "exists" and isinstance(chain.value, cst.Call):
        found = chain.value
        if isinstance(found.func, cst.Attribute) and found.func.attr.value == "filter":
            return code(found.func.value), _words(found)
    raise CannotFix("the test is not just `not ….filter(…).exists()`")


def _words(call: cst.Call) -> dict[str, str]:
    """The keyword arguments of a call with the text of their values."""
    found = {}
    for argument in call.args:
        if argument.keyword is None or argument.star:
            raise CannotFix("not every column is written as a keyword")
        found[argument.keyword.value] = code(argument.value)
    return found


def _in_one_step(now: cst.If, wanted: set[str], quote: str) -> cst.SimpleStatementLine:
    line = now.body.body[0]
    old = (
        line
        if isinstance(line, cst.SimpleStatementLine)
        else cst.SimpleStatementLine([cst.ensure_type(line, cst.Expr)])
    )
    expression = cst.ensure_type(old.body[0], cst.Expr)
    call = cst.ensure_type(expression.value, cst.Call)
    looked = [one for one in call.args if one.keyword is not None and one.keyword.value in wanted]
    rest = [
        cst.DictElement(_text(one.keyword.value, quote), one.value)
        for one in call.args
        if one.keyword is not None and one.keyword.value not in wanted
    ]
    if rest:
        gap = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
        looked.append(cst.Arg(cst.Dict(rest), cst.Name("defaults"), equal=gap, comma=call.args[-1].comma))
        looked[-2] = looked[-2].with_changes(comma=cst.MaybeSentinel.DEFAULT) if not _wraps(call) else looked[-2]
    func = cst.ensure_type(call.func, cst.Attribute).with_changes(attr=cst.Name("get_or_create"))
    made = expression.with_changes(value=call.with_changes(func=func, args=looked))
    said = now.body.header.comment if isinstance(now.body, cst.IndentedBlock) else None
    above = [*now.leading_lines, *([cst.EmptyLine(comment=said)] if said else []), *old.leading_lines]
    return old.with_changes(body=[made], leading_lines=above)


def _wraps(call: cst.Call) -> bool:
    return isinstance(call.whitespace_before_args, cst.ParenthesizedWhitespace)


_PAGES = (
    "from django.core.paginator import Paginator\n\n\nclass Order(models.Model):\n    total = models.IntegerField()\n"
)
_SAVE = "def save(key):\n"
EXAMPLES: tuple[FixExample, ...] = (
    FixExample(
        "unordered-queryset",
        _PAGES + "\n\ndef pages():\n    return Paginator(Order.objects.filter(state='open', kind='a'), 50)\n",
        _PAGES
        + "\n\ndef pages():\n    return Paginator(Order.objects.filter(state='open', kind='a').order_by('pk'), 50)\n",
        "shop/models.py",
    ),
    FixExample(
        "unordered-queryset",
        _PAGES + "\n\ndef pages():\n    return Paginator(Order.objects.filter(total=3), 50)\n",
        _PAGES + '\n\ndef pages():\n    return Paginator(Order.objects.filter(total=3).order_by("pk"), 50)\n',
        "shop/models.py",
    ),
    FixExample(
        "unordered-queryset",
        _PAGES + "\n\nclass Orders(ListView):\n    model = Order  # all\n    paginate_by = 20\n",
        _PAGES + '\n\nclass Orders(ListView):\n    model = Order  # all\n    ordering = ["pk"]\n    paginate_by = 20\n',
        "shop/models.py",
    ),
    *(
        FixExample(
            "unordered-queryset",
            f"{_PAGES}\n\ndef pages():\n    return Paginator(Order.objects.{rows}, 50)\n",
            path="shop/models.py",
            reason=reason,
        )
        for rows, reason in (
            ("values('total').annotate(n=Count('id'))", "other rows"),
            ("values_list('total', flat=True).distinct()", "other rows"),
            ("distinct('total')", "come first"),
        )
    ),
    FixExample(
        "exists-then-create",
        _SAVE + "    # Once.\n    if not Order.objects.filter(key=key).exists():\n"
        "        Order.objects.create(key=key, total=0)  # new\n    return key\n",
        _SAVE + '    # Once.\n    Order.objects.get_or_create(key=key, defaults={"total": 0})  # new\n    return key\n',
    ),
    FixExample(
        "exists-then-create",
        _SAVE + "    if not Order.objects.filter(key=key).exists():  # new\n        Order.objects.create(key=key)\n",
        _SAVE + "    # new\n    Order.objects.get_or_create(key=key)\n",
    ),
    FixExample(
        "exists-then-create",
        _SAVE + "    if (\n        not Order.objects\n        .filter(key=key)  # one\n        .exists()\n    ):\n"
        "        Order.objects.create(key=key)\n",
        reason="a comment",
    ),
    FixExample(
        "exists-then-create",
        _SAVE + "    if not Order.objects.filter(key=key).exists():\n"
        "        row = Order.objects.create(key=key)\n        row.go()\n",
        reason="more depends",
    ),
    FixExample(
        "exists-then-create",
        _SAVE + "    if not Order.objects.filter(key=key).exists():\n"
        "        Order.objects.create(key=key, paid=charge(key))\n",
        reason="even where the row is there",
    ),
    FixExample(
        "exists-then-create",
        _SAVE + "    if not Order.objects.filter(key=key).exists():\n        Order.objects.create(key=key.lower())\n",
        reason="other values",
    ),
)
