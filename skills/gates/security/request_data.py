"""What comes from a request: the parts of it that clients fill in, and the parameters of endpoints."""

import ast
import re
from bisect import bisect_left
from collections.abc import Iterator

from skills.gates.analysis.file_calls import calls_by_name
from skills.gates.engine.context import FileContext, FunctionNode, Words
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import path_role
from skills.gates.engine.syntax import defaults_of, descendants
from skills.record import record

BODY = frozenset(
    {"GET", "POST", "FILES", "data", "DATA", "query_params", "args", "form", "values", "json", "files", "body",
     "view_args", "path_params", "params", "json_body", "matchdict", "content_params", "REQUEST", "PUT",
     "query", "forms", "match_info"}
)  # fmt: skip
ENVELOPE = frozenset({"COOKIES", "cookies", "headers", "META", "query_string"})
BODY_CALLS = frozenset({"json", "get_json", "form", "body", "get_data", "post"})
READS = BODY | ENVELOPE | BODY_CALLS
READ_WORDS = Words(*(f".{name}".encode() for name in sorted(READS)))
_READ_OF_REQUEST = lazy(rf"request\s*\.\s*(?:{'|'.join(sorted(READS))})\b")
_AS_DATA, _NEAR = ("data=", "data=self."), 160
_SERIALIZED = lazy(r"erializer(?:_class)?\(\s*(?:[\w.]+,\s*)?(?:\w+=[\w.]+,\s*)*data=(?:self\.)?$")
_REQUEST_MODULES = ("flask", "quart", "bottle", "sanic", "werkzeug", "aiohttp", "starlette")
GLOBAL_REQUESTS = frozenset(f"{module}.request" for module in _REQUEST_MODULES)
_REQUEST_TYPES = frozenset({"Request", "HttpRequest", "WSGIRequest", "ASGIRequest", "HTTPConnection", "WebSocket"})
_CALLED = frozenset({"request", "req"})
_IMPORTED = "request data: names of imported requests"
_READ_LINES = "request data: lines that read the request"
_OF_TEXT = frozenset(dir(str))
_VERBS = frozenset({"route", "get", "post", "put", "patch", "delete", "api_route", "websocket"})
_METHODS = frozenset({"get", "post", "put", "patch", "delete"})
_VIEWS = lazy(r"View(?:Set)?$")
_NUMBER = lazy(r"^(?:pk|id|uuid|uid|year|month|day|page|slug|\w+_(?:id|pk|uuid|slug|no|num|number)|num\w*|count)$")


# What fills a parameter of an endpoint that no client does, or a pattern that it has to match.
_DECIDED = lazy(r"Depends\(|Security\(|regex=|pattern=|Inject|State\(")
_BODY_TYPES = lazy(
    r"^(?:Annotated\[)?(?:(?:dict|Dict|Any|Mapping)\b|(?:list|List)(?:\[(?:dict|Dict|Any)\b.*)?(?=$|,| ))"
)
_TEXT_TYPES = lazy(r"^(?:Annotated\[)?(?:Optional\[str\]|str(?: \| None)?|None \| str)(?:$|,)")


@record
class Origin:
    """Where a value came from: `kind` is body (what a client fills in), cut (that, cut to a length), envelope (headers,
    cookies), route, or one of those in `request_wholes`; `model` is the class of a body of which it is a field."""

    kind: str
    node: ast.AST
    line: int
    key: ast.AST | None = None
    model: str = ""
    parsed: bool = False  # out of JSON, where it may be anything, not just text

    @property
    def text(self) -> str:
        """As the source has it, with its key where that is short: `request.data["note"]`."""
        if isinstance(self.node, ast.arg):
            return self.node.arg
        text = ast.unparse(self.key or self.node)
        return text if len(text) <= 48 else ast.unparse(self.node)


def parsed(origin: Origin | None) -> Origin | None:
    """The same origin of what was read as JSON."""
    if origin is None:
        return None
    return Origin(origin.kind, origin.node, origin.line, origin.key, origin.model, parsed=True)


def request_names(function: FunctionNode, context: FileContext) -> frozenset[str]:
    """The names that stand for the request in a function."""
    names = set()
    for scope in (*context.scopes, function):
        if isinstance(scope, ast.ClassDef):
            continue
        for argument in (*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs):
            hint = argument.annotation
            typed = hint is not None and last_name(hint) in _REQUEST_TYPES
            if typed or (argument.arg in _CALLED and not (hint is not None and _is_model(hint, context))):
                names.add(argument.arg)
    imported = context.memo.get(_IMPORTED)
    if not isinstance(imported, frozenset):
        imported = context.memo[_IMPORTED] = frozenset(
            name
            for name, dotted in context.imports.items()
            if dotted.endswith(".request") and dotted.startswith(_REQUEST_MODULES)
        )
    return imported.union(names)


