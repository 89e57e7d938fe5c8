"""A rule of the skill transaction-correctness-auditor: commits that tear apart what belongs together."""

import ast
import itertools
from collections.abc import Iterator

from skills.gates.analysis.execution import execution_of, lowered
from skills.gates.analysis.local_values import own_nodes
from skills.gates.analysis.loops import blocks
from skills.gates.analysis.sessions import unawaited
from skills.gates.analysis.transactions import SKILL, opens_transaction, waits_outside
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import LEAVING, calls_in, descendants, names_in
from skills.gates.model import Evidence, Severity
from skills.gates.persistence.database_events import Event, events_of, inside, statement_of
from skills.gates.rule import Apart, Rule, Watch

RULE = "scope-too-narrow"
_QUEUES = frozenset({"delay", "apply_async", "send_task", "enqueue", "enqueue_job", "publish"})


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
        torn = _torn(function, before, between, _created(function, first.line, context), context)
        if torn is None:
            continue
        name, severity, line = torn
        kind, why = execution_of(context)
        severity, links = lowered(severity, kind, why, context)
        context.statement = statement_of(function, first.node, context)
        context.report(
            RULE,
            first.node,
            f"`{name}` is committed here and what belongs to it in line {line} only with the next commit: a failure "
            "in between leaves half of it",
            severity=severity,
            confidence="likely",
            evidence=(Evidence(context.path, second.line, "the second commit"), *links),
        )
        return


def _created(function: FunctionNode, line: int, context: FileContext) -> set[str]:
    """The names of rows that `create` made before a line."""
    return {
        target.id
        for part in own_nodes(function, context)
        if isinstance(part, ast.Assign) and part.lineno <= line and _creates(part.value)
        for target in part.targets
        if isinstance(target, ast.Name)
    }


def _torn(
    function: FunctionNode, before: list[Event], between: list[Event], created: set[str], context: FileContext
) -> tuple[str, Severity, int] | None:
    """(what was written before, severity, line of what belongs to it) of a unit that two commits tear apart."""
    made = {event.name for event in before if event.kind == "add" and event.name} | created
    changed = {event.name for event in before if event.kind == "set"} - made
    changed |= {name for event in before for name in _updated_key(event)}
    for event in between:
        if event.kind == "add" or (event.kind == "write" and event.write is not None and event.write.kind == "insert"):
            used = _used(function, event, context)
            parents = sorted(made & used)
            if parents and event.name not in made:
                return parents[0], "HIGH", event.line
            related = sorted(changed & used)
            if related and event.name not in changed:
                return related[0], "MEDIUM", event.line
    earlier = {(_attribute(event), event.name) for event in before if _moves(event)}
    for event in between:
        if _moves(event) and _attribute(event) in ("balance", "amount", "stock", "quantity", "credits", "points"):
            other = next(
                (name for attribute, name in earlier if attribute == _attribute(event) and name != event.name), None
            )
            if other:
                return other, "MEDIUM", event.line
    return None


def _updated_key(event: Event) -> Iterator[str]:
    """The name in `update(Model).where(Model.id == name)`."""
    if event.kind != "write" or event.write is None or event.write.kind != "update":
        return
    for part in descendants(event.node):
        if isinstance(part, ast.Compare) and isinstance(part.left, ast.Attribute) and part.left.attr in ("id", "pk"):
            yield from (side.id for side in part.comparators if isinstance(side, ast.Name))


def _attribute(event: Event) -> str:
    node = event.node
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return target.attr if isinstance(target, ast.Attribute) else ""


def _moves(event: Event) -> bool:
    """True for `row.amount -= x` and `row.amount = row.amount - x`: what is taken here is given elsewhere."""
    node = event.node
    if event.kind != "set" or isinstance(node, ast.AugAssign):
        return event.kind == "set"
    of = _attribute(event)
    return isinstance(node, ast.Assign) and any(
        isinstance(part, ast.Attribute) and part.attr == of for part in descendants(node.value)
    )


