"""What serializers read of each row of a list, and which list views load less than that."""

import ast
from collections.abc import Iterator
from typing import cast

from msgspec.structs import replace

from skills.gates.django.drf_serializer_patterns import is_serializer, meta_value
from skills.gates.django.relations import Relations, relations_of
from skills.gates.django.row_flow import Flow
from skills.gates.django.row_properties import asked_by
from skills.gates.django.row_sources import resolved
from skills.gates.django.row_values import Names, Rows, below, covers
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.model import Candidate, Evidence, FileReport
from skills.gates.project import Place, Project
from skills.gates.rule import Observer, Watch

N_PLUS_ONE = "n-plus-one"
REST_LISTS = ("ModelViewSet", "ListAPIView", "ListCreateAPIView", "ListModelMixin", "ReadOnlyModelViewSet")
"""Views of REST framework that answer a list."""
_REST = frozenset(
    {"ModelViewSet", "ReadOnlyModelViewSet", "GenericViewSet", "ViewSet", "ViewSetMixin", "GenericAPIView", "APIView",
     "ListAPIView", "ListCreateAPIView", "ListView", "ListModelMixin", "CreateModelMixin", "RetrieveModelMixin",
     "UpdateModelMixin", "DestroyModelMixin", "View", "LoginRequiredMixin", "PermissionRequiredMixin", "object"}
)  # fmt: skip
_RELATED = frozenset({"StringRelatedField", "SlugRelatedField", "HyperlinkedRelatedField", "PrimaryKeyRelatedField"})
_DEEPEST = 3
_Missing = tuple[str, Place, str]
READ, BY_METHOD, BY_KEY, BY_TEXT = "serializer-read", "=method", "=keys", "=text"
SCHEMA = "response-schema"
EVERY = "*"
"""Stands before the fields that a serializer leaves out of those of its model."""
_LISTED, _SHOWN, _MISSING = "serializer-list", "serializer-shown", "serializers: reads that lists do not load"


def _nothing(*_: object) -> None:
    """Hears of an access and does nothing."""


def _on_serializer(node: ast.ClassDef, context: FileContext) -> None:
    """Facts of what a serializer reads of a row: kind READ, detail "relation [nested serializer]"."""
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
                context.fact(READ, node.name, read, statement.lineno)
    fields = meta_value(node, "fields")
    listed: dict[int, list[str]] = {}
    for part in fields.elts if isinstance(fields, (ast.List, ast.Tuple)) else ():
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value not in declared:
            listed.setdefault(part.lineno, []).append(part.value)
    deep = meta_value(node, "depth")
    how = "=row" if isinstance(deep, ast.Constant) and deep.value else BY_KEY
    for line, names in listed.items():
        context.fact(READ, node.name, f"{' '.join(names)} {how}", line)
    left = meta_value(node, "exclude")
    if left is not None or (isinstance(fields, ast.Constant) and fields.value == "__all__"):
        out = {str(part.value) for part in getattr(left, "elts", ()) if isinstance(part, ast.Constant)}
        context.fact(READ, node.name, f"{EVERY.join([EVERY, *sorted(declared | out)])} {how}", node.lineno)
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
    if kind.endswith("Serializer") or (many and kind[:1].isupper() and not kind.endswith("Field")):
        return f"{path.replace('.', '__')} {kind}"
    if kind in _RELATED:
        # A key is a column of the row; many of them, and what stands for a row, are read from the other side.
        how = "=text" if kind == "StringRelatedField" else "=row"
        return f"{path.replace('.', '__')} {how}" if kind != "PrimaryKeyRelatedField" or many else ""
    head, _, rest = path.rpartition(".")
    if not head and (kind == "ReadOnlyField" or "read_only" in words):
        return f"{path} {BY_KEY}"  # it may be a property of the model
    return f"{head.replace('.', '__')} =row" if head and rest else ""


