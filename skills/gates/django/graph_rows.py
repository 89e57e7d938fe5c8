"""What the resolvers of a GraphQL type ask of each row: those of graphene-django and of strawberry-django."""

import ast
from collections.abc import Iterator

from skills.gates.django.drf_serializer_patterns import meta_value
from skills.gates.django.row_managers import LOADS
from skills.gates.django.row_values import EVERYTHING, Rows
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.rule import Watch

LISTED, TYPE = "graphql-list", "graphql-type"
_LISTS = ("List", "ListField", "ConnectionField", "list")


def resolvers(node: ast.ClassDef, context: FileContext) -> Iterator[tuple[FunctionNode, Rows]]:
    """(resolver, the rows that it is asked for, with what its hints load) of a type that shows a model."""
    model = _shown(node, context)
    for part in node.body if model else ():
        if not isinstance(part, FunctionNode) or not part.args.args:
            continue
        hints = [one for one in part.decorator_list if last_name(one) in {"field", "django_resolver"}]
        if part.name.startswith("resolve_") or hints:
            yield part, Rows(model, "objects", (), _loaded(part.decorator_list), node.lineno)


def _shown(node: ast.ClassDef, context: FileContext) -> str:
    """The model of `class OrderType(DjangoObjectType)` and of `@strawberry_django.type(Order)`, "" for other types."""
    if any(last_name(base).endswith("DjangoObjectType") for base in node.bases):
        value = meta_value(node, "model")
        return (context.resolve(value) or "") if value is not None else ""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and last_name(decorator) in {"type", "node"} and decorator.args:
            return context.resolve(decorator.args[0]) or ""
    return ""


def _loaded(decorators: list[ast.expr]) -> frozenset[str]:
    """What `@field(select_related=["team"])` loads; everything where it cannot be read."""
    found: set[str] = set()
    for word in (word for one in decorators if isinstance(one, ast.Call) for word in one.keywords):
        if word.arg not in LOADS:
            continue
        parts = word.value.elts if isinstance(word.value, (ast.List, ast.Tuple)) else [word.value]
        texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        found.update(texts if len(texts) == len(parts) else [EVERYTHING])
    return frozenset(found)


def _on_list(node: ast.Call | ast.Subscript, context: FileContext) -> None:
    """`List(OrderType)`, `DjangoConnectionField(OrderType)`, `list[Order]`: the type is asked for many rows."""
    given = node.args[:1] if isinstance(node, ast.Call) else [node.slice]
    if not given or not last_name(node.func if isinstance(node, ast.Call) else node.value).endswith(_LISTS):
        return
    for part in descendants(given[0]):
        name = part.value if isinstance(part, ast.Constant) else last_name(part)
        if isinstance(name, str) and name[:1].isupper():
            context.fact(LISTED, name.rpartition(".")[2])


_WORDS = (b"List(", b"ListField(", b"ConnectionField(", b"list[", b"List[")
LISTS = Watch((ast.Call, ast.Subscript), _on_list, (b"graphene", b"strawberry"), is_product_path, near=_WORDS)
"""Kinds: graphql-list (a type of which lists are answered)."""
