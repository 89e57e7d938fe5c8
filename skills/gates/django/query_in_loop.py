"""The rule query-in-loop: a query for each turn."""

import ast
from collections.abc import Iterable

from msgspec.structs import replace

from skills.gates.analysis.local_values import own_nodes
from skills.gates.analysis.loops import Loop, loops_around, scope_of
from skills.gates.analysis.queries import MANAGER_WORDS, MANAGERS, chain_of
from skills.gates.analysis.transactions import first_time
from skills.gates.django.loop_helpers import calls_in_loops, handed_over, plain_helper, scopes_at, takes_many
from skills.gates.django.relations import relations_of
from skills.gates.django.session_loops import RUNS, WORDS, asked_of_query, asked_of_session
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.model import Candidate, Evidence, FileReport
from skills.gates.project import Project
from skills.gates.rule import Apart, Rule, Watch
from skills.record import record

SKILL = "django-query-optimizer"
IN_LOOP = "query-in-loop"
_READS = ("get", "first", "last", "latest", "earliest", "exists", "count", "aggregate")
_WRITES = ("get_or_create", "update_or_create", "create", "update", "delete")
_RUNS = frozenset({*_READS, *_WRITES, *(f"a{name}" for name in (*_READS, *_WRITES))})
# What is given a query and reads its rows at once.
_READERS = frozenset(
    {"list", "set", "tuple", "dict", "sorted", "len", "sum", "any", "all", "extend", "bool", "frozenset"}
)
_SHORTCUTS = frozenset({"get_object_or_404", "aget_object_or_404"})
_NARROW = frozenset({"filter", "exclude", "get"})


@record
class _Asked:
    """A query: what it asks as a message says it, the expressions that say for which, and the attribute of a row that
    it starts from where it does."""

    of: str
    given: tuple[ast.expr, ...] = ()
    related: str = ""


def _on_call(node: ast.Call, context: FileContext) -> None:
    name = last_name(node.func)
    if name in _SHORTCUTS and node.args:
        model, calls = last_name(node.args[0]), [node]
        if not model[:1].isupper():
            return
    elif isinstance(node.func, ast.Attribute) and name in _RUNS:
        chain = chain_of(node)
        if chain.manager not in MANAGERS or not chain.model:
            return
        model, calls = chain.model, [call for _, call in chain.calls]
    elif name in _READERS and len(node.args) == 1 and (read := _unread(node.args[0])) is not None:
        node, model, calls = read
    else:
        return
    _tell(node, _Asked(f"`{model}`", tuple(_given(calls))), context)


def _on_session(node: ast.Call, context: FileContext) -> None:
    """`session.get(Order, key)`, `cursor.execute("SELECT …", [key])`."""
    asked = asked_of_session(node, context)
    if asked is not None:
        _tell(node, _Asked(asked[0], tuple(asked[1])), context)


def _on_related(node: ast.Call, context: FileContext) -> None:
    """`project.orders.filter(number=number).first()`: whether `orders` are rows of a row the project knows."""
    function = node.func
    if not isinstance(function, ast.Attribute) or function.attr not in _RUNS:
        return
    chain = chain_of(node)
    words = [word.value for name, call in chain.calls if name in _NARROW for word in call.keywords]
    if isinstance(chain.root, ast.Attribute) and not chain.manager and words:
        given = tuple(words) if _given([call for _, call in chain.calls]) else ()
        _tell(node, _Asked(f"`{chain.root.attr}`", given, chain.root.attr), context)


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    related = dict(candidate.needs).get("related")
    known = related is None or related in relations_of(project).managers
    return replace(candidate, needs=()) if known else None


def _tell(node: ast.Call, asked: _Asked, context: FileContext) -> None:
    """Report a query that is given what a loop or a comprehension around it takes."""
    for loop in loops_around(context, node):
        by = _mentioned(asked.given, _taken(loop)) if isinstance(loop, ast.While) or takes_many(loop, context) else ""
        if by:
            _report(node, asked, by, loop, context)
            return
    if not _in_comprehension(node, asked, context):
        _in_callers(node, asked, context)


