"""Rules of the skill multi-tenant-guardian: one tenant never sees the rows of another.

Two rules that are each other's opposite, so that never more than one of them speaks: where something keeps
tenants apart by itself, filters by hand are the mistake; where nothing does, their absence is.
"""

import ast
import re
from collections.abc import Iterator
from functools import lru_cache

from msgspec.structs import replace

from skills.gates.analysis.queries import chain_of, is_manager_class, literal_keywords, orm_evidence
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import class_role, is_migration_path, is_test_path, path_role
from skills.gates.engine.syntax import descendants, string_of
from skills.gates.model import Candidate, FileReport
from skills.gates.project import Project
from skills.gates.rule import Apart, Rule, Watch
from skills.gates.tenancy.mechanisms import goes_past_managers, only_policies
from skills.gates.tenancy.modes import LEAST_QUERIES, tenancy_of, tenant_field
from skills.gates.tenancy.tenant_apart import (
    asked_around,
    asked_first,
    fields_taken,
    is_typed,
    keeps_credentials,
    model_asked,
    model_of_class,
    models_asked,
    stands_apart,
    takes_apart,
    uses_otherwise,
)
from skills.gates.tenancy.tenant_coverage import (
    WRITES,
    covers,
    covers_sql,
    covers_taken,
    covers_written,
    is_other_level,
    is_plain_column,
    needed,
    what_is_named,
    what_scopes,
)
from skills.gates.tenancy.unscoped_function import SHORTCUTS

SKILL = "multi-tenant-guardian"
MANUAL = "manual-tenant-filter"

