"""Rules of the skill runtime-performance-auditor about coroutines: what stops the event loop."""

import ast

from skills.gates.analysis.bindings import annotated_type, in_comprehension, lookup, origin
from skills.gates.analysis.blocking_calls import FUNCTIONS
from skills.gates.analysis.blocking_receivers import (
    ANY_METHOD_PACKAGES,
    ANY_METHOD_WORDS,
    HTTP_METHODS,
    METHOD_NAMES,
    ORM_LAZY,
    ORM_ROWS,
    ORM_TERMINALS,
    RECEIVERS,
)
from skills.gates.analysis.call_targets import is_entered, names_elsewhere
from skills.gates.analysis.execution import execution_of, one_less, severity_of
from skills.gates.analysis.local_values import own_nodes, values_of
from skills.gates.analysis.queries import MANAGERS, chain_of
from skills.gates.analysis.waits import THREAD, Waits
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name, root_name
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import is_singleton, keyword_of
from skills.gates.model import Confidence, Evidence
from skills.gates.rule import Apart, Rule, Watch
from skills.gates.runtime.blocking_hops import (
    CLIENT_CALLS,
    CLIENT_WORDS,
    ENTERS,
    PLAIN_WORDS,
    SLEEPS,
    TYPES,
    WAITS,
    Wait,
    in_lambda,
    note_clients,
    note_wait,
    wait_behind,
    waits_elsewhere,
)

SKILL = "runtime-performance-auditor"
BLOCKING = "blocking-io-in-async"
SLEEP = "sync-sleep-in-async"

_WRAPPERS = frozenset({"trio.wrap_file", "anyio.wrap_file"})
_ORM = Waits("runs a query with Django's synchronous ORM", "use its `a…` method (`aget`, `acreate`) or `sync_to_async`")
_SLEEP = Waits(SLEEPS, "use `await asyncio.sleep(…)`")
_ANSWERS = frozenset({"result", "exception"})
_ROWS = frozenset({"get", "aget", "first", "afirst", "last", "alast", "create", "acreate", "earliest", "latest"})
_DJANGO = frozenset({"django", "rest_framework", "channels", "asgiref", "ninja"})
_WALKERS = frozenset({"list", "tuple", "set", "len", "sorted", "sum", "any", "all", "min", "max", "dict", "enumerate"})


def coroutine_around(node: ast.Call, context: FileContext) -> ast.AsyncFunctionDef | None:
    """The coroutine that runs a call: not a lambda, a nested function, a decorator or a default in it."""
    function = context.function
    if not isinstance(function, ast.AsyncFunctionDef) or context.statement is function:
        return None
    return None if in_lambda(node, context) else function


def resolved(node: ast.Call, context: FileContext) -> str | None:
    """The dotted name of what is called, None where a local name shadows it."""
    name = origin(context, node.func)
    if name is None:
        return None
    root = node.func
    while isinstance(root, ast.Attribute):
        root = root.value
    return None if isinstance(root, ast.Name) and in_comprehension(context, root) else name


def _on_call(node: ast.Call, context: FileContext) -> None:
    if context.function.__class__ is not ast.AsyncFunctionDef:
        return
    called = _run_by(node, context)
    function = called.func
    found = _waits(called, context) if _may_wait(function, context) else None
    sleeps = called is not node and last_name(function) == "sleep" and resolved(called, context) == "time.sleep"
    if found is None and not sleeps:
        _on_hop(called, node, context)
        return
    coroutine = coroutine_around(node, context)
    if coroutine is None or _is_handed_over(node, context):
        return
    waits, evidence, confidence = found or (_SLEEP, (), "confirmed")
    kind, why = execution_of(context)
    severity = severity_of(kind, "HIGH", "MEDIUM")
    if waits.minor:
        severity = one_less(severity)
    context.report(
        BLOCKING,
        node,
        f"`{shown(function)}(…)` {waits.what} inside `async def {coroutine.name}`: {waits.instead}",
        severity=severity,
        confidence=confidence,
        evidence=(*evidence, *((why,) if why else ())),
        also=(SLEEP,) if sleeps else (),
    )


