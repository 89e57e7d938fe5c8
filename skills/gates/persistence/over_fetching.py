"""The rule over-fetching: whole rows of a wide table where a few fields are used."""

import ast
from collections.abc import Iterator

from msgspec.structs import replace

from skills.gates.analysis.execution import execution_of
from skills.gates.analysis.local_values import own_nodes
from skills.gates.analysis.queries import MANAGER_WORDS, MANAGERS
from skills.gates.engine.context import FileContext, FunctionNode, Words
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants, parents_in
from skills.gates.model import Candidate, Evidence, FileReport, Severity
from skills.gates.persistence.database_calls import is_class_name
from skills.gates.persistence.database_events import inside
from skills.gates.persistence.over_fetching_views import WATCHES as VIEW_WATCHES
from skills.gates.persistence.over_fetching_views import shown_alone
from skills.gates.project import Project
from skills.gates.rule import Apart, Rule, Watch
from skills.record import record

SKILL = "query-efficiency-auditor"
RULE = "over-fetching"
WIDE, VERY_WIDE, MOST_FIELDS = 10, 15, 3

_NARROW = frozenset(
    {"load_only", "only", "defer", "values", "values_list", "with_only_columns", "with_entities", "count", "exists",
     "aggregate", "update", "delete", "aupdate", "adelete", "acount", "aexists", "subquery", "cte", "in_bulk",
     "scalar_subquery", "from_statement", "with_for_update", "select_for_update", "add_columns", "create",
     "get_or_create", "update_or_create", "bulk_create", "bulk_update", "dates", "datetimes", "raw", "from_select",
     "union", "alias", "none"}
)  # fmt: skip
_ONE = frozenset(
    {"first", "one", "one_or_none", "scalar_one", "scalar_one_or_none", "get", "aget", "scalar", "afirst", "last",
     "latest", "earliest", "get_object_or_404"}
)  # fmt: skip
_RUNS = frozenset(
    {"execute", "scalars", "scalar", "exec", "list", "stream", "stream_scalars", "tuple", "sorted", "reversed",
     "enumerate", "unique"}
)  # fmt: skip
_LISTS = lazy(r"(^|_)(list|search|all|index|browse)(_|$)|s$")
_RELATIONS = frozenset({"relationship", "ManyToManyField", "GenericRelation", "association_proxy", "hybrid_property"})


_ASKS = Words(b"select(", b"query(", b".query.", *MANAGER_WORDS)


@record
class _Query:
    """One query for whole rows: its place, its model, whether it answers one row, and who gets the rows."""

    node: ast.Call
    model: str
    one: bool
    holder: ast.AST


def _on_class(node: ast.ClassDef, context: FileContext) -> None:
    """How many columns a mapped class declares itself."""
    count = 0
    for part in node.body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.annotation, ast.Subscript):
            mapped = last_name(part.annotation.value) == "Mapped"
            made = last_name(part.value.func) if isinstance(part.value, ast.Call) else ""
            count += mapped and made not in _RELATIONS
            continue
        value = part.value if isinstance(part, (ast.Assign, ast.AnnAssign)) else None
        if isinstance(value, ast.Call) and last_name(value.func) in ("Column", "mapped_column", "deferred"):
            count += 1
        elif isinstance(part, ast.AnnAssign) and _is_table(node):
            count += not (isinstance(value, ast.Call) and last_name(value.func) in ("Relationship", "relationship"))
    if count:
        bases = " ".join(name for name in (last_name(base) for base in node.bases) if name)
        context.fact("columns", node.name, f"{count} {bases}".strip(), node.lineno)


def _is_table(node: ast.ClassDef) -> bool:
    """True for SQLModel's classes, whose plain annotations are columns."""
    return any(last_name(base) == "SQLModel" for base in node.bases) or any(
        word.arg == "table" and isinstance(word.value, ast.Constant) and bool(word.value.value)
        for word in node.keywords
    )


def _on_function(node: FunctionNode, context: FileContext) -> None:
    if not context.mentions(_ASKS, node):
        return
    roots = [part for part in own_nodes(node, context) if isinstance(part, ast.Call) and _model_of(part)]
    if not roots:
        return
    parents = parents_in(node)
    with inside(node, context):
        for root in roots:
            query = _query(root, node, parents, context)
            if query is not None:
                _judge(query, node, parents, context)


def _model_of(call: ast.Call) -> str:
    """The model whose whole rows a query asks for, seen at its first call."""
    function = call.func
    if isinstance(function, ast.Name) and function.id == "select":
        return last_name(call.args[0]) if len(call.args) == 1 and is_class_name(call.args[0]) else ""
    if not isinstance(function, ast.Attribute):
        return ""
    if function.attr in ("query", "select") and len(call.args) == 1 and is_class_name(call.args[0]):
        return last_name(call.args[0])
    owner = function.value
    if (
        isinstance(owner, ast.Attribute)
        and (owner.attr in MANAGERS or owner.attr == "query")
        and is_class_name(owner.value)
    ):
        return last_name(owner.value)
    return ""


