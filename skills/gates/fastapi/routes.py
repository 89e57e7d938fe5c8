"""Endpoints of FastAPI: which functions they are, and what stands in their decorator and parameters."""

import ast
import re
from collections.abc import Iterator

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import dotted, last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants, keyword_of, statements, string_of
from skills.record import record

FASTAPI = (b"fastapi",)
VERBS = frozenset({"get", "post", "put", "patch", "delete", "api_route"})
WRITING = frozenset({"post", "put", "patch", "delete"})
_SESSION_NAMES = frozenset({"db", "session", "db_session", "async_session", "database", "uow", "conn", "connection"})
_SESSION_TYPES = lazy(r"Session(?:Dep|Maker)?$|^(?:Db|DB)\w*$|Connection$|SessionLocal$")
_SESSION_MAKERS = lazy(r"^(?:Async)?Session$|Session_?(?:Local|Maker|Factory)$", re.I)
_ADDED = "fastapi-added-routes"
_MEMO = "fastapi-endpoints"


@record
class Endpoint:
    """One endpoint: the function, its decorator, the verb and the path ("" where it is not a literal)."""

    function: FunctionNode
    decorator: ast.Call
    verb: str
    path: str

    @property
    def keywords(self) -> dict[str, ast.expr]:
        """The named arguments of the decorator."""
        return {keyword.arg: keyword.value for keyword in self.decorator.keywords if keyword.arg}


def endpoint_of(function: FunctionNode, context: FileContext) -> Endpoint | None:
    """The endpoint that a function is in a file that works with FastAPI, None for other functions."""
    known = context.memo.setdefault(_MEMO, {})
    assert isinstance(known, dict)
    if function not in known:
        routers: frozenset[str] = frozenset()
        if function.decorator_list:
            if None not in known:
                known[None] = _routers_of(context.tree)
            routers = known[None]
        known[function] = endpoint_in(function, routers) or _added(function, context)
    found: Endpoint | None = known[function]
    return found


def _routers_of(tree: ast.Module) -> frozenset[str]:
    """The names that a module, or a function in it, binds to `FastAPI(…)` and `APIRouter(…)`, in lower case."""
    found: set[str] = set()
    for node in statements(tree):
        made = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
        if isinstance(made, ast.Call) and last_name(made.func) in {"APIRouter", "FastAPI"}:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]  # type: ignore[attr-defined]
            found.update(map(last_name, targets))
    return frozenset(name.lower() for name in found)


def _added(function: FunctionNode, context: FileContext) -> Endpoint | None:
    """The endpoint that `router.add_api_route("/orders", place, methods=["POST"])` makes of a function of a module."""
    if b".add_api_route(" not in context.source:
        return None
    known = context.memo.setdefault(_ADDED, {})
    assert isinstance(known, dict)
    if not known:
        known[None] = None
        for statement in statements(context.tree):
            call = statement.value if isinstance(statement, ast.Expr) else None
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or len(call.args) < 2:
                continue
            if call.func.attr == "add_api_route":
                known.setdefault(last_name(call.args[1]), call)
    added = known.get(function.name)
    if added is None or (context.scopes and isinstance(context.scopes[-1], ast.ClassDef)):
        return None
    return Endpoint(function, added, _verb_of(added), _path_of(added))


def _path_of(decorator: ast.Call) -> str:
    return string_of(decorator.args[0] if decorator.args else keyword_of(decorator, "path")) or ""


def endpoint_in(function: FunctionNode, routers: frozenset[str] = frozenset()) -> Endpoint | None:
    """The endpoint that the decorators of a function make it, by the name of what they belong to; None without one."""
    for decorator in function.decorator_list:
        if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute):
            continue
        verb = decorator.func.attr
        owner = (dotted(decorator.func.value) or "").rpartition(".")[2].lower()
        if verb in VERBS and (owner in routers or owner.endswith(("router", "app", "api", "routes"))):
            return Endpoint(function, decorator, _verb_of(decorator), _path_of(decorator))
    return None


def _verb_of(decorator: ast.Call) -> str:
    """The verb of a decorator; of the methods of `api_route` the first one that writes, `get` where none is given."""
    assert isinstance(decorator.func, ast.Attribute)
    methods = keyword_of(decorator, "methods")
    if not decorator.func.attr.endswith("api_route"):
        return decorator.func.attr
    if not isinstance(methods, (ast.List, ast.Tuple, ast.Set)):
        return "api_route" if methods is not None else "get"
    given = [str(part.value).lower() for part in methods.elts if isinstance(part, ast.Constant)]
    return next((verb for verb in given if verb in WRITING), given[0] if given else "api_route")


def parameters(function: FunctionNode | ast.Lambda) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    """(parameter, default) of a function, `self` and stars left out."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    yield from zip(positional, [*defaults, *arguments.defaults], strict=True)
    yield from zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)


def calls_of(node: ast.expr | None, *names: str) -> Iterator[ast.Call]:
    """`Depends(…)`, `Body(…)`, … in a default or an annotation."""
    if node is not None:
        for part in descendants(node):
            if isinstance(part, ast.Call) and last_name(part.func) in names:
                yield part


_MAPPINGS = lazy(r"(?:dict|Dict|Mapping|TypedDict)$")


def session_names(function: FunctionNode) -> frozenset[str]:
    """The parameters and local names that are database sessions."""
    found = set()
    for parameter, default in parameters(function):
        depends = [*calls_of(default, "Depends"), *calls_of(parameter.annotation, "Depends")]
        given = " ".join(ast.unparse(call.args[0]) for call in depends if call.args)
        hint = last_name(parameter.annotation) if parameter.annotation is not None else ""
        if isinstance(parameter.annotation, ast.Subscript) and hint == "Annotated":
            inner = parameter.annotation.slice
            hint = last_name(inner.elts[0]) if isinstance(inner, ast.Tuple) and inner.elts else hint
        sessions = re.search(r"(?:^|_|\b)(?:db|session|database|uow)(?:\b|_|$)", given, re.I)
        if _MAPPINGS.match(hint):
            continue  # what a token of a session says
        if _SESSION_TYPES.search(hint) or sessions or (parameter.arg in _SESSION_NAMES and (hint or given)):
            found.add(parameter.arg)
    for part in descendants(function):
        target = part.targets[0] if isinstance(part, ast.Assign) and isinstance(part.value, ast.Call) else None
        if isinstance(target, ast.Name) and _SESSION_MAKERS.search(last_name(part.value)):  # type: ignore[attr-defined]
            found.add(target.id)
        if isinstance(part, (ast.With, ast.AsyncWith)):
            for item in part.items:
                made = last_name(item.context_expr) if isinstance(item.context_expr, ast.Call) else ""
                named = isinstance(item.optional_vars, ast.Name)
                if named and re.search(r"session|SessionLocal$", made, re.I) and "Client" not in made:
                    found.add(item.optional_vars.id)  # type: ignore[union-attr]
    return frozenset(found)
