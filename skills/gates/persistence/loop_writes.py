"""Rules of the skill query-efficiency-auditor about loops that write: one statement for each turn."""

import ast
from collections.abc import Iterator

from msgspec.structs import replace

from skills.gates.analysis.bindings import lookup
from skills.gates.analysis.execution import execution_of, lowered
from skills.gates.analysis.loops import local_nodes
from skills.gates.analysis.sessions import is_session, speaks_django
from skills.gates.analysis.transactions import first_time
from skills.gates.django.django_architecture_enforcer import in_related_rows, related_name
from skills.gates.django.relations import relations_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name, root_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants, names_in
from skills.gates.model import Candidate, Confidence, Evidence, FileReport, Severity
from skills.gates.persistence.database_calls import Write, write_in_list, write_of
from skills.gates.persistence.loop_turns import bound_by, few_turns, in_pieces, loop_around, runs_once
from skills.gates.persistence.row_writes import SAVES, Turns, row_write, rows_of, tell_saving
from skills.gates.project import Project
from skills.gates.rule import Apart, Rule, Watch

SKILL = "query-efficiency-auditor"
LOOP_RULE, BULK_RULE = "n-update-delete-loop", "missing-bulk-ops"

FEW = 10
_NAMES = frozenset(
    {"execute", "exec", "scalar", "scalars", "update", "aupdate", "delete", "adelete", "create", "acreate", "save",
     "asave", "add", "merge", "remove", "change", "patch", "modify", "commit", "flush", "fetch", "fetchval", "fetchrow",
     "fetch_one"}
)  # fmt: skip
_ROW_ITSELF = frozenset({"save", "asave", "delete", "adelete"})
"""What is said of a row without asking what its own methods do."""
_LONG_NAMES = lazy(r"(update|delete|reset|save|mark|remove|set|increment|touch|archive|soft_delete)_\w+")
_OF_NAME = lazy(r"execute\([a-z]|query\(|.*\{")
_PLAINER = {
    "add": "`add_all` would say it in one line; the statements are the same",
    "delete": "`execute(delete(Model).where(…))` takes all rows at once, where no cascade of the ORM is needed",
}


def _on_call(node: ast.Call, context: FileContext) -> None:
    function = node.func
    if not isinstance(function, ast.Attribute) or not (function.attr in _NAMES or _LONG_NAMES.fullmatch(function.attr)):
        return
    loop, whole = loop_around(node, context)
    if loop is None or whole is None or in_pieces(loop) or runs_once(loop, context):
        return
    bound = bound_by(loop)
    if function.attr in ("add", "merge", "delete") and node.args and is_session(function.value, context):
        _planned(node, loop, whole, context)
        return
    if function.attr in ("commit", "flush"):
        _changed_rows(node, loop, whole, bound, context)
        return
    write = write_of(node, context) or _listed(node, loop, context)
    if write is not None and (write.many or _to_another_table(write, bound) or _of_class(function, loop)):
        return
    write = write or row_write(node, bound, loop, context)
    if not _about(node, bound, context):
        return
    if write is None:
        _behind_a_row(node, function, whole, context)
        return
    if write.kind != "insert" and not first_time(LOOP_RULE, whole, context):
        return  # said once for each loop
    if write.kind == "insert":
        _report_insert(node, write, whole, context)
    else:
        _report_write(node, write, loop, whole, context)


def _on_rows(loop: ast.For | ast.AsyncFor, context: FileContext) -> None:
    """A candidate for `berth.free()` in a loop over berths: whether that method saves the row is asked later."""
    model = rows_of(loop, context)
    if not model or in_pieces(loop):
        return
    outside = context.statement
    found: dict[str, tuple[ast.Call, ast.AST]] = {}
    for part in local_nodes(loop):
        if isinstance(part, ast.stmt):
            context.statement = part
        match part:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if name == last_name(loop.target):
                if not runs_once(loop, context):
                    found.setdefault(method, (part, context.statement))
    for method, (call, context.statement) in found.items() if _ROW_ITSELF.isdisjoint(found) else ():
        own = f"{model}.{method}"
        write = Write("update", own, f"{ast.unparse(call.func)}()")
        _report_write(call, write, loop, loop, context, ((SAVES, own),))
    context.statement = outside


def _behind_a_row(node: ast.Call, function: ast.Attribute, whole: ast.AST, context: FileContext) -> None:
    """A candidate for `order.lines.create(…)`: whether the project has such a relation is asked later."""
    if function.attr in ("create", "acreate") and speaks_django(context) and in_related_rows(node, context):
        write = Write("insert", "", f"{ast.unparse(function)}()")
        _report_insert(node, write, whole, context, needs=(("related-name", related_name(node)),))


def _to_another_table(write: Write, bound: frozenset[str]) -> bool:
    """True where the table of a write is another one in each turn, by its class or in an f-string."""
    return write.model.strip("{}") in bound and _OF_NAME.match(write.how + write.model) is not None


