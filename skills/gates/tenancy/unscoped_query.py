"""The rule unscoped-tenant-query of the skill multi-tenant-guardian."""

import ast
import re
from collections.abc import Iterator

from msgspec.structs import replace

from skills.gates.analysis.queries import MANAGER_WORDS, MANAGERS, Chain, chain_of, mentioned_names
from skills.gates.engine.context import FileContext, FunctionNode, Words
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import path_role, role_of_scope
from skills.gates.engine.syntax import descendants
from skills.gates.model import Candidate, Evidence, FileReport
from skills.gates.project import Project
from skills.gates.rule import Rule, Watch
from skills.gates.tenancy.modes import UNSCOPED, is_scoped, needed, tenancy_of, tenant_models
from skills.gates.tenancy.multi_tenant_guardian import SKILL, implements_isolation, is_judged_path
from skills.gates.tenancy.unscoped_callers import reach_needs, reaches
from skills.gates.tenancy.unscoped_checks import names_tenant
from skills.gates.tenancy.unscoped_examples import UNSCOPED_BAD
from skills.gates.tenancy.unscoped_function import SHORTCUTS, is_manager
from skills.gates.tenancy.unscoped_good import UNSCOPED_GOOD
from skills.gates.tenancy.unscoped_words import (
    ASKERS,
    CHECKS,
    QUERYSET,
    SCOPED,
    SECRETS,
    is_for_all,
    is_given,
    keywords_of,
    names_asker,
    of_rows,
    said_later,
)

_JUDGED_ROLES = frozenset({"view", "service", "task", "router", "serializer"})
# What needs no scope: new rows bring their tenant, rows in hand were read before, `none()` reads nothing.
_HARMLESS = frozenset(
    {"create", "acreate", "bulk_create", "abulk_create", "bulk_update", "abulk_update", "create_user", "none", "raw"}
)
_STAFF = lazy(r"staff|super_?user|^IsAdminUser$", re.I)
_ADMINS = frozenset({"admin", "staff", "backoffice", "superadmin", "internal"})
_BEFORE_TENANT = lazy(r"Invit|OAuth")  # who was invited, or signs in, is in no tenant yet
_FIRST = frozenset({"get", "list", "dispatch", "initial", "setup"})
_SHOWN = ("ListSerializer", "ReadSerializer", "OutputSerializer", "ResponseSerializer")
_READERS = frozenset({"queryset", "get_queryset", "filter_queryset", "get_object", "super"})
_SAYS_ROWS = frozenset({"get_queryset", "filter_queryset", "__init__"})
_QUERIES = Words(*MANAGER_WORDS, b"_objects.", b"_or_404")
_INNER = "unscoped-tenant-query: calls that a longer chain contains"
_AROUND = "unscoped-tenant-query: what is said of a scope"


def _is_judged_path(path: str) -> bool:
    """The admin works for all tenants."""
    return is_judged_path(path) and path_role(path) != "admin" and _ADMINS.isdisjoint(path.split("/"))


def _on_call(node: ast.Call, context: FileContext) -> None:
    if not context.mentions(_QUERIES, node):
        return
    inner = context.memo.setdefault(_INNER, set())
    assert isinstance(inner, set)
    _note_inner(node, inner)
    if node in inner:
        return
    model, first = _queried(node, inner)
    if not model or first in _HARMLESS:
        return
    model = context.imports.get(model, model).rpartition(".")[2]
    isolates, role, said = _surroundings(context)
    if isolates or _is_asked_elsewhere(node, context):
        return
    later = set(said_later(context))
    names, keywords = {*mentioned_names(node), *said, *later}, set(keywords_of(node, context))
    if SCOPED in later:
        keywords.add(SCOPED)
    if role == "task":
        # A task has no tenant of its own: it works for whom it was given, and for all where it was given nothing.
        if is_for_all(context) or is_given(node, context):
            return
        names.update(of_rows(node, context))
    if SCOPED in said or (context.function is None and _is_asked_again(model, context)):
        keywords.add(SCOPED)
    is_open = role in _JUDGED_ROLES and SCOPED not in keywords and not names_tenant({*names, *keywords}, context)
    needs = (
        ("model", model),
        ("role", role),
        ("names", " ".join(sorted(names))),
        ("keywords", " ".join(sorted(keywords))),
        *(reach_needs(node, role, context) if is_open else ()),
    )
    context.report(UNSCOPED, node, f"{model} is queried", needs=needs, confidence="likely")


def _note_inner(node: ast.Call, inner: set[ast.Call]) -> None:
    """Notes the queries whose rows belong to the rows of another: those of a prefetch, and those in a condition."""
    if last_name(node.func) == "Prefetch":
        inner.update(part for part in descendants(node) if isinstance(part, ast.Call))
    for keyword in node.keywords if last_name(node.func) in QUERYSET else ():
        if isinstance(keyword.value, ast.Call) and is_manager(chain_of(keyword.value).manager):
            inner.update(part for part in descendants(keyword.value) if isinstance(part, ast.Call))