def _used(function: FunctionNode, event: Event, context: FileContext) -> set[str]:
    """The names that a write mentions, those of the expressions that made its object included, and of what its fields
    are given where it was not read from the database."""
    found = names_in(event.node)
    fields: set[str] = set()
    is_read = False
    for part in own_nodes(function, context):
        if not isinstance(part, ast.Assign) or not event.name or part.lineno > event.line:
            continue
        if any(isinstance(one, ast.Name) and one.id == event.name for one in part.targets):
            found |= names_in(part.value)
            is_read = is_read or not last_name(unawaited(part.value) or part.value)[:1].isupper()
        elif any(isinstance(one, ast.Attribute) and last_name(one.value) == event.name for one in part.targets):
            fields |= names_in(part.value)
    return (found if is_read else found | fields) - {event.name}


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
        if isinstance(here, (ast.If, ast.Try, ast.Match)) and not any(part is second for part in descendants(here)):
            holder = next((one for one in blocks([here]) if any(first is part for s in one for part in descendants(s))
                           and one != [here]), [])  # fmt: skip
            inner = [
                one for one in blocks([here]) if one and any(first is part for s in one for part in descendants(s))
            ]
            holder = inner[-1] if inner else holder
            if any(isinstance(statement, LEAVING) for statement in holder):
                return False
        if isinstance(here, ast.Try) and any(part is first for one in here.body for part in descendants(one)):
            failed = [statement for handler in here.handlers for statement in handler.body]
            if any(part is second for statement in failed for part in descendants(statement)):
                return False  # what stands there is written because the first failed
        if isinstance(here, ast.If) and any(part is second for part in descendants(here)):
            in_body = any(part is first for statement in here.body for part in descendants(statement))
            other = here.orelse if in_body else here.body
            if any(part is second for statement in other for part in descendants(statement)):
                return False
    return True


def _goes_outside(function: FunctionNode, first: int, last: int, context: FileContext) -> bool:
    """True where another service is called, or a task is queued, between two lines."""
    for part in own_nodes(function, context):
        between = isinstance(part, ast.Call) and first < part.lineno <= last
        if isinstance(part, ast.Call) and between and _is_outside(part, context):
            return True
    return False


def _is_outside(call: ast.Call, context: FileContext) -> bool:
    return waits_outside(call, context) is not None or last_name(call.func) in _QUEUES


def _judge_atomic(function: FunctionNode, context: FileContext) -> None:
    """Two `transaction.atomic()` blocks after each other, of which the second needs a row of the first."""
    for block in blocks(function.body):
        atomic = [one for one in block if isinstance(one, (ast.With, ast.AsyncWith))
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
            saved = {
                last_name(call.func.value)
                for call in calls_in(first.body)
                if isinstance(call.func, ast.Attribute) and call.func.attr in ("save", "asave") and not call.args
            }
            for part in calls_in(second.body):
                if (
                    (made | saved) & names_in(part)
                    and _creates(part)
                    and not _goes_outside(function, first.end_lineno or first.lineno, second.lineno, context)
                ):
                    name = sorted(made & names_in(part) or saved & names_in(part))[0]
                    context.statement = second
                    context.report(
                        RULE,
                        second.items[0].context_expr,
                        f"`{name}` is committed in a transaction of its own, and what belongs to it in the next one: a "
                        "failure in between leaves half of it",
                        severity="HIGH" if name in made else "MEDIUM",
                        confidence="likely",
                        evidence=(Evidence(context.path, first.lineno, "the first transaction"),),
                    )
                    return


def _creates(node: ast.expr) -> bool:
    call = unawaited(node)
    return isinstance(call, ast.Call) and last_name(call.func) in ("create", "acreate", "save", "bulk_create", "add")


scope_too_narrow = Rule(
    name=RULE,
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
    bad=Apart("persistence.commit_order_examples.NARROW_BAD"),
    good=Apart("persistence.commit_order_examples.NARROW_GOOD"),
)

RULES: tuple[Rule, ...] = (scope_too_narrow,)
