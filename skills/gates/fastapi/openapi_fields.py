"""Fields of an API's models: what the code requires of them, and what a committed schema says."""

import ast
from collections.abc import Iterator

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.model import ApiComponent, Evidence
from skills.gates.project import Project
from skills.gates.rule import Observer, Watch

_KIND = "api-fields"
_OUTERMOST = frozenset({"BaseModel", "Serializer", "object"})
_FREE = frozenset({"default", "default_factory", "required", "read_only", "write_only", "exclude", None})
_SHOWN_ONLY = ("MethodField", "ReadOnlyField", "HiddenField")
_DECIDE = frozenset({"__init__", "get_fields", "to_representation"})
_MUST, _MAY, _UNSURE = "=", "?", "~"
# What is answered has every field, those with a default too: what is sent need not.
_SENT = lazy(r"(?:Create|In|Input|Request|Payload|Form|Body|Params)$")
_HUMP = lazy(r"(?<=[a-z0-9])[A-Z]")
_FIELD = lazy(r"(\w+)([=?~])(\d+)")
_DEEPEST = 6
Fields = dict[str, tuple[str, str, int]]
"""Field → (whether a value must be given, file, line)."""
Told = tuple[str, int, str, tuple[Evidence, ...]]
"""Where, on which line, what, and what the schema says."""


def _on_model(node: ast.ClassDef, context: FileContext) -> None:
    """Says what a Pydantic model or a serializer is built on, and its fields: "name=3" for one that must be given,
    "name?4" for one that may be left out, "name~5" where that is not sure, each with its line."""
    bases = [last_name(base) for base in node.bases]
    if not bases or not all(bases) or node.keywords or node.decorator_list:
        return
    lines = context.lines[node.lineno - 1 : node.end_lineno]
    if any("alias" in line for line in lines) or any(getattr(part, "name", "") in _DECIDE for part in node.body):
        return  # fields have other names outside, or are chosen as it runs
    fields = (f"{name}{how}{part.lineno}" for part in node.body for name, how in _field(part) if name[:1] != "_")
    context.fact(_KIND, node.name, f"{' '.join(bases)}|{' '.join(fields)}", node.lineno)


def _field(part: ast.stmt) -> Iterator[tuple[str, str]]:
    """`name: str`, `size: int = Field(gt=0)`, `total = serializers.IntegerField()`, and what is computed."""
    if isinstance(part, FunctionNode):
        if "computed_field" in map(last_name, part.decorator_list):
            yield part.name, _UNSURE
    elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
        hint = ast.unparse(part.annotation)
        if "ClassVar" not in hint:
            unsure = "default" in hint or "Optional" in hint or "None" in hint or hint == "Any"
            yield part.target.id, (_UNSURE if unsure else _MUST) if _is_bare(part.value) else _MAY
    elif isinstance(part, ast.Assign) and isinstance(part.value, ast.Call):
        kind = last_name(part.value.func)
        free = _FREE & {word.arg for word in part.value.keywords} or kind.endswith(_SHOWN_ONLY)
        if kind.endswith(("Field", "Serializer")):
            yield last_name(part.targets[0]), _UNSURE if free else _MUST


def _is_bare(value: ast.expr | None) -> bool:
    """True for no default: none, `...`, `Field(gt=0)`, `Field(...)`."""
    if isinstance(value, ast.Call) and last_name(value.func) == "Field":
        return not _FREE & {word.arg for word in value.keywords} and _is_bare(value.args[0] if value.args else None)
    return value is None or (isinstance(value, ast.Constant) and value.value is ...)


def differing_fields(project: Project, believed: frozenset[str]) -> Iterator[Told]:
    """Fields that the code requires and the schema does not, and the other way round. A model is meant by its name,
    where the project has one of that name; a schema that says of none of its fields that it must be given leaves that
    open."""
    for schema in project.schemas:
        for component in schema.components if schema.path in believed else ():
            for name in (component.name, f"{component.name}Serializer"):
                places = project.named(_KIND, name)
                fields = _fields(name, project, 0) if len(places) == 1 and component.required else None
                known = {_plain(word) for word in component.properties}
                if fields is not None and 2 * len(fields.keys() & known) >= len(known):
                    said = Evidence(schema.path, component.line, f"`{component.name}` of the schema")
                    path, fact = places[0]
                    for told in _compared(name, (path, fact.line), fields, component):
                        yield *told, (said,)


def _plain(name: str) -> str:
    """`due_date` of `dueDate`, as renderers of camel case write it."""
    return _HUMP.sub(lambda found: f"_{found[0].lower()}", name)


def _compared(
    model: str, place: tuple[str, int], fields: Fields, component: ApiComponent
) -> Iterator[tuple[str, int, str]]:
    needed = {*component.required, *map(_plain, component.required)}
    said = [name in needed for name, (how, _, _) in fields.items() if how == _MUST]
    if 2 * sum(said) < len(said):
        return  # another model of that name
    for name, (how, path, line) in fields.items():
        if how == _MUST and name not in needed:
            yield path, line, f"`{model}` requires `{name}`, the schema does not"
        elif how == _MAY and name in needed and _SENT.search(model):
            yield path, line, f"the schema requires `{name}`, `{model}` does not"
    for name in component.required:
        if name not in fields and _plain(name) not in fields:
            yield *place, f"the schema requires `{name}`, which `{model}` lacks"


def _fields(name: str, project: Project, depth: int) -> Fields | None:
    """The fields of a model, inherited ones included; None where a base is not the project's own."""
    places = project.named(_KIND, name)
    if len(places) != 1 or depth > _DEEPEST:
        return None
    path, fact = places[0]
    bases, _, own = fact.detail.partition("|")
    found: Fields = {}
    for base in bases.split():
        above = {} if base in _OUTERMOST else _fields(base, project, depth + 1)
        if above is None:
            return None
        found |= above
    return found | {field: (how, path, int(line)) for field, how, line in _FIELD.findall(own)}


OBSERVERS: tuple[Observer, ...] = (
    Observer(
        "api-fields",
        (
            Watch(
                (ast.ClassDef,),
                _on_model,
                (b"BaseModel", b"pydantic", b"serializers.Serializer)", b"serializers.Serializer\n"),
                outside_tests,
            ),
        ),
    ),
)
"""Kinds: api-fields (a model; detail: its bases, then its fields)."""
