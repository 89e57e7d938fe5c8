"""A rule of the skill resource-lifecycle-auditor: the session that a framework lends to an endpoint is handed to a task
that outlives the answer."""

import ast
import re

from msgspec.structs import replace

from skills.gates.analysis.bindings import annotated_type
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import function_role, is_product_path
from skills.gates.engine.syntax import defaults_of, descendants
from skills.gates.model import Candidate, Evidence, FileReport, Severity
from skills.gates.persistence.taken_resources import SKILL
from skills.gates.project import Project
from skills.gates.rule import Apart, Rule, Watch
from skills.gates.runtime.blocking_hops import function_elsewhere
from skills.record import record

INJECTION_RULE = "factory-vs-injection"
_SESSION_NAME = lazy(r"(^|_)(db|session|conn|connection|uow|transaction)(_|$)|session", re.I)
_SESSION_TYPES = frozenset({"Session", "AsyncSession", "Connection", "AsyncConnection", "AsyncReadSession"})
_CALLED = lazy(r"(^|_)(db|session|conn|connection|uow)$")
_ALIAS = "session-alias"
_STREAMS = frozenset({"StreamingResponse", "EventSourceResponse", "StreamingHttpResponse", "ServerSentEvents"})


def session_parameter(function: FunctionNode, context: FileContext) -> ast.arg | None:
    """The parameter that a framework fills with a database session."""
    for arg, default in defaults_of(function.args):
        given = isinstance(default, ast.Call) and last_name(default.func) in ("Depends", "Security")
        if given and isinstance(default, ast.Call) and default.args:
            if _SESSION_NAME.search(last_name(default.args[0])):
                return arg
        elif arg.annotation is not None and _is_known(arg, arg.annotation, context):
            return arg
    plain = (arg for arg, default in defaults_of(function.args) if default is None and arg.annotation is not None)
    return next((arg for arg in plain if _alias(arg, arg.annotation, context)), None)


def needs_of(session: ast.arg, function: FunctionNode, context: FileContext) -> tuple[tuple[str, str], ...]:
    """What the project must say of a session's parameter: that the name which it is annotated with is that of one."""
    hint = session.annotation
    given = any(arg is session and default is not None for arg, default in defaults_of(function.args))
    if given or hint is None or _is_known(session, hint, context):
        return ()
    return ((_ALIAS, _alias(session, hint, context)),)


def alias_holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """A candidate about a parameter that is a session by a name of another file: whether that file says so."""
    for kind, name in candidate.needs:
        if function_elsewhere(kind, name, project) is None:
            return None
    return replace(candidate, needs=()) if candidate.needs else candidate


def _on_alias(node: ast.Assign | ast.AnnAssign, context: FileContext) -> None:
    """A fact session-alias for `Db = Annotated[AsyncSession, Depends(get_session)]`."""
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    if context.scopes or not isinstance(target, ast.Name) or not isinstance(node.value, ast.Subscript):
        return
    if _is_annotated_session(node.value, context):
        context.fact(_ALIAS, target.id, "", node.lineno)


def _alias(arg: ast.arg, annotation: ast.expr | None, context: FileContext) -> str:
    """The dotted name that a parameter with the name of a session is annotated with, where another file has it."""
    name = annotation.id if isinstance(annotation, ast.Name) and _CALLED.search(arg.arg) else ""
    return context.imports.get(name, "")


def _is_annotated_session(annotation: ast.expr, context: FileContext) -> bool:
    if (annotated_type(context, annotation) or "").rpartition(".")[2] in _SESSION_TYPES:
        return True
    return any(isinstance(part, ast.Call) and last_name(part.func) == "Depends" and part.args
               and _SESSION_NAME.search(last_name(part.args[0])) is not None
               for part in descendants(annotation))  # fmt: skip


def _is_known(arg: ast.arg, annotation: ast.expr, context: FileContext) -> bool:
    if (annotated_type(context, annotation) or "").rpartition(".")[2] in _SESSION_TYPES:
        return True
    if isinstance(annotation, ast.Subscript) and last_name(annotation.value) == "Annotated":
        return _is_annotated_session(annotation, context)
    name = last_name(annotation)
    if _SESSION_NAME.search(arg.arg) and name.endswith(("Dep", "Deps", "Dependency", "Depends")):
        return True
    return name.endswith(("SessionDep", "DBSession", "DbSession", "DatabaseSession", "DbDep", "SessionDependency"))


@record
class Stream:
    """The stream that an endpoint answers with: where it begins, what it is, what it weighs, and the answer that is
    made (None for a websocket)."""

    line: int
    what: str
    severity: Severity
    answer: ast.Call | None = None


def stream_of(node: FunctionNode) -> Stream | None:
    """The stream that an endpoint answers with."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and last_name(decorator.func) in ("websocket", "websocket_route"):
            return Stream(decorator.lineno, "the websocket", "CRITICAL")
    for part in descendants(node):
        if isinstance(part, ast.Call) and last_name(part.func) in _STREAMS:
            name = last_name(part.func)
            events = name == "EventSourceResponse" or any(
                isinstance(text, ast.Constant) and text.value == "text/event-stream" for text in descendants(part)
            )
            if events:
                return Stream(part.lineno, "the event stream", "CRITICAL", part)
            return Stream(part.lineno, "the download", "HIGH", part)
    return None


def _on_background(node: FunctionNode, context: FileContext) -> None:
    """`background_tasks.add_task(send, db)`, `asyncio.create_task(send(db))`."""
    session = session_parameter(node, context) if function_role(node) == "router" else None
    if session is None or stream_of(node) is not None:
        return
    context.scopes.append(node)
    statement = context.statement
    for part in descendants(node):
        if not isinstance(part, ast.Call) or last_name(part.func) not in ("add_task", "create_task", "ensure_future"):
            continue
        values = [*part.args, *(word.value for word in part.keywords)]
        inner = [value for call in values if isinstance(call, ast.Call) for value in call.args]
        if any(isinstance(value, ast.Name) and value.id == session.arg for value in (*values, *inner)):
            context.statement = part
            context.report(
                INJECTION_RULE,
                part,
                f"`{session.arg}` belongs to the request and goes to a task that outlives the answer: by then it is "
                "closed, or it is held until the task ends",
                needs=needs_of(session, node, context),
                evidence=(Evidence(context.path, session.lineno, f"`{session.arg}` is injected for the request"),),
            )
    context.statement = statement
    context.scopes.pop()


factory_vs_injection = Rule(
    name=INJECTION_RULE,
    gate="none",
    severity="HIGH",
    skill=SKILL,
    sources=("PA-654-6",),
    catches="A session of the request that is handed to a background task.",
    why="The request closes its session when it is answered; the task then works with a closed one, or both use one "
    "session at the same time.",
    fix="Hand ids on, and let the task open a session of its own from the factory.",
    when="In FastAPI endpoints. A stream with an injected session is `streaming-resource-holding`.",
    watches=(
        Watch(
            (ast.FunctionDef, ast.AsyncFunctionDef),
            _on_background,
            (b"add_task", b"create_task", b"ensure_future"),
            is_product_path,
        ),
        Watch((ast.Assign, ast.AnnAssign), _on_alias, (b"Annotated[",), is_product_path, near=(b"Annotated[",)),
    ),
    holds=alias_holds,
    bad=Apart("persistence.resource_examples.INJECTION_BAD"),
    good=Apart("persistence.resource_examples.INJECTION_GOOD"),
)

RULES: tuple[Rule, ...] = (factory_vs_injection,)
