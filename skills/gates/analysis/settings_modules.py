"""Settings modules: which files hold a project's settings, for which environment, and what they set."""

import ast
import re
from collections.abc import Iterator
from functools import lru_cache

from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_test_path
from skills.gates.project import Project

_AWAY = (
    "example",
    "template",
    "dev",
    "local",
    "test",
    "debug",
    "ci",
    "sample",
    "docker_dev",
    "sandbox",
    "demo",
    "profiling",
    "docs",
    "benchmark",
)
_STAGED = frozenset({"stage", "staging"})
_PRODUCTION = ("prod", "production", "live", "deploy", "heroku")
# Names that only a Django settings module sets.
_DJANGO = frozenset(
    {"INSTALLED_APPS", "ROOT_URLCONF", "WSGI_APPLICATION", "MIDDLEWARE", "DATABASES", "TEMPLATES", "ALLOWED_HOSTS",
     "AUTH_PASSWORD_VALIDATORS", "STATIC_URL", "SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE",
     "AUTH_USER_MODEL", "USE_TZ", "LANGUAGE_CODE"}
)  # fmt: skip
_LIKELY = lazy(r"(?:^|/)[^/]*(?:conf|prod|base|common|default|global|live|deploy)[^/]*(?:/[^/]+)?\.py$")
_SHOWN = lazy(r"(?:^|/)(?:demo|example|sandbox|devproject|test_?project)[^/]*/|_mock/", re.I)
_PRODUCTIVE = lazy(r"(?<![a-z])(?:prod(?:uction)?|live|deployed)(?![a-z])")
_ENVIRONMENT = lazy(r"(?<![a-z])(?:prod(?:uction)?|live|deployed|dev\w*|debug|local|env(?:ironment)?)(?![a-z])", re.I)
_BETWEEN = lazy(r"[-_.]")
_AWAY_CLASS = lazy(r"dev|test|local|debug|ci(?![a-z])|stag|sandbox|demo", re.I)  # of django-configurations


def _words(path: str) -> list[str]:
    *folders, name = path.lower().split("/")
    return [part for text in (*folders[-1:], name.removesuffix(".py")) for part in _BETWEEN.split(text)]


def is_away_from_production(path: str) -> bool:
    """True for settings of tests, of a developer's machine and of a rehearsal, and for a file that is copied and filled
    in."""
    return is_on_a_desk(path) or not _STAGED.isdisjoint(_words(path))


def is_on_a_desk(path: str) -> bool:
    """The same without the rehearsal: that runs on a server as production does, with keys and passwords of its own."""
    return (
        is_test_path(path)
        or is_shown_path(path)
        or any(word.startswith(("dev", "test")) or word in _AWAY for word in _words(path))
    )


def is_shown_path(path: str) -> bool:
    """True for a project that shows how another one is used, and for what stands in for a service."""
    return _SHOWN.search(path) is not None


def is_production_path(path: str) -> bool:
    """True for settings that say in their name that they are for production."""
    name = path.lower().rpartition("/")[2].removesuffix(".py")
    return any(word in _PRODUCTION for word in name.split("_"))


def is_settings_path(path: str) -> bool:
    """True for `settings.py`, modules of a folder `settings`, `config/production.py`, and the like."""
    *folders, name = path.lower().split("/")
    stem = name.removesuffix(".py")
    if "settings" in stem.split("_") or stem.startswith("settings") or stem == "local_settings":
        return True
    return bool(folders) and folders[-1] in {"settings", "django_settings"}


@lru_cache(maxsize=64)  # many rules ask it of one file after the other
def may_hold_settings(path: str) -> bool:
    """A cheap test that every settings module passes."""
    return is_settings_path(path) or _LIKELY.search(path.lower()) is not None


def may_be_deployed(path: str) -> bool:
    """The same of the settings that production may run under."""
    return may_hold_settings(path) and not is_away_from_production(path)


