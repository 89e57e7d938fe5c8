"""The rule unordered-queryset: a list is cut into pages without an order."""

import ast

from msgspec.structs import replace

from skills.gates.analysis.queries import MANAGERS, chain_of
from skills.gates.django.queryset_chains import (
    Needs,
    answering,
    asks_above,
    assigned,
    bound,
    made,
    made_in,
    model_of,
    related,
    said_of,
)
from skills.gates.django.relations import relations_of
from skills.gates.django.row_managers import has_manager, orders_itself
from skills.gates.django.row_sources import unordered
from skills.gates.django.serializer_rows import REST_LISTS, may_decide_itself
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import is_decorated, last_name
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants, is_singleton
from skills.gates.model import Candidate, Confidence, Evidence, FileReport
from skills.gates.project import Place, Project
from skills.gates.rule import Apart, Observer, Rule, Watch

UNORDERED = "unordered-queryset"
_DJANGO_LISTS = ("ListView",)
# Models of packages that order their rows.
_ORDERED = ("MPTTModel", "Orderable", "Page", "MP_Node")
_CURSOR = "CursorPagination"
_PAGING = "DEFAULT_PAGINATION_CLASS"


def _report(
    node: ast.AST,
    model: str,
    manager: str,
    paged: str,
    why: str,
    context: FileContext,
    symbol: str,
    line: int,
    more: Needs = (),
) -> None:
    needs = (("model", model), ("manager", manager), ("paged", paged), *more)
    name = model.rpartition(".")[2]
    message = f"{why} of `{name}` without an order: rows can repeat or be left out from one page to the next"
    evidence = (Evidence(context.path, line, why),) if line else ()
    confidence: Confidence = "confirmed" if paged == "yes" else "likely"
    context.report(UNORDERED, node, message, needs=needs, evidence=evidence, confidence=confidence, symbol=symbol)


def _on_class(node: ast.ClassDef, context: FileContext) -> None:
    bases = [last_name(base) for base in node.bases]
    rest = any(base.endswith(REST_LISTS) for base in bases)
    if not rest and not any(base.endswith(_DJANGO_LISTS) for base in bases):
        return
    if rest and any(isinstance(part, FunctionNode) and part.name == "list" and _orders(part) for part in node.body):
        return
    given = assigned(node)
    paged = _paging(given, rest)
    order = given.get("ordering")
    if paged is None or (order is not None and not is_singleton(order, None)):
        return
    if not rest and any(isinstance(part, FunctionNode) and part.name == "get_ordering" for part in node.body):
        return
    place, queryset = _queryset(node, given, context)
    said, above = said_of(queryset), asks_above(queryset)
    if above:
        queryset = given.get("queryset")
        said = (*said, *said_of(queryset))
    model = model_of(queryset, context)
    manager = _manager(queryset)
    if model is None and not rest and "model" in given and (place is None or (above and queryset is None)):
        place, model, manager = place or given["model"], context.resolve(given["model"]), "objects"
    method = next((part for part in node.body if getattr(part, "name", "") == "get_queryset"), None)
    if model is None and queryset is not None and isinstance(method, FunctionNode):
        model, behind = related(queryset, context, method) or (None, "")
        said = (*said, ("behind", behind)) if behind else said
    if model and place is not None:
        symbol = context.symbol_of(node.name)
        more = (
            *(("base", base) for base in bases),
            ("pages", _paging_class(given)),
            *said,
        )
        _report(place, model, manager, paged, f"`{node.name}` lists the rows", context, symbol, node.lineno, more)


def _paging_class(given: dict[str, ast.expr]) -> str:
    value = given.get("pagination_class")
    return last_name(value) if value is not None else ""


def _paging(given: dict[str, ast.expr], rest: bool) -> str | None:
    """ "yes" where the class says that it pages, "default" where the project's settings decide, None where not."""
    key = "pagination_class" if rest else "paginate_by"
    value = given.get(key)
    if value is None:
        return "default" if rest else None
    return None if is_singleton(value, None) else "yes"


def _queryset(
    node: ast.ClassDef, given: dict[str, ast.expr], context: FileContext
) -> tuple[ast.expr | None, ast.expr | None]:
    """(where to report, queryset): what `get_queryset` returns where it is defined, else the attribute. Of several
    that it returns the first one whose rows are known; one that orders anywhere is trusted."""
    for method in node.body:
        if isinstance(method, FunctionNode) and method.name == "get_queryset":
            if _orders(method):
                return ast.Constant(0), None
            for part in descendants(method):
                if isinstance(part, ast.Return) and part.value is not None:
                    rows = made_in(method, part.value, context)
                    if model_of(rows, context) or asks_above(rows) or related(rows, context, method):
                        return part.value, rows
            return ast.Constant(0), None
    value = given.get("queryset")
    return value, value


def _orders(method: FunctionNode) -> bool:
    return any(isinstance(part, ast.Attribute) and part.attr == "order_by" for part in descendants(method))


def _manager(node: ast.expr | None) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return chain_of(node).manager if isinstance(node, ast.Call) else "objects"


