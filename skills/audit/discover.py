"""Which technologies a project uses, and how its database is configured, from its manifests, its files and the facts of
its code."""

import re
from collections.abc import Iterable, Mapping

from skills.audit.fastapi_lifetime import releases_of
from skills.audit.model import AuditContext, Subscriber, Technology, Trigger
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_test_path
from skills.gates.project import Project

_ORM = {
    "sqlalchemy": "sqlalchemy", "sqlmodel": "sqlmodel", "flask-sqlalchemy": "sqlalchemy", "django": "django",
    "tortoise-orm": "tortoise", "peewee": "peewee", "pony": "pony", "beanie": "beanie", "mongoengine": "mongoengine",
    "ormar": "ormar", "piccolo": "piccolo",
}  # fmt: skip
_DATABASES = {
    "psycopg": "postgresql", "psycopg2": "postgresql", "psycopg2-binary": "postgresql", "psycopg-binary": "postgresql",
    "asyncpg": "postgresql", "pg8000": "postgresql", "mysqlclient": "mysql", "pymysql": "mysql", "aiomysql": "mysql",
    "asyncmy": "mysql", "mysql-connector-python": "mysql", "aiosqlite": "sqlite", "oracledb": "oracle",
    "cx-oracle": "oracle", "pyodbc": "mssql", "pymssql": "mssql", "pymongo": "mongodb", "motor": "mongodb",
    "redis": "redis", "aioredis": "redis",
}  # fmt: skip
_ASYNC = {"fastapi": "fastapi", "starlette": "starlette", "aiohttp": "aiohttp", "litestar": "litestar",
          "sanic": "sanic", "quart": "quart", "anyio": "asyncio", "trio": "trio"}  # fmt: skip
_WEB = {"fastapi": "fastapi", "django": "django", "flask": "flask", "starlette": "starlette", "litestar": "litestar",
        "djangorestframework": "django-rest-framework", "graphene-django": "graphene"}  # fmt: skip
_QUEUES = {"celery": "celery", "dramatiq": "dramatiq", "rq": "rq", "arq": "arq", "huey": "huey"}
_SCHEME = lazy(r"\b(postgres(?:ql)?|mysql|mariadb|sqlite|oracle|mssql|mongodb|redis)(?:\+\w+)?://")
_ENGINE = lazy(
    r"django\.db\.backends\.(postgresql|mysql|sqlite3|oracle)|django\.contrib\.gis\.db\.backends\.(postgis|mysql)"
)
_IMAGE = lazy(r"image:\s*[\"']?(?:[\w.-]+/)*(postgres|postgis|timescaledb|mysql|mariadb|redis|mongo)\b[^\s\"']*")
_NAMES = {"postgres": "postgresql", "postgis": "postgresql", "timescaledb": "postgresql", "mariadb": "mysql",
          "sqlite3": "sqlite", "mongo": "mongodb"}  # fmt: skip
_STACK_WORD = re.compile(r"\b(postgresql|postgres|mysql|mariadb|sqlite|oracle|mongodb|redis)\b", re.I)
MODELLED = ("redis",)
"""Databases that are not persistence on their own: a cache or a bus."""


def build_context(
    project: Project,
    texts: Mapping[str, str],
    *,
    scope: str = "",
    decisions: Iterable[str] = (),
    releases: Mapping[str, str] | None = None,
) -> AuditContext:
    """The context of an audit. `texts` are the files that may name a database (settings, compose files, the stack's own
    page) by path; `decisions` the names of decisions that were read; `releases` the lock files and manifests
    by path."""
    said = project.dependencies
    orm = _of(said, _ORM) or _orm_by_code(project)
    database = _merge([*_by_text(texts), *_of(said, _DATABASES), *_drivers(project)])
    asynchronous = _of(said, _ASYNC)
    coroutines = _coroutine(project)
    if coroutines and not asynchronous:
        asynchronous = [Technology("asyncio", coroutines)]
    elif asynchronous and all(one.name != "trio" for one in asynchronous):
        asynchronous = _merge([Technology("asyncio", asynchronous[0].evidence), *asynchronous])
    web = _of(said, _WEB)
    return AuditContext(
        database=tuple(one for one in database if one.name not in MODELLED),
        orm=tuple(orm),
        async_frameworks=tuple(asynchronous),
        web=tuple(web),
        queues=tuple(_of(said, _QUEUES)) + tuple(one for one in database if one.name in MODELLED),
        session=_session(project),
        triggers=tuple(_triggers(project)),
        subscribers=tuple(_subscribers(project)),
        scope=scope,
        decisions=tuple(decisions),
        app_type=_app_type(project, web),
        fastapi=releases_of(releases or {}),
    )


