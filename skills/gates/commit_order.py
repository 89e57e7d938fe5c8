"""Rules of the skill transaction-correctness-auditor about commits: what follows a failed one, and what an early one
tears apart."""

import ast
import itertools
from collections.abc import Iterator

from skills.gates.commit_order_examples import NARROW, ROLLBACK
from skills.gates.context import FileContext, FunctionNode
from skills.gates.execution import execution_of, is_product_path
from skills.gates.loops import blocks, local_nodes
from skills.gates.model import Candidate, Confidence, Evidence, FileReport, Severity
from skills.gates.names import last_name
from skills.gates.persistence import (
    Event,
    events_of,
    inside,
    is_session,
    names_in,
    nodes_of,
    session_text,
    statement_of,
    unawaited,
)
from skills.gates.project import Project
from skills.gates.rule import Rule, Watch
from skills.gates.syntax import descendants
from skills.gates.transaction_auditor import SKILL, opens_transaction, waits_outside

ROLLBACK_RULE, NARROW_RULE = "missing-rollback", "scope-too-narrow"
_BROAD = frozenset(
    {"Exception", "BaseException", "SQLAlchemyError", "IntegrityError", "DBAPIError", "OperationalError",
     "DatabaseError", "Error", "StatementError", "DataError", ""}
)  # fmt: skip
_LEAVES = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_QUEUES = frozenset({"delay", "apply_async", "send_task", "enqueue", "enqueue_job", "publish"})


# -- missing-rollback --


def _on_function(node: FunctionNode, context: FileContext) -> None:
    if any(part.__class__ is ast.Yield for part in nodes_of(node, context)):
        _tell_provider(node, context)
    commits = [event for event in events_of(node, context) if event.kind == "commit"]
    if not commits:
        return
    with inside(node, context):
        for event in commits:
            if _judge_commit(node, event, context):
                break


def _tell_provider(node: FunctionNode, context: FileContext) -> None:
    """A fact for each function that lends a session: whether it rolls back where its borrower fails."""
    lent = [part for part in local_nodes(node) if isinstance(part, ast.Yield) and part.value is not None]
    if not any(is_session(part.value, context) for part in lent if part.value is not None):
        return
    calls = {last_name(part.func) for part in descendants(node) if isinstance(part, ast.Call)}
    context_managed = any(isinstance(part, ast.With | ast.AsyncWith) for part in local_nodes(node))
    closed = any(isinstance(part, ast.Try) and (part.finalbody or part.handlers) for part in local_nodes(node))
    safe = context_managed or (closed and bool(calls & {"rollback", "close", "aclose", "remove"}))
    context.fact("lends-session", "safe" if safe else "unsafe", node.name, node.lineno)


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
    lent = state != "swallowed" and not _made_here(function, root, context)
    injected = lent and root in _dependencies(function)
    kind, why = execution_of(context)
    severity: Severity = "LOW" if injected or kind in ("init", "cli") else "MEDIUM"
    confidence: Confidence = "needs_context" if injected else "likely" if lent else "confirmed"
    context.statement = statement_of(function, call)
    what = (
        "what fails here is caught without a rollback: the session stays broken"
        if state == "swallowed"
        else "nobody rolls back where this fails: the session stays broken for whoever uses it next"
    )
    context.report(
        ROLLBACK_RULE,
        call,
        f"`{session}.commit()`: {what}",
        severity=severity,
        confidence=confidence,
        needs=(("lent", "1"),) if lent else (),
        evidence=(why,) if why else (),
    )
    return True


def _around(function: FunctionNode, call: ast.Call, session: str, context: FileContext) -> str:
    """What stands around a commit: "safe", "swallowed" (caught without a rollback), or "" nothing."""
    state = ""
    for part in local_nodes(function):
        if isinstance(part, ast.With | ast.AsyncWith) and _holds(part.body, call):
            for item in part.items:
                bound = item.optional_vars
                if opens_transaction(item.context_expr, context):
                    return "safe"
                if isinstance(bound, ast.Name) and bound.id == session.partition(".")[0]:
                    return "safe"
                if last_name(item.context_expr) in (session.partition(".")[0], "closing", "aclosing"):
                    return "safe"
        if isinstance(part, ast.Try) and (_holds(part.body, call) or _holds(part.orelse, call)):
            ends = {last_name(one.func) for one in _calls(part.finalbody)}
            if ends & {"rollback", "close", "aclose", "remove"} or any("rollback" in name for name in ends):
                return "safe"
            broad = [one for one in part.handlers if _catches_all(one)]
            if any("rollback" in last_name(one.func) for handler in part.handlers for one in _calls(handler.body)):
                return "safe"
            if broad and not any(isinstance(one, ast.Raise) for one in descendants(broad[0])):
                state = "swallowed"
    return state


def _calls(body: list[ast.stmt]) -> Iterator[ast.Call]:
    for statement in body:
        yield from (part for part in descendants(statement) if isinstance(part, ast.Call))