def _run_by(node: ast.Call, context: FileContext) -> ast.Call:
    """The call that a call comes to: of `f` in `partial(f, x)()`, `list(map(f, xs))` and a lambda that was given a
    name, else itself."""
    function, run = node.func, None
    if isinstance(function, ast.Name) and function.id == "map" and len(node.args) > 1:
        run = node.args[0] if origin(context, function) == "map" else None
    elif isinstance(function, ast.Name) and (context.holds(b"partial(") or context.holds(b"= lambda")):
        found = lookup(context, function.id, function.lineno)
        made = found.value if found is not None and found.kind == "value" else None
        if isinstance(made, ast.Lambda) and isinstance(made.body, ast.Call):
            return ast.copy_location(ast.Call(made.body.func, made.body.args, made.body.keywords), node)
        if isinstance(made, ast.Call) and made.args and origin(context, made.func) == "functools.partial":
            run = made.args[0]
    if not isinstance(run, (ast.Name, ast.Attribute)):
        return node
    return ast.copy_location(ast.Call(run, [ast.Constant(None)], []), node)


def _may_wait(function: ast.expr, context: FileContext) -> bool:
    """A cheap test of names that every call passes which waits itself."""
    if isinstance(function, ast.Attribute):
        return function.attr in METHOD_NAMES or _any_method(context)
    return isinstance(function, ast.Name) and (
        function.id in METHOD_NAMES or function.id in context.imports or _is_assigned(function, context)
    )


def _is_assigned(name: ast.Name, context: FileContext) -> bool:
    """A cheap test that every name passes which the file gives a function of others."""
    return context.holds(b"%s = " % name.id.encode())


def _on_hop(called: ast.Call, node: ast.Call, context: FileContext) -> None:
    """A call of a plain function that waits, itself or by way of another one. Of what an import brings the project
    says whether it waits."""
    found = wait_behind(called, context, _wait_of)
    known = found is not None or is_entered(node, context, ast.AsyncWith)  # what is entered so does not block
    names = names_elsewhere(called, context) if not known else []
    coroutine = coroutine_around(node, context) if found is not None or names else None
    if coroutine is None or isinstance(context.parent(node), ast.Await) or _is_handed_over(node, context):
        return
    kind, why = execution_of(context)
    severity = severity_of(kind, "HIGH", "MEDIUM")
    reason = (why,) if why else ()
    if found is None:
        needs = [(WAITS, name) for name in names]
        needs += [(ENTERS, name) for name in names if is_entered(node, context)]
        message = f"`{shown(called.func)}(…)` waits"
        context.report(
            BLOCKING, node, message, severity=severity, confidence="likely", needs=(*needs,), evidence=reason
        )
        return
    wait, way = found
    if wait.sleeps and kind == "cli":
        return
    context.report(
        BLOCKING,
        node,
        f"`{shown(called.func)}(…)` comes to `{wait.shown}(…)`, which {wait.what}, inside "
        f"`async def {coroutine.name}`: use `await asyncio.to_thread(…)`",
        severity=severity,
        confidence="likely",
        evidence=(*way, *reason),
        also=(SLEEP,) if wait.sleeps else (),
    )


def _on_alias(node: ast.Assign | ast.AnnAssign, context: FileContext) -> None:
    """`SessionDep = Annotated[Session, Depends(…)]`: the methods of what other files are given by that name wait."""
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    if context.scopes or not isinstance(target, ast.Name) or not isinstance(node.value, ast.Subscript):
        return
    kind = annotated_type(context, node.value) or ""
    receiver = RECEIVERS.get(kind)
    for method in sorted(receiver.methods or ()) if receiver is not None else ():
        said = f"is a call of `{kind}`, which {receiver.waits.what}"  # type: ignore[union-attr]
        context.fact(WAITS, f"{target.id}.{method}", said, node.lineno)


def _on_plain(node: ast.Call, context: FileContext) -> None:
    """Says which plain functions of a module wait (fact "waits": what for, in words)."""
    function = context.function
    if not isinstance(function, ast.FunctionDef) or context.statement is function:
        return
    wait = _wait_of(node, context)
    if wait is not None and not in_lambda(node, context):
        note_wait(wait, context)


def _wait_of(node: ast.Call, context: FileContext) -> Wait | None:
    """What a call of a plain function waits for; questions to the file system are not worth the way."""
    function = node.func
    if last_name(function) == "sleep" and resolved(node, context) == "time.sleep":
        return Wait(node.lineno, shown(function), SLEEPS)
    found = _waits(node, context) if _may_wait(function, context) else None
    if found is None or found[0].minor or _is_handed_over(node, context):
        return None
    return Wait(node.lineno, shown(function), found[0].what)


def _any_method(context: FileContext) -> bool:
    """True where a file imports a package with classes of which nearly every method waits."""
    known = context.memo.get(BLOCKING)
    if known is None:
        known = any(word in context.source for word in ANY_METHOD_WORDS) and any(
            name.startswith(ANY_METHOD_PACKAGES) and ".asyncio" not in name for name in context.imports.values()
        )
        context.memo[BLOCKING] = known
    return bool(known)


