"""The rule n-plus-one: a query for each row of another query."""

import ast

from msgspec.structs import replace

from skills.gates.django.admin_lists import admin_list
from skills.gates.django.n_plus_one_examples import N_PLUS_ONE_BAD, N_PLUS_ONE_GOOD
from skills.gates.django.relations import Relations, relations_of
from skills.gates.django.row_calls import Access
from skills.gates.django.row_flow import Flow
from skills.gates.django.row_helpers import (
    HELPERS,
    PROPERTIES,
    UNORDERED,
    asked_anew,
    holds_for_given,
    holds_for_property,
    report_given,
    told,
)
from skills.gates.django.row_values import EVERYTHING, Row, Rows, below, covers
from skills.gates.django.serializer_rows import N_PLUS_ONE, VIEW_WATCH, holds_for_view, report_many
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.roles import is_product_path
from skills.gates.model import Candidate, Confidence, Evidence, FileReport
from skills.gates.project import Place, Project
from skills.gates.rule import Rule, Watch

SKILL = "django-query-optimizer"
_QUERYSETS = (b".objects", b"QuerySet[", b"get_queryset", b".all()", b"_set.", b"queryset")


def _hearer(context: FileContext, more: tuple[tuple[str, str], ...] = ()) -> Access:
    """What hears of the attributes that are read of rows, and reports each once with `more` needs."""
    seen: set[tuple[object, ...]] = set()

    def on_access(part: ast.expr, statement: ast.AST, symbol: str, row: Row, attribute: str) -> None:
        key = (row.loop, row.origin, row.steps, attribute)
        if key in seen:
            return
        seen.add(key)
        context.statement = statement
        needs = (
            ("origin", row.origin), ("manager", row.manager), ("steps", "/".join(row.steps)), ("attribute", attribute),
            *(("loaded", name) for name in sorted(row.loaded)), *(("through", name) for name in row.through), *more,
            *asked_anew(part, row, context),
        )  # fmt: skip
        evidence = [Evidence(context.path, row.loop, "takes the rows one by one")]
        if row.line and row.line != row.loop:
            evidence.insert(0, Evidence(context.path, row.line, "asks for the rows"))
        confidence: Confidence = "confirmed" if row.sure else "likely"
        context.report(
            N_PLUS_ONE,
            part,
            f"`{attribute}` is read of each row",
            confidence=confidence,
            needs=needs,
            evidence=tuple(evidence),
            symbol=symbol,
        )

    return on_access


def _on_module(node: ast.Module, context: FileContext) -> None:
    if not any(word in context.source for word in (b"for ", b"lambda", b"attrgetter", b"many=True")):
        return
    seen: set[tuple[object, ...]] = set()

    def on_given(part: ast.expr, statement: ast.AST, symbol: str, row: Row, place: str) -> None:
        if (key := (row.loop, row.origin, row.steps, place)) in seen:
            return
        seen.add(key)
        before = context.statement
        context.statement = statement
        report_given(context, part, symbol, row, place)
        context.statement = before

    def on_many(part: ast.Call, statement: ast.AST, symbol: str, rows: Rows, serializer: str) -> None:
        if (part.lineno, rows) not in seen:
            seen.add((part.lineno, rows))
            before = context.statement
            context.statement = statement
            report_many(context, part, serializer, rows, symbol)
            context.statement = before

    Flow(context, _hearer(context), on_given, on_many).run()
    context.statement = node


