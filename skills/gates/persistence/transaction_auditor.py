"""Rules of the skill transaction-correctness-auditor: what does not belong inside a transaction."""

import ast
from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from skills.gates.analysis.call_targets import names_elsewhere
from skills.gates.analysis.queries import OR_CREATE
from skills.gates.analysis.transactions import (
    HELD,
    SCOPE,
    SKILL,
    first_time,
    opens_transaction,
    shown_call,
    sleeps,
    waits_outside,
)
from skills.gates.analysis.waits import FILE, HTTP, NETWORK, TREE
from skills.gates.analysis.waits_behind import waits_behind
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import CHILDREN, descendants
from skills.gates.model import Candidate, Evidence, FileReport
from skills.gates.project import Project
from skills.gates.rule import Apart, Rule, Watch

TASK_RULE = "task-before-commit"
ERROR_RULE = "swallowed-db-error"
_BLOCKS = "transactions: what runs inside a block"

_MOST_LINES = 50
_TASKS = frozenset({"delay", "apply_async", "send_task", "enqueue", "enqueue_in", "enqueue_at", "enqueue_job"})
_ERRORS = frozenset({"IntegrityError", "DatabaseError", "OperationalError", "DataError", "ProgrammingError",
                     "SQLAlchemyError", "DBAPIError"})  # fmt: skip


Block = tuple[ast.AST, list[ast.stmt]]
Needs = tuple[tuple[str, str], ...]


def _of_with(node: ast.With | ast.AsyncWith, context: FileContext) -> Block | None:
    for item in node.items:
        if opens_transaction(item.context_expr, context):
            return item.context_expr, node.body
    return None


def _of_function(node: FunctionNode, context: FileContext) -> Block | None:
    for decorator in node.decorator_list:
        if opens_transaction(decorator, context):
            return decorator, node.body
    return None


def _inside(body: list[ast.stmt], context: FileContext) -> list[ast.AST]:
    """The statements and calls that run inside a block: not the bodies of functions and lambdas. Several rules ask."""
    known: dict[ast.stmt, list[ast.AST]] = context.memo.setdefault(_BLOCKS, {})  # type: ignore[assignment]
    found = known.get(body[0])
    if found is not None:
        return found
    found = known[body[0]] = []
    stack: list[Any] = body[::-1]
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.stmt, ast.Call)):
            found.append(node)
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            for name in CHILDREN[node.__class__]:
                value = getattr(node, name)
                if value.__class__ is list:
                    stack += value[::-1]
                elif value is not None:
                    stack.append(value)
    return found


def _watching(judge: Callable[[Block, FileContext], None]) -> Callable[[ast.AST, FileContext], None]:
    """A callback for blocks and functions that are transactions; what an outer one saw is not seen again."""

    def on_node(node: ast.AST, context: FileContext) -> None:
        if isinstance(node, (ast.With, ast.AsyncWith)):
            judge_block = _of_with(node, context)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            judge_block = _of_function(node, context)
        else:
            return
        if judge_block is None:
            return
        entered = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        if entered:
            context.scopes.append(node)  # type: ignore[arg-type]
        statement = context.statement
        try:
            judge(judge_block, context)
        finally:
            context.statement = statement
            if entered:
                context.scopes.pop()

    return on_node


def _begun(opener: ast.AST, context: FileContext) -> tuple[Evidence, ...]:
    line: int = opener.lineno  # type: ignore[attr-defined]
    return (Evidence(context.path, line, f"the transaction begins: {context.lines[line - 1].strip()[:100]}"),)


def _calls(body: list[ast.stmt], context: FileContext) -> Iterator[ast.Call]:
    """The calls of a block, each with its own statement as the current one."""
    for node in _inside(body, context):
        if isinstance(node, ast.stmt):
            context.statement = node
        elif isinstance(node, ast.Call):
            yield node


