"""The rule undeclared-path-parameter: a route's path and its function name different parameters."""

import ast
from collections.abc import Iterator

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants
from skills.gates.example_files import one_file
from skills.gates.fastapi.routes import calls_of, endpoint_of, parameters
from skills.gates.model import Candidate, FileReport
from skills.gates.project import Project
from skills.gates.rule import Observer, Rule, Watch

UNDECLARED = "undeclared-path-parameter"
_ALIAS = "depends-alias"
_NAMED = lazy(r"\{\s*([A-Za-z_]\w*)\s*(?::[^{}]*)?\}")
_WHOLE = frozenset({"Request", "WebSocket", "HTTPConnection"})
_INJECTED = ("Depends", "Security")
_DEPTH = 4


def _on_endpoint(node: FunctionNode, context: FileContext) -> None:
    found = endpoint_of(node, context)
    if found is None or "{" not in found.path or context.class_scope is not None:
        return
    takes = _Takes(context)
    given = [*found.decorator.keywords, *_router_words(found.decorator, context)]
    if any(word.arg is None for word in given):
        return
    injected = [call for word in given if word.arg == "dependencies" for call in calls_of(word.value, *_INJECTED)]
    if not all(takes.injected(call, None) for call in injected):
        return
    if not takes.function(node):
        return
    for name in dict.fromkeys(_NAMED.findall(found.path)):
        if name not in takes.names:
            message = f"the path names `{{{name}}}`, which `{node.name}` does not take: the schema lacks the parameter"
            needs = tuple(("hint", hint) for hint in sorted(takes.hints))
            also = ("openapi-drift", "openapi-undocumented")
            context.report(UNDECLARED, node, message, needs=needs, also=also, parts=context.frame(node))
            return


def _router_words(decorator: ast.Call, context: FileContext) -> list[ast.keyword]:
    """What the router of a route is made with in this file: its dependencies may take what its routes name."""
    owner = last_name(getattr(decorator.func, "value", decorator))
    for part in context.tree.body:
        if isinstance(part, ast.Assign) and isinstance(part.value, ast.Call) and last_name(part.targets[0]) == owner:
            return part.value.keywords
    return []


class _Takes:
    """Gathers what a function and its dependencies take: `names`, and the words of the hints. The methods answer
    False where nobody can tell."""

    def __init__(self, context: FileContext) -> None:
        self.body = context.tree.body
        self.names: set[str] = set()
        self.hints: set[str] = set()

    def function(self, function: FunctionNode | ast.Lambda, depth: int = _DEPTH) -> bool:
        """`*args` and `**kwargs` take nothing: FastAPI reads them as two parameters of the query."""
        if depth == 0:
            return False
        by_place = {argument.arg for argument in function.args.posonlyargs}
        for parameter, default in parameters(function):
            hint = parameter.annotation
            words = set(_words(hint)) if hint is not None else set()
            if words & _WHOLE:
                return False
            self.hints |= words
            aliases = [*_aliases(default), *_aliases(hint)]
            self.names.update(aliases)
            if parameter.arg not in by_place and not aliases:
                self.names.add(parameter.arg)
            for source in (default, hint):
                if not all(self.injected(call, hint, depth - 1) for call in calls_of(source, *_INJECTED)):
                    return False
        return True

    def injected(self, call: ast.Call, hint: ast.expr | None, depth: int = _DEPTH) -> bool:
        """What a dependency of this file takes; False for one of another file."""
        named = (word.value for word in call.keywords if word.arg == "dependency")
        given = call.args[0] if call.args else next(named, hint)
        if isinstance(given, ast.Subscript):  # Annotated[Pages, Depends()]
            given = given.slice.elts[0] if isinstance(given.slice, ast.Tuple) and given.slice.elts else given
        if given is None or isinstance(given, ast.Lambda):
            return given is None or self.function(given, depth)
        name = given.id if isinstance(given, ast.Name) else ""
        for part in self.body:
            if isinstance(part, FunctionNode) and part.name == name:
                return self.function(part, depth)
            if isinstance(part, ast.ClassDef) and part.name == name:
                return self.made(part, depth)
        return False

    def made(self, node: ast.ClassDef, depth: int) -> bool:
        """What a class takes: the parameters of `__init__`, or its fields."""
        for part in node.body:
            if isinstance(part, FunctionNode) and part.name == "__init__":
                return self.function(part, depth)
        self.names.update(last_name(part.target) for part in node.body if isinstance(part, ast.AnnAssign))
        return all(last_name(base) in ("BaseModel", "object") for base in node.bases)


def _words(hint: ast.expr) -> Iterator[str]:
    return (last_name(part) for part in descendants(hint) if isinstance(part, (ast.Name, ast.Attribute)))


def _aliases(source: ast.expr | None) -> Iterator[str]:
    """`Path(alias="order_id")`: the name that the path has instead of the parameter's own."""
    for call in calls_of(source, "Path"):
        for word in call.keywords:
            if word.arg in ("alias", "validation_alias") and isinstance(word.value, ast.Constant):
                yield str(word.value.value)


