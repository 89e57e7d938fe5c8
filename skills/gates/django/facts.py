"""Facts that several rules share: frameworks, models and their fields, managers, and what keeps tenants apart."""

import ast
import re
from functools import lru_cache

from skills.gates.analysis.queries import is_manager_class, mentioned_names
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name, root_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants, keyword_of, string_of, strings_in
from skills.gates.model import TENANT_FIELD
from skills.gates.profiles import FRAMEWORK_MODULES, IMPORTED
from skills.gates.rule import Observer, Watch

RELATIONS = frozenset(
    {"ForeignKey", "OneToOneField", "ManyToManyField", "TenantForeignKey", "TenantOneToOneField", "ParentalKey"}
)
TENANT_WORDS = r"tenant|company|organi[sz]ation|workspace|schema|client|customer|account|team|shop"
_FORMS = frozenset(
    {"serializers", "forms", "filters", "graphene", "fields", "admin", "wtforms", "ma", "django_filters"}
)
_AMBIENT_SET = lazy(rf"^_?(set|activate|enter|switch|use|bind)_?(to_)?(current_|active_)?({TENANT_WORDS})", re.I)
_AMBIENT_GET = lazy(
    rf"^_?get_(current_|active_)({TENANT_WORDS})|^_?(current|active)_({TENANT_WORDS})|^_?get_tenant(_id)?$", re.I
)
_AMBIENT_STORE = lazy(rf"({TENANT_WORDS})", re.I)
_AMBIENT_NAME = lazy(r"tenant|current|active|local|context|ctx|state|var$|_storage", re.I)
_STORES = lazy(r"local|context|ctx|state|var$|_storage", re.I)
_SETTINGS = lazy(  # what does the work, not e.g. the name of a system check that is silenced
    r"^(django_tenants|tenant_schemas)\.(postgresql_backend|middleware|routers)|^django_multitenant\.(backends|middleware)"
    r"|^django_scopes|\.\w*TenantMainMiddleware$|\.\w*TenantSyncRouter$"
)
_DOTTED = lazy(r"[\w.]+")  # a name that is imported, not a text or a pattern about one
_RLS = lazy(
    r"CREATE\s+POLICY|ENABLE\s+ROW\s+LEVEL\s+SECURITY"
    rf"|(?:SET(?:\s+LOCAL|\s+SESSION)?\s+|set_config\(\s*'?)\w+\.\w*(?:{TENANT_WORDS})",
    re.I,
)
_NARROWS = lazy(rf"^user$|{TENANT_WORDS}|domain|perm|access|allow|visible", re.I)
_CONFIG = lazy(r"\.apps\.\w+Config$")
_APPS = {"SHARED_APPS": "tenant-shared-app", "TENANT_APPS": "tenant-own-app"}
_TABLE = lazy(r"[A-Za-z_][\w$]*")
_POLICY_TABLE = lazy(
    r"(?:CREATE\s+POLICY\s+\S+\s+ON|ALTER\s+TABLE(?:\s+IF\s+EXISTS)?(?:\s+ONLY)?)\s+(?:\"?\w+\"?\.)?\"?(\w+)", re.I
)
_TABLES_TOLD = "facts: tables with row-level security"
_SEARCH_PATH = lazy(r"SET\s+(LOCAL\s+|SESSION\s+)?search_path", re.I)


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
    relates = kind in RELATIONS
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


def _on_class(node: ast.ClassDef, context: FileContext) -> None:
    if is_manager_class(node):
        reads = _reads_ambient_tenant(node) or _filters_by_tenant(node, context.tenant_fields)
        if reads:
            context.fact("tenant-manager", node.name, reads, node.lineno)
        elif all(map(_goes_on, node.body)):
            context.fact("manager-class", node.name, " ".join(last_name(base) for base in node.bases))
    elif node.name.endswith("Middleware") or "middleware" in context.path:
        sets = _sets_ambient_tenant(node)
        if sets:
            context.fact("tenant-middleware", node.name, sets, node.lineno)
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name in _FILLING and _fills_tenant(part, context.tenant_fields):
            context.fact("fills-tenant", node.name, part.name)


def _on_signal(node: ast.FunctionDef, context: FileContext) -> None:
    """What a signal does to the rows of every model before they are saved."""
    receives = any("pre_save" in mentioned_names(decorator) for decorator in node.decorator_list)
    if receives and _fills_tenant(node, context.tenant_fields):
        context.fact("fills-tenant", "*", f"{node.name}()")