def _on_view(node: ast.ClassDef, context: FileContext) -> None:
    """A list view with its rows and its serializer."""
    methods, mixins = _methods(node, context)
    lists = any(last_name(base).endswith(REST_LISTS) for base in node.bases)
    for name in dict.fromkeys(_serializers(node)):
        context.fact(_SHOWN, name, "many" if lists and "list" not in methods else "one")
    if not lists:
        return
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
    bases = tuple(("base", last_name(base)) for base in node.bases if last_name(base) not in mixins)
    report_many(context, place, serializer, rows, context.symbol_of(node.name), bases)


def _methods(node: ast.ClassDef, context: FileContext) -> tuple[dict[str, FunctionNode], set[str]]:
    """The methods of a view by name, with those of mixins of its file that are built on nothing, and their names."""
    mixins = {part.name: part for part in context.tree.body if isinstance(part, ast.ClassDef) and not part.bases}
    bases = [mixins[name] for name in map(last_name, node.bases) if name in mixins]
    methods = {
        part.name: part for owner in (*bases[::-1], node) for part in owner.body if isinstance(part, FunctionNode)
    }
    return methods, {owner.name for owner in bases}


def _serializers(node: ast.ClassDef) -> Iterator[str]:
    """The serializers that a view names as its own, or chooses from."""
    for part in node.body:
        if isinstance(part, ast.Assign) and last_name(part.targets[0]) == "serializer_class":
            yield last_name(part.value)
        elif isinstance(part, FunctionNode) and part.name == "get_serializer_class":
            yield from (last_name(value) for inner in descendants(part) if isinstance(inner, ast.Return)
                        and (value := inner.value) is not None)  # fmt: skip


def _on_made(node: ast.Call, context: FileContext) -> None:
    """A serializer that is made for one row or for many, also as a field of another."""
    name = last_name(node.func)
    if not name[:1].isupper():
        return
    many = any(word.arg == "many" for word in node.keywords)
    if many or (name.endswith("Serializer") and (node.args or node.keywords)):
        many = many or context.function is None
        if many or not any(word.arg == "data" for word in node.keywords):
            context.fact(_SHOWN, name, "many" if many else "one")


def is_listed(serializer: str, project: Project) -> bool:
    """False where a serializer is shown to be given single rows only."""
    shown = {fact.detail for _, fact in project.named(_SHOWN, serializer)}
    return "many" in shown or not shown


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
        *([("steps", "/".join(rows.steps))] if rows.steps else []),
    )  # fmt: skip
    context.fact(_SHOWN, serializer, "many")
    context.fact(_LISTED, serializer, " ".join("=".join(need) for need in needs), node.lineno)  # type: ignore[attr-defined]
    context.report(N_PLUS_ONE, node, serializer, needs=needs, symbol=symbol)