def _on_alias(node: ast.Assign, context: FileContext) -> None:
    """`CurrentOrder = Annotated[Order, Depends(order_of_path)]`."""
    if isinstance(node.value, ast.Subscript) and any(calls_of(node.value, *_INJECTED)):
        for target in node.targets:
            context.fact(_ALIAS, last_name(target), "", node.lineno)


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """Nothing that the function takes is the short name of a dependency."""
    return None if any(project.has(_ALIAS, name) for _, name in candidate.needs) else candidate


_HEAD = "from fastapi import APIRouter, Depends\n\nrouter = APIRouter()\n\n\n"

undeclared_path_parameter = Rule(
    name=UNDECLARED,
    gate="P2",
    severity="MEDIUM",
    skill="openapi-contract-validator",
    sources=("BN-S9",),
    catches="Routes of FastAPI whose path names a parameter that neither the function nor its dependencies take.",
    why="The value is thrown away, and the schema has a path with a parameter that it does not describe, which is no "
    "valid OpenAPI; often a name was changed in one of the two places only.",
    fix="Take the parameter under the name that stands in the path, or take it out of the path.",
    when="Where everything that the function takes can be read: dependencies of the same file, also those of its "
    "router, are followed; those of other files, and functions that take the request itself, are left alone.",
    watches=(Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_endpoint, (b"fastapi",), outside_tests),),
    holds=_holds,
    bad=one_file(
        "shop/api.py",
        _HEAD + "@router.get('/orders/{order_id}')\ndef order(pk: int) -> int:\n    return pk\n",
        _HEAD + "@router.get('/orders/{key:path}/lines')\ndef lines(path: str) -> str:\n    return path\n",
        _HEAD + "@router.get('/orders/{pk}')\ndef order(pk: int, /) -> int:\n    return pk\n",
        _HEAD + "@router.get('/orders/{pk}')\ndef order(*keys: int, **more: int) -> None: ...\n",
        _HEAD + "@router.get(path='/orders/{pk}')\ndef order(who=Depends(lambda user: user)) -> int:\n    return who\n",
        _HEAD + "@router.get('/orders/{pk}')\ndef order(pk: int = Path(alias='order_pk')) -> int:\n    return pk\n",
        "from fastapi import APIRouter, Depends\n\n\ndef buyer(user_id: int): ...\n\n\n"
        "router = APIRouter(dependencies=[Depends(buyer)])\n\n\n"
        "@router.get('/orders/{pk}')\ndef order() -> int:\n    return 1\n",
        _HEAD + "def buyer(user_id: int): ...\n\n\n"
        "@router.get('/orders/{pk}')\ndef order(who: int = Depends(buyer)) -> int:\n    return who\n",
    ),
    good=(
        *one_file(
            "shop/api.py",
            _HEAD + "@router.get('/orders/{order_id}')\ndef order(*, order_id: int) -> int:\n    return order_id\n",
            _HEAD + "@router.get('/orders/{pk}')\ndef order(key: int = Path(alias='pk')) -> int:\n    return key\n",
            _HEAD + "@router.get('/orders/{pk}')\ndef order(who=Depends(lambda pk: pk)) -> int:\n    return who\n",
            "from fastapi import APIRouter, Depends\n\n\ndef buyer(pk: int): ...\n\n\n"
            "router = APIRouter(dependencies=[Depends(buyer)])\n\n\n"
            "@router.get('/orders/{pk}')\ndef order() -> int:\n    return 1\n",
            _HEAD + "@router.get('/orders/{pk}')\ndef order(request: Request) -> int:\n    return pk_of(request)\n",
            _HEAD + "def buyer(pk: int): ...\n\n\ndef known(who: int = Depends(buyer)): ...\n\n\n"
            "@router.get('/orders/{pk}', dependencies=[Depends(known)])\ndef order() -> int:\n    return 1\n",
            _HEAD + "class Pages:\n    def __init__(self, page: int): ...\n\n\n"
            "@router.get('/orders/{page}')\ndef order(pages: Annotated[Pages, Depends()]) -> int:\n    return 1\n",
            "from shop.deps import one\n" + _HEAD
            + "@router.get('/orders/{pk}')\ndef order(order=Depends(one)) -> int:\n    return order\n",
            "from shop.deps import OneOrder\n" + _HEAD
            + "OneOrder = Annotated[Order, Depends(one)]\n\n\n"
            "@router.get('/orders/{pk}')\ndef order(order: OneOrder) -> int:\n    return order\n",
        ),
    ),
)  # fmt: skip

RULES: tuple[Rule, ...] = (undeclared_path_parameter,)
OBSERVERS: tuple[Observer, ...] = (
    Observer(
        "depends-aliases", (Watch((ast.Assign,), _on_alias, (b"Depends(", b"Security("), None, (b"Annotated[",)),)
    ),
)
"""Kinds: depends-alias (a name)."""