def _query(
    root: ast.Call, function: FunctionNode, parents: dict[ast.AST, ast.AST], context: FileContext
) -> _Query | None:
    """The query to the end of its chain, through names that stand for it; None where it asks for less."""
    node: ast.AST = root
    first = last_name(root.func)
    one = first in _ONE
    if first in _NARROW:
        return None
    for _ in range(40):
        above = parents.get(node)
        match above:
            case ast.Attribute(attr=method) if isinstance(parents.get(above), ast.Call):
                call = parents[above]
                assert isinstance(call, ast.Call)
                if call.func is not above:
                    return None
                if method in _NARROW or any(last_name(part) in _NARROW for part in _given(call)):
                    return None
                one = one or method in _ONE
                node = call
            case ast.Await() | ast.Starred() | ast.Subscript(slice=ast.Slice()):
                node = above
            case ast.Call(func=called) if node is not called and last_name(called) in _RUNS:
                one = one or last_name(called) in _ONE
                node = above
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is node:
                uses = [part for part in own_nodes(function, context) if _loads(part, name)]
                runs = [use for use in uses if _is_run(use, parents)]
                if len(runs) == 1 and len(uses) == 1:
                    node = runs[0]
                    continue
                return _Query(root, _model_of(root), one, above)
            case ast.For() | ast.AsyncFor() | ast.comprehension() | ast.Return():
                return _Query(root, _model_of(root), one, above)
            case ast.Attribute() if one:
                return _Query(root, _model_of(root), one, above)
            case _:
                return None
    return None


def _given(call: ast.Call) -> Iterator[ast.AST]:
    for part in (*call.args, *(word.value for word in call.keywords)):
        yield from (one.func for one in descendants(part) if isinstance(one, ast.Call))


def _loads(part: ast.AST, name: str) -> bool:
    return isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Load)


