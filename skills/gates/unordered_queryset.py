"""The rule unordered-queryset: a list is cut into pages without an order."""

import ast
from dataclasses import replace

from skills.gates.context import FileContext, FunctionNode
from skills.gates.model import Candidate, Confidence, Evidence, FileReport
from skills.gates.names import last_name
from skills.gates.project import Place, Project
from skills.gates.queries import MANAGERS, chain_of
from skills.gates.relations import relations_of
from skills.gates.roles import is_migration_path, is_test_path
from skills.gates.rule import Example, Observer, Rule, Watch
from skills.gates.serializer_rows import may_decide_itself
from skills.gates.syntax import descendants

UNORDERED = "unordered-queryset"
_REST_LISTS = ("ModelViewSet", "ListAPIView", "ListCreateAPIView", "ListModelMixin", "ReadOnlyModelViewSet")
_DJANGO_LISTS = ("ListView",)
_LAZY = frozenset(
    {"all", "filter", "exclude", "select_related", "prefetch_related", "annotate", "only", "defer", "alias"}
)
_ORDERS = (b"order_by", b"ordering")


def _model_of(node: ast.expr | None, context: FileContext) -> str | None:
    """The dotted model of a queryset that is written as one chain without an order, None for all others."""
    if isinstance(node, ast.Attribute) and node.attr in MANAGERS and last_name(node.value)[:1].isupper():
        return context.resolve(node.value)
    if not isinstance(node, ast.Call):
        return None
    chain = chain_of(node)
    if chain.manager not in MANAGERS or not chain.model or any(name not in _LAZY for name, _ in chain.calls):
        return None
    return context.resolve(chain.root)


def _report(
    node: ast.AST,
    model: str,
    manager: str,
    paged: str,
    why: str,
    context: FileContext,
    symbol: str,
    line: int,
    bases: list[str] | None = None,
) -> None:
    needs = (("model", model), ("manager", manager), ("paged", paged), *(("base", base) for base in bases or ()))
    name = model.rpartition(".")[2]
    message = f"{why} of `{name}` without an order: rows can repeat or be left out from one page to the next"
    evidence = (Evidence(context.path, line, why),) if line else ()
    confidence: Confidence = "confirmed" if paged == "yes" else "likely"
    context.report(UNORDERED, node, message, needs=needs, evidence=evidence, confidence=confidence, symbol=symbol)


def _on_class(node: ast.ClassDef, context: FileContext) -> None:
    bases = [last_name(base) for base in node.bases]
    rest = any(base.endswith(_REST_LISTS) for base in bases)
    if not rest and not any(base.endswith(_DJANGO_LISTS) for base in bases):
        return
    given = {
        last_name(target): statement.value
        for statement in node.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    }
    paged = _paging(given, rest)
    if paged is None or "ordering" in given:
        return
    place, queryset = _queryset(node, given)
    model = _model_of(queryset, context)
    manager = _manager(queryset)
    if model is None and not rest and "model" in given and place is None:
        place, model, manager = given["model"], context.resolve(given["model"]), "objects"
    if model and place is not None:
        symbol = f"{context.symbol}.{node.name}".lstrip(".")
        _report(place, model, manager, paged, f"`{node.name}` lists the rows", context, symbol, node.lineno, bases)


def _paging(given: dict[str, ast.expr], rest: bool) -> str | None:
    """ "yes" where the class says that it pages, "default" where the project's settings decide, None where not."""
    key = "pagination_class" if rest else "paginate_by"
    value = given.get(key)
    if value is None:
        return "default" if rest else None
    return None if isinstance(value, ast.Constant) and value.value is None else "yes"


def _queryset(node: ast.ClassDef, given: dict[str, ast.expr]) -> tuple[ast.expr | None, ast.expr | None]:
    """(where to report, queryset): what `get_queryset` returns where it is defined, else the attribute."""
    for method in node.body:
        if isinstance(method, FunctionNode) and method.name == "get_queryset":
            returned = [part.value for part in descendants(method) if isinstance(part, ast.Return)]
            ordered = any(isinstance(part, ast.Attribute) and part.attr == "order_by" for part in descendants(method))
            if len(returned) != 1 or returned[0] is None or ordered:
                return method.body[0].value if isinstance(method.body[0], ast.Expr) else ast.Constant(0), None
            return returned[0], returned[0]
    value = given.get("queryset")
    return value, value