def _in_callers(node: ast.Call, asked: _Asked, context: FileContext) -> None:
    """A loop that calls the function around the query with what it takes, in the same file."""
    function = context.function
    if function is None or not plain_helper(function) or context.source.count(f"{function.name}(".encode()) < 2:
        return
    for call, loop, where in calls_in_loops(function.name, context):
        scopes, context.scopes = context.scopes, scopes_at(loop.lineno, context)
        many = takes_many(loop, context)
        context.scopes = scopes
        if not many:
            continue
        taken = _taken(loop)
        handed = {name: by for name, part in handed_over(call, function) if (by := _mentioned([part], taken))}
        given = _mentioned(asked.given, set(handed))
        if given and first_time(IN_LOOP, call, context):
            before, context.statement = context.statement, where
            _report(call, asked, handed[given], loop, context, Evidence(context.path, node.lineno, "the query"))
            context.statement = before


def _unread(node: ast.expr) -> tuple[ast.Call, str, list[ast.Call]] | None:
    """(the query, its model, its calls) of `Order.objects.filter(…)`, which asks once somebody reads it."""
    chain = chain_of(node) if isinstance(node, ast.Call) else None
    if chain is None or chain.manager not in MANAGERS or not chain.model or not isinstance(node, ast.Call):
        return None
    calls = [call for _, call in chain.calls]
    return None if any(name in _RUNS for name, _ in chain.calls) else (node, chain.model, calls)


def _on_yield(node: ast.YieldFrom, context: FileContext) -> None:
    """`yield from Order.objects.filter(…)` in a loop."""
    read = _unread(node.value)
    for loop in loops_around(context, node) if read is not None else ():
        by = (
            ""
            if isinstance(loop, ast.While) or not takes_many(loop, context) or read is None
            else _mentioned(_given(read[2]), _taken(loop))
        )
        if by and read is not None:
            _report(read[0], _Asked(f"`{read[1]}`"), by, loop, context)
            return


