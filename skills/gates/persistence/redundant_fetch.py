"""Rules of the skill query-efficiency-auditor about rows that are read again although somebody has them."""

import ast
import re

from msgspec.structs import replace

from skills.gates.analysis.execution import execution_of, one_less
from skills.gates.analysis.local_values import own_nodes
from skills.gates.analysis.loops import blocks
from skills.gates.analysis.sessions import is_session, model_key, unawaited
from skills.gates.engine.context import FileContext, FunctionNode, Words
from skills.gates.engine.names import last_name, module_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import function_role, is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.model import Candidate, Evidence, FileReport, Severity
from skills.gates.persistence.database_events import Event, events_of, inside, statement_of
from skills.gates.persistence.passed_keys import Passed, callers_of, tell_callers
from skills.gates.project import Project
from skills.gates.rule import Apart, Rule, Watch

SKILL = "query-efficiency-auditor"
FETCH_RULE, RESOLVE_RULE = "redundant-fetch", "unnecessary-resolve"

# What a result of SQLAlchemy is asked for, which is no field of a row.
_OF_RESULT = frozenset(
    {"scalar", "scalars", "scalar_one", "scalar_one_or_none", "one", "one_or_none", "first", "all", "unique",
     "mappings", "tuples", "fetchone", "fetchall", "partitions", "rowcount"}
)  # fmt: skip
# one of these stands in every function that reads a row by its key, or hands a key on
_KEYED = Words(
    b".id", b".pk", b".uuid", b".uid", b".guid", b"id=", b"pk=", b"id =", b"pk =", b".get(", b".get_one(",
    b"epo", b"dao", b"store", b"gateway", b"_by_id", b"_by_pk", b"_id)", b"_pk)", lower=True,
)  # fmt: skip
_LOCKS = lazy(r"for_update|lock|populate_existing|refresh", re.I)


def _on_function(node: FunctionNode, context: FileContext) -> None:
    if not context.mentions(_KEYED, node):
        return
    events = [event for event in events_of(node, context) if event.fetch is not None]
    if events:
        with inside(node, context):
            _twice(node, events, context)
            _by_parameter(node, events, context)
    with inside(node, context):
        tell_callers(node, events, context)


# -- the same row twice in one function --


def _twice(function: FunctionNode, events: list[Event], context: FileContext) -> None:
    kind, why = execution_of(context)
    seen: list[Event] = []
    for event in events:
        before = next((one for one in seen if _same(one, event) and _follows(function, one.node, event.node)), None)
        if before is None:
            seen.append(event)
            continue
        assert event.fetch is not None
        if _locks(event.node) or _changed_between(function, event.fetch.key, before.line, event.line, context):
            continue
        context.statement = statement_of(function, event.node, context)
        context.report(
            FETCH_RULE,
            event.node,
            f"`{event.fetch.model}` is read again by the same key: line {before.line} has the row",
            severity=_severity(kind, context),
            evidence=(Evidence(context.path, before.line, "the first read"), *((why,) if why else ())),
        )


def _same(one: Event, other: Event) -> bool:
    first, second = one.fetch, other.fetch
    if first is None or second is None or first.model != second.model:
        return False
    if isinstance(first.key, (ast.Constant, ast.Call)):
        return False
    return ast.dump(first.key) == ast.dump(second.key)


def _follows(function: FunctionNode, first: ast.AST, second: ast.AST) -> bool:
    """True where whoever comes to the second has run the first: it stands later in the same block or below it."""
    for block in blocks(function.body):
        for place, statement in enumerate(block):
            if isinstance(statement, (ast.If, ast.For, ast.While, ast.Try, ast.AsyncFor, ast.With, ast.AsyncWith)):
                header = _header(statement)
                if not any(part is first for one in header for part in descendants(one)):
                    continue
            elif not any(part is first for part in descendants(statement)):
                continue
            rest = block[place + 1 :] if not isinstance(statement, ast.If) else block[place:]
            return any(part is second for later in rest for part in descendants(later))
    return False