def _manager(node: ast.expr | None) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return chain_of(node).manager if isinstance(node, ast.Call) else "objects"


def _on_call(node: ast.Call, context: FileContext) -> None:
    """`Paginator(Order.objects.all(), 50)`."""
    if last_name(node.func) == "Paginator" and node.args:
        rows = node.args[0]
        if isinstance(rows, ast.Name):
            rows = _bound(rows.id, context) or rows
        model = _model_of(rows, context)
        if model:
            _report(node, model, _manager(rows), "yes", "`Paginator` cuts the rows", context, context.symbol, 0)


def _on_slice(node: ast.Subscript, context: FileContext) -> None:
    """`Order.objects.all()[offset:offset + 50]`."""
    if isinstance(node.slice, ast.Slice) and node.slice.lower is not None and node.slice.upper is not None:
        rows = node.value
        if isinstance(rows, ast.Name):
            rows = _bound(rows.id, context) or rows
        model = _model_of(rows, context)
        first = node.slice.lower
        if model and not (isinstance(first, ast.Constant) and first.value == 0):
            _report(node, model, _manager(rows), "yes", "A slice takes a page", context, context.symbol, 0)


def _bound(name: str, context: FileContext) -> ast.expr | None:
    """What a name stands for where the function binds it once."""
    if context.function is None:
        return None
    values = [
        part.value
        for part in descendants(context.function)
        if isinstance(part, ast.Assign) and name in {last_name(target) for target in part.targets}
    ]
    return values[0] if len(values) == 1 else None


def _on_ordering(node: ast.ClassDef, context: FileContext) -> None:
    """Models and managers that give their rows an order."""
    for inner in node.body:
        if isinstance(inner, ast.ClassDef) and inner.name == "Meta":
            names = {last_name(target): part.value for part in inner.body if isinstance(part, ast.Assign)
                     for target in part.targets}  # fmt: skip
            value = names.get("ordering")
            empty = isinstance(value, ast.List | ast.Tuple) and not value.elts
            if (value is not None and not empty) or "order_with_respect_to" in names:
                context.fact("ordering", node.name, "", value.lineno if value is not None else inner.lineno)
    named = [node.name, *map(last_name, node.bases)]
    if any(name.endswith(("Manager", "QuerySet")) for name in named) and any(
        isinstance(part, ast.Attribute) and part.attr == "order_by" for part in descendants(node)
    ):
        context.fact("ordering-manager", node.name)


def _on_settings(node: ast.Dict, context: FileContext) -> None:
    for key, value in zip(node.keys, node.values, strict=True):
        named = isinstance(key, ast.Constant) and key.value == "DEFAULT_PAGINATION_CLASS"
        if named and isinstance(value, ast.Constant) and isinstance(value.value, str):
            context.fact("pagination", "default", value.value, value.lineno)


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """The model is known, and neither it nor its manager gives an order."""
    said = dict(candidate.needs)
    place = relations_of(project).model(said["model"], report.path)
    bases = [value for kind, value in candidate.needs if kind == "base"]
    if place is None or may_decide_itself(bases, project) or _is_ordered(place, said["manager"], project):
        return None
    if said["paged"] == "default":
        pagination = project.facts("pagination")
        if pagination:
            path, fact = pagination[0]
            paged = Evidence(path, fact.line, f"pages every list: {fact.detail}")
            return replace(candidate, needs=(), confidence="confirmed", evidence=(*candidate.evidence, paged))
    model = Evidence(place[0], place[1].line, f"{place[1].name} has no Meta.ordering")
    return replace(candidate, needs=(), evidence=(*candidate.evidence, model))


def _is_ordered(place: Place, manager: str, project: Project) -> bool:
    for ancestor in project.models.ancestors(place[1].name):
        if project.has("ordering", ancestor) or ancestor.endswith(("MPTTModel", "Orderable", "Page", "MP_Node")):
            return True
        for _, fact in project.named("manager", f"{ancestor}.{manager}"):
            if any(project.has("ordering-manager", word) for word in fact.detail.split()):
                return True
    return False