def _fills_tenant(function: ast.FunctionDef, tenant_fields: tuple[str, ...]) -> bool:
    """`self.company = current()`, `kwargs["company"] = …`, `kwargs.setdefault("company", …)`."""
    for part in descendants(function):
        if isinstance(part, ast.Attribute):
            if isinstance(part.ctx, ast.Store) and part.attr in tenant_fields:
                return True
        elif isinstance(part, ast.Subscript):
            if isinstance(part.ctx, ast.Store) and string_of(part.slice) in tenant_fields:
                return True
        elif isinstance(part, ast.Call) and last_name(part.func) in {"setdefault", "setattr"}:
            found = any(string_of(given) in tenant_fields for given in part.args[:2])
            if found:
                return True
    return False


def _goes_on(part: ast.stmt) -> bool:
    """False for a `get_queryset` that does not ask the manager beneath it."""
    own = isinstance(part, ast.FunctionDef) and part.name == "get_queryset"
    return not own or "super" in mentioned_names(part)


def _on_view_base(node: ast.ClassDef, context: FileContext) -> None:
    """What others build on, and which narrows its rows to who asks or to the tenant."""
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name in {"get_queryset", "filter_queryset"}:
            words = set(filter(_narrows, mentioned_names(part)))
            if words:
                context.fact("narrows", node.name, " ".join(sorted(words)))


@lru_cache(4096)
def _narrows(word: str) -> bool:
    return _NARROWS.search(word) is not None


def _on_function(node: ast.FunctionDef, context: FileContext) -> None:
    if not context.scopes and "middleware" in node.name + context.path:
        sets = _sets_ambient_tenant(node)
        if sets:
            context.fact("tenant-middleware", node.name, sets, node.lineno)


def _reads_ambient_tenant(node: ast.ClassDef) -> str:
    """What a manager filters by that is no parameter: the name of the call or variable, "" where it reads
    none."""
    for method in node.body:
        if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) and method.name in {
            "get_queryset", "get_query_set", "__init__", "_filter_or_exclude", "filter", "all", "_fetch_all",
        }:  # fmt: skip
            for part in descendants(method):
                if isinstance(part, ast.Call):
                    name = last_name(part.func)
                    if _AMBIENT_GET.search(name):
                        return name
                    owner = part.func.value if isinstance(part.func, ast.Attribute) else None
                    if name == "get" and isinstance(owner, ast.Name) and _is_ambient(owner.id):
                        return owner.id
                elif isinstance(part, ast.Attribute) and _is_store(part):
                    return f"{last_name(part.value)}.{part.attr}"
    return ""


def _filters_by_tenant(node: ast.ClassDef, tenant_fields: tuple[str, ...]) -> str:
    """`company=owner` for a manager whose every query is filtered by a tenant that something else keeps; "" for
    others."""
    if not any("Manager" in base or "QuerySet" in base for base in map(ast.unparse, node.bases)):
        return ""
    for method in node.body:
        if not isinstance(method, ast.FunctionDef) or method.name != "get_queryset":
            continue
        parts = list(descendants(method))
        bound = {last_name(part.targets[0]): part.value for part in parts if isinstance(part, ast.Assign)}
        own = {"super", "settings", *(part.arg for part in parts if isinstance(part, ast.arg))}
        for part in parts:
            value = part.value if isinstance(part, ast.keyword) and part.arg in tenant_fields else None
            if value is not None and _is_kept_elsewhere(bound.get(root_name(value), value), own):
                return f"{part.arg}={ast.unparse(value)}"  # type: ignore[attr-defined]
    return ""


def _is_kept_elsewhere(value: ast.expr, own: set[str]) -> bool:
    """True for `owner.get()`, `whose()`, `store.company` and `getattr(_local, "company", None)`, where none of the
    method's `own` names gives it."""
    if isinstance(value, ast.Call) and value.args and last_name(value.func) == "getattr":
        value = value.args[0]
    elif not isinstance(value, (ast.Call, ast.Attribute)) or (isinstance(value, ast.Call) and value.args):
        return False
    return root_name(value) not in own and not last_name(value).isupper()


def _is_ambient(name: str) -> bool:
    """`current_company.get()`, `_tenant.get()`; no cache or client that is only named like a tenant."""
    return bool(_AMBIENT_STORE.search(name) and _AMBIENT_NAME.search(name))


def _is_store(node: ast.Attribute) -> bool:
    return bool(_AMBIENT_STORE.search(node.attr) and _STORES.search(last_name(node.value)))