def _is_run(use: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """True where a name goes on as a query: `execute(query)`, `query.where(…)`, `result.scalars()`."""
    above = parents.get(use)
    if isinstance(above, ast.Call) and use is not above.func:
        return last_name(above.func) in _RUNS
    return isinstance(above, ast.Attribute) and isinstance(parents.get(above), ast.Call)


def _judge(query: _Query, function: FunctionNode, parents: dict[ast.AST, ast.AST], context: FileContext) -> None:
    fields = _fields(query, function, context)
    kind, why = execution_of(context)
    whole = fields is None
    if whole and (query.one or kind != "request_handler" or not _LISTS.search(function.name)):
        return
    if whole and not _leaves(query, function, context):
        return
    if fields is not None and not 0 < len(fields) <= MOST_FIELDS:
        return
    used = ", ".join(f"`{name}`" for name in sorted(fields or ()))
    said = (
        f"only {used} of it {'is' if fields and len(fields) == 1 else 'are'} used"
        if used
        else "whole rows leave the endpoint"
    )
    context.statement = _statement(query.node, parents)
    context.report(
        RULE,
        query.node,
        f"every column of `{query.model}` is read and {said}",
        confidence="needs_context" if whole else "likely",
        needs=(("columns", query.model), ("one", "1" if query.one else ""), ("whole", "1" if whole else "")),
        evidence=(why,) if why else (),
    )


def _statement(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> ast.AST:
    while not isinstance(node, ast.stmt):
        node = parents[node]
    return node


def _leaves(query: _Query, function: FunctionNode, context: FileContext) -> bool:
    """True where the rows themselves are returned."""
    if isinstance(query.holder, ast.Return):
        return True
    names = {target.id for target in getattr(query.holder, "targets", ()) if isinstance(target, ast.Name)}
    return any(
        isinstance(part, ast.Return) and isinstance(part.value, ast.Name) and part.value.id in names
        for part in own_nodes(function, context)
    )


def _fields(query: _Query, function: FunctionNode, context: FileContext) -> frozenset[str] | None:
    """The fields of a row that are read; None where a row goes on as a whole."""
    holder = query.holder
    if isinstance(holder, ast.Attribute):
        return frozenset({holder.attr})
    if isinstance(holder, (ast.For, ast.AsyncFor, ast.comprehension)):
        return _attributes(function, holder.target, holder, context)
    if not isinstance(holder, ast.Assign) or not isinstance(holder.targets[0], ast.Name):
        return None
    name = holder.targets[0].id
    if query.one:
        return _attributes(function, holder.targets[0], holder, context)
    found: frozenset[str] = frozenset()
    loops = 0
    for part in own_nodes(function, context):
        if isinstance(part, (ast.For, ast.AsyncFor, ast.comprehension)) and _is_rows(part.iter, name):
            read = _attributes(function, part.target, part, context)
            if read is None:
                return None
            found |= read
            loops += 1
    uses = sum(_loads(part, name) for part in own_nodes(function, context))
    return found if loops and uses == loops else None


def _is_rows(node: ast.expr, name: str) -> bool:
    """`rows`, `result.scalars()`, `result.scalars().all()`."""
    while isinstance(node, (ast.Call, ast.Attribute)):
        if isinstance(node, ast.Call) and (node.args or node.keywords):
            return False
        node = node.func if isinstance(node, ast.Call) else node.value
    return isinstance(node, ast.Name) and node.id == name


def _attributes(
    function: FunctionNode, target: ast.expr, holder: ast.AST, context: FileContext
) -> frozenset[str] | None:
    """The attributes that are read of a name; None where it is used as a whole, or is more than one name."""
    if not isinstance(target, ast.Name):
        return None
    first, last = getattr(holder, "lineno", target.lineno), getattr(holder, "end_lineno", None) or 1 << 30
    whole = isinstance(holder, ast.Assign)
    found: set[str] = set()
    read: set[ast.AST] = set()
    for part in own_nodes(function, context):
        line = getattr(part, "lineno", first)
        if not whole and isinstance(holder, (ast.For, ast.AsyncFor)) and not first <= line <= last:
            continue
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == target.id:
            if not isinstance(part.ctx, ast.Load):
                return None
            found.add(part.attr)
            read.add(part.value)
        elif isinstance(part, (ast.Compare, ast.UnaryOp, ast.If)):
            sides = (
                [part.left, *part.comparators] if isinstance(part, ast.Compare)
                else [part.operand] if isinstance(part, ast.UnaryOp) else [part.test]
            )  # fmt: skip
            read.update(side for side in sides if isinstance(side, ast.Name))
    for part in own_nodes(function, context):
        line = getattr(part, "lineno", first)
        if not whole and isinstance(holder, (ast.For, ast.AsyncFor)) and not first <= line <= last:
            continue
        if _loads(part, target.id) and part not in read:
            return None
    called = any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.value in read
        for node in own_nodes(function, context)
    )
    return None if called else frozenset(found)


def _columns(model: str, project: Project) -> tuple[int, str, int]:
    """(columns, path, line) of a model of the project, inherited ones counted; (0, "", 0) where it is unknown."""
    seen: set[str] = set()
    queue, total, place = [model], 0, ("", 0)
    while queue:
        name = queue.pop()
        if name in seen:
            continue
        seen.add(name)
        places = project.named("columns", name)
        if len({path for path, _ in places}) > 1:
            return 0, "", 0  # more than one class has this name
        for path, fact in places[:1]:
            count, _, bases = fact.detail.partition(" ")
            total += int(count)
            queue += bases.split()
            place = place if place[0] else (path, fact.line)
    if not total and not project.models.ambiguous(model) and model in project.models.places:
        fields = project.models.fields(model)
        total = sum(fact.detail.split()[0] not in _RELATIONS for _, fact in fields.values())
        path, fact = project.models.places[model]
        place = (path, fact.line)
    return total, *place


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    said = dict(candidate.needs)
    count, path, line = _columns(said["columns"], project)
    if "serializer" in said:
        shown = shown_alone(said["serializer"], said["columns"], project)
        if not 0 < len(shown) <= MOST_FIELDS:
            return None
        message = (
            f"{candidate.message} and `{said['serializer']}` shows only {', '.join(f'`{name}`' for name in shown)}"
        )
        candidate = replace(candidate, message=message)
    if count <= WIDE or (said["whole"] and count <= VERY_WIDE):
        return None
    severity: Severity = "MEDIUM" if count > VERY_WIDE and not said["one"] and not said["whole"] else "LOW"
    link = Evidence(path, line, f"{said['columns']} has {count} columns")
    return replace(candidate, severity=severity, needs=(), evidence=(*candidate.evidence, link))


_WORDS = (b"select(", b".query.", b".query(", b".objects")

over_fetching = Rule(
    name=RULE,
    gate="none",
    severity="LOW",
    skill=SKILL,
    sources=("PA-651-4", "X-PA-10"),
    catches="Queries for whole rows of a model with more than 10 columns of which at most three fields are used, in a "
    "function or by the serializer of a list view.",
    why="Every column is read from disk, sent and turned into Python objects, large texts and JSON included.",
    fix="Ask for what is used: `select(Model.id, Model.name)`, `options(load_only(…))`, `.values_list(…)`, `.only(…)`.",
    when="In production code: MEDIUM for lists of more than 15 columns, LOW for 11 to 15 columns, for single rows, and "
    "where a list endpoint returns whole rows of more than 15 columns (needs a look at what clients read).",
    watches=(
        Watch((ast.ClassDef,), _on_class, (b"Column(", b"mapped_column", b"Mapped[", b"SQLModel", b"table=True"),
              is_product_path),
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_function, _WORDS, is_product_path),
        *VIEW_WATCHES,
    ),
    holds=_holds,
    bad=Apart("persistence.over_fetching_examples.COLUMNS_BAD"),
    good=Apart("persistence.over_fetching_examples.COLUMNS_GOOD"),
)  # fmt: skip

RULES: tuple[Rule, ...] = (over_fetching,)