def _holds(body: list[ast.stmt], node: ast.AST) -> bool:
    line: int = node.lineno  # type: ignore[attr-defined]
    return bool(body) and body[0].lineno <= line <= (body[-1].end_lineno or 0)


def _catches_all(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or last_name(kind) in _BROAD for kind in kinds)


def _unit_of_work(owner: ast.ClassDef) -> bool:
    """True for a class that ends its transaction itself."""
    return any(
        isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.name in ("__exit__", "__aexit__", "rollback")
        for part in owner.body
    )


def _made_here(function: FunctionNode, name: str, context: FileContext) -> bool:
    """True where the function makes the session itself."""
    for part in local_nodes(function):
        if isinstance(part, ast.Assign) and any(isinstance(one, ast.Name) and one.id == name for one in part.targets):
            return isinstance(unawaited(part.value), ast.Call)
    return False


def _dependencies(function: FunctionNode) -> set[str]:
    """The parameters that a framework fills."""
    arguments = function.args
    plain = [*arguments.posonlyargs, *arguments.args]
    given = dict(zip(reversed(plain), reversed(arguments.defaults), strict=False))
    given.update((arg, value) for arg, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value)
    found = {arg.arg for arg, value in given.items() if isinstance(value, ast.Call) and last_name(value) == "Depends"}
    for arg in (*plain, *arguments.kwonlyargs):
        hint = last_name(arg.annotation) if arg.annotation is not None else ""
        if hint == "Annotated" or hint.endswith("Dep"):
            found.add(arg.arg)
    return found


def _rollback_holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """A session that others lend is safe where all that lend one roll back."""
    if not candidate.needs:
        return candidate
    if project.has("lends-session", "safe") and not project.has("lends-session", "unsafe"):
        return None
    unsafe = project.named("lends-session", "unsafe")
    links = tuple(
        Evidence(path, fact.line, f"`{fact.detail}` lends a session and never rolls back") for path, fact in unsafe[:1]
    )
    severity: Severity = (
        "MEDIUM" if unsafe and candidate.confidence == "needs_context" else candidate.severity or "MEDIUM"
    )
    return Candidate(
        candidate.rule, candidate.line, candidate.column, candidate.end_line, candidate.end_column, candidate.symbol,
        candidate.message, candidate.fingerprint, candidate.confidence, severity,
        evidence=(*candidate.evidence, *links),
    )  # fmt: skip


# -- scope-too-narrow --


def _on_pairs(node: FunctionNode, context: FileContext) -> None:
    events = events_of(node, context)
    commits = [event for event in events if event.kind == "commit"]
    with inside(node, context):
        if len(commits) > 1:
            _judge_pairs(node, events, commits, context)
        _judge_atomic(node, context)


def _judge_pairs(function: FunctionNode, events: list[Event], commits: list[Event], context: FileContext) -> None:
    for first, second in itertools.pairwise(commits):
        if first.name != second.name or not _on_one_path(function, first.node, second.node):
            continue
        before = [event for event in events if event.line <= first.line]
        between = [event for event in events if first.line < event.line <= second.line]
        if _goes_outside(function, first.line, second.line, context):
            continue
        torn = _torn(function, before, between, _created(function, first.line))
        if torn is None:
            continue
        name, severity, line = torn
        kind, why = execution_of(context)
        context.statement = statement_of(function, first.node)
        context.report(
            NARROW_RULE,
            first.node,
            f"`{name}` is committed here and what belongs to it in line {line} only with the next commit: a failure "
            "in between leaves half of it",
            severity="LOW" if kind == "init" else severity,
            confidence="likely",
            evidence=(Evidence(context.path, second.line, "the second commit"), *((why,) if why else ())),
        )
        return


def _created(function: FunctionNode, line: int) -> set[str]:
    """The names of rows that `create` made before a line."""
    return {
        target.id
        for part in local_nodes(function)
        if isinstance(part, ast.Assign) and part.lineno <= line and _creates(part.value)
        for target in part.targets
        if isinstance(target, ast.Name)
    }


def _torn(
    function: FunctionNode, before: list[Event], between: list[Event], created: set[str]
) -> tuple[str, Severity, int] | None:
    """(what was written before, severity, line of what belongs to it) of a unit that two commits tear apart."""
    made = {event.name for event in before if event.kind == "add" and event.name} | created
    changed = {event.name for event in before if event.kind == "set"} - made
    for event in between:
        if event.kind == "add" or (event.kind == "write" and event.write is not None and event.write.kind == "insert"):
            used = _used(function, event)
            parents = sorted(made & used)
            if parents and event.name not in made:
                return parents[0], "HIGH", event.line
            related = sorted(changed & used)
            if related and event.name not in changed:
                return related[0], "MEDIUM", event.line
    earlier = {(_attribute(event), event.name) for event in before if event.kind == "set"}
    for event in between:
        if event.kind == "set" and _attribute(event) in ("balance", "amount", "stock", "quantity", "credits", "points"):
            other = next(
                (name for attribute, name in earlier if attribute == _attribute(event) and name != event.name), None
            )
            if other:
                return other, "MEDIUM", event.line
    return None


