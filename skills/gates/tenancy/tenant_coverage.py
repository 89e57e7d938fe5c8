"""Which models a project's mechanism covers, and what a finding says of it where a tenant is named by hand."""

from skills.gates.analysis.queries import OR_CREATE
from skills.gates.engine.names import module_name
from skills.gates.engine.patterns import lazy
from skills.gates.model import Candidate, Evidence, Tenancy
from skills.gates.project import Project
from skills.gates.tenancy.mechanisms import (
    DEPENDS,
    MANAGER,
    MULTITENANT_BASES,
    POLICIES,
    SCOPED_MANAGER,
    TENANTS_THEMSELVES,
    declared_managers,
    goes_past_managers,
    keeps_schemas,
    only_policies,
)

_LEVELS = lazy(r"organi[sz]ation|workspace|account|team|school|branch|shop|store|clinic|hospital")
_KEYS = ("UUIDField", "IntegerField")
ANY_MODEL = "*"
"""The name of what fills in the tenant of every model: a signal."""
WRITES = OR_CREATE | {"save", "asave", "create", "acreate", "bulk_create", "abulk_create"}
"""Methods that put the tenant into a row, where a manager scopes only what is read."""


def covers(model: str, manager: str, project: Project) -> bool | None:
    """Whether the mechanism scopes what a manager of a model ("" for its default one) reads.

    False where it is known not to: there a filter by hand is all that the model has. None where that cannot be told.
    """
    models = project.models
    if model not in models.places:
        return None
    if not TENANTS_THEMSELVES.isdisjoint(models.ancestors(model)):
        return False
    path = models.places[model][0]
    if _table(model, path, project) in _tables_with_policies(project):
        return True
    by_schema = _in_own_schema(path, project)
    if by_schema is not None:
        return by_schema
    if _is_multitenant(model, manager, project):
        return True
    scoped = _scoped_managers(project)
    if not scoped:
        return None
    return manager != "_base_manager" and _asks_scoped(model, manager, scoped, project)


def covers_taken(asked: list[str], field: str, is_typed: bool, project: Project) -> bool | None:
    """Whether the mechanism does what a service asks or writes ("Model.manager.method") by the tenant that it takes.
    Where none of it is covered that tenant is all it has. So it may be where it asks nothing itself, but for policies,
    which are beneath whatever it hands the tenant to, and for one that is typed as the tenant."""
    known = []
    for model, manager, method in (one.split(".") for one in asked):
        covered = covers(model, manager, project) and not _is_unknown_to(model, field, project)
        known.append(covered and (method not in WRITES or bool(what_fills(model, method, project))))
    if not known and (only_policies(project) or (is_typed and not keeps_schemas(project))):
        return True
    return True if True in known else None


def covers_written(model: str, field: str, method: str, project: Project) -> bool | None:
    """Whether a row that is written with its tenant would be given it anyway. A manager, a schema or a policy that
    scopes what is read fills in nothing. The row of a serializer is of one of the models that have the field."""
    if model and model not in project.models.places:
        return None
    written = [model] if model else _written(field, project)
    return True if written and all(what_fills(one, method, project) for one in written) else None


def _written(field: str, project: Project) -> list[str]:
    return [model for model in _with_relation(field, project) if covers(model, "", project)]


def what_fills(model: str, method: str, project: Project) -> str:
    """What puts the tenant into new rows of a model, "" where nothing is known to: its save(), a signal or its manager.
    Rows that are made in bulk meet none but the manager."""
    filling = {fact.name: fact.detail for _, fact in project.facts("fills-tenant")}
    if not filling:
        return ""
    ancestors = list(project.models.ancestors(model))
    managers = [word for name in ancestors for word in declared_managers(project).get(name, ())]
    for name in managers if "bulk" in method else [*ancestors, *managers, ANY_MODEL]:
        if name in filling:
            return filling[name] if name == ANY_MODEL else f"{name}.{filling[name]}()"
    return ""


def is_other_level(field: str, lookup: str, model: str, project: Project) -> bool:
    """True for a relation that does not lead to the tenant: to one of the companies that a tenant deals with, where
    tenants are rows of another model, or where the mechanism goes by another relation of the same model. Without a
    model that is known it is asked of those of the project that have the relation."""
    if lookup.partition("__")[0] == field and _is_unknown_to(model, field, project):
        return True
    for part in lookup.split("__"):
        if part == field and project.models.field(model, field) is not None:
            return _leads_elsewhere(field, model, project)
        declared = project.models.field(model, part)
        model = declared[1].detail.partition(" ")[2].partition(" ")[0] if declared is not None else ""
    having = _with_relation(field, project)  # the row that is saved is of another model
    return bool(having) and all(_leads_elsewhere(field, one, project) for one in having)


