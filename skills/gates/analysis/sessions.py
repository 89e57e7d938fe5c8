"""What is a database session, a connection or a repository, by its type or its name."""

import ast
import re

from skills.gates.analysis.bindings import annotated_type, lookup
from skills.gates.analysis.call_targets import class_of
from skills.gates.analysis.transactions import SESSION_FACTORY
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy

_SESSION_NAME = lazy(r"(^|_)(session|sess|db|dbsession|database)$", re.I)
_CONNECTION_NAME = lazy(r"(^|_)(conn|connection|cursor|cur|tx|transaction|uow|unit_of_work)$", re.I)
_REPOSITORY = lazy(r"_?(repo|repos|repository|dao|store|gateway)$", re.I)
_OTHER_STORE = lazy(
    r"(file|blob|object|vector|key|kv|session|token|cache|data|secret|doc|document|artifact|state|feature|media|config)"
    r"_?(store|gateway)$|^_?(store|gateway)$",
    re.I,
)
_REPOSITORY_CLASSES = (b"Repo", b"DAO", b"Dao")
_REPOSITORY_CLASS = lazy(r".(Repo|Repository|DAO|Dao)$")
GENERIC = frozenset({"repo", "repos", "repository", "dao"})
"""Names of repositories that do not say what they are about."""
_CLIENT_TYPES = ("aiohttp.", "requests.", "httpx.", "niquests.", "boto3.", "curl_cffi.")
_SESSION_CLASSES = ("sqlalchemy.orm.Session", "asyncio.AsyncSession", "sqlmodel.Session")
_SUFFIX = lazy(r"(model|orm|entity|record|table|repo|repos|repository|dao|store|gateway)$")


def model_key(name: str) -> str:
    """A name for comparing models, repositories, tables and variables: `JobModel`, `job_repo`, `jobs` are "job"."""
    bare = name.rpartition(".")[2].replace("_", "").lower()
    bare = _SUFFIX.sub("", bare) or bare
    if bare.endswith("ies"):
        return bare[:-3] + "y"
    return bare[:-1] if bare.endswith("s") and not bare.endswith("ss") else bare


def unawaited(node: ast.expr | None) -> ast.expr | None:
    """The expression behind an `await`."""
    return node.value if isinstance(node, ast.Await) else node


def is_session(node: ast.expr, context: FileContext) -> bool:
    """True where an expression is a database session by its type or, where none is given, by its name."""
    if isinstance(node, ast.Call):
        return False
    name = last_name(node)
    if isinstance(node, ast.Attribute) and last_name(node.value) in ("request", "req"):
        return False
    if not _SESSION_NAME.search(name):
        return isinstance(node, ast.Name) and _speaks_sql(context) and _holds_session(node, context)
    if isinstance(node, ast.Name):
        found = lookup(context, node.id, node.lineno)
        if found is not None and found.hint is not None:
            kind = annotated_type(context, found.hint) or ""
            if kind.startswith(_CLIENT_TYPES):
                return False
        value = unawaited(found.value) if found is not None else None
        if isinstance(value, ast.Call) and (context.resolve(value.func) or "").startswith(_CLIENT_TYPES):
            return False
    return _speaks_sql(context) or not _speaks_http(context)


def _holds_session(node: ast.Name, context: FileContext) -> bool:
    """True for a name of any spelling that is annotated as a session, or is what a factory of sessions makes."""
    found = lookup(context, node.id, node.lineno)
    if found is None:
        return False
    if found.hint is not None and (annotated_type(context, found.hint) or "").endswith(_SESSION_CLASSES):
        return True
    made = unawaited(found.value)
    if not isinstance(made, ast.Call) or (context.resolve(made.func) or "").startswith((*_CLIENT_TYPES, "boto")):
        return False
    name = last_name(made.func)
    return name in ("Session", "AsyncSession") or (not made.args and SESSION_FACTORY.search(name) is not None)


def is_connection(node: ast.expr) -> bool:
    """True for `conn`, `cursor` and the like."""
    return not isinstance(node, ast.Call) and _CONNECTION_NAME.search(last_name(node)) is not None


def _speaks_sql(context: FileContext) -> bool:
    known = context.memo.get("speaks-sql")
    if known is None:
        known = any(
            name.startswith(("sqlalchemy", "sqlmodel", "flask_sqlalchemy"))
            or name.rpartition(".")[2] in ("AsyncSession", "SessionLocal", "SessionDep")
            for name in context.imports.values()
        )
        context.memo["speaks-sql"] = known
    return bool(known)


def _speaks_http(context: FileContext) -> bool:
    return any(name.startswith(_CLIENT_TYPES) for name in context.imports.values())


def speaks_django(context: FileContext) -> bool:
    """True where a file works with Django, or with another ORM whose rows save themselves."""
    known = context.memo.get("speaks-django")
    if known is None:
        roots = ("django", "rest_framework", "tortoise", "peewee", "beanie", "mongoengine", "ormar", "celery")
        known = (
            not context.packages.isdisjoint(roots)
            or any(".models." in f".{name}." for name in context.imports.values())
            or any(word in context.source for word in (b".objects.", b"models.Model"))
        )
        context.memo["speaks-django"] = known
    return bool(known)


def repository_of(node: ast.expr, context: FileContext) -> str:
    """What a repository is about: "job" of `job_repo`, `JobRepository(session)` and `self.jobs` of that class; "" where
    the expression is none."""
    if isinstance(node, ast.Call):  # `JobRepository(session)`
        made = last_name(node.func)
        return model_key(made) if _REPOSITORY_CLASS.search(made) else ""
    if not isinstance(node, (ast.Name, ast.Attribute)):
        return ""
    name = last_name(node)
    if any(context.holds(word) for word in _REPOSITORY_CLASSES):
        kind = class_of(node, context)
        name = kind if _REPOSITORY_CLASS.search(kind) else name
    if not _REPOSITORY.search(name) or _OTHER_STORE.search(name):
        return ""
    return model_key(name)
