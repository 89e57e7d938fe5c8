"""The rule over-fetching where a list view of the REST framework shows a few fields of a wide table."""

import ast

from skills.gates.analysis.local_values import own_nodes
from skills.gates.analysis.queries import MANAGERS, chain_of
from skills.gates.django.drf_serializer_patterns import is_serializer, meta_value
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.persistence.database_events import inside
from skills.gates.project import Project
from skills.gates.rule import Watch

RULE = "over-fetching"
NARROW = frozenset({"only", "defer", "values", "values_list", "none", "raw", "union", "dates", "datetimes"})
_LISTS = ("ModelViewSet", "ListAPIView", "ListCreateAPIView", "ListModelMixin")
_SHOWS = "short-serializer"


def _on_serializer(node: ast.ClassDef, context: FileContext) -> None:
    """A fact for each serializer that is a list of fields and nothing else: kind short-serializer, detail the names."""
    plain = all(isinstance(part, ast.Expr) or (isinstance(part, ast.ClassDef) and part.name == "Meta")
                for part in node.body)  # fmt: skip
    fields = meta_value(node, "fields") if plain and is_serializer(node, context) else None
    names = [part.value for part in getattr(fields, "elts", ())
             if isinstance(part, ast.Constant) and isinstance(part.value, str)]  # fmt: skip
    if names and len(names) == len(fields.elts):  # type: ignore[union-attr]
        context.fact(_SHOWS, node.name, " ".join(names), node.lineno)


def _on_view(node: ast.ClassDef, context: FileContext) -> None:
    """A candidate for the rows of a list view that are all that its class asks for."""
    if not any(last_name(base).endswith(_LISTS) for base in node.bases):
        return
    given = {last_name(part.targets[0]): part.value for part in node.body if isinstance(part, ast.Assign)}
    serializer = last_name(given["serializer_class"]) if "serializer_class" in given else ""
    methods = [part for part in node.body if isinstance(part, FunctionNode)]
    own = next((part for part in methods if part.name == "get_queryset"), None)
    others = [part for part in methods if part is not own and not part.name.startswith(("get_permissions", "__"))]
    if not serializer or others:
        return  # what else a view does may need the whole row
    rows = _answer(own, context) if own is not None else given.get("queryset")
    model = _whole_rows(rows)
    if rows is None or not model:
        return
    needs = (("columns", model), ("one", ""), ("whole", ""), ("serializer", serializer))
    if own is not None:
        with inside(own, context):
            context.report(RULE, rows, f"every column of `{model}` is read", confidence="likely", needs=needs)
        return
    context.report(RULE, rows, f"every column of `{model}` is read", confidence="likely", needs=needs,
                   symbol=context.symbol_of(node.name))  # fmt: skip


def _answer(function: FunctionNode, context: FileContext) -> ast.expr | None:
    """What a method returns, where it returns in one place."""
    returns = [part for part in own_nodes(function, context) if isinstance(part, ast.Return)]
    return returns[0].value if len(returns) == 1 else None


def _whole_rows(rows: ast.expr | None) -> str:
    """The model whose whole rows a query asks for; "" where it asks for less, or for more of other tables."""
    if not isinstance(rows, ast.Call):
        return ""
    chain = chain_of(rows)
    narrow = any(isinstance(part, ast.Call) and last_name(part.func) in NARROW for part in descendants(rows))
    return chain.model if chain.manager in MANAGERS and not narrow else ""


def shown_alone(serializer: str, model: str, project: Project) -> list[str]:
    """The columns of a model that a serializer shows; [] where it shows anything else, or is not known."""
    places = project.named(_SHOWS, serializer)
    names = places[0][1].detail.split() if len(places) == 1 else []
    columns = project.models.fields(model)
    return names if all(name in columns or name in ("id", "pk") for name in names) else []


WATCHES = (
    Watch((ast.ClassDef,), _on_serializer, (b"erializer",), is_product_path),
    Watch((ast.ClassDef,), _on_view, (b"serializer_class",), is_product_path),
)
