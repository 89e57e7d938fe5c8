"""Rules of the skill openapi-contract-validator: the API and its schema say the same."""

import ast
from collections.abc import Iterator

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.fingerprints import on_line
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import is_singleton
from skills.gates.example_files import one_file
from skills.gates.fastapi.openapi_fields import Told, differing_fields
from skills.gates.fastapi.openapi_routes import Route, may_be_mounted, routes_of
from skills.gates.fastapi.openapi_schema import segments
from skills.gates.fastapi.routes import endpoint_of
from skills.gates.model import ApiOperation, Candidate, Evidence, FileReport
from skills.gates.project import Project
from skills.gates.rule import Apart, Example, Rule, Watch

SKILL = "openapi-contract-validator"
UNDOCUMENTED, DRIFT = "openapi-undocumented", "openapi-drift"
_HTTP = frozenset({"get", "post", "put", "patch", "delete"})
_GENERATORS = ("drf-spectacular", "drf-yasg")
_USED = "schema-generator"
_SAID = frozenset({"summary", "description", "response_model", "responses", "response_class", "openapi_extra"})
_DECORATORS = frozenset({"extend_schema", "swagger_auto_schema", "extend_schema_view"})
_PLAIN_VIEWS = ("APIView", "ViewSet", "GenericAPIView", "GenericViewSet")
_SERIALIZERS = frozenset({"serializer_class", "get_serializer_class", "get_serializer", "schema", "swagger_schema"})
_BELIEVED, _COMPLETE = 0.4, 0.75
_MOST = 50


def _on_endpoint(node: FunctionNode, context: FileContext) -> None:
    found = endpoint_of(node, context)
    if found is None or node.returns is not None or isinstance(_first(node), str):
        return
    given = found.keywords
    if _SAID & given.keys() or None in {word.arg for word in found.decorator.keywords}:
        return
    if is_singleton(given.get("include_in_schema"), False):
        return
    message = f"`{found.verb.upper()} {found.path or '…'}` says neither what it does nor what it answers"
    context.report(UNDOCUMENTED, node, message, symbol=context.symbol_of(node.name), parts=context.frame(node))


def _first(node: FunctionNode | ast.ClassDef) -> object:
    """The docstring, None where there is none."""
    first = node.body[0]
    return first.value.value if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) else None


def _on_view(node: ast.ClassDef, context: FileContext) -> None:
    """Views of which a generator cannot know the serializer: all bases are REST framework's, and none is named."""
    bases = [context.resolve(base) or "" for base in node.bases]
    if not bases or not all(base.startswith("rest_framework.") for base in bases):
        return
    if not all(base.endswith(_PLAIN_VIEWS) for base in bases) or _described(node.decorator_list):
        return
    if any(base.endswith("ModelViewSet") for base in bases):
        return
    for part in node.body:
        names = [part.name] if isinstance(part, FunctionNode) else []
        if isinstance(part, ast.Assign):
            names = [last_name(target) for target in part.targets]
        elif isinstance(part, ast.AnnAssign):
            names = [last_name(part.target)]
        if _SERIALIZERS & {*names}:
            return
    for part in node.body:
        if isinstance(part, FunctionNode) and _is_handler(part) and not _described(part.decorator_list):
            message = f"the schema cannot tell what `{node.name}.{part.name}` takes and answers"
            needs, symbol = (("generator", ""),), f"{node.name}.{part.name}"
            context.report(UNDOCUMENTED, part, message, needs=needs, symbol=symbol, parts=context.frame(part))


def _is_handler(method: FunctionNode) -> bool:
    rest = {"list", "create", "retrieve", "update", "partial_update", "destroy"}
    action = [d for d in method.decorator_list if isinstance(d, ast.Call) and last_name(d.func) == "action"]
    if any(word.arg == "serializer_class" for call in action for word in call.keywords):
        return False
    return bool(action) or method.name in _HTTP | rest


def _described(decorators: list[ast.expr]) -> bool:
    return any(
        name in _DECORATORS or "schema" in name or name.endswith("_docs")
        for part in decorators
        for name in (last_name(part), *(last_name(a) for a in getattr(part, "args", ()) if isinstance(a, ast.Call)))
    )


def _on_import(node: ast.ImportFrom, context: FileContext) -> None:
    """Code that imports a generator uses it, whatever the manifests say."""
    package = (node.module or "").partition(".")[0]
    if package.replace("_", "-") in _GENERATORS:
        context.fact(_USED, package)


def _on_function(node: FunctionNode, context: FileContext) -> None:
    if any(last_name(part) == "api_view" for part in node.decorator_list) and not _described(node.decorator_list):
        message = f"the schema cannot tell what `{node.name}` takes and answers"
        needs, frame = (("generator", ""),), context.frame(node)
        context.report(UNDOCUMENTED, node, message, needs=needs, symbol=node.name, parts=frame)


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    generated = not candidate.needs or any(
        name in project.dependencies or project.has(_USED, name.replace("-", "_")) for name in _GENERATORS
    )
    return candidate if generated else None


