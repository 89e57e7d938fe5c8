"""Routes of an API as the code declares them, file by file: FastAPI's decorators, REST framework's routers and views.

What a file alone knows are the last parts of a path: prefixes of `include` and `include_router` stand elsewhere.
So routes are compared by how they end.
"""

import ast
import re
from collections.abc import Callable, Iterator

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants, is_singleton, keyword_of, string_of
from skills.gates.fastapi.openapi_schema import segments
from skills.gates.fastapi.routes import Endpoint, endpoint_of
from skills.gates.project import Project
from skills.gates.rule import Observer, Watch
from skills.record import record

_HTTP = ("get", "post", "put", "patch", "delete")
_LIST = {"list": "get", "create": "post"}
_DETAIL = {"retrieve": "get", "update": "put", "partial_update": "patch", "destroy": "delete"}
_MIXINS = {
    "ListModelMixin": "list", "CreateModelMixin": "create", "RetrieveModelMixin": "retrieve",
    "UpdateModelMixin": "update partial_update", "DestroyModelMixin": "destroy",
    "ModelViewSet": "list create retrieve update partial_update destroy", "ReadOnlyModelViewSet": "list retrieve",
    "GenericViewSet": "", "ViewSet": "", "ViewSetMixin": "", "APIView": "", "GenericAPIView": "",
    "ListAPIView": "get", "CreateAPIView": "post", "RetrieveAPIView": "get", "DestroyAPIView": "delete",
    "UpdateAPIView": "put patch", "ListCreateAPIView": "get post", "RetrieveUpdateAPIView": "get put patch",
    "RetrieveDestroyAPIView": "get delete", "RetrieveUpdateDestroyAPIView": "get put patch delete",
}  # fmt: skip
_APART = "~"
_HIDING = frozenset({"schema = None", "swagger_schema = None"})
_HANDLERS = frozenset({*_HTTP, *_LIST, *_DETAIL})
_NAMED = lazy(r"(?!v\d+$|api$)\w")
_GROUP = lazy(r"\(\?P<\w+>[^()]*(?:\([^()]*\)[^()]*)*\)|\([^()]*\)")


@record
class Route:
    """A route: how its path ends, its methods (None where they are not known), where it stands, the literal code of
    success that it answers ("" for none), and whether a generator of schemas is known to see it."""

    ends: tuple[str, ...]
    methods: frozenset[str] | None
    path: str
    line: int
    code: str = ""
    seen: bool = True


def _on_endpoint(node: FunctionNode, context: FileContext) -> None:
    found = endpoint_of(node, context)
    if found is None or is_singleton(found.keywords.get("include_in_schema"), False):
        return
    if not found.path and not (found.decorator.args and isinstance(found.decorator.args[0], ast.Constant)):
        return
    prefix = _prefixes(context).get(last_name(found.decorator.func.value), "")  # type: ignore[attr-defined]
    if prefix is None:
        return
    verbs = [found.verb]
    if last_name(found.decorator.func).endswith("api_route"):
        listed = getattr(found.keywords.get("methods"), "elts", [])
        verbs = [str(part.value).lower() for part in listed if isinstance(part, ast.Constant)]
    apart = _APART if last_name(found.decorator.func.value) in _mounted_apps(context) else ""  # type: ignore[attr-defined]
    for verb in verbs:
        context.fact("api-route", prefix + found.path, f"{verb} {_status(found)}{apart}".strip(), node.lineno)


def _status(found: Endpoint) -> str:
    """The code of success that an endpoint declares, FastAPI's own where it says none; "" where it cannot be read."""
    code = found.keywords.get("status_code")
    if code is None and last_name(found.keywords.get("response_class", found.decorator)) == "RedirectResponse":
        return "307"
    if code is None:
        return "" if any(word.arg is None for word in found.decorator.keywords) else "200"
    if isinstance(code, ast.Constant) and isinstance(code.value, int):
        return str(code.value)
    number = re.match(r"HTTP_(\d{3})_", code.attr) if isinstance(code, ast.Attribute) else None
    return number[1] if number else ""


