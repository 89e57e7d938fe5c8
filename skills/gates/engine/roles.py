"""Roles: what a file, a class or a function is for, from its code first and from its path where the code is
silent."""

import ast
from collections.abc import Mapping
from functools import lru_cache

from skills.gates.engine.names import dotted, last_name

ROLES = (
    "test", "migration", "view", "router", "serializer", "task", "command", "admin", "middleware",
    "model", "service", "settings", "module",
)  # fmt: skip

_CLASS_ENDINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("view", ("ViewSet", "Viewset", "APIView", "View", "ViewSetMixin")),
    ("serializer", ("Serializer", "SerializerMixin")),
    ("test", ("TestCase", "TestCaseMixin")),
    ("command", ("BaseCommand", "AppCommand", "LabelCommand")),
    ("admin", ("ModelAdmin", "TabularInline", "StackedInline", "ModelAdminMixin")),
    ("middleware", ("Middleware", "MiddlewareMixin")),
    ("migration", ("Migration",)),
    ("task", ("Task",)),
)
_MODEL_BASES = frozenset({"AbstractUser", "AbstractBaseUser", "PermissionsMixin", "TimeStampedModel", "TenantModel"})
_VIEW_DECORATORS = frozenset(
    {
        "api_view", "require_http_methods", "require_GET", "require_POST", "require_safe", "login_required",
        "csrf_exempt", "permission_required", "user_passes_test", "staff_member_required", "never_cache",
    }
)  # fmt: skip
_HTTP_VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "websocket", "api_route", "route"})
_TASK_DECORATORS = frozenset({"shared_task", "task", "periodic_task", "db_task", "db_periodic_task", "actor", "job"})
_PATH_ROLES: tuple[tuple[str, str], ...] = (
    ("view", "views"), ("view", "view"), ("view", "viewsets"), ("view", "viewset"),
    ("router", "routers"), ("router", "router"), ("router", "endpoints"), ("router", "routes"),
    ("serializer", "serializers"), ("serializer", "serializer"),
    ("service", "services"), ("service", "service"), ("service", "use_cases"), ("service", "usecases"),
    ("service", "selectors"), ("service", "queries"), ("service", "repositories"), ("service", "repository"),
    ("service", "interactors"), ("task", "tasks"), ("task", "task"), ("command", "commands"),
    ("admin", "admin"), ("middleware", "middleware"), ("middleware", "middlewares"),
    ("model", "models"), ("settings", "settings"), ("settings", "conf"),
)  # fmt: skip
_PATH_ROLE = {word: role for role, word in _PATH_ROLES}
READ_AS = "read as"
_WITHOUT_ARTICLE = frozenset({"settings", "middleware"})


_TEST_FOLDERS = frozenset({"tests", "test", "testing", "unittests", "fixtures", "factories", "e2e"})


@lru_cache(maxsize=64)  # many rules ask it of one file after the other
def is_test_path(path: str) -> bool:
    """True for files that a test runner or a fixture loader reads: tests/, test_x.py, tests_x.py, x_tests.py,
    conftest.py, factories."""
    *folders, name = path.split("/")
    if any(folder in _TEST_FOLDERS or folder.endswith("_tests") for folder in folders):
        return True
    stem = name.removesuffix(".py")
    return (
        stem.startswith(("test_", "tests_"))
        or stem.endswith(("_test", "_tests", "_factory", "_factories"))
        or stem in {"tests", "test", "unittests", "conftest", "factories", "fixtures", "factory"}
    )


def outside_tests(path: str) -> bool:
    """True for what is no test: where most rules look."""
    return not is_test_path(path)


@lru_cache(maxsize=64)
def is_migration_path(path: str) -> bool:
    """True for files in a folder of migrations (Django's or Alembic's), and for `migrations.py`."""
    *folders, name = path.split("/")
    return name == "migrations.py" or any(
        part in {"migrations", "versions", "alembic"} or part.endswith("_migrations") for part in folders
    )


