"""How ready a repository is for a rollback: its tags, its migrations, its health endpoint."""

from cockpit.config import Config
from cockpit.files import read_regular
from cockpit.findings.discovery import discover
from cockpit.git_command import GitFailed, git
from cockpit.repository import Repository
from skills.workflow.rollback import ReadinessItem, readiness

_LARGEST = 1_000_000
_MAY_HOLD_HEALTH = ("urls.py", "views.py", "main.py", "app.py", "api.py", "routes.py", "health.py")


def read_readiness(repository: Repository, config: Config) -> list[ReadinessItem]:
    """The readiness list of what is checked out."""
    try:
        tags = git(repository.root, "tag", "--list").split()
    except GitFailed:
        tags = []
    names = discover(repository.root, config.checks.exclude).files
    migrations = {name: _text(repository, name) for name in names if "/migrations/" in f"/{name}"}
    sources = [_text(repository, name) for name in names if name.rpartition("/")[2] in _MAY_HOLD_HEALTH]
    return readiness(tags, migrations, sources)


def _text(repository: Repository, name: str) -> str:
    try:
        return read_regular(repository.root / name, _LARGEST).decode("utf-8", "replace")
    except OSError:
        return ""