def _prefixes(context: FileContext) -> dict[str, str | None]:
    """Router → its literal prefix; None where it is hidden from the schema, or its prefix is not known, and where it
    tells what callers answer (`callbacks=router.routes`)."""
    known: dict[str, str | None] | None = context.memo.get("api-prefixes")  # type: ignore[assignment]
    if known is None:
        known = dict.fromkeys(_called_back(context))
        for node in context.tree.body:
            if not isinstance(node, (ast.Assign, ast.AnnAssign)) or not isinstance(node.value, ast.Call):
                continue
            if last_name(node.value.func) != "APIRouter":
                continue
            given = {word.arg: word.value for word in node.value.keywords}
            text = string_of(given.get("prefix", ast.Constant("")))
            shown = None if is_singleton(given.get("include_in_schema"), False) or None in given else text
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                known.setdefault(last_name(target), shown)
        context.memo["api-prefixes"] = known
    return known


def _called_back(context: FileContext) -> Iterator[str]:
    for node in descendants(context.tree) if context.holds(b"callbacks=") else ():
        if isinstance(node, ast.keyword) and node.arg == "callbacks" and isinstance(node.value, ast.Attribute):
            yield last_name(node.value.value)


def _mounted_apps(context: FileContext) -> frozenset[str]:
    """The applications that the file mounts in another one: each has a schema of its own."""
    known = context.memo.get("api-mounted-apps")
    if not isinstance(known, frozenset):
        calls = (node for node in descendants(context.tree) if isinstance(node, ast.Call) and len(node.args) > 1)
        mounts = (
            [call.args[1] for call in calls if last_name(call.func) == "mount"] if context.holds(b".mount(") else []
        )
        known = context.memo["api-mounted-apps"] = frozenset(map(last_name, mounts))
    return known


def _on_view(node: ast.ClassDef, context: FileContext) -> None:
    bases = [last_name(base) for base in node.bases]
    if not any(base.endswith(("View", "ViewSet", "Viewset", "ViewSetMixin", "ModelMixin")) for base in bases):
        return
    handlers: list[str] = []
    only = ""
    for part in node.body:
        if isinstance(part, FunctionNode):
            if part.name in _HANDLERS:
                handlers.append(part.name)
            _note_action(node, part, context)
        elif isinstance(part, ast.Assign):
            name = last_name(part.targets[0])
            if name == "http_method_names":
                names = [e.value for e in getattr(part.value, "elts", []) if isinstance(e, ast.Constant)]
                only = ",".join(str(name) for name in names)
            elif name in {"schema", "swagger_schema"} and ast.unparse(part) in _HIDING:
                handlers.append("hidden")
    if any("exclude=True" in ast.unparse(part) for part in node.decorator_list):
        handlers.append("hidden")
    context.fact("rest-view", node.name, f"{','.join(bases)}|{','.join(handlers)}|{only}", node.lineno)


def _note_action(owner: ast.ClassDef, method: FunctionNode, context: FileContext) -> None:
    for decorator in method.decorator_list:
        if not isinstance(decorator, ast.Call) or last_name(decorator.func) != "action":
            continue
        given = {word.arg: word.value for word in decorator.keywords}
        detail, way = given.get("detail"), given.get("url_path", ast.Constant(method.name))
        listed = given.get("methods", decorator.args[0] if decorator.args else None)
        methods = [str(e.value) for e in getattr(listed, "elts", []) if isinstance(e, ast.Constant)]
        if isinstance(detail, ast.Constant) and isinstance(way, ast.Constant):
            shown = (
                f"{'detail' if detail.value else 'list'} {','.join(methods).lower() or 'get'} {_plain(str(way.value))}"
            )
            context.fact("rest-action", owner.name, shown, method.lineno)


def _on_function(node: FunctionNode, context: FileContext) -> None:
    for decorator in node.decorator_list:
        if last_name(decorator) == "api_view":
            given = (
                [*decorator.args, *(word.value for word in decorator.keywords)]
                if isinstance(decorator, ast.Call)
                else []
            )
            listed = given[0] if given else None
            names = [str(e.value).lower() for e in getattr(listed, "elts", []) if isinstance(e, ast.Constant)]
            context.fact("rest-view", node.name, f"|{','.join(names) or 'get'}|", node.lineno)