openapi_undocumented = Rule(
    name=UNDOCUMENTED,
    gate="P2",
    severity="LOW",
    skill=SKILL,
    sources=("BN-S9",),
    catches="Endpoints that leave nothing for the generated schema: FastAPI routes without docstring, summary, "
    "response "
    "model or annotation; views of REST framework without serializer and without `extend_schema`.",
    why="The schema lists the path and nothing else, so that clients are written by trial and generated ones get "
    "`any`.",
    fix="FastAPI: annotate what the function returns, or give `response_model` and `summary`. REST framework: name a "
    "`serializer_class`, or decorate with `extend_schema(request=…, responses=…)`.",
    when="In projects with FastAPI, drf-spectacular or drf-yasg; for views whose bases are REST framework's own. "
    "Endpoints "
    "that are hidden from the schema are left out.",
    watches=(
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_endpoint, (b"fastapi",), outside_tests),
        Watch((ast.ClassDef,), _on_view, (b"rest_framework",), outside_tests),
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_function, (b"api_view",), outside_tests),
        Watch((ast.ImportFrom,), _on_import, (b"drf_spectacular", b"drf_yasg")),
    ),
    holds=_holds,
    bad=(
        *one_file(
            "shop/api.py",
            "from fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n@router.get('/orders')\nasync def "
            "orders(page: int):\n"
            "    return find(page)\n",
        ),
        Example(
            {
                "shop/views.py": "from rest_framework.views import APIView\n\n\nclass Report(APIView):\n"
                "    def post(self, request):\n        return Response(make(request.data))\n"
            },
            dependencies=("drf-spectacular",),
        ),
        Example(
            {
                "shop/urls.py": "from drf_spectacular.views import SpectacularAPIView\n",
                "shop/views.py": "@api_view(['GET'])\ndef report(request):\n    return Response(make())\n",
            },
            note="the code uses a generator",
        ),
        Example(
            {
                "shop/views.py": "from rest_framework.decorators import api_view\n\n\n@api_view(['GET'])\n"
                "def report(request):\n    return Response(make())\n"
            },
            dependencies=("drf-yasg",),
        ),
    ),
    good=(
        *one_file(
            "shop/api.py",
            "from fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n@router.get('/orders')\n"
            "async def orders(page: int) -> list[Order]:\n    return find(page)\n",
            "from fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n@router.get('/live', include_in_schema=False)\n"
            "async def live():\n    return {}\n",
        ),
        Example(
            {
                "shop/views.py": "from rest_framework.views import APIView\n\n\nclass Report(APIView):\n"
                "    @extend_schema(request=ReportSerializer)\n    def post(self, request):\n"
                "        return Response(make(request.data))\n\n\nclass Other(GenericAPIView):\n"
                "    serializer_class = ReportSerializer\n\n    def get(self, request):\n        return Response()\n"
            },
            dependencies=("drf-spectacular",),
        ),
    ),
)  # fmt: skip

Paths = dict[tuple[str, ...], dict[str, tuple[str, ApiOperation]]]
"""Segments of a path in the schemas → method → (schema, operation)."""


def _applies(project: Project) -> str | None:
    if not project.schemas:
        return "no schema is committed (openapi.yaml, schema.yml, swagger.json, …)"
    return None if routes_of(project) else "no route of FastAPI or REST framework was found"


def _blind(project: Project) -> str | None:
    for schema in project.schemas:
        if schema.problem:
            return schema.problem
    return (
        None if _paths(project) else f"{project.schemas[0].path} and the routes that were found have little in common"
    )


def _by_ends(project: Project) -> dict[tuple[str, ...], list[Route]]:
    found: dict[tuple[str, ...], list[Route]] = {}
    for route in routes_of(project):
        found.setdefault(route.ends, []).append(route)
    found.pop((), None)
    return found


def _paths(project: Project) -> Paths:
    """What the schemas say, those left out that are about another service."""
    code = _by_ends(project)
    merged: Paths = {}
    for schema in project.schemas:
        paths: Paths = {}
        for operation in schema.operations:
            paths.setdefault(segments(operation.path), {})[operation.method] = (schema.path, operation)
        known = sum(1 for path in paths if _matches(path, code))
        if paths and known >= _BELIEVED * len(paths):
            for path, said in paths.items():
                merged.setdefault(path, {}).update(said)
    return merged


def _matches(path: tuple[str, ...], code: dict[tuple[str, ...], list[Route]]) -> list[tuple[str, ...]]:
    """The ends of routes that a path of the schema may be, the longest first."""
    return [path[start:] for start in range(len(path)) if path[start:] in code]


def _survey(project: Project) -> Iterator[tuple[FileReport, Candidate]]:
    paths, code = _paths(project), _by_ends(project)
    if not paths:
        return
    believed = frozenset(schema for said in paths.values() for schema, _ in said.values())
    found = [*_not_in_schema(paths, code), *_differing(paths, code), *differing_fields(project, believed)]
    elsewhere = may_be_mounted(project)
    gone = [path for path in paths if path and not _matches(path, code) and not elsewhere(path)]
    if len(gone) <= max(1, (1 - _COMPLETE) * len(paths)):
        for path in gone:
            schema, operation = next(iter(paths[path].values()))
            found.append((schema, operation.line, f"no route of the code ends like `{operation.path}`", ()))
    reports = {report.path: report for report in project.reports}
    for place, line, message, evidence in found[:_MOST]:
        yield (
            reports.get(place) or FileReport(place),
            on_line(DRIFT, place, line, message, text=message, confidence="likely", evidence=evidence),
        )