def _unsaid(rule: str, node: ast.AST, needs: Needs, context: FileContext) -> bool:
    """True where nothing was said of a node: what the project has yet to confirm keeps nobody from saying it."""
    return first_time(f"{rule} if {needs}" if needs else rule, node, context)


def _judge_scope(block: Block, context: FileContext, needs: Needs = ()) -> None:
    """Reports what a block waits for outside the database. `needs` say what the project must tell of its opener."""
    opener, body = block
    for call in _calls(body, context):
        waits = waits_outside(call, context)
        behind = waits_behind(call, context) if waits is None else None
        if behind is not None:
            waits = behind[0]
        if waits is None:
            if not needs:
                _ask_elsewhere(call, opener, context)
            continue
        if not _unsaid(SCOPE, call, needs, context):
            continue
        file = waits in (FILE, TREE)
        context.report(
            SCOPE,
            call,
            f"`{shown_call(call)}` {waits.what} while a transaction is open: its locks and its connection wait too",
            severity="MEDIUM" if file else "HIGH",
            confidence="likely" if behind is not None or needs else "confirmed",
            needs=needs,
            evidence=(*_begun(opener, context), *((behind[1],) if behind is not None else ())),
            also=() if file else (HELD,),
        )


def _ask_elsewhere(call: ast.Call, opener: ast.AST, context: FileContext) -> None:
    """A candidate for a call of a function of another file: whether that waits for another service is asked later."""
    kinds = ("waits", "awaits") if isinstance(context.parent(call), ast.Await) else ("waits",)
    needs = tuple((kind, name) for name in names_elsewhere(call, context) for kind in kinds)
    if needs and _unsaid(SCOPE, call, needs, context):
        begun = _begun(opener, context)
        context.report(
            SCOPE, call, f"`{shown_call(call)}`", severity="HIGH", confidence="likely", needs=needs, evidence=begun,
            also=(HELD,),
        )  # fmt: skip


def _waits_elsewhere(candidate: Candidate, project: Project) -> Candidate | None:
    from skills.gates.runtime.blocking_hops import function_elsewhere  # needed by the audit only

    for kind, name in candidate.needs:
        found = function_elsewhere(kind, name, project)
        if found is not None and found[1].detail.endswith((HTTP.what, NETWORK.what)):
            path, fact = found
            link = Evidence(path, fact.line, f"`{fact.name}` {fact.detail}")
            message = f"{candidate.message} {fact.detail} while a transaction is open: locks and connection wait too"
            return replace(candidate, message=message, needs=(), evidence=(*candidate.evidence, link))
    return None


def _on_client(node: ast.AsyncFunctionDef, context: FileContext) -> None:
    from skills.gates.persistence.open_transactions import tell_outside

    tell_outside(node, context)


def _on_borrowed(node: ast.With | ast.AsyncWith, context: FileContext) -> None:
    """Candidates for `with session_scope() as session:`: whether what lends the session commits is asked later."""
    from skills.gates.persistence.open_transactions import lender_of  # needed by the audit only

    lender = lender_of(node, context)
    if lender is not None:
        statement, needs = context.statement, (("commits-at-end", last_name(lender)),)
        _judge_scope((lender, node.body), context, needs)
        _judge_length((lender, node.body), context, needs)
        context.statement = statement


def _borrowed_holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """A block that borrows a session is a transaction where what lends it commits at the end; a function of another
    file is to be one that waits."""
    if not candidate.needs:
        return candidate
    if candidate.needs[0][0] != "commits-at-end":
        return _waits_elsewhere(candidate, project)
    lenders = project.named("commits-at-end", candidate.needs[0][1])
    if not lenders:
        return None
    path, fact = lenders[0]
    link = Evidence(path, fact.line, f"`{fact.name}` commits at the end of the block")
    return replace(candidate, needs=(), evidence=(*candidate.evidence, link))


def _on_session(node: FunctionNode, context: FileContext) -> None:
    from skills.gates.persistence.open_transactions import (
        on_function,  # it is built on this file, and needed by the audit only
    )

    on_function(node, context)