def _of_class(function: ast.Attribute, loop: Turns) -> bool:
    """True for `repository.purge()` where the loop is at classes: `repository = repository_class(session)`."""
    if isinstance(loop, ast.comprehension) or not isinstance(function.value, ast.Name):
        return False
    name, classes = function.value.id, names_in(loop.target)
    return any(
        isinstance(part, ast.Assign) and isinstance(part.value, ast.Call) and isinstance(part.value.func, ast.Name)
        and part.value.func.id in classes and last_name(part.targets[0]) == name
        for part in local_nodes(loop)
    )  # fmt: skip


def _listed(node: ast.Call, loop: Turns, context: FileContext) -> Write | None:
    """`for statement in statements: session.execute(statement)`."""
    target, given = loop.target, node.args[0] if node.args else None
    if isinstance(target, ast.Name) and isinstance(given, ast.Name) and given.id == target.id:
        return write_in_list(node, loop.iter, context)
    return None


def _changed_rows(node: ast.Call, loop: Turns, whole: ast.AST, bound: frozenset[str], context: FileContext) -> None:
    """`row.status = …` and a commit in each turn: an UPDATE and a round trip for each row."""
    function = node.func
    if isinstance(loop, ast.comprehension) or not isinstance(function, ast.Attribute):
        return
    if not is_session(function.value, context) or node not in list(_senders(loop, context)):
        return
    parts = list(local_nodes(loop))
    adds = any(
        isinstance(part, ast.Call) and last_name(part.func) in ("add", "add_all", "merge", "delete", "execute")
        for part in parts
    )
    changed = next(
        (
            part
            for part in parts
            if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store) and last_name(part.value) in bound
        ),
        None,
    )
    if adds or changed is None or not first_time(LOOP_RULE, whole, context):
        return
    _report_write(node, Write("update", last_name(changed.value), f"{ast.unparse(changed)} = …"), loop, whole, context)


def _about(node: ast.Call, bound: frozenset[str], context: FileContext) -> bool:
    """True where each turn writes other rows of the same table."""
    asked = [*node.args, *(word.value for word in node.keywords)]
    function = node.func
    root = root_name(function)
    for part in list(asked):
        found = lookup(context, part.id, part.lineno) if isinstance(part, ast.Name) else None
        if found is not None and found.value is not None:
            asked.append(found.value)
    if isinstance(function, ast.Attribute):
        inner: ast.expr = function.value
        while isinstance(inner, (ast.Call, ast.Attribute)):
            if isinstance(inner, ast.Call):
                asked += [*inner.args, *(word.value for word in inner.keywords)]
                inner = inner.func
            else:
                if inner.attr in ("objects", "all_objects", "_default_manager") and root in bound:
                    return False
                inner = inner.value
    if any(_asks_for_many(one, bound) for part in (*asked, node) for one in descendants(part)):
        return False
    return root in bound or any(names_in(part) & bound for part in asked)


def _asks_for_many(node: ast.AST, bound: frozenset[str]) -> bool:
    """`column.in_(…)`, `key__in=…`, and a statement on a table that the loop is at."""
    match node:
        case ast.Attribute(attr="in_" | "any_"):
            return True
        case ast.keyword(arg=str(name)):
            return name.endswith("__in")
        case ast.Call(func=ast.Name(id="update" | "delete" | "insert"), args=[ast.Name(id=table), *_]):
            return table in bound
    return False


def _report_write(
    node: ast.Call, write: Write, loop: Turns, whole: ast.AST, context: FileContext,
    needs: tuple[tuple[str, str], ...] = (),
) -> None:  # fmt: skip
    few = few_turns(loop, context)
    base: Severity = "MEDIUM" if few is not None and few <= FEW else "HIGH"
    kind, why = execution_of(context)
    severity, links = lowered(base, kind, why, context)
    times = f"at most {few} times" if few is not None else "in every iteration"
    confidence: Confidence = "confirmed" if few is not None else "likely"
    context.report(
        LOOP_RULE,
        node,
        f"`{write.how}` sends one {write.kind.upper()} {times}",
        severity=severity,
        confidence=confidence,
        evidence=(Evidence(context.path, whole.lineno, "the loop"), *links),  # type: ignore[attr-defined]
        needs=needs,
        also=(BULK_RULE,),
    )


def _report_insert(
    node: ast.Call, write: Write, whole: ast.AST, context: FileContext, needs: tuple[tuple[str, str], ...] = ()
) -> None:
    kind, why = execution_of(context)
    severity, links = lowered("MEDIUM", kind, why, context)
    context.report(
        BULK_RULE,
        node,
        f"`{write.how}` sends one INSERT in every iteration",
        severity=severity,
        evidence=(Evidence(context.path, whole.lineno, "the loop"), *links),  # type: ignore[attr-defined]
        needs=needs,
        also=(LOOP_RULE,) if write.how.endswith("save()") else (),
    )