def _is_checked(path: str) -> bool:
    return not is_test_path(path) and not is_migration_path(path)


_MODEL = "class Order(models.Model):\n    paid = models.BooleanField()\n"
_ORDERED = _MODEL + "\n    class Meta:\n        ordering = ['-id']\n"


def _shop(source: str, models: str = _MODEL) -> Example:
    return Example({"shop/models.py": models, "shop/views.py": "from shop.models import Order\n\n\n" + source})


unordered_queryset = Rule(
    name=UNORDERED,
    gate="P1",
    severity="MEDIUM",
    skill="django-query-optimizer",
    sources=("BN-S5",),
    catches="Lists that are cut into pages from a queryset without `order_by`, of a model without `Meta.ordering`.",
    why="Without an order the database may answer each page in another one: a row shows up twice, another one never.",
    fix='Give the queryset `order_by(…)`, with a unique column last ("-created", "pk"), or the model `Meta.ordering`.',
    when="In REST views that list (those with `pagination_class = None` are left out), Django's `ListView` with "
    "`paginate_by`, `Paginator(…)`, and slices with an offset. The model must be known, with what it inherits and its "
    "manager; a `get_queryset` that orders anywhere is trusted. Not in tests and migrations.",
    watches=(
        Watch((ast.ClassDef,), _on_class, (b"ViewSet", b"ListAPIView", b"ListModelMixin", b"ListCreate", b"ListView"),
              _is_checked),
        Watch((ast.Call,), _on_call, (b"Paginator",), _is_checked, near=(b"Paginator",)),
        Watch((ast.Subscript,), _on_slice, (b"offset", b"page", b"start"), _is_checked, near=(b"[",)),
    ),
    holds=_holds,
    bad=(
        _shop("class OrderViewSet(ModelViewSet):\n    queryset = Order.objects.all()\n"),
        _shop(
            "class OrderList(generics.ListAPIView):\n    pagination_class = Pages\n\n"
            "    def get_queryset(self):\n        return Order.objects.filter(paid=True)\n"
        ),
        _shop("class OrderList(ListView):\n    model = Order\n    paginate_by = 50\n"),
        _shop("def orders(request):\n    rows = Order.objects.filter(paid=True)\n    return Paginator(rows, 50)\n"),
        _shop("def orders(offset):\n    return Order.objects.all()[offset : offset + 50]\n"),
    ),
    good=(
        _shop("class OrderViewSet(ModelViewSet):\n    queryset = Order.objects.order_by('-id')\n"),
        _shop("class OrderViewSet(ModelViewSet):\n    queryset = Order.objects.all()\n", _ORDERED),
        _shop("class OrderViewSet(ModelViewSet):\n    queryset = Order.objects.all()\n    pagination_class = None\n"),
        _shop("class OrderViewSet(ModelViewSet):\n    queryset = Order.objects.all()\n    ordering = ['id']\n"),
        _shop("class OrderList(ListView):\n    model = Order\n"),
        _shop("class OrderView(RetrieveAPIView):\n    queryset = Order.objects.all()\n"),
        _shop(
            "class OrderViewSet(ModelViewSet):\n    queryset = Order.objects.all()\n\n"
            "    def get_queryset(self):\n        return super().get_queryset().order_by('id')\n"
        ),
        _shop("newest = Order.objects.all()[:10]\n"),
    ),
)  # fmt: skip

RULES: tuple[Rule, ...] = (unordered_queryset,)
OBSERVERS: tuple[Observer, ...] = (
    Observer(
        "orderings",
        (
            Watch((ast.ClassDef,), _on_ordering, (b"ordering", b"order_by", b"order_with_respect_to"), _is_checked),
            Watch(
                (ast.Dict,),
                _on_settings,
                (b"DEFAULT_PAGINATION_CLASS",),
                _is_checked,
                near=(b"DEFAULT_PAGINATION_CLASS",),
            ),
        ),
    ),
)
"""Kinds: ordering (a model), ordering-manager (a manager), pagination (detail: class)."""
