"""What is at work in a project that keeps its tenants apart by itself, with the evidence for it."""

from collections.abc import Iterator

from skills.gates.model import Evidence
from skills.gates.project import Project

_SCHEMAS = frozenset({"django-tenants", "django-tenant-schemas"})
_PACKAGES = ("django-tenants", "django-tenant-schemas", "django-multitenant", "django-scopes")
TENANTS_THEMSELVES = frozenset({"DomainMixin", "TenantMixin"})
MULTITENANT_BASES = frozenset({"TenantModel", "TenantModelMixin"})
SCOPED_MANAGER = "ScopedManager"
_SETS_CURRENT = "sets the current tenant"
POLICIES = "row-level security"
MANAGER = "manager "
DEPENDS = "the project depends on "
"""How the evidence for policies, for a manager and for an installed package begins."""


def dependencies(project: Project) -> Iterator[Evidence]:
    """The tenancy packages that the project depends on. That one is installed does not say that it does the work."""
    for package in _PACKAGES:
        if package in project.dependencies:
            path, _, line = project.dependencies[package].partition(":")
            yield Evidence(path, int(line) if line.isdigit() else 1, f"{DEPENDS}{package}")


def mechanisms(project: Project) -> tuple[Evidence, ...]:
    """One line of evidence for each thing that keeps tenants apart by itself; none where nothing is at work."""
    found = tuple(_at_work(project))
    return (*dependencies(project), *found) if found else ()


def _at_work(project: Project) -> Iterator[Evidence]:
    named = project.facts("tenant-settings")
    for path, fact in sorted(named, key=lambda one: "settings" not in one[0] and "config" not in one[0]):
        yield Evidence(path, fact.line, f"settings name {fact.name}")
    yield from _used_packages(project)
    for path, fact in project.facts("tenant-manager"):
        if "=" in fact.detail and fact.name not in _with_those_beneath(project):
            continue  # only its shape says that it scopes
        yield Evidence(path, fact.line, f"{MANAGER}{fact.name} filters by {fact.detail}")
    for path, fact in project.facts("tenant-rls"):
        yield Evidence(path, fact.line, f"{POLICIES}: {fact.detail}")
    for path, fact in project.facts("tenant-middleware"):
        if _sets_schema(fact.detail):
            yield Evidence(path, fact.line, f"middleware {fact.name} sets the schema ({fact.detail})")
        elif project.facts("tenant-manager"):
            yield Evidence(path, fact.line, f"middleware {fact.name} {_SETS_CURRENT} ({fact.detail})")


def _with_those_beneath(project: Project) -> frozenset[str]:
    """The classes of managers that models declare, with what these are built on and go on from."""
    names = {name for classes in declared_managers(project).values() for name in classes}
    built = {fact.name: fact.detail.split() for _, fact in project.facts("manager-class")} if names else {}
    left = list(names)
    while left:
        more = set(built.get(left.pop(), ())) - names
        names |= more
        left += more
    return frozenset(names)


def _used_packages(project: Project) -> Iterator[Evidence]:
    """The first class that is built on what a tenancy package gives."""
    if not any(package in project.dependencies for package in _PACKAGES):
        return
    for path, fact in project.facts("model"):
        for base in fact.detail.split():
            if base in TENANTS_THEMSELVES or base in MULTITENANT_BASES:
                yield Evidence(path, fact.line, f"{fact.name} is built on {base}")
                return
    for path, fact in project.facts("manager"):
        if SCOPED_MANAGER in fact.detail.split():
            yield Evidence(path, fact.line, f"{fact.name} is a {SCOPED_MANAGER}")
            return


def only_policies(project: Project) -> bool:
    """True where row-level security is all that is at work: beneath filters by hand it is a second fence, which a
    role that owns the tables does not meet."""
    return all(link.text.startswith(POLICIES) for link in _at_work(project))


def no_model_has(project: Project) -> str:
    """The manager that is all that is at work, where no model declares it: filters by hand do its work. "" else."""
    links, declared = list(_at_work(project)), _with_those_beneath(project)
    unused = declared.isdisjoint(fact.name for _, fact in project.facts("tenant-manager"))
    if links and unused and all(link.text.startswith(MANAGER) or _SETS_CURRENT in link.text for link in links):
        return links[0].text
    return ""


def _sets_schema(how: str) -> bool:
    return how == "search_path" or "schema" in how.lower()


def goes_past_managers(project: Project) -> bool:
    """True where SQL by hand is scoped by nothing but its own words: managers are all that keeps tenants apart."""
    return not (
        project.facts("tenant-rls")
        or project.facts("tenant-settings")
        or any(_sets_schema(fact.detail) for _, fact in project.facts("tenant-middleware"))
    )


def declared_managers(project: Project) -> dict[str, list[str]]:
    """Class → the classes of the managers that it declares."""
    known = project.memo.get("declared-managers")
    if known is None:
        found: dict[str, list[str]] = {}
        for _, fact in project.facts("manager"):
            found.setdefault(fact.name.partition(".")[0], []).extend(fact.detail.split())
        known = project.memo["declared-managers"] = found
    assert isinstance(known, dict)
    return known


def keeps_schemas(project: Project) -> bool:
    """True where each tenant has a schema of its own, and no manager has to be asked."""
    by_package = not project.dependencies.keys().isdisjoint(_SCHEMAS) or bool(project.facts("tenant-own-app"))
    by_middleware = any(_sets_schema(fact.detail) for _, fact in project.facts("tenant-middleware"))
    return (by_package or by_middleware) and not project.facts("tenant-manager")