def _planned(node: ast.Call, loop: Turns, whole: ast.AST, context: FileContext) -> None:
    """`session.add(x)` in a loop: the same statements as `add_all`, unless each turn also sends them."""
    sends = next(_senders(loop, context), None)
    method = last_name(node.func)
    if sends is None:
        context.report(
            BULK_RULE,
            node,
            f"`{method}` in a loop: {_PLAINER.get(method, _PLAINER['add'])}",
            severity="INFO",
            evidence=(Evidence(context.path, whole.lineno, "the loop sends nothing itself"),),  # type: ignore[attr-defined]
        )
        return
    kind, why = execution_of(context)
    severity, links = lowered("MEDIUM", kind, why, context)
    context.report(
        BULK_RULE,
        node,
        f"`{method}` and `{last_name(sends.func)}` in every iteration: one round trip for each row",
        severity=severity,
        evidence=(Evidence(context.path, sends.lineno, f"`{last_name(sends.func)}` in the same loop"), *links),
    )


def _senders(loop: Turns, context: FileContext) -> Iterator[ast.Call]:
    """The calls of a loop's body that send what a session holds, those for every so many turns left out."""
    if isinstance(loop, ast.comprehension):
        return
    counted = {
        part
        for node in local_nodes(loop)
        if isinstance(node, ast.If) and any(isinstance(one, (ast.Mod, ast.GtE, ast.Gt)) for one in ast.walk(node.test))
        for statement in node.body
        for part in descendants(statement)
    }
    for node in local_nodes(loop):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node in counted:
            continue
        if node.func.attr in ("flush", "commit", "refresh") and is_session(node.func.value, context):
            yield node


_WORDS = (
    b".execute(", b".exec(", b".update", b".delete", b".save", b".asave", b".adelete", b".mark_", b".reset",
    b".remove", b".add(", b".merge(", b".create(", b".acreate(", b".aupdate(", b".archive", b".increment",
    b".touch", b".scalars(", b".commit(", b".flush(", b".fetchval(", b".fetchrow(",
)  # fmt: skip


_SAVES_ITSELF = (b"self.save(", b"self.asave(")


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """What is created behind a row must be a relation of the project, and a row's own method one that saves it."""
    known = all(
        project.has(SAVES, name) if kind == SAVES else name in relations_of(project).managers
        for kind, name in candidate.needs
    )
    return replace(candidate, needs=()) if known else None


n_update_delete_loop = Rule(
    name=LOOP_RULE,
    gate="none",
    severity="HIGH",
    skill=SKILL,
    sources=("PA-651-2",),
    catches="UPDATE and DELETE statements that a loop sends one by one: `execute(update(…))`, a repository's `update`, "
    "`delete`, `mark_…`, `query(…).delete()`, Django's `save()`, `delete()` and `filter(pk=…).update()`.",
    why="A thousand rows are a thousand round trips, and the transaction stays open through all of them.",
    fix="One statement for all: `update(Model).where(Model.id.in_(ids))`, `bulk_update`, `queryset.update(…)`, "
    "`queryset.delete()`; for other values in each row `session.execute(update(Model), rows)`.",
    when="In production code, in `for` loops and comprehensions at any depth. HIGH where the count is unknown or more "
    "than 10, MEDIUM up to 10, one step less in commands and the admin, LOW in code that runs once. Not for batches, "
    "attempts, and loops over tables.",
    watches=(
        Watch((ast.Call,), _on_call, _WORDS, is_product_path),
        Watch((ast.For, ast.AsyncFor), _on_rows, (b".objects.",), is_product_path),
        Watch((ast.Call,), tell_saving, _SAVES_ITSELF, is_product_path, near=_SAVES_ITSELF),
    ),
    holds=_holds,
    bad=Apart("persistence.loop_writes_examples.WRITES_BAD"),
    good=Apart("persistence.loop_writes_examples.WRITES_GOOD"),
)  # fmt: skip

missing_bulk_ops = Rule(
    name=BULK_RULE,
    gate="none",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PA-651-5", "X-PA-14"),
    catches="Rows that a loop inserts one by one: `session.add` with `flush` or `commit` in the same loop, "
    "`execute(insert(…))`, Django's `create()` and `save()` of a new object.",
    why="Each row waits for its own round trip where the database takes thousands in one statement.",
    fix="`session.execute(insert(Model), rows)` or `add_all` and one flush; `bulk_create(objects, batch_size=…)`.",
    when="In production code, found with n-update-delete-loop. MEDIUM; INFO for `session.add` alone, which sends the "
    "same statements as `add_all`; LOW in code that runs once.",
    watches=(Watch((), _on_call, _WORDS, is_product_path),),
    holds=_holds,
    bad=Apart("persistence.loop_writes_examples.BULK_BAD"),
    good=Apart("persistence.loop_writes_examples.BULK_GOOD"),
)

RULES: tuple[Rule, ...] = (n_update_delete_loop, missing_bulk_ops)
