"""A rule of the skill transaction-correctness-auditor: a commit after whose failure nobody rolls back."""

import ast
from itertools import takewhile

from msgspec.structs import replace

from skills.gates.analysis.bindings import bindings
from skills.gates.analysis.execution import execution_of
from skills.gates.analysis.local_values import own_nodes
from skills.gates.analysis.sessions import is_session, unawaited
from skills.gates.analysis.transactions import SKILL, opens_transaction
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import calls_in, defaults_of, descendants, stands_in
from skills.gates.model import Candidate, Confidence, Evidence, FileReport, Severity
from skills.gates.persistence.database_events import Event, events_of, inside, session_text, statement_of
from skills.gates.project import Place, Project
from skills.gates.rule import Apart, Rule, Watch

RULE = "missing-rollback"
_TEARDOWNS = frozenset({"teardown_appcontext", "teardown_request", "teardown_app_request"})
_BROAD = frozenset(
    {"Exception", "BaseException", "SQLAlchemyError", "IntegrityError", "DBAPIError", "OperationalError",
     "DatabaseError", "Error", "StatementError", "DataError", ""}
)  # fmt: skip


def _on_function(node: FunctionNode, context: FileContext) -> None:
    if any(part.__class__ is ast.Yield for part in own_nodes(node, context)):
        _tell_provider(node, context)
    elif any(last_name(one) in _TEARDOWNS for one in node.decorator_list):
        _tell_removed(node, context)
    elif node.name in ("__exit__", "__aexit__"):
        _tell_unit(node, context)
    commits = [event for event in events_of(node, context) if event.kind == "commit"]
    if not commits:
        return
    with inside(node, context):
        for event in commits:
            if _judge_commit(node, event, context):
                break


def _tell_removed(node: FunctionNode, context: FileContext) -> None:
    """A fact for each session of the application that ends, and rolls back, with every request."""
    for part in own_nodes(node, context):
        if (
            isinstance(part, ast.Call)
            and isinstance(part.func, ast.Attribute)
            and part.func.attr in ("remove", "close")
        ):
            context.fact("ends-with-request", last_name(part.func.value), "", part.lineno)


def _tell_unit(node: FunctionNode, context: FileContext) -> None:
    """A fact for each class whose block ends with a commit."""
    owner = context.class_scope
    commit = next((part for part in own_nodes(node, context) if isinstance(part, ast.Call)
                   and last_name(part.func) == "commit"), None)  # fmt: skip
    if owner is not None and commit is not None:
        context.fact("commits-at-end", owner.name, "", commit.lineno)


def _tell_provider(node: FunctionNode, context: FileContext) -> None:
    """A fact for each function that lends a session: whether it rolls back where its borrower fails."""
    lent = [part for part in own_nodes(node, context) if isinstance(part, ast.Yield) and part.value is not None]
    if not any(is_session(part.value, context) for part in lent if part.value is not None):
        return
    calls = {last_name(part.func) for part in descendants(node) if isinstance(part, ast.Call)}
    context_managed = any(isinstance(part, (ast.With, ast.AsyncWith)) for part in own_nodes(node, context))
    closed = any(isinstance(part, ast.Try) and (part.finalbody or part.handlers) for part in own_nodes(node, context))
    safe = context_managed or (closed and bool(calls & {"rollback", "close", "aclose", "remove"}))
    context.fact("lends-session", "safe" if safe else "unsafe", node.name, node.lineno)
    for part in own_nodes(node, context):
        if isinstance(part, ast.Call) and last_name(part.func) == "commit" and part.lineno > lent[0].lineno:
            context.fact("commits-at-end", node.name, "", part.lineno)
            return
        if isinstance(part, (ast.With, ast.AsyncWith)) and stands_in(part.body, lent[0]):
            begun = next((item for item in part.items if opens_transaction(item.context_expr, context)), None)
            if begun is not None:
                context.fact("commits-at-end", node.name, "", part.lineno)
                return


def _judge_commit(function: FunctionNode, event: Event, context: FileContext) -> bool:
    """Reports a commit after whose failure nobody rolls back. True where it did."""
    call = event.node
    assert isinstance(call, ast.Call)
    session = session_text(call)
    state = _around(function, call, session, context)
    if state == "safe":
        return False
    owner = context.class_scope
    if owner is not None and _unit_of_work(owner):
        return False
    root = session.partition(".")[0]
    if session == "db.session" and state != "swallowed":
        return False  # Flask-SQLAlchemy ends its session, and with it the transaction, after each request
    if (context.resolve(call.func) or "").startswith("django.db."):
        return False  # Django rolls its own connection back
    lent = state != "swallowed" and not _made_here(function, root, context)
    injected = lent and root in _dependencies(function)
    kind, why = execution_of(context)
    asked = _provider(function, root) if injected else ""
    needs = (("lent", asked), *_shared_by(root, function, context)) if lent else ()
    severity: Severity = "LOW" if injected or kind in ("init", "cli") else "MEDIUM"
    confidence: Confidence = "needs_context" if injected else "likely" if lent else "confirmed"
    context.statement = statement_of(function, call, context)
    what = (
        "what fails here is caught without a rollback: the session stays broken"
        if state == "swallowed"
        else "nobody rolls back where this fails: the session stays broken for whoever uses it next"
    )
    context.report(
        RULE,
        call,
        f"`{session}.commit()`: {what}",
        severity=severity,
        confidence=confidence,
        needs=needs,
        evidence=(why,) if why else (),
    )
    return True