def _attribute(event: Event) -> str:
    node = event.node
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return target.attr if isinstance(target, ast.Attribute) else ""


def _used(function: FunctionNode, event: Event) -> set[str]:
    """The names that a write mentions, those of the expression that made its object included."""
    found = names_in(event.node)
    for part in local_nodes(function):
        if (
            isinstance(part, ast.Assign)
            and event.name
            and part.lineno <= event.line
            and any(isinstance(one, ast.Name) and one.id == event.name for one in part.targets)
        ):
            found |= names_in(part.value)
    return found - {event.name}


def _on_one_path(function: FunctionNode, first: ast.AST, second: ast.AST) -> bool:
    """True where whoever comes to the second commit may have run the first: not where that block leaves."""
    if first is second:
        return False
    for block in blocks(function.body):
        inside_first = [
            place for place, statement in enumerate(block) if any(part is first for part in descendants(statement))
        ]
        if not inside_first:
            continue
        here = block[inside_first[0]]
        if isinstance(here, ast.If | ast.Try | ast.Match) and not any(part is second for part in descendants(here)):
            holder = next((one for one in blocks([here]) if any(first is part for s in one for part in descendants(s))
                           and one != [here]), [])  # fmt: skip
            inner = [
                one for one in blocks([here]) if one and any(first is part for s in one for part in descendants(s))
            ]
            holder = inner[-1] if inner else holder
            if any(isinstance(statement, _LEAVES) for statement in holder):
                return False
        if isinstance(here, ast.If) and any(part is second for part in descendants(here)):
            in_body = any(part is first for statement in here.body for part in descendants(statement))
            other = here.orelse if in_body else here.body
            if any(part is second for statement in other for part in descendants(statement)):
                return False
    return True


def _goes_outside(function: FunctionNode, first: int, last: int, context: FileContext) -> bool:
    """True where another service is called, or a task is queued, between two lines."""
    for part in local_nodes(function):
        between = isinstance(part, ast.Call) and first < part.lineno <= last
        if isinstance(part, ast.Call) and between and _is_outside(part, context):
            return True
    return False


def _is_outside(call: ast.Call, context: FileContext) -> bool:
    return waits_outside(call, context) is not None or last_name(call.func) in _QUEUES


def _judge_atomic(function: FunctionNode, context: FileContext) -> None:
    """Two `transaction.atomic()` blocks after each other, of which the second needs a row of the first."""
    for block in blocks(function.body):
        atomic = [one for one in block if isinstance(one, ast.With | ast.AsyncWith)
                  and any(last_name(item.context_expr) == "atomic" and opens_transaction(item.context_expr, context)
                          for item in one.items)]  # fmt: skip
        for first, second in itertools.pairwise(atomic):
            made = {
                target.id
                for part in descendants(first)
                if isinstance(part, ast.Assign) and _creates(part.value)
                for target in part.targets
                if isinstance(target, ast.Name)
            }
            for part in _calls(second.body):
                if (
                    made & names_in(part)
                    and _creates(part)
                    and not _goes_outside(function, first.end_lineno or first.lineno, second.lineno, context)
                ):
                    name = sorted(made & names_in(part))[0]
                    context.statement = second
                    context.report(
                        NARROW_RULE,
                        second.items[0].context_expr,
                        f"`{name}` is committed in a transaction of its own, and what belongs to it in the next one: a "
                        "failure in between leaves half of it",
                        severity="HIGH",
                        confidence="likely",
                        evidence=(Evidence(context.path, first.lineno, "the first transaction"),),
                    )
                    return


def _creates(node: ast.expr) -> bool:
    call = unawaited(node)
    return isinstance(call, ast.Call) and last_name(call.func) in ("create", "acreate", "save", "bulk_create", "add")


missing_rollback = Rule(
    name=ROLLBACK_RULE,
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
    "that the project does not show. Not where everything that lends a session rolls back or closes it, and not with "
    "`with SessionLocal() as session`.",
    watches=(Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_function, (b"commit", b"yield"), is_product_path),),
    holds=_rollback_holds,
    bad=ROLLBACK[0],
    good=ROLLBACK[1],
)

scope_too_narrow = Rule(
    name=NARROW_RULE,
    gate="none",
    severity="HIGH",
    skill=SKILL,
    sources=("PA-652-3",),
    catches="Two commits in one function of which the second writes what belongs to a row of the first; two "
    "`transaction.atomic()` blocks alike.",
    why="What fails in between leaves a parent without its children, a status without its log entry, a debit "
    "without its "
    "credit.",
    fix="`flush()` where the key is needed, and one commit at the end; one `atomic()` block around both.",
    when="In production code: HIGH for parent and child, MEDIUM for related updates. Not where another service is "
    "called "
    "or a task is queued in between.",
    watches=(Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_pairs, (b"commit", b"atomic"), is_product_path),),
    bad=NARROW[0],
    good=NARROW[1],
)

RULES: tuple[Rule, ...] = (missing_rollback, scope_too_narrow)