def _is_asked_elsewhere(node: ast.Call, context: FileContext) -> bool:
    """True for what a validator asks (whether a row is there, not which), for a query that a function is handed to
    narrow, and for the one of a class that never reads it."""
    owner = context.class_scope
    if owner is not None and context.function is None and (_has_own_rows(owner) or _is_only_shown(owner, context)):
        return True
    if getattr(context.statement, "value", None) is node:
        return False
    keyword = context.parent(node)
    above = context.parent(keyword) if isinstance(keyword, ast.keyword) else keyword
    if not isinstance(above, ast.Call):
        return False
    name = last_name(above.func)
    handed = isinstance(keyword, ast.keyword) and (keyword.arg or "").endswith(("queryset", "base_query", "base_qs"))
    return name.endswith("Validator") or (handed and name[:1].islower())


def _is_only_shown(owner: ast.ClassDef, context: FileContext) -> bool:
    """True for a field that no client writes, and for one that holds a secret."""
    statement = context.statement
    if not isinstance(statement, ast.Assign):
        return False
    call = statement.value
    words = call.keywords if isinstance(call, ast.Call) else []
    read_only = any(word.arg == "read_only" and getattr(word.value, "value", False) is True for word in words)
    return read_only or owner.name.endswith(_SHOWN) or SECRETS.search(last_name(statement.targets[0])) is not None


def _has_own_rows(owner: ast.ClassDef) -> bool:
    """True for a view whose `get_queryset` reads neither the `queryset` of its class nor that of its bases, and for one
    that is no more than a view and reads no `queryset` at all."""
    if owner.bases and all(last_name(base) in {"APIView", "View"} for base in owner.bases):
        methods = [part for part in owner.body if isinstance(part, FunctionNode)]
        return bool(methods) and all(_READERS.isdisjoint(mentioned_names(part)) for part in methods)
    for part in owner.body:
        if isinstance(part, FunctionNode) and part.name == "get_queryset":
            return {"super", "queryset"}.isdisjoint(mentioned_names(part))
    return False


def _queried(node: ast.Call, inner: set[ast.Call]) -> tuple[str, str]:
    """(model, first method) of a query, ("", "") for all other calls. Notes the calls inside a chain as
    read."""
    if isinstance(node.func, ast.Attribute):
        chain = chain_of(node)
        inner.update(call for _, call in chain.calls[:-1])
        if is_manager(chain.manager) and not _looks_up(chain):
            return chain.model, chain.calls[0][0]
    if last_name(node.func) in SHORTCUTS and node.args:
        first = node.args[0]
        if isinstance(first, ast.Call):
            calls = [call for call in descendants(first) if isinstance(call, ast.Call)]
            inner.update(calls)
            return next((chain.model for chain in map(chain_of, calls) if is_manager(chain.manager)), ""), "get"
        name = last_name(first)
        if name in MANAGERS and isinstance(first, ast.Attribute):
            name = last_name(first.value)
        return (name, "get") if name[:1].isupper() else ("", "")
    return "", ""


def _looks_up(chain: Chain) -> bool:
    """`Token.objects.verify(word)`: a method of the project's own that is asked for one thing says what it reads."""
    method, call = chain.calls[0]
    return len(chain.calls) == 1 and bool(call.args or call.keywords) and method not in QUERYSET


def _surroundings(context: FileContext) -> tuple[bool, str, frozenset[str]]:
    """(whether they are the isolation themselves, their role, what the class says of queries) of the scopes around."""
    known = context.memo.setdefault(_AROUND, {})
    assert isinstance(known, dict)
    inmost = context.scopes[-1] if context.scopes else None
    found: tuple[bool, str, frozenset[str]] | None = known.get(inmost)
    if found is None:
        role = role_of_scope(context.scopes, context.role)
        isolates = implements_isolation(context) or _is_for_staff(context)
        found = known[inmost] = isolates, role, frozenset(_said_by_class(context))
    return found


def _is_for_staff(context: FileContext) -> bool:
    """True where only those who run the service come: they see all tenants."""
    said: list[ast.expr] = []
    for scope in context.scopes:
        said += scope.decorator_list
        if isinstance(scope, ast.ClassDef):
            said += scope.bases
            said += [
                part.value
                for part in scope.body
                if isinstance(part, ast.Assign) and last_name(part.targets[0]) == "permission_classes"
            ]
    return any(_STAFF.search(name) for part in said for name in mentioned_names(part))


def _said_by_class(context: FileContext) -> Iterator[str]:
    """Bases of the class, its permissions and methods about its rows; for its own statements also what its
    `get_queryset` and `__init__` mention. `SCOPED` where it says whose rows are meant."""
    owner = context.class_scope
    if owner is None:
        return
    yield from (last_name(base) for base in owner.bases)
    for part in owner.body:
        if isinstance(part, ast.Assign):
            yield from _said_by_setting(part, context)
        elif isinstance(part, FunctionNode):
            yield from _said_by_method(part, context)