def _shared_by(name: str, function: FunctionNode, context: FileContext) -> tuple[tuple[str, str], ...]:
    """The session of the module or application that a name stands for: it may end with each request."""
    kind, _ = execution_of(context)
    is_own = name not in bindings(context, function) and kind not in ("background", "cli")
    return (("ends-with-request", name),) if is_own else ()


def _around(function: FunctionNode, call: ast.Call, session: str, context: FileContext) -> str:
    """What stands around a commit: "safe", "swallowed" (caught without a rollback), or "" nothing."""
    state = ""
    for part in own_nodes(function, context):
        if isinstance(part, (ast.With, ast.AsyncWith)) and stands_in(part.body, call):
            for item in part.items:
                bound = item.optional_vars
                if opens_transaction(item.context_expr, context):
                    return "safe"
                if isinstance(bound, ast.Name) and bound.id == session.partition(".")[0]:
                    return "safe"
                if last_name(item.context_expr) in (session.partition(".")[0], "closing", "aclosing"):
                    return "safe"
        if isinstance(part, ast.Try) and (stands_in(part.body, call) or stands_in(part.orelse, call)):
            ends = {last_name(one.func) for one in calls_in(part.finalbody)}
            if ends & {"rollback", "close", "aclose", "remove"} or any("rollback" in name for name in ends):
                return "safe"
            broad = [one for one in part.handlers if _catches_all(one)]
            if any("rollback" in last_name(one.func) for handler in part.handlers for one in calls_in(handler.body)):
                return "safe"
            if broad and not any(isinstance(one, ast.Raise) for one in descendants(broad[0])):
                state = "swallowed"
    return state


def _catches_all(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or last_name(kind) in _BROAD for kind in kinds)


def _unit_of_work(owner: ast.ClassDef) -> bool:
    """True for a class that ends its transaction itself."""
    return any(
        isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)) and part.name in ("__exit__", "__aexit__", "rollback")
        for part in owner.body
    )


def _made_here(function: FunctionNode, name: str, context: FileContext) -> bool:
    """True where the function makes the session itself."""
    for part in own_nodes(function, context):
        if isinstance(part, ast.Assign) and any(isinstance(one, ast.Name) and one.id == name for one in part.targets):
            return isinstance(unawaited(part.value), ast.Call)
    return False


def _dependencies(function: FunctionNode) -> set[str]:
    """The parameters that a framework fills."""
    found = set()
    for arg, default in defaults_of(function.args):
        hint = last_name(arg.annotation) if arg.annotation is not None else ""
        filled = isinstance(default, ast.Call) and last_name(default) == "Depends"
        if filled or hint == "Annotated" or hint.endswith("Dep"):
            found.add(arg.arg)
    return found


def _provider(function: FunctionNode, name: str) -> str:
    """The name of what a framework asks for a parameter: "get_db" for `db=Depends(get_db)`, "" where it says none."""
    for arg, default in defaults_of(function.args):
        for part in (default, arg.annotation) if arg.arg == name else ():
            for call in descendants(part) if part is not None else ():
                if isinstance(call, ast.Call) and last_name(call.func) == "Depends" and call.args:
                    return last_name(call.args[0])
    return ""


def _lenders(named: str, path: str, project: Project) -> list[Place]:
    """Who could have lent a session: those of the name that was asked for, else those that lie nearest."""
    known = [*project.named("lends-session", "safe"), *project.named("lends-session", "unsafe")]
    asked = [place for place in known if named and place[1].detail == named]
    near = asked or known
    depth = max((_shared(path, place[0]) for place in near), default=0)
    return [place for place in near if _shared(path, place[0]) == depth]


def _shared(one: str, other: str) -> int:
    """How many folders two paths share from the top."""
    pairs = zip(one.split("/")[:-1], other.split("/")[:-1], strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _rollback_holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """A session that others lend is safe where all that could have lent it roll back."""
    if not candidate.needs:
        return candidate
    said = dict(candidate.needs)
    if "ends-with-request" in said and project.named("ends-with-request", said["ends-with-request"]):
        return None
    lenders = _lenders(said["lent"], report.path, project)
    unsafe = [place for place in lenders if place[1].name == "unsafe"]
    if lenders and not unsafe:
        return None
    links = tuple(
        Evidence(path, fact.line, f"`{fact.detail}` lends a session and never rolls back") for path, fact in unsafe[:1]
    )
    severity = "MEDIUM" if unsafe and candidate.confidence == "needs_context" else candidate.severity or "MEDIUM"
    return replace(candidate, severity=severity, needs=(), evidence=(*candidate.evidence, *links))


missing_rollback = Rule(
    name=RULE,
    gate="none",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PA-652-4", "X-PA-5"),
    catches="`commit()` without a rollback where it fails: outside of `try` and context managers, or in a `try` that "
    "swallows the error.",
    why="After a failed flush or commit a session refuses every further query until it is rolled back; the next "
    "user of "
    "the session gets an error that is not its own.",
    fix="`with session.begin():` (async: `async with`), or `except: session.rollback(); raise`; or let the provider of "
    "the session do it.",
    when="In production code. MEDIUM, LOW in code that runs once and where a framework injects the session from a "
    "place "
    "that the project does not show. Not where what lends the session (by its name, else all that lie nearest) rolls "
    "back or closes it, and not with "
    "`with SessionLocal() as session`.",
    watches=(
        Watch(
            (ast.FunctionDef, ast.AsyncFunctionDef), _on_function, (b"commit", b"yield", b"teardown_"), is_product_path
        ),
    ),
    holds=_rollback_holds,
    bad=Apart("persistence.commit_order_examples.ROLLBACK_BAD"),
    good=Apart("persistence.commit_order_examples.ROLLBACK_GOOD"),
)


RULES: tuple[Rule, ...] = (missing_rollback,)