def _on_admin(node: ast.ClassDef, context: FileContext) -> None:
    """The columns of an admin list that are methods: each is asked of every row on the page."""
    listed = admin_list(node, context)
    if listed is None:
        return
    model, columns, loaded = listed
    more = tuple(("column", name) for name in columns)
    before = context.statement
    for method in node.body:
        if isinstance(method, FunctionNode) and method.name in columns and len(method.args.args) == 2:
            flow = Flow(context, _hearer(context, more))
            flow.symbols = [*filter(None, [context.symbol]), node.name]
            row = Row(model, "objects", loaded=loaded, line=node.lineno, loop=method.lineno)
            flow.function(method, {}, {method.args.args[1].arg: row})
    context.statement = before


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """A relation of a model that nobody loaded; what a reverse relation brings along costs nothing."""
    said = dict(candidate.needs)
    if "serializer" in said:
        return holds_for_view(candidate, report, project)
    relations = relations_of(project)
    reached = relations.reached(said["origin"], said["steps"].split("/"), report.path)
    if reached is None or relations.turns_back(said["origin"], said["steps"].split("/"), report.path):
        return None
    model, last = reached
    more = _loaded_by_methods(candidate, report, relations)
    if more is None or (covers(more, said.get("attribute", EVERYTHING)) and "narrowed" not in said):
        return None
    candidate = replace(candidate, needs=(*candidate.needs, *(("loaded", name) for name in sorted(more))))
    if "given" in said:
        return holds_for_given(candidate, model, last, relations, project)
    if _loads_all(candidate, relations.model(said["origin"], report.path), relations):
        return None
    found = relations.behind(model, said["attribute"])
    if found is None:
        return holds_for_property(candidate, said["attribute"], model, last, relations, project)
    # The first of rows in an order is among those that were loaded.
    at_hand = UNORDERED in said and (found.target is None or _has_order(found.target, project))
    if at_hand or (last is not None and last.back == said["attribute"]):
        return None
    return told(candidate, said["attribute"], model, found)


def _loaded_by_methods(candidate: Candidate, report: FileReport, relations: Relations) -> frozenset[str] | None:
    """What the rows' manager, and those of its methods that they passed, load behind them; None where nobody can
    tell."""
    said = dict(candidate.needs)
    through = [name for kind, name in candidate.needs if kind == "through"]
    first = relations.model(said["origin"], report.path)
    found = relations.loads(first, said["manager"], through) if first is not None else frozenset()
    for step in filter(None, said["steps"].split("/")) if found else ():
        found = below(found or frozenset(), step)
    return found


def _has_order(model: Place, project: Project) -> bool:
    """True where a model, or what it is built on in or outside of the project, gives its rows an order."""
    above = set(project.models.ancestors(model[1].name)) - {"Model"}
    return any(project.has("ordering", name) or not project.named("model", name) for name in above)


def _loads_all(candidate: Candidate, model: Place | None, relations: Relations) -> bool:
    """True where a list of the admin shows a foreign key of its own: it loads them all then."""
    columns = [name for kind, name in candidate.needs if kind == "column"]
    if model is None:
        return False
    return any((found := relations.behind(model, name)) is not None and not found.many for name in columns)


n_plus_one = Rule(
    name=N_PLUS_ONE,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("BN-S5", "PB-D3"),
    catches="Loops over rows that read a relation of each row which was not loaded with them.",
    why="Each row costs a query of its own: a list of a hundred orders asks the database a hundred and one times, and "
    "nobody sees it in the code or on a small test database.",
    fix="Load the relation with the rows: `select_related` for a row behind a foreign key, `prefetch_related` for "
    "many; `Prefetch(…, queryset=…)` where they are filtered.",
    when="Where the rows, the loop and the relation are all known: models, foreign keys and their other sides are "
    "looked up in the project, and values followed through variables, slices, comprehensions, functions of the "
    "file, one function of another file, properties and methods of the model. REST views that list are compared with "
    "what their serializer reads, lists of the admin with the methods that they show. Silent where something on the "
    "way is not understood. Not in tests and migrations.",
    watches=(
        Watch((ast.Module,), _on_module, _QUERYSETS, is_product_path),
        Watch((ast.ClassDef,), _on_admin, (b"list_display",), is_product_path),
        VIEW_WATCH,
        HELPERS,
        PROPERTIES,
    ),
    holds=_holds,
    bad=N_PLUS_ONE_BAD,
    good=N_PLUS_ONE_GOOD,
)

RULES: tuple[Rule, ...] = (n_plus_one,)
