"""How a project keeps its tenants apart, and the rules about that."""