def _judge_length(block: Block, context: FileContext, needs: Needs = ()) -> None:
    """Reports sleeps in a block, and a block that is long. `needs` say what the project must tell of its opener."""
    opener, body = block
    for call in _calls(body, context):
        if sleeps(call, context) and _unsaid(HELD, call, needs, context):
            message = f"`{shown_call(call)}` sleeps while a transaction is open: its locks and its connection sleep too"
            context.report(HELD, call, message, severity="HIGH", needs=needs, evidence=_begun(opener, context))
    lines = {node.lineno for node in _inside(body, context) if isinstance(node, ast.stmt)}
    if len(lines) > _MOST_LINES and _unsaid(HELD, opener, needs, context):
        context.statement = body[0]
        message = f"The transaction goes over {len(lines)} statements: it holds its locks through all of them"
        context.report(HELD, opener, message, severity="MEDIUM", needs=needs)


def _judge_tasks(block: Block, context: FileContext) -> None:
    opener, body = block
    for call in _calls(body, context):
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in _TASKS:
            continue
        if first_time(TASK_RULE, call, context):
            message = f"`{shown_call(call)}` queues a task before the commit: a fast worker does not find the rows"
            context.report(TASK_RULE, call, message, evidence=_begun(opener, context))


def _judge_errors(block: Block, context: FileContext) -> None:
    opener, body = block
    for node in _inside(body, context):
        if not isinstance(node, ast.Try) or _protected(node, context):
            continue
        for handler in node.handlers:
            caught = _database_errors(handler, context)
            if caught and not _gives_up(handler) and first_time(ERROR_RULE, handler, context):
                context.statement = handler
                context.report(
                    ERROR_RULE,
                    handler,
                    f"`{caught}` is caught inside the transaction that it broke: every later query of it fails",
                    evidence=_begun(opener, context),
                )


def _protected(node: ast.Try, context: FileContext) -> bool:
    """True where every statement of a `try` has a savepoint of its own, or asks nothing of the database."""
    for statement in node.body:
        if isinstance(statement, (ast.With, ast.AsyncWith)) and any(
            opens_transaction(item.context_expr, context)
            or last_name(item.context_expr) in ("begin_nested", "savepoint")
            for item in statement.items
        ):
            continue
        calls = [last_name(part.func) for part in descendants(statement) if isinstance(part, ast.Call)]
        if any(name not in OR_CREATE for name in calls) and not OR_CREATE.intersection(calls):
            return False
    return True


def _database_errors(handler: ast.ExceptHandler, context: FileContext) -> str:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type] if handler.type else []
    for kind in kinds:
        package = (context.resolve(kind) or "").partition(".")[0]
        if last_name(kind) in _ERRORS and package in (
            "django",
            "sqlalchemy",
            "psycopg2",
            "psycopg",
            "asyncpg",
            "sqlite3",
        ):
            return last_name(kind)
    return ""


def _gives_up(handler: ast.ExceptHandler) -> bool:
    """True where the handler raises, or rolls back."""
    return any(
        isinstance(part, ast.Raise)
        or (isinstance(part, ast.Call) and last_name(part.func) in ("set_rollback", "rollback", "savepoint_rollback"))
        for statement in handler.body
        for part in descendants(statement)
    )


_NODES = (ast.With, ast.AsyncWith, ast.FunctionDef, ast.AsyncFunctionDef)
_BORROWS = (b" as session", b" as db", b" as s:", b" as uow", b" as conn", b" as tx", b" as sess", b"_session:")
_BEGINS = (b"atomic", b".begin()", b".transaction()", b"in_transaction(")