def _on_call(node: ast.Call, context: FileContext) -> None:
    """`Paginator(Order.objects.all(), 50)`."""
    if (context.resolve(node.func) or "").rpartition(".")[2] == "Paginator":
        named = (word.value for word in node.keywords if word.arg == "object_list")
        rows = node.args[0] if node.args else next(named, None)
        if rows is None:
            return
        _on_cut(node, made(rows, context), "`Paginator` cuts the rows", context)


def _on_pages(node: ast.Call, context: FileContext) -> None:
    """`self.paginate_queryset(Order.objects.all())` of a view, `pages.paginate_queryset(orders, request)`."""
    if not isinstance(node.func, ast.Attribute) or node.func.attr != "paginate_queryset" or not node.args:
        return
    owner = last_name(node.func.value)
    if owner == "self" and context.class_scope is not None:
        paging = assigned(context.class_scope).get("pagination_class")
    else:
        pager = bound(owner, context)
        paging = pager.func if isinstance(pager, ast.Call) else None
    paged = "default" if paging is None else "yes"
    pages = ("pages", last_name(paging) if paging is not None else "")
    _on_cut(node, made(node.args[0], context), "`paginate_queryset` cuts the rows", context, paged, (pages,))


def _on_paginated(node: FunctionNode, context: FileContext) -> None:
    """`@paginate` of django-ninja over a view that answers rows."""
    if is_decorated(node, {"paginate"}):
        for part in descendants(node):
            if isinstance(part, ast.Return) and part.value is not None:
                why = f"`{node.name}` answers pages of the rows"
                _on_cut(part.value, made_in(node, part.value, context), why, context)


def _on_cut(
    node: ast.expr, rows: ast.expr, why: str, context: FileContext, paged: str = "yes", pages: Needs = ()
) -> None:
    model = model_of(rows, context)
    more = said_of(rows)
    if model is None and (behind := related(rows, context)) is not None:
        model, more = behind[0], (("behind", behind[1]),)
    named = answering(rows, context) if model is None else ""
    if named:
        model, more = named, (("answered", named),)
    if model:
        _report(node, model, _manager(rows), paged, why, context, context.symbol, 0, (*more, *pages))


def _on_slice(node: ast.Subscript, context: FileContext) -> None:
    """`Order.objects.all()[offset:offset + 50]`."""
    if isinstance(node.slice, ast.Slice) and node.slice.lower is not None and node.slice.upper is not None:
        rows = node.value
        rows = made(rows, context)
        first = node.slice.lower
        if not (isinstance(first, ast.Constant) and first.value == 0):
            _on_cut(node, rows, "A slice takes a page", context)


def _on_ordering(node: ast.ClassDef, context: FileContext) -> None:
    """Models and managers that give their rows an order."""
    for inner in node.body:
        if isinstance(inner, ast.ClassDef) and inner.name == "Meta":
            names = {last_name(target): part.value for part in inner.body if isinstance(part, ast.Assign)
                     for target in part.targets}  # fmt: skip
            value = names.get("ordering")
            empty = isinstance(value, (ast.List, ast.Tuple)) and not value.elts
            if (value is not None and not empty) or "order_with_respect_to" in names:
                context.fact("ordering", node.name, "", value.lineno if value is not None else inner.lineno)
    if any(last_name(base) == _CURSOR for base in node.bases):
        context.fact("cursor-pages", node.name)


def _on_settings(node: ast.Dict, context: FileContext) -> None:
    for key, value in zip(node.keys, node.values, strict=True):
        named = isinstance(key, ast.Constant) and key.value == _PAGING
        if named and isinstance(value, ast.Constant) and isinstance(value.value, str):
            context.fact("pagination", "default", value.value, value.lineno)


def _on_rest(node: ast.Assign, context: FileContext) -> None:
    """Notes settings of REST framework that are written out, and page no list."""
    written = node.value if isinstance(node.value, ast.Dict) and None not in node.value.keys else None
    keys = {key.value for key in written.keys if isinstance(key, ast.Constant)} if written is not None else set()
    if last_name(node.targets[0]) == "REST_FRAMEWORK" and written is not None and _PAGING not in keys:
        context.fact("pagination-unset", "REST_FRAMEWORK")


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """Looks at the rows that a function of another file answers."""
    said = dict(candidate.needs)
    if "answered" not in said:
        return _is_unordered(candidate, report, project)
    answer = unordered(said["answered"], project)
    if answer is None:
        return None
    left = (need for need in candidate.needs if need[0] not in {"model", "manager", "answered"})
    return _is_unordered(replace(candidate, needs=(*answer, *left), fixable=False), report, project)