def _leads_elsewhere(field: str, model: str, project: Project) -> bool:
    declared = project.models.field(model, field) or project.models.field(model, field.removesuffix("_id"))
    if declared is None:
        return False
    target = declared[1].detail.partition(" ")[2].partition(" ")[0]
    themselves = _tenants(project)
    if themselves and target in project.models.places:
        return target not in themselves
    stem = field.removesuffix("_id")
    said = _said_by_managers(project)
    others = {name.removesuffix("_id") for name in project.options.tenant_fields} - {stem}
    if stem in said:
        return False
    if any(project.models.field(model, level) is not None for level in _LEVELS.findall(said)):
        return True
    return any(other in said and project.models.field(model, other) is not None for other in others)


def _is_unknown_to(model: str, field: str, project: Project) -> bool:
    """True for a model that has no such field, where every class that it is built on is known."""
    models = project.models
    if model not in models.places or not all(one in models.places or one == "Model" for one in models.ancestors(model)):
        return False
    stem = field.removesuffix("_id")
    return models.field(model, stem) is None and models.field(model, f"{stem}_id") is None


def _with_relation(field: str, project: Project) -> list[str]:
    known = project.memo.setdefault("tenant-relations", {})
    assert isinstance(known, dict)
    stem = field.removesuffix("_id")
    if stem not in known:
        known[stem] = list(project.models.with_field((stem, f"{stem}_id")))
    found: list[str] = known[stem]
    return found


def _tenants(project: Project) -> frozenset[str]:
    """The models whose rows are the tenants, each with a schema of its own."""
    known = project.memo.get("tenants-themselves")
    if known is None:
        models = project.models
        known = project.memo["tenants-themselves"] = frozenset(
            model for model in models.places if "TenantMixin" in models.ancestors(model)
        )
    assert isinstance(known, frozenset)
    return known


def _said_by_managers(project: Project) -> str:
    return " ".join(fact.detail.lower() for _, fact in project.facts("tenant-manager"))


def is_plain_column(lookup: str, model: str, project: Project) -> bool:
    """True for `Company.objects.filter(company="…")`, where the project says that the column is no relation, nor the
    key of one: `tenant_id = models.UUIDField()`."""
    name = lookup.partition("__")[0]
    declared = project.models.fields(model).get(name) if model in project.models.places else None
    if declared is None or declared[1].detail.startswith(("ForeignKey", "OneToOne", "ManyToMany")):
        return False
    return not (name.endswith("_id") and declared[1].detail.endswith(_KEYS))


def covers_sql(text: str, project: Project) -> bool | None:
    """Whether the mechanism scopes a table that SQL names. SQL goes past every manager."""
    words = set(text.split())
    return True if not words.isdisjoint(_tables_with_policies(project)) else None


def _in_own_schema(path: str, project: Project) -> bool | None:
    """Whether the tables of a file of models lie in the schema of one tenant, as the lists of apps of django-tenants
    say it; None without such lists, or where an app is in both."""
    module = f".{module_name(path)}."
    shared = any(f".{fact.name}." in module for _, fact in project.facts("tenant-shared-app"))
    own = any(f".{fact.name}." in module for _, fact in project.facts("tenant-own-app"))
    if shared:
        return False
    if own:
        return True
    # Lists that an app is not in are of another project, or not written out: nothing is known of it.
    return None


def _table(model: str, path: str, project: Project) -> str:
    """The table of a model: what it says itself, else the name that Django gives it."""
    for ancestor in project.models.ancestors(model):
        for _, fact in project.named("table", ancestor):
            return fact.detail.lower()
    folders = module_name(path.replace("/model.py", "/models.py")).split(".")
    app = folders[folders.index("models") - 1] if "models" in folders else folders[-1]
    return f"{app}_{model}".lower()


def _tables_with_policies(project: Project) -> frozenset[str]:
    known = project.memo.get("tables-with-policies")
    if known is None:
        names = (name for _, fact in project.facts("tenant-rls-tables") for name in fact.name.lower().split())
        known = project.memo["tables-with-policies"] = frozenset(names)
    assert isinstance(known, frozenset)
    return known


