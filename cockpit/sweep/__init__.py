"""The security sweep: secrets, history, dependencies, env files, permissions and static analysis."""
