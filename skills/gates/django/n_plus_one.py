"""The rule n-plus-one: a query for each row of another query."""

import ast

from msgspec.structs import replace

from skills.gates.django.admin_lists import actions, admin_list, asked_of_each, fields_shown, shown
from skills.gates.django.alchemy_rows import WORDS
from skills.gates.django.graph_rows import LISTED, LISTS, resolvers
from skills.gates.django.relations import Relations, relations_of
from skills.gates.django.response_schemas import SCHEMAS
from skills.gates.django.row_flow import LOOPING, Flow
from skills.gates.django.row_helpers import (
    HELPERS,
    UNORDERED,
    VAGUE,
    asked_anew,
    holds_for_given,
    report_given,
    told,
)
from skills.gates.django.row_prefetch import LOADERS, loaded_anywhere
from skills.gates.django.row_properties import PROPERTIES, holds_for_property
from skills.gates.django.row_run import Access, Via
from skills.gates.django.row_sources import CLASSES, note, resolved
from skills.gates.django.row_syntax import GUESS
from skills.gates.django.row_values import EVERYTHING, GIVEN, Row, Rows, Value, below, covers, lacks
from skills.gates.django.serializer_methods import METHODS, holds_for_method
from skills.gates.django.serializer_rows import N_PLUS_ONE, VIEW_WATCHES, holds_for_view, report_many
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path
from skills.gates.model import Candidate, Confidence, Evidence, FileReport
from skills.gates.project import Place, Project
from skills.gates.rule import Apart, Rule, Watch

SKILL = "django-query-optimizer"
_QUERYSETS = (
    b".objects", b"QuerySet[", b"get_queryset", b".all()", b".filter(", b"_set.", b"queryset", *WORDS,
    b"response_model=list[", b"response_model=List[", b"response=list[", b"response=List[",
)  # fmt: skip
_GIVEN = (b": list[", b": List[", b": Sequence[", b": Iterable[", b": Collection[")
# Modules that answer rows; a file that asks one imports it.
_ASKED_MODULES = (b"selector", b"repositor", b"queries", b"crud", b"services")
_IMPORTED = tuple(word.decode() for word in _ASKED_MODULES)
_MANAGER_CALLS = frozenset({"all()", "count()", "exists()"})
# What is read of numbers, times, files and choices, which are columns of the row.
_OF_VALUES = frozenset(
    {"year", "month", "day", "hour", "minute", "days", "seconds", "value", "label", "url", "path", "size", "width",
     "height", "file", "amount", "currency", "hex", "real", "x", "y", "coords", "code", "tzinfo", "lower", "upper"}
)  # fmt: skip
_FILES = lazy(
    r"file|image|photo|picture|avatar|document|attachment|pdf|logo|cover|upload|data|json|meta|settings|config"
)
_WORD = lazy(r"([A-Za-z]\w*)(\(?)")
_GIVEN_LISTS = lazy(rb": (?:list|List|Sequence|Iterable|Collection)\[['\"]?(models(?=\.)|[A-Z]\w+)")
_CLIMBS = lazy(rb"\b(\w+) = \1\.\w+\s*\n")


def _hearer(context: FileContext, more: tuple[tuple[str, str], ...] = ()) -> Access:
    """What hears of the attributes that are read of rows, and reports each once with `more` needs."""
    seen: set[tuple[object, ...]] = set()

    def on_access(part: ast.expr, statement: ast.AST, symbol: str, row: Row, attribute: str, via: Via | None) -> None:
        key = (row.loop, row.origin, row.steps, attribute)
        if key in seen:
            return
        seen.add(key)
        context.statement = statement
        needs = (
            ("origin", row.origin), ("manager", row.manager), ("steps", "/".join(row.steps)), ("attribute", attribute),
            *(("loaded", name) for name in sorted(row.loaded)), *(("through", name) for name in row.through), *more,
            *asked_anew(part, row, context), *([("again", "")] if row.again else []),
            *_deeper(part, attribute, context),
        )  # fmt: skip
        evidence = [Evidence(context.path, row.loop, "takes the rows one by one")]
        if row.line and row.line != row.loop:
            evidence.insert(0, Evidence(context.path, row.line, "asks for the rows"))
        if via is not None:
            evidence.append(Evidence(context.path, part.lineno, f"reads `{attribute}` of it"))
            context.statement, symbol = via.statement, via.symbol
        confidence: Confidence = "confirmed" if row.sure else "likely"
        context.report(
            N_PLUS_ONE,
            via.node if via is not None else part,
            f"`{attribute}` is read of each row",
            confidence=confidence,
            needs=needs,
            evidence=tuple(evidence),
            symbol=symbol,
        )

    return on_access