def _not_in_schema(paths: Paths, code: dict[tuple[str, ...], list[Route]]) -> Iterator[Told]:
    told = {path[start:] for path in paths for start in range(len(path))}
    services = _services(paths, code)
    for ends, routes in code.items():
        if not routes[0].path.startswith(services):
            continue
        if ends not in told and any(part != "{}" for part in ends) and routes[0].seen:
            yield routes[0].path, routes[0].line, f"`{_shown(ends)}` is in no schema", ()


def _services(paths: Paths, code: dict[tuple[str, ...], list[Route]]) -> tuple[str, ...]:
    """The folders that the schemas are about: their own where all routes that they tell lie in it, else the project."""
    lie: dict[str, set[str]] = {}
    for path, said in paths.items():
        files = {route.path for ends in _matches(path, code) for route in code[ends]}
        for schema, _ in said.values():
            lie.setdefault(schema, set()).update(files)
    found = set()
    for schema, files in lie.items():
        folder = schema.rpartition("/")[0]
        own = folder and all(path.startswith(f"{folder}/") for path in files)
        found.add(f"{folder}/" if own else "")
    return tuple(found)


def _shown(ends: tuple[str, ...]) -> str:
    return "/" + "/".join(ends)


def _differing(paths: Paths, code: dict[tuple[str, ...], list[Route]]) -> Iterator[Told]:
    """Methods and codes that differ, where it is sure which routes a path of the schema is."""
    sharing: dict[tuple[str, ...], int] = {}
    for path in paths:
        for ends in _matches(path, code):
            sharing[ends] = sharing.get(ends, 0) + 1
    for path, said in paths.items():
        matched = _matches(path, code)
        if len(matched) != 1 or sharing[matched[0]] != 1 or all(part == "{}" for part in matched[0]):
            continue
        routes = code[matched[0]]
        if len({route.path for route in routes}) != 1:
            continue
        methods = {method for route in routes for method in route.methods or ()}
        if all(route.methods is not None for route in routes):
            yield from _methods(routes, methods & _HTTP, said)
        for route in routes:
            for method in route.methods or ():
                schema, operation = said.get(method, ("", None))
                if operation is not None and _answers_otherwise(route, operation):
                    told = ", ".join(operation.codes)
                    message = f"`{method.upper()} {operation.path}` answers {route.code}, the schema says {told}"
                    yield route.path, route.line, message, (Evidence(schema, operation.line, "what the schema says"),)


def _answers_otherwise(route: Route, operation: ApiOperation) -> bool:
    codes = {code.lower() for code in operation.codes}
    return bool(route.code and codes) and not codes & {route.code, f"{route.code[:1]}xx", "default"}


def _methods(routes: list[Route], methods: set[str], said: dict[str, tuple[str, ApiOperation]]) -> Iterator[Told]:
    schema, operation = next(iter(said.values()))
    for method in sorted(methods - said.keys()):
        route = next(route for route in routes if method in (route.methods or ()))
        evidence = (Evidence(schema, operation.line, f"the schema has {', '.join(sorted(said)).upper()}"),)
        yield route.path, route.line, f"`{method.upper()} {operation.path}` is not in the schema", evidence
    for method in sorted((said.keys() & _HTTP) - methods):
        schema, operation = said[method]
        route = routes[0]
        evidence = (Evidence(route.path, route.line, f"the code has {', '.join(sorted(methods)).upper()}"),)
        yield schema, operation.line, f"`{method.upper()} {operation.path}` is not in the code", evidence


openapi_drift = Rule(
    name=DRIFT,
    gate="P2",
    severity="MEDIUM",
    skill=SKILL,
    sources=("BN-S9",),
    catches="A committed schema that says something else than the code: paths, methods, codes of success, the fields "
    "that models require.",
    why="Clients and tests are made from the schema: what it leaves out nobody uses, what is gone fails at their end.",
    fix="Generate the schema again and commit it with the change (`manage.py spectacular --file …`, "
    "`app.openapi()`), or "
    "put back the route.",
    when="Where an openapi, swagger or schema file lies in the project and is about its routes. Paths are compared by "
    "how they end, because prefixes of includes stand elsewhere; methods and codes only where one route can be meant. "
    "Fields are compared for models of Pydantic and plain serializers that have the name of one in the schema.",
    watches=(),
    applies=_applies,
    survey=_survey,
    blind=_blind,
    bad=Apart("fastapi.openapi_examples.DRIFT_BAD"),
    good=Apart("fastapi.openapi_examples.DRIFT_GOOD"),
)

RULES: tuple[Rule, ...] = (openapi_undocumented, openapi_drift)
