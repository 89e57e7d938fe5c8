"""How a project keeps its tenants apart: by itself (transparent), by hand in every query (explicit), or not
at all."""

from collections import Counter
from collections.abc import Iterable

from skills.gates.engine.patterns import lazy
from skills.gates.model import TENANT_FIELD, Tenancy, TenancyMode
from skills.gates.project import Place, Project
from skills.gates.tenancy.mechanisms import dependencies, goes_past_managers, mechanisms, no_model_has, only_policies
from skills.gates.tenancy.unscoped_checks import narrows, random_columns

UNSCOPED = "unscoped-tenant-query"
READ = "model-read"
"""A fact: a query on a model (detail: the names in and around it|the keywords that narrow it)."""
PUBLISHED = "model-published"
"""A fact: a model whose rows a view lists to everybody."""
_MODES: dict[str, TenancyMode] = {"transparent": "transparent", "explicit": "explicit", "off": "off"}
_LOOKUPS = frozenset({"in", "id", "pk", "exact"})
LEAST_QUERIES = 10
_LEAST_SHARE = 0.8
_LEAST_MODELS = 3
_LEAST_SCOPED = 2
_MAY_BE_TENANT = lazy(
    r"(?:\w+_)?(?:tenant|company|org|organi[sz]ation|workspace|team|account|realm|entity|entity_model|domain|business)(?:_id)?"
)
_OF_PEOPLE = frozenset({"first_name", "last_name", "full_name", "date_of_birth"})
_OF_A_PERSON = lazy(r"User$|^User|Profile$|^Employee$|^Member$")
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

    Transparent needs a mechanism at work: settings or models of a tenancy package, a manager that reads the current
    tenant, a middleware that sets the schema, or row-level security. Explicit needs at least 10 queries on tenant
    models, 80 % of them scoped by hand, and nothing beneath them but row-level security or a manager that no model
    has. A tenancy package that is only installed counts where no query on a tenant model contradicts it.
    """
    evidence = mechanisms(project)
    installed = tuple(dependencies(project))
    chosen = project.options.tenancy
    if chosen in _MODES:
        return Tenancy(_MODES[chosen], True, "chosen in the configuration", evidence)
    unused_manager = no_model_has(project) if evidence else ""
    if evidence and not ((only_policies(project) or unused_manager) and _is_by_hand(project)):
        names = _other_names(project) if goes_past_managers(project) or project.facts("tenant-rls") else ""
        return Tenancy("transparent", False, evidence[0].text + names, evidence)
    scoped, queries, models = count_scoped(project)
    why = f"{scoped} of {queries} queries on {models} tenant models are scoped by hand"
    unused = f"{installed[0].text}, but nothing uses it, and " if installed and not evidence else ""
    unused = f"{unused_manager}, but no model has it, and " if unused_manager else unused
    if _is_by_hand(project):
        beneath = ", with row-level security beneath" if evidence and not unused_manager else ""
        return Tenancy("explicit", False, unused + why + beneath, evidence)
    if installed and not queries:
        return Tenancy("transparent", False, installed[0].text, installed)
    if queries:
        why = f"no mechanism keeps tenants apart, and only {why}"
    else:
        why = "no mechanism keeps tenants apart, and no query of Django's reads a tenant model"
    return Tenancy("off", False, unused + why + _other_names(project))


def _is_by_hand(project: Project) -> bool:
    scoped, queries, _ = count_scoped(project)
    return queries >= LEAST_QUERIES and scoped >= _LEAST_SHARE * queries


def _other_names(project: Project) -> str:
    """What models call their relation to what may be a tenant, where none has a field that the options name."""
    if tenant_models(project):
        return ""
    found: Counter[str] = Counter()
    for _, fact in project.facts("relation"):
        kind, name = fact.detail.partition(" ")[0], fact.name.partition(".")[2]
        if kind in {"ForeignKey", "OneToOneField"} and _MAY_BE_TENANT.fullmatch(name):
            found[name] += 1
    if not found:
        return ""
    name, count = min(found.items(), key=lambda item: (-item[1], item[0]))
    if count < _LEAST_MODELS:
        return ""
    named = (
        f'[tenancy] fields = ["{name}", "{name}_id"]' if not name.endswith("_id") else f'[tenancy] fields = ["{name}"]'
    )
    return f"; {count} models belong to one `{name}`: if that is the tenant, say {named}"


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
    if not project.facts(TENANT_FIELD):
        return {}  # as in most projects, and a large one has thousands of fields
    models = project.models
    found = {}
    for model, (path, fact) in models.with_field(project.options.tenant_fields).items():
        kind, _, rest = fact.detail.partition(" ")
        target = rest.partition(" ")[0]
        if target == "User" or not _OF_PEOPLE.isdisjoint(models.fields(target)):
            continue  # who rents a flat, whom no request acts for
        relation = kind.endswith(("ForeignKey", "OneToOneField")) and target != model
        if (relation or fact.name.endswith("_id")) and not models.ambiguous(model):
            found[model] = (path, fact)
    return found


def count_scoped(project: Project) -> tuple[int, int, int]:
    """(queries on tenant models scoped by hand, queries on tenant models, tenant models queried)."""
    each = _scoped_of_each(project)
    return sum(scoped for scoped, _ in each.values()), sum(total for _, total in each.values()), len(each)


def _scoped_of_each(project: Project) -> dict[str, tuple[int, int]]:
    """Tenant model → (its queries that are scoped by hand, its queries)."""
    known = project.memo.get("scoped-of-each")
    if known is None:
        models = tenant_models(project)
        found: dict[str, tuple[int, int]] = {}
        for _, fact in project.facts(READ) if models else ():
            if fact.name in models:
                names, _, keywords = fact.detail.partition("|")
                own = fact.count * is_scoped(fact.name, names.split(), keywords.split(), project)
                scoped, total = found.get(fact.name, (0, 0))
                found[fact.name] = scoped + own, total + fact.count
        known = project.memo["scoped-of-each"] = found
    assert isinstance(known, dict)
    return known


def is_shared(model: str, project: Project, *, shows_all: bool) -> bool:
    """True for a model most of whose other queries are not scoped either, where its rows may belong to no tenant, or
    where all of them are shown: templates, events that are sold to all. People of no tenant run the service."""
    nullable = {fact.detail for _, fact in project.facts(TENANT_FIELD)}
    scoped, total = _scoped_of_each(project).get(model, (0, 0))
    if not _OF_A_PERSON.search(model) and not nullable.isdisjoint(project.models.ancestors(model)):
        return scoped < max(_LEAST_SCOPED, _LEAST_SHARE * (total - 1))
    return shows_all and scoped < _LEAST_SHARE * (total - 1)


def published_models(project: Project) -> frozenset[str]:
    """The tenant models whose rows a view shows to everybody: what a customer of all tenants chooses from."""
    known = project.memo.get("published-models")
    if known is None:
        known = project.memo["published-models"] = frozenset(fact.name for _, fact in project.facts(PUBLISHED))
    assert isinstance(known, frozenset)
    return known


def is_scoped(model: str, names: list[str], keywords: list[str], project: Project) -> bool:
    """True where a query names the tenant, someone narrower (a user), or an object that already belongs to a
    tenant."""
    if "*" in keywords or any(_column(keyword) in _NARROWER for keyword in keywords):
        return True
    stems = {field.removesuffix("_id") for field in project.options.tenant_fields}
    if any(stem in name.lower() for name in (*names, *keywords) for stem in stems):
        return True
    if any("permission" in name.lower() and model.lower() in name.lower() for name in names):
        return True  # `NestedProjectPermissions` asks for the project of the address
    if narrows(names, project):
        return True
    if any(f"{model}.{keyword}" in random_columns(project) for keyword in keywords):
        return True
    return any(_leads_to_row(keyword, model, project) for keyword in keywords)


def _column(keyword: str) -> str:
    """What a lookup compares in the end: "participant__user__in" → "user"."""
    parts = [part for part in keyword.split("__") if part not in _LOOKUPS]
    return parts[-1] if parts else ""


def _leads_to_row(keyword: str, model: str, project: Project) -> bool:
    """True for a lookup that ends in a relation, `stage__pipeline=…`: it is given an object in hand."""
    for number, part in enumerate(parts := keyword.split("__"), 1):
        declared = project.models.fields(model).get(part)
        if declared is None or not declared[1].detail.startswith(("ForeignKey", "OneToOne")):
            return False
        if number == len(parts):
            return True
        model = declared[1].detail.partition(" ")[2]
    return False
