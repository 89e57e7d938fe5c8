"""Which routers, apps and classes of endpoints ask who calls as a whole, as the facts of all files say."""

import re
from collections.abc import Sequence

from skills.gates.engine.patterns import lazy
from skills.gates.project import Place, Project

_GUARDED = "fastapi: guarded routers"
# What a middleware refuses besides strangers.
OTHER_REFUSALS = lazy(r"host|rate|limit|csrf|cors|size|body|log|cache|maintenance", re.I)
_ENTRIES = frozenset(
    {"core", "main", "server", "api", "app", "web", "http", "config", "src", "asgi", "bootstrap", "setup"}
)


def asking_apps(project: Project) -> list[Place]:
    """Where apps ask who calls as a whole; the detail is the app, where it has a name."""
    return project.named("guarded-router", "*") + [
        (path, fact)
        for path, fact in project.facts("adds-middleware")
        if any(asked.detail for _, asked in project.named("asks-caller", fact.name))
        and not OTHER_REFUSALS.search(fact.name)
    ]


def of_same_app(known: Sequence[Place], path: str, project: Project) -> list[Place]:
    """The places that belong to the app nearest to a file, where the repository holds several; else all of them."""
    apps = [app for app, _ in project.facts("makes-app") if covers(app, path)]
    nearest = max(apps, key=lambda app: len(_folder_of(app)), default="")
    return [place for place in known if not nearest or covers(nearest, place[0])]


def covers(app: str, path: str) -> bool:
    """True where a file belongs to the app that another file makes: it lies below the folder of that file, or beside
    that folder where its name says that it only holds the entry (`shop/core/main.py`)."""
    return f"{path}/".startswith(f"{_folder_of(app)}/".lstrip("/"))


def _folder_of(app: str) -> str:
    folder = app.rpartition("/")[0]
    outer, _, last = folder.rpartition("/")
    return outer if last in _ENTRIES else folder


def guarded_routers(project: Project) -> frozenset[str]:
    """Every router that is guarded itself or included in one that is."""
    found: frozenset[str] | None = project.memo.get(_GUARDED)  # type: ignore[assignment]
    if found is None:
        guarded = {fact.name for _, fact in project.facts("guarded-router") if "." in fact.name}
        guarded |= {fact.detail for _, fact in asking_apps(project) if fact.detail}
        guarded |= {
            fact.name
            for _, fact in project.facts("router-depends")
            if any(project.has("asks-caller", word) for word in fact.detail.split())
        }
        edges = {(fact.detail, fact.name) for _, fact in project.facts("includes-router")}
        before = -1
        while before != len(guarded):
            before = len(guarded)
            guarded |= {child for parent, child in edges if ends_guarded(parent, frozenset(guarded))}
        found = project.memo[_GUARDED] = frozenset(guarded)
    return found


def ends_guarded(key: str, guarded: frozenset[str]) -> bool:
    """True for a guarded router; a folder that holds the sources may stand before the name of its package."""
    parts = key.split(".")
    return any(".".join(parts[start:]) in guarded for start in range(len(parts) - 1))


def class_asks(name: str, project: Project) -> bool:
    queue, seen = [name] if name else [], set[str]()
    while queue:
        current = queue.pop()
        if current in seen:
            continue
        seen.add(current)
        for _, fact in project.named("controller", current):
            asks, _, bases = fact.detail.partition("|")
            if asks:
                return True
            queue.extend(bases.split())
    return False
