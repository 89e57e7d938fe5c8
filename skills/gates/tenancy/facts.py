"""Facts about what keeps tenants apart by itself, be it managers, middleware, policies or schemas, and what fills them
in."""

import ast
import re
from functools import lru_cache

from skills.gates.analysis.queries import is_manager_class, mentioned_names
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name, root_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants, string_of, strings_in
from skills.gates.rule import Observer, Watch

_TENANT_WORDS = r"tenant|company|organi[sz]ation|workspace|schema|client|customer|account|team|shop"
_AMBIENT_SET = lazy(rf"^_?(set|activate|enter|switch|use|bind)_?(to_)?(current_|active_)?({_TENANT_WORDS})", re.I)
_AMBIENT_GET = lazy(
    rf"^_?get_(current_|active_)({_TENANT_WORDS})|^_?(current|active)_({_TENANT_WORDS})|^_?get_tenant(_id)?$", re.I
)
_AMBIENT_STORE = lazy(rf"({_TENANT_WORDS})", re.I)
_AMBIENT_NAME = lazy(r"tenant|current|active|local|context|ctx|state|var$|_storage", re.I)
_STORES = lazy(r"local|context|ctx|state|var$|_storage", re.I)
_SETTINGS = lazy(  # what does the work, not e.g. the name of a system check that is silenced
    r"^(django_tenants|tenant_schemas)\.(postgresql_backend|middleware|routers)|^django_multitenant\.(backends|middleware)"
    r"|^django_scopes|\.\w*TenantMainMiddleware$|\.\w*TenantSyncRouter$"
)
_DOTTED = lazy(r"[\w.]+")  # a name that is imported, not a text or a pattern about one
_RLS = lazy(
    r"CREATE\s+POLICY|ENABLE\s+ROW\s+LEVEL\s+SECURITY"
    rf"|(?:SET(?:\s+LOCAL|\s+SESSION)?\s+|set_config\(\s*'?)\w+\.\w*(?:{_TENANT_WORDS})",
    re.I,
)
_NARROWS = lazy(rf"^user$|{_TENANT_WORDS}|domain|perm|access|allow|visible", re.I)
_CONFIG = lazy(r"\.apps\.\w+Config$")
_APPS = {"SHARED_APPS": "tenant-shared-app", "TENANT_APPS": "tenant-own-app"}
_TABLE = lazy(r"[A-Za-z_][\w$]*")
_POLICY_TABLE = lazy(
    r"(?:CREATE\s+POLICY\s+\S+\s+ON|ALTER\s+TABLE(?:\s+IF\s+EXISTS)?(?:\s+ONLY)?)\s+(?:\"?\w+\"?\.)?\"?(\w+)", re.I
)
_TABLES_TOLD = "facts: tables with row-level security"
_SEARCH_PATH = lazy(r"SET\s+(LOCAL\s+|SESSION\s+)?search_path", re.I)


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


_FILLING = frozenset({"save", "asave", "create", "acreate", "bulk_create", "abulk_create"})
_TENANT_BYTES = (b"tenant", b"Tenant", b"company", b"Company", b"rganization", b"rganisation", b"orkspace", b"schema")

OBSERVERS: tuple[Observer, ...] = (
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
"""Kinds: manager-class (detail: bases; those that read no tenant themselves), tenant-manager, tenant-middleware,
tenant-settings, tenant-rls, tenant-rls-tables (name: the tables), fills-tenant (a class whose method, the detail, puts
the tenant into a row, or "*" for a signal), tenant-shared-app, tenant-own-app, narrows (name: a class whose rows are
those of who asks)."""