def _on_module(node: ast.Module, context: FileContext) -> None:
    source = context.source
    asks = any(word in source for word in _QUERYSETS) or _CLIMBS.search(source) is not None
    asks = asks or any(word in dotted for dotted in context.imports.values() for word in _IMPORTED)
    asks = asks or any("model" in context.imports.get(name.decode(), "") for name in _GIVEN_LISTS.findall(source))
    if not asks or not (b"return " in source or any(word.encode() in source for word in LOOPING)):
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

    def on_many(part: ast.expr, statement: ast.AST, symbol: str, rows: Rows, serializer: str) -> None:
        if (part.lineno, rows) not in seen:
            seen.add((part.lineno, rows))
            before = context.statement
            context.statement = statement
            report_many(context, part, serializer, rows, symbol)
            context.statement = before

    Flow(context, _hearer(context), on_given, on_many, note).run()
    context.statement = node


def _on_admin(node: ast.ClassDef, context: FileContext) -> None:
    """What is asked of every row of an admin's list: by the columns that are functions, and by its actions."""
    listed = admin_list(node, context)
    if listed is None:
        return
    columns = tuple(("column", name) for name in listed.columns if listed.joins)
    hear = _hearer(context, (("parent", listed.parent),) if listed.parent else columns)

    def on_access(part: ast.expr, statement: ast.AST, symbol: str, row: Row, attribute: str, via: Via | None) -> None:
        if row.line == node.lineno:  # the rows of the list: others are told where the file is run through
            hear(part, statement, symbol, row, attribute, via)

    before = context.statement
    flow = Flow(context, lambda *_: None)
    flow.owner = node
    narrowed = flow.method("get_queryset")
    rows: Value = listed.rows
    if narrowed is not None:
        rows = flow.function(narrowed, {"self.queryset": listed.rows}, {})
    if isinstance(rows, Rows):
        for function, place in asked_of_each(node, listed, context):
            _run_for(function, function.args.args[place].arg, rows.one(function.lineno), node, Flow(context, on_access))
        for statement, column, name in fields_shown(node, listed) if not listed.parent else ():
            if not covers(rows.loaded, name):
                hear(column, statement, context.symbol_of(node.name), rows.one(node.lineno), name, None)
        for function in shown(node, listed):
            _run_for(function, "obj", rows.one(), node, Flow(context, on_access))
        for function in actions(node, context):
            _run_for(function, function.args.args[2].arg, rows, node, Flow(context, on_access))
    context.statement = before


def _run_for(function: FunctionNode, name: str, value: Value, owner: ast.ClassDef, flow: Flow) -> None:
    """Runs a method of a class, or a function of its module, with rows or a row as one of its parameters."""
    flow.symbols = [flow.context.symbol, owner.name] if function in owner.body else []
    flow.symbols = [name for name in flow.symbols if name]
    flow.function(function, {}, {name: value})


def _deeper(part: ast.expr, attribute: str, context: FileContext) -> tuple[tuple[str, str], ...]:
    """What is read of what was read of a row: "name" for `order.user.name`, "all()" for `order.lines.all()`; by the
    text, so that `order.user and order.user.name` says it too."""
    _, found, rest = context.lines[(part.end_lineno or part.lineno) - 1].partition(f".{attribute}.")
    word = _WORD.match(rest) if found else None
    return (("deeper", f"{word[1]}()" if word[2] else word[1]),) if word is not None else ()


def _on_feed(node: ast.ClassDef, context: FileContext) -> None:
    """Feeds and site maps ask each of their methods of every one of their `items`."""
    methods = [part for part in node.body if isinstance(part, FunctionNode)]
    items = next((method for method in methods if method.name == "items"), None)
    if items is None or not any(last_name(base).endswith(("Feed", "Sitemap")) for base in node.bases):
        return
    before = context.statement
    flow = Flow(context, _hearer(context))
    flow.symbols = [*filter(None, [context.symbol]), node.name]
    rows = flow.function(items, {}, {})
    for method in methods if isinstance(rows, Rows) else ():
        if isinstance(rows, Rows) and method is not items and len(method.args.args) == 2:
            flow.function(method, {}, {method.args.args[1].arg: rows.one(method.lineno)})
    context.statement = before