def is_settings(context: FileContext) -> bool:
    """True for a module of Django settings, by its name or by what it sets."""
    known = context.memo.get("is-settings")
    if known is None:
        if is_settings_path(context.path):
            known = True
        else:
            names = {name for name, _, _ in assigned(context.tree.body)}
            known = len(names & _DJANGO) >= 2
        context.memo["is-settings"] = known
    return bool(known)


def assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr, ast.stmt]]:
    """(name, value, statement) of every plain assignment of a module, those under `if` and `try` included."""
    for statement in body:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    yield target.id, statement.value, statement
        elif isinstance(statement, (ast.AnnAssign, ast.AugAssign)) and statement.value is not None:
            if isinstance(statement.target, ast.Name):
                yield statement.target.id, statement.value, statement
        elif isinstance(statement, ast.ClassDef) and _is_configuration(statement):
            yield from assigned(statement.body)
        elif isinstance(statement, ast.If):
            if not for_developers(statement.test):
                yield from assigned(statement.body)
            if not _for_production(statement.test):
                yield from assigned(statement.orelse)
        elif isinstance(statement, ast.Try):
            yield from assigned(statement.body)


def _is_configuration(node: ast.ClassDef) -> bool:
    """True for a class of settings, as django-configurations has them, that is not for developers."""
    return not _AWAY_CLASS.match(node.name) and any(last_name(base).endswith("Configuration") for base in node.bases)


def for_developers(test: ast.expr) -> bool:
    """`if DEBUG:`, `if TESTING:`, `if "test" in sys.argv:`, `if ENVIRONMENT == "local":`"""
    text = ast.unparse(test).lower()
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _for_production(test.operand)
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], (ast.NotEq, ast.NotIn)):
        return _PRODUCTIVE.search(text) is not None
    return any(word in text for word in ("debug", "test", "local", "dev"))


def _for_production(test: ast.expr) -> bool:
    """`if PRODUCTION:`, `if PRODUCTION or STAGING:`, `if ENVIRONMENT == "production":`"""
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], (ast.NotEq, ast.NotIn)):
        return False
    text = ast.unparse(test).lower()
    return not text.startswith("not ") and _PRODUCTIVE.search(text) is not None


def refused_in_production(name: str, value: str, body: list[ast.stmt]) -> bool:
    """True where a module of settings stops with an error, outside of development, while a setting has the value that
    is only there for developers: `if not DEBUG and SECRET_KEY == "…": raise …`."""
    return any(_refuses(name, value, "", statement) for statement in body)


def _refuses(name: str, value: str, asked: str, statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Raise):
        compared = any(f"'{value[:end]}'" in asked for end in range(4, len(value) + 1))
        return bool(re.search(rf"\b{name}\b", asked)) and (compared or _ENVIRONMENT.search(asked) is not None)
    if not isinstance(statement, ast.If):
        return False
    for test, block in ((ast.unparse(statement.test), statement.body), ("", statement.orelse)):
        if any(_refuses(name, value, f"{asked}; {test}", inner) for inner in block):
            return True
    return False


def note_settings(node: ast.Module, context: FileContext) -> None:
    """Says which names a settings module sets (fact "setting", detail "production" where it is for production, or
    stands over another one: what it sets again counts)."""
    if not is_settings(context):
        return
    over = is_production_path(context.path) or (
        not is_away_from_production(context.path)
        and any(isinstance(part, ast.ImportFrom) and part.names[0].name == "*" for part in node.body)
    )
    for name in sorted({name for name, _, _ in assigned(node.body) if name.isupper()}):
        context.fact("setting", name, "production" if over else "")


def set_in_production(name: str, path: str, project: Project) -> bool:
    """True where another settings module for production, in the same folder, sets the same name."""
    folder = path.rpartition("/")[0]
    return any(
        fact.detail == "production" and other != path and other.rpartition("/")[0] == folder
        for other, fact in project.named("setting", name)
    )


def set_anywhere(name: str, project: Project) -> bool:
    """True where a settings module that is not for developers or tests sets the name."""
    return any(not is_away_from_production(other) for other, _ in project.named("setting", name))
