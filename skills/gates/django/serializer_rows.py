"""What serializers read of each row of a list, and which list views load less than that."""

import ast
from collections.abc import Iterator

from msgspec.structs import replace

from skills.gates.django.drf_serializer_patterns import is_serializer, meta_model, meta_value
from skills.gates.django.relations import Relations, relations_of
from skills.gates.django.row_flow import Flow
from skills.gates.django.row_values import Names, Row, Rows, below, covers
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import is_product_path
from skills.gates.model import Candidate, Evidence, FileReport
from skills.gates.project import Place, Project
from skills.gates.rule import Observer, Watch

N_PLUS_ONE = "n-plus-one"
_LISTS = ("ModelViewSet", "ListAPIView", "ListCreateAPIView", "ListModelMixin", "ReadOnlyModelViewSet")
_REST = frozenset(
    {"ModelViewSet", "ReadOnlyModelViewSet", "GenericViewSet", "ViewSet", "ViewSetMixin", "GenericAPIView", "APIView",
     "ListAPIView", "ListCreateAPIView", "ListView", "ListModelMixin", "CreateModelMixin", "RetrieveModelMixin",
     "UpdateModelMixin", "DestroyModelMixin", "View", "LoginRequiredMixin", "PermissionRequiredMixin", "object"}
)  # fmt: skip
_RELATED = frozenset({"StringRelatedField", "SlugRelatedField", "HyperlinkedRelatedField", "PrimaryKeyRelatedField"})
_DEEPEST, _SHOWS = 3, "to_representation"


def _nothing(*_: object) -> None:
    """Hears of an access and does nothing."""


def _on_serializer(node: ast.ClassDef, context: FileContext) -> None:
    """Facts of what a serializer reads of a row: kind "serializer-read", detail "relation [nested serializer]"."""
    if not is_serializer(node, context):
        return
    declared: set[str] = set()
    for statement in node.body:
        value = statement.value if isinstance(statement, (ast.Assign, ast.AnnAssign)) else None
        target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        if isinstance(value, ast.Call) and isinstance(target, ast.Name):
            declared.add(target.id)
            read = _read(target.id, value)
            if read:
                context.fact("serializer-read", node.name, read, statement.lineno)
    fields = meta_value(node, "fields")
    listed: dict[int, list[str]] = {}
    for part in fields.elts if isinstance(fields, (ast.List, ast.Tuple)) else ():
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value not in declared:
            listed.setdefault(part.lineno, []).append(part.value)
    for line, names in listed.items():
        context.fact("serializer-read", node.name, f"{' '.join(names)} =keys", line)
    _methods(node, context)
    context.fact("serializer", node.name, " ".join(filter(None, map(last_name, node.bases))), node.lineno)


def _read(name: str, call: ast.Call) -> str:
    """The relation that a declared field reads, and the serializer it gives it to; "" where it reads a column."""
    words = {word.arg: word.value for word in call.keywords}
    source = words.get("source")
    path = source.value if isinstance(source, ast.Constant) and isinstance(source.value, str) else name
    kind = last_name(call.func)
    many = isinstance(words.get("many"), ast.Constant) and words["many"].value is True  # type: ignore[attr-defined]
    if path == "*" or "write_only" in words:
        return ""
    if kind.endswith("Serializer"):
        return f"{path.replace('.', '__')} {kind}"
    if kind in _RELATED:
        # A key is a column of the row; many of them, and what stands for a row, are read from the other side.
        return f"{path.replace('.', '__')} =row" if kind != "PrimaryKeyRelatedField" or many else ""
    head, _, rest = path.rpartition(".")
    return f"{head.replace('.', '__')} =row" if head and rest else ""


def _methods(node: ast.ClassDef, context: FileContext) -> None:
    """What the methods behind `SerializerMethodField`, and `to_representation`, read of their row."""
    model = meta_model(node)

    def on_access(part: ast.expr, statement: ast.AST, symbol: str, row: Row, attribute: str) -> None:
        if row.loop == -1 and row.origin == model:
            path = "__".join((*row.steps, attribute))
            context.fact("serializer-read", node.name, f"{path} =row", part.lineno)

    for method in node.body:
        reads = isinstance(method, FunctionNode) and (method.name.startswith("get_") or method.name == _SHOWS)
        if reads and isinstance(method, FunctionNode) and len(method.args.args) == 2 and model:
            flow = Flow(context, on_access)
            flow.function(method, {}, {method.args.args[1].arg: Row(model, loop=-1)})