def _on_type(node: ast.ClassDef, context: FileContext) -> None:
    """Resolvers of a GraphQL type are asked of every row of a list of it."""
    before = context.statement
    for function, rows in resolvers(node, context):
        hear = _hearer(context, (("listed", node.name),))
        _run_for(function, function.args.args[0].arg, rows.one(function.lineno), node, Flow(context, hear))
    context.statement = before


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """Looks at the rows that are meant, where a function of another file answers them, and whether there are many."""
    needs = resolved(candidate.needs, project)
    listed = [value for kind, value in candidate.needs if kind == "listed"]
    if needs is None or (listed and not project.has(LISTED, listed[0])):
        return None
    if needs is not candidate.needs:
        candidate = replace(candidate, needs=needs, fixable=False)
    return _costs(candidate, report, project)


def _costs(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """A relation of a model that nobody loaded; what a reverse relation brings along costs nothing."""
    said = dict(candidate.needs)
    if "serializer" in said or "method-of" in said:
        return (holds_for_view if "serializer" in said else holds_for_method)(candidate, report, project)
    relations = relations_of(project)
    if said["origin"].startswith(GUESS) or relations.only_towards(said["origin"], said["steps"]):
        candidate = _meant(candidate, relations)
        said = dict(candidate.needs)
    reached = relations.reached(said["origin"], said["steps"].split("/"), report.path)
    more = _loaded_by_others(candidate, report, relations, project)
    if reached is None:
        return _unseen(candidate, relations, report.path) if "again" not in said and "given" not in said else None
    model, last = reached
    if "answered" in said and more is not None:  # what the answer loads the file that reads it does not show
        more |= {value for kind, value in candidate.needs if kind == "loaded"}
    known = more is None or (covers(more, said.get("attribute", EVERYTHING)) and "narrowed" not in said)
    if more is None or known or relations.turns_back(said["origin"], said["steps"].split("/"), report.path):
        return None
    candidate = replace(candidate, needs=(*candidate.needs, *(("loaded", name) for name in sorted(more))))
    if "given" in said:
        return holds_for_given(candidate, model, last, relations, project)
    found = relations.behind(model, said["attribute"])
    if found is None or not found.loader:
        column = _left_out(candidate, said["attribute"], model, project)
        return column or holds_for_property(candidate, said["attribute"], model, last, relations, project)
    # The first of rows in an order is among those that were loaded.
    at_hand = UNORDERED in said and (found.target is None or _has_order(found.target, project))
    at_hand |= found.target is not None and found.target[1].name == said.get("parent", "").rpartition(".")[2]
    if at_hand or ("again" in said and found.target != model) or (last is not None and last.back == said["attribute"]):
        return None
    return told(candidate, said["attribute"], model, found)


def _left_out(candidate: Candidate, name: str, model: Place, project: Project) -> Candidate | None:
    """A column that `only(…)` or `defer(…)` keeps out of the rows: whoever reads it asks for it."""
    how = lacks(frozenset(value for kind, value in candidate.needs if kind == "loaded"), name)
    fields = project.models.fields(model[1].name) if how and not project.models.ambiguous(model[1].name) else {}
    field = fields.get(name) or fields.get(name.removesuffix("_id"))
    if field is None:
        return None
    message = f"`{name}` of each `{model[1].name}` is a query of its own: `{how}(…)` leaves it out of the rows"
    declared = Evidence(field[0], field[1].line, f"{field[1].name} is a column of {model[1].name}")
    return replace(candidate, message=message, needs=(), evidence=(*candidate.evidence, declared), fixable=False)


def _meant(candidate: Candidate, relations: Relations) -> Candidate:
    """The candidate with the model that the name of a variable means instead of the name; with the model behind the
    first step where the project does not define that one."""
    said = dict(candidate.needs)
    first, _, rest = said["steps"].partition("/")
    name = said["origin"].rpartition(".")[2].lower()
    model = relations.meant(name.removeprefix(GUESS), first or said.get("attribute", ""))
    behind = relations.towards(model, first)
    if behind is not None:
        known = behind[1] == said.get("attribute")  # the way back
        said |= {"origin": "" if known else behind[0], "steps": rest}
    else:
        said["origin"] = model
    needs = tuple((kind, said[kind] if kind in {"origin", "steps"} else value) for kind, value in candidate.needs)
    return replace(candidate, needs=needs)


def _unseen(candidate: Candidate, relations: Relations, path: str) -> Candidate | None:
    """A relation of the project's own towards a model that it does not define, as Django's users; where the model is
    only not among the files, what the code itself shows: a manager is asked, or an attribute of what stands behind an
    attribute is read."""
    said = dict(candidate.needs)
    model, attribute, deeper = said["origin"].rpartition(".")[2], said.get("attribute", ""), said.get("deeper", "")
    end = relations.unseen_behind(said["origin"], said["steps"].split("/"), path) if said["steps"] else model
    if end and "through" not in said and relations.towards(end, attribute) is not None:
        message = f"`{attribute}` of each `{end}` is a query of its own: the rows come without it"
        return replace(candidate, message=message, needs=(), fixable=False)
    if not relations.out_of_sight(said["origin"]):
        return None
    back = attribute in (*said["steps"].split("/"), model.lower())
    plain = deeper.startswith("get_") or (not deeper.endswith("()") and deeper not in _OF_VALUES)
    reads = deeper != "" and plain and not _FILES.search(attribute)
    asks = deeper in _MANAGER_CALLS or said.get("narrowed", "get") not in VAGUE
    if not attribute or back or not (asks or reads) or "through" in said:
        return None
    message = f"`{attribute}` of each row of `{model}` seems to be a query of its own: the rows come without it"
    return replace(candidate, message=message, needs=(), confidence="likely", fixable=False)


def _loaded_by_others(
    candidate: Candidate, report: FileReport, relations: Relations, project: Project
) -> frozenset[str] | None:
    """What the rows' manager, and those of its methods that they passed, load behind them, or whoever gives them may
    have loaded; None where nobody can tell."""
    said = dict(candidate.needs)
    through = [name for kind, name in candidate.needs if kind == "through"]
    first = relations.model(said["origin"], report.path)
    found = relations.loads(first, said["manager"], through) if first is not None else frozenset()
    columns = [name for kind, name in candidate.needs if kind == "column"]
    if columns and first is not None and found is not None:
        found |= relations.joined(first, columns)
    for step in filter(None, said["steps"].split("/")) if found else ():
        found = below(found or frozenset(), step)
    if found is None or said["manager"] != GIVEN:
        return found
    reached = relations.reached(said["origin"], said["steps"].split("/"), report.path)
    if reached is None or not relations.means(said["origin"], report.path):
        return None
    return found | loaded_anywhere([place[1].name for place in relations.line(reached[0])], project)


def _has_order(model: Place, project: Project) -> bool:
    """True where a model, or what it is built on in or outside of the project, gives its rows an order."""
    above = set(project.models.ancestors(model[1].name)) - {"Model"}
    return any(project.has("ordering", name) or not project.named("model", name) for name in above)


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
    "many; `Prefetch(…, queryset=…)` where they are filtered; `selectinload` or `joinedload` in SQLAlchemy.",
    when="Where the rows, the loop and the relation are all known: models, foreign keys and their other sides are "
    "looked up in the project, and values followed through variables, slices, comprehensions, generators, lists and "
    "dicts that loops fill, dicts of querysets, functions of the file, those of other files that answer rows "
    "(selectors, repositories) or are given them, properties and methods of the model, inherited ones too, "
    "and of its class; SQLAlchemy's and SQLModel's relationships by their `lazy` and by loader options. "
    "What a function is given goes by its name "
    "where nothing else says what it is: `order.lines`; lists that it is given, `orders: list[Order]`, by what the "
    "project loads anywhere with such rows. Columns that `only(…)` or `defer(…)` leaves out count too. REST views "
    "that list are compared with what their serializer reads, endpoints that answer a list with the fields of their "
    "schema, lists of the admin with the functions that they show, their inlines and actions; feeds, methods of "
    "serializers and resolvers of GraphQL types are asked for each row. Trees that are walked row by row count too. "
    "Where only a part of a project is there and not its models, what is read of what stands behind an attribute "
    "tells. Silent where something on the way is not understood. Not in tests and migrations.",
    watches=(
        Watch((ast.Module,), _on_module, (*_QUERYSETS, *_ASKED_MODULES, b"while ", *_GIVEN), is_product_path),
        Watch((ast.ClassDef,), _on_feed, (b"Feed)", b"Sitemap)"), is_product_path),
        Watch(
            (ast.ClassDef,),
            _on_admin,
            (b"list_display", b"queryset):", b"Inline)", b" obj,", b"ModelAdmin)"),
            is_product_path,
        ),
        Watch((ast.ClassDef,), _on_type, (b"DjangoObjectType", b"strawberry"), is_product_path),
        LISTS,
        LOADERS,
        CLASSES,
        SCHEMAS,
        *VIEW_WATCHES,
        METHODS,
        HELPERS,
        PROPERTIES,
    ),
    holds=_holds,
    bad=Apart("django.n_plus_one_examples.N_PLUS_ONE_BAD", "django.elsewhere_examples.ELSEWHERE_BAD"),
    good=Apart("django.n_plus_one_examples.N_PLUS_ONE_GOOD", "django.elsewhere_examples.ELSEWHERE_GOOD"),
)

RULES: tuple[Rule, ...] = (n_plus_one,)