def _of(dependencies: Mapping[str, str], known: Mapping[str, str]) -> list[Technology]:
    return _merge(
        [Technology(name, dependencies[package]) for package, name in known.items() if package in dependencies]
    )


def _merge(found: list[Technology]) -> list[Technology]:
    """The first of each name."""
    first: dict[str, Technology] = {}
    for one in found:
        first.setdefault(one.name, one)
    return list(first.values())


def _coroutine(project: Project) -> str:
    """The first place at which a rule about coroutines saw one, "" where none did."""
    rules = ("blocking-io-in-async", "sync-sleep-in-async", "missing-to-thread")
    for report in project.reports:
        for found in report.candidates:
            if found.rule in rules:
                return f"{report.path}:{found.line}"
    return ""


def _drivers(project: Project) -> Iterable[Technology]:
    """The databases whose drivers the code imports. SQLite is in the standard library: one import says little, and any
    other database says more."""
    return [Technology(fact.detail, f"{path}:{fact.line}") for path, fact in project.facts("driver")]


def _orm_by_code(project: Project) -> list[Technology]:
    """The ORM that models show, where no manifest names one."""
    for kind, name in (("columns", "sqlalchemy"), ("session-config", "sqlalchemy"), ("lends-session", "sqlalchemy"),
                       ("field", "django")):  # fmt: skip
        places = [(path, fact) for path, fact in project.facts(kind) if not is_test_path(path)]
        if places:
            path, fact = places[0]
            return [Technology(name, f"{path}:{fact.line}" if fact.line else path)]
    return _merge([Technology(fact.detail, f"{path}:{fact.line}") for path, fact in project.facts("orm")])


def _by_text(texts: Mapping[str, str]) -> Iterable[Technology]:
    for path in sorted(texts, key=lambda name: (not name.endswith("tech_stack.md"), name.count("/"), name)):
        for number, line in enumerate(texts[path].splitlines(), 1):
            if len(line) > 400:
                continue
            patterns = (_IMAGE, _ENGINE, _SCHEME)
            match = next((found for pattern in patterns if (found := pattern.search(line))), None)
            if match is None and path.endswith("tech_stack.md"):
                match = _STACK_WORD.search(line)
            if match is not None:
                name = next(group for group in match.groups() if group).lower()
                yield Technology(_NAMES.get(name, name), f"{path}:{number}")


def _session(project: Project) -> dict[str, tuple[str, str]]:
    """Session and engine options that are written out: name → (value, place)."""
    found: dict[str, tuple[str, str]] = {}
    for path, fact in project.facts("session-config"):
        found.setdefault(fact.name, (fact.detail, f"{path}:{fact.line}"))
    return found


def _triggers(project: Project) -> Iterable[Trigger]:
    for path, fact in project.facts("trigger"):
        function, _, event = fact.detail.partition(" ")
        channel = next((one.detail for _, one in project.named("notifies", function)), "")
        yield Trigger(fact.name, event, function, channel, f"{path}:{fact.line}")


def _subscribers(project: Project) -> Iterable[Subscriber]:
    names = {"pg": "postgresql", "bus": "redis or a bus", "emitter": "an emitter"}
    for path, fact in project.facts("channel-sub"):
        if fact.name != "?":
            yield Subscriber(fact.name.lstrip("@"), path, fact.line, names.get(fact.detail, fact.detail))


def _app_type(project: Project, web: list[Technology]) -> str:
    roles = {report.role for report in project.reports}
    if web or roles & {"router", "view"}:
        return "web service"
    if "task" in roles:
        return "worker"
    return "command line" if "command" in roles else "library"
