"""The rule unscoped-tenant-query of the skill multi-tenant-guardian."""

import ast
from collections.abc import Iterator

from msgspec.structs import replace

from skills.gates.analysis.queries import MANAGER_WORDS, MANAGERS, Chain, chain_of, mentioned_names
from skills.gates.engine.context import FileContext, FunctionNode, Words
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import class_role, path_role, role_of_scope
from skills.gates.engine.syntax import descendants
from skills.gates.model import Candidate, Evidence, FileReport
from skills.gates.project import Project
from skills.gates.rule import Apart, Rule, Watch
from skills.gates.tenancy.modes import (
    PUBLISHED,
    READ,
    UNSCOPED,
    is_scoped,
    is_shared,
    published_models,
    tenancy_of,
    tenant_models,
)
from skills.gates.tenancy.multi_tenant_guardian import SKILL, implements_isolation, is_judged_path
from skills.gates.tenancy.tenant_coverage import covers, needed
from skills.gates.tenancy.unscoped_callers import model_needs, reach_needs, reaches
from skills.gates.tenancy.unscoped_function import SHORTCUTS, is_manager
from skills.gates.tenancy.unscoped_reach import ROWS_OF_ALL, reach_of
from skills.gates.tenancy.unscoped_shown import NAMES_ITS_MODEL
from skills.gates.tenancy.unscoped_visitors import APART, is_for_staff, own_models, says_public
from skills.gates.tenancy.unscoped_words import (
    ASKERS,
    CHECKS,
    NOTED,
    QUERYSET,
    SCOPED,
    SECRETS,
    keywords_of,
    names_asker,
    names_tenant,
    said_later,
)

_JUDGED_ROLES = frozenset({"view", "service", "router", "serializer"})
# What needs no scope: new rows bring their tenant, rows in hand were read before, `none()` reads nothing.
_HARMLESS = frozenset(
    {"create", "acreate", "bulk_create", "abulk_create", "bulk_update", "abulk_update", "create_user", "none", "raw"}
)
_BEFORE_TENANT = lazy(r"Invit|OAuth")  # who was invited, or signs in, is in no tenant yet
_WIDENED = lazy(r"unscop|unfilter|across|all_tenants|bypass")  # it is said that all are meant
_LAZY = frozenset({"all", "filter", "exclude", "select_related", "prefetch_related", "order_by", "annotate"})
_FIRST = frozenset({"get", "list", "dispatch", "initial", "setup"})
_SAYS_ROWS = frozenset({"get_queryset", "filter_queryset", "__init__"})
_QUERIES = Words(*MANAGER_WORDS, b"_objects.", b"_or_404")
_INNER = "unscoped-tenant-query: calls that a longer chain contains"
_AROUND = "unscoped-tenant-query: what is said of a scope"
_EXCEPTIONS = "unscoped-tenant-query: files that leave most of their queries open"
_FEW = 3
_NAMED = "named"
"""The need of a candidate that is no query, but names its model."""


def _is_judged_path(path: str) -> bool:
    """False where those who run the service work, or those who develop it: they see all tenants."""
    return is_judged_path(path) and path_role(path) != "admin" and not APART.search(path)


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
    if isolates or role == "task" or _is_handed_on(node, context):
        return  # a task has no tenant of its own: it works for whom it was given, or for all
    later = set(said_later(context))
    names, keywords = {*mentioned_names(node), *said, *later}, set(keywords_of(node, context))
    if SCOPED in later or SCOPED in said or _is_narrowed_outside(node, context):
        keywords.add(SCOPED)
    is_open = role in _JUDGED_ROLES and SCOPED not in keywords and not names_tenant({*names, *keywords}, context)
    if is_open and is_for_staff(context):
        return
    said_names, said_keywords = " ".join(sorted(names)), " ".join(sorted(keywords))
    by_hand = {*names, *_bases(context), *(context.tenant_fields[:1] if NOTED in later else ())}
    context.fact(READ, model, f"{' '.join(sorted(by_hand))}|{said_keywords}")
    needs = (
        ("model", model),
        ("role", role),
        ("names", said_names),
        ("keywords", said_keywords),
        *(reach_needs(node, role, context) if is_open else ()),
        *((("own", own),) if is_open and (own := " ".join(own_models(context))) else ()),
    )
    if role in _JUDGED_ROLES and says_public(context) and _lists(node, context):
        context.fact(PUBLISHED, model)
    context.report(UNSCOPED, node, f"{model} is queried", needs=needs, confidence="likely")