def _on_url(node: ast.Call, context: FileContext) -> None:
    name = last_name(node.func)
    if name not in {"register", "path", "re_path", "url"} or len(node.args) < 2:
        return
    route, view = node.args[0], node.args[1]
    if not isinstance(route, ast.Constant) or not isinstance(route.value, str):
        return
    if name == "register":
        if isinstance(node.func, ast.Attribute) and "router" in last_name(node.func.value).lower():
            context.fact("rest-registered", _plain(route.value), last_name(view), node.lineno)
        return
    given = ""
    if isinstance(view, ast.Call):
        if last_name(view.func) == "include":
            _on_include(route.value, view, node.lineno, context)
            return
        if last_name(view.func) != "as_view" or not isinstance(view.func, ast.Attribute):
            return
        if view.args and isinstance(view.args[0], ast.Dict):
            given = ",".join(str(key.value) for key in view.args[0].keys if isinstance(key, ast.Constant))
        view = view.func.value
    context.fact("rest-url", _plain(route.value), f"{last_name(view)} {given}".strip(), node.lineno)


def _on_include(prefix: str, call: ast.Call, line: int, context: FileContext) -> None:
    """Where a module of routes, or a router of this file (no detail), is mounted."""
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Tuple) and first.elts:
        first = first.elts[0]
    context.fact("api-mount", _plain(prefix), string_of(first) or "", line)


def _on_mount(node: ast.Call, context: FileContext) -> None:
    """`app.include_router(orders.router, prefix="/orders")`, and `router.post("/join")(join)`."""
    added = node.func
    if isinstance(added, ast.Call) and last_name(added.func) in _HTTP and added.args:
        way = string_of(added.args[0])
        if way is not None:
            context.fact("api-added", way, "", node.lineno)
        return
    if last_name(node.func) == "include_router":
        router = context.resolve(node.args[0]) if node.args else None
        module = (router or "").rpartition(".")[0]
        prefix = string_of(keyword_of(node, "prefix"))
        if prefix is not None:
            context.fact("api-mount", prefix, module, node.lineno)


def _plain(route: str) -> str:
    """A path of Django, with the groups of a regular expression as parameters."""
    return _GROUP.sub("{x}", route).replace("^", "").replace("$", "").replace("/?", "/").replace("\\", "")


def routes_of(project: Project) -> list[Route]:
    """Every route of the project that its schema should tell."""
    found: list[Route] = []
    mounted = _mounted(project)
    for path, fact in project.facts("api-route"):
        verb, _, code = fact.detail.removesuffix(_APART).partition(" ")
        ends = segments(fact.name)
        if not ends or ends[0] == "{}":
            ends = (*mounted.get(path, ()), *ends)
        found.append(Route(ends, frozenset({verb}), path, fact.line, code, seen=fact.detail[-1] != _APART))
    found += [
        Route(segments(fact.name), None, path, fact.line, seen=False) for path, fact in project.facts("api-added")
    ]
    for path, fact in project.facts("rest-registered"):
        found += _of_viewset(project, segments(fact.name), fact.detail, path, fact.line)
    for path, fact in project.facts("rest-url"):
        name, _, given = fact.detail.partition(" ")
        handlers = _handlers(project, name, 0)
        if not project.has("rest-view", name) or "hidden" in (handlers or ()):
            continue
        methods = frozenset(given.split(",")) if given else handlers & {*_HTTP} if handlers is not None else None
        found.append(Route(segments(fact.name), methods, path, fact.line, seen=_is_rest(project, name, 0)))
    return found


def _mounted(project: Project) -> dict[str, tuple[str, ...]]:
    """File of a router → the word under which it is mounted, where that is one: `/orders` and `/api/v1/orders` both
    end in it, and what stands before is often said by the schema's servers."""
    words: dict[str, set[str]] = {}
    for _, fact in project.facts("api-mount"):
        below = segments(fact.name)
        stem = fact.detail.replace(".", "/")
        if stem and below and _NAMED.match(below[-1]):
            words.setdefault(f"/{stem}.py", set()).add(below[-1])
    if not words:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for path in {place for place, _ in project.facts("api-route")}:
        said = {word for end, told in words.items() if f"/{path}".endswith(end) for word in told}
        if len(said) == 1:
            found[path] = (said.pop(),)
    return found