def reads_request(node: FunctionNode, context: FileContext) -> bool:
    """True where something of `request`, whatever it is there, is read on the lines of a function, and not just handed
    to a serializer."""
    known = context.memo.get(_READ_LINES)
    if known is None:
        known = context.memo[_READ_LINES] = _read_lines("\n".join(context.lines))
    assert isinstance(known, list)
    at = bisect_left(known, node.lineno)
    return at < len(known) and bool(known[at] <= node.end_lineno)


def _read_lines(text: str) -> list[int]:
    lines, line, before = [], 1, 0
    for match in _READ_OF_REQUEST.finditer(text):
        first = match.start()
        if text.endswith(_AS_DATA, 0, first) and _SERIALIZED.search(text, max(0, first - _NEAR), first):
            continue  # a serializer checks what it is given
        line += text.count("\n", before, match.start())
        before = match.start()
        lines.append(line)
    return lines


def _is_model(hint: ast.expr, context: FileContext) -> bool:
    """True for `request: SearchRequest`, a model of what a client sends, which is called like the request."""
    named = isinstance(hint, (ast.Name, ast.Attribute)) and last_name(hint) not in {"Any", "object"}
    return named and not context.packages.isdisjoint({"fastapi", "pydantic", "starlette"})


def route_of(function: FunctionNode) -> ast.Call | None:
    """The decorator that makes a function an endpoint of Flask, FastAPI or their like."""
    for decorator in function.decorator_list:
        call = decorator if isinstance(decorator, ast.Call) else None
        if call is not None and isinstance(call.func, ast.Attribute) and call.func.attr in _VERBS:
            return call
    return None


def default_texts(arguments: ast.arguments) -> dict[str, str]:
    """Parameter → the text of its default."""
    return {argument.arg: ast.unparse(value) for argument, value in defaults_of(arguments) if value is not None}


def _is_called(function: FunctionNode, context: FileContext) -> bool:
    """True for a function that others of the file call: they give it what it takes, not the address."""
    if function.name.startswith("_"):
        return True
    if context.source.count(f"{function.name}(".encode()) < 2:
        return False  # nothing but its own line, which is much faster than a list of all calls
    calls = calls_by_name(context).get(function.name, (0, []))[1]
    return any(isinstance(call.func, ast.Name) for _, call in calls)


def _is_view(function: FunctionNode, arguments: list[ast.arg], context: FileContext) -> bool:
    """True for `def show(request, name)` in a module of views, and for `def get(self, request, name)` of a class of
    one: what follows the request stands in the address."""
    owner = context.scopes[-1] if context.scopes else None
    first = 0 if owner is None else 1
    if len(arguments) < first + 2 or arguments[first].arg != "request" or path_role(context.path) != "view":
        return False
    if owner is None:
        return not _is_called(function, context)
    if function.name not in _METHODS or not isinstance(owner, ast.ClassDef):
        return False
    return any(_VIEWS.search(last_name(base)) for base in owner.bases)


def sent_parameters(function: FunctionNode, context: FileContext) -> Iterator[tuple[str, Origin]]:
    """The parameters of an endpoint that hold what stands in its URL or body, unconverted."""
    route = route_of(function)
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    if route is not None:
        rule = route.args[0].value if route.args and isinstance(route.args[0], ast.Constant) else ""
        defaults = default_texts(function.args)
        for argument in arguments:
            hint = ast.unparse(argument.annotation) if argument.annotation is not None else ""
            if _DECIDED.search(hint) or _DECIDED.search(defaults.get(argument.arg, "")):
                continue
            if _BODY_TYPES.match(hint):
                yield argument.arg, Origin("body", argument, function.lineno)
            elif (re.search(rf"<(?:string:|path:)?{argument.arg}>", str(rule)) and hint in {"", "str"}) or (
                _TEXT_TYPES.match(hint) and context.holds(b"fastapi")
            ):
                yield argument.arg, Origin("route", argument, function.lineno)
    elif _is_view(function, arguments, context):
        arguments = arguments[1:] if context.scopes else arguments
        names = {argument.arg for argument in arguments[1:]}
        if any(
            isinstance(part, ast.Attribute) and part.attr not in _OF_TEXT and last_name(part.value) in names
            for part in descendants(function)
        ):
            return  # another function hands over an object, and what stands beside it
        defaults = default_texts(function.args)
        for argument in arguments[1:]:
            hint = ast.unparse(argument.annotation) if argument.annotation is not None else ""
            if defaults.get(argument.arg, "None") not in {"None", "''"}:
                continue  # the code that registers the view may give another one
            if hint in {"", "str"} and not _NUMBER.match(argument.arg):
                yield argument.arg, Origin("route", argument, function.lineno)