def _is_multitenant(model: str, manager: str, project: Project) -> bool:
    """True for a model of django-multitenant that is asked by the manager it gets there."""
    if "django-multitenant" not in project.dependencies or manager not in {"", "objects"}:
        return False
    return not MULTITENANT_BASES.isdisjoint(project.models.ancestors(model))


def _scoped_managers(project: Project) -> frozenset[str]:
    """Classes of managers that read the current tenant, and those that are built on one of them."""
    names = {fact.name for _, fact in project.facts("tenant-manager")}
    if "django-scopes" in project.dependencies:
        names.add(SCOPED_MANAGER)
    left = [fact for _, fact in project.facts("manager-class")] if names else []
    while more := {fact.name for fact in left if fact.name not in names and not names.isdisjoint(fact.detail.split())}:
        names |= more
    return frozenset(names)


def _asks_scoped(model: str, manager: str, scoped: frozenset[str], project: Project) -> bool:
    """True where the manager that is asked is one of those; the default one is the first that the nearest class
    declares."""
    for ancestor in project.models.ancestors(model):
        declared = [fact for _, fact in project.facts("manager") if fact.name.partition(".")[0] == ancestor]
        if manager not in {"", "_default_manager"}:
            declared = [fact for fact in declared if fact.name.partition(".")[2] == manager]
        if declared:
            first = min(declared, key=lambda fact: fact.line)
            return not scoped.isdisjoint(first.detail.split())
    return False


def what_is_named(kind: str, name: str, candidate: Candidate) -> str:
    """How a finding calls what names the tenant by hand."""
    method = needed(candidate, "method")
    if kind == "parameter":
        return f"`{method}()` takes `{name}`"
    if kind == "serializer":
        return f"`{name}` is taken from the request by {method}"
    if kind == "sql":
        return f"SQL with `{name} =` in its WHERE"
    return f"`{method}({name}=…)`"


def what_scopes(kind: str, covered: bool | None, candidate: Candidate, tenancy: Tenancy, project: Project) -> str:
    """What keeps tenants apart where one is named by hand, and what follows of that."""
    if not tenancy.evidence:
        if tenancy.chosen:
            return "tenancy is configured as transparent, but no mechanism was found: name it before this goes"
        return "scoped by hand; keep it unless a manager, a schema or row-level security scopes this model"
    by_manager = goes_past_managers(project)
    about = needed(candidate, "model") or needed(candidate, "asks").partition(".")[0]
    first = _of_model(about, tenancy.evidence, project)
    place = f"{first.text} ({first.path}:{first.line})"
    if kind == "sql" and by_manager:
        return f"{place}, but SQL goes past it, so these words alone isolate: keep them until a manager is asked"
    if covered is None:
        return f"{place}, but whether it covers this cannot be told: keep it unless it does"
    if kind == "parameter":
        return f"{place}, so the tenant is known here without it"
    if kind == "serializer":
        return f"{place}, so a client can name another tenant here than the one in force"
    method = needed(candidate, "method")
    if method in WRITES:
        model = needed(candidate, "model") or _written(needed(candidate, "lookup").rpartition("__")[2], project)[0]
        return f"{place}, and {what_fills(model, method, project)} fills it in, so this is said twice"
    return f"{place}, so this is scoped twice"


def _of_model(model: str, evidence: tuple[Evidence, ...], project: Project) -> Evidence:
    """The line of evidence that a model is covered by: the policy of its table, else what is at work first. That a
    package is installed says least."""
    place = project.models.places.get(model)
    table = _table(model, place[0], project) if place is not None else ""
    for path, fact in project.facts("tenant-rls-tables") if table else ():
        if table in fact.name.lower().split():
            policies = (link for link in evidence if link.path == path and link.text.startswith(POLICIES))
            return next(policies, Evidence(path, max(1, fact.line), f"{POLICIES} of {table}"))
    own = [name for one in project.models.ancestors(model) for name in declared_managers(project).get(one, ())]
    asked = (link for name in own for link in evidence if link.text.startswith(f"{MANAGER}{name} "))
    return next(asked, next((link for link in evidence if not link.text.startswith(DEPENDS)), evidence[0]))


def needed(candidate: Candidate, kind: str) -> str:
    """The value of one need of a candidate, "" where it has none of that kind."""
    return next((value for key, value in candidate.needs if key == kind), "")