def _on_class(node: ast.ClassDef, context: FileContext) -> None:
    """A generic view of Django's that names a model, and narrows none of its rows."""
    if not any(last_name(base) in NAMES_ITS_MODEL for base in node.bases):
        return
    context.scopes.append(node)
    try:
        found = None if implements_isolation(context) else model_needs(context)
        if found is not None:
            name, statement, reach = found
            model = context.imports.get(name, name).rpartition(".")[2]
            names = " ".join(sorted(set(_said_by_class(context))))
            needs = (("model", model), ("role", "view"), (_NAMED, model), ("names", names), ("keywords", ""), *reach)
            context.report(UNSCOPED, statement, f"{model} is shown", needs=needs, confidence="likely")
    finally:
        context.scopes.pop()


def _lists(query: ast.Call, context: FileContext) -> bool:
    """True for a query that no key, tenant or person narrows."""
    own = set(keywords_of(query, context))
    return SCOPED not in own and not names_tenant(own, context) and reach_of(query, context).how == ROWS_OF_ALL


def _note_inner(node: ast.Call, inner: set[ast.Call]) -> None:
    """Notes the queries whose rows belong to the rows of another: those of a prefetch, and those in a condition."""
    if last_name(node.func) == "Prefetch":
        inner.update(part for part in descendants(node) if isinstance(part, ast.Call))
    for keyword in node.keywords if last_name(node.func) in QUERYSET else ():
        value = keyword.value
        while isinstance(value, (ast.Attribute, ast.Subscript)):
            value = value.value  # `number=Invoice.objects.get(pk=pk).number`
        if isinstance(value, ast.Call) and is_manager(chain_of(value).manager):
            inner.update(part for part in descendants(value) if isinstance(part, ast.Call))


def _is_handed_on(node: ast.Call, context: FileContext) -> bool:
    """True for what a validator asks (whether a row is there, not which), and for a query that a function is handed to
    narrow."""
    if getattr(context.statement, "value", None) is node:
        return False
    keyword = context.parent(node)
    above = context.parent(keyword) if isinstance(keyword, ast.keyword) else keyword
    if not isinstance(above, ast.Call):
        return False
    name = last_name(above.func)
    handed = isinstance(keyword, ast.keyword) and (keyword.arg or "").endswith(("queryset", "base_query", "base_qs"))
    return name.endswith("Validator") or (handed and name[:1].islower())


def _is_narrowed_outside(node: ast.Call, context: FileContext) -> bool:
    """True for rows that a function is handed with who asks: `visible(Invoice.objects.all(), request.user)`."""
    above = context.parent(node)
    if not isinstance(above, ast.Call) or not isinstance(above.func, ast.Name):
        return False
    return above.func.id[:1].islower() and last_name(node.func) in _LAZY and names_asker(above)


def _queried(node: ast.Call, inner: set[ast.Call]) -> tuple[str, str]:
    """(model, first method) of a query, ("", "") for all other calls. Notes the calls inside a chain as
    read."""
    if isinstance(node.func, ast.Attribute):
        chain = chain_of(node)
        inner.update(call for _, call in chain.calls[:-1])
        widened = any(_WIDENED.search(method) for method, _ in chain.calls)
        if is_manager(chain.manager) and not widened and not _looks_up(chain):
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
        isolates = implements_isolation(context)
        found = known[inmost] = isolates, role, frozenset(_said_by_class(context))
    return found


def _said_by_class(context: FileContext) -> Iterator[str]:
    """Bases of the class where they narrow, its permissions and methods about its rows; for its own statements also
    what its `get_queryset` and `__init__` mention. `SCOPED` where it says whose rows are meant."""
    owner = context.class_scope
    if owner is None:
        return
    if not _has_own_queries(context):
        yield from _bases(context)
    for part in owner.body:
        if isinstance(part, ast.Assign):
            yield from _said_by_setting(part, context)
        elif isinstance(part, FunctionNode):
            yield from _said_by_method(part, context)


def _bases(context: FileContext) -> Iterator[str]:
    owner = context.class_scope
    return map(last_name, owner.bases if owner is not None else ())


def _has_own_queries(context: FileContext) -> bool:
    """True for a method of a view whose queries are its own: what its class is built on narrows `get_queryset`."""
    function, owner = context.function, context.class_scope
    return (
        function is not None and function.name not in _SAYS_ROWS and owner is not None and class_role(owner) == "view"
    )


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


def _applies(project: Project) -> str | None:
    if tenancy_of(project).mode == "explicit":
        return None
    if tenancy_of(project).mode == "transparent":
        return f"tenants are kept apart without filters by hand: {tenancy_of(project).why}"
    return tenancy_of(project).why