def _is_handed_over(node: ast.Call, context: FileContext) -> bool:
    """True where a call is wrapped for a thread, or awaited although only a name of the same spelling could be."""
    above = context.parent(node)
    if isinstance(above, ast.Call):
        return node in above.args and origin(context, above.func) in _WRAPPERS
    return isinstance(above, ast.Await) and (origin(context, node.func) or "").find(".") < 1


def _waits(node: ast.Call, context: FileContext) -> tuple[Waits, tuple[Evidence, ...], Confidence] | None:
    """What a call waits for, the lines that say so, and how sure that is."""
    function = node.func
    name = origin(context, function)
    waits = FUNCTIONS.get(name) if name is not None else None
    if name is not None and waits is not None and resolved(node, context):
        bound = "." not in name or lookup(context, root_name(function), node.lineno) is not None
        return waits, (), "confirmed" if bound else "likely"
    if not isinstance(function, ast.Attribute):
        return None
    owner = TYPES.type_of(context, function.value)
    receiver = RECEIVERS.get(owner or "")
    if owner is not None and receiver is not None:
        method = receiver.of(function.attr)
        if method is None or not _real_request(owner, node) or _never_waits(node):
            return None
        return method, TYPES.said_by(context, function.value), "confirmed"
    if function.attr in _ANSWERS and isinstance(function.value, ast.Call) and last_name(function.value) == "submit":
        return THREAD, (), "likely"
    asks = function.attr in ORM_TERMINALS or (function.attr in ORM_LAZY and _is_walked(node, context))
    if (asks and _is_orm(node, context)) or (function.attr in ORM_ROWS and _is_row(function.value, context)):
        return _ORM, (), "likely"
    return None


def _is_row(node: ast.expr, context: FileContext) -> bool:
    """True for a name that stands for what a manager found: `order = await Order.objects.aget(…)`, for a parameter
    `order: Order` of a model, and for `order` where the file works with the model `Order` of Django."""
    made = values_of(node.id, context) if isinstance(node, ast.Name) else []
    if isinstance(node, ast.Name) and not any(made) and not context.packages.isdisjoint(_DJANGO):
        given = lookup(context, node.id, node.lineno)
        if given is not None and given.kind in ("typed", "opaque"):
            named = context.imports.get(node.id.title().replace("_", ""), "")
            kind = annotated_type(context, given.hint) or "" if given.hint is not None else named
            return ".models." in kind
    value = made[-1] if made else None
    value = value.value if isinstance(value, ast.Await) else value
    return isinstance(value, ast.Call) and last_name(value.func) in _ROWS and _is_orm(value, context)


def _is_walked(node: ast.expr, context: FileContext) -> bool:
    """True where a loop without `async`, or a function like `list`, takes the answer of a call apart."""
    above = context.parent(node)
    if isinstance(above, ast.Subscript) and isinstance(above.slice, ast.Slice):  # `list(orders.all()[:20])`
        node, above = above, context.parent(above)
    match above:
        case ast.For(iter=over) | ast.comprehension(iter=over, is_async=0):
            return over is node
        case ast.Call(func=ast.Name(id=name), args=[first, *_]):
            return first is node and name in _WALKERS
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is node and context.function is not None:
            return any(_walks(part, name) for part in own_nodes(context.function, context))
    return False


def _walks(part: ast.AST, name: str) -> bool:
    """True for `for row in rows`, without `async`, and `list(rows)` of the rows of that name."""
    match part:
        case ast.For(iter=ast.Name(id=over)) | ast.comprehension(iter=ast.Name(id=over), is_async=0):
            return over == name
        case ast.Call(func=ast.Name(id="list" | "len" | "sorted"), args=[ast.Name(id=over)]):
            return over == name
    return False


def _real_request(owner: str, node: ast.Call) -> bool:
    """False for `pool.request(…)` that names no method of HTTP."""
    if not owner.startswith("urllib3.") or not isinstance(node.func, ast.Attribute) or node.func.attr != "request":
        return True
    method = node.args[0] if node.args else keyword_of(node, "method")
    if isinstance(method, ast.Constant):
        return isinstance(method.value, str) and HTTP_METHODS.fullmatch(method.value) is not None
    return method is not None and len(node.args) + len(node.keywords) > 1


