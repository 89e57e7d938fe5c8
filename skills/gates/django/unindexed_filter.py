"""The rule unindexed-filter: a query that reads the whole table."""

import ast
from collections.abc import Iterator

from msgspec.structs import replace

from skills.gates.analysis.queries import MANAGER_WORDS, MANAGERS, chain_of, literal_keywords
from skills.gates.django.relations import relations_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import is_migration_path, is_test_path, path_role
from skills.gates.engine.syntax import is_falsy, strings_in
from skills.gates.example_files import shop
from skills.gates.model import Candidate, Evidence, FileReport
from skills.gates.project import Project
from skills.gates.rule import Observer, Rule, Watch

UNINDEXED = "unindexed-filter"
_SCALARS = frozenset(
    {"CharField", "EmailField", "URLField", "IntegerField", "BigIntegerField", "DateField", "DateTimeField",
     "UUIDField", "DecimalField", "GenericIPAddressField", "PositiveIntegerField"}
)  # fmt: skip
_FOUND = frozenset({"get_object_or_404", "aget_object_or_404", "get_list_or_404", "aget_list_or_404"})
_INDEXING = frozenset({"db_index", "unique", "primary_key", "choices", None, "unique_for_date"})
_BY_INDEX = frozenset({"exact", "in", "gt", "gte", "lt", "lte", "range", "startswith", "date", "year"})


def _on_indexes(node: ast.ClassDef, context: FileContext) -> None:
    """Fields that a model has an index for, those of `Meta` by the first column."""
    indexed: dict[str, None] = {}
    for part in node.body:
        if isinstance(part, (ast.Assign, ast.AnnAssign)) and isinstance(part.value, ast.Call):
            target = part.targets[0] if isinstance(part, ast.Assign) else part.target
            if any(word.arg in _INDEXING and not is_falsy(word.value) for word in part.value.keywords):
                indexed[last_name(target)] = None
        elif isinstance(part, ast.ClassDef) and part.name == "Meta":
            columns = (text.lstrip("-") for text in strings_in(part))
            indexed.update(dict.fromkeys(name for name in columns if name.isidentifier()))
    if indexed:
        context.fact("indexed", node.name, " ".join(indexed))


def _is_reading(path: str) -> bool:
    return not is_test_path(path) and not is_migration_path(path) and path_role(path) in {"view", "service"}


def _on_filter(node: ast.Call, context: FileContext) -> None:
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in {"filter", "get"}:
        return
    chain = chain_of(node)
    if chain.manager not in MANAGERS or not chain.model or node.args:
        return
    asked = list(_columns(chain.calls))
    if (
        not asked
        or any(call.args for name, call in chain.calls if name in {"filter", "exclude", "get"})
        or "__" in asked[0]
    ):
        return
    needs = (("model", context.resolve(chain.root) or chain.model), *(("asked", name) for name in asked))
    context.report(UNINDEXED, node, f"`{chain.model}` is filtered by `{asked[0]}`", needs=needs, confidence="likely")


def _on_found(node: ast.Call, context: FileContext) -> None:
    """`get_object_or_404(Order, number=number)`."""
    if last_name(node.func) not in _FOUND or len(node.args) != 1 or not last_name(node.args[0])[:1].isupper():
        return
    if isinstance(node.args[0], ast.Call) or not (asked := list(_columns((("get", node),)))) or "__" in asked[0]:
        return
    model = context.resolve(node.args[0]) or ""
    needs = (("model", model), *(("asked", name) for name in asked))
    message = f"`{model.rpartition('.')[2]}` is filtered by `{asked[0]}`"
    context.report(UNINDEXED, node, message, needs=needs, confidence="likely")


def _columns(calls: tuple[tuple[str, ast.Call], ...]) -> Iterator[str]:
    """The columns that a chain filters by. A lookup that no index serves is its own matter: it stays with its name."""
    for method, call in calls:
        if method in {"filter", "get"}:
            for keyword, _ in literal_keywords(call):
                name, _, lookup = keyword.partition("__")
                yield name if not lookup or lookup in _BY_INDEX else keyword


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """Every column is one of the model's own, and none of them has an index or is a relation."""
    said = dict(candidate.needs)
    place = relations_of(project).model(said["model"], report.path)
    if place is None or project.models.ambiguous(place[1].name):
        return None
    fields = project.models.fields(place[1].name)
    indexed = {
        name
        for model in project.models.ancestors(place[1].name)
        for _, fact in project.named("indexed", model)
        for name in fact.detail.split()
    }
    declared = None
    for kind, name in candidate.needs:
        if kind != "asked":
            continue
        if name not in fields or fields[name][1].detail not in _SCALARS:
            return None
        if name in indexed:
            return None
        declared = declared or fields[name]
    if declared is None:
        return None
    path, fact = declared
    evidence = (*candidate.evidence, Evidence(path, fact.line, f"{fact.name} is a {fact.detail} without an index"))
    message = f"{candidate.message}, which has no index: the whole table is read"
    return replace(candidate, message=message, needs=(), evidence=evidence)


unindexed_filter = Rule(
    name=UNINDEXED,
    gate="P2",
    severity="LOW",
    skill="django-query-optimizer",
    sources=("BN-S5",),
    catches="Filters of which no column has an index, on a model of the project.",
    why="The database reads every row of the table for each request, which shows only once the table has grown.",
    fix="Give the field `db_index=True`, or `Meta.indexes` an `Index` that begins with it; where the table stays "
    "small, "
    "waive it with that as the reason.",
    when="In views and services, for columns that are declared as text, number, date or UUID; not for those with "
    "choices, "
    "and not where a relation or an indexed column narrows the rows too.",
    watches=(
        Watch((ast.Call,), _on_filter, (b".objects",), _is_reading, near=MANAGER_WORDS),
        Watch((ast.Call,), _on_found, (b"_or_404(",), _is_reading, near=(b"_or_404(",)),
    ),
    holds=_holds,
    bad=(
        shop("def find(number):\n    return Order.objects.filter(number=number)\n"),
        shop("def find(request):\n    return Order.objects.filter(number__in=request.GET)\n", "shop/views.py"),
        shop("def find(number):\n    return Order.objects.order_by('pk').filter(number=number)\n"),
        shop("def find(request, number):\n    return get_object_or_404(Order, number=number)\n", "shop/views.py"),
        shop("def find(number):\n    return (\n        Order.objects\n        .filter(number=number)\n    )\n"),
    ),
    good=(
        shop("def find(code):\n    return Order.objects.filter(code=code)\n"),
        shop("def find(day):\n    return Order.objects.filter(day__gte=day)\n"),
        shop("def find(request, code):\n    return get_object_or_404(Order, code=code)\n", "shop/views.py"),
        shop("def find(request, pk):\n    return get_object_or_404(Order, pk=pk, number=1)\n", "shop/views.py"),
        shop("def find(team, number):\n    return Order.objects.filter(team=team, number=number)\n"),
        shop("def find(number):\n    return Order.objects.filter(number=number)\n", "shop/forms.py"),
    ),
)

RULES: tuple[Rule, ...] = (unindexed_filter,)
OBSERVERS: tuple[Observer, ...] = (
    Observer(
        "indexes",
        (
            Watch(
                (ast.ClassDef,),
                _on_indexes,
                (b"models", b"Model"),
                lambda path: "model" in path and not is_test_path(path) and not is_migration_path(path),
            ),
        ),
    ),
)
"""Kind: indexed (name: the model, detail: its columns that begin an index)."""
