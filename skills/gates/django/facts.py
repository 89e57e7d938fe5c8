"""Facts that several rules share: frameworks, models, and their fields and managers."""

import ast

from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants, keyword_of
from skills.gates.model import TENANT_FIELD
from skills.gates.profiles import FRAMEWORK_MODULES, IMPORTED
from skills.gates.rule import Observer, Watch

_RELATIONS = frozenset(
    {"ForeignKey", "OneToOneField", "ManyToManyField", "TenantForeignKey", "TenantOneToOneField", "ParentalKey"}
)
_FORMS = frozenset(
    {"serializers", "forms", "filters", "graphene", "fields", "admin", "wtforms", "ma", "django_filters"}
)
_BINDS = frozenset({ast.Assign, ast.AnnAssign})
_NO_MANAGERS = ("Field", "Key", "Manager", "QuerySet", "Queryset")


def _is_models_path(path: str) -> bool:
    return outside_tests(path) and "model" in path


def _is_other_path(path: str) -> bool:
    return outside_tests(path) and "model" not in path


def _on_model(node: ast.ClassDef, context: FileContext) -> None:
    made = [
        (name_and_call, statement.lineno)
        for statement in node.body
        if statement.__class__ in _BINDS and (name_and_call := _target(statement))
    ]
    fields = [found for (name, call), line in made if (found := _field(name, call, line, context)) is not None]
    bases = [last_name(base) for base in node.bases]
    modelish = any(base == "Model" or base.endswith(("Model", "AbstractUser", "AbstractBaseUser")) for base in bases)
    in_models = bool(bases) and "model" in context.path
    if not (fields or modelish or in_models):
        return
    if context.holds(b"pydantic") and any(
        (context.resolve(base) or "").startswith(("pydantic.", "pydantic_")) for base in node.bases
    ):
        return  # it checks what it is given, and holds no rows
    context.fact("model", node.name, " ".join(base for base in bases if base), node.lineno)
    for name, detail, line in fields:
        context.fact("field", f"{node.name}.{name}", detail, line)
        if name in context.tenant_fields:
            context.fact(TENANT_FIELD, name, node.name if name in _nullable(node) else "")
    if context.holds(b"db_table"):
        for statement in (inner for part in node.body if isinstance(part, ast.ClassDef) for inner in part.body):
            if isinstance(statement, ast.Assign) and last_name(statement.targets[0]) == "db_table":
                named = statement.value.value if isinstance(statement.value, ast.Constant) else ""
                context.fact("table", node.name, str(named))
    for (name, call), _ in made:
        _on_object(f"{node.name}.{name}", call, context)
    if not (context.holds(b"Manager") or context.holds(b"QuerySet") or context.holds(b"Queryset")):
        return
    for statement in node.body:
        manager = _manager(statement)
        if manager is not None:
            context.fact("manager", f"{node.name}.{manager[0]}", manager[1], statement.lineno)


def _on_object(name: str, call: ast.Call, context: FileContext) -> None:
    """An attribute of a model that is an object of a class, as in `published = Published()`, may be a manager."""
    made = "" if call.args or call.keywords else last_name(call)
    if made[:1].isupper() and not made.endswith(_NO_MANAGERS):
        context.fact("class-value", name, made)


def _nullable(node: ast.ClassDef) -> set[str]:
    """The fields of a model that may be empty: `null=True`."""
    targets = (found for found in map(_target, node.body) if found is not None)
    return {
        name
        for name, call in targets
        if any(word.arg == "null" and getattr(word.value, "value", None) is True for word in call.keywords)
    }


def _target(statement: ast.stmt) -> tuple[str, ast.Call] | None:
    """(name, call) of `name = call(…)`, annotated or not."""
    if isinstance(statement, ast.Assign):
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    else:
        return None
    value = statement.value
    return (target.id, value) if isinstance(target, ast.Name) and isinstance(value, ast.Call) else None


def _field(name: str, call: ast.Call, line: int, context: FileContext) -> tuple[str, str, int] | None:
    """(name, "ForeignKey Company", line) of a declared model field."""
    kind = last_name(call.func)
    relates = kind in _RELATIONS
    if not relates and not kind.endswith("Field"):
        return None
    owner = last_name(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    if owner != "models" and context.imports.get(owner, "").endswith("django.db.models"):
        owner = "models"
    if owner in _FORMS if relates else owner != "models":
        return None
    return name, f"{kind} {_related(call)}".strip() if relates else kind, line


def _related(call: ast.Call) -> str:
    target = call.args[0] if call.args else keyword_of(call, "to")
    if isinstance(target, ast.Constant):
        return str(target.value).rpartition(".")[2]
    return last_name(target) if target is not None else ""


def _manager(statement: ast.stmt) -> tuple[str, str] | None:
    """(name, class) of a declared manager: `objects = TenantManager.from_queryset(…)()` → ("objects",
    "TenantManager")."""
    found = _target(statement)
    if found is None:
        return None
    name, call = found
    names = {part.id for part in descendants(call) if isinstance(part, ast.Name)}
    names |= {part.attr for part in descendants(call) if isinstance(part, ast.Attribute)}
    classes = sorted(word for word in names if word.endswith(("Manager", "QuerySet", "Queryset")))
    return (name, " ".join(classes)) if classes else None


def _on_imports(node: ast.Module, context: FileContext) -> None:
    modules: list[str] = []
    for statement in node.body:
        if isinstance(statement, ast.Import):
            modules += [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            modules.append(statement.module)
    frameworks = {FRAMEWORK_MODULES.get(module.partition(".")[0], "") for module in modules}
    for framework in sorted(frameworks - {""}):
        context.fact(IMPORTED, framework)


_FRAMEWORK_BYTES = tuple(module.encode() for module in FRAMEWORK_MODULES)

OBSERVERS: tuple[Observer, ...] = (
    Observer("frameworks", (Watch((ast.Module,), _on_imports, _FRAMEWORK_BYTES, outside_tests),)),
    Observer(
        "models",
        (
            # A model whose base stands in another file may name neither.
            Watch((ast.ClassDef,), _on_model, (), _is_models_path),
            Watch((ast.ClassDef,), _on_model, (b"models", b"Model"), _is_other_path),
        ),
    ),
)
"""Kinds: model (detail: bases), field (detail: kind and related model), tenant-field (one called as the relation to a
tenant is; detail: its model where it may be empty), manager (detail: classes), class-value (an attribute that is
an object of a class whose name does not say what it is; detail: the class), table (name: model), imported-framework."""