def _said_by_setting(part: ast.Assign, context: FileContext) -> Iterator[str]:
    name, value = last_name(part.targets[0]), part.value
    if name == "permission_classes" or (name == "filter_backends" and context.function is None):
        yield from mentioned_names(value)
    elif name == "lookup_field" and context.function is None and SECRETS.search(str(getattr(value, "value", ""))):
        yield SCOPED


def _said_by_method(part: FunctionNode, context: FileContext) -> Iterator[str]:
    if part.name == "get_permissions":
        yield from mentioned_names(part)
    if part.name.startswith("get_object_"):
        yield part.name
    if context.function is None and part.name == "test_func":
        names = set(mentioned_names(part))
        if not ASKERS.isdisjoint(names) and not {"get_object", "object"}.isdisjoint(names):
            yield SCOPED  # only the row that passes the test is shown
    elif context.function is None:
        names = set(mentioned_names(part))
        if part.name in _SAYS_ROWS or "queryset" in names:
            yield from names
        if part.name in _SAYS_ROWS and part.name != "__init__" and not ASKERS.isdisjoint(names):
            yield SCOPED  # the rows of who asks
    elif context.function is not None and context.function.name == "get_queryset" and part.name in _FIRST:
        calls = (call for call in descendants(part) if isinstance(call, ast.Call))
        if any(CHECKS.search(last_name(call.func)) and names_asker(call) for call in calls):
            yield SCOPED  # who may not see them never comes to them


def _is_asked_again(model: str, context: FileContext) -> bool:
    """True for the field of a serializer or form whose class asks itself whose row it was given."""
    owner, statement = context.class_scope, context.statement
    if owner is None or not isinstance(statement, ast.Assign):
        return False
    names = {last_name(statement.targets[0])}
    for part in descendants(statement.value):
        if isinstance(part, ast.keyword) and part.arg == "source" and isinstance(part.value, ast.Constant):
            names.add(str(part.value.value))
    for part in owner.body:
        if isinstance(part, FunctionNode) and part.name.startswith(("validate", "clean", "to_internal_value")):
            said = set(mentioned_names(part)) | {
                text.value
                for text in descendants(part)
                if isinstance(text, ast.Constant) and isinstance(text.value, str)
            }
            about = part.name.partition("_")[2] in names or not names.isdisjoint(said)
            if about and (model in said or not {"context", *ASKERS}.isdisjoint(said) or names_tenant(said, context)):
                return True
    return False


def _applies(project: Project) -> str | None:
    if tenancy_of(project).mode == "explicit":
        return None
    if tenancy_of(project).mode == "transparent":
        return f"tenants are kept apart without filters by hand: {tenancy_of(project).why}"
    return tenancy_of(project).why


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    if needed(candidate, "role") not in _JUDGED_ROLES:
        return None
    model = needed(candidate, "model")
    if _BEFORE_TENANT.search(model):
        return None
    place = tenant_models(project).get(model)
    if place is None or is_scoped(candidate, project) or not reaches(candidate, report, project):
        return None
    path, fact = place
    field = fact.name.partition(".")[2]
    message = (
        f"{model} belongs to a {field.removesuffix('_id')}, and this query reads every {field.removesuffix('_id')}'s"
    )
    evidence = Evidence(path, fact.line, f"{fact.name} is a {fact.detail}")
    return replace(candidate, message=message, evidence=(evidence,))


unscoped_tenant_query = Rule(
    name=UNSCOPED,
    gate="P0",
    severity="CRITICAL",
    skill=SKILL,
    sources=("X-BN-12",),
    catches="A query on a model with a tenant field, in a view, service, task, router or serializer, that names "
    "neither the tenant nor anything that belongs to one.",
    why="Where nothing scopes queries by itself, the one query without a filter shows every tenant's rows to whoever "
    "sends its request.",
    fix="Filter by the tenant, or start from it: `company.invoices.filter(…)`.",
    when="Where the tenancy is explicit: at least 10 queries on tenant models, 80 % of them scoped by hand, and "
    "nothing that scopes them by itself. A key counts where it came with a request: in the view itself, or handed on "
    "by a view to a helper or a service. It is fine where a permission, a decorator, a check or a scoped query asked "
    "for it before, where the row is asked for after, where nobody is signed in yet, and where it is of a row in hand. "
    "Tasks that are given nothing work for all tenants; in others the row whose key was given, and loops that read the "
    "tenant of each row, are fine.",
    watches=(
        Watch(
            (ast.Call,),
            _on_call,
            (b".objects", b"_manager", b"_objects.", b"_or_404"),
            _is_judged_path,
            near=_QUERIES.words,
        ),
    ),
    bad=UNSCOPED_BAD,
    good=UNSCOPED_GOOD,
    applies=_applies,
    holds=_holds,
)

RULES: tuple[Rule, ...] = (unscoped_tenant_query,)