def _on_view(node: ast.ClassDef, context: FileContext) -> None:
    """A list view with its rows and its serializer."""
    if not any(last_name(base).endswith(_LISTS) for base in node.bases):
        return
    methods = {part.name: part for part in node.body if isinstance(part, FunctionNode)}
    if "get_serializer_class" in methods or "list" in methods or "filter_queryset" in methods:
        return
    given = {
        last_name(target): part.value for part in node.body if isinstance(part, ast.Assign) for target in part.targets
    }
    serializer = last_name(given["serializer_class"]) if "serializer_class" in given else ""
    if not serializer:
        return
    flow = Flow(context, _nothing)
    names: Names = {}
    flow.block([part for part in node.body if isinstance(part, ast.Assign)], names)
    own = {f"self.{name}": value for name, value in names.items()}
    flow.owner = node
    rows = flow.function(methods["get_queryset"], own, {}) if "get_queryset" in methods else names.get("queryset")
    if not isinstance(rows, Rows) or rows.steps:
        return
    place = given.get("queryset", node)
    if isinstance(place, ast.Call) and last_name(place.func) == "none":
        return  # the view is for its actions, or says elsewhere what it lists
    bases = tuple(("base", last_name(base)) for base in node.bases)
    report_many(context, place, serializer, rows, context.symbol_of(node.name), bases)


def report_many(
    context: FileContext,
    node: ast.AST,
    serializer: str,
    rows: Rows,
    symbol: str,
    more: tuple[tuple[str, str], ...] = (),
) -> None:
    """Report rows that a serializer is given; whether it reads more of them than they bring the project knows."""
    needs = (
        ("serializer", serializer), ("origin", rows.origin), ("manager", rows.manager),
        *(("loaded", path) for path in sorted(rows.loaded)), *(("through", name) for name in rows.through), *more,
    )  # fmt: skip
    context.report(N_PLUS_ONE, node, serializer, needs=needs, symbol=symbol)


def holds_for_view(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """The relations that the serializer of a list view reads and its rows do not bring along."""
    said = dict(candidate.needs)
    relations = relations_of(project)
    model = relations.model(said["origin"], report.path)
    if model is None:
        return None
    if may_decide_itself([value for kind, value in candidate.needs if kind == "base"], project):
        return None
    through = [value for kind, value in candidate.needs if kind == "through"]
    more = relations.loads(model, said["manager"], through)
    if more is None:
        return None
    loaded = more | {value for kind, value in candidate.needs if kind == "loaded"}
    missing = list(_missing(said["serializer"], model, loaded, project, relations, _DEEPEST))
    if not missing:
        return None
    paths = list(dict.fromkeys(path for path, _, _ in missing))
    listed = ", ".join(f"`{path}`" for path in paths[:4]) + (" …" if len(paths) > 4 else "")
    message = (
        f"`{said['serializer']}` reads {listed} of each `{model[1].name}`, and the list does not load that with them"
    )
    evidence = tuple(Evidence(place[0], place[1].line, f"reads `{path}`") for path, place, _ in missing[:6])
    return replace(candidate, message=message, needs=(), evidence=(*candidate.evidence, *evidence))


def may_decide_itself(bases: list[str], project: Project) -> bool:
    """True where a base that is not the REST framework's own may load more, or choose another serializer."""
    seen: set[str] = set()
    while bases:
        base = bases.pop()
        if base in seen:
            continue
        seen.add(base)
        places = project.named("view-class", base)
        if project.has("list-hook", base) or (not places and base not in _REST):
            return True
        for _, fact in places:
            bases += fact.detail.split()
    return False


def _reads(serializer: str, project: Project) -> Iterator[tuple[str, str, Place]]:
    """(path, what becomes of it, where) of all that a serializer reads."""
    for place in project.named("serializer-read", serializer):
        *paths, nested = place[1].detail.split(" ")
        yield from ((path, nested, place) for path in paths)


def _missing(
    serializer: str, model: Place, loaded: frozenset[str], project: Project, relations: Relations, depth: int
) -> Iterator[tuple[str, Place, bool]]:
    """(path, where it is read, whether it is many) of what a serializer reads behind rows that were loaded so far."""
    if len({path for path, _ in project.named("serializer", serializer)}) != 1:
        return
    for path, nested, place in _reads(serializer, project):
        at, behind, walked = model, loaded, []
        for name in path.split("__"):
            found = relations.behind(at, name)
            if found is None or (nested == "=keys" and not found.many):
                break
            walked.append(name)
            if not covers(behind, name):
                yield "__".join(walked), place, found.many
                break
            if found.target is None:
                break
            at, behind = found.target, below(behind, name)
        else:
            if depth and not nested.startswith("="):
                for inner, where, many in _missing(nested, at, behind, project, relations, depth - 1):
                    yield f"{path}__{inner}", where, many


VIEW_WATCH = Watch((ast.ClassDef,), _on_view, (b"serializer_class",), is_product_path)
OBSERVERS: tuple[Observer, ...] = (
    Observer(
        "serializers",
        (Watch((ast.ClassDef,), _on_serializer, (b"erializer",), is_product_path),),
    ),
)
"""Kinds: serializer (detail: bases), serializer-read (detail: paths of relations, then a nested serializer, "=row"
where the row behind is read, "=keys" where only keys are)."""
