"""What a prompt may name in a project: files, classes, functions and packages; nothing is run."""

import json
import re
from pathlib import Path

from cockpit import paths
from cockpit.files import read_regular
from cockpit.findings.discovery import Scope, discover
from cockpit.findings.manifests import read_manifests
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from skills.orchestrator.enhance import ProjectFacts
from skills.orchestrator.score import Vocabulary

MOST_FILES = 4000
MOST_BYTES = 24 << 20
LARGEST = 256 << 10
_DEFINED = re.compile(rb"^[ \t]*(?:class|def|async def)[ \t]+([A-Za-z_]\w*)", re.MULTILINE)
_CLASS = re.compile(rb"^class[ \t]+([A-Za-z_]\w*)", re.MULTILINE)
_MODELS = re.compile(r"(?:^|/)models(?:\.py|/[^/]+\.py)$")
_APP_FILES = frozenset(("apps.py", "models.py", "views.py", "urls.py", "routers.py", "services.py"))
_KNOWN = ("django", "djangorestframework", "fastapi", "flask", "celery", "sqlalchemy", "pydantic", "torch", "pytest")
_LARGEST_SETTINGS = 8 << 20


def read_project(repository: Repository) -> ProjectFacts:
    """The vocabulary, stack, test command and MCP servers of a repository. Raises nothing on what files hold."""
    scope = discover(repository.root)
    dependencies = read_manifests(repository.root, scope.manifests).evidence.dependencies
    vocabulary = _vocabulary(repository.root, scope, frozenset(dependencies))
    stack = tuple(name for name in _KNOWN if name in dependencies)
    command = ""
    if "pytest" in dependencies or any(name.endswith("conftest.py") for name in scope.files):
        command = "pytest"
    elif "manage.py" in scope.files:
        command = "python manage.py test"
    return ProjectFacts(vocabulary, stack, command, configured_servers(repository.root))


def _vocabulary(root: Path, scope: Scope, packages: frozenset[str]) -> Vocabulary:
    names: set[str] = set(scope.manifests)
    terms: set[str] = set(packages)
    left = MOST_BYTES
    for count, (name, mark) in enumerate(scope.files.items()):
        folder, _, last = name.rpartition("/")
        names.update((name, last, name.removesuffix(".py").replace("/", ".")))
        if folder:
            names.update((folder, folder + "/"))
        if last in _APP_FILES and folder:
            terms.add(folder.rpartition("/")[2])
        if count < MOST_FILES and mark.size <= LARGEST and left > 0:
            left -= mark.size
            source = _bytes(root / name)
            names.update(found.decode() for found in _DEFINED.findall(source))
            if _MODELS.search(name):
                terms.update(found.decode() for found in _CLASS.findall(source))
    return Vocabulary(frozenset(names), frozenset(terms), packages)


def _bytes(path: Path) -> bytes:
    try:
        return read_regular(path)
    except OSError:
        return b""


def configured_servers(root: Path) -> frozenset[str]:
    """Names of the MCP servers that Claude Code knows here: the project's own and the person's."""
    found: set[str] = set()
    for path in (root / ".mcp.json", *(folder / ".claude.json" for folder in _homes())):
        document = _document(path)
        projects = document.get("projects")
        own = projects.get(str(root)) if isinstance(projects, dict) else None
        for holder in (document, own):
            servers = holder.get("mcpServers") if isinstance(holder, dict) else None
            if isinstance(servers, dict):
                found.update(plain_text(name, 80) for name in servers)
    return frozenset(found)


def _homes() -> list[Path]:
    return [Path.home(), *paths.claude_roots()]


def _document(path: Path) -> dict[str, object]:
    try:
        value = json.loads(read_regular(path, _LARGEST_SETTINGS))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
