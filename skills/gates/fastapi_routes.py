"""Endpoints of FastAPI: which functions they are, and what stands in their decorator and parameters."""

import ast
import re
from collections.abc import Iterator

from skills.gates.context import FileContext, FunctionNode
from skills.gates.names import dotted, last_name
from skills.gates.patterns import lazy
from skills.gates.syntax import descendants
from skills.record import record

FASTAPI = (b"fastapi",)
VERBS = frozenset({"get", "post", "put", "patch", "delete", "api_route"})
WRITING = frozenset({"post", "put", "patch", "delete"})
_SESSION_NAMES = frozenset({"db", "session", "db_session", "async_session", "database", "uow", "conn", "connection"})
_SESSION_TYPES = lazy(r"Session(?:Dep|Maker)?$|^(?:Db|DB)\w*$|Connection$|SessionLocal$")
_SESSION_MAKERS = lazy(r"^(?:Async)?Session$|Session_?(?:Local|Maker|Factory)$", re.I)
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
        routers = known.setdefault(None, routers_of(context.tree)) if function.decorator_list else frozenset()
        known[function] = endpoint_in(function, routers)
    found: Endpoint | None = known[function]
    return found


def routers_of(tree: ast.Module) -> frozenset[str]:
    """The names that a module binds to `FastAPI(…)` and `APIRouter(…)`, in lower case."""
    found: set[str] = set()
    for node in tree.body:
        made = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(made, ast.Call) and last_name(made.func) in {"APIRouter", "FastAPI"}:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]  # type: ignore[attr-defined]
            found.update(map(last_name, targets))
    return frozenset(name.lower() for name in found)


def endpoint_in(function: FunctionNode, routers: frozenset[str] = frozenset()) -> Endpoint | None:
    """The endpoint that the decorators of a function make it, by the name of what they belong to; None without one."""
    for decorator in function.decorator_list:
        if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute):
            continue
        verb = decorator.func.attr
        owner = (dotted(decorator.func.value) or "").rpartition(".")[2].lower()
        if verb in VERBS and (owner in routers or owner.endswith(("router", "app", "api", "routes"))):
            first = decorator.args[0] if decorator.args else None
            path = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
            return Endpoint(function, decorator, _verb_of(decorator), path)
    return None


def _verb_of(decorator: ast.Call) -> str:
    """The verb of a decorator; of the methods of `api_route` the first one that writes."""
    assert isinstance(decorator.func, ast.Attribute)
    methods = next((word.value for word in decorator.keywords if word.arg == "methods"), None)
    if decorator.func.attr != "api_route" or not isinstance(methods, ast.List | ast.Tuple | ast.Set):
        return decorator.func.attr
    given = [str(part.value).lower() for part in methods.elts if isinstance(part, ast.Constant)]
    return next((verb for verb in given if verb in WRITING), given[0] if given else "api_route")


def parameters(function: FunctionNode) -> Iterator[tuple[ast.arg, ast.expr | None]]:
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
        if _SESSION_TYPES.search(hint) or sessions or (parameter.arg in _SESSION_NAMES and (hint or given)):
            found.add(parameter.arg)
    for part in descendants(function):
        target = part.targets[0] if isinstance(part, ast.Assign) and isinstance(part.value, ast.Call) else None
        if isinstance(target, ast.Name) and _SESSION_MAKERS.search(last_name(part.value)):  # type: ignore[attr-defined]
            found.add(target.id)
        if isinstance(part, ast.With | ast.AsyncWith):
            for item in part.items:
                made = last_name(item.context_expr) if isinstance(item.context_expr, ast.Call) else ""
                named = isinstance(item.optional_vars, ast.Name)
                if named and re.search(r"session|SessionLocal$", made, re.I) and "Client" not in made:
                    found.add(item.optional_vars.id)  # type: ignore[union-attr]
    return frozenset(found)
