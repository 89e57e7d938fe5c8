"""When code runs: while a request waits, in the background, once at the start, from a command line, or who
knows."""

import ast
from typing import Literal

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import class_role, function_role
from skills.gates.engine.syntax import descendants
from skills.gates.model import Evidence, Severity

Execution = Literal["request_handler", "background", "init", "cli", "unknown"]

_INIT = lazy(
    r"__a?init__|__post_init__|_?(set_?up|startup|bootstrap|migrate|lifespan|initiali[sz]e|configure|warm_?up|ready)(_\w+)?"
    r"|(async_)?(on_)?(startup|shutdown|setup)(_\w+)?|init_\w+|\w+_lifespan|async_setup_entry|async_migrate_entry"
)
_BACKGROUND_FOLDERS = frozenset({"tasks", "jobs", "cron", "workers", "worker", "scheduler", "consumers_mq"})
_CLI_FOLDERS = frozenset({"scripts", "bin", "commands", "cli", "tools", "examples", "benchmarks"})
_CLI_DECORATORS = frozenset({"command", "group", "callback"})
_BOTS = frozenset({"discord", "nextcord", "disnake", "interactions", "hikari", "twitchio", "telegram", "aiogram",
                   "pyrogram", "guilded", "revolt"})  # fmt: skip
_HANDLER_NAMES = frozenset(
    {"get", "post", "put", "patch", "delete", "head", "options", "list", "retrieve", "create", "update", "destroy",
     "partial_update", "dispatch", "connect", "disconnect", "receive", "receive_json", "websocket_receive"}
)  # fmt: skip
_HANDLER_BASES = lazy(r"(View|ViewSet|Viewset|RequestHandler|HTTPEndpoint|WebSocketEndpoint|Consumer|Resource)$")
_CONSUMERS = lazy(r"(Websocket|WebSocket|Http)Consumer$")
"""Bases of Django Channels whose methods answer a connection, whatever the event is called."""
_REQUEST_TYPES = frozenset({"Request", "HttpRequest", "WebSocket", "HTTPConnection", "ASGIRequest"})
_SEEDS = lazy(r"(^|_)(seed|seeds|populate|populatedb|fixture|fixtures|sample|bootstrap|initial|random|demo|fake)(_|$)")
_STEPS: tuple[Severity, ...] = ("LOW", "MEDIUM", "HIGH", "CRITICAL")


def execution_of(context: FileContext) -> tuple[Execution, Evidence | None]:
    """When the function around the current node runs, and the line that says so. The innermost function that
    says something decides."""
    functions = [scope for scope in context.scopes if not isinstance(scope, ast.ClassDef)]
    for function in reversed(functions):
        kind, line, why = _of_function(function, context)
        if kind != "unknown":
            return kind, Evidence(context.path, line, why)
    *folders, name = context.path.split("/")
    stem = name.removesuffix(".py")
    if context.role in ("task",) or _BACKGROUND_FOLDERS.intersection(folders) or stem in _BACKGROUND_FOLDERS:
        return "background", Evidence(context.path, 1, "a module of background jobs")
    if context.role == "command" or _CLI_FOLDERS.intersection(folders):
        return "cli", Evidence(context.path, 1, "a script or a command")
    line = _main_guard(context)
    if line and context.role in ("module", "service"):
        return "cli", Evidence(context.path, line, "the module runs as a script")
    return "unknown", None


def severity_of(kind: Execution, handler: Severity, other: Severity) -> Severity:
    """The severity in a request handler, else elsewhere; code that runs once is never more than LOW."""
    if kind in ("init", "cli"):
        return "LOW"
    return handler if kind == "request_handler" else other


def one_less(severity: Severity) -> Severity:
    """One step down, LOW at least."""
    return _STEPS[max(0, _STEPS.index(severity) - 1)]


