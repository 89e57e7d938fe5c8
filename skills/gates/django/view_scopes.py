"""Which classes and functions are views, and why."""

import ast

from skills.gates.analysis.queries import chain_of
from skills.gates.engine.context import FileContext, FunctionNode, Words
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import (
    class_role,
    decorated_role,
    is_migration_path,
    is_product_path,
    is_test_path,
    path_role,
)
from skills.gates.engine.syntax import descendants
from skills.gates.model import Evidence
from skills.gates.project import Project
from skills.gates.rule import Observer, Watch
from skills.record import record

_OTHER_VIEWS = frozenset(
    {"aiohttp", "discord", "falcon", "flask", "flask_appbuilder", "kivy", "pyramid", "quart", "sanic", "sqlalchemy",
     "starlette", "textual", "tornado"}
)  # fmt: skip
_VIEW_ENDINGS = ("View", "ViewSet", "APIView", "Mixin")
_NO_VIEW_MIXINS = ("FormMixin", "SerializerMixin", "FilterMixin", "PermissionMixin", "ServiceMixin", "TestMixin")
_HANDLERS = frozenset({"get", "post", "put", "patch", "delete", "dispatch"})
_ACTIONS = _HANDLERS | {"list", "create", "retrieve", "update", "partial_update", "destroy"}
_VIEW_NAMES = ("View", "ViewSet", "Viewset", "APIView", "ViewSetMixin")
_NINJAS = frozenset({"ninja", "ninja_extra"})
_ANSWERS = ("django.http.", "django.shortcuts.", "django.template.response.", "rest_framework.response.")
_HOOKS = frozenset(
    {
        "get_queryset",
        "filter_queryset",
        "list",
        "get_serializer_class",
        "get_serializer",
        "paginate_queryset",
        "get_object",
    }
)
_SUPER = Words(b"super")
_NARROWING = frozenset({"get_queryset", "filter", "exclude", "all", "distinct", "none", "using"})
# What stands in a file that has a view, or something that one is built on.
_MAY_SAY = (b"ViewSet", b"APIView", b"queryset", b"rest_framework", b"View)", b"Mixin)")
_MAY_BE_VIEWS = frozenset({None, "view"})
OF_VIEW = "built-on-a-view"
"""The need of a class that answers requests and is called no view: names of its bases."""
# Modules beside those of views that only help them.
_HELPERS = frozenset({"utils", "util", "helpers", "helper", "common", "shortcuts", "decorators", "signals"})


@record
class View:
    """The view around a node: its qualified name, what makes it one, and what only the project knows of that."""

    name: str
    line: int
    why: str
    needs: tuple[tuple[str, str], ...] = ()

    def evidence(self, path: str) -> Evidence:
        """Why it is read as a view."""
        return Evidence(path, self.line, f"read as a view: {self.why}")


def may_hold_views(path: str) -> bool:
    """False for tests, migrations, the admin, middleware, commands, services, tasks and models."""
    if is_test_path(path) or is_migration_path(path):
        return False
    return path_role(path) not in {"admin", "middleware", "command", "service", "task", "model"}


def view_around(context: FileContext) -> View | None:
    """The view around the current node, None outside of views."""
    for depth, scope in enumerate(context.scopes, 1):
        if isinstance(scope, ast.ClassDef):
            # Class attributes configure a view; only its methods act.
            acts = len(context.scopes) > depth
            why = _class_reason(scope, context) if acts else ""
            if acts and not why and (bases := _unknown_bases(scope, context)):
                why = f"`{scope.name}` answers requests, built on `{bases[-1]}`"
                return View(context.symbol, scope.lineno, why, ((OF_VIEW, " ".join(bases)),))
        else:
            why = _function_reason(scope, context)
        return View(context.symbol, scope.lineno, why) if why else None
    return None


def is_view(name: str, project: Project) -> bool:
    """True for a class of the project that leads to a view of Django or of the REST framework."""
    seen: set[str] = set()
    names = [name]
    while names:
        name = names.pop()
        if name not in seen:
            seen.add(name)
            places = project.named("view-class", name)
            if not places and name.endswith(_VIEW_NAMES):
                return True
            for _, fact in places:
                names += fact.detail.split()
    return False


def _unknown_bases(node: ast.ClassDef, context: FileContext) -> list[str]:
    """The bases of a class that answers requests and has no role by their names."""
    if not node.bases or class_role(node, context.imports) is not None:
        return []
    for part in node.body:
        if isinstance(part, FunctionNode) and part.name in _ACTIONS:
            arguments = [argument.arg for argument in (*part.args.posonlyargs, *part.args.args)]
            if arguments[1:2] == ["request"]:
                names = [(context.resolve(base) or last_name(base)).rpartition(".")[2] for base in node.bases]
                return [name for name in names if name]
    return []


