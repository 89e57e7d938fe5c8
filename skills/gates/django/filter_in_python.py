"""The rule filter-in-python: rows are fetched and most of them thrown away in Python."""

import ast

from msgspec.structs import replace

from skills.gates.analysis.loops import Loop, loops_around
from skills.gates.analysis.queries import MANAGERS, chain_of
from skills.gates.django.relations import relations_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants, mentions
from skills.gates.model import Candidate, Evidence, FileReport
from skills.gates.project import Project
from skills.gates.rule import Example, Rule, Watch
from skills.record import record

IN_PYTHON = "filter-in-python"
_LAZY = frozenset(
    {"all", "filter", "exclude", "order_by", "select_related", "prefetch_related", "iterator", "distinct"}
)
_OUTSIDE = frozenset({"AbstractUser", "AbstractBaseUser", "PermissionsMixin"})
_OPERATORS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot)


# What answers no rows, or rows of which the database has already dropped the columns.
_OTHERS = frozenset(
    {"get", "first", "last", "latest", "earliest", "create", "get_or_create", "update_or_create", "values",
     "values_list", "annotate", "alias", "aggregate", "count", "exists", "in_bulk", "raw", "union", "intersection",
     "difference", "dates", "datetimes", "bulk_create", "none", "only", "defer", "using", "extra", "reverse", "aget",
     "select_for_update"}
)  # fmt: skip


_HOLDS_ROWS = frozenset({"list", "tuple", "set", "sorted", "reversed", "iter"})


@record
class _Query:
    """A queryset on a model's manager: the dotted model, the line, the manager, and methods that are none of
    Django's: the project knows whether they only narrow."""

    model: str
    line: int
    manager: str
    through: tuple[str, ...]


def _rows(node: ast.expr, context: FileContext) -> _Query | None:
    """The queryset that is written there, or bound to a name that is used once."""
    if isinstance(node, ast.Name):
        bound = _bound_once(node, context)
        return _rows(bound, context) if bound is not None else None
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Name):
        return _rows(node.args[0], context) if node.func.id in _HOLDS_ROWS and node.args else None
    chain = chain_of(node)
    if chain.manager not in MANAGERS or not chain.model or not chain.calls:
        return None
    through = tuple(name for name, _ in chain.calls if name not in _LAZY)
    if not _OTHERS.isdisjoint(through):
        return None
    model = context.resolve(chain.root)
    return _Query(model, node.lineno, chain.manager, through) if model else None


def _bound_once(node: ast.Name, context: FileContext) -> ast.expr | None:
    """The query that a name stands for, where the function binds and reads it once: nobody else needs the rows."""
    function = context.function
    if function is None:
        return None
    value: ast.expr | None = None
    bound = read = 0
    for part in descendants(function):
        if isinstance(part, ast.Name) and part.id == node.id:
            bound += isinstance(part.ctx, ast.Store)
            read += isinstance(part.ctx, ast.Load)
        elif isinstance(part, ast.Assign) and [last_name(target) for target in part.targets] == [node.id]:
            value = part.value
    if bound != 1 or read != 1 or value is None or isinstance(value, ast.Name):
        return None
    # Rows that were fetched before a loop are dealt out by it: a query each turn would be worse.
    return value if all(_holds_line(loop, value) for loop in loops_around(context, node)) else None


def _holds_line(loop: Loop, node: ast.expr) -> bool:
    return loop.lineno <= node.lineno <= (loop.end_lineno or loop.lineno)