def _is_exception(candidate: Candidate, report: FileReport, project: Project) -> bool:
    """True in a file that leaves more queries open than it scopes, and more than a few: it acts for no one tenant, and
    its callers may be of none."""
    known = project.memo.setdefault(_EXCEPTIONS, {})
    assert isinstance(known, dict)
    if report.path not in known:
        models = tenant_models(project)
        ours = (one for one in report.candidates if one.rule == UNSCOPED and not needed(one, _NAMED))
        queries = [one for one in ours if needed(one, "model") in models]
        scoped = sum(_is_scoped(one, project) for one in queries)
        known[report.path] = len(queries) - scoped, scoped
    open_ones, scoped = known[report.path]
    few = _FEW if needed(candidate, "role") in {"view", "router"} else 1
    return bool(open_ones > max(few, scoped))


def _is_scoped(query: Candidate, project: Project) -> bool:
    names, keywords = needed(query, "names").split(), needed(query, "keywords").split()
    return is_scoped(needed(query, "model"), names, keywords, project)


def _is_for_outsiders(own: list[str], project: Project) -> bool:
    """True where who asks is looked up in a model of no tenant: a player, whom the clubs of all tenants know."""
    stems = [field.removesuffix("_id").replace("_", "") for field in project.options.tenant_fields]
    known = [model for model in own if model in project.models.places and model not in tenant_models(project)]
    return any(all(stem not in model.lower() for stem in stems) for model in known)


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    if needed(candidate, "role") not in _JUDGED_ROLES:
        return None
    model = needed(candidate, "model")
    if _BEFORE_TENANT.search(model):
        return None
    place = tenant_models(project).get(model)
    if place is None or _is_scoped(candidate, project) or not reaches(candidate, report, project):
        return None
    shows_all = needed(candidate, "reach") == ROWS_OF_ALL
    if is_shared(model, project, shows_all=shows_all) or _is_for_outsiders(needed(candidate, "own").split(), project):
        return None
    if covers(model, "", project) or model in published_models(project) or _is_exception(candidate, report, project):
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
    catches="A query on a model with a tenant field by a key that came with a request, which nobody asked for; and a "
    "view that shows all rows of one to whoever is signed in, or has a role that every tenant's people have, and tells "
    "nobody apart: by its query, as its `queryset` or `model`, in a page or through a serializer.",
    why="Where nothing scopes queries by itself, the one query without a filter shows every tenant's rows to whoever "
    "sends its request.",
    fix="Filter by the tenant, or start from it: `company.invoices.filter(…)`.",
    when="Where the tenancy is explicit: at least 10 queries on tenant models, 80 % of them scoped by hand, and "
    "nothing that scopes them by itself. A key counts where it came with a request: in the view itself, or handed on "
    "by a view to a helper or a service. It is fine where a permission, a decorator, a check or a scoped query asked "
    "for it before, where the row is compared with what belongs to who asks, where it is of a row in hand, and where "
    "the query only decides what happens; not where the row is only noted with a tenant. Also fine is what a view "
    "reads that is public, published, for staff, for developers, for those whom tenants serve or for another service, "
    "a model that a view lists to everybody, rows that may belong to no tenant (null=True; not people) where most "
    "queries on them are not scoped either, a table that a policy of the database keeps apart, and a file that leaves "
    "more than a few queries open, and more than it scopes. Tasks, and the fields of serializers and forms, are not "
    "judged.",
    watches=(
        Watch(
            (ast.Call,),
            _on_call,
            (b".objects", b"_manager", b"_objects.", b"_or_404"),
            _is_judged_path,
            near=_QUERIES.words,
            tenants=True,
        ),
        Watch((ast.ClassDef,), _on_class, tuple(map(str.encode, NAMES_ITS_MODEL)), _is_judged_path, tenants=True),
    ),
    bad=Apart(
        "tenancy.unscoped_examples.UNSCOPED_BAD",
        "tenancy.unscoped_pair_examples.PAIRS_BAD",
        "tenancy.unscoped_shown_examples.SHOWN_BAD",
    ),
    good=Apart(
        "tenancy.unscoped_good_examples.UNSCOPED_GOOD",
        "tenancy.unscoped_pair_examples.PAIRS_GOOD",
        "tenancy.unscoped_shown_examples.SHOWN_GOOD",
    ),
    applies=_applies,
    holds=_holds,
)

RULES: tuple[Rule, ...] = (unscoped_tenant_query,)
