"""Facts of the schemas of an API (pydantic, SQLModel, django-ninja): what they read of a row."""

import ast

from skills.gates.django.alchemy_rows import is_mapped
from skills.gates.django.serializer_rows import READ, SCHEMA
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import is_decorated, last_name
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.rule import Watch

_BASES = ("BaseModel", "Schema", "SQLModel")
_WRAPPERS = frozenset({"List", "Sequence", "Iterable", "Annotated", "Optional", "Union", "None"})


def _on_schema(node: ast.ClassDef, context: FileContext) -> None:
    """Facts of what a schema reads of a row: a field of the name of a relation, and the schema that it becomes."""
    bases = [last_name(base) for base in node.bases]
    if not any(base.endswith(_BASES) or base[:1].isupper() for base in bases) or is_mapped(node):
        return
    context.fact(SCHEMA, node.name, " ".join(filter(None, bases)), node.lineno)
    context.fact("serializer", node.name, "", node.lineno)
    for part in node.body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            context.fact(READ, node.name, f"{part.target.id} {_nested(part.annotation)}", part.lineno)
        elif isinstance(part, ast.FunctionDef) and part.name.startswith("resolve_") and part.args.args:
            _on_resolver(part, node.name, context)


def _on_resolver(function: ast.FunctionDef, schema: str, context: FileContext) -> None:
    """`resolve_team(order)` of django-ninja reads `order.team.name`."""
    given = function.args.args[is_decorated(function, {"classmethod"})].arg if len(function.args.args) else ""
    for part in descendants(function):
        row = part.value if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Attribute) else None
        if row is not None and isinstance(row.value, ast.Name) and row.value.id == given:
            context.fact(READ, schema, f"{row.attr} =row", row.lineno)


def _nested(hint: ast.expr) -> str:
    """The class that an annotation names: `ReporterOut` of `list[ReporterOut] | None`; "=row" for none."""
    for part in descendants(hint):
        name = part.value if isinstance(part, ast.Constant) else last_name(part)
        if isinstance(name, str) and name.isidentifier() and name[0].isupper() and name not in _WRAPPERS:
            return name
    return "=row"


SCHEMAS = Watch((ast.ClassDef,), _on_schema, (b"BaseModel", b"Schema", b"SQLModel"), is_product_path)
"""Kinds: response-schema (detail: bases), beside those of serializers."""