def _in_comprehension(node: ast.Call, asked: _Asked, context: FileContext) -> bool:
    """A comprehension is a loop too: what it makes of each turn asks once a turn."""
    inner, outer = node, context.parent(node)
    while outer is not None:
        if isinstance(outer, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            for part in outer.generators:
                first = part is outer.generators[0] and _holds_node(part.iter, inner)
                loop = ast.For(part.target, part.iter, [], [], lineno=node.lineno, end_lineno=node.lineno)
                by = "" if first or not takes_many(loop, context) else _mentioned(asked.given, _taken(loop))
                if by:
                    _report(node, asked, by, loop, context)
                    return True
        elif isinstance(outer, ast.Lambda) and outer.args.args and (mapped := _mapped(outer, context)) is not None:
            target = ast.Name(outer.args.args[0].arg, ast.Store())
            loop = ast.For(target, mapped, [], [], lineno=node.lineno, end_lineno=node.lineno)
            by = _mentioned(asked.given, _taken(loop)) if takes_many(loop, context) else ""
            if by:
                _report(node, asked, by, loop, context)
                return True
        inner, outer = outer, context.parent(outer)  # type: ignore[assignment]
    return False


def _mapped(node: ast.Lambda, context: FileContext) -> ast.expr | None:
    """What `map(lambda row: …, rows)` and `filter` take one by one."""
    call = context.parent(node)
    takes = isinstance(call, ast.Call) and last_name(call.func) in {"map", "filter"} and len(call.args) == 2
    return call.args[1] if takes and isinstance(call, ast.Call) and call.args[0] is node else None


def _holds_node(above: ast.AST, node: ast.AST) -> bool:
    return any(part is node for part in descendants(above))


def _on_for(node: ast.For, context: FileContext) -> None:
    """A loop over a query, inside of another."""
    _on_iteration(node, node.iter, context)


def _on_comprehended(node: ast.ListComp, context: FileContext) -> None:
    """A comprehension over a query, inside of a loop."""
    _on_iteration(node, node.generators[0].iter, context)


def _on_iteration(node: ast.AST, rows: ast.expr, context: FileContext) -> None:
    if not isinstance(rows, ast.Call):
        return
    chain = chain_of(rows)
    model = chain.model if chain.manager in MANAGERS else asked_of_query(rows, context)
    if not model or any(name in _RUNS for name, _ in chain.calls):
        return
    for loop in loops_around(context, node):
        if loop is not node and not isinstance(loop, ast.While) and takes_many(loop, context):
            by = _mentioned(_given([call for _, call in chain.calls]), _taken(loop))
            if by:
                _report(rows, _Asked(f"`{model}`"), by, loop, context)
                return


def _taken(loop: Loop) -> set[str]:
    """The names that stand for what a loop is at: those of a `for`, what a `while` takes out of its list, and what is
    made of them: `key = row["key"]`."""
    if not isinstance(loop, ast.While):
        names = {part.id for part in descendants(loop.target) if isinstance(part, ast.Name)}
        for statement in loop.body:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else None
            if (
                isinstance(target, ast.Name)
                and isinstance(statement, ast.Assign)
                and _mentioned([statement.value], names)
            ):
                names.add(target.id)
        return names
    waiting = {part.id for part in descendants(loop.test) if isinstance(part, ast.Name)}
    return {
        target.id
        for part in loop.body
        if isinstance(part, ast.Assign) and isinstance(part.value, ast.Call)
        and isinstance(part.value.func, ast.Attribute) and part.value.func.attr in {"pop", "popleft"}
        and last_name(part.value.func.value) in waiting
        for target in part.targets if isinstance(target, ast.Name)
    }  # fmt: skip


def _given(calls: list[ast.Call]) -> list[ast.expr]:
    """What a query is given; nothing where it asks for many at once."""
    words = [keyword for call in calls for keyword in call.keywords]
    if any(last_name(call.func) == "using" for call in calls):
        return []  # another database each turn
    if any(word.arg and (word.arg.endswith("__in") or word.arg in {"using", "ids", "pks"}) for word in words):
        return []
    return [*(part for call in calls for part in call.args), *(word.value for word in words)]


def _mentioned(given: Iterable[ast.expr], bound: set[str]) -> str:
    """The name of `bound` that expressions use; "" where none."""
    names = (part.id for node in given for part in descendants(node) if isinstance(part, ast.Name))
    return next((name for name in names if name in bound), "")


def _report(node: ast.Call, asked: _Asked, by: str, loop: Loop, context: FileContext, *more: Evidence) -> None:
    context.report(
        IN_LOOP,
        node,
        f"one query on {asked.of} for each `{by}`",
        needs=(("related", asked.related),) if asked.related else (),
        evidence=(Evidence(context.path, loop.lineno, "the loop"), *more),
        confidence="likely" if _leaves(loop, context) else "confirmed",
        also=() if last_name(node.func).removeprefix("a") in _WRITES else ("n-plus-one",),
    )


def _leaves(loop: Loop, context: FileContext) -> bool:
    """True where the loop may end with the first turn."""
    lines = range(loop.lineno, (loop.end_lineno or loop.lineno) + 1)
    return any(isinstance(part, (ast.Return, ast.Break)) and part.lineno in lines
               for part in own_nodes(scope_of(context), context))  # fmt: skip


query_in_loop = Rule(
    name=IN_LOOP,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-D5",),
    catches="A query on a manager, a session or a cursor inside a loop, with the loop's current value as its argument.",
    why="A thousand iterations are a thousand round trips to the database, where one query would do.",
    fix="Ask once before the loop: `filter(key__in=keys)` or `in_bulk`, and look up in a dict; write with "
    "`bulk_create`, "
    "`bulk_update` or one `update`.",
    when="In `for` loops over what is not written down, and `while` loops that empty a list, outside of tests, "
    "migrations and commands. Loops over ranges, "
    "batches and constants, and queries with `__in`, are left out.",
    watches=(
        Watch(
            (ast.Call,),
            _on_call,
            (b".objects", b"_default_manager", b"all_objects", b"object_or_404("),
            is_product_path,
            near=(*MANAGER_WORDS, b"object_or_404("),
        ),
        Watch((ast.Call,), _on_session, WORDS, is_product_path, RUNS),
        Watch(
            (ast.Call,), _on_related, (b".filter(", b".get("), is_product_path, (b".filter(", b".get(", b".exclude(")
        ),
        Watch((ast.For,), _on_for, (b".objects", b".query("), is_product_path, (b".objects", b".query(")),
        Watch(
            (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
            _on_comprehended,
            (b".objects", b".query("),
            is_product_path,
            (b".objects", b".query("),
        ),
        Watch((ast.YieldFrom,), _on_yield, (b"yield from",), is_product_path),
    ),
    holds=_holds,
    bad=Apart("django.query_in_loop_examples.IN_LOOP_BAD"),
    good=Apart("django.query_in_loop_examples.IN_LOOP_GOOD"),
)

RULES: tuple[Rule, ...] = (query_in_loop,)