scope_too_wide = Rule(
    name=SCOPE,
    gate="none",
    severity="HIGH",
    skill=SKILL,
    sources=("PA-652-2",),
    catches="Calls to other services, and work on files, inside `transaction.atomic()` or `session.begin()`, and "
    "between "
    "a session's write and its commit.",
    why="Rows stay locked and a connection stays taken for as long as the other side needs; and what was sent cannot "
    "be rolled back with the rest.",
    fix="Call before the transaction begins or after it ended (`transaction.on_commit`); keep only writes inside.",
    when="In production code. HIGH for other services, MEDIUM for files. Functions handed to `on_commit` are fine.",
    watches=(
        Watch(_NODES, _watching(_judge_scope), _BEGINS, is_product_path),
        Watch((ast.With, ast.AsyncWith), _on_borrowed, _BORROWS, is_product_path, near=_BORROWS),
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_session, (b"commit(", b"flush("), is_product_path),
        Watch((ast.AsyncFunctionDef,), _on_client, (b"httpx", b"aiohttp", b"aiosmtplib"), is_product_path),
    ),
    holds=_borrowed_holds,
    bad=Apart("persistence.transaction_examples.WIDE_BAD", "persistence.transaction_examples.IMPLICIT_BAD"),
    good=Apart("persistence.transaction_examples.WIDE_GOOD", "persistence.transaction_examples.IMPLICIT_GOOD"),
)

long_held_transaction = Rule(
    name=HELD,
    gate="none",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PA-652-5",),
    catches="Transactions that sleep, and transactions of more than 50 statements.",
    why="Whoever wants the same rows waits until the end, and so does vacuum; under load the pool runs dry.",
    fix="Prepare before, write inside, do the rest after; retry around a transaction, never in it.",
    when="In production code. HIGH for a sleep, MEDIUM for length. A call to another service is `scope-too-wide`.",
    watches=(
        Watch(_NODES, _watching(_judge_length), _BEGINS, is_product_path),
        Watch((), _on_session, (b"commit(", b"flush("), is_product_path),  # found with scope-too-wide
    ),
    holds=_borrowed_holds,
    bad=Apart("persistence.transaction_examples.LONG_BAD"),
    good=Apart("persistence.transaction_examples.LONG_GOOD"),
)

task_before_commit = Rule(
    name=TASK_RULE,
    gate="none",
    severity="HIGH",
    skill=SKILL,
    sources=("D31",),
    catches="Tasks that are queued (`.delay()`, `.apply_async()`, `enqueue`) inside a transaction.",
    why="The worker can be faster than the commit and then does not find the rows; after a rollback the task runs for "
    "what never happened.",
    fix="`transaction.on_commit(lambda: task.delay(pk))`, or Celery's `delay_on_commit`; with SQLAlchemy queue after "
    "the `begin()` block.",
    when="In production code, inside `transaction.atomic` or `session.begin()`.",
    watches=(Watch(_NODES, _watching(_judge_tasks), _BEGINS, is_product_path),),
    bad=Apart("persistence.transaction_examples.TASK_BAD"),
    good=Apart("persistence.transaction_examples.TASK_GOOD"),
)

swallowed_db_error = Rule(
    name=ERROR_RULE,
    gate="none",
    severity="HIGH",
    skill=SKILL,
    sources=("D31",),
    catches="Database errors that are caught inside a transaction without a savepoint around the query.",
    why="PostgreSQL refuses every query after an error until the rollback, and Django says so "
    "(TransactionManagementError): what follows fails, far from the cause.",
    fix="Put the query that may fail into its own `with transaction.atomic():` (SQLAlchemy: `session.begin_nested()`) "
    "inside the `try`, or catch outside the transaction.",
    when="In production code, where the handler neither raises nor rolls back. `get_or_create` has its own savepoint.",
    watches=(Watch(_NODES, _watching(_judge_errors), (b"Error",), is_product_path),),
    bad=Apart("persistence.transaction_examples.SWALLOWED_BAD"),
    good=Apart("persistence.transaction_examples.SWALLOWED_GOOD"),
)

RULES: tuple[Rule, ...] = (scope_too_wide, long_held_transaction, task_before_commit, swallowed_db_error)