def _is_unordered(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """The model is known, and neither it nor its manager gives an order."""
    said = dict(candidate.needs)
    place = _listed(said, report.path, project)
    known = said["manager"] in {"", *MANAGERS}
    if place is not None and not known and not has_manager(place, said["manager"], project):
        place = None
    bases = [value for kind, value in candidate.needs if kind == "base"]
    if place is None or may_decide_itself(bases, project) or _orders_itself(said.get("pages", ""), project):
        return None
    through = [value for kind, value in candidate.needs if kind == "through"]
    if not relations_of(project).leaves_order(place, said["manager"], through):
        return None
    if "cleared" not in said and _is_ordered(place, said["manager"], project):
        return None
    if said["paged"] == "default":
        pagination = project.facts("pagination")
        own = any(project.has("view-class", base) for base in bases)
        if not pagination and not own and project.facts("pagination-unset"):
            return None  # nothing is cut into pages
        if pagination:
            path, fact = pagination[0]
            if _orders_itself(fact.detail.rpartition(".")[2], project):
                return None
            paged = Evidence(path, fact.line, f"pages every list: {fact.detail}")
            return replace(candidate, needs=(), confidence="confirmed", evidence=(*candidate.evidence, paged))
    why = (
        f"{place[1].name} has no Meta.ordering"
        if "cleared" not in said
        else f"order_by() clears that of {place[1].name}"
    )
    model = Evidence(place[0], place[1].line, why)
    message = candidate.message.replace(f"`{said['model'].rpartition('.')[2]}`", f"`{place[1].name}`")
    return replace(candidate, message=message, needs=(), evidence=(*candidate.evidence, model))


def _listed(said: dict[str, str], path: str, project: Project) -> Place | None:
    """The model whose rows are listed: the one that is named, or the one behind its relation."""
    relations = relations_of(project)
    place = relations.model(said["model"], path)
    if place is None and "behind" in said:  # of a model of others, as Django's users
        owner = relations.towards(said["model"].rpartition(".")[2], said["behind"])
        return relations.model(owner[0], path) if owner is not None else None
    if place is None or "behind" not in said:
        return place
    behind = relations.behind(place, said["behind"])
    return behind.target if behind is not None and behind.many else None


def _orders_itself(paging: str, project: Project) -> bool:
    """True for a class of pages that goes by a cursor, which has an order of its own."""
    return paging == _CURSOR or project.has("cursor-pages", paging)


def _is_ordered(place: Place, manager: str, project: Project) -> bool:
    for ancestor in project.models.ancestors(place[1].name):
        if project.has("ordering", ancestor):
            return True
        if ancestor.endswith(_ORDERED) and (ancestor != place[1].name or ancestor not in project.models.places):
            return True
    return orders_itself(relations_of(project).line(place), manager, project)


unordered_queryset = Rule(
    name=UNORDERED,
    gate="P1",
    severity="MEDIUM",
    skill="django-query-optimizer",
    sources=("BN-S5",),
    catches="Lists that are cut into pages from a queryset without `order_by`, of a model without `Meta.ordering`.",
    why="Without an order the database may sort each page differently: one row shows up twice, another never.",
    fix='Give the queryset `order_by(…)`, with a unique column last ("-created", "pk"), or the model `Meta.ordering`.',
    when="In REST views that list (those with `pagination_class = None` are left out), Django's `ListView` with "
    "`paginate_by`, `Paginator(…)`, `paginate_queryset(…)`, django-ninja's `@paginate`, and slices with an offset; of "
    "rows that a function answers too. The model must be known, with what it inherits and its "
    "manager; a `get_queryset` that orders anywhere is trusted. Not in tests and migrations.",
    watches=(
        Watch(
            (ast.ClassDef,),
            _on_class,
            (b"ViewSet", b"ListAPIView", b"ListModelMixin", b"ListCreate", b"ListView"),
            is_product_path,
        ),
        Watch((ast.Call,), _on_call, (b"Paginator",), is_product_path, near=(b"Paginator",)),
        Watch((ast.FunctionDef,), _on_paginated, (b"@paginate",), is_product_path),
        Watch((ast.Call,), _on_pages, (b"paginate_queryset(",), is_product_path, near=(b"paginate_queryset(",)),
        Watch((ast.Subscript,), _on_slice, (b"offset", b"page", b"start"), is_product_path, near=(b"[",)),
    ),
    holds=_holds,
    bad=Apart("django.unordered_examples.UNORDERED_BAD"),
    good=Apart("django.unordered_examples.UNORDERED_GOOD"),
)

RULES: tuple[Rule, ...] = (unordered_queryset,)
OBSERVERS: tuple[Observer, ...] = (
    Observer(
        "orderings",
        (
            Watch(
                (ast.ClassDef,),
                _on_ordering,
                (b"ordering", b"order_by", b"order_with_respect_to", b"(CursorPagi"),
                is_product_path,
            ),
            Watch(
                (ast.Dict,),
                _on_settings,
                (b"DEFAULT_PAGINATION_CLASS",),
                is_product_path,
                near=(b"DEFAULT_PAGINATION_CLASS",),
            ),
            Watch((ast.Assign,), _on_rest, (b"REST_FRAMEWORK",), is_product_path, near=(b"REST_FRAMEWORK",)),
        ),
    ),
)
"""Kinds: ordering (a model), cursor-pages (a class), pagination (detail: class), pagination-unset (settings that name
none)."""