def _sets_ambient_tenant(node: ast.AST) -> str:
    """How a middleware makes the tenant known to code without a request, "" where it does not."""
    for part in descendants(node):
        if isinstance(part, ast.Call):
            name = last_name(part.func)
            owner = part.func.value if isinstance(part.func, ast.Attribute) else None
            if _AMBIENT_SET.search(name):
                return name
            if name == "set" and isinstance(owner, ast.Name) and _AMBIENT_STORE.search(owner.id):
                return owner.id
        elif isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store) and _is_store(part):
            return f"{last_name(part.value)}.{part.attr}"
        elif isinstance(part, ast.Constant) and isinstance(part.value, str) and _SEARCH_PATH.search(part.value):
            return "search_path"
    return ""


def _on_text(node: ast.Constant, context: FileContext) -> None:
    text = node.value
    if not isinstance(text, str) or (isinstance(context.statement, ast.Expr) and context.statement.value is node):
        return
    found = _RLS.search(text)
    if found and not text[: found.start()].rstrip().endswith(("'", '"')):  # else it stands in code that is a text here
        context.fact("tenant-rls", "row-level security", " ".join(text.split())[:60], node.lineno)
        _rls_tables(context)
    elif _SETTINGS.search(text) and _DOTTED.fullmatch(text):
        context.fact("tenant-settings", text[:80], "", node.lineno)


def _rls_tables(context: FileContext) -> None:
    """The tables that a file with policies names, in its SQL or in a list of them, once a file."""
    if context.memo.get(_TABLES_TOLD):
        return
    context.memo[_TABLES_TOLD] = True
    tables = set()
    for text in strings_in(context.tree):
        if _TABLE.fullmatch(text):
            tables.add(text)
        else:
            tables.update(_POLICY_TABLE.findall(text))
    context.fact("tenant-rls-tables", " ".join(sorted(tables)))


def _on_apps(node: ast.Assign | ast.AugAssign | ast.AnnAssign, context: FileContext) -> None:
    """The apps whose tables all schemas share (nothing but a filter keeps the tenants in them apart), and those whose
    tables each schema has for itself."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    kinds = [_APPS[name] for target in targets if (name := last_name(target)) in _APPS]
    if not kinds or node.value is None:
        return
    for text in strings_in(node.value):
        if not text.startswith("django."):
            context.fact(kinds[0], text.partition(".apps.")[0] if _CONFIG.search(text) else text)


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


_FILLING = frozenset({"save", "asave", "create", "acreate", "bulk_create", "abulk_create"})
_FRAMEWORK_BYTES = tuple(module.encode() for module in FRAMEWORK_MODULES)
_TENANT_BYTES = (b"tenant", b"Tenant", b"company", b"Company", b"rganization", b"rganisation", b"orkspace", b"schema")

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
    Observer(
        "tenancy",
        (
            Watch((ast.ClassDef,), _on_class, _TENANT_BYTES, outside_tests),
            Watch((ast.ClassDef,), _on_view_base, (b"def get_queryset", b"def filter_queryset"), outside_tests),
            Watch((ast.FunctionDef,), _on_function, _TENANT_BYTES, lambda path: "middleware" in path),
            Watch((ast.FunctionDef,), _on_signal, (b"pre_save",), outside_tests),
            Watch(
                (ast.Assign, ast.AugAssign, ast.AnnAssign),
                _on_apps,
                (b"SHARED_APPS", b"TENANT_APPS"),
                outside_tests,
                near=(b"SHARED_APPS", b"TENANT_APPS"),
            ),
            Watch(
                (ast.Constant,),
                _on_text,
                (b"django_tenants", b"tenant_schemas", b"django_multitenant", b"django_scopes", b"TenantMainMiddleware",
                 b"TenantSyncRouter", b"ROW LEVEL", b"CREATE POLICY", b"set_config", b"SET app", b"row level security"),
                outside_tests,
            ),
        ),
    ),
)  # fmt: skip
"""Kinds: model (detail: bases), field (detail: kind and related model), tenant-field (one called as the relation to a
tenant is; detail: its model where it may be empty), manager (detail: classes), class-value (an attribute that is
an object of a class whose name does not say what it is; detail: the class), table (name: model), manager-class
(detail: bases; those that read no tenant themselves), tenant-manager, tenant-middleware, tenant-settings, tenant-rls,
tenant-rls-tables (name: the tables), fills-tenant (a class whose method, the detail, puts the tenant into a row, or "*"
for a signal), tenant-shared-app, tenant-own-app, narrows (name: a class whose rows are those of
who asks), imported-framework."""