_FILTERS = frozenset({"filter", "exclude", "filter_by", "get_or_create", "update_or_create", "aget_or_create"})
_ON_QUERYSETS = frozenset({"get", "aget", "create", "acreate", "bulk_create", "abulk_create", "aupdate_or_create"})
_NO_RELATION = frozenset({"isnull", "contains", "icontains", "startswith", "istartswith", "iexact"})
_KIND_OF_TENANT = lazy(r"__(?:status|state|plan|tier|is_[a-z]+|active|enabled|kind|type)(?:__[a-z]+)?$")
_SAVES = frozenset({"save", "asave"})
_NAMED = "manual-tenant-filter: the file names a field of a tenant"
_BY_HAND = "filtered-by-hand"
"""A fact: queries of a model, by a manager, that name the tenant."""
_NO_TENANT = frozenset({"defaults", "pk", "id", "commit", "using", "update_fields", "batch_size"})
_ISOLATION = lazy(r"(Tenant|Company|Organi[sz]ation|Workspace|Scoped|Isolat)\w*Mixin$")
_CREDENTIAL = lazy(r"^client_(id|secret)|^subscription_id$|credential|^app_secret$|^scopes?$")
_CONDITION = lazy(r"\b(\w+)\s*(?:=|\bIN\b)", re.I)
_SQL = lazy(r"\b(?:SELECT|UPDATE|DELETE|FROM|JOIN)\b.*\bWHERE\b|^\W*(?:WHERE|AND)\b", re.I | re.S)
_SETTING = lazy(r"\w\.(\w+)")  # `SET app.current_company = …`: what policies go by
_LEVELS = lazy(r"company|organi[sz]ation|workspace|account|team")
_TABLES = lazy(r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(?:\"?\w+\"?\.)?\"?(\w+)", re.I)
_WHERE = lazy(r"\bWHERE\b([^;]*)", re.I | re.S)


@lru_cache(maxsize=64)  # many rules ask it of one file after the other
def is_judged_path(path: str) -> bool:
    """False where code stands outside of any one tenant: tests, migrations, middleware, commands, seeds."""
    if is_test_path(path) or is_migration_path(path):
        return False
    *folders, name = path.split("/")
    stem = name.removesuffix(".py")
    apart = {"middleware", "middlewares", "commands", "seeds", "scripts"}
    named = stem in apart or stem.endswith("_middleware") or not {"seed", "seeds", "seeder"}.isdisjoint(stem.split("_"))
    return not named and apart.isdisjoint(folders)


def _is_service_path(path: str) -> bool:
    return is_judged_path(path) and path_role(path) == "service"


def _is_other_path(path: str) -> bool:
    return is_judged_path(path) and path_role(path) != "service"


def implements_isolation(context: FileContext) -> bool:
    """True inside the managers, querysets, middleware and mixins that are the isolation themselves."""
    for scope in context.scopes:
        if isinstance(scope, ast.ClassDef) and (
            is_manager_class(scope)
            or _ISOLATION.search(scope.name)
            or class_role(scope) in {"middleware", "command", "test", "migration"}
        ):
            return True
    return False


def _names_tenant(context: FileContext) -> bool:
    """A cheap test that every file passes in which a field of a tenant is named."""
    known = context.memo.get(_NAMED)
    if known is None:
        known = context.memo[_NAMED] = any(context.holds(field.encode()) for field in context.tenant_fields)
    return bool(known)


def _on_call(node: ast.Call, context: FileContext) -> None:
    if not _names_tenant(context):
        return
    function = node.func
    if isinstance(function, ast.Attribute):
        method = function.attr
        if method in _FILTERS or method in _ON_QUERYSETS or method in _SAVES:
            _on_method(node, method, context)
        elif method == "Q" or method in SHORTCUTS:
            _on_condition(node, method, context)
    elif isinstance(function, ast.Name) and (function.id == "Q" or function.id in SHORTCUTS):
        _on_condition(node, function.id, context)


def _on_condition(node: ast.Call, method: str, context: FileContext) -> None:
    """`Q(…)` for what it stands in, `get_object_or_404(…)` for what it is given."""
    names = [name for name, _ in literal_keywords(node)]
    if not any(tenant_field(name, context.tenant_fields) for name in names):
        return
    model, manager = asked_around(node, context) if method == "Q" else asked_first(node, context)
    _report(node, method, model, names, True, context, manager)


def _on_method(node: ast.Call, method: str, context: FileContext) -> None:
    names = list(_filtered_names(node, method, context))
    if not names:
        return
    chain = chain_of(node)
    if method in _SAVES:
        receiver = last_name(chain.root).lower()
        if receiver.endswith(("serializer", "form", "formset")):
            _report(node, method, model_asked(chain, context)[0], names, True, context)
        return
    if node.args and string_of(node.args[0]) is not None:
        return  # `search.filter("term", company_id=3)`: Django's take no word before their conditions
    orm = orm_evidence(chain, context)
    if orm or method in _FILTERS:
        model, manager = model_asked(chain, context)
        _report(node, method, model, names, orm, context, manager)


def _filtered_names(node: ast.Call, method: str, context: FileContext) -> Iterator[str]:
    """Keywords of the call, fields compared in its arguments (`Invoice.company_id == x`), fields of rows to be made."""
    yield from (name for name, _ in literal_keywords(node))
    for keyword in node.keywords:
        if keyword.arg is None and isinstance(keyword.value, ast.Name):
            yield from _keys_of(keyword.value.id, context)
        elif keyword.arg == "defaults" and isinstance(keyword.value, ast.Dict):
            yield from _texts(keyword.value.keys)
    for argument in node.args:
        if isinstance(argument, ast.Compare) and isinstance(argument.left, ast.Attribute):
            yield argument.left.attr
        elif method.endswith("bulk_create"):
            for part in descendants(argument):
                if isinstance(part, ast.Call) and last_name(part.func)[:1].isupper():
                    yield from (name for name, _ in literal_keywords(part))


def _keys_of(name: str, context: FileContext) -> Iterator[str]:
    """The keys of the dict displays that the current function binds to a name."""
    function = context.function
    for part in descendants(function) if function is not None else ():
        bound = part.targets if isinstance(part, ast.Assign) and isinstance(part.value, ast.Dict) else ()
        if any(isinstance(target, ast.Name) and target.id == name for target in bound):
            yield from _texts(part.value.keys)  # type: ignore[attr-defined]


def _texts(nodes: list[ast.expr | None]) -> Iterator[str]:
    yield from (text for node in nodes if (text := string_of(node)) is not None)


def _report(
    node: ast.Call, method: str, model: str, names: list[str], orm: bool, context: FileContext, manager: str = ""
) -> None:
    fields = context.tenant_fields
    wanted = dict.fromkeys(name for name in names if name not in _NO_TENANT and tenant_field(name, fields))
    in_declaration = any(isinstance(scope, ast.ClassDef) and scope.name == "Meta" for scope in context.scopes)
    if not wanted or in_declaration or implements_isolation(context):
        return
    needs = [("method", method), *([("model", model)] if model else []), *([("manager", manager)] if manager else [])]
    needs += [("lookup", name) for name in wanted]
    needs += [("apart", apart)] if (apart := stands_apart(node, context)) else []
    if method not in WRITES:
        context.fact(_BY_HAND, model, manager)
    context.report(MANUAL, node, method, needs=tuple(needs), confidence="confirmed" if orm else "likely")


def _on_function(node: FunctionNode, context: FileContext) -> None:
    """Parameters of services: a service that takes the tenant passes it on by hand."""
    if not _names_tenant(context):
        return
    owner = context.class_scope
    in_service = context.role == "service" or (owner is not None and owner.name.endswith("Service"))
    if not in_service or implements_isolation(context):
        return
    arguments = node.args
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    taken = [argument for argument in every if argument.arg in context.tenant_fields]
    keeps = bool(taken) and owner is not None and keeps_credentials(owner)
    if keeps or any(_CREDENTIAL.search(argument.arg) for argument in every):
        return  # the tenant of a cloud or of a provider of identities, which a login there names
    for argument in taken:
        apart = takes_apart(node, argument)
        asks = () if apart else dict.fromkeys(models_asked(node, argument.arg, context))
        apart = apart or ("" if asks else uses_otherwise(node, argument.arg, context))
        needs = (
            ("method", node.name),
            ("parameter", argument.arg),
            *((("apart", apart),) if apart else ()),
            *((("typed", "1"),) if is_typed(argument) else ()),
            *(("asks", model) for model in asks),
        )
        context.report(MANUAL, argument, node.name, needs=needs, symbol=context.symbol_of(node.name))


def _on_serializer(node: ast.ClassDef, context: FileContext) -> None:
    """Fields of serializers that take the tenant from the request's body."""
    if not _names_tenant(context) or class_role(node) != "serializer":
        return
    model = model_of_class(node, context)
    about = (("method", node.name), *((("model", model),) if model else ()))
    for place, scope, names in fields_taken(node, context.tenant_fields):
        needs = (*about, *(("serializer", name) for name in names))
        context.report(MANUAL, place, scope, needs=needs, symbol=f"{node.name}.{scope}")


def _on_text(node: ast.Constant, context: FileContext) -> None:
    text = node.value
    if not isinstance(text, str) or not _SQL.search(text) or implements_isolation(context):
        return
    if isinstance(context.statement, ast.Expr) and context.statement.value is node:
        return
    found = _WHERE.search(text)
    names = dict.fromkeys(name.lower() for name in _CONDITION.findall(found[1])) if found else {}
    named = [name for name in names if name in context.tenant_fields]
    if named:
        tables = " ".join(dict.fromkeys(name.lower() for name in _TABLES.findall(text)))
        needs = (("method", "sql"), ("tables", tables), *(("sql", name) for name in named))
        context.report(MANUAL, node, "sql", needs=needs)


def _applies(project: Project) -> str | None:
    if project.options.isolated or tenancy_of(project).mode == "transparent":
        return None
    if tenancy_of(project).mode == "explicit":
        return f"queries are scoped by hand here: {tenancy_of(project).why}"
    return tenancy_of(project).why


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    fields = project.options.tenant_fields
    for kind, name in candidate.needs:
        if kind in {"method", "model", "manager", "apart", "tables", "asks", "typed"}:
            continue
        field = tenant_field(name, fields) if kind == "lookup" else (name if name in fields else None)
        if kind in {"lookup", "serializer"} and is_plain_column(name, needed(candidate, "model"), project):
            continue
        if field is not None and _is_of_another(kind, name, field, candidate, project):
            continue
        if field is not None and not _is_its_business(kind, field, candidate, report):
            covered = _covered(kind, field, candidate, project)
            if covered is False or (covered is None and not _is_asked(project)):
                return None
            tenancy = tenancy_of(project)
            message = (
                f"{what_is_named(kind, name, candidate)}: {what_scopes(kind, covered, candidate, tenancy, project)}"
            )
            return replace(candidate, message=message, evidence=tenancy.evidence[:3])
    return None


def _is_asked(project: Project) -> bool:
    """True where a person says that the filters are not wanted, or wants to see every place."""
    return project.options.isolated or tenancy_of(project).chosen


def _is_of_another(kind: str, name: str, field: str, candidate: Candidate, project: Project) -> bool:
    """True where what is named is no tenant, or not the one that the mechanism goes by."""
    if _is_other_level(field, project):
        return True
    if _is_asked(project) or kind == "sql":
        return False
    if _KIND_OF_TENANT.search(name):
        return True  # which kind of tenants, not which one
    return name.rpartition("__")[2] in _NO_RELATION or is_other_level(field, name, needed(candidate, "model"), project)


def _covered(kind: str, field: str, candidate: Candidate, project: Project) -> bool | None:
    """Whether a mechanism does what stands there by hand. False where what is there is all that isolates, None where
    that cannot be told."""
    if kind == "sql":
        if tenancy_of(project).evidence and goes_past_managers(project):
            return True  # said as what it is
        return covers_sql(needed(candidate, "tables"), project)
    model = needed(candidate, "model")
    if kind == "parameter":
        if needed(candidate, "apart") or (only_policies(project) and _is_filtered_beside(project)):
            return None
        asked = [value for key, value in candidate.needs if key == "asks"]
        return covers_taken(asked, field, bool(needed(candidate, "typed")), project)
    covered = covers(model, needed(candidate, "manager"), project)
    if covered is not False and needed(candidate, "method") in WRITES:
        covered = covers_written(model, field, needed(candidate, "method"), project)
    return None if covered and needed(candidate, "apart") else covered


def _is_filtered_beside(project: Project) -> bool:
    """True where many queries are filtered by hand on models that no policy is known to cover: what services take the
    tenant for is to filter by it, and policies are a second fence beneath."""
    known = project.memo.get(_BY_HAND)
    if known is None:
        filters = (fact for _, fact in project.facts(_BY_HAND) if not covers(fact.name, fact.detail, project))
        known = project.memo[_BY_HAND] = sum(fact.count for fact in filters) >= LEAST_QUERIES
    return bool(known)


def _is_other_level(field: str, project: Project) -> bool:
    """True where policies go by something else than a field: rows that are kept apart by organization are not by
    company."""
    if _is_asked(project) or not only_policies(project):
        return False
    said = " ".join(name for link in tenancy_of(project).evidence for name in _SETTING.findall(link.text.lower()))
    stem = field.removesuffix("_id")
    return _LEVELS.search(said) is not None and "tenant" not in said and stem not in said


def _is_its_business(kind: str, field: str, candidate: Candidate, report: FileReport) -> bool:
    """True for services that manage the tenants themselves: `CompanyService.rename(company)`."""
    stem = field.removesuffix("_id").replace("_", "")
    where = f"{candidate.symbol} {report.path.rpartition('/')[2]}".lower().replace("_", "")
    return kind == "parameter" and stem in where


manual_tenant_filter = Rule(
    name=MANUAL,
    gate="P0",
    severity="CRITICAL",
    skill=SKILL,
    sources=("BN-S1",),
    catches="Queries, writes, SQL, service parameters and serializer fields that name the tenant by hand, in a "
    "project where something keeps tenants apart by itself.",
    why="Two ways to scope drift apart: the query that forgets the filter looks like all the others, and a wrong value "
    "in one that has it reads or writes another tenant's rows where the mechanism would have refused.",
    fix="Check that the named mechanism covers this model, then leave the tenant to it. Where it does not cover the "
    "model, keep the filter and say so: # cockpit: ignore[manual-tenant-filter] reason",
    when="Where the tenancy is transparent: a tenancy package, a manager that reads the current tenant, a schema for "
    "each tenant, or row-level security; and with --isolated. Only for models that are known to be covered: by the "
    "manager that is asked, by TENANT_APPS, or by a policy that names their table. Not where a relation leads to "
    "something else than the tenant (a company of the tenant's), not in the declarations of models, managers, "
    "middleware, migrations, tests, commands and seeds, not in tasks that set no tenant, not where the mechanism is "
    "switched off, for a row of the tenant itself, and not in serializers of a sign-in or of what is only shown. A "
    "row that is written or looked for to be made names its tenant unless the model's save(), a signal or the manager "
    "puts it there. What a service takes is told where it is no name, is not asked what the tenant is like, may not be "
    "left out for all of them, and is what a model that is covered is asked by; beneath policies also where it is "
    "handed on; not where the service keeps a secret for a provider, whose tenants are others, and not where policies "
    "are all that is at work beside ten queries that are filtered by hand.",
    watches=(
        Watch(
            (ast.Call,),
            _on_call,
            (b".filter", b".exclude", b".get(", b"_or_404", b"or_create", b".create(", b".save(", b"_create(", b"Q("),
            is_judged_path,
            near=(b".filter", b".exclude", b"get(", b"_or_404", b"or_create", b"create(", b"save(", b"Q("),
        ),
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_function, (), _is_service_path),
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_function, (b"Service",), _is_other_path),
        Watch((ast.ClassDef,), _on_serializer, (b"Serializer",), is_judged_path),
        Watch((ast.Constant,), _on_text, (b"WHERE", b"where "), is_judged_path, near=(b"WHERE", b"where", b"Where")),
    ),
    bad=Apart("tenancy.tenant_examples.MANUAL_BAD"),
    good=Apart("tenancy.tenant_examples.MANUAL_GOOD"),
    applies=_applies,
    holds=_holds,
)

RULES: tuple[Rule, ...] = (manual_tenant_filter,)