def _never_waits(node: ast.Call) -> bool:
    """True for `get(block=False)` and `acquire(False)`."""
    if last_name(node.func) == "acquire" and node.args:
        return is_singleton(node.args[0], False)
    return any(is_singleton(keyword_of(node, name), False) for name in ("block", "blocking"))


def _is_orm(node: ast.Call, context: FileContext) -> bool:
    chain = chain_of(node)
    if not chain.manager and isinstance(chain.root, ast.Name):
        made = values_of(chain.root.id, context)  # `orders = Order.objects.filter(…)`, then `orders.count()`
        if made and isinstance(made[-1], ast.Call) and last_name(made[-1].func) in ORM_LAZY:
            chain = chain_of(made[-1])
    if chain.manager not in MANAGERS or not chain.model:
        return False
    return not context.packages.isdisjoint(_DJANGO)


def shown(function: ast.expr) -> str:
    """An expression in a message, its end where it is long."""
    text = " ".join(ast.unparse(function).split())
    return text if len(text) <= 48 else f"…{text[-47:]}"


def _on_sleep(node: ast.Call, context: FileContext) -> None:
    function = node.func
    if isinstance(function, ast.Attribute):
        if function.attr != "sleep":
            return
    elif not isinstance(function, ast.Name) or (
        context.imports.get(function.id) != "time.sleep" and not _is_assigned(function, context)
    ):
        return
    if resolved(node, context) != "time.sleep":
        return
    coroutine = coroutine_around(node, context)
    if coroutine is None:
        return
    kind, why = execution_of(context)
    if kind == "cli":
        return
    context.report(
        SLEEP,
        node,
        f"`{shown(node.func)}(…)` inside `async def {coroutine.name}` stops every task of the event loop: "
        "use `await asyncio.sleep(…)`",
        severity=severity_of(kind, "HIGH", "MEDIUM"),
        evidence=(why,) if why else (),
    )


blocking_io_in_async = Rule(
    name=BLOCKING,
    gate="none",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PA-653-1", "PB-F4"),
    catches="Calls inside `async def` that wait for a network, a disk, a process or a database in the thread of the "
    "event loop: requests, urllib, `httpx.Client`, urllib3 pools, subprocess, `open`, pathlib and os.path, synchronous "
    "drivers, `sqlalchemy.orm.Session`, Django's ORM, boto3.",
    why="The event loop has one thread. While such a call waits, no other request is answered, no timeout fires and no "
    "health check succeeds: one slow file or service stalls every client of the process.",
    fix="Use its asynchronous client, or move the call off the loop: `await asyncio.to_thread(f, x)`.",
    when="In coroutines of production code. HIGH while a request waits, MEDIUM elsewhere, LOW in code that runs once "
    "(start-up, commands); questions to the file system are one step less. Lambdas and nested `def` are not looked "
    "into: they may run in a thread. A call of a plain function or method counts for what that waits for, itself or by "
    "way of others of its file, in another file of the project too; so does a client that another file keeps.",
    watches=(
        Watch((ast.Call,), _on_call, (b"async def",), is_product_path),
        Watch((ast.Call,), _on_plain, PLAIN_WORDS, is_product_path, near=PLAIN_WORDS),
        Watch((ast.Assign, ast.AnnAssign), _on_alias, (b"Annotated[",), is_product_path, near=(b"Annotated[",)),
        Watch((ast.Call,), _on_plain, CLIENT_WORDS, is_product_path, near=CLIENT_CALLS),
        Watch((ast.Module,), note_clients, CLIENT_WORDS, is_product_path),
    ),
    holds=waits_elsewhere,
    bad=Apart("runtime.blocking_examples.BLOCKING_BAD"),
    good=Apart("runtime.blocking_examples.BLOCKING_GOOD"),
)

sync_sleep_in_async = Rule(
    name=SLEEP,
    gate="none",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PA-653-3",),
    catches="`time.sleep` inside `async def`.",
    why="It stops the thread of the event loop: every request, task and timeout of the process waits as long.",
    fix="`await asyncio.sleep(…)` (anyio, trio: their `sleep`).",
    when="In coroutines of production code: HIGH while a request waits, MEDIUM elsewhere, LOW in code that runs once. "
    "Not in scripts and commands, lambdas and nested functions.",
    watches=(Watch((ast.Call,), _on_sleep, (b"sleep",), is_product_path),),
    bad=Apart("runtime.blocking_examples.SLEEP_BAD"),
    good=Apart("runtime.blocking_examples.SLEEP_GOOD"),
)

RULES: tuple[Rule, ...] = (blocking_io_in_async, sync_sleep_in_async)
