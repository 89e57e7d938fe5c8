"""How a project keeps its tenants apart: by itself (transparent), by hand in every query (explicit), or not
at all."""

from skills.gates.model import Tenancy
from skills.gates.project import Project


def decide(project: Project) -> Tenancy:
    """The mode with what says so. A mode that a person chose wins over any evidence."""
    chosen = project.options.tenancy
    if chosen in ("transparent", "explicit", "off"):
        return Tenancy(chosen, True, "chosen in the configuration")  # type: ignore[arg-type]
    return Tenancy("off", False, "nothing in the project keeps tenants apart")
