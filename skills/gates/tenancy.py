"""How a project keeps its tenants apart: by itself (transparent), by hand in every query (explicit), or not
at all."""

from collections.abc import Iterable

from skills.gates.model import Candidate, Evidence, Tenancy, TenancyMode
from skills.gates.names import module_name
from skills.gates.project import Place, Project

UNSCOPED = "unscoped-tenant-query"
_PACKAGES = ("django-tenants", "django-tenant-schemas", "django-multitenant", "django-scopes")
_SCHEMA_PACKAGES = ("django-tenants", "django-tenant-schemas")
_MODES: dict[str, TenancyMode] = {"transparent": "transparent", "explicit": "explicit", "off": "off"}
_LEAST_QUERIES = 10
_LEAST_SHARE = 0.8
_NARROWER = frozenset({"user", "owner", "created_by", "author", "requester", "user_id", "owner_id"})


def tenancy_of(project: Project) -> Tenancy:
    """How a project keeps tenants apart; looked for once."""
    known = project.memo.get("tenancy")
    if known is None:
        known = project.memo["tenancy"] = _decide(project)
    assert isinstance(known, Tenancy)
    return known


def _decide(project: Project) -> Tenancy:
    """The mode with what says so. A mode that a person chose wins over any evidence.

    Transparent needs a mechanism: a tenancy package, a manager that reads the current tenant, a middleware
    that sets the schema, or row-level security. Explicit needs at least 10 queries on tenant models, 80 % of
    them scoped by hand.
    """
    evidence = tuple(mechanisms(project))
    chosen = project.options.tenancy
    if chosen in _MODES:
        return Tenancy(_MODES[chosen], True, "chosen in the configuration", evidence)
    if evidence:
        return Tenancy("transparent", False, evidence[0].text, evidence)
    scoped, queries, models = count_scoped(project)
    why = f"{scoped} of {queries} queries on {models} tenant models are scoped by hand"
    if queries >= _LEAST_QUERIES and scoped >= _LEAST_SHARE * queries:
        return Tenancy("explicit", False, why)
    if queries:
        why = f"no mechanism keeps tenants apart, and only {why}"
    else:
        why = "no mechanism keeps tenants apart, and no query reads a tenant model"
    return Tenancy("off", False, why)


def mechanisms(project: Project) -> Iterable[Evidence]:
    """One line of evidence for each thing that keeps tenants apart by itself."""
    for package in _PACKAGES:
        if package in project.dependencies:
            path, _, line = project.dependencies[package].partition(":")
            yield Evidence(path, int(line) if line.isdigit() else 1, f"the project depends on {package}")
    for path, fact in project.facts("tenant-settings"):
        yield Evidence(path, fact.line, f"settings name {fact.name}")
    for path, fact in project.facts("tenant-manager"):
        yield Evidence(path, fact.line, f"manager {fact.name} filters by {fact.detail}")
    for path, fact in project.facts("tenant-rls"):
        yield Evidence(path, fact.line, f"row-level security: {fact.detail}")
    for path, fact in project.facts("tenant-middleware"):
        if fact.detail == "search_path" or "schema" in fact.detail.lower():
            yield Evidence(path, fact.line, f"middleware {fact.name} sets the schema ({fact.detail})")
        elif project.facts("tenant-manager"):
            yield Evidence(path, fact.line, f"middleware {fact.name} sets the current tenant ({fact.detail})")


def isolates_every_model(project: Project) -> bool:
    """True where the mechanism covers all models (schemas, row-level security), not only those with a scoped
    manager."""
    if any(package in project.dependencies for package in _SCHEMA_PACKAGES) or project.facts("tenant-rls"):
        return True
    return bool(project.facts("tenant-settings")) or not project.facts("tenant-manager")


def is_shared(path: str, project: Project) -> bool:
    """True for the file of a model that lies in the schema that all tenants share (SHARED_APPS of django-tenants)."""
    module = f".{module_name(path)}."
    return any(f".{fact.name}." in module for _, fact in project.facts("tenant-shared-app"))


def tenant_field(name: str, fields: Iterable[str]) -> str | None:
    """The tenant field that a keyword or lookup names: "user__company__in" → "company"; None for all
    others."""
    parts = name.split("__")
    for field in fields:
        if field in parts:
            return field
    return None


def tenant_models(project: Project) -> dict[str, Place]:
    """Model → the declaration of its tenant relation. Classes that share a name with another kind of model
    are left out."""
    known = project.memo.get("tenant-models")
    if known is None:
        known = project.memo["tenant-models"] = _tenant_models(project)
    assert isinstance(known, dict)
    return known


def _tenant_models(project: Project) -> dict[str, Place]:
    models = project.models
    found = {}
    for model, (path, fact) in models.with_field(project.options.tenant_fields).items():
        kind, _, target = fact.detail.partition(" ")
        relation = kind.endswith(("ForeignKey", "OneToOneField")) and target != model
        if (relation or fact.name.endswith("_id")) and not models.ambiguous(model):
            found[model] = (path, fact)
    return found


def count_scoped(project: Project) -> tuple[int, int, int]:
    """(queries on tenant models scoped by hand, queries on tenant models, tenant models queried)."""
    models = tenant_models(project)
    if not models:
        return 0, 0, 0
    scoped = total = 0
    queried = set()
    for candidate in project.candidates(UNSCOPED):
        model = needed(candidate, "model")
        if model in models:
            total += 1
            queried.add(model)
            scoped += is_scoped(candidate, project)
    return scoped, total, len(queried)


def needed(candidate: Candidate, kind: str) -> str:
    """The value of one need of a candidate, "" where it has none of that kind."""
    return next((value for key, value in candidate.needs if key == kind), "")


def is_scoped(candidate: Candidate, project: Project) -> bool:
    """True where a query names the tenant, someone narrower (a user), or an object that already belongs to a
    tenant."""
    names = needed(candidate, "names").split()
    keywords = needed(candidate, "keywords").split()
    fields = project.options.tenant_fields
    if "*" in keywords or not _NARROWER.isdisjoint(keywords):
        return True
    stems = {field.removesuffix("_id") for field in fields}
    if any(stem in name.lower() for name in (*names, *keywords) for stem in stems):
        return True
    model = needed(candidate, "model")
    relations = project.models.fields(model)
    return any(
        keyword in relations and relations[keyword][1].detail.startswith(("ForeignKey", "OneToOne"))
        for keyword in keywords
    )