def holds_for_view(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """The relations that a serializer reads and the rows of its list do not bring along."""
    missing = _of_list(candidate.needs, report.path, project)
    if not missing:
        return None
    said = dict(candidate.needs)
    paths = list(dict.fromkeys(path for path, _, _ in missing))
    listed = ", ".join(f"`{path}`" for path in paths[:4]) + (" …" if len(paths) > 4 else "")
    model = said.get("steps", "").rpartition("/")[2] or said["origin"].rpartition(".")[2]
    message = f"`{said['serializer']}` reads {listed} of each `{model}`, and the list does not load that with them"
    evidence = tuple(Evidence(place[0], place[1].line, f"reads `{path}`") for path, place, _ in missing[:6])
    return replace(candidate, message=message, needs=(), evidence=(*candidate.evidence, *evidence))


def _of_list(needs: tuple[tuple[str, str], ...], path: str, project: Project) -> list[_Missing]:
    """What a serializer reads of the rows of one list, and the list does not load."""
    relations, found = relations_of(project), resolved(needs, project)
    if found is None:
        return []
    needs, said = found, dict(found)
    model = relations.model(said["origin"], path)
    if model is None or may_decide_itself([value for kind, value in needs if kind == "base"], project):
        return []
    more = relations.loads(model, said["manager"], [value for kind, value in needs if kind == "through"])
    if said.get("steps"):
        reached = relations.reached(said["origin"], said["steps"].split("/"), path)
        if reached is None or reached[1] is None:
            return []
        model, more = reached[0], frozenset({reached[1].back})  # the way back is known
    if more is None:
        return []
    loaded = more | {value for kind, value in needs if kind == "loaded"}
    return list(_missing(said["serializer"], model, loaded, project, relations, _DEEPEST))


def missing_reads(project: Project) -> dict[tuple[str, int], Place]:
    """Where serializers read what a list does not load, with the place of the list. Found once a verdict."""
    known = cast("dict[tuple[str, int], Place] | None", project.memo.get(_MISSING))
    if known is None:
        project.memo[_MISSING] = known = {}
        for path, fact in project.facts(_LISTED):
            needs = tuple((kind, value) for kind, _, value in (word.partition("=") for word in fact.detail.split()))
            for _, place, _ in _of_list(needs, path, project):
                known.setdefault((place[0], place[1].line), (path, fact))
    return known


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
    for place in project.named(READ, serializer):
        *paths, nested = place[1].detail.split(" ")
        yield from ((path, nested, place) for path in paths)
    for _, fact in project.named(SCHEMA, serializer):
        for base in fact.detail.split():  # what a schema is built on has its fields too
            yield from _reads(base, project) if base != serializer else ()


def _spread(serializer: str, model: Place, project: Project, relations: Relations) -> Iterator[tuple[str, str, Place]]:
    """What a serializer reads, with the relations of its model where it takes all fields of it."""
    for path, nested, place in _reads(serializer, project):
        if not path.startswith(EVERY):
            yield path, nested, place
            continue
        for name in relations.declared(model) - {*path.split(EVERY)}:
            yield name, nested, place


def _missing(
    serializer: str, model: Place, loaded: frozenset[str], project: Project, relations: Relations, depth: int
) -> Iterator[_Missing]:
    """(path, where it is read, what becomes of it) of what a serializer reads behind rows that were loaded so far."""
    if len({path for path, _ in project.named("serializer", serializer)}) != 1:
        return
    for path, nested, place in _spread(serializer, model, project, relations):
        at, behind = model, loaded
        walked: list[str] = []
        for name in path.split("__"):
            found = relations.behind(at, name)
            if found is None and any(True for _ in asked_by(name, at, behind, None, relations, project)):
                yield "__".join((*walked, name)), place, nested
            if found is None or (nested == BY_KEY and not found.many):
                break
            walked.append(name)
            if found.loader and not covers(behind, name):
                yield "__".join(walked), place, nested
                break
            if found.target is None:
                break
            at, behind = found.target, below(behind, name)
        else:
            if nested == BY_TEXT:
                for _, _, inner, _ in asked_by("__str__", at, behind, None, relations, project):
                    yield f"{path}__{inner}", place, nested
            if depth and not nested.startswith("="):
                for inner, where, how in _missing(nested, at, behind, project, relations, depth - 1):
                    yield f"{path}__{inner}", where, how


VIEW_WATCHES = (
    Watch((ast.ClassDef,), _on_view, (b"serializer_class",), is_product_path),
    Watch((ast.Call,), _on_made, (b"Serializer(", b"many=True"), is_product_path, near=(b"Serializer(", b"many=")),
)
OBSERVERS: tuple[Observer, ...] = (
    Observer(
        "serializers",
        (Watch((ast.ClassDef,), _on_serializer, (b"erializer",), is_product_path),),
    ),
)
"""Kinds: serializer (detail: bases), serializer-read (detail: paths of relations, then a nested serializer, "=row"
where the row behind is read, "=text" where it is shown, "=method" where a method does, "=keys" where only keys are)."""