def _header(statement: ast.stmt) -> list[ast.AST]:
    """What a compound statement evaluates before its blocks."""
    found: list[ast.AST] = []
    for name in ("test", "iter", "items"):
        value = getattr(statement, name, None)
        found += value if isinstance(value, list) else [value] if value is not None else []
    return found


def _locks(node: ast.AST) -> bool:
    return _LOCKS.search(ast.unparse(node)) is not None


def _changed_between(function: FunctionNode, key: ast.expr, first: int, last: int, context: FileContext) -> bool:
    """True where the key is bound anew, or a commit, a rollback or an update lies between two lines."""
    names = {part.id for part in descendants(key) if isinstance(part, ast.Name)}
    for part in own_nodes(function, context):
        line = getattr(part, "lineno", 0)
        if not first < line <= last:
            continue
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store) and part.id in names:
            return True
        if isinstance(part, ast.Call) and last_name(part.func) in ("commit", "rollback", "update", "expire", "save",
                                                                   "expire_all", "delete", "create"):  # fmt: skip
            return True
    return False


# -- the row that a caller has --


def _by_parameter(function: FunctionNode, events: list[Event], context: FileContext) -> None:
    """A candidate for each row that is read by a parameter; whether a caller has the row is asked later."""
    if function_role(function) == "task":
        return  # a task is given the key, whoever queues it: the row may have changed by then
    arguments = function.args
    names = [arg.arg for arg in (*arguments.posonlyargs, *arguments.args)]
    if context.class_scope is not None and names and names[0] in ("self", "cls"):
        names = names[1:]
    places = {name: str(place) for place, name in enumerate(names)}
    places.update({arg.arg: arg.arg for arg in arguments.kwonlyargs})
    opened = _own_sessions(function, context)
    for event in events:
        fetch = event.fetch
        if fetch is None or not isinstance(fetch.key, ast.Name) or fetch.key.id not in places or _locks(event.node):
            continue
        if opened:
            continue
        read = _read_attributes(function, event.node, context)
        one = len(read) == 1
        owner = context.class_scope
        needs = (
            ("callee", function.name),
            ("module", module_name(context.path) + (f".{owner.name}" if owner is not None else "")),
            ("method", "" if owner is None else "1"),
            ("place", places[fetch.key.id]),
            ("keyword", fetch.key.id),
            ("model", model_key(fetch.model)),
            ("one", next(iter(read)) if one else ""),
        )
        context.statement = statement_of(function, event.node, context)
        kind, why = execution_of(context)
        for rule in (FETCH_RULE, RESOLVE_RULE):
            context.report(
                rule,
                event.node,
                f"`{function.name}` reads the `{fetch.model}` behind `{fetch.key.id}`",
                severity=_severity(kind, context) if rule == FETCH_RULE else "MEDIUM",
                confidence="likely",
                needs=needs,
                evidence=(why,) if why else (),
            )


def _own_sessions(function: FunctionNode, context: FileContext) -> bool:
    """True where a function opens a session of its own: a row of another session cannot be handed to it."""
    for node in own_nodes(function, context):
        if isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                if item.optional_vars is not None and is_session(item.optional_vars, context):
                    return True
    return False


def _read_attributes(function: FunctionNode, fetch: ast.AST, context: FileContext) -> set[str]:
    """The attributes that are read of the fetched row; {""} where it is used in another way too."""
    name = ""
    for node in own_nodes(function, context):
        if isinstance(node, ast.Attribute) and unawaited(node.value) is fetch and node.attr not in _OF_RESULT:
            called = any(isinstance(part, ast.Call) and part.func is node for part in own_nodes(function, context))
            return {"" if called else node.attr}
        target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
        if isinstance(node, ast.Assign) and isinstance(target, ast.Name):
            name = target.id if any(part is fetch for part in descendants(node.value)) else name
    if not name:
        return {""}
    found: set[str] = set()
    tested = set()
    for node in own_nodes(function, context):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name:
            found.add(node.attr if isinstance(node.ctx, ast.Load) and node.attr not in _OF_RESULT else "")
            tested.add(node.value)
        elif isinstance(node, (ast.Compare, ast.UnaryOp)):
            sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else [node.operand]
            tested.update(side for side in sides if isinstance(side, ast.Name))
        elif isinstance(node, (ast.If, ast.IfExp)) and isinstance(node.test, ast.Name):
            tested.add(node.test)
    for node in own_nodes(function, context):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load) and node not in tested:
            found.add("")
    return found or {""}


