"""Rules of the skill resource-lifecycle-auditor about sessions that are held longer than they are used, and those that
an error leaves open."""

import ast

from skills.gates.analysis.execution import Execution, execution_of
from skills.gates.analysis.local_values import own_nodes
from skills.gates.analysis.sessions import unawaited
from skills.gates.analysis.transactions import waits_outside
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import function_role, is_product_path
from skills.gates.model import Evidence, Severity
from skills.gates.persistence.database_events import inside
from skills.gates.persistence.injected_sessions import alias_holds, needs_of, session_parameter, stream_of
from skills.gates.persistence.taken_resources import CLEANUP_RULE, SKILL, leak_of, made_elsewhere, made_name, taken
from skills.gates.rule import Apart, Rule, Watch

SCOPE_RULE, ERROR_RULE = "resource-scope-mismatch", "error-path-leak"
SMALLEST_SHARE = 0.2
MOST_LINES = 50


def _lines(function: FunctionNode, context: FileContext) -> list[int]:
    """The lines on which a statement of a function begins: blank lines and comments are none."""
    return sorted({part.lineno for part in own_nodes(function, context) if isinstance(part, ast.stmt)})


def _on_endpoint(node: FunctionNode, context: FileContext) -> None:
    """An injected session that is used for less than a fifth of its endpoint."""
    session = session_parameter(node, context) if function_role(node) == "router" else None
    if session is None or stream_of(node) is not None:
        return  # streams are streaming-resource-holding
    uses = [part.lineno for part in own_nodes(node, context) if isinstance(part, ast.Name) and part.id == session.arg]
    if not uses:
        return
    lines = _lines(node, context)
    first = lines[0] if lines else node.lineno
    total = (node.end_lineno or first) - first + 1
    first_use, last_use = min(uses), max(uses)
    if (last_use - first_use) / total >= SMALLEST_SHARE or _let_go(node, session.arg, last_use, context):
        return
    idle = [line for line in lines if not first_use <= line <= last_use]
    with inside(node, context):
        outside = _call_outside(node, first_use, last_use, context)
        if outside is None and len(idle) <= MOST_LINES:
            return
        links = [Evidence(context.path, first_use, "first use"), Evidence(context.path, last_use, "last use")]
        if outside is not None:
            links.append(Evidence(context.path, outside.lineno, "another service is called, the session is held"))
        context.report(
            SCOPE_RULE,
            session,
            f"`{session.arg}` is held for all of `{node.name}` and used in {last_use - first_use + 1} of {total} lines",
            severity="HIGH" if outside is not None else "MEDIUM",
            confidence="likely",
            needs=needs_of(session, node, context),
            evidence=tuple(links),
        )


def _let_go(function: FunctionNode, name: str, last_use: int, context: FileContext) -> bool:
    """True where the session gives its connection back with its last use."""
    return any(
        isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and last_name(part.func.value) == name
        and part.func.attr in ("close", "aclose", "commit", "rollback") and part.lineno >= last_use
        for part in own_nodes(function, context)
    )  # fmt: skip


def _call_outside(function: FunctionNode, first: int, last: int, context: FileContext) -> ast.Call | None:
    """A call to another service outside of the lines in which the session is used."""
    from skills.gates.analysis.waits import FILE, TREE

    for part in own_nodes(function, context):
        if isinstance(part, ast.stmt):
            context.statement = part
        elif isinstance(part, ast.Call) and not first <= part.lineno <= last:
            waits = waits_outside(part, context)
            if waits is not None and waits not in (FILE, TREE):
                context.statement = function
                return part
    context.statement = function
    return None


def _on_leak(node: FunctionNode, context: FileContext) -> None:
    with inside(node, context):
        for made in own_nodes(node, context):
            target = made_name(made) if isinstance(made, (ast.Assign, ast.AnnAssign)) else None
            if target is None:
                continue
            value = unawaited(made.value)  # type: ignore[attr-defined]
            found = taken(value, context) if isinstance(value, ast.Call) else None
            if found is None:
                continue
            name = target.id
            place = leak_of(node, name, context)
            if place is None:
                continue
            line, how = place
            kind, why = execution_of(context)
            context.statement = made
            context.report(
                ERROR_RULE,
                made,
                f"`{name}` is {found[0]} that stays open {how}",
                severity=_leak_severity(kind, how, found[1]),
                confidence="likely",
                needs=found[2],
                evidence=(Evidence(context.path, line, "here it is left open"), *((why,) if why else ())),
                also=(CLEANUP_RULE,),
            )


def _leak_severity(kind: Execution, how: str, worth: Severity) -> Severity:
    if worth == "MEDIUM":
        return "MEDIUM" if kind == "request_handler" else "LOW"  # a file
    if how.startswith("where whoever"):
        return "HIGH"
    return "HIGH" if kind == "request_handler" else "LOW" if kind in ("init", "cli") else "MEDIUM"


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

resource_scope_mismatch = Rule(
    name=SCOPE_RULE,
    gate="none",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PA-654-1",),
    catches="A session that is injected into an endpoint and used in less than a fifth of its lines, while another "
    "service "
    "is called or much else is done.",
    why="An injected session keeps its connection until the answer is sent: slow neighbours empty the pool for "
    "requests "
    "that need it.",
    fix="Open a session where it is used (`async with session_factory() as session:`), or commit as soon as the "
    "reads are "
    "done.",
    when="In FastAPI endpoints: HIGH where another service is called while it is held, MEDIUM where more than 50 "
    "lines do "
    "not use it. Streams are `streaming-resource-holding`.",
    watches=(Watch(_FUNCTIONS, _on_endpoint, (b"fastapi",), is_product_path),),
    holds=alias_holds,
    bad=Apart("persistence.session_scope_examples.SCOPE_BAD"),
    good=Apart("persistence.session_scope_examples.SCOPE_GOOD"),
)

error_path_leak = Rule(
    name=ERROR_RULE,
    gate="none",
    severity="HIGH",
    skill=SKILL,
    sources=("PA-654-5",),
    catches="Sessions, connections and files that the usual way closes and an error does not: `except` that returns or "
    "raises without closing, and generators that lend one without `finally`.",
    why="The way that leaks is the one that nobody tests: under errors the pool runs dry, and then everything fails.",
    fix="`with …:` around it, or `try: … finally: ….close()`.",
    when="In production code. HIGH in endpoints and for what a generator lends, MEDIUM elsewhere, LOW in code that "
    "runs "
    "once; files are one step less.",
    watches=(
        Watch(
            _FUNCTIONS,
            _on_leak,
            (b".close(", b".aclose(", b".release(", b".putconn(", b".disconnect("),
            is_product_path,
        ),
    ),
    holds=made_elsewhere,
    bad=Apart("persistence.session_scope_examples.ERRORS_BAD"),
    good=Apart("persistence.session_scope_examples.ERRORS_GOOD"),
)

RULES: tuple[Rule, ...] = (resource_scope_mismatch, error_path_leak)