def lowered(
    severity: Severity, kind: Execution, why: Evidence | None, context: FileContext
) -> tuple[Severity, tuple[Evidence, ...]]:
    """The severity after what the place says, and the evidence: LOW where it runs once, one step less in commands and
    in the admin."""
    links = [why] if why is not None else []
    wanted: Severity = severity
    symbol = context.symbol.rpartition(".")[2]
    if kind == "init" or _SEEDS.search(symbol) or _SEEDS.search(context.path.rpartition("/")[2].removesuffix(".py")):
        wanted = "LOW" if severity != "INFO" else severity
    elif (kind == "cli" or context.role == "admin" or "admin" in context.path.split("/")) and severity != "INFO":
        wanted = one_less(severity)
    if wanted != severity:
        links.append(
            Evidence(
                context.path,
                why.line if why else 1,
                f"lowered from {severity} to {wanted}: "
                + ("it runs once" if wanted == "LOW" and kind == "init" else "not a hot path"),
            )
        )
    return wanted, tuple(links)  # fmt: skip


_Answer = tuple[Execution, int, str]


def _of_function(function: FunctionNode, context: FileContext) -> _Answer:
    """What the decorators of a function say, else its name, its parameters, and the class around it."""
    said = _by_decorators(function, context)
    if said is not None:
        return said
    if _INIT.fullmatch(function.name):
        return "init", function.lineno, f"`{function.name}` runs once"
    for arg in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs):
        if _is_request(arg, context):
            return "request_handler", arg.lineno, f"`{function.name}` takes the {arg.arg}"
    if any(_depends(default) for default in (*function.args.defaults, *function.args.kw_defaults)):
        return "request_handler", function.lineno, f"`{function.name}` is called with dependencies of a request"
    owner = context.class_scope
    if owner is not None and function in owner.body:
        return _of_method(function, owner)
    return "unknown", 0, ""


def _by_decorators(function: FunctionNode, context: FileContext) -> _Answer | None:
    for decorator in function.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = last_name(call)
        if name in ("on_event", "on_startup", "on_shutdown", "before_serving", "before_app_serving"):
            return "init", decorator.lineno, f"`@{name}` runs once"
        if name in _CLI_DECORATORS and isinstance(call, ast.Attribute):
            if isinstance(function, ast.AsyncFunctionDef) and _is_bot(context):
                return "background", decorator.lineno, f"`@{name}` makes a command of a bot"
            return "cli", decorator.lineno, f"`@{name}` makes a command"
    role = function_role(function)
    if role in ("router", "view"):
        return "request_handler", function.decorator_list[0].lineno, f"`{function.name}` answers requests"
    if role == "task":
        return "background", function.decorator_list[0].lineno, f"`{function.name}` is a task"
    return None


def _is_bot(context: FileContext) -> bool:
    """True for a file that works with a library for chat bots, whose commands run in one long-lived event loop."""
    return not context.packages.isdisjoint(_BOTS)


def _of_method(function: FunctionNode, owner: ast.ClassDef) -> _Answer:
    for base in owner.bases:
        name = last_name(base)
        named = function.name in _HANDLER_NAMES or _CONSUMERS.search(name)
        if _HANDLER_BASES.search(name) and (named or class_role(owner) == "view"):
            return "request_handler", owner.lineno, f"`{owner.name}` extends {name}"
        if name.endswith("Middleware") and function.name in ("dispatch", "__call__", "process_request"):
            return "request_handler", owner.lineno, f"`{owner.name}` stands before every request"
    return "unknown", 0, ""


def _is_request(arg: ast.arg, context: FileContext) -> bool:
    """True for a parameter that holds the request which is answered, not one that is sent."""
    if arg.annotation is None:
        return arg.arg in ("request", "websocket")
    if (context.resolve(arg.annotation) or "").startswith(("httpx.", "requests.", "urllib.")):
        return False
    return last_name(arg.annotation) in _REQUEST_TYPES


def _depends(default: ast.expr | None) -> bool:
    return isinstance(default, ast.Call) and last_name(default.func) in ("Depends", "Security")


def _main_guard(context: FileContext) -> int:
    """The line of `if __name__ == "__main__":` where it does not start a server, else 0."""
    for node in context.tree.body:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Compare) and last_name(node.test.left) == "__name__":
            words = {part.id for part in descendants(node) if isinstance(part, ast.Name)}
            return 0 if words & {"uvicorn", "web", "app", "hypercorn", "server"} else node.lineno
    return 0