def _decided(candidate: Candidate, project: Project) -> tuple[str, Passed] | None:
    """(rule, caller) of what is to be said about a row that is read by a parameter."""
    callers = callers_of(candidate, project)
    if not callers:
        return None
    one = dict(candidate.needs)["one"]
    first = next((caller for caller in callers if caller.fetched), callers[0])
    return (FETCH_RULE if first.fetched or not one else RESOLVE_RULE), first


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    if not candidate.needs:
        return candidate
    decided = _decided(candidate, project)
    if decided is None or decided[0] != candidate.rule:
        return None
    caller = decided[1]
    one = dict(candidate.needs)["one"]
    has = "reads the row itself and hands on its key" if caller.fetched else "has the row and hands on its key"
    message = f"{candidate.message} again: {caller.path}:{caller.line} {has}"
    if candidate.rule == RESOLVE_RULE:
        message = f"{candidate.message} for `.{one}` alone: {caller.path}:{caller.line} {has}"
    severity: Severity = candidate.severity or "MEDIUM"
    if candidate.rule == FETCH_RULE and caller.kind == "request_handler":
        severity = "HIGH"
    elif candidate.rule == FETCH_RULE and caller.kind == "init":
        severity = "LOW"
    also = (RESOLVE_RULE,) if candidate.rule == FETCH_RULE and one else (FETCH_RULE,)
    link = Evidence(caller.path, caller.line, f"the caller {has}")
    return replace(
        candidate,
        message=message,
        severity=severity,
        needs=(),
        evidence=(*candidate.evidence, link),
        also=also if candidate.rule == RESOLVE_RULE or one else (),
    )


def _severity(kind: str, context: FileContext) -> Severity:
    severity: Severity = "HIGH" if kind == "request_handler" else "LOW" if kind == "init" else "MEDIUM"
    return one_less(severity) if "admin" in context.path.split("/") or context.role == "admin" else severity


_WORDS = (b"get(", b"get_by_id", b"find_by_id", b"objects", b"select(", b"get_object_or_404", b"query(", b".id", b".pk",
          b"repo", b"dao", b"_id)")  # fmt: skip

redundant_fetch = Rule(
    name=FETCH_RULE,
    gate="none",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PA-651-1",),
    catches="A row that is read by its key although the caller, or the function itself, has just read it.",
    why="Every call pays a second round trip, and the two objects can differ.",
    fix="Hand the object on instead of its key. With `expire_on_commit=False` the one that is there stays usable after "
    "a commit.",
    when="In production code, over files. HIGH while a request waits, MEDIUM elsewhere, LOW in code that runs once, "
    "one "
    "step less in the admin. Not where a key goes to a queue, the callee opens its own session, or the second read "
    "locks.",
    watches=(Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_function, _WORDS, is_product_path),),
    holds=_holds,
    bad=Apart("persistence.redundant_fetch_examples.REDUNDANT_BAD"),
    good=Apart("persistence.redundant_fetch_examples.REDUNDANT_GOOD"),
)

unnecessary_resolve = Rule(
    name=RESOLVE_RULE,
    gate="none",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PA-651-3",),
    catches="A function that takes a key, reads the row and uses one field of it, while a caller has the row.",
    why="A query for a value that is already there.",
    fix="Take the field (or the object) as the parameter.",
    when="In production code, over files, where at least one caller has the object.",
    watches=(Watch((), _on_function, _WORDS, is_product_path),),
    holds=_holds,
    bad=Apart("persistence.redundant_fetch_examples.RESOLVE_BAD"),
    good=Apart("persistence.redundant_fetch_examples.RESOLVE_GOOD"),
)

RULES: tuple[Rule, ...] = (redundant_fetch, unnecessary_resolve)
