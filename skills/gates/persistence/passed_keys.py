"""Calls that hand on the key of a row: the facts that tell them, and those that lead to one function."""

import ast
from collections.abc import Iterator

from skills.gates.analysis.execution import execution_of
from skills.gates.analysis.local_values import own_nodes
from skills.gates.analysis.sessions import GENERIC, model_key
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name, module_name, root_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants
from skills.gates.model import Candidate, Fact
from skills.gates.persistence.database_events import Event
from skills.gates.project import Project
from skills.record import record

_PASSES = "passes-id"
_KEYS = frozenset({"id", "pk", "uuid"})
_HOLDERS = frozenset({"self", "request", "req"})
"""What `.user` or `.order` of is a row that is there; of other things it may be what a client sent."""
_INPUT_CLASS = lazy(r".(In|Input|Create|Update|Read|Base|Schema|Request|Payload|DTO|Dto|Data|Form)$")
_INPUT_NAME = lazy(r"(_in|_data|_input|_create|_update|_schema)$|^(payload|body|data|request|schema|dto|form)$")
_QUEUES = frozenset(
    {"delay", "apply_async", "add_task", "enqueue", "enqueue_job", "send_task", "create_task", "submit"}
)
_COMMON = frozenset({"get", "run", "process", "execute", "handle", "update", "delete", "create", "save", "load"})


@record
class Passed:
    """One call that hands a key on, as its fact says it."""

    where: str
    place: str
    model: str
    kind: str
    fetched: bool
    path: str
    line: int


def tell_callers(function: FunctionNode, events: list[Event], context: FileContext) -> None:
    """A fact for each call that hands on the key of a row which the function has."""
    rows, keys = _rows_of(function, events, context)
    sent: set[str] | None = None
    kind = ""
    fetches = {event.node for event in events}
    for node in own_nodes(function, context):
        if node.__class__ is not ast.Call or node in fetches:
            continue
        assert isinstance(node, ast.Call)
        name = last_name(node.func)
        if not name or name in _QUEUES or name[:1].isupper() or isinstance(node.func, ast.Call):
            continue
        for place, value in _given(node):
            passed = _row_behind(value, rows, keys, node.lineno)
            if passed is not None and not passed[1]:
                sent = _sent_in(function, context) if sent is None else sent
                passed = passed if root_name(value) not in sent else None
            if passed is None:
                continue
            kind = kind or execution_of(context)[0]
            model, fetched = passed
            detail = "|".join((_where(node.func, context), place, model, kind, "1" if fetched else ""))
            context.fact(_PASSES, name, detail, node.lineno)


def _rows_of(
    function: FunctionNode, events: list[Event], context: FileContext
) -> tuple[dict[str, str], dict[str, tuple[str, int]]]:
    """The names of the rows that a function has read → their models; those of their keys → (model, line)."""
    rows: dict[str, str] = {}
    keys: dict[str, tuple[str, int]] = {}
    for event in events:
        assert event.fetch is not None
        if isinstance(event.fetch.key, ast.Name):
            keys.setdefault(event.fetch.key.id, (model_key(event.fetch.model), event.line))
    for node in own_nodes(function, context):
        if events and isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            for event in events:
                if any(part is event.node for part in descendants(node.value)) and event.fetch is not None:
                    rows[node.targets[0].id] = model_key(event.fetch.model)
    return rows, keys


def _sent_in(function: FunctionNode, context: FileContext) -> set[str]:
    """The names of a function that stand for what a client sent: by the class, or as parts of such a thing."""
    found = {
        arg.arg
        for arg in (*function.args.args, *function.args.kwonlyargs)
        if arg.annotation is not None and _INPUT_CLASS.search(last_name(arg.annotation))
    }
    for node in own_nodes(function, context):
        if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)) and isinstance(node.target, ast.Name):
            over = root_name(node.iter)
            if over in found or _INPUT_NAME.search(over):
                found.add(node.target.id)
    return found


def _given(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    for place, value in enumerate(call.args):
        yield str(place), value
    for word in call.keywords:
        if word.arg:
            yield word.arg, word.value


def _row_behind(
    value: ast.expr, rows: dict[str, str], keys: dict[str, tuple[str, int]], line: int
) -> tuple[str, bool] | None:
    """(model, whether it was read here) of the row whose key an argument is."""
    owner = value.value if isinstance(value, ast.Attribute) and value.attr in _KEYS else None
    if isinstance(owner, ast.Name):
        return (rows[owner.id], True) if owner.id in rows else (model_key(owner.id), False)
    if isinstance(owner, ast.Attribute) and last_name(owner.value) in _HOLDERS:
        return model_key(owner.attr), False
    if isinstance(value, ast.Name) and value.id in keys and keys[value.id][1] < line:
        return keys[value.id][0], True
    return None


def _where(function: ast.expr, context: FileContext) -> str:
    """Where a called function is defined, as far as the file says: a dotted name, or "" for a method of something."""
    owner = last_name(function.value) if isinstance(function, ast.Attribute) else ""
    if isinstance(function, ast.Attribute) and owner in ("self", "cls") and context.class_scope is not None:
        return f"{module_name(context.path)}.{context.class_scope.name}.{function.attr}"
    if isinstance(function, ast.Name):
        found = context.imports.get(function.id)
        return found or f"{module_name(context.path)}.{function.id}"
    resolved = context.resolve(function) or ""
    return resolved if resolved.partition(".")[0] in context.packages else ""


def callers_of(candidate: Candidate, project: Project) -> list[Passed]:
    """The calls anywhere in a project that hand a candidate's function the key of a row."""
    said = dict(candidate.needs)
    found = []
    for path, fact in project.named(_PASSES, said["callee"]):
        one = _passed(path, fact)
        if one.model != said["model"] or one.place not in (said["place"], said["keyword"]):
            continue
        target = f"{said['module']}.{said['callee']}"
        if one.where and not (
            target == one.where or target.endswith("." + one.where) or one.where.endswith("." + target)
        ):
            continue
        if not one.where and (not said["method"] or _common(said["callee"]) or said["model"] in GENERIC):
            continue
        found.append(one)
    return found


def _common(name: str) -> bool:
    """True for names that many classes have."""
    return name.strip("_") in _COMMON


def _passed(path: str, fact: Fact) -> Passed:
    where, place, model, kind, fetched = fact.detail.split("|")
    return Passed(where, place, model, kind, bool(fetched), path, fact.line)