def _columns(test: ast.expr, row: str) -> list[str] | None:
    """The columns that a test compares, None where the database could not compare them as it stands."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _columns(test.operand, row)
    if isinstance(test, ast.BoolOp):
        found: list[str] = []
        for part in test.values:
            inner = _columns(part, row)
            if inner is None:
                return None
            found += inner
        return found
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], _OPERATORS):
        sides = [test.left, test.comparators[0]]
        columns = [side for side in sides if _column(side, row)]
        others = [side for side in sides if not _column(side, row)]
        if isinstance(test.ops[0], (ast.In, ast.NotIn)) and not _column(test.left, row):
            return None  # what a column holds
        if len(columns) == 1 and not any(mentions(side, row) for side in others):
            return [_column(columns[0], row)]
        return None
    match test:
        case ast.Call(func=ast.Attribute(value=text, attr="startswith" | "endswith"), args=[part]):
            test = test if mentions(part, row) else text
    name = _column(test, row)
    return [name] if name else None


def _column(node: ast.expr, row: str) -> str:
    """The attribute of `row.attribute` and `row.attribute.lower()`, "" for anything else."""
    match node:
        case ast.Call(func=ast.Attribute(value=inner, attr="lower" | "upper"), args=[]):
            node = inner
    plain = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == row
    return node.attr if plain and isinstance(node, ast.Attribute) else ""


def _tell(place: ast.AST, source: ast.expr, target: ast.expr, tests: list[ast.expr], context: FileContext) -> None:
    if not isinstance(target, ast.Name) or not tests:
        return
    columns: list[str] = []
    for test in tests:
        found = _columns(test, target.id)
        if found is None:
            return
        columns += found
    rows = _rows(source, context)
    if rows is None or not columns:
        return
    model, line = rows.model, rows.line
    listed = ", ".join(f"`{name}`" for name in dict.fromkeys(columns))
    name = model.rpartition(".")[2]
    message = f"Rows of `{name}` are fetched and then picked by {listed} in Python"
    evidence = (Evidence(context.path, line, "asks for the rows"),) if line != getattr(place, "lineno", 0) else ()
    needs = (
        ("model", model),
        ("manager", rows.manager),
        *(("through", method) for method in rows.through),
        *(("column", column) for column in dict.fromkeys(columns)),
    )
    context.report(IN_PYTHON, place, message, needs=needs, evidence=evidence, parts=(source.lineno,))


def _on_comprehension(node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, context: FileContext) -> None:
    first = node.generators[0]
    tests = list(first.ifs)
    if not tests and isinstance(node, ast.GeneratorExp) and len(node.generators) == 1:
        outer = context.parent(node)
        if isinstance(outer, ast.Call) and last_name(outer.func) in {"any", "all"} and isinstance(outer.func, ast.Name):
            tests = [node.elt]
    _tell(node, first.iter, first.target, tests, context)


def _on_call(node: ast.Call, context: FileContext) -> None:
    """`filter(lambda order: order.paid, Order.objects.all())`."""
    if isinstance(node.func, ast.Name) and node.func.id == "filter" and len(node.args) == 2:
        test = node.args[0]
        if isinstance(test, ast.Lambda) and len(test.args.args) == 1:
            _tell(node, node.args[1], ast.Name(test.args.args[0].arg), [test.body], context)


def _on_loop(node: ast.For | ast.AsyncFor, context: FileContext) -> None:
    """A loop whose body is one `if`, or begins with `if not …: continue`."""
    first = node.body[0]
    if not isinstance(first, ast.If) or first.orelse:
        return
    skips = len(first.body) == 1 and isinstance(first.body[0], ast.Continue)
    rest = node.body[1:]
    if (skips or len(node.body) == 1) and not _keeps_account(first, rest) and not _looks_up(first, rest):
        _tell(first, node.iter, node.target, [first.test], context)


def _keeps_account(test: ast.If, rest: list[ast.stmt]) -> bool:
    """True where the test asks what the loop itself collects: `if order.user_id in seen: continue`."""
    asked = {part.id for part in descendants(test.test) if isinstance(part, ast.Name)}
    for statement in (*test.body, *rest):
        for part in descendants(statement):
            owner = part.func.value if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) else None
            owner = part.value if isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Store) else owner
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store) and part.id in asked:
                return True
            if isinstance(owner, ast.Name) and owner.id in asked and owner.id != _row_of(test.test):
                return True
    return False


def _looks_up(test: ast.If, rest: list[ast.stmt]) -> bool:
    """True where the loop takes out of a dict what the test found in it: `if order.pk in totals: totals[order.pk]`."""
    asked = test.test.operand if isinstance(test.test, ast.UnaryOp) else test.test
    if not isinstance(asked, ast.Compare) or not isinstance(asked.ops[0], (ast.In, ast.NotIn)):
        return False
    taken = f"{ast.unparse(asked.comparators[0])}[{ast.unparse(asked.left)}]"
    return any(
        isinstance(part, ast.Subscript) and ast.unparse(part) == taken
        for statement in (*test.body, *rest)
        for part in descendants(statement)
    )


def _row_of(test: ast.expr) -> str:
    """The name whose attributes a test reads."""
    owners = [part.value for part in descendants(test) if isinstance(part, ast.Attribute)]
    return next((owner.id for owner in owners if isinstance(owner, ast.Name)), "")


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """Every column is a field of the model; where the project does not define all of the model, probably."""
    said = dict(candidate.needs)
    model, through = said["model"], [name for kind, name in candidate.needs if kind == "through"]
    relations = relations_of(project)
    place = relations.model(model, report.path)
    if place is None:
        known = bool(through or project.named("model", model.rpartition(".")[2]))
        return None if known else replace(candidate, needs=(), confidence="likely")
    if not relations.narrows(place, said["manager"], through):
        return None
    fields = project.models.fields(place[1].name)
    line = set(project.models.ancestors(place[1].name))
    for kind, name in candidate.needs:
        if kind != "column" or name in fields or name in {"pk", "id"} or name.removesuffix("_id") in fields:
            continue
        if not (line & _OUTSIDE and name.startswith(("is_", "date_", "last_", "email", "username"))):
            return None
    return replace(candidate, needs=())


_MODELS = (
    "class OrderQuerySet(models.QuerySet):\n    def large(self):\n        return self.filter(total__gt=99)\n\n"
    "    def found(self):\n        return [order for order in self if ask(order)]\n\n\n"
    "class Order(models.Model):\n    paid = models.BooleanField()\n    total = models.IntegerField()\n"
    "    objects = OrderQuerySet.as_manager()\n"
)


_LOOKED_UP = (
    "def pay(totals):\n    for order in Order.objects.filter(paid=True):\n        if order.pk in totals:\n"
    "            order.total = {of}\n"
)


def _shop(source: str) -> Example:
    return Example({"shop/models.py": _MODELS, "shop/reports.py": source})


filter_in_python = Rule(
    name=IN_PYTHON,
    gate="P1",
    severity="MEDIUM",
    skill="django-query-optimizer",
    sources=("BN-S5",),
    catches="Querysets whose rows are picked by their columns in Python.",
    why="The whole table is read, sent and turned into objects to keep a few of them; it gets slower with every row, "
    "and an index cannot help.",
    fix="Let the database pick: `.filter(…)`, `.exclude(…)`, `.exists()` instead of `any`.",
    when="In comprehensions, `filter(lambda …)`, `any`/`all`, and loops whose body is one `if` or begins with `if …: "
    "continue`, over a model's own manager and those methods of it that only narrow, where every test compares a field "
    "with something else. Not where the rows are used a second time, and not in tests and migrations.",
    watches=(
        Watch(
            (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp),
            _on_comprehension,
            (b".objects",),
            is_product_path,
            near=(b"for ", b"for("),
        ),
        Watch((ast.Call,), _on_call, (b"lambda",), is_product_path, near=(b"lambda",)),
        Watch((ast.For, ast.AsyncFor), _on_loop, (b".objects",), is_product_path),
    ),
    holds=_holds,
    bad=(
        _shop(_LOOKED_UP.format(of="0")),
        _shop("paid = [order for order in Order.objects.all() if order.paid]\n"),
        _shop("paid = list(\n    filter(\n        lambda order: order.paid,\n        Order.objects.all(),\n    )\n)\n"),
        _shop(
            "def f():\n    orders = list(Order.objects.all())\n    return [order for order in orders if order.paid]\n"
        ),
        _shop("def f(limit):\n    return any(order.total > limit for order in Order.objects.all())\n"),
        _shop(
            "def f():\n    orders = Order.objects.all()\n    return [order.pk for order in orders if not order.paid]\n"
        ),
        _shop(
            "def f():\n    for order in Order.objects.filter(total=3):\n        if order.paid:\n"
            "            ship(order)\n"
        ),
        _shop(
            "def f():\n    for order in Order.objects.all():\n        if not order.paid:\n            continue\n"
            "        ship(order)\n"
        ),
        _shop("paid = list(filter(lambda order: order.paid, Order.objects.all()))\n"),
        _shop("paid = [order for order in Order.objects.large() if order.paid]\n"),
        _shop("mine = [order for order in Order.objects.all() if order.total.startswith('9')]\n"),
        _shop("mine = [order for order in Order.objects.all() if order.total.lower() == 'nine']\n"),
        Example(
            {
                "shop/models.py": "from django.db import models as m\n\n\nclass Order(m.Model):\n"
                "    paid = m.BooleanField()\n",
                "shop/reports.py": "paid = [order for order in Order.objects.all() if order.paid]\n",
            }
        ),
    ),
    good=(
        _shop(_LOOKED_UP.format(of="totals[order.pk]")),
        _shop("paid = [order for order in Order.objects.filter(paid=True)]\n"),
        _shop(
            "def f(totals):\n    orders = list(Order.objects.all())\n    for total in totals:\n"
            "        show([order for order in orders if order.total == total])\n"
        ),
        _shop(
            "def f(totals):\n    orders = Order.objects.all()\n    for total in totals:\n"
            "        show([order for order in orders if order.total == total])\n"
        ),
        _shop("paid = [order for order in Order.objects.found() if order.paid]\n"),
        _shop("mine = [order for order in Order.objects.all() if 'me' in order.total]\n"),
        _shop("paid = [order for order in Order.objects.unknown() if order.paid]\n"),
        _shop("late = [order for order in Order.objects.all() if order.is_late()]\n"),
        _shop("late = [order for order in Order.objects.all() if order.is_late]\n"),
        _shop(
            "def f():\n    orders = Order.objects.all()\n    paid = [order for order in orders if order.paid]\n"
            "    return paid, [order for order in orders if not order.paid]\n"
        ),
        _shop(
            "def f():\n    for order in Order.objects.all():\n        if order.paid:\n            ship(order)\n"
            "        else:\n            remind(order)\n"
        ),
        _shop(
            "def f():\n    seen = set()\n    for order in Order.objects.all():\n        if order.total in seen:\n"
            "            continue\n        seen.add(order.total)\n"
        ),
        _shop("odd = [order for order in Order.objects.all() if order.total == order.paid]\n"),
    ),
)

RULES: tuple[Rule, ...] = (filter_in_python,)