def may_be_mounted(project: Project) -> Callable[[tuple[str, ...]], bool]:
    """Answers of a path whether its route may stand where no path of its own is written: at the root of a router that
    is mounted there, or in the routes of a package that are mounted above it."""
    files = {report.path for report in project.reports}
    rooted = any(not route.ends for route in routes_of(project))
    mounts: set[tuple[str, ...]] = set()
    foreign: set[tuple[str, ...]] = set()
    for _, fact in project.facts("api-mount"):
        below = segments(fact.name)
        mounts.add(below)
        stem = fact.detail.replace(".", "/")
        own = not stem or any(f"/{path}".endswith((f"/{stem}.py", f"/{stem}/__init__.py")) for path in files)
        if not own:
            foreign.add(below)
    mounts.discard(())

    def answer(path: tuple[str, ...]) -> bool:
        if rooted and any(path[-len(mount) :] == mount for mount in mounts):
            return True
        return any(mount == path[start : start + len(mount)] for mount in foreign for start in range(len(path)))

    return answer


def _is_rest(project: Project, name: str, depth: int) -> bool:
    """True for functions and classes that are known to be views of the REST framework."""
    if name in _MIXINS or name.endswith(("APIView", "ViewSet")):
        return True
    places = project.named("rest-view", name)
    bases = places[0][1].detail.partition("|")[0] if places else "-"
    return depth < 6 and (not bases or any(_is_rest(project, base, depth + 1) for base in bases.split(",")))


def _of_viewset(project: Project, ends: tuple[str, ...], name: str, path: str, line: int) -> list[Route]:
    handlers = _handlers(project, name, 0)
    if "hidden" in (handlers or ()):
        return []
    found: list[Route] = []
    only = _only(project, name)
    for table, way in ((_LIST, ends), (_DETAIL, (*ends, "{}"))):
        if handlers is None or not project.has("rest-view", name):
            found.append(Route(way, None, path, line))
            continue
        methods = frozenset(verb for handler, verb in table.items() if handler in handlers)
        methods = methods & only if only else methods
        if methods:
            found.append(Route(way, methods, path, line))
    for place, action in project.named("rest-action", name):
        kind, verbs, tail = action.detail.split(" ", 2)
        full = (*ends, *(("{}",) if kind == "detail" else ()), *segments(tail))
        found.append(Route(full, frozenset(verbs.split(",")), place, action.line))
    return found


def _only(project: Project, name: str) -> frozenset[str]:
    places = project.named("rest-view", name)
    words = places[0][1].detail.rpartition("|")[2] if places else ""
    return frozenset(words.split(",")) if words else frozenset()


def _handlers(project: Project, name: str, depth: int) -> frozenset[str] | None:
    """What a view answers to, inherited handlers included; None where a base is not known."""
    if name in _MIXINS:
        return frozenset(_MIXINS[name].split())
    places = project.named("rest-view", name)
    if len(places) != 1 or depth > 6:
        return None
    bases, own, _ = places[0][1].detail.split("|")
    found = frozenset(filter(None, own.split(",")))
    for base in filter(None, bases.split(",")):
        above = _handlers(project, base, depth + 1)
        if above is None:
            return None
        found |= above
    return found


OBSERVERS: tuple[Observer, ...] = (
    Observer(
        "api-routes",
        (
            Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_endpoint, (b"fastapi", b"APIRouter"), outside_tests),
            Watch((ast.ClassDef,), _on_view, (b"rest_framework",), outside_tests),
            Watch((ast.FunctionDef,), _on_function, (b"api_view",), outside_tests),
            Watch((ast.Call,), _on_url, (b"urlpatterns", b"DefaultRouter", b"SimpleRouter"), outside_tests),
            Watch(
                (ast.Call,),
                _on_mount,
                (b"include_router", b"APIRouter"),
                outside_tests,
                near=(b"include_router", b")("),
            ),
        ),
    ),
)
"""Kinds: api-route and api-added (FastAPI), rest-view, rest-action, rest-registered, rest-url, api-mount (detail: the
module that is mounted, "" for a router)."""