def is_product_path(path: str) -> bool:
    """True for files that run in production: not tests, fixtures or migrations."""
    return not is_test_path(path) and not is_migration_path(path)


def class_role(node: ast.ClassDef, imported: Mapping[str, str] | None = None) -> str | None:
    """The role that the bases of a class give it, None where they say nothing. A mixin says it only where no other
    base does: a viewset may mix in what chooses its serializer. `imported` tells what names that stand alone are
    imported as."""
    mixed_in = None
    for base in node.bases:
        name = last_name(base)
        if imported is not None:
            name = imported.get(name, name).rpartition(".")[2]
        if name == "Model" or name in _MODEL_BASES:
            return "model"
        for role, endings in _CLASS_ENDINGS:
            if name.endswith(endings):
                if not name.endswith("Mixin"):
                    return role
                mixed_in = mixed_in or role
                break
    return mixed_in


def function_role(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    """The role that the decorators of a function give it, None where they say nothing."""
    return decorated_role(node)[0]


def decorated_role(node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str | None, str]:
    """(role, name of the decorator that gives it) of a function; (None, "") where its decorators say nothing."""
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = last_name(call)
        if name in _VIEW_DECORATORS:
            return "view", name
        if name in _TASK_DECORATORS:
            return "task", name
        if isinstance(decorator, ast.Call) and isinstance(call, ast.Attribute) and name in _HTTP_VERBS:
            owner = (dotted(call.value) or "").rpartition(".")[2].lower()
            if owner.endswith(("router", "app", "api")):
                return "router", name
    return None, ""


def _code_role(tree: ast.Module) -> tuple[str, str] | None:
    votes: dict[str, int] = {}
    said: dict[str, str] = {}
    for node in tree.body:
        role: str | None = None
        if isinstance(node, ast.ClassDef):
            role = class_role(node)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            role = function_role(node)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            role = "router" if last_name(node.value.func) == "APIRouter" else None
        if role:
            votes[role] = votes.get(role, 0) + 1
            said.setdefault(role, f"line {node.lineno}")
    if not votes:
        return None
    role = max(votes, key=lambda name: (votes[name], -ROLES.index(name)))
    return role, f"code, {said[role]}"


@lru_cache(maxsize=64)
def path_role(path: str) -> str | None:
    """The role that the path alone suggests: the file's name first, then the nearest folder."""
    *folders, name = path.split("/")
    stem = name.removesuffix(".py")
    for word in (stem, stem.rpartition("_")[2], *reversed(folders)):
        if word in _PATH_ROLE:
            return _PATH_ROLE[word]
    return None


def file_role(tree: ast.Module, path: str) -> tuple[str, str]:
    """(role, why). Tests and migrations are known by where they lie, all others by their code, then by their
    path."""
    if is_test_path(path):
        return "test", "path"
    if is_migration_path(path):
        return "migration", "path"
    from_code = _code_role(tree)
    if from_code:
        return from_code
    from_path = path_role(path)
    return (from_path, "path") if from_path else ("module", "nothing says more")


def why_of_scope(scope: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, role: str) -> str:
    """Why a class or function has a role of its own."""
    if isinstance(scope, ast.ClassDef):
        said = f"built on {', '.join(f'`{last_name(base)}`' for base in scope.bases)}"
    else:
        said = f"decorated with `{decorated_role(scope)[1]}`"
    return f"{read_as(role)}: `{scope.name}` is {said}"


def read_as(role: str) -> str:
    """How the evidence begins that says why something has a role: "read as a view", "read as an admin", "read as
    settings"."""
    article = "" if role in _WITHOUT_ARTICLE else "an " if role[0] in "aeiou" else "a "
    return f"{READ_AS} {article}{role}"


def role_of_scope(scopes: list[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef], file: str) -> str:
    """The role of the innermost class or function that has one, else that of the file."""
    for scope in reversed(scopes):
        role = class_role(scope) if isinstance(scope, ast.ClassDef) else function_role(scope)
        if role:
            return role
    return file