def _class_reason(node: ast.ClassDef, context: FileContext) -> str:
    """What makes a class a view, "" for others."""
    for base in node.bases:
        dotted = context.resolve(base) or ""
        if dotted.partition(".")[0] in _OTHER_VIEWS:
            return ""
    role = class_role(node, context.imports)
    if role == "view":
        names = [(context.resolve(base) or last_name(base)).rpartition(".")[2] for base in node.bases]
        bases = ", ".join(f"`{name}`" for name in names if "View" in name)
        return f"`{node.name}` extends {bases}"
    if role is not None or path_role(context.path) != "view":
        return ""
    if node.name.endswith(_VIEW_ENDINGS) and not node.name.endswith(_NO_VIEW_MIXINS):
        return f"`{node.name}` stands in a module of views"
    handlers = (part for part in node.body if isinstance(part, FunctionNode) and part.name in _HANDLERS)
    answers = any(any(argument.arg == "request" for argument in part.args.args) for part in handlers)
    return f"`{node.name}` answers requests in a module of views" if answers else ""


def _function_reason(node: FunctionNode, context: FileContext) -> str:
    """What makes a function a view or a part of one, "" for others."""
    role, decorator = decorated_role(node)
    if role == "router" and not context.packages.isdisjoint(_NINJAS):
        return f"`{node.name}` is decorated with `{decorator}` of django-ninja"
    if role is not None:
        return f"`{node.name}` is decorated with `{decorator}`" if role == "view" else ""
    arguments = [*node.args.posonlyargs, *node.args.args]
    asked = bool(arguments) and arguments[0].arg == "request"
    if path_role(context.path) != "view":
        return f"`{node.name}` takes `request` and answers it" if asked and _answers(node, context) else ""
    if asked:
        return f"`{node.name}` takes `request` in a module of views"
    stem = context.path.rpartition("/")[2].removesuffix(".py")
    if stem in _HELPERS or stem.rpartition("_")[2] in _HELPERS:
        return ""
    return f"`{node.name}` helps views in their module"


def _answers(node: FunctionNode, context: FileContext) -> bool:
    """True where a function returns a response of Django's or of the REST framework's."""
    return any(
        isinstance(part, ast.Return)
        and isinstance(part.value, ast.Call)
        and (context.resolve(part.value.func) or "").startswith(_ANSWERS)
        for part in descendants(node)
    )


def _on_view_class(node: ast.ClassDef, context: FileContext) -> None:
    """Facts of views and mixins, whatever they are called: what they are built on, and whether they decide on rows or
    serializer themselves."""
    if class_role(node) in _MAY_BE_VIEWS:
        context.fact("view-class", node.name, " ".join(filter(None, map(last_name, node.bases))), node.lineno)
        if any(
            isinstance(part, FunctionNode) and part.name in _HOOKS and not _only_narrows(part, context)
            for part in node.body
        ):
            context.fact("list-hook", node.name)


def _only_narrows(method: FunctionNode, context: FileContext) -> bool:
    """True for a `get_queryset` that takes what the view says and filters it, with no order and nothing loaded."""
    if method.name != "get_queryset" or not context.mentions(_SUPER, method):
        return False
    parts = list(descendants(method))
    own = {"queryset", "qs", "rows"} | {
        target.id
        for part in parts
        if isinstance(part, ast.Assign)
        for target in part.targets
        if isinstance(target, ast.Name)
    }
    narrowed = False
    for part in parts:
        value = part.value if isinstance(part, ast.Return) else part
        if not isinstance(value, ast.Call):
            if isinstance(part, ast.Return) and (value is None or last_name(value) not in own):
                return False  # answers something else
            continue
        chain = chain_of(value)
        above = isinstance(chain.root, ast.Call) and last_name(chain.root.func) == "super"
        if above or last_name(chain.root) in own:
            if any(name not in _NARROWING for name, _ in chain.calls):
                return False
            narrowed = narrowed or above
        elif value is not part:
            return False
    return narrowed


OBSERVERS: tuple[Observer, ...] = (
    Observer("views", (Watch((ast.ClassDef,), _on_view_class, _MAY_SAY, is_product_path),)),
)
"""Kinds: view-class (detail: bases), list-hook (a view class)."""
